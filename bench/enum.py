# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A number looked up: beside the bare question and answer, and beside Kamailio's enum module, at one name server.

`python -m bench.enum FOLDER TIMES` measures and prints JSON. `measure` runs that in a network of its own, for
Kamailio asks only the name server of resolv.conf(5), at port 53.
"""

import asyncio
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import dns.message

from bench.figures import Figure, Values, at_most, median
from omafon.config import EnumConfig
from omafon.core.dialplan import E164
from omafon.core.events import Event
from omafon.core.naptr import NaptrRecord, dialable, enum_domain, evaluate
from omafon.drivers.dns import DnsResolver
from tests.lab.enum_vectors import vectors
from tests.lab.heard import LabError
from tests.lab.knot import Knot, Signing, naptr_line
from tests.lab.program import Program, needs

AGENTS = ["omafon", "kamailio", "bare"]
FIGURES = (
    Figure("enum_cold_us", "ENUM, first look-up", "µs", at_most(3000, "µs")),
    Figure("enum_proven_us", "the same, by DNSSEC", "µs", at_most(6000, "µs")),
    Figure("enum_again_us", "ENUM, second look-up", "µs", at_most(250, "µs")),
    Figure("enum_sets_ms", "1,000 sets evaluated", "ms", at_most(500, "ms")),
    Figure("enum_import_ms", "import of the resolver", "ms", at_most(250, "ms")),
)

ADDRESS = "127.0.0.1"
TREE = "e164.test"
URI = "sip:oma@example.net"
RECORDS = (
    NaptrRecord(100, 10, "u", "E2U+sip", f"!^.*$!{URI}!", "."),
    NaptrRecord(100, 20, "u", "E2U+email:mailto", "!^.*$!mailto:oma@example.net!", "."),
    NaptrRecord(100, 30, "u", "E2U+web:http", "!^(.*)$!http://example.net/\\1!", "."),
)
_KAMAILIO = f"""\
#!KAMAILIO
debug=1
log_stderror=yes
fork=yes
children=1
listen=udp:{ADDRESS}:5060
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "enum.so"
request_route {{
    $var(s) = $TV(sn);
    $var(u) = $TV(un);
    if (!enum_query("{TREE}.")) {{ sl_send_reply("404", "Not There"); exit; }}
    $var(took) = ($TV(sn) - $var(s)) * 1000000;
    $var(took) = $var(took) + $TV(un) - $var(u);
    append_to_reply("X-Took: $var(took)\\r\\nX-Found: $ru\\r\\n");
    sl_send_reply("200", "OK");
}}
"""


def measure(folder: Path, times: int) -> Values:
    """Every figure of every agent that can be measured here. Raises LabError."""
    command = [sys.executable, "-m", "bench.enum", str(folder), str(times)]
    own_network = [needs("unshare", "util-linux"), "--map-root-user", "--mount", "--net", "--"]
    if subprocess.run([*own_network, "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0:
        command = [*own_network, *command, "--own-network"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(f"{' '.join(command)}:\n{done.stderr}")
    values: Values = json.loads(done.stdout)
    return values


def _measure_here(folder: Path, times: int, *, own_network: bool) -> Values:
    numbers = [E164(f"+4930{20_000_000 + 37 * index}") for index in range(30 * times)]
    lines = [naptr_line(enum_domain(number, TREE), record) for number in numbers for record in RECORDS]
    values: Values = {"enum_sets_ms": {"omafon": _sets_ms()}, "enum_import_ms": {"omafon": _import_ms(times)}}
    zone = {TREE: lines}
    with Knot(folder, ADDRESS, zone, signed={TREE: Signing()}, port=53 if own_network else 5353) as knot:
        values["enum_cold_us"] = {"bare": _bare_us(knot.server, numbers)}
        enum = EnumConfig(trees=(TREE,), servers=(knot.server,), dnssec={TREE: "off"})
        cold_us, again_us = asyncio.run(_ours_us(enum, numbers))
        values["enum_cold_us"]["omafon"] = cold_us
        values["enum_again_us"] = {"omafon": again_us}
        anchors = {TREE: knot.anchor(TREE)}
        enum = EnumConfig(trees=(TREE,), servers=(knot.server,), dnssec={TREE: "require"}, anchors=anchors)
        values["enum_proven_us"] = {"omafon": asyncio.run(_ours_us(enum, numbers))[0]}
        if own_network and shutil.which("kamailio", path=os.environ["PATH"] + ":/usr/sbin"):
            theirs = _kamailio_us(folder, numbers)
            values["enum_cold_us"]["kamailio"], values["enum_again_us"]["kamailio"] = theirs
    return values


def _bare_us(server: str, numbers: list[E164]) -> float:
    """One datagram there and one back, made before and not looked at."""
    address, _, port = server.rpartition(":")
    queries = [dns.message.make_query(enum_domain(number, TREE), "NAPTR").to_wire() for number in numbers]
    taken = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(2)
        client.connect((address, int(port)))
        for query in queries:
            began = time.perf_counter()
            client.send(query)
            client.recv(4096)
            taken.append((time.perf_counter() - began) * 1e6)
    return median(taken)


async def _ours_us(enum: EnumConfig, numbers: list[E164]) -> tuple[float, float]:
    """From the question to the URI that is called, the first time and the second."""
    resolver = DnsResolver(_nobody_listens, enum)
    resolver.open()
    try:
        await resolver.lookup(TREE, E164("+49301"))
        return [median([await _our_us(resolver, number) for number in numbers]) for _ in range(2)]
    finally:
        resolver.close()


async def _our_us(resolver: DnsResolver, number: E164) -> float:
    began = time.perf_counter()
    said = await resolver.lookup(TREE, number)
    found = dialable(evaluate(number, said.records, followed=said.followed).services)
    took_us = (time.perf_counter() - began) * 1e6
    if found != URI or said.error:
        raise LabError(f"{number} was not found: {said}")
    return took_us


def _kamailio_us(folder: Path, numbers: list[E164]) -> tuple[float, float]:
    """What enum_query in a route takes by Kamailio's own clock, the first time and the second."""
    resolv_conf = folder / "resolv.conf"
    resolv_conf.write_text(f"nameserver {ADDRESS}\n")
    subprocess.run([needs("mount", "mount"), "--bind", resolv_conf, "/etc/resolv.conf"], check=True)
    (folder / "kamailio.cfg").write_text(_KAMAILIO)
    command = ["kamailio", "-f", "kamailio.cfg", "-DD", "-E", "-m", "32", "-M", "4", "-w", ".", "-Y", "."]
    with Program(command, package="kamailio", folder=folder) as kamailio, _client(kamailio) as client:
        first, again = (median([_their_us(client, number) for number in numbers]) for _ in range(2))
    return first, again


