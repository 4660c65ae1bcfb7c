# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Text becomes a Config, or a ConfigError that holds everything that is wrong with it."""

import os
import re
import stat
import tomllib
from collections.abc import Callable
from pathlib import Path as FilePath
from typing import Any, TypeVar

import msgspec

from omafon.config import rules, zones
from omafon.config.checking import Check, ConfigError, Problem
from omafon.config.lines import Path, key_lines
from omafon.config.parts import Config, LineConfig, Part, QuietConfig, WifiConfig
from omafon.config.rules import Fault, Rule, quoted
from omafon.core.glass import GlassHabits
from omafon.core.peace import PATTERN, AllowLists, QuietHours
from omafon.core.settings import Accept, Contact, DnssecPolicy, Line, Settings, Tree
from omafon.core.whereabouts import home_zone

P = TypeVar("P", bound=Part)

LARGEST_FILE = 262_144
"""Bytes; a phone book of a thousand people needs half of it."""

# Where only the quotes of a text can stand: before and after it. Within straight ones they are signs like others.
_CURLY_QUOTES = re.compile(r"(?:^|[=\[{,])[ \t]*[“”„‟‘’‚‛«»]|[“”„‟‘’‚‛«»][ \t\r]*(?:[=\]},#]|$)")

CREDENTIALS = "credentials"
"""The folder beside a configuration that holds its secrets, one a file."""


def load(path: FilePath) -> Config:
    """The configuration in the file `path`, with its credentials.

    They are read from $CREDENTIALS_DIRECTORY or, where they are not among those, from `credentials/` beside the file
    that `path` leads to. Raises ConfigError, also when the file cannot be read.
    """
    # Resolved once: text and credentials are of the same generation, whatever is applied meanwhile.
    real = resolved(path)
    config, lines = shaped(Config, read(real, str(path)), str(path), Check.together)
    return _with_credentials(config, lines, str(path), real.parent / CREDENTIALS)


def parse(text: str, path: str = "phone.toml") -> Config:
    """The configuration that `text` spells; `path` is what errors call it. Raises ConfigError.

    >>> parse('[phone]\\nname = "Oma"').phone.name
    'Oma'
    """
    return shaped(Config, text, path, Check.together)[0]


def resolved(path: FilePath) -> FilePath:
    """The file that `path` leads to; `path` itself where that cannot be told."""
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):
        return path


