# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Commands about the phones that know each other: `omafon pair` and `omafon family`."""

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from omafon.cli.outcome import Exit, complain, counted, print_json
from omafon.client import Client, Json, Refused

_WHY = {
    "nobody": ("no other phone was found", "Begin on both within a minute, in the same network."),
    "late": ("nobody said in time whether the digits are the same", "Begin again on both phones."),
    "different": ("the digits were not the same", "Another phone answered, or one is in between: try on a cable."),
    "refused": ("the other phone stopped", "Begin again on both phones."),
    "lost": ("the connection to the other phone broke", "Begin again on both phones."),
    "disturbed": ("what came was not what a phone says", "Begin on two phones only; then try on a cable."),
    "no-network": ("there is no network", "Plug the cable in, or check [[wifi]] in phone.toml."),
    "full": ("the family is full", "Take one out of it: omafon family remove NAME."),
    "broken": ("this phone has no key of its own", "Look with: omafon doctor. A factory reset makes another one."),
}


def pair(arguments: argparse.Namespace) -> int:
    if arguments.offline is not None:
        return _offline(arguments)
    with Client(arguments.control) as phone, Client(arguments.control) as answers:
        events = phone.events()
        next(events)
        begun = answers.ask("pair")
        if not arguments.json:
            print("Looking for another phone: hold 0 on it for three seconds, or say: omafon pair", flush=True)
        for pairing in _stages(events, begun["id"]):
            match pairing["stage"]:
                case "comparing":
                    _answer(answers, pairing["digits"], arguments)
                case "waiting" if not arguments.json:
                    print("Now somebody has to say yes on the other phone.", flush=True)
                case "done":
                    _tell(arguments, pairing, f"Paired with {pairing['name']}.")
                    return Exit.DONE
                case "failed":
                    if arguments.json:
                        print_json(pairing)
                    return complain(*_WHY[pairing["failure"]], Exit.FAILED)
        return complain("the pairing was ended at the phone", "Begin again on both.", Exit.FAILED)


def _stages(events: Iterator[Json], id_: int) -> Iterator[Json]:
    """How the pairing goes on, each stage once, until the phone does something else. Raises NoDaemon."""
    stage = ""
    for event in events:
        if event["event"] != "status":
            continue
        pairing = event["status"]["pairing"] or {"id": None}
        if pairing["id"] == id_ and pairing["stage"] != stage:
            stage = pairing["stage"]
            yield pairing
        elif pairing["id"] != id_ and stage:
            return


def _answer(phone: Client, digits: str, arguments: argparse.Namespace) -> None:
    """Ask the person whether both phones show `digits`, unless they have said so before."""
    shown = f"{digits[:3]} {digits[3:]}"
    same = arguments.yes
    if same:
        print(f"Digits: {shown}", file=sys.stderr, flush=True)
    else:
        print(f"Does the other phone show {shown}? [yes/no] ", end="", file=sys.stderr, flush=True)
        same = sys.stdin.readline().strip().lower() in {"y", "yes", "j", "ja"}
    try:
        phone.ask("pair-answer", same=same)
    except Refused:
        # A key at the phone was quicker, or the minute is over: what comes next tells.
        return


def _tell(arguments: argparse.Namespace, value: object, line: str) -> None:
    if arguments.json:
        print_json(value)
    else:
        print(line)


def family(arguments: argparse.Namespace) -> int:
    match arguments.words:
        case []:
            wanted: dict[str, object] = {}
        case ["remove", name]:
            wanted = {"remove": name}
        case _:
            return complain("family takes nothing, or: remove NAME", "See: omafon family --help", Exit.USAGE)
    with Client(arguments.control) as phone:
        members = phone.ask("family", **wanted)["members"]
    if arguments.json:
        print_json(members)
        return Exit.DONE
    print(f"{counted(len(members), 'phone')} in the family beside this one")
    for member in members:
        print(f"  {_line(member)}")
    return Exit.DONE


def _line(member: Json) -> str:
    from datetime import datetime

    since = datetime.fromtimestamp(member["since"]).astimezone().strftime("since %Y-%m-%d") if member["since"] else ""
    where = ", ".join(address["host"] for address in member["addresses"])
    return "  ".join(part for part in (member["name"], member["number"], member["id"], since, where) if part)


# Two cards that are a pair before they are first switched on.


def _offline(arguments: argparse.Namespace) -> int:
    """Write an identity into each of two state directories, and each one into the other's memory."""
    from contextlib import ExitStack

    from omafon.config import ConfigError
    from omafon.core.memory import Member
    from omafon.drivers.store import FileStore
    from omafon.identity import IdentityBroken, identity
    from omafon.interfaces import DriverError

    first, second = arguments.offline
    if first.resolve() == second.resolve():
        return complain("a phone is no family of its own", "Name two directories.", Exit.USAGE)
    try:
        with ExitStack() as stack:
            stores = []
            for directory in (first, second):
                store = FileStore(_complaining(directory), directory)
                store.open()
                stack.callback(store.close)
                stores.append(store)
            members = []
            for directory in (first, second):
                own, (name, number) = identity(directory), _called(directory)
                members.append(Member(own.id, name or own.id, number, own.fingerprint))
            for store, other in zip(stores, reversed(members), strict=True):
                store.keep(store.load().joined(other))
    except ConfigError as error:
        return complain(str(error), "", Exit.CONFIG)
    except DriverError as error:
        return complain(error.what, error.cure, Exit.FAILED)
    except (OSError, IdentityBroken) as error:
        return complain(f"the identity cannot be kept: {error}", "Name other directories.", Exit.FAILED)
    paired = [{"directory": str(d), "id": m.id, "name": m.name} for d, m in zip((first, second), members, strict=True)]
    _tell(arguments, paired, f"{members[0].name} and {members[1].name} are a family.")
    return Exit.DONE


def _called(directory: Path) -> tuple[str, str]:
    """Name and number of the phone whose `phone.toml` is in `directory`; empty where it says nothing."""
    from omafon.config import load, settings

    file = directory / "phone.toml"
    if not file.is_file():
        return "", ""
    known = settings(load(file))
    return known.name, known.number


def _complaining(directory: Path) -> Callable[[object], None]:
    def complain_of(event: object) -> None:
        print(f"omafon: {directory}: {event}", file=sys.stderr)

    return complain_of
