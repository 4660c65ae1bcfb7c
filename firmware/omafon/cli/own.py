# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Commands that need no phone, or are one."""

import argparse
import sys
from typing import TYPE_CHECKING

from omafon.cli.outcome import Exit, complain, counted, print_json
from omafon.cli.places import CONFIG

if TYPE_CHECKING:
    from omafon.redact import Redactor

PAGE_PORT = 8080


def run(arguments: argparse.Namespace) -> int:
    from omafon import journal, redact
    from omafon.config import ConfigError
    from omafon.interfaces import DriverError
    from omafon.upkeep import image

    journal.hush_jack()
    redact.keep_out_of_core_files()
    hidden = redact.Redactor()
    try:
        with image.signals_held():
            with journal.to_stderr(verbose=arguments.verbose, hide=hidden.for_strangers):
                begins_anew = _live(arguments, hidden)
            if begins_anew:
                image.begin_anew()
    except ConfigError as error:
        print(error, file=sys.stderr)
        return Exit.CONFIG
    except DriverError as error:
        return complain(error.what, error.cure, Exit.FAILED)
    return Exit.DONE


def _live(arguments: argparse.Namespace, hidden: "Redactor") -> bool:
    """Be the telephone; True when the process is to begin anew. Raises ConfigError and DriverError.

    `hidden` learns every secret the phone comes to know.
    """
    from functools import partial

    from omafon import app, redact, wiring
    from omafon.upkeep import choosing, image
    from omafon.upkeep.configuration import Configuration, read_configuration, salvaged
    from omafon.upkeep.last_good import LastGood
    from omafon.upkeep.starts import Starts

    def read() -> Configuration:
        found = read_configuration(arguments.config, arguments.board, wiring.check)
        hidden.learn(redact.secrets_of(found.config))
        return found

    means = choosing.Means(read, Starts(arguments.control), LastGood(arguments.state, arguments.board))
    choice = choosing.choose(means, partial(salvaged, arguments.config, arguments.board))
    hidden.learn(redact.secrets_of(choice.configuration.config))
    board = choice.configuration.board
    drivers = wiring.safe(board) if choice.safe_mode else wiring.of(board)
    place = app.Place(arguments.state, arguments.control, arguments.record, go_on=image.goes_on(), hide=hidden)
    return app.run(choice, drivers, means, place)


def sim(arguments: argparse.Namespace) -> int:
    from omafon.sim import exchange

    if arguments.demo and (arguments.card is not None or arguments.port is not None):
        cure = "It plays in this terminal, by two virtual cards."
        return complain("--demo goes with neither --card nor --port", cure, Exit.USAGE)
    port = PAGE_PORT if arguments.port is None else arguments.port
    return exchange.run(demo=arguments.demo, mouth=arguments.mouth, card=arguments.card, port=port)


def check(arguments: argparse.Namespace) -> int:
    from omafon.board import load_board
    from omafon.cli import provisioning
    from omafon.config import ConfigError, Problem, exposed, load, parse

    sent = str(arguments.file) == provisioning.STANDARD_INPUT
    problems: tuple[Problem, ...] = ()
    warning: Problem | None = None
    try:
        config = parse(*provisioning.read(arguments.file)) if sent else load(arguments.file)
        load_board(config.phone.board)
        warning = None if sent else exposed(arguments.file)
    except ConfigError as error:
        problems = error.problems
    if arguments.json:
        told = [{"what": p.what, "cure": p.cure, "line": p.line, "key": p.key} for p in problems]
        warnings = [{"what": warning.what, "cure": warning.cure}] if warning else []
        print_json({"file": str(arguments.file), "good": not problems, "problems": told, "warnings": warnings})
    elif problems:
        print(*problems, sep="\n", file=sys.stderr)
        print(f"{counted(len(problems), 'error')}.", file=sys.stderr)
    else:
        if warning is not None:
            print(f"warning: {warning}", file=sys.stderr)
        print(f"{arguments.file}: no errors")
    return Exit.CONFIG if problems else Exit.DONE


def board(arguments: argparse.Namespace) -> int:
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

        print_json(msgspec.to_builtins(board))
    elif arguments.wiring:
        print(drawing(board), end="")
    elif arguments.overlay:
        print(overlay(board), end="")
    elif arguments.boot:
        print(config_txt(board), end="")
    else:
        print(table(board), end="")
    return Exit.DONE


def enum(arguments: argparse.Namespace) -> int:
    publishes = arguments.number in ("publish", "unpublish")
    if publishes and (arguments.tree or arguments.server):
        return complain(
            "--tree and --server are for looking up", "Where to publish stands in [enum.publish].", Exit.USAGE
        )
    if arguments.dry_run and not publishes:
        return complain("--dry-run is for publish and unpublish", "A look-up changes nothing.", Exit.USAGE)
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
        return complain(error.what, error.cure, Exit.CONFIG)
    except DriverError as error:
        return complain(error.what, error.cure, Exit.FAILED)
    if arguments.json:
        print_json(done.as_json())
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
            return complain(f"--tree {fault[0]}", fault[1], Exit.USAGE)
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
        return complain(error.what, error.cure, Exit.USAGE)
    if arguments.json:
        print_json(report.as_json())
    else:
        print(report.as_text())
    return Exit.DONE if report.found else Exit.FAILED


def hwtest(arguments: argparse.Namespace) -> int:
    import logging

    from omafon import journal
    from omafon.board import load_board
    from omafon.config import Config, ConfigError, load
    from omafon.drivers.sound.hush import alsa_hushed
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
        return complain(what, "Stop it for the time of the test.", Exit.FAILED)
    # What drivers and their libraries complain of, the test tells in its own words.
    logging.getLogger("omafon").addHandler(logging.NullHandler())
    journal.hush_jack()
    try:
        with alsa_hushed():
            works = course.run(board, config.audio, arguments.json)
    except OSError as error:
        return complain(f"{arguments.json} cannot be written: {error.strerror}", "Name another file.", Exit.FAILED)
    return Exit.DONE if works else Exit.FAILED


def replay(arguments: argparse.Namespace) -> int:
    from omafon.recording import RecordingError, replay

    try:
        for step in replay(arguments.file):
            print(step)
    except RecordingError as error:
        return complain(str(error), "Give a file that `omafon run --record` wrote.", Exit.FAILED)
    except OSError as error:
        return complain(f"{arguments.file} cannot be read: {error.strerror}", "Check its name.", Exit.FAILED)
    return Exit.DONE


def panel(arguments: argparse.Namespace) -> int:
    from omafon.sim.panel import run_panel

    return run_panel(arguments.control)


def ssh(_: argparse.Namespace) -> int:
    import os

    from omafon import login
    from omafon.cli import main

    return login.serve(os.environ, main)
