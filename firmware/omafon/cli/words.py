# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The words of the command line."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from omafon import __version__
from omafon.cli import asking, doctor, family, machine, own, provisioning, update
from omafon.cli.own import PAGE_PORT
from omafon.cli.places import BOOT, CONFIG, CONTROL, REQUESTS, STATE


def _port(word: str) -> int:
    if not (word.isascii() and word.isdigit() and int(word) <= 65535):
        raise argparse.ArgumentTypeError(f"{word} is not a port: 0 to 65535")
    return int(word)


def _seconds(word: str) -> float:
    if not (word.isascii() and word.isdigit() and 1 <= int(word) <= 86_400):
        raise argparse.ArgumentTypeError(f"{word} is no time: 1 to 86400 seconds")
    return float(word)


def _generation(word: str) -> int:
    if not (word.isascii() and word.isdigit() and len(word) <= 9):
        raise argparse.ArgumentTypeError(f"{word} is no generation: see omafon history")
    return int(word)


class Adds(Protocol):
    def __call__(
        self,
        name: str,
        command: Callable[[argparse.Namespace], int],
        about: str,
        /,
        *parents: argparse.ArgumentParser,
    ) -> argparse.ArgumentParser: ...


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="omafon",
        description="A desk telephone, and all that can be asked of it.",
        epilog="Exit codes: 0 done, 1 refused or failed, 2 usage, 69 no phone answers, 75 somebody else "
        "is changing the configuration, 78 it is wrong.",
    )
    parser.add_argument("--version", action="version", version=f"omafon {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def add(
        name: str, command: Callable[[argparse.Namespace], int], about: str, *parents: argparse.ArgumentParser
    ) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=about, description=f"{about[0].upper()}{about[1:]}.", parents=parents)
        added.set_defaults(command=command)
        return added

    control = argparse.ArgumentParser(add_help=False)
    control.add_argument(
        "--control", type=Path, default=CONTROL, metavar="SOCKET", help="the phone's control socket (%(default)s)"
    )
    facts = argparse.ArgumentParser(add_help=False)
    facts.add_argument("--json", action="store_true", help="for programs: one JSON value")

    run = add("run", own.run, "be the telephone, until stopped", control)
    run.add_argument("--config", type=Path, default=CONFIG, metavar="FILE", help="the owner's file (%(default)s)")
    run.add_argument(
        "--board", metavar="NAME|FILE", help="the hardware: 'virtual', or a file (the one in the configuration)"
    )
    run.add_argument("--state", type=Path, default=STATE, metavar="DIR", help="what the phone remembers (%(default)s)")
    run.add_argument("--record", type=Path, metavar="FILE", help="write down every event, for `omafon replay`")
    run.add_argument("--verbose", action="store_true", help="log what only a developer wants to know")

    sim = add("sim", own.sim, "two telephones on this machine that call each other, and a web page with both")
    sim.add_argument("--demo", action="store_true", help="play one whole call on this terminal, and end")
    sim.add_argument("--mouth", type=Path, metavar="WAV", help="what both say, instead of a tone each")
    sim.add_argument("--card", metavar="CARD", help="let the first speak and hear by a sound card of this machine")
    sim.add_argument("--port", type=_port, help=f"of the web page, on 127.0.0.1; 0 for any that is free ({PAGE_PORT})")

    add("panel", own.panel, "the handset in this terminal, also over SSH", control)
    add("status", asking.status, "what the phone is doing", control, facts)
    press = add("press", asking.press, "press keys as a person does", control, facts)
    press.add_argument(
        "keys",
        nargs="+",
        metavar="KEY",
        help="0-9 * # off-hook on-hook call end up down ok back vol+ vol- mute flash hold redial",
    )
    dial = add("dial", asking.dial, "call a number or a SIP address", control, facts)
    dial.add_argument("number", metavar="NUMBER")
    add("answer", asking.answer, "take the call that rings", control, facts)
    add("hangup", asking.hangup, "end the call, or refuse the one that rings", control, facts)
    screen = add("screen", asking.screen, "the display, as text", control, facts)
    screen.add_argument("--png", type=Path, metavar="FILE", help="as a picture, into FILE")
    add("events", asking.events, "what happens in the phone, one line each, until interrupted", control, facts)

    _family(add, control, facts)
    enum = add("enum", own.enum, "what ENUM says about a number; publish the own one", facts)
    enum.add_argument("--config", type=Path, default=CONFIG, metavar="FILE", help="whose [enum] counts (%(default)s)")
    enum.add_argument(
        "number",
        metavar="NUMBER|publish|unpublish",
        help="the number to look up; or put the own one into the zone of [enum.publish], or take it out",
    )
    enum.add_argument(
        "--dry-run", action="store_true", help="of publish and unpublish: show the update, do not send it"
    )
    enum.add_argument(
        "--tree", action="append", metavar="SUFFIX", help="where to look, as in e164.arpa; may be repeated"
    )
    enum.add_argument("--server", metavar="ADDR[:PORT]", help="the name server to ask, instead of the system's")

    check = add("check", own.check, "find every error in a configuration", facts)
    check.add_argument("file", type=Path, metavar="FILE|-")
    _changes(add, control, facts)
    _machine(add, control, facts)
    board = add("board", own.board, "check the file of a board, and tell how it is wired")
    board.add_argument("board", nargs="?", metavar="NAME|FILE", help="without it: the boards that come with Omafon")
    form = board.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="for programs: the whole profile")
    form.add_argument("--schema", action="store_true", help="the JSON schema of such files, for editors")
    form.add_argument("--wiring", action="store_true", help="the wiring, as a drawing (SVG)")
    form.add_argument("--overlay", action="store_true", help="its device-tree overlay, for dtc")
    form.add_argument("--boot", action="store_true", help="its lines of config.txt")
    sick = add("doctor", doctor.doctor, "what is wrong here, and what to do about it", control, facts)
    sick.add_argument("--config", type=Path, default=CONFIG, metavar="FILE", help="the owner's file (%(default)s)")
    sick.add_argument("--state", type=Path, default=STATE, metavar="DIR", help="what the phone keeps (%(default)s)")
    sick.add_argument(
        "--bundle",
        nargs="?",
        const=doctor.BUNDLE,
        metavar="FILE|-",
        help=f"write a file for a bug report, every secret taken out ({doctor.BUNDLE})",
    )
    hwtest = add("hwtest", own.hwtest, "find out with you, part by part, whether the hardware works", control)
    hwtest.add_argument("--board", metavar="NAME|FILE", help="the hardware (the one in the configuration)")
    hwtest.add_argument(
        "--config", type=Path, default=CONFIG, metavar="FILE", help="whose [audio] counts (%(default)s)"
    )
    report = Path("omafon-hwtest.json")
    hwtest.add_argument("--json", type=Path, default=report, metavar="FILE", help="the report (%(default)s)")
    reload = add("reload", asking.reload, "take the configuration as it is written now", control, facts)
    reload.add_argument("--now", action="store_true", help="also where that ends a call")
    replay = add("replay", own.replay, "play a recording through the telephone's core")
    replay.add_argument("file", type=Path, metavar="FILE")
    add("ssh", own.ssh, "do what a login over SSH asks for, if it may: for sshd's ForceCommand")
    return parser