def read(path: FilePath, called: str = "") -> str:
    """The text of a file of the owner's or the builder's; errors call it `called`. Raises ConfigError."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        raise ConfigError([_unreadable(error, called or str(path))]) from None
    return decoded(content, called or str(path))


def shaped(
    kind: type[P], text: str, file: str, *more: Callable[[Check, dict[str, Any]], None]
) -> tuple[P, dict[Path, int]]:
    """The TOML `text` as a `kind`, and where its keys stand; `more` are checks of the data as a whole.

    Raises ConfigError.
    """
    text = plain(text)
    try:
        data = tomllib.loads(text)
        lines = key_lines(text)
    except RecursionError:
        raise ConfigError([Problem("lists are nested too deeply", "Take the inner lists out.", file)]) from None
    except ValueError as error:
        raise ConfigError([_syntax_problem(str(error), text, file)]) from None
    check = Check(kind, file, lines)
    check.table(kind, data, ())
    for compare in more:
        compare(check, data)
    if check.problems:
        raise ConfigError(check.problems)
    return msgspec.convert(data, kind), lines


def exposed(path: FilePath) -> Problem | None:
    """What is wrong with the rights of the file `path`: it holds a secret, and everybody may read it.

    Raises ConfigError.
    """
    config = parse(read(path), str(path))
    publish = config.enum.publish
    passwords = [*(line.password for line in config.line), *(network.password for network in config.wifi)]
    secret = any(passwords) or (publish is not None and publish.key_secret)
    if not secret or not path.stat().st_mode & stat.S_IROTH:
        return None
    return Problem("everybody on this machine may read the password in it", f"Forbid it: chmod o= {path}", str(path))


def settings(config: Config) -> Settings:
    """What the core decides with: names and numbers in the form they are compared and asked in, and no secret."""
    policies = {rules.domain(suffix): DnssecPolicy(policy) for suffix, policy in config.enum.dnssec.items()}
    default = DnssecPolicy.PREFER
    night = rules.minutes(config.display.night)
    glass = GlassHabits(
        config.display.dim_after_s, 60 * config.display.off_after_min, *night, large=config.display.large
    )
    dialled = {person.name: rules.e164(person.number) or person.uri for person in reversed(config.contact)}
    return Settings(
        name=config.phone.name,
        number=rules.e164(config.phone.number),
        country=config.phone.country,
        area=config.phone.area,
        language=config.phone.language,
        lines=tuple(Line(line.name, line.aor) for line in config.line),
        contacts=tuple(
            Contact(
                name=person.name,
                number=rules.e164(person.number),
                uri=person.uri,
                speed_dial=person.speed_dial,
                family=person.family,
                tune=person.tune,
                zone=person.zone,
                auto_answer=person.auto_answer,
            )
            for person in config.contact
        ),
        trees=tuple(Tree(suffix, policies.get(suffix, default)) for suffix in map(rules.domain, config.enum.trees)),
        enum_budget_s=config.enum.budget_ms / 1000,
        accept=frozenset(map(Accept, config.incoming.accept)),
        digit_map=config.phone.digit_map,
        confirm_paid=config.phone.confirm_paid,
        port=config.sip.port,
        address=config.sip.address,
        family_port=config.family.port,
        family_name=rules.domain(config.family.name),
        glass=glass,
        quiet=_quiet(config.quiet),
        allow=AllowLists(_listed(config.allow.callers), _listed(config.allow.called)),
        strangers_per_hour=config.incoming.strangers_per_hour,
        zone=zones.zone(config.phone.zone or home_zone(config.phone.country)),
        zones=zones.zones(tuple(person.zone for person in config.contact if person.zone)),
        any_key=dialled.get(config.phone.any_key, ""),
        hotline=dialled.get(config.phone.hotline, ""),
        hotline_after_s=float(config.phone.hotline_after_s),
    )


def _quiet(config: QuietConfig) -> QuietHours:
    days = [getattr(config, day) for day in rules.DAYS]
    week = tuple(rules.hours(config.hours if day is None else day) for day in days)
    status = 486 if config.answer == "busy" else 480
    there = rules.minutes(config.there)
    return QuietHours(week if any(week) else (), _listed(config.may_ring), status, config.may_dial, there)


def _listed(entries: tuple[str, ...]) -> tuple[str, ...]:
    """Entries of a list in the form they are compared in: numbers without the signs between their digits."""
    return tuple(bare if PATTERN.fullmatch(bare := rules.e164(entry)) else entry for entry in entries)


def _unreadable(error: OSError | ValueError, file: str) -> Problem:
    match error:
        case FileNotFoundError():
            return Problem("there is no such file", "Create it; an empty file makes a phone without a line.", file)
        case PermissionError():
            return Problem("may not be read", "Give your group the right to read it: chgrp, and mode 0640.", file)
        case IsADirectoryError():
            return Problem("is a folder", "Name the file itself, as in /etc/omafon/phone.toml.", file)
        case _:
            return Problem(
                f"cannot be read: {getattr(error, 'strerror', None) or error}", "Check the disk and the path.", file
            )


def plain(text: str) -> str:
    """`text` without the byte-order mark and the line ends of Windows."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n")


def spelled(key: str, text: str) -> str:
    """What stands behind `key` in a file that may be wrong elsewhere; empty when that cannot be made out.

    >>> spelled("language", '[phone\\nlanguage = "en"')
    'en'
    """
    found = re.search(rf"""(?m)^[ \t]*{key}[ \t]*=[ \t]*["']([^"'\n]*)["']""", text)
    return found[1] if found else ""


def decoded(content: bytes, file: str) -> str:
    """The text of the first `LARGEST_FILE` + 1 bytes of a file; errors call it `file`. Raises ConfigError."""
    if len(content) > LARGEST_FILE:
        what = f"is larger than {LARGEST_FILE // 1024} KiB"
        raise ConfigError([Problem(what, "Is it the right file? A configuration is a page of text.", file)])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        cure = 'Save it as "UTF-8"; most editors ask for the encoding when saving.'
        raise ConfigError([Problem("the text is not UTF-8", cure, file, line)]) from None


