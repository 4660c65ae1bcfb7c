# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""`omafon first-boot`: what the owner has put on the boot partition becomes the phone's, and leaves the card.

Keys first: whoever has one can repair the rest. A configuration goes the way of every other, by the transaction, but
the first one of all is kept whatever becomes of its lines: there is no better one to go back to.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from omafon import __version__
from omafon.client import NoDaemon, Refused
from omafon.config import Config, ConfigError, load, parse
from omafon.config.reading import LARGEST_FILE, decoded, spelled
from omafon.core.words import word
from omafon.machine import card, keys
from omafon.machine.card import Card
from omafon.machine.keys import Keys
from omafon.provision.generations import Busy
from omafon.provision.health import FINAL
from omafon.provision.report import Outcome, Report
from omafon.provision.secrets import redacted
from omafon.provision.transaction import Refusal

PHONE_WITHIN_S = 60.0
"""So long the phone may take to answer before the configuration is laid down without it."""

NETWORK_WITHIN_S = 90.0
REJOIN_WITHIN_S = 30.0
NOTICE_WITHIN_S = 20.0
LINES_WITHIN_S = 60.0
_LOOK_EVERY_S = 0.5


class Phone(Protocol):
    """The running phone. All raise NoDaemon, `reload` also Refused."""

    def status(self) -> dict[str, Any]: ...
    def reload(self, *, now: bool) -> dict[str, Any]: ...
    def notice(self, rows: list[str]) -> None: ...


class Applies(Protocol):
    """The transaction; `omafon.provision.transaction` says what it raises."""

    def apply(self, text: str, name: str, *, offline: bool = False) -> Report: ...


