# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""`omafon update`: sends another version to the phone, and what the system does with it."""

import argparse
import sys
import time
from typing import TYPE_CHECKING

from omafon.cli.outcome import Exit, complain, print_json

if TYPE_CHECKING:
    from omafon.update.record import Record, Told
    from omafon.update.version import Version

TAKEN_WITHIN_S = 60.0
"""A small Pi that is busy takes some seconds to start a unit; an emulated one twenty."""
LOOK_EVERY_S = 0.2

_STAGES = {
    "examining": "handed over: it goes on also without you",
    "waiting": "it waits until nobody uses the phone (--now would not)",
    "installing": "writing",
    "restarting": "the phone starts anew with it, and goes back by itself if it is not as well as before",
    "judging": "it runs, and shows whether all is as it was",
    "good": "is good and stays",
    "back": "is left again",
    "failed": "was not installed",
}


def update(arguments: argparse.Namespace) -> int:
    from omafon.update.bundle import BundleRefused
    from omafon.update.version import running

    try:
        runs = running(arguments.root)
    except (OSError, ValueError):
        cure = "Only a memory card made by image-build has two slots. Here: your package manager."
        return complain("this system cannot be updated so", cure, Exit.FAILED)
    try:
        if arguments.judge:
            return _judge(arguments)
        if arguments.install:
            return _install(arguments, runs)
        return _tell(arguments, runs) if arguments.bundle is None else _send(arguments, runs)
    except BundleRefused as error:
        return complain(error.what, error.cure, Exit.FAILED)
    except OSError as error:
        return complain(f"{error.filename or 'the disk'}: {error.strerror or error}", "", Exit.FAILED)


def _tell(arguments: argparse.Namespace, runs: "Version") -> int:
    from omafon.update.record import Record

    record = Record(arguments.root)
    last, pending = record.last(), record.pending()
    if arguments.json:
        under_way = pending and {"version": pending.version, "written": pending.written}
        print_json({"runs": str(runs), "last": last and last.as_json(), "pending": under_way})
        return Exit.DONE
    print(f"omafon {runs}")
    if pending is not None:
        print(f"  {pending.version} is {'written and not yet judged' if pending.written else 'being written'}")
    if last is not None:
        print(f"  {last.version or 'the last bundle'} {_STAGES.get(last.stage, last.stage)}")
        print("".join(f"    {words}\n" for words in (last.why, last.cure) if words), end="")
    return Exit.DONE


def _send(arguments: argparse.Namespace, runs: "Version") -> int:
    from omafon.drivers.requests import UPDATE, UPDATE_NOW, ask
    from omafon.interfaces import DriverError
    from omafon.update.bundle import BundleRefused, Rauc, examine
    from omafon.update.receiving import Busy, received
    from omafon.update.record import Record

    record, terminal = Record(arguments.root), _Terminal(quiet=arguments.json)
    try:
        with received(arguments.bundle, record, terminal.receives) as file:
            terminal.line("looking whether it may be installed")
            version = examine(file, runs, Rauc())
            terminal.line(f"{version} follows {runs}")
            before = record.told()
            # What an earlier one said last is no answer.
            ask(UPDATE_NOW if arguments.now else UPDATE, arguments.requests)
            told = _follow(record, before, terminal)
    except BundleRefused as refusal:
        if refusal.same:
            print_json({"outcome": "unchanged", "runs": str(runs)}) if arguments.json else print(refusal.what)
            return Exit.DONE
        return _refused(arguments, runs, refusal.what, refusal.cure)
    except DriverError as error:
        return _refused(arguments, runs, error.what, error.cure)
    except Busy:
        return complain("somebody else is sending an update", "Wait until that is through.", Exit.BUSY)
    if told is None:
        return _refused(arguments, runs, "the system does not take the request", "systemctl status omafon-update.path")
    if told.stage == "failed":
        return _refused(arguments, runs, told.why, told.cure)
    if arguments.json:
        print_json({"outcome": told.stage, "version": told.version, "runs": str(runs)})
    return Exit.DONE


def _refused(arguments: argparse.Namespace, runs: "Version", what: str, cure: str) -> int:
    if arguments.json:
        print_json({"outcome": "failed", "what": what, "cure": cure, "runs": str(runs)})
        return Exit.FAILED
    return complain(what, cure, Exit.FAILED)


def _follow(record: "Record", before: "Told | None", terminal: "_Terminal") -> "Told | None":
    """What root told last, every step of it shown; None when it told nothing."""
    patience = time.monotonic() + TAKEN_WITHIN_S
    seen = before
    while True:
        told = record.told()
        if told is not None and told != seen:
            seen = told
            terminal.stage(told)
            if told.stage in ("failed", "restarting"):
                return told
        if seen == before and time.monotonic() > patience:
            return None
        time.sleep(LOOK_EVERY_S)


def _install(arguments: argparse.Namespace, runs: "Version") -> int:
    from omafon.drivers.requests import UPDATE, UPDATE_NOW
    from omafon.update.installing import install
    from omafon.update.world import system

    asked = [name for name in (UPDATE, UPDATE_NOW) if (arguments.requests / name).exists()]
    for name in asked:
        (arguments.requests / name).unlink(missing_ok=True)
    world = system(arguments.control, arguments.root, _say)
    told = install(world, runs, now=arguments.now or UPDATE_NOW in asked)
    if arguments.json:
        print_json(told.as_json())
    # A bundle that is refused is no fault of the unit's.
    return Exit.DONE


def _judge(arguments: argparse.Namespace) -> int:
    from omafon.update.judging import judge
    from omafon.update.world import system

    judgement = judge(system(arguments.control, arguments.root, _say))
    print_json(judgement.as_json()) if arguments.json else print(judgement.as_text())
    # Also a version that is left was judged: the machine starts anew by itself.
    return Exit.DONE


class _Terminal:
    """How far it is: one line that is written over where a person looks, otherwise a line now and then."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._over = sys.stderr.isatty()
        self._shown = ""
        self._tenth = -1

    def receives(self, come: int, size: int | None) -> None:
        percent = 100 * come // size if size else None
        far = f"{percent} %" if percent is not None else f"{come >> 20} MB"
        self._counted("receiving", far, (percent or come >> 20) // 10)

    def stage(self, told: "Told") -> None:
        if told.stage == "installing":
            self._counted("writing", f"{told.percent} %", told.percent // 10)
        elif told.stage != "failed":
            self.line(_STAGES.get(told.stage, told.stage))

    def line(self, words: str) -> None:
        self._end()
        if not self._quiet:
            print(words, file=sys.stderr, flush=True)

    def _counted(self, what: str, far: str, tenth: int) -> None:
        text = f"{what} {far}"
        if self._quiet or text == self._shown:
            return
        if self._over:
            print(f"\r{text:<24}", end="", file=sys.stderr, flush=True)
        elif tenth != self._tenth:
            print(text, file=sys.stderr, flush=True)
        self._shown, self._tenth = text, tenth

    def _end(self) -> None:
        if self._shown and self._over and not self._quiet:
            print(file=sys.stderr)
        self._shown, self._tenth = "", -1


def _say(words: str) -> None:
    print(f"omafon: {words}", file=sys.stderr, flush=True)
