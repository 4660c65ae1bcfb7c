# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A digit map: when what was dialled is complete, how long to wait for more, and what to dial instead of it.

The language is that of RFC 3435 section 2.1.5 with what IP telephones have added to it: `<dialled:passed on>`, a bar
`!`, a dial tone that goes on behind `,`, and timers. What may still become a longer number waits for the short timer
instead of being cut short, as that RFC would: an alternative never makes another one unreachable.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

LONGEST_MAP = 4096
"""Characters; the RFC asks for 2,048 at least."""

LONGEST_DIALLED = 64
SHORT_S = 3.0
"""How long a complete number waits for another digit, where none is certain to be the last."""

LONG_S = 10.0
"""How long an incomplete one does."""

LONGEST_TIMER_S = 600
_DIGITS = "0123456789"
_KEYS = _DIGITS + "*#abcd"
_PASSED_ON = _DIGITS + "*#+"
_BLANKS = " \t\n"


class DigitMapError(ValueError):
    """The text is no digit map: what is wrong, with its place, and the cure."""

    def __init__(self, what: str, cure: str) -> None:
        super().__init__(what)
        self.what = what
        self.cure = cure


class Verdict(StrEnum):
    """What the digits so far are: a number, the beginning of one, neither, or a number nobody may call from here."""

    COMPLETE = "complete"
    MORE = "more"
    IMPOSSIBLE = "impossible"
    BARRED = "barred"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a map says about digits.

    After `wait_s` seconds without another digit the verdict counts: 0.0 is at once. `digits` are those to dial, what
    the map substitutes done; as dialled unless COMPLETE. `dial_tone`: it goes on, as behind the digit for an outside
    line.
    """

    verdict: Verdict
    digits: str
    wait_s: float = 0.0
    dial_tone: bool = False


@dataclass(frozen=True, slots=True)
class _Step:
    """One position of an alternative.

    It takes one key of `keys`, or any number of them when `repeated`; with no keys it takes nothing, puts `insert`
    into the number, and lets the dial tone go on if `tone`. `kept`: the key is passed on.
    """

    keys: str = ""
    repeated: bool = False
    kept: bool = True
    insert: str = ""
    tone: bool = False

    @property
    def may_be_passed(self) -> bool:
        return self.repeated or not self.keys


@dataclass(frozen=True, slots=True)
class _Alternative:
    steps: tuple[_Step, ...]
    barred: bool = False
    waits: bool = False  # T: for the short timer, whatever else is possible
    short_s: float | None = None
    long_s: float | None = None

    @property
    def takes_digits(self) -> bool:
        return any(step.keys for step in self.steps)

    def passes_on(self, digits: str) -> str:
        """`digits`, which it matches, with its substitutions; a repeated position takes as many as it can."""
        written = self._onward({0: ""})
        for key in digits:
            reached: dict[int, str] = {}
            for at, text in written.items():
                if at < len(self.steps) and key.lower() in self.steps[at].keys:
                    step = self.steps[at]
                    reached.setdefault(at if step.repeated else at + 1, text + key if step.kept else text)
            written = self._onward(reached)
        return written[len(self.steps)]

    def _onward(self, written: dict[int, str]) -> dict[int, str]:
        """With the positions that can be reached without a key."""
        reached: dict[int, str] = {}
        for start, text in written.items():
            at = start
            reached.setdefault(at, text)
            while at < len(self.steps) and self.steps[at].may_be_passed:
                text += self.steps[at].insert
                at += 1
                reached.setdefault(at, text)
        return reached


class _Table:
    """All alternatives at once: each position, and each end, is one bit of an integer."""

    def __init__(self, alternatives: tuple[_Alternative, ...]) -> None:
        self._accepting = dict.fromkeys(_KEYS, 0)
        self._repeated = self._passable = 0
        self.start = self.live = self.tone = 0
        self.ends: list[int] = []
        self.spans: list[int] = []
        bit = 1
        for alternative in alternatives:
            first = bit
            for step in alternative.steps:
                for key in step.keys:
                    self._accepting[key] |= bit
                self._repeated |= bit * step.repeated
                self._passable |= bit * step.may_be_passed
                self.live |= bit * bool(step.keys)
                self.tone |= bit * step.tone
                bit <<= 1
            self.start |= first
            self.ends.append(bit)
            bit <<= 1
            self.spans.append(bit - first)
        self.start = self._onward(self.start)

    def after(self, digits: str) -> int:
        """The positions that `digits` lead to."""
        reached = self.start
        for key in digits.lower():
            hit = reached & self._accepting.get(key, 0)
            reached = self._onward(hit & self._repeated | (hit & ~self._repeated) << 1)
        return reached

    def _onward(self, reached: int) -> int:
        while (more := reached | (reached & self._passable) << 1) != reached:
            reached = more
        return reached


@dataclass(frozen=True, slots=True)
class DigitMap:
    """A compiled digit map; two of the same alternatives and timers are equal."""

    alternatives: tuple[_Alternative, ...] = field(repr=False)
    short_s: float = SHORT_S
    long_s: float = LONG_S
    _table: _Table = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_table", _Table(self.alternatives))

    def match(self, digits: str) -> Outcome:
        """What the map says about `digits`, "" before the first. Never raises.

        The first alternative that is complete decides, and before it any that is barred.

        >>> compile_digit_map("(<9:>,0x.|<:030>[1-9]xxx.|00!)").match("90301234")
        Outcome(verdict=<Verdict.COMPLETE: 'complete'>, digits='0301234', wait_s=3.0, dial_tone=False)
        """
        reached = self._table.after(digits) if len(digits) <= LONGEST_DIALLED else 0
        more = reached & self._table.live
        tone = bool(reached & self._table.tone)
        found = [
            alternative
            for alternative, end in zip(self.alternatives, self._table.ends, strict=True)
            if reached & end and (digits or not alternative.takes_digits)
        ]
        decides = next((alternative for alternative in found if alternative.barred), next(iter(found), None))
        if decides is not None:
            wait_s = self.short_s if more or decides.waits else 0.0
            if decides.short_s is not None:
                wait_s = decides.short_s
            if decides.barred:
                return Outcome(Verdict.BARRED, digits, wait_s, tone)
            return Outcome(Verdict.COMPLETE, decides.passes_on(digits), wait_s, tone)
        if more:
            return Outcome(Verdict.MORE, digits, self._patience(more), tone)
        return Outcome(Verdict.IMPOSSIBLE, digits)

    def _patience(self, more: int) -> float:
        """The longest that any alternative still possible is ready to wait."""
        return max(
            self.long_s if alternative.long_s is None else alternative.long_s
            for alternative, span in zip(self.alternatives, self._table.spans, strict=True)
            if more & span
        )


@lru_cache(maxsize=4)
def compile_digit_map(text: str) -> DigitMap:
    """Parse a digit map: alternatives between parentheses, divided by '|'; blanks mean nothing, nor does case.

    An alternative is a row of positions:

    - a key, 0 to 9, *, #, A to D; `x`, any digit; `[1-5*]`, one of these;
    - `.` behind one: any number of it, also none;
    - `<a:b>`: who dials a means b; either may be empty;
    - `,`: the dial tone goes on;
    - at its end `T`: wait for the short timer before dialling; `!`: nobody may call this;
    - `S2`, `L20`: its own short and long timer, in seconds; `P5`, in front of a substitution alone: a hot line.

    `S:2,` and `L:20,` before the parentheses set the timers of all. Raises DigitMapError.
    """
    return _Parser(text).parse()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text.lower()
        self._at = 0

    def parse(self) -> DigitMap:
        if not self._text.isascii():
            odd = next(at for at, char in enumerate(self._text) if not char.isascii())
            raise _error("this character means nothing", odd, f"Use the keys {_KEYS.upper()}, and x [ ] . < : > , T !")
        if len(self._text) > LONGEST_MAP:
            raise DigitMapError(f"is longer than {LONGEST_MAP} characters", "Leave out what other alternatives cover.")
        short_s, long_s = self._timers()
        bracketed = self._takes("(")
        alternatives = [self._alternative()]
        while self._takes("|"):
            alternatives.append(self._alternative())
        if bracketed and not self._takes(")"):
            raise self._wrong("'(' without ')'", "End the map with ')'.")
        if self._next():
            raise self._wrong(f"'{self._next()}' behind the end", "Put all alternatives between '(' and ')'.")
        return DigitMap(tuple(alternatives), short_s, long_s)

    def _wrong(self, what: str, cure: str, at: int | None = None) -> DigitMapError:
        return _error(what, self._at if at is None else at, cure)

    def _next(self) -> str:
        """The character to come, blanks passed over; empty at the end."""
        while self._text[self._at : self._at + 1] in tuple(_BLANKS):
            self._at += 1
        return self._text[self._at : self._at + 1]

    def _takes(self, char: str) -> bool:
        taken = self._next() == char
        self._at += taken
        return taken

    def _timers(self) -> tuple[float, float]:
        """What stands before the parentheses: S:3, and L:10, in any order."""
        found = {"s": SHORT_S, "l": LONG_S}
        while self._next() in tuple(found) and self._text[self._at + 1 : self._at + 2] == ":":
            name = self._next()
            self._at += 2
            found[name] = self._seconds(name)
            if not self._takes(","):
                raise self._wrong("a timer without a comma behind it", f"Write {name.upper()}:5,( and the map.")
        return found["s"], found["l"]

    def _seconds(self, name: str) -> float:
        start = self._at
        while self._text[self._at : self._at + 1] in tuple(_DIGITS):
            self._at += 1
        digits = self._text[start : self._at]
        if not digits or len(digits) > 3 or int(digits) > LONGEST_TIMER_S:
            raise self._wrong(
                f"'{name.upper()}' without its seconds", f"Write 0 to {LONGEST_TIMER_S} behind it.", start
            )
        return float(digits)

    def _alternative(self) -> _Alternative:
        begin = self._at
        steps: list[_Step] = []
        timers: dict[str, float] = {}
        ended = ""
        while (char := self._next()) and char not in "|)":
            at = self._at
            if char in "slp":
                self._at += 1
                timers[char] = self._seconds(char)
            elif char in "t!":
                self._at += 1
                ended += char
            elif ended:
                raise self._wrong(
                    f"'{char}' behind '{ended[-1].upper()}'", f"'{ended[-1].upper()}' ends an alternative."
                )
            else:
                steps.extend(self._steps(char))
            if "p" in timers and any(step.keys for step in steps):
                raise self._wrong("'P' beside digits", "A hot line dials by itself: (P5<:030123456>|…).", at)
        if not steps:
            raise self._wrong(
                "an alternative without digits", "Write what may be dialled there, or leave it out.", begin
            )
        short_s = timers.get("p", timers.get("s"))
        return _Alternative(tuple(steps), "!" in ended, "t" in ended, short_s, timers.get("l"))

    def _steps(self, char: str) -> Iterator[_Step]:
        if char == ",":
            self._at += 1
            yield _Step(tone=True)
        elif char == "<":
            yield from self._substitution()
        else:
            yield self._position(kept=True)

    def _substitution(self) -> Iterator[_Step]:
        opened = self._at
        self._at += 1
        while (char := self._next()) and char not in ":>":
            yield self._position(kept=False)
        if not self._takes(":"):
            raise self._wrong("'<' without ':'", "Write <dialled:passed on>, as in <9:>.", opened)
        insert = ""
        while (char := self._next()) and char in _PASSED_ON:
            insert += char
            self._at += 1
        if not self._takes(">"):
            what = f"'{char}' in what is passed on" if char else "'<' without '>'"
            raise self._wrong(what, "Between ':' and '>' stand digits, '*', '#' or '+'.", self._at if char else opened)
        yield _Step(insert=insert)

    def _position(self, *, kept: bool) -> _Step:
        char = self._next()
        if char == "[":
            keys = self._set()
        elif char in _KEYS or char == "x":
            self._at += 1
            keys = _DIGITS if char == "x" else char
        elif char == ".":
            raise self._wrong("'.' has nothing to repeat", "Put a digit, x or [ ] before it.")
        else:
            raise self._wrong(f"'{char}' means nothing here", f"Use the keys {_KEYS.upper()}, and x [ ] . < : > , T !")
        return _Step(keys, repeated=self._takes("."), kept=kept)

    def _set(self) -> str:
        opened = self._at
        self._at += 1
        keys = ""
        while (char := self._next()) != "]":
            if char == ",":
                self._at += 1
                continue
            low = high = self._key(opened)
            if self._takes("-"):
                self._next()
                high = self._key(opened)
            if _KEYS.index(low) > _KEYS.index(high):
                raise self._wrong(f"the range {low}-{high} is empty", f"Turn it round: {high}-{low}.", opened)
            keys += _KEYS[_KEYS.index(low) : _KEYS.index(high) + 1]
        self._at += 1
        if not keys:
            raise self._wrong("'[]' holds no key", "Name the keys, as in [2-9].", opened)
        return keys

    def _key(self, opened: int) -> str:
        char = self._text[self._at : self._at + 1]
        if not char:
            raise self._wrong("'[' without ']'", "Close it, as in [2-9].", opened)
        if char not in _KEYS:
            raise self._wrong(f"'{char}' is no key", f"Between '[' and ']' stand keys, {_KEYS.upper()}, and ranges.")
        self._at += 1
        return char


def _error(what: str, at: int, cure: str) -> DigitMapError:
    return DigitMapError(f"{what}, at character {at + 1}", cure)