def _client(kamailio: Program) -> socket.socket:
    """A socket for requests, once Kamailio answers."""
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.bind((ADDRESS, 0))
    # Not connected: a port where nobody listens yet is silence, and is waited for.
    client.settimeout(0.2)
    for _ in range(50):
        try:
            _ask(client, "+49301")
        except TimeoutError:
            continue
        client.settimeout(2)
        return client
    client.close()
    raise LabError(f"kamailio does not answer:\n{kamailio.tail()}")


def _their_us(client: socket.socket, number: E164) -> float:
    answer = dict(_headers(_ask(client, number)))
    if answer.get("X-Found") != URI:
        raise LabError(f"kamailio did not find {number}: {answer}")
    return float(answer["X-Took"])


def _ask(client: socket.socket, number: str) -> str:
    local = "{}:{}".format(*client.getsockname())
    request = (
        f"OPTIONS sip:{number}@{ADDRESS} SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bK{number[1:]}\r\n"
        f"Max-Forwards: 70\r\nFrom: <sip:bench@{local}>;tag=bench\r\nTo: <sip:{number}@{ADDRESS}>\r\n"
        f"Call-ID: {number}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    )
    client.sendto(request.encode(), (ADDRESS, 5060))
    return client.recv(4096).decode()


def _headers(answer: str) -> Iterator[tuple[str, str]]:
    for line in answer.split("\r\n")[1:]:
        name, colon, value = line.partition(": ")
        if colon:
            yield name, value


def _sets_ms() -> float:
    """Processor time of a thousand evaluations, of sets of every kind: the best of five."""
    known = [vector for vector in vectors() if vector.is_number]
    sets = [(E164(vector.number), vector.records, vector.follows()) for vector in known]
    thousand = (sets * (1000 // len(sets) + 1))[:1000]
    taken = []
    for _ in range(5):
        began = time.process_time()
        for number, records, followed in thousand:
            evaluate(number, records, followed=followed)
        taken.append((time.process_time() - began) * 1000)
    return min(taken)


def _import_ms(times: int) -> float:
    """What the resolver adds to the start of a Python."""
    bare, whole = (
        statistics.median(_running_ms(code) for _ in range(times)) for code in ("pass", "import omafon.drivers.dns")
    )
    return whole - bare


def _running_ms(code: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return (time.perf_counter() - began) * 1000


def _nobody_listens(event: Event) -> None:
    """Take what the driver tells the house: here is no house."""


if __name__ == "__main__":
    own = "--own-network" in sys.argv
    if own:
        subprocess.run([needs("ip", "iproute2"), "link", "set", "lo", "up"], check=True)
    print(json.dumps(_measure_here(Path(sys.argv[1]), int(sys.argv[2]), own_network=own)))
