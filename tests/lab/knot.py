# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Knot DNS as the authority of zones that a test writes, on one loopback address."""

import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from omafon.core.naptr import NaptrRecord
from tests.lab.program import Program, needs

PORT = 5353  # one that takes no privilege
_CONFIGURATION = """\
server:
    rundir: "{folder}"
    listen: {address}@{port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
log:
  - target: stderr
    any: info
database:
    storage: "{folder}"
{policies}template:
  - id: default
    storage: "{folder}"
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: none
zone:
"""
_POLICY = """\
  - id: {id}
    algorithm: {algorithm}
    single-type-signing: on
    nsec3: {nsec3}
    nsec3-opt-out: {opt_out}
    nsec3-iterations: {iterations}
"""


@dataclass(frozen=True, slots=True)
class Signing:
    """How Knot signs a zone. `betrayed`: the zone above names a key that is not the zone's."""

    algorithm: str = "ecdsap256sha256"
    denial: Literal["nsec", "nsec3", "opt-out"] = "nsec"
    iterations: int = 0
    betrayed: bool = False

    @property
    def id(self) -> str:
        return f"{self.algorithm}-{self.denial}-{self.iterations}"


@dataclass(frozen=True, slots=True)
class Presigned:
    """A zone that was signed elsewhere: all of its lines, and the DS record for the zone above."""

    lines: tuple[str, ...]
    ds: str


class Knot:
    """Serves `zones`, domain to lines of a master file; the SOA and NS records are added. Runs while entered.

    A zone below another one is delegated; those in `signed` are signed, and the zone above holds their DS records.
    """

    def __init__(
        self,
        folder: Path,
        address: str,
        zones: Mapping[str, Iterable[str] | Presigned],
        *,
        signed: Mapping[str, Signing] | None = None,
        ttl_s: int = 60,
        port: int = PORT,
    ) -> None:
        self.address = address
        self.server = f"{address}:{port}"
        self._port = port
        self.zones = [_canonical(zone) for zone in zones]
        self._folder = folder
        self._signed = {_canonical(zone): how for zone, how in (signed or {}).items()}
        self._anchors: dict[str, str] = {}
        self._program: Program | None = None
        self._write_configuration()
        for zone, how in self._signed.items():
            self._anchors[zone] = self._new_key(zone, how.algorithm)
        for zone, lines in zones.items():
            if isinstance(lines, Presigned):
                self._anchors[_canonical(zone)] = lines.ds
        for zone, lines in zones.items():
            name = _canonical(zone)
            head = [f"$ORIGIN {name}", f"$TTL {ttl_s}"]
            if not isinstance(lines, Presigned):
                head += [f"@ SOA ns host 1 3600 600 86400 {ttl_s}", "@ NS ns", f"ns A {address}"]
                lines = [*lines, *self._delegations(name)]
            else:
                lines = lines.lines
            (folder / self._file(name)).write_text("\n".join([*head, *lines]) + "\n")

    def __enter__(self) -> Self:
        self._program = Program(["knotd", "-c", "knot.conf"], package="knot", folder=self._folder)
        self._program.until_says("server started")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._program is not None:
            self._program.close()

    def anchor(self, zone: str) -> str:
        """The DS record of the key that `zone` is signed with, without its owner."""
        return self._anchors[_canonical(zone)]

    def _write_configuration(self) -> None:
        policies = {
            how.id: _POLICY.format(
                id=how.id,
                algorithm=how.algorithm,
                nsec3="off" if how.denial == "nsec" else "on",
                opt_out="on" if how.denial == "opt-out" else "off",
                iterations=how.iterations,
            )
            for how in self._signed.values()
        }
        configuration = _CONFIGURATION.format(
            folder=self._folder,
            address=self.address,
            port=self._port,
            policies="policy:\n" + "".join(policies.values()) if policies else "",
        )
        for zone in self.zones:
            configuration += f'  - domain: "{zone}"\n    file: {self._file(zone)}\n'
            if zone in self._signed:
                configuration += f"    dnssec-signing: on\n    dnssec-policy: {self._signed[zone].id}\n"
        (self._folder / "knot.conf").write_text(configuration)

    def _new_key(self, zone: str, algorithm: str) -> str:
        keymgr = [needs("keymgr", "knot"), "-c", "knot.conf", zone]
        for words in (["generate", f"algorithm={algorithm}", "ksk=yes", "zsk=yes"], ["ds"]):
            done = subprocess.run([*keymgr, *words], cwd=self._folder, capture_output=True, text=True, check=True)
        return next(line.partition(" DS ")[2] for line in done.stdout.splitlines() if line.split()[4] == "2")

    def _delegations(self, zone: str) -> Iterable[str]:
        """The lines that hand the zones right below `zone` over to themselves."""
        for child in self.zones:
            if child != zone and self._above(child) == zone:
                yield from (f"{child} NS ns.{child}", f"ns.{child} A {self.address}")
                if child in self._anchors:
                    ds = self._anchors[child]
                    betrayed = child in self._signed and self._signed[child].betrayed
                    yield f"{child} DS {_changed(ds) if betrayed else ds}"

    def _above(self, zone: str) -> str:
        around = [other for other in self.zones if zone.endswith(f".{other}") or other == "."]
        return max((other for other in around if other != zone), key=len, default="")

    def _file(self, zone: str) -> str:
        return f"{zone.strip('.') or 'root'}.zone"


def naptr_line(name: str, record: NaptrRecord) -> str:
    """`record` as a line of a master file (RFC 1035 section 5.1), every octet that could mean something escaped."""
    strings = " ".join(f'"{_escaped(text)}"' for text in (record.flags, record.services, record.regexp))
    return f"{name} NAPTR {record.order} {record.preference} {strings} {record.replacement or '.'}"


def _escaped(text: str) -> str:
    plain = "".join(map(chr, range(0x20, 0x7F))).translate({ord('"'): None, ord("\\"): None})
    return "".join(chr(octet) if chr(octet) in plain else f"\\{octet:03d}" for octet in text.encode())


def _canonical(zone: str) -> str:
    return zone.strip(".") + "."


def _changed(ds: str) -> str:
    """A DS record like `ds`, and of another key."""
    return ds[:-1] + ("0" if ds[-1] != "0" else "1")
