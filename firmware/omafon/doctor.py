# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What is wrong with this phone and what to do about it, in plain words: `omafon doctor`."""

import ctypes
import os
import re
import secrets
import socket
import ssl
import struct
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from omafon.board import load_board
from omafon.client import Client, NoDaemon, Refused
from omafon.config import ConfigError, exposed

DNS_TIMEOUT_S = 2.0
LEAST_FREE_MB = 64
# The firmware is younger than this: a clock that says less was never set.
YOUNGEST_YEAR = 2024
_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronized


class Verdict(StrEnum):
    OK = "ok"
    NOTE = "note"  # the owner may want to know
    WRONG = "wrong"  # the phone suffers


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found at one part of the phone, and the cure where there is something to cure."""

    part: str
    verdict: Verdict
    what: str
    cure: str = ""

    def __str__(self) -> str:
        line = f"{self.verdict:<6} {self.part:<10} {self.what}"
        return f"{line}\n{'':18}{self.cure}" if self.cure else line

    def plain(self) -> dict[str, str]:
        return {"part": self.part, "verdict": self.verdict.value, "what": self.what, "cure": self.cure}


@dataclass(frozen=True, slots=True)
class Machine:
    """Where the facts of a machine are read from."""

    config: Path = Path("/etc/omafon/phone.toml")
    cards: Path = Path("/proc/asound/cards")
    resolv_conf: Path = Path("/etc/resolv.conf")
    state: Path = Path("/var/lib/omafon")


def examine(control: Path, machine: Machine | None = None) -> Iterator[Finding]:
    """Every finding about the phone at `control` and the machine under it, as it is made."""
    machine = machine or Machine()
    status, finding = _daemon(control)
    yield finding
    if status is not None:
        yield from _drivers(status)
        yield from _lines(status)
    if machine.config.exists():
        yield _configuration(machine.config)
    yield _sound(machine.cards, asked=status is not None)
    yield from _name_servers(machine.resolv_conf)
    yield _clock(time.time(), synchronized=_synchronized())
    yield _disk(machine.state)
    yield from _versions()


def _daemon(control: Path) -> tuple[dict[str, Any] | None, Finding]:
    try:
        with Client(control) as phone:
            status = phone.ask("status")
    except NoDaemon as error:
        return None, Finding("phone", Verdict.WRONG, str(error), error.cure)
    except Refused as error:
        return None, Finding("phone", Verdict.WRONG, error.what, error.cure)
    return status, Finding("phone", Verdict.OK, f"answers: {status['hook']}-hook, {status['mode']}")


_CURES = {
    "voice": "Plug the handset in, and name its card in [audio] of phone.toml: `aplay -L` lists them.",
    "ringer": "Plug the loudspeaker in, and name its card in [audio] of phone.toml: `aplay -L` lists them.",
    "display": "Check its four wires, and the bus: `i2cdetect -y 1` shows it at 3c.",
    "dns": "Check the network, and [enum] servers in phone.toml.",
    "store": "Check the disk: `df -h /var/lib/omafon`, `dmesg`.",
}


def _drivers(status: dict[str, Any]) -> Iterator[Finding]:
    missing = _missing(status.get("board", ""))
    for driver, state in status["drivers"].items():
        if driver in missing:
            yield Finding(driver, Verdict.OK, "none on this board")
        elif state == "ok":
            yield Finding(driver, Verdict.OK, "works")
        else:
            yield Finding(
                driver, Verdict.WRONG, str(state), _CURES.get(driver, "Read on in what `omafon run` has written.")
            )


def _missing(name: str) -> frozenset[str]:
    """The drivers that a board has no part for."""
    try:
        board = load_board(name)
    except ConfigError:
        return frozenset()  # a file of the builder's that only the phone can read
    parts = {
        "display": board.display,
        "keypad": board.keypad or board.rotary or board.keys or board.hook,
        "ringer": board.sound,
    }
    return frozenset(driver for driver, part in parts.items() if not part)


def _lines(status: dict[str, Any]) -> Iterator[Finding]:
    if not status["lines"]:
        yield Finding("line", Verdict.NOTE, "none is configured: the phone calls by ENUM and addresses only")
    for line in status["lines"]:
        part = f"line {line['name']}"
        if line["registered"]:
            yield Finding(part, Verdict.OK, f"registered as {line['aor']}")
        else:
            yield Finding(part, Verdict.WRONG, f"not registered: {line['reason'] or 'no answer yet'}", _line_cure(line))


def _line_cure(line: dict[str, Any]) -> str:
    match line["status"]:
        case 401 | 403 | 407:
            return "Compare auth_user and password in phone.toml with the provider's letter."
        case 404:
            return "Compare aor in phone.toml with the provider's letter."
        case 0 | 408 | 502 | 503 | 504:
            return "Check the network, and registrar and transport in phone.toml."
        case _:
            return "Ask the provider what this answer means."


def _configuration(file: Path) -> Finding:
    try:
        warning = exposed(file)
    except ConfigError as error:
        cure = f"All of it: omafon check {file}"
        return Finding("config", Verdict.WRONG, str(error.problems[0]).partition("\n")[0], cure)
    if warning is not None:
        return Finding("config", Verdict.NOTE, f"{file}: {warning.what}", warning.cure)
    return Finding("config", Verdict.OK, f"{file}: no errors")


def _sound(cards: Path, *, asked: bool) -> Finding:
    """The cards Linux knows; a phone that was `asked` has said itself whether it suffers without."""
    try:
        found = re.findall(r"^\s*\d+ \[(\S+)", cards.read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        found = []
    if not found and asked:
        return Finding("cards", Verdict.NOTE, "this machine has no sound card")
    if not found:
        cure = "Plug the handset in; `aplay -l` lists it when Linux knows it."
        return Finding("cards", Verdict.WRONG, "this machine has no sound card", cure)
    return Finding("cards", Verdict.OK, ", ".join(f"CARD={card}" for card in found))


def _name_servers(resolv_conf: Path) -> Iterator[Finding]:
    cure = "Check the network: the router hands out name servers by DHCP."
    try:
        servers = re.findall(r"^nameserver\s+(\S+)", resolv_conf.read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        servers = []
    if not servers:
        yield Finding("resolver", Verdict.WRONG, "no name server is known", cure)
    for server in servers:
        yield _name_server(server, 53, cure)


def _name_server(server: str, port: int, cure: str) -> Finding:
    """Whether `server` answers at all, asked for the apex of ENUM (RFC 1035 section 4.1)."""
    known = secrets.token_bytes(2)
    question = known + struct.pack("!5H", 0x0100, 1, 0, 0, 0) + b"\x04e164\x04arpa\x00" + struct.pack("!2H", 6, 1)
    begin = time.monotonic()
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(server, port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind, protocol) as wire:
            wire.settimeout(DNS_TIMEOUT_S)
            wire.connect(address)
            wire.send(question)
            answer = wire.recv(4096)
    except TimeoutError:
        return Finding("resolver", Verdict.WRONG, f"{server} does not answer", cure)
    except OSError as error:
        return Finding("resolver", Verdict.WRONG, f"{server} cannot be reached: {error.strerror}", cure)
    if len(answer) < 12 or answer[:2] != known:
        return Finding("resolver", Verdict.WRONG, f"{server} answers, but not with DNS", cure)
    return Finding("resolver", Verdict.OK, f"{server} answers in {round(1000 * (time.monotonic() - begin))} ms")


def _clock(unix: float, *, synchronized: bool) -> Finding:
    year = time.gmtime(unix).tm_year
    if year < YOUNGEST_YEAR:
        what = f"the clock says {year}: it was never set, and no certificate can be judged"
        return Finding("clock", Verdict.WRONG, what, "Let the phone reach a time server: timedatectl set-ntp true.")
    if not synchronized:
        cure = "It may be right all the same; timedatectl timesync-status says more."
        return Finding("clock", Verdict.NOTE, "no time server keeps the clock", cure)
    return Finding("clock", Verdict.OK, "set, and kept by a time server")


def _synchronized() -> bool:
    """What the kernel thinks of its clock (adjtimex(2))."""
    # Larger than struct timex anywhere; all zero asks without changing anything.
    asked = ctypes.create_string_buffer(512)
    return int(ctypes.CDLL(None).adjtimex(asked)) not in (_TIME_ERROR, -1)


def _disk(state: Path) -> Finding:
    place = next(folder for folder in (state, *state.parents) if folder.exists())
    free_mb = os.statvfs(place).f_bavail * os.statvfs(place).f_frsize // 1_000_000
    if free_mb < LEAST_FREE_MB:
        return Finding(
            "disk", Verdict.WRONG, f"{free_mb} MB are free under {place}", "Make room: journalctl --vacuum-size=50M."
        )
    return Finding("disk", Verdict.OK, f"{free_mb} MB are free under {place}")


def _versions() -> Iterator[Finding]:
    yield Finding(
        "version", Verdict.OK, f"omafon {version('omafon')}, Python {sys.version.split()[0]}, {ssl.OPENSSL_VERSION}"
    )
    try:
        yield Finding("engine", Verdict.OK, f"pjsua2 {version('pjsua2')}")
    except PackageNotFoundError:
        cure = "Install the wheel that image-build/engine/build prints; ./dev does it by itself."
        yield Finding("engine", Verdict.WRONG, "the call engine is not installed", cure)
