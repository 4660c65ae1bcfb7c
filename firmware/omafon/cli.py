# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Words become calls: the `omafon` command.

Each subcommand imports what it needs when it runs: `omafon status` is to answer at once, also on a small Pi.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from enum import IntEnum
from pathlib import Path
from typing import Any

from omafon import __version__
from omafon.client import Client, NoDaemon, Refused

CONFIG = Path("/etc/omafon/phone.toml")
STATE = Path("/var/lib/omafon")
CONTROL = Path("/run/omafon/control")
PAGE_PORT = 8080


class Exit(IntEnum):
    """What the shell is told; 69 and 78 are those of sysexits.h."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NO_DAEMON = 69
    CONFIG = 78


def main(words: Sequence[str] | None = None) -> int:
    """Run the command line `words`; the exit code."""
    arguments = _parser().parse_args(words)
    command: Callable[[argparse.Namespace], int] = arguments.command
    try:
        code = command(arguments)
        sys.stdout.flush()
    except NoDaemon as error:
        return _complain(str(error), error.cure, Exit.NO_DAEMON)
    except Refused as error:
        return _complain(error.what, error.cure, Exit.FAILED)
    except BrokenPipeError:
        # The reader of a pipe has seen enough. What is still in the buffer must not raise again at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.DONE
    except KeyboardInterrupt:
        return Exit.DONE
    return code


# Commands that need no phone, or are one.


def _run(arguments: argparse.Namespace) -> int:
    from msgspec.structs import replace

    from omafon import app, journal, wiring
    from omafon.board import load_board
    from omafon.config import ConfigError, load
    from omafon.interfaces import DriverError

    try:
        config = load(arguments.config)
        if arguments.board is not None:
            config = replace(config, phone=replace(config.phone, board=arguments.board))
        board = load_board(config.phone.board)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return Exit.CONFIG
    journal.hush_jack()
    try:
        with journal.to_stderr(verbose=arguments.verbose):
            app.run(config, wiring.of(board), arguments.state, arguments.control, arguments.record)
    except DriverError as error:
        return _complain(error.what, error.cure, Exit.FAILED)
    return Exit.DONE


def _sim(arguments: argparse.Namespace) -> int:
    from omafon.sim import exchange

    if arguments.demo and (arguments.card is not None or arguments.port is not None):
        cure = "It plays in this terminal, by two virtual cards."
        return _complain("--demo goes with neither --card nor --port", cure, Exit.USAGE)
    port = PAGE_PORT if arguments.port is None else arguments.port
    return exchange.run(demo=arguments.demo, mouth=arguments.mouth, card=arguments.card, port=port)


def _check(arguments: argparse.Namespace) -> int:
    from omafon.board import load_board
    from omafon.config import ConfigError, Problem, exposed, load

    problems: tuple[Problem, ...] = ()
    warning: Problem | None = None
    try:
        load_board(load(arguments.file).phone.board)
        warning = exposed(arguments.file)
    except ConfigError as error:
        problems = error.problems
    if arguments.json:
        told = [{"what": p.what, "cure": p.cure, "line": p.line, "key": p.key} for p in problems]
        warnings = [{"what": warning.what, "cure": warning.cure}] if warning else []
        _print_json({"file": str(arguments.file), "good": not problems, "problems": told, "warnings": warnings})
    elif problems:
        print(*problems, sep="\n", file=sys.stderr)
        print(f"{_counted(len(problems), 'error')}.", file=sys.stderr)
    else:
        if warning is not None:
            print(f"warning: {warning}", file=sys.stderr)
        print(f"{arguments.file}: no errors")
    return Exit.CONFIG if problems else Exit.DONE


def _board(arguments: argparse.Namespace) -> int:
    from omafon.board import board_names, load_board, schema
    from omafon.board.boot import config_txt, overlay
    from omafon.board.diagram import drawing
    from omafon.board.wires import table
    from omafon.config import ConfigError

    if arguments.schema:
        print(schema(), end="")
        return Exit.DONE
    if arguments.board is None:
        print(*board_names(), sep="\n")
        return Exit.DONE
    try:
        board = load_board(arguments.board)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return Exit.CONFIG
    if arguments.json:
        import msgspec

        _print_json(msgspec.to_builtins(board))
    elif arguments.wiring:
        print(drawing(board), end="")
    elif arguments.overlay:
        print(overlay(board), end="")
    elif arguments.boot:
        print(config_txt(board), end="")
    else:
        print(table(board), end="")
    return Exit.DONE


def _enum(arguments: argparse.Namespace) -> int:
    publishes = arguments.number in ("publish", "unpublish")
    if publishes and (arguments.tree or arguments.server):
        return _complain(
            "--tree and --server are for looking up", "Where to publish stands in [enum.publish].", Exit.USAGE
        )
    if arguments.dry_run and not publishes:
        return _complain("--dry-run is for publish and unpublish", "A look-up changes nothing.", Exit.USAGE)
    return _publication(arguments) if publishes else _look_up(arguments)


def _publication(arguments: argparse.Namespace) -> int:
    from omafon.config import ConfigError, load
    from omafon.enum_publication import NotConfigured, publish, unpublish
    from omafon.interfaces import DriverError

    try:
        act = publish if arguments.number == "publish" else unpublish
        config = load(arguments.config)
        done = act(config, lambda words: print(f"omafon: {words}", file=sys.stderr), dry_run=arguments.dry_run)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return Exit.CONFIG
    except NotConfigured as error:
        return _complain(error.what, error.cure, Exit.CONFIG)
    except DriverError as error:
        return _complain(error.what, error.cure, Exit.FAILED)
    if arguments.json:
        _print_json(done.as_json())
    else:
        print(done.as_text())
    return Exit.DONE


def _look_up(arguments: argparse.Namespace) -> int:
    from msgspec.structs import replace

    from omafon.config import Config, ConfigError, load, rules
    from omafon.enum_report import look_up
    from omafon.interfaces import DriverError

    for tree in arguments.tree or ():
        if fault := rules.tree(tree):
            return _complain(f"--tree {fault[0]}", fault[1], Exit.USAGE)
    try:
        # A phone without a file of its own asks as one with an empty file does; a file that was named must be there.
        unwritten = arguments.config == CONFIG and not CONFIG.exists()
        config = Config() if unwritten else load(arguments.config)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return Exit.CONFIG
    enum, phone = config.enum, config.phone
    if arguments.tree:
        enum = replace(enum, trees=tuple(arguments.tree))
    if arguments.server:
        enum = replace(enum, servers=(arguments.server,))
    try:
        report = look_up(arguments.number, enum, country=phone.country, area=phone.area)
    except DriverError as error:
        return _complain(error.what, error.cure, Exit.USAGE)
    if arguments.json:
        _print_json(report.as_json())
    else:
        print(report.as_text())
    return Exit.DONE if report.found else Exit.FAILED


def _doctor(arguments: argparse.Namespace) -> int:
    from omafon import doctor

    findings = []
    for finding in doctor.examine(arguments.control, doctor.Machine(config=arguments.config)):
        findings.append(finding)
        if not arguments.json:
            print(finding, flush=True)
    if arguments.json:
        _print_json({"findings": [finding.plain() for finding in findings]})
    return Exit.FAILED if any(finding.verdict is doctor.Verdict.WRONG for finding in findings) else Exit.DONE


def _hwtest(arguments: argparse.Namespace) -> int:
    import logging

    from omafon.board import load_board
    from omafon.config import Config, ConfigError, load
    from omafon.hwtest import course, owner

    try:
        # Before the owner's file is written there is a board to be tested already.
        unwritten = arguments.config == CONFIG and not CONFIG.exists()
        config = Config() if unwritten else load(arguments.config)
        board = load_board(arguments.board or config.phone.board)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return Exit.CONFIG
    if running := owner.phone_at(arguments.control):
        what = f"a telephone has the pins and the cards: {running}, at {arguments.control}"
        return _complain(what, "Stop it for the time of the test.", Exit.FAILED)
    # What drivers log, the test tells in its own words.
    logging.getLogger("omafon").addHandler(logging.NullHandler())
    try:
        works = course.run(board, config.audio, arguments.json)
    except OSError as error:
        return _complain(f"{arguments.json} cannot be written: {error.strerror}", "Name another file.", Exit.FAILED)
    return Exit.DONE if works else Exit.FAILED


def _replay(arguments: argparse.Namespace) -> int:
    from omafon.recording import RecordingError, replay

    try:
        for step in replay(arguments.file):
            print(step)
    except RecordingError as error:
        return _complain(str(error), "Give a file that `omafon run --record` wrote.", Exit.FAILED)
    except OSError as error:
        return _complain(f"{arguments.file} cannot be read: {error.strerror}", "Check its name.", Exit.FAILED)
    return Exit.DONE


def _panel(arguments: argparse.Namespace) -> int:
    from omafon.sim.panel import run_panel

    return run_panel(arguments.control)


# Commands that ask a running phone.


def _status(arguments: argparse.Namespace) -> int:
    with Client(arguments.control) as phone:
        status = phone.ask("status")
    if arguments.json:
        _print_json(status)
    else:
        print("\n".join(_status_lines(status)))
    return Exit.DONE


def _press(arguments: argparse.Namespace) -> int:
    return _do(arguments, "press", keys=arguments.keys)


def _dial(arguments: argparse.Namespace) -> int:
    with Client(arguments.control) as phone:
        result = phone.ask("dial", number=arguments.number)
        rows = phone.ask("screen")["rows"] if result["mode"] == "failed" else []
    _print_outcome(arguments, result)
    if not rows:
        return Exit.DONE
    # Under the heading the screen says why, and what to do.
    why, *_, cure = [row for row in rows[1:] if row] or [""]
    return _complain(why, cure if cure != why else "", Exit.FAILED)


def _answer(arguments: argparse.Namespace) -> int:
    return _do(arguments, "answer")


def _hangup(arguments: argparse.Namespace) -> int:
    return _do(arguments, "hangup")


def _do(arguments: argparse.Namespace, method: str, **params: object) -> int:
    with Client(arguments.control) as phone:
        _print_outcome(arguments, phone.ask(method, **params))
    return Exit.DONE


def _print_outcome(arguments: argparse.Namespace, result: dict[str, Any]) -> None:
    if arguments.json:
        _print_json(result)
    else:
        print(f"{result['hook']}-hook, {_MODES.get(result['mode'], result['mode'])}")


def _screen(arguments: argparse.Namespace) -> int:
    with Client(arguments.control) as phone:
        screen = phone.ask("screen")
    if arguments.json:
        _print_json(screen)
        return Exit.DONE
    import base64

    from PIL import Image

    from omafon import render

    frame = Image.frombytes("1", (screen["width"], screen["height"]), base64.b64decode(screen["frame"]))
    if arguments.png is None:
        wide = os.get_terminal_size().columns >= frame.width if sys.stdout.isatty() else True
        print(render.half_blocks(frame) if wide else render.quadrants(frame))
        return Exit.DONE
    try:
        render.picture(frame).save(arguments.png, format="png")
    except OSError as error:
        return _complain(f"{arguments.png} cannot be written: {error.strerror}", "Name another file.", Exit.FAILED)
    return Exit.DONE


def _events(arguments: argparse.Namespace) -> int:
    with Client(arguments.control) as phone:
        for event in phone.events():
            if event.get("event") != "errand":
                continue
            # Flushed at once: who watches wants to see it now, also through a pipe.
            print(json.dumps(event, ensure_ascii=False) if arguments.json else _errand_line(event), flush=True)
    return Exit.DONE


# How it is told.

_MODES = {
    "idle": "idle",
    "dialing": "dialling",
    "resolving": "looking up",
    "calling": "calling",
    "ringing": "ringing",
    "in_call": "in a call",
    "held": "held",
    "failed": "failed",
    "menu": "menu",
}


def _status_lines(status: dict[str, Any]) -> list[str]:
    name = status.get("name") or "Telephone"
    lines = [f"{name}: {status['hook']}-hook, {_MODES.get(status['mode'], status['mode'])}", ""]
    lines += [f"  │{row:<21}│" for row in status["screen"]]
    lines.append("")
    for line in status["lines"]:
        state = "registered" if line["registered"] else f"not registered ({_reason(line)})"
        lines.append(f"  line      {line['name']}: {state}, {line['aor']}")
    for call in status["calls"]:
        lines.append(f"  call      {_call_line(call)}")
    volume = status["volume"]
    lines.append(f"  volume    handset {volume['handset']} %, ringer {volume['ringer']} %")
    news = [_counted(status["missed"], "missed call"), _counted(status["messages"], "message")]
    lines.append(f"  news      {', '.join(news)}")
    lines += [f"  trouble   {driver}: {state}" for driver, state in status["drivers"].items() if state != "ok"]
    lines.append(f"  version   omafon {status['version']}")
    return lines


def _reason(line: dict[str, Any]) -> str:
    return " ".join(str(word) for word in (line["status"], line["reason"]) if word) or "not asked yet"


def _call_line(call: dict[str, Any]) -> str:
    who = call["name"] or call["number"] or call["uri"]
    parts = ["to" if call["direction"] == "out" else "from", who, f"({_MODES.get(call['state'], call['state'])},"]
    if call["duration_s"]:
        minutes, seconds = divmod(int(call["duration_s"]), 60)
        parts.append(f"{minutes}:{seconds:02},")
    parts.append(f"{call['route']},")
    if call["codec"]:
        parts.append(f"{call['codec']},")
    parts.append("private)" if call["srtp"] and call["tls"] else "not encrypted)")
    return " ".join(parts)


def _errand_line(errand: dict[str, Any]) -> str:
    from datetime import datetime

    at = datetime.fromtimestamp(errand["at"]).astimezone().strftime("%H:%M:%S.%f")[:-3]
    actions = f" → {', '.join(errand['actions'])}" if errand["actions"] else ""
    return f"{at}  {errand['what']}{actions}"


def _counted(count: int, thing: str) -> str:
    """
    >>> _counted(1, "message"), _counted(0, "message"), _counted(2, "message")
    ('1 message', 'no messages', '2 messages')
    """
    return f"{count or 'no'} {thing}{'' if count == 1 else 's'}"


def _print_json(value: object) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2 if sys.stdout.isatty() else None))


def _complain(what: str, cure: str, code: Exit) -> int:
    print(f"omafon: {what}" + (f"\n  {cure}" if cure else ""), file=sys.stderr)
    return code


# The words.


def _port(word: str) -> int:
    if not (word.isascii() and word.isdigit() and int(word) <= 65535):
        raise argparse.ArgumentTypeError(f"{word} is not a port: 0 to 65535")
    return int(word)


def _parser() -> argparse.ArgumentParser:
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

    run = add("run", _run, "be the telephone, until stopped", control)
    run.add_argument("--config", type=Path, default=CONFIG, metavar="FILE", help="the owner's file (%(default)s)")
    run.add_argument(
        "--board", metavar="NAME|FILE", help="the hardware: 'virtual', or a file (the one in the configuration)"
    )
    run.add_argument("--state", type=Path, default=STATE, metavar="DIR", help="what the phone remembers (%(default)s)")
    run.add_argument("--record", type=Path, metavar="FILE", help="write down every event, for `omafon replay`")
    run.add_argument("--verbose", action="store_true", help="log what only a developer wants to know")

    sim = add("sim", _sim, "two telephones on this machine that call each other, and a web page with both")
    sim.add_argument("--demo", action="store_true", help="play one whole call on this terminal, and end")
    sim.add_argument("--mouth", type=Path, metavar="WAV", help="what both say, instead of a tone each")
    sim.add_argument("--card", metavar="CARD", help="let the first speak and hear by a sound card of this machine")
    sim.add_argument("--port", type=_port, help=f"of the web page, on 127.0.0.1; 0 for any that is free ({PAGE_PORT})")

    add("panel", _panel, "the handset in this terminal, also over SSH", control)
    add("status", _status, "what the phone is doing", control, facts)
    press = add("press", _press, "press keys as a person does", control, facts)
    press.add_argument(
        "keys",
        nargs="+",
        metavar="KEY",
        help="0-9 * # off-hook on-hook call end up down ok back vol+ vol- mute flash hold redial",
    )
    dial = add("dial", _dial, "call a number or a SIP address", control, facts)
    dial.add_argument("number", metavar="NUMBER")
    add("answer", _answer, "take the call that rings", control, facts)
    add("hangup", _hangup, "end the call, or refuse the one that rings", control, facts)
    screen = add("screen", _screen, "the display, as text", control, facts)
    screen.add_argument("--png", type=Path, metavar="FILE", help="as a picture, into FILE")
    add("events", _events, "what happens in the phone, one line each, until interrupted", control, facts)

    enum = add("enum", _enum, "what ENUM says about a number; publish the own one", facts)
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

    check = add("check", _check, "find every error in a configuration", facts)
    check.add_argument("file", type=Path, metavar="FILE")
    board = add("board", _board, "check the file of a board, and tell how it is wired")
    board.add_argument("board", nargs="?", metavar="NAME|FILE", help="without it: the boards that come with Omafon")
    form = board.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="for programs: the whole profile")
    form.add_argument("--schema", action="store_true", help="the JSON schema of such files, for editors")
    form.add_argument("--wiring", action="store_true", help="the wiring, as a drawing (SVG)")
    form.add_argument("--overlay", action="store_true", help="its device-tree overlay, for dtc")
    form.add_argument("--boot", action="store_true", help="its lines of config.txt")
    sick = add("doctor", _doctor, "what is wrong here, and what to do about it", control, facts)
    sick.add_argument("--config", type=Path, default=CONFIG, metavar="FILE", help="the owner's file (%(default)s)")
    hwtest = add("hwtest", _hwtest, "find out with you, part by part, whether the hardware works", control)
    hwtest.add_argument("--board", metavar="NAME|FILE", help="the hardware (the one in the configuration)")
    hwtest.add_argument(
        "--config", type=Path, default=CONFIG, metavar="FILE", help="whose [audio] counts (%(default)s)"
    )
    report = Path("omafon-hwtest.json")
    hwtest.add_argument("--json", type=Path, default=report, metavar="FILE", help="the report (%(default)s)")
    replay = add("replay", _replay, "play a recording through the telephone's core")
    replay.add_argument("file", type=Path, metavar="FILE")
    return parser


if __name__ == "__main__":
    sys.exit(main())