def _machine(add: Adds, control: argparse.ArgumentParser, facts: argparse.ArgumentParser) -> None:
    """The words that set up the computer around the phone, most of them for its units."""
    place = argparse.ArgumentParser(add_help=False)
    place.add_argument("--config", type=Path, default=CONFIG, metavar="FILE", help="the phone's own (%(default)s)")
    place.add_argument("--root", type=Path, default=machine.ROOT, metavar="DIR", help="of the system (%(default)s)")
    first = add("first-boot", machine.first_boot, "take over what is on the boot partition", place, control, facts)
    first.add_argument(
        "--boot", type=Path, default=BOOT, metavar="DIR", help="where omafon.toml and authorized_keys are (%(default)s)"
    )
    about = "bring wireless networks and host name to what the configuration says"
    add("network-settle", machine.network_settle, about, place, facts)
    version = "install another version of the whole system; without a word: what runs, and how the last one went"
    renew = add("update", update.update, version, control, facts)
    renew.add_argument("bundle", nargs="?", metavar="FILE|URL|-", help="the signed bundle; - is standard input")
    renew.add_argument("--now", action="store_true", help="do not wait until nobody uses the phone")
    renew.add_argument("--install", action="store_true", help="for the system: write what was left there, as root")
    renew.add_argument("--judge", action="store_true", help="for the system: whether the slot that runs may stay")
    renew.add_argument("--requests", type=Path, default=REQUESTS, metavar="DIR", help=argparse.SUPPRESS)
    renew.add_argument("--root", type=Path, default=machine.ROOT, metavar="DIR", help="of the system (%(default)s)")
    reset = add("factory-reset", machine.factory_reset, "erase everything the owner has set up, and start anew", facts)
    reset.add_argument("--yes", action="store_true", help="do not ask")
    reset.add_argument("--requests", type=Path, default=REQUESTS, metavar="DIR", help=argparse.SUPPRESS)
    reset.add_argument("--now", action="store_true", help="for the system: do it, as root")
    reset.add_argument("--no-reboot", action="store_true", help="of --now: do not start the machine anew")
    reset.add_argument("--root", type=Path, default=machine.ROOT, metavar="DIR", help="of --now: of which system")


