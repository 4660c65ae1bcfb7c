# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Where the keys of a TOML file stand."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omafon.config.lines import key_lines


def paths(data: object, path: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    """Every path into `data`, its own left out."""
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return {place for key, value in inner for place in {(*path, key)} | paths(value, (*path, key))}


CASES = {
    "a key": ("a = 1", {("a",): 1}),
    "a table": ("\n# c\n[t]\n\na = 1 # b\n", {("t",): 3, ("t", "a"): 5}),
    "a dotted key": ("a.b = 1\na.c = 2", {("a",): 1, ("a", "b"): 1, ("a", "c"): 2}),
    "a quoted key": ("\"a.\\u0062\" = 1\n'c d' = 2", {("a.b",): 1, ("c d",): 2}),
    "a dotted table": ("[a . 'b']\nc = 1", {("a",): 1, ("a", "b"): 1, ("a", "b", "c"): 2}),
    "tables in a row": (
        "[[a]]\nb=1\n[[a]]\nb=2",
        {("a",): 1, ("a", 0): 1, ("a", 0, "b"): 2, ("a", 1): 3, ("a", 1, "b"): 4},
    ),
    "a table of a row": ("[[a]]\n[a.b]\nc=1", {("a",): 1, ("a", 0): 1, ("a", 0, "b"): 2, ("a", 0, "b", "c"): 3}),
    "a list": ("a = [\n 1,\n # c\n 2,\n]\nb = 1", {("a",): 1, ("a", 0): 2, ("a", 1): 4, ("b",): 6}),
    "a list of lists": ("a = [[1],\n[]]", {("a",): 1, ("a", 0): 1, ("a", 0, 0): 1, ("a", 1): 2}),
    "an inline table": (
        "a = {b = 1, c.d = '}'}\ne=1",
        {("a",): 1, ("a", "b"): 1, ("a", "c"): 1, ("a", "c", "d"): 1, ("e",): 2},
    ),
    "texts of many lines": ('a = """\n]"\\"""" \nb = \'\'\'\n#\n\'\'\'\'\nc = 1', {("a",): 1, ("b",): 3, ("c",): 6}),
    "signs within texts": ('a = \'#"\'\nb = "[\\"="\nc = 1', {("a",): 1, ("b",): 2, ("c",): 3}),
    "a time with a space": ("a = 1979-05-27 07:32:00 # c\nb = 1", {("a",): 1, ("b",): 2}),
}


@pytest.mark.parametrize(("text", "lines"), CASES.values(), ids=CASES)
def test_each_key_stands_on_its_line(text, lines):
    assert key_lines(text) == lines


PIECES = [
    "a = 1\n",
    "b.c = [1, [2,\n3],]\n",
    "[t]\n",
    "[[r]]\n",
    "[r.t]\n",
    "[[r.s]]\n",
    "d = {e = 1, f = {}}\n",
    "# [c]\n",
    'g = """\n"x"""""\n',
    "'h i' = ''' '\n'''\n",
    "j = [ # =\n {k = 1}, {l.m = [\n]} ]\n",
    'n = ""\n',
    "p = 1979-05-27 07:32:00\n",
    "q = [1.5, 1e3, true, 07:32:00]\n",
]


@given(st.lists(st.sampled_from(PIECES), max_size=8, unique=True).map("".join))
def test_nothing_that_toml_knows_is_without_a_line(text):
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return

    lines = key_lines(text)

    assert set(lines) == paths(data)
    rows = text.split("\n")
    assert all(path[-1] in rows[line - 1] for path, line in lines.items() if isinstance(path[-1], str))
