# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Our regular expressions beside RE2's and glibc's, on tens of thousands of random patterns.

What was matched must be the same. What was captured may differ now and then, for the others have their own ideas:
RE2 takes the longest match, but not the captures of POSIX; glibc keeps what an earlier repetition had captured, and
takes an anchor in the middle of a repetition for less than it is.
"""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
import re2

from omafon.core.ere import Budget, EreError, TooCostly, compile_ere
from tests.fuzz.glibc import HANGS, REFUSED, Spans, answers

PAIRS = 15_000
STEPS = 6_000


class Patterns:
    """Random patterns of what POSIX defines, over the characters of `letters`, and subjects for them."""

    def __init__(self, seed: int, letters: str, sets: tuple[str, ...], longest: int) -> None:
        self._random = random.Random(seed)
        self._letters = letters
        self._sets = sets
        self._longest = longest

    def pair(self) -> tuple[str, str]:
        subject = "".join(self._random.choices(self._letters, k=self._random.randint(0, self._longest)))
        return self._choice(3), subject

    def _choice(self, depth: int) -> str:
        return "|".join(self._sequence(depth) for _ in range(self._random.choice((1, 1, 1, 2, 3))))

    def _sequence(self, depth: int) -> str:
        return "".join(self._repeated(depth) for _ in range(self._random.randint(1, 4)))

    def _repeated(self, depth: int) -> str:
        atom = self._atom(depth)
        repeatable = atom not in ("^", "$") and self._random.random() < 0.35
        return atom + (self._random.choice(("*", "+", "?", "{2}", "{1,2}", "{0,3}", "{2,}")) if repeatable else "")

    def _atom(self, depth: int) -> str:
        kind = self._random.random()
        if depth and kind < 0.3:
            return f"({self._choice(depth - 1)})"
        if kind < 0.7:
            return self._random.choice(self._letters).replace("+", "\\+")
        if kind < 0.8:
            return "."
        if kind < 0.95:
            return self._random.choice(self._sets)
        return self._random.choice("^$")


WORDS = Patterns(3402, "ab0+", ("[ab]", "[^a]", "[0-9]", "[a-c+]", "[[:digit:]]", "[^[:alpha:]]"), longest=8)
NUMBERS = Patterns(6116, "1234+", ("[0-9]", "[1-3]", "[^4]", "[[:digit:]]", "\\+", "[+1]"), longest=16)


@dataclass
class Tally:
    """How often an oracle said the same. `apart` are the pairs whose whole match differs."""

    counts: Counter[str] = field(default_factory=Counter)
    apart: list[tuple[str, str]] = field(default_factory=list)

    def add(self, pair: tuple[str, str], ours: Spans | None, theirs: Spans | str | None) -> None:
        if isinstance(theirs, str):
            self.counts[theirs] += 1
        elif (ours and ours[0]) != (theirs and theirs[0]):
            self.apart.append(pair)
        else:
            self.counts["same" if ours == theirs else "captured otherwise"] += 1


def ours(patterns: Patterns) -> Iterator[tuple[tuple[str, str], Spans | None]]:
    """PAIRS random pairs that our matcher takes, and what it says."""
    found = 0
    while found < PAIRS:
        pattern, subject = patterns.pair()
        try:
            match = compile_ere(pattern).search(subject, Budget(STEPS))
        except (EreError, TooCostly):
            continue  # an anchor was repeated, or it is too long for a record
        found += 1
        yield (pattern, subject), match.spans if match else None


def by_re2(pattern: str, subject: str) -> Spans | str | None:
    options = re2.Options()
    options.posix_syntax = options.longest_match = True
    options.log_errors = False
    try:
        match = re2.compile(pattern, options).search(subject)
    except re2.error:
        return REFUSED
    if match is None:
        return None
    spans = (match.span(group) for group in range(match.re.groups + 1))
    return tuple(span if span[0] >= 0 else None for span in spans)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("patterns", [WORDS, NUMBERS], ids=["words", "numbers"])
def test_what_matches_is_what_re2_and_glibc_match(patterns: Patterns):
    said = list(ours(patterns))
    pairs = [pair for pair, _ in said]
    re2_tally, glibc_tally = Tally(), Tally()

    for (pair, spans), glibc_spans in zip(said, answers(pairs), strict=True):
        re2_tally.add(pair, spans, by_re2(*pair))
        glibc_tally.add(pair, spans, glibc_spans)

    assert sum(spans is not None for _, spans in said) > PAIRS // 4
    assert re2_tally.apart == []
    assert re2_tally.counts["captured otherwise"] < PAIRS // 100
    assert re2_tally.counts[REFUSED] == 0
    # Where glibc's is another, ours is RE2's, and there is an anchor that glibc misunderstood.
    assert len(glibc_tally.apart) < PAIRS // 300
    assert all(set("^$") & set(pattern) for pattern, _ in glibc_tally.apart)
    assert glibc_tally.counts["captured otherwise"] < PAIRS // 100
    assert glibc_tally.counts[REFUSED] == 0
    assert glibc_tally.counts[HANGS] < 5
