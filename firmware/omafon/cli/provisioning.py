# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Commands that change the configuration, and tell how it was changed."""

import argparse
import errno
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from omafon.cli.outcome import Exit, complain, counted, print_json
from omafon.client import NoDaemon

if TYPE_CHECKING:
    from omafon.provision.generations import Generations, Meta
    from omafon.provision.report import Report
    from omafon.provision.secrets import Parted
    from omafon.provision.transaction import Transaction
    from omafon.provision.waiting import Waiting

STANDARD_INPUT = "-"

_NOT_YOURS = "Do it as the user who owns the configuration."
_DISK_CURES = {
    errno.EACCES: _NOT_YOURS,
    errno.EPERM: _NOT_YOURS,
    errno.ENOSPC: "Nothing more fits on the disk: make room, and do it again. omafon doctor says how much is left.",
    errno.EROFS: "Linux writes no more to this disk; it may be failing. omafon doctor says more.",
    errno.EIO: "The disk fails: write a new card, and apply the same file to it.",
}


def apply(arguments: argparse.Namespace) -> int:
    def changed() -> "Report":
        text, name = read(arguments.file)
        return _transaction(arguments).apply(
            text, name, confirm_within_s=arguments.confirm_within, now=arguments.now, offline=arguments.offline
        )

    # Who hangs up does not stop it half-way: it goes on, and tells nobody. Who ends it gets the old one back.
    before = {number: signal.getsignal(number) for number in (signal.SIGHUP, signal.SIGTERM)}
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return _told(arguments, changed)
    finally:
        for number, how in before.items():
            signal.signal(number, how)


def confirm(arguments: argparse.Namespace) -> int:
    return _told(arguments, lambda: _transaction(arguments).confirm())


def rollback(arguments: argparse.Namespace) -> int:
    if arguments.at_boot and not arguments.unconfirmed:
        return complain("--at-boot goes with --unconfirmed", "It is for the system, at its start.", Exit.USAGE)
    if arguments.unconfirmed and arguments.number is not None:
        return complain("--unconfirmed goes back to what was before", "Leave the number out.", Exit.USAGE)
    if arguments.at_boot:
        return _told(arguments, lambda: _transaction(arguments).roll_back_at_boot())
    if arguments.unconfirmed:
        return _told(arguments, lambda: _transaction(arguments).roll_back_when_due())
    return _told(arguments, lambda: _transaction(arguments).rollback(arguments.number))


def history(arguments: argparse.Namespace) -> int:
    from omafon.provision.generations import Generations
    from omafon.provision.waiting import waiting

    generations = Generations(arguments.config)
    try:
        current, pending = generations.current(), waiting(generations)
        metas = [generations.meta(number) for number in generations.numbers()]
    except OSError as error:
        return _out_of_reach(arguments, error)
    if arguments.json:
        print_json(_history_json(metas, current, pending))
    elif not metas:
        print(f"nothing was applied at {arguments.config} yet")
    else:
        for meta in metas:
            print(_history_line(meta, current, pending))
    return Exit.DONE


def diff(arguments: argparse.Namespace) -> int:
    from omafon.config import ConfigError
    from omafon.provision.difference import difference
    from omafon.provision.generations import Generations

    generations = Generations(arguments.config)
    if len(arguments.what) > 2:
        return complain("diff compares two", "Name a file, a generation, or two of them.", Exit.USAGE)
    try:
        (old, called_old), (new, called_new) = _compared(generations, arguments.what)
        found = difference(old, new, (called_old, called_new))
    except ConfigError as error:
        return _wrong(arguments, error)
    except LookupError as error:
        return _ends(arguments, "refused", str(error.args[0]), "Look with: omafon history.", Exit.FAILED)
    except OSError as error:
        return _out_of_reach(arguments, error)
    if arguments.json:
        names = {"from": called_old, "to": called_new}
        print_json({"changed": bool(found), **names, "diff": found.text, "credentials": found.secrets})
    else:
        print(found.as_text() or f"no difference between {called_old} and {called_new}\n", end="")
    return Exit.DONE


def read(file: Path) -> tuple[str, str]:
    """The owner's text in `file`, or on standard input, and what errors call it. Raises ConfigError."""
    from omafon.config import reading

    if str(file) != STANDARD_INPUT:
        return reading.read(file), str(file)
    content = sys.stdin.buffer.read(reading.LARGEST_FILE + 1)
    return reading.decoded(content, "standard input"), "standard input"


# What the commands work with.


def _transaction(arguments: argparse.Namespace) -> "Transaction":
    from omafon.provision import session
    from omafon.provision.generations import Generations
    from omafon.provision.health import greets, ssh_address
    from omafon.provision.transaction import Transaction
    from omafon.provision.world import PhoneAt, SystemClock, World

    address = ssh_address()
    world = World(
        phone=PhoneAt(arguments.control),
        clock=SystemClock(),
        session=session.here(),
        greets=lambda: greets(address),
        set_watch=lambda: _set_watch(arguments),
        say=(lambda _: None) if arguments.json else _say,
    )
    return Transaction(Generations(arguments.config), world)


def _set_watch(arguments: argparse.Namespace) -> None:
    """Let another process take back what nobody confirms; where systemd runs the phone, its unit does."""
    words = [sys.executable, "-m", "omafon.cli", "rollback", "--unconfirmed"]
    words += ["--config", str(arguments.config.absolute()), "--control", str(arguments.control.absolute())]
    nowhere = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in range(3)]
    # Where this program was found by a variable of the environment, which a login over SSH does not keep.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    os.posix_spawn(sys.executable, words, environment, file_actions=nowhere, setsid=True)