class Clock(Protocol):
    """Monotonic seconds, and letting some pass."""

    def boottime(self) -> float: ...
    def sleep(self, seconds: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a first boot meets. `config` is where phone.toml is, or will be; `host_keys` the folder of sshd's.

    `settle` brings the wireless networks to what `config` says, `addresses` are those the phone has, `host` its name.
    """

    card: Card
    config: Path
    host_keys: Path
    phone: Phone
    transaction: Applies
    settle: Callable[[], object]
    addresses: Callable[[], tuple[str, ...]]
    host: Callable[[], str]
    clock: Clock
    say: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Following:
    """The phone, as a transaction sees it: before it takes a configuration, the wireless networks do.

    A line can only register once the network is there that came with it.
    """

    phone: Phone
    settle: Callable[[], object]
    addresses: Callable[[], tuple[str, ...]]
    clock: Clock

    def status(self) -> dict[str, Any]:
        return self.phone.status()

    def reload(self, *, now: bool) -> dict[str, Any]:
        self.settle()
        _until(lambda: bool(self.addresses()), REJOIN_WITHIN_S, self.clock)
        return self.phone.reload(now=now)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one file: `what` in a sentence, and `more` below it. `put_off`: nobody has looked at it yet."""

    name: str
    good: bool
    what: str
    more: tuple[str, ...] = ()
    line: int | None = None
    put_off: bool = False
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of the files, and where the phone is found now."""

    files: tuple[Taken, ...] = ()
    addresses: tuple[str, ...] = ()
    host: str = ""
    fingerprints: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    logins: bool = False

    @property
    def good(self) -> bool:
        return all(file.good for file in self.files)

    @property
    def put_off(self) -> bool:
        return any(file.put_off for file in self.files)

    def as_json(self) -> dict[str, object]:
        files = [
            {"file": f.name, "good": f.good, "what": f.what, "more": list(f.more), "line": f.line} for f in self.files
        ]
        return {
            "files": files,
            "addresses": list(self.addresses),
            "host": self.host,
            "fingerprints": list(self.fingerprints),
            "lines": list(self.lines),
        }

    def as_text(self) -> str:
        told = [f"Omafon {__version__}: what became of the files on this card", ""]
        for file in self.files:
            told += [f"{file.name}: {file.what}", *(f"  {more}" for more in file.more)]
            if file.digest:
                told.append("  It is tried again when it was changed, or when this file is deleted.")
                told.append(f"  Refused: {file.digest}")
            told.append("")
        told += [f"Line       {line}" for line in self.lines]
        told += [f"Address    {address}" for address in self.addresses] or ["Address    none: there is no network"]
        told.append(f"Name       {self.host}")
        told += [f"Host key   {print_}" for print_ in self.fingerprints]
        if self.logins:
            told += [f"Log in     ssh phone@{address}" for address in self.addresses[:1]]
        else:
            told.append(f"Log in     nobody can: put {card.KEYS} on this card")
        # Whatever was said on the way: no password of the owner's lies on a card that anybody reads.
        return redacted("\n".join([*told, ""]))


def take(world: Surroundings) -> Result | None:
    """Take over what is on the card; None when there is nothing, or nothing but what was refused before.

    Blocks for minutes. Raises OSError when the card cannot be read or written.
    """
    world.card.tidy()
    found, problems = _found(world.card)
    refused_before = set(re.findall(r"Refused: ([0-9a-f]{64})", world.card.told()))
    digests = {hashlib.sha256(_content(file)).hexdigest() for file in found.values()}
    if not (found or problems) or (digests and digests <= refused_before and not problems):
        return None
    files = [*problems]
    if (file := found.get(card.KEYS)) is not None:
        files.append(_take_keys(file, world))
    lines: tuple[str, ...] = ()
    if (file := found.get(card.CONFIG)) is not None:
        taken, lines = _take_config(file, world)
        files.append(taken)
    prints = keys.host_fingerprints(world.host_keys)
    logins = (world.config.parent / card.KEYS).exists()
    result = Result(tuple(files), world.addresses(), world.host(), prints, lines, logins)
    # On the disk are the configuration and the keys already. The result before the file goes: nobody is to wonder.
    world.card.tell(result.as_text())
    for taken in result.files:
        if taken.good:
            world.card.forget(found[card.KEYS if taken.name.lower().startswith(card.KEYS) else card.CONFIG])
    _notify(result, world)
    return result


def _found(place: Card) -> tuple[dict[str, Path], list[Taken]]:
    found: dict[str, Path] = {}
    problems: list[Taken] = []
    for name in (card.KEYS, card.CONFIG):
        try:
            if (file := place.find(name)) is not None:
                found[name] = file
        except ConfigError as error:
            problems.append(_refused(name, error))
    return found, problems


def _content(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(LARGEST_FILE + 1)


def _refused(name: str, error: ConfigError, digest: str = "") -> Taken:
    first = error.problems[0]
    more = [f"{f'line {p.line}: ' if p.line else ''}{p.what}. {p.cure}" for p in error.problems]
    return Taken(name, False, "refused, nothing was changed", tuple(more), first.line, digest=digest)


def _take_keys(file: Path, world: Surroundings) -> Taken:
    content = _content(file)
    try:
        read: Keys = keys.read(content, file.name)
    except ConfigError as error:
        return _refused(file.name, error, hashlib.sha256(content).hexdigest())
    keys.install(read, world.config.parent / card.KEYS)
    count = len(read.lines)
    what = f"taken over, {count} key{'s' * (count != 1)} may log in as phone"
    return Taken(file.name, True, what, read.fingerprints)


def _take_config(file: Path, world: Surroundings) -> tuple[Taken, tuple[str, ...]]:
    content = _content(file)
    digest = hashlib.sha256(content).hexdigest()
    try:
        text = decoded(content, file.name)
        parse(text, file.name)
        answers = _until(lambda: _status(world) is not None, PHONE_WITHIN_S, world.clock)
        first = is_fresh(world.config)
        report = world.transaction.apply(text, file.name, offline=first or not answers)
        lines = _first(parse(text), world) if first else _lines(_status(world))
    except ConfigError as error:
        return _refused(file.name, error, digest), ()
    except Busy:
        what = "put off: somebody else is changing the configuration. It is tried again at the next start"
        return Taken(file.name, False, what, put_off=True), ()
    except Refusal as error:
        taken = Taken(file.name, False, f"refused: {error.what}", (error.cure,), put_off=error.busy)
        return taken if error.busy else Taken(file.name, False, taken.what, taken.more, digest=digest), ()
    except NoDaemon as error:
        return Taken(file.name, False, f"put off: {error}. It is tried again at the next start", put_off=True), ()
    if not report.good:
        more = (*(str(check) for check in report.checks), report.cure)
        return Taken(file.name, False, f"refused: {report.what}", tuple(filter(None, more)), digest=digest), ()
    what = "unchanged" if report.outcome is Outcome.UNCHANGED else "taken over"
    more = tuple(str(check) for check in report.checks if not check.good)
    if not answers:
        more = (*more, "The phone does not answer, so nobody has tried it. Look with: omafon doctor.")
    return Taken(file.name, True, f"{what}, generation {report.generation} is in force", more), lines


def is_fresh(config: Path) -> bool:
    """Whether nobody has set up this phone yet: it has no line, no network and nobody in its phone book."""
    if not config.exists():
        return True
    try:
        current = load(config)
    except ConfigError:
        return False
    return not (current.line or current.wifi or current.contact)


def _first(config: Config, world: Surroundings) -> tuple[str, ...]:
    """Let the phone use its first configuration: networks, then the phone, then a look at its lines, as they are."""
    world.settle()
    world.say("waiting for the network")
    _until(lambda: bool(world.addresses()), NETWORK_WITHIN_S, world.clock)
    try:
        world.phone.reload(now=True)
    except (NoDaemon, Refused) as error:
        world.say(f"the phone has not taken it: {error}")
        return ()
    if config.line:
        world.say("waiting for the lines")
        wanted = {line.name for line in config.line}
        _until(lambda: _decided(_status(world), wanted), LINES_WITHIN_S, world.clock)
    return _lines(_status(world))


def _status(world: Surroundings) -> dict[str, Any] | None:
    try:
        return world.phone.status()
    except (NoDaemon, Refused):
        return None


def _decided(status: dict[str, Any] | None, wanted: set[str]) -> bool:
    lines = (status or {}).get("lines", [])
    return {line["name"] for line in lines if line["registered"] or line["status"] in FINAL} >= wanted


def _lines(status: dict[str, Any] | None) -> tuple[str, ...]:
    told = []
    for line in (status or {}).get("lines", []):
        why = " ".join(str(word) for word in (line["status"], line["reason"]) if word) or "not asked yet"
        told.append(f"{line['name']}: {'registered' if line['registered'] else f'not registered ({why})'}")
    return tuple(told)


def _until(good: Callable[[], bool], within_s: float, clock: Clock) -> bool:
    """Look until it is `good`; whether it was in time."""
    end = clock.boottime() + within_s
    while not good():
        if clock.boottime() >= end:
            return False
        clock.sleep(_LOOK_EVERY_S)
    return True


def _notify(result: Result, world: Surroundings) -> None:
    """Tell it on the display, shortly, in the language of the phone."""
    language = _language(world)
    address = next((a for a in result.addresses if len(a) <= 21), "") or word("no_network", language)
    bad = next((file for file in result.files if not file.good), None)
    if bad is None:
        rows = [word("setup_done", language), address, result.host[:21]]
        rows += [word("line_up" if ": registered" in line else "line_down", language) for line in result.lines[:1]]
    else:
        where = word("setup_line", language, n=bad.line) if bad.line else word("setup_file", language)
        rows = [word("setup_refused", language), where, bad.name[:21] if bad.line else card.RESULT, address]
    # It may just be starting anew, with what it was given.
    if not _until(lambda: _noticed(rows, world), NOTICE_WITHIN_S, world.clock):
        world.say("the phone does not answer, and its display does not show it")


def _noticed(rows: list[str], world: Surroundings) -> bool:
    try:
        world.phone.notice(rows)
    except (NoDaemon, Refused):
        return False
    return True


def _language(world: Surroundings) -> str:
    """That of the phone; until somebody has set it up, that of the file that should have, whatever is wrong with it."""
    refused = _found(world.card)[0].get(card.CONFIG) if is_fresh(world.config) else None
    if refused is not None:
        wanted = spelled("language", _content(refused).decode(errors="replace"))
        if wanted in ("de", "en"):
            return wanted
    try:
        return load(world.config).phone.language
    except ConfigError:
        return "de"
