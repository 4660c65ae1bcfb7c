# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Where the keys of a TOML file stand: the standard library reads TOML, but forgets the lines."""

import re
import tomllib
from bisect import bisect_left
from dataclasses import dataclass, field

Path = tuple[str | int, ...]
"""A place in the file: keys of tables and, from 0, indices of lists: ("line", 1, "password")."""

_BLANK = re.compile(r"(?:[ \t\n]|#[^\n]*)+")
_COMMENT = re.compile(r"#[^\n]*")
_SPACE = re.compile(r"[ \t]+")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
# The four kinds of string; the closing quotes of a multi-line one may follow up to two quotes of its content.
_STRING = re.compile(
    r'"""(?:\\.|(?!""")[^\\])*"{3,5}'
    r"|'''(?:(?!''').)*'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_PLAIN_VALUE = re.compile(r"[^,\]}#\n]+")


@dataclass(slots=True)
class Places:
    """Where things stand in a text, as offsets: each key with its value, from its last part on, and each comment."""

    entries: dict[Path, tuple[int, int]] = field(default_factory=dict)
    comments: list[tuple[int, int]] = field(default_factory=list)


def places(text: str) -> Places:
    """Where the values and comments of `text` stand, which `tomllib` accepts; "\\n" ends lines.

    >>> places("a.b = 1 # one").entries
    {('a', 'b'): (2, 7)}
    """
    scanner = _Scanner(text)
    scanner.document()
    return scanner.places


def key_lines(text: str) -> dict[Path, int]:
    """The line, from 1, of every table, key and list element of `text`, which `tomllib` accepts; "\\n" ends lines.

    >>> key_lines('[[line]]\\nname = "home"')
    {('line',): 1, ('line', 0): 1, ('line', 0, 'name'): 2}
    """
    scanner = _Scanner(text)
    scanner.document()
    return scanner.lines


class _Scanner:
    def __init__(self, text: str) -> None:
        self.lines: dict[Path, int] = {}
        self.places = Places()
        self._text = text
        self._at = 0
        self._newlines = [match.start() for match in re.finditer("\n", text)]
        self._tables: dict[Path, int] = {}
        self._key_at = 0  # where the last part of the key that was read begins

    def document(self) -> None:
        table: Path = ()
        self._skip(_BLANK)
        while self._at < len(self._text):
            table = self._header() if self._sees("[") else self._pair(table)
            self._skip(_BLANK)

    def _header(self) -> Path:
        """[table] or [[array of tables]]: the path of the table it opens."""
        array = self._text.startswith("[[", self._at)
        self._at += 2 if array else 1
        keys = self._keys()
        self._at += 2 if array else 1
        table: Path = ()
        for key in keys[:-1]:
            table = self._newest(self._note((*table, key)))
        table = self._note((*table, keys[-1]))
        if not array:
            return table
        self._tables[table] = self._tables.get(table, -1) + 1
        return self._note(self._newest(table))

    def _newest(self, path: Path) -> Path:
        """`path`, or the last table of the array of tables that stands there."""
        return (*path, self._tables[path]) if path in self._tables else path

    def _pair(self, table: Path) -> Path:
        """key = value; returns the table it was in, which stays open."""
        path = table
        for key in self._keys():
            path = self._note((*path, key))
        begin = self._key_at
        self._at += 1
        self._value(path)
        # A bare value was read with the blanks that follow it.
        end = begin + len(self._text[begin : self._at].rstrip(" \t"))
        self.places.entries[path] = (begin, end)
        return table

    def _keys(self) -> list[str]:
        """The parts of a key up to its '=' or ']'."""
        keys = []
        while True:
            self._skip(_SPACE)
            self._key_at = self._at
            bare = _BARE_KEY.match(self._text, self._at)
            token = bare.group() if bare else self._string()
            keys.append(token if bare else tomllib.loads(f"key = {token}")["key"])
            self._at += len(token)
            self._skip(_SPACE)
            if not self._sees("."):
                return keys
            self._at += 1

    def _value(self, path: Path) -> None:
        self._skip(_SPACE)
        match self._text[self._at]:
            case "[":
                self._list(path)
            case "{":
                self._inline_table(path)
            case '"' | "'":
                self._at += len(self._string())
            case _:
                self._skip(_PLAIN_VALUE)

    def _list(self, path: Path) -> None:
        self._at += 1
        index = 0
        self._skip(_BLANK)
        while not self._sees("]"):
            self._value(self._note((*path, index)))
            index += 1
            self._comma()
        self._at += 1

    def _inline_table(self, path: Path) -> None:
        self._at += 1
        self._skip(_BLANK)
        while not self._sees("}"):
            self._pair(path)
            self._comma()
        self._at += 1

    def _comma(self) -> None:
        self._skip(_BLANK)
        if self._sees(","):
            self._at += 1
            self._skip(_BLANK)

    def _string(self) -> str:
        match = _STRING.match(self._text, self._at)
        if match is None:
            raise ValueError(f"no key or string at offset {self._at}")
        return match.group()

    def _sees(self, sign: str) -> bool:
        return self._text.startswith(sign, self._at)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        if match := pattern.match(self._text, self._at):
            self._at = match.end()
            if pattern is _BLANK:
                found = _COMMENT.finditer(self._text, match.start(), match.end())
                self.places.comments += [comment.span() for comment in found]

    def _note(self, path: Path) -> Path:
        self.lines.setdefault(path, bisect_left(self._newlines, self._at) + 1)
        return path