def _say(words: str) -> None:
    try:
        print(f"omafon: {words}", file=sys.stderr, flush=True)
    except OSError:
        # Who asked has gone. The change goes on: it may not end half-way because of that.
        return


def _compared(generations: "Generations", words: list[str]) -> tuple[tuple["Parted", str], tuple["Parted", str]]:
    """What `words` mean: two configurations, each with what it is called."""
    current = generations.current()
    in_force = _in_force(generations)
    match words:
        case []:
            before = generations.before(current)
            if before is None:
                raise LookupError("there is no generation before this one")
            return _generation(generations, before), in_force
        case [word] if word.isdecimal():
            return _generation(generations, int(word)), in_force
        case [word]:
            return in_force, _side(generations, word)
        case _:
            return _side(generations, words[0]), _side(generations, words[1])


def _side(generations: "Generations", word: str) -> tuple["Parted", str]:
    from omafon.config import parse
    from omafon.provision.secrets import part

    if word.isdecimal():
        return _generation(generations, int(word))
    text, name = read(Path(word))
    parse(text, name)
    parted, current = part(text), generations.current()
    return parted if current is None else parted.with_known(generations.secrets(current)), name


def _generation(generations: "Generations", number: int) -> tuple["Parted", str]:
    from omafon.provision.secrets import Parted

    if number not in generations.numbers():
        raise LookupError(f"there is no generation {number}")
    return Parted(generations.text(number), generations.secrets(number)), f"generation {number}"


def _in_force(generations: "Generations") -> tuple["Parted", str]:
    """The configuration in force, also one that was written by hand."""
    from omafon.provision.secrets import Parted, part_if_possible

    current = generations.current()
    if current is not None:
        return _generation(generations, current)
    if not generations.file.exists():
        return Parted(""), "no configuration"
    text = generations.file.read_text(encoding="utf-8", errors="replace")
    return part_if_possible(text), str(generations.file)


# How it is told.


def _told(arguments: argparse.Namespace, change: Callable[[], "Report"]) -> int:
    """Do `change`, and tell what became of it."""
    from omafon.config import ConfigError
    from omafon.provision.generations import Busy
    from omafon.provision.transaction import Refusal

    try:
        report = change()
    except ConfigError as error:
        return _wrong(arguments, error)
    except Busy:
        return _ends(arguments, "busy", "somebody else is changing the configuration", "Try again soon.", Exit.BUSY)
    except Refusal as error:
        code = Exit.BUSY if error.busy else Exit.FAILED
        return _ends(arguments, "busy" if error.busy else "refused", error.what, error.cure, code)
    except NoDaemon as error:
        return _ends(arguments, "no-phone", f"{error}; nothing was changed", error.cure, Exit.NO_DAEMON)
    except OSError as error:
        return _out_of_reach(arguments, error)
    except KeyboardInterrupt:
        return _ends(arguments, "refused", "interrupted", "Look with: omafon history.", Exit.FAILED)
    if arguments.json:
        print_json(report.as_json())
    elif report.good:
        print(report.as_text())
    else:
        print(f"omafon: {report.as_text()}", file=sys.stderr)
    if report.no_phone:
        return Exit.NO_DAEMON
    return Exit.DONE if report.good else Exit.FAILED


def _ends(arguments: argparse.Namespace, outcome: str, what: str, cure: str, code: Exit) -> int:
    if not arguments.json:
        return complain(what, cure, code)
    print_json({"outcome": outcome, "what": what, "cure": cure})
    return code


def _wrong(arguments: argparse.Namespace, error: Exception) -> int:
    from omafon.config import ConfigError

    assert isinstance(error, ConfigError)
    problems = error.problems
    if arguments.json:
        told = [{"what": p.what, "cure": p.cure, "line": p.line, "key": p.key} for p in problems]
        what = f"{counted(len(problems), 'error')}; nothing was changed"
        print_json({"outcome": "refused", "what": what, "cure": "Correct them.", "problems": told})
    else:
        print(*problems, sep="\n", file=sys.stderr)
        print(f"{counted(len(problems), 'error')}; nothing was changed.", file=sys.stderr)
    return Exit.CONFIG


def _out_of_reach(arguments: argparse.Namespace, error: OSError) -> int:
    what = f"{error.filename or arguments.config}: {error.strerror or error}"
    return _ends(arguments, "refused", what, _DISK_CURES.get(error.errno or 0, "Look at the path."), Exit.FAILED)


def _history_json(metas: list["Meta"], current: int | None, pending: "Waiting | None") -> dict[str, object]:
    import msgspec

    waits = None
    if pending is not None:
        waits = {"generation": pending.generation, "wants": pending.wants, "until": pending.deadline_unix}
    told = [{**msgspec.to_builtins(meta), "in_force": meta.number == current} for meta in metas]
    return {"current": current, "waiting": waits, "generations": told}


def _history_line(meta: "Meta", current: int | None, pending: "Waiting | None") -> str:
    import time

    def when(unix: float) -> str:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(unix))

    mark = "→" if meta.number == current else " "
    outcome = meta.outcome
    if pending is not None and pending.generation == meta.number:
        outcome = f"waits for {'its confirmation' if pending.wants == 'confirmation' else 'a look'}"
        outcome += f" until {when(pending.deadline_unix)}"
    elif outcome == "staged":
        outcome = "applied" if meta.number == current else "given up"
    if meta.reason:
        outcome += f" ({meta.reason})"
    return f"{mark} {meta.number:>4}  {when(meta.at)}  {outcome}; by {meta.by or 'nobody known'}"
