# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What the phone says of itself: its drivers, its lines, and the configuration it runs with."""

import ipaddress
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from omafon.board import load_board
from omafon.client import Client, NoDaemon, Refused
from omafon.config import ConfigError, exposed
from omafon.doctor.finding import Finding, note, ok, wrong
from omafon.doctor.machine import Machine

ANSWER_S = 2.0

Status = dict[str, Any]


def asked(control: Path) -> tuple[Status | None, Finding]:
    """The status of the phone at `control`, None when none answers; and what that says."""
    try:
        with Client(control, answer_s=ANSWER_S) as phone:
            status = phone.ask("status")
    except NoDaemon as error:
        return None, wrong("phone", str(error), error.cure)
    except Refused as error:
        return None, wrong("phone", error.what, error.cure)
    return status, ok("phone", f"answers: {status['hook']}-hook, {status['mode']}")


# Drivers.

_CURES = {
    "voice": "Plug the handset in, and name its card in [audio] of phone.toml: `aplay -L` lists them.",
    "ringer": "Plug the loudspeaker in, and name its card in [audio] of phone.toml: `aplay -L` lists them.",
    "mixer": "Name the card's own mixer elements in the board's file: `amixer -c CARD scontrols` lists them.",
    "display": "Check its four wires, and the bus: `i2cdetect -y 1` shows it at 3c.",
    "keypad": "Check the ribbon cable, and try every key: omafon hwtest.",
    "dns": "Check the network, and [enum] servers in phone.toml.",
    "store": "Check the disk: `df -h /var/lib/omafon`, `dmesg`.",
}


def drivers(status: Status) -> Iterator[Finding]:
    missing = _missing(status.get("board", ""))
    for driver, state in status["drivers"].items():
        if driver in missing:
            yield ok(driver, "none on this board")
        elif state == "ok":
            yield ok(driver, "works")
        else:
            yield wrong(driver, str(state), _CURES.get(driver, "Read on in the log: journalctl -u omafon."))


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


# Lines.


def lines(status: Status) -> Iterator[Finding]:
    if not status["lines"]:
        yield note("line", "none is configured: the phone calls by ENUM and addresses only")
    for line in status["lines"]:
        part = f"line {line['name']}"
        if line["registered"]:
            yield ok(part, f"registered as {line['aor']}")
        else:
            yield wrong(part, f"not registered: {line['reason'] or 'no answer yet'}", _line_cure(line, status))
    yield from _nat(status)


def _line_cure(line: dict[str, Any], status: Status) -> str:
    if not status.get("clock", {"set": True})["set"]:
        return "It registers by itself once a time server has set the clock: timedatectl timesync-status."
    match line["status"]:
        case 401 | 403 | 407:
            return "Compare auth_user and password in phone.toml with the provider's letter."
        case 404:
            return "Compare aor in phone.toml with the provider's letter."
        case 0 | 408 | 502 | 503 | 504 if re.search(r"CERT|SSL|TLS|certificate", str(line["reason"])):
            return "The certificate is not the registrar's: check its name in phone.toml, [sip] ca, and the clock."
        case 0 | 408 | 502 | 503 | 504:
            return "Check the network, and registrar and transport in phone.toml."
        case _:
            return "Ask the provider what this answer means."


def _nat(status: Status) -> Iterator[Finding]:
    """Where a registrar sees us at another address than we have, a router stands between and translates."""
    own = set(status.get("addresses", ()))
    for line in status["lines"]:
        address = _parsed(line.get("seen_as", ""))
        if not line["registered"] or address is None or not own:
            continue
        if str(address) in own or address.is_loopback:
            yield ok("nat", f"line {line['name']} sees this phone at its own address: nothing translates on the way")
            continue
        what = f"line {line['name']} sees this phone as {address}: a router translates on the way"
        if not address.is_global:
            what += ", and it is not the last one that does"
        cure = "Calls by the line go through it. Direct calls from outside reach this phone only by a rule there."
        yield note("nat", what, cure)


def family(status: Status) -> Iterator[Finding]:
    """Whether the members answer, and whether they could find this phone from outside."""
    members = status.get("family", ())
    if not members:
        return
    for member in members:
        if member["reachable"] is False:
            at = time.strftime("%H:%M", time.localtime(member["away_since"]))
            cure = "Is that phone on, and its network up? Calls to it go by a line meanwhile, if there is one."
            yield wrong("family", f"{member['name']} is out of reach since {at}", cure)
        elif member["reachable"]:
            yield ok("family", f"{member['name']} answers")
    own = [address for text in status.get("addresses", ()) if (address := _parsed(text)) is not None]
    if own and not any(address.is_global for address in own):
        cure = "Switch IPv6 on in the router, or let it pass the port of [family] on to this phone and set its name."
        yield note("family", "from outside this network nobody finds this phone: it has private addresses only", cure)


def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(address)
    except ValueError:
        return None


# Configuration.


def configuration(status: Status | None, machine: Machine) -> Iterator[Finding]:
    if machine.config.exists():
        yield _file(machine.config)
    runs_with = (status or {}).get("config") or {}
    if runs_with.get("safe_mode"):
        why = runs_with.get("refused") or "nothing it was told to run with works"
        yield wrong("safe mode", f"the phone does not telephone: {why}", "omafon rollback, or apply a good phone.toml.")
    elif runs_with.get("refused"):
        what = f"the phone runs with the last good configuration: {runs_with['refused']}"
        yield wrong("config", what, f"Correct it, and: omafon apply {machine.config}")
    if runs_with.get("pending_restart"):
        yield note("config", "what was changed is taken when the call has ended")
    yield from _unconfirmed(machine)


def _file(file: Path) -> Finding:
    try:
        warning = exposed(file)
    except ConfigError as error:
        cure = f"All of it: omafon check {file}"
        return wrong("config", str(error.problems[0]).partition("\n")[0], cure)
    if warning is not None:
        return note("config", f"{file}: {warning.what}", warning.cure)
    return ok("config", f"{file}: no errors")


def _unconfirmed(machine: Machine) -> Iterator[Finding]:
    try:
        waiting = json.loads((machine.config.parent / "unconfirmed.json").read_bytes())
        number, deadline = int(waiting["generation"]), float(waiting["deadline_unix"])
    except (OSError, ValueError, KeyError, TypeError):
        return
    left_s = max(0, round(deadline - time.time()))
    what = f"generation {number} goes back in {left_s} s unless somebody confirms it"
    yield note("config", what, "From a new session: omafon confirm.")