def _syntax_problem(message: str, text: str, file: str) -> Problem:
    """tomllib's message in the owner's words. Nothing of the line is repeated: it may be the password's."""
    found = re.search(r"at line (\d+)", message)
    line = int(found[1]) if found else text.rstrip().count("\n") + 1
    if _CURLY_QUOTES.search(text.split("\n")[line - 1]):
        cure = 'Type straight ones, as in name = "Oma": word processors and mail make curly ones of them.'
        return Problem("these are curly quotes", cure, file, line)
    for beginning, what, cure in (
        ("Invalid value (at end", "the file ends within a value", "Write its end."),
        ("Invalid value", "the value is not understood", 'Put text into quotes: name = "Oma".'),
        ("Expected '='", "a key without a value", 'Write key = value, as in name = "Oma".'),
        ("Invalid statement", "this is neither a key nor a [table]", 'Write key = value, as in name = "Oma".'),
        (
            "Expected newline",
            "there is more on the line than one value",
            "Write one key on a line, and text in quotes.",
        ),
        ("Cannot overwrite", "the key is there twice", "Keep one of the two."),
        ("Cannot declare", "the table is there twice", "Put the keys of both under one [table]."),
        ("Cannot mutate", "the table was closed before", "Put all its keys in one place."),
        ("Illegal character", "a text is not closed", 'End it with a quote on the same line: "Oma".'),
        ("Unterminated string", "a text is not closed", "End it with the quotes it begins with."),
        ("Unclosed array", "a list is not closed", "End it with ]."),
        ("Unclosed inline", "a table is not closed", "End it with }."),
        ("Unescaped", "a backslash means something else", "Write it twice, or use single quotes."),
        ("Invalid hex", "a backslash means something else", "Write it twice, or use single quotes."),
        ("Found invalid character", "a control character is in the file", "Delete the line and type it again."),
    ):
        if message.startswith(beginning):
            return Problem(what, cure, file, line)
    return Problem(
        "this is not TOML", 'Write [table] lines, and key = value below them, as in name = "Oma".', file, line
    )


def _with_credentials(config: Config, lines: dict[Path, int], file: str, beside: FilePath) -> Config:
    """`config` with every secret read in that is named as a credential; `beside` is the folder of those of the file."""
    check = Check(Config, file, lines)

    def secret(name: str, path: Path, instead: str, rule: Rule | None = None) -> str:
        found = _credential(name, instead, beside)
        fault = found if isinstance(found, tuple) else rule and rule(found)
        if fault:
            check.wrong(path, *fault)
        return "" if isinstance(found, tuple) else found

    complete: list[LineConfig] = []
    for index, line in enumerate(config.line):
        if name := line.password_credential:
            password = secret(name, ("line", index, "password_credential"), "password")
            line = msgspec.structs.replace(line, password=password)
        complete.append(line)
    networks: list[WifiConfig] = []
    for index, network in enumerate(config.wifi):
        if name := network.password_credential:
            password = secret(name, ("wifi", index, "password_credential"), "password", rules.passphrase)
            network = msgspec.structs.replace(network, password=password)
        networks.append(network)
    enum = config.enum
    if (publish := enum.publish) and (name := publish.key_credential):
        key = secret(name, ("enum", "publish", "key_credential"), "key_secret", rules.secret)
        enum = msgspec.structs.replace(enum, publish=msgspec.structs.replace(publish, key_secret=key))
    family = config.family
    if (update := family.update) and (name := update.key_credential):
        key = secret(name, ("family", "update", "key_credential"), "key_secret", rules.secret)
        family = msgspec.structs.replace(family, update=msgspec.structs.replace(update, key_secret=key))
    if check.problems:
        raise ConfigError(check.problems)
    return msgspec.structs.replace(config, line=tuple(complete), wifi=tuple(networks), enum=enum, family=family)


def _credential(name: str, instead: str, beside: FilePath) -> str | Fault:
    """What the credential `name` holds; `instead` is the key that could hold the secret itself."""
    service = os.environ.get("CREDENTIALS_DIRECTORY")  # systemd.exec(5), LoadCredential=
    # A directory of credentials is loaded under the name that the service gives it, and each file's own after it.
    loaded: tuple[FilePath, ...] = ()
    if service:
        loaded = (FilePath(service, name), FilePath(service, f"omafon_{name}"))
    for file in (*loaded, beside / name):
        try:
            return file.read_text(encoding="utf-8").rstrip("\r\n")
        except FileNotFoundError:
            continue
        except OSError as error:
            cure = "Give it to the group of the phone, mode 0640."
            return f"{quoted(name)} cannot be read: {error.strerror}", cure
        except UnicodeDecodeError:
            return f"{quoted(name)} is not UTF-8", "Write it as text."
    cure = f"Write `{instead}` in its place, or add LoadCredential={name}:/path/to/file to the service."
    return f"{quoted(name)} is not among the credentials", cure