def _family(add: Adds, control: argparse.ArgumentParser, facts: argparse.ArgumentParser) -> None:
    """The words about the phones that know each other."""
    pair = add("pair", family.pair, "make this phone and another one in the same network a family", control, facts)
    how = pair.add_mutually_exclusive_group()
    how.add_argument("--yes", action="store_true", help="do not compare: only on a cable with nobody in between")
    how.add_argument(
        "--offline",
        nargs=2,
        type=Path,
        metavar="DIR",
        help="two state directories of phones that do not run yet; phone.toml in them tells names and numbers",
    )
    members = add("family", family.family, "who is in the family; take one out of it", control, facts)
    members.add_argument("words", nargs="*", metavar="remove NAME", help="a name, or an id where two have one name")


def _changes(add: Adds, control: argparse.ArgumentParser, facts: argparse.ArgumentParser) -> None:
    """The words that change the configuration."""
    config = argparse.ArgumentParser(add_help=False)
    config.add_argument(
        "--config", type=Path, default=CONFIG, metavar="FILE", help="the phone's own file (%(default)s)"
    )
    apply = add(
        "apply",
        provisioning.apply,
        "make a file the configuration of the phone; if it does harm, go back",
        config,
        control,
        facts,
    )
    apply.add_argument(
        "file", nargs="?", type=Path, default=Path("-"), metavar="FILE|-", help="the file; standard input if left out"
    )
    apply.add_argument(
        "--confirm-within",
        type=_seconds,
        metavar="SECONDS",
        help="go back unless `omafon confirm` is said in time, from another login",
    )
    apply.add_argument("--now", action="store_true", help="do not wait for the end of a call that it cuts off")
    apply.add_argument("--offline", action="store_true", help="for a phone that does not run yet: nobody is asked")
    add("confirm", provisioning.confirm, "keep what waits for its confirmation", config, control, facts)
    rollback = add("rollback", provisioning.rollback, "go back to an earlier configuration", config, control, facts)
    rollback.add_argument(
        "number", nargs="?", type=_generation, metavar="N", help="the generation; the one before if left out"
    )
    rollback.add_argument(
        "--unconfirmed", action="store_true", help="for the system: wait, and take back what nobody confirms"
    )
    rollback.add_argument("--at-boot", action="store_true", help="for the system: what waited when the power went")
    add("history", provisioning.history, "which configurations there were, and what became of them", config, facts)
    diff = add("diff", provisioning.diff, "what is different between two configurations", config, facts)
    diff.add_argument(
        "what",
        nargs="*",
        metavar="FILE|-|N",
        help="a file: what it would change; a generation: what has changed since; nothing: what was changed last",
    )
