# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The words of the command line."""

import argparse
from collections.abc import Callable
from pathlib import Path

from omafon import __version__
from omafon.cli import asking, own
from omafon.cli.own import PAGE_PORT
from omafon.cli.places import CONFIG, CONTROL, STATE


def _port(word: str) -> int:
    if not (word.isascii() and word.isdigit() and int(word) <= 65535):
        raise argparse.ArgumentTypeError(f"{word} is not a port: 0 to 65535")
    return int(word)


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="omafon",
        description="A desk telephone, and all that can be asked of it.",
        epilog="Exit codes: 0 done, 1 refused or failed, 2 usage, 69 no phone answers, 78 the configuration is wrong.",
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
    check.add_argument("file", type=Path, metavar="FILE")
    board = add("board", own.board, "check the file of a board, and tell how it is wired")
    board.add_argument("board", nargs="?", metavar="NAME|FILE", help="without it: the boards that come with Omafon")
    form = board.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="for programs: the whole profile")
    form.add_argument("--schema", action="store_true", help="the JSON schema of such files, for editors")
    form.add_argument("--wiring", action="store_true", help="the wiring, as a drawing (SVG)")
    form.add_argument("--overlay", action="store_true", help="its device-tree overlay, for dtc")
    form.add_argument("--boot", action="store_true", help="its lines of config.txt")
    sick = add("doctor", own.doctor, "what is wrong here, and what to do about it", control, facts)
    sick.add_argument("--config", type=Path, default=CONFIG, metavar="FILE", help="the owner's file (%(default)s)")
    hwtest = add("hwtest", own.hwtest, "find out with you, part by part, whether the hardware works", control)
    hwtest.add_argument("--board", metavar="NAME|FILE", help="the hardware (the one in the configuration)")
    hwtest.add_argument(
        "--config", type=Path, default=CONFIG, metavar="FILE", help="whose [audio] counts (%(default)s)"
    )
    report = Path("omafon-hwtest.json")
    hwtest.add_argument("--json", type=Path, default=report, metavar="FILE", help="the report (%(default)s)")
    replay = add("replay", own.replay, "play a recording through the telephone's core")
    replay.add_argument("file", type=Path, metavar="FILE")
    return parser
