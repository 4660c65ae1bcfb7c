# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Commands that set up the computer around the phone, and the one that undoes everything."""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from omafon.cli.outcome import Exit, complain, print_json

if TYPE_CHECKING:
    from omafon.machine.first_boot import Surroundings

ROOT = Path("/")


class _Told(Protocol):
    def as_json(self) -> dict[str, object]: ...
    def as_text(self) -> str: ...


def first_boot(arguments: argparse.Namespace) -> int:
    from omafon.machine import first_boot

    try:
        result = first_boot.take(_surroundings(arguments))
    except OSError as error:
        cure = "Is the boot partition there, and can it be written to?"
        return complain(f"{error.filename or arguments.boot}: {error.strerror or error}", cure, Exit.FAILED)
    if result is None:
        print_json({"files": []}) if arguments.json else print(f"nothing new in {arguments.boot}")
        return Exit.DONE
    _print(arguments, result)
    return Exit.DONE if result.good else Exit.BUSY if result.put_off else Exit.FAILED


def _surroundings(arguments: argparse.Namespace) -> "Surroundings":
    from omafon.config import ConfigError
    from omafon.drivers.network import source_addresses
    from omafon.machine import host_name
    from omafon.machine.card import Card
    from omafon.machine.first_boot import Following, Surroundings
    from omafon.machine.network_settle import settle_file
    from omafon.programs import run
    from omafon.provision.generations import Generations
    from omafon.provision.health import greets, ssh_address
    from omafon.provision.session import Session
    from omafon.provision.transaction import Transaction
    from omafon.provision.world import SystemClock, World

    clock, phone, root = SystemClock(), _Phone(arguments.control), arguments.root

    def settle() -> None:
        # By the unit that may touch the radio, where it is installed; what it did not see yet, it is to see now.
        by_unit = run(["systemctl", "restart", "omafon-network.service"]) if root == ROOT else None
        if by_unit is not None and by_unit.good:
            return
        try:
            for trouble in settle_file(arguments.config, root).troubles:
                _say(trouble)
        except (ConfigError, OSError) as error:
            # The unit is on the way as well; and a network that fails shows when the lines do.
            _say(f"the networks are not as they shall be: {error}")

    following = Following(phone, settle, source_addresses, clock)
    address = ssh_address()
    # Nobody waits for a confirmation here, so nobody need watch that it comes.
    world = World(following, clock, Session("the card"), lambda: greets(address), lambda: None, _say)
    return Surroundings(
        card=Card(arguments.boot),
        config=arguments.config,
        host_keys=root / "etc/ssh",
        phone=phone,
        transaction=Transaction(Generations(arguments.config), world),
        settle=settle,
        addresses=source_addresses,
        host=lambda: host_name.current(root),
        clock=clock,
        say=_say,
    )


class _Phone:
    """The phone whose control socket is at `path`; each question is a connection of its own."""

    def __init__(self, path: Path) -> None:
        from omafon.provision.world import PhoneAt

        self._path = path
        self._asked = PhoneAt(path)
        self.status = self._asked.status
        self.reload = self._asked.reload

    def notice(self, rows: list[str]) -> None:
        from omafon.client import Client

        with Client(self._path) as phone:
            phone.ask("notice", rows=rows)


def network_settle(arguments: argparse.Namespace) -> int:
    from omafon.config import ConfigError
    from omafon.machine.network_settle import settle_file

    try:
        settled = settle_file(arguments.config, arguments.root)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return Exit.CONFIG
    except OSError as error:
        return complain(f"{error.filename}: {error.strerror or error}", "Run it as root.", Exit.FAILED)
    _print(arguments, settled)
    return Exit.FAILED if settled.troubles else Exit.DONE


def factory_reset(arguments: argparse.Namespace) -> int:
    if not arguments.now:
        return _ask_for_reset(arguments)
    from omafon.machine import factory_reset

    if arguments.root == ROOT and os.geteuid() != 0:
        return complain("only root may erase everything", "Without --now the system does it for you.", Exit.FAILED)
    try:
        forgotten = factory_reset.reset(arguments.root, _say)
    except OSError as error:
        cure = "It goes on from the beginning when it is run again."
        return complain(f"{error.filename}: {error.strerror or error}", cure, Exit.FAILED)
    _print(arguments, forgotten)
    if not forgotten.good:
        return complain("not everything was forgotten", "Run it again; or write the card anew.", Exit.FAILED)
    if arguments.root == ROOT and not arguments.no_reboot:
        factory_reset.restart()
    return Exit.DONE


def _ask_for_reset(arguments: argparse.Namespace) -> int:
    from omafon.drivers.requests import FACTORY_RESET, ask
    from omafon.interfaces import DriverError

    if not arguments.yes:
        if not sys.stdin.isatty():
            return complain("a factory reset erases everything", "If you mean it, say --yes.", Exit.USAGE)
        print("This erases lines, passwords, phone book, calls, networks and keys, also the one you log in with.")
        print("Whoever sets the phone up again needs its memory card. Type RESET to go on: ", end="", flush=True)
        if sys.stdin.readline().strip() != "RESET":
            return complain("nothing was erased", "", Exit.FAILED)
    try:
        ask(FACTORY_RESET, arguments.requests)
    except DriverError as error:
        return complain(error.what, error.cure, Exit.FAILED)
    if arguments.json:
        print_json({"requested": True})
    else:
        print("The phone erases everything now, and starts anew.")
    return Exit.DONE


def _print(arguments: argparse.Namespace, told: _Told) -> None:
    if arguments.json:
        print_json(told.as_json())
    else:
        print(told.as_text().rstrip("\n"))


def _say(words: str) -> None:
    print(f"omafon: {words}", file=sys.stderr, flush=True)
