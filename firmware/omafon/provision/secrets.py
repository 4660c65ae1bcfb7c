# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The owner's text becomes a text without secrets, and the secrets beside it."""

import re
import tomllib
from collections.abc import Set
from dataclasses import dataclass, field, replace
from typing import Any

from omafon.config.lines import Path, places
from omafon.config.reading import plain

# Which key holds a secret, which names a credential instead, and how that is called: a word, and the table's own name.
_SECRETS = {
    ("line", "password"): ("password_credential", "line", "name"),
    ("wifi", "password"): ("password_credential", "wifi", "ssid"),
    ("enum", "publish", "key_secret"): ("key_credential", "enum-publish", ""),
    ("family", "update", "key_secret"): ("key_credential", "family-update", ""),
}
_WORDS = "password|key_secret"
# A key that was commented out, and whatever follows it.
_IN_A_COMMENT = re.compile(rf"(#.*?\b(?:{_WORDS})\b[^=:]*[=:][ \t]*)\S.*")
_ANYWHERE = re.compile(rf"(\b(?:{_WORDS})[\"']?[ \t]*[=:][ \t]*)(\"\"\"|'''|[^\s,}}#]).*")


@dataclass(frozen=True, slots=True)
class Parted:
    """`text` without secrets; the `secrets` by names of credentials; and the credentials it `named`, with lines."""

    text: str
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    named: dict[str, int] = field(default_factory=dict)

    def with_known(self, secrets: dict[str, str]) -> "Parted":
        """The same, and those of the `secrets` that it names and does not bring along."""
        kept = {name: secret for name, secret in secrets.items() if name in self.named}
        return replace(self, secrets=kept | self.secrets)


def part(text: str) -> Parted:
    """Take the secrets out of `text`, which is good TOML; everything else but line ends stays as it was written.

    >>> part('[[line]]\\nname = "home"\\npassword = "geheim" # of 2024').text
    '[[line]]\\nname = "home"\\npassword_credential = "line-home" # of 2024'
    """
    text = plain(text)
    data, where = tomllib.loads(text), places(text)
    entries = {path: value for path, value in _entries(data) if path in where.entries and isinstance(value, str)}
    named = {
        value: text.count("\n", 0, where.entries[path][0]) + 1
        for path, value in entries.items()
        if _keys(path)[-1] in ("password_credential", "key_credential") and value
    }
    edits: list[tuple[int, int, str]] = []
    secrets: dict[str, str] = {}
    for path, value in entries.items():
        kind = _SECRETS.get(_keys(path))
        if kind is None or not value:
            continue
        key, word, own = kind
        of = str(entries.get((*path[:-1], own), "")) if own else ""
        name = _free(_plain(word, of), named.keys() | secrets.keys())
        secrets[name] = value
        edits.append((*where.entries[path], f'{key} = "{name}"'))
    edits += [(begin, end, _IN_A_COMMENT.sub(r"\1…", text[begin:end])) for begin, end in where.comments]
    for begin, end, instead in sorted(edits, reverse=True):
        text = text[:begin] + instead + text[end:]
    return Parted(text, secrets, named)


def part_if_possible(text: str) -> Parted:
    """`part` of what the owner wrote by hand, and where that is not TOML, all of it as it is."""
    try:
        return part(text)
    except (ValueError, RecursionError):
        return Parted(plain(text))


def redacted(text: str) -> str:
    """`text`, which may be anything, with nothing behind the words that secrets stand behind.

    >>> redacted('aor = "sip:1@x.org"\\npassword = "geheim')
    'aor = "sip:1@x.org"\\npassword = …'
    """
    return _ANYWHERE.sub(r"\1…", text)


def _entries(value: object, path: Path = ()) -> list[tuple[Path, Any]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, content in inner for found in [((*path, key), content), *_entries(content, (*path, key))]]


def _keys(path: Path) -> tuple[str, ...]:
    return tuple(key for key in path if isinstance(key, str))


def _plain(word: str, of: str) -> str:
    """The name of a credential: `word`, and what a file may be called of `of`."""
    return "-".join(filter(None, (word, re.sub(r"[^a-z0-9]+", "-", of.lower()).strip("-"))))[:200]


def _free(name: str, taken: Set[str]) -> str:
    candidates = (name if number == 1 else f"{name}-{number}" for number in range(1, len(taken) + 2))
    return next(candidate for candidate in candidates if candidate not in taken)
