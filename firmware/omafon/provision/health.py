# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What must be as good after a change as before: the lines, the hardware, the way in by SSH."""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from omafon.config import Config

DRIVERS = ("voice", "ringer", "display", "keypad")

FINAL = (401, 403, 404, 407)
"""The registrar has said no, and asking again would not help (RFC 3261 section 21.4)."""

_BANNER_S = 2.0

Status = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: what it is, whether it is good, why not; `final` when waiting would not help."""

    what: str
    good: bool
    why: str = ""
    final: bool = False

    def __str__(self) -> str:
        return f"{self.what}: {self.why or ('good' if self.good else 'not good')}"


class Good(msgspec.Struct, frozen=True):
    """What was good before a change: lines that were registered, drivers that worked, an SSH server that greeted.

    `refused` is what the phone had refused then, and may still say for a moment.
    """

    lines: tuple[str, ...] = ()
    drivers: tuple[str, ...] = ()
    ssh: bool = False
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Demands:
    """What is asked of the phone once it has `generation`: lines and drivers by name, and an SSH server that greets."""

    generation: int | None
    lines: tuple[str, ...] = ()
    drivers: tuple[str, ...] = ()
    ssh: bool = False
    refused: str = ""


def good(status: Status, ssh: bool) -> Good:
    """What is good now."""
    drivers = status.get("drivers", {})
    return Good(
        lines=tuple(line["name"] for line in status.get("lines", ()) if line["registered"]),
        drivers=tuple(name for name in DRIVERS if drivers.get(name) == "ok"),
        ssh=ssh,
        refused=str(status.get("config", {}).get("refused") or ""),
    )


def forward(generation: int | None, old: Config | None, new: Config | None, before: Good) -> Demands:
    """What must be true of the configuration `new`, when `before` was with `old`.

    A line that is new or was changed must be registered, one as before only if it was. A driver must work if it did.
    """
    kept = {line.name: line for line in old.line} if old is not None else {}
    lines = new.line if new is not None else ()
    names = tuple(line.name for line in lines if line.name in before.lines or kept.get(line.name) != line)
    return Demands(generation, names, before.drivers, before.ssh, before.refused)


def back(generation: int | None, before: Good) -> Demands:
    """What must be true once `generation`, with which `before` was, is in force again."""
    return Demands(generation, before.lines, before.drivers, before.ssh)


def findings(wanted: Demands, status: Status, *, ssh: bool | None) -> tuple[Finding, ...]:
    """What of the `wanted` is so, the configuration first; `ssh` is None where nobody has asked the server yet."""
    config = status.get("config", {})
    found = [_taken(wanted, config)]
    lines = {line["name"]: line for line in status.get("lines", ())}
    found += [_line(name, lines.get(name)) for name in wanted.lines]
    drivers = status.get("drivers", {})
    for name in wanted.drivers:
        why = str(drivers.get(name, "is not there"))
        found.append(Finding(name, why == "ok", "" if why == "ok" else why))
    if wanted.ssh and ssh is not None:
        found.append(Finding("SSH", ssh, "" if ssh else "the server does not greet any more"))
    return tuple(found)


def _taken(wanted: Demands, config: Status) -> Finding:
    what = "the configuration"
    if why := config.get("refused"):
        return Finding(what, False, str(why), final=why != wanted.refused)
    if config.get("safe_mode"):
        return Finding(what, False, "the phone is in safe mode")
    if config.get("generation") != wanted.generation or config.get("pending_restart"):
        return Finding(what, False, "the phone has not taken it yet")
    return Finding(what, True)


def _line(name: str, line: Status | None) -> Finding:
    what = f"line {name}"
    if line is None:
        return Finding(what, False, "the phone does not know it")
    if line["registered"]:
        return Finding(what, True)
    reason = " ".join(str(word) for word in (line["status"], line["reason"]) if word)
    return Finding(what, False, f"not registered ({reason or 'no answer yet'})", final=line["status"] in FINAL)


def ssh_address(environ: Mapping[str, str] = os.environ) -> tuple[str, int]:
    """Where sshd listens: where it took this session's connection, if one did."""
    match environ.get("SSH_CONNECTION", "").split():
        case [_, _, address, port] if port.isdecimal():
            return address, int(port)
    return "127.0.0.1", 22


def greets(address: tuple[str, int]) -> bool:
    """Whether an SSH server answers at `address` with its banner (RFC 4253 section 4.2)."""
    try:
        with socket.create_connection(address, timeout=_BANNER_S) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False
