# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""POSIX extended regular expressions with exact captures and a bounded cost, for the short subjects of ENUM.

Leftmost-longest, captures by the subpattern rule of POSIX (IEEE 1003.1 section 9, and `regexec`). What the standard
leaves undefined is refused with its reason, since every engine answers it differently. Nothing backtracks: a node of
the expression becomes a relation between the places of the subject, and each relation is computed once.
"""

from dataclasses import dataclass

LONGEST_PATTERN = 255
"""Octets of a DNS <character-string> (RFC 1035 section 3.3)."""

LONGEST_SUBJECT = 32
DEEPEST_NESTING = 40
MOST_REPEATS = 255
"""RE_DUP_MAX of POSIX."""


class EreError(ValueError):
    """The pattern is no ERE, or POSIX does not define what it means."""


class TooCostly(Exception):
    """The pattern or the subject would cost more than it may."""


class Budget:
    """Steps that matching may still take: an upper bound of its time, shared by all that matches with it.

    A step is one operation on a relation, 0.2 to 5 µs on a desktop machine.
    """

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def spend(self, steps: int) -> None:
        """Take `steps` away; raises TooCostly when so many are not left."""
        self.steps -= steps
        if self.steps < 0:
            raise TooCostly("the regular expression takes too long to match")


@dataclass(frozen=True, slots=True)
class Match:
    """What was found. `spans[0]` is the whole match, `spans[n]` group n, None when the group took no part."""

    subject: str
    spans: tuple[tuple[int, int] | None, ...]

    def group(self, number: int) -> str:
        """The text of group `number`, empty when it took no part (RFC 3402 section 3.2)."""
        span = self.spans[number]
        return self.subject[span[0] : span[1]] if span else ""


# The tree of an expression. Nodes are compared by identity: the same text at two places is two nodes.


@dataclass(frozen=True, slots=True, eq=False)
class _Chars:
    """One character out of `ranges`, or out of all others."""

    ranges: tuple[tuple[str, str], ...]
    negated: bool = False

    def holds(self, char: str) -> bool:
        return any(low <= char <= high for low, high in self.ranges) is not self.negated


@dataclass(frozen=True, slots=True, eq=False)
class _Anchor:
    at_end: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    number: int
    body: "_Node"


@dataclass(frozen=True, slots=True, eq=False)
class _Sequence:
    items: "tuple[_Node, ...]"


@dataclass(frozen=True, slots=True, eq=False)
class _Choice:
    branches: "tuple[_Node, ...]"


@dataclass(frozen=True, slots=True, eq=False)
class _Repeat:
    """`body` from `low` to `high` times (None: any number)."""

    body: "_Chars | _Group"
    low: int
    high: int | None


_Node = _Chars | _Anchor | _Group | _Sequence | _Choice | _Repeat


@dataclass(frozen=True, slots=True, eq=False)
class Ere:
    """A parsed expression with `groups` capturing groups."""

    root: _Node
    groups: int

    def search(self, subject: str, budget: Budget) -> Match | None:
        """The leftmost of the longest matches in `subject`, or None.

        Raises TooCostly when `budget` runs out, or the subject is longer than LONGEST_SUBJECT.
        """
        if len(subject) > LONGEST_SUBJECT:
            raise TooCostly(f"more than {LONGEST_SUBJECT} characters to search in")
        return _Search(subject, self.groups, budget).run(self.root)


def compile_ere(pattern: str) -> Ere:
    """Parse `pattern` strictly.

    Raises EreError where it is no ERE or not defined by POSIX, TooCostly where it is too long or too deeply nested.

    >>> compile_ere(r"^\\+(44|441)(632|1632)?(.*)$").search("+441632960083", Budget(1000)).group(2)
    '632'
    """
    if len(pattern) > LONGEST_PATTERN:
        raise TooCostly(f"more than {LONGEST_PATTERN} characters of regular expression")
    return _Parser(pattern).parse()


_CLASSES: dict[str, tuple[tuple[str, str], ...]] = {
    "alnum": (("0", "9"), ("A", "Z"), ("a", "z")),
    "alpha": (("A", "Z"), ("a", "z")),
    "blank": ((" ", " "), ("\t", "\t")),
    "cntrl": (("\0", "\x1f"), ("\x7f", "\x7f")),
    "digit": (("0", "9"),),
    "graph": (("!", "~"),),
    "lower": (("a", "z"),),
    "print": ((" ", "~"),),
    "punct": (("!", "/"), (":", "@"), ("[", "`"), ("{", "~")),
    "space": ((" ", " "), ("\t", "\r")),
    "upper": (("A", "Z"),),
    "xdigit": (("0", "9"), ("A", "F"), ("a", "f")),
}
"""Of the POSIX locale: an ENUM rule means the same everywhere (RFC 3403 section 3)."""

_REPEATING = "*+?{"
_GNU_ESCAPES = "<>`'"


class _Parser:
    """Recursive descent over the grammar of IEEE 1003.1 section 9.5.3."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._groups = 0
        self._depth = 0

    def parse(self) -> Ere:
        root = self._choice()
        if self._at < len(self._pattern):
            raise self._error("')' without '('")
        return Ere(root, self._groups)

    def _error(self, what: str) -> EreError:
        return EreError(f"{what} at character {self._at + 1}")

    def _next(self) -> str:
        """The character to come, empty at the end."""
        return self._pattern[self._at : self._at + 1]

    def _choice(self) -> _Node:
        branches = [self._sequence()]
        while self._next() == "|":
            self._at += 1
            branches.append(self._sequence())
        return branches[0] if len(branches) == 1 else _Choice(tuple(branches))

    def _sequence(self) -> _Node:
        items: list[_Node] = []
        while self._next() not in ("", "|", ")"):
            items.append(self._repeated())
        if not items:
            stray = self._next() == ")" and not self._depth
            raise self._error("')' without '('" if stray else "an empty alternative is not defined")
        return items[0] if len(items) == 1 else _Sequence(tuple(items))

    def _repeated(self) -> _Node:
        atom = self._atom()
        if not self._next() or self._next() not in _REPEATING:
            return atom
        if isinstance(atom, _Anchor):
            raise self._error("repeating an anchor is not defined")
        low, high = self._count()
        if self._next() and self._next() in _REPEATING:
            raise self._error("repeating twice is not defined")
        return _Repeat(atom, low, high)

    def _count(self) -> tuple[int, int | None]:
        sign = self._next()
        if sign != "{":
            self._at += 1
            return {"*": (0, None), "+": (1, None), "?": (0, 1)}[sign]
        end = self._pattern.find("}", self._at)
        first, comma, second = self._pattern[self._at + 1 : max(end, 0)].partition(",")
        if not _is_count(first) or not (_is_count(second) or not second):
            raise self._error("'{' without a count")
        low = int(first)
        high = (int(second) if second else None) if comma else low
        if max(low, high or 0) > MOST_REPEATS or (high is not None and low > high):
            raise self._error("a count out of range")
        self._at = end + 1
        return low, high

    def _atom(self) -> _Chars | _Anchor | _Group:
        char = self._next()
        match char:
            case "(":
                return self._group()
            case "[":
                return self._bracket()
            case "\\":
                return self._escaped()
            case "*" | "+" | "?" | "{":
                raise self._error(f"'{char}' has nothing to repeat")
            case _:
                self._at += 1
        match char:
            case "^" | "$":
                return _Anchor(at_end=char == "$")
            case ".":
                return _Chars((), negated=True)
            case _:
                return _Chars(((char, char),))

    def _group(self) -> _Group:
        self._at += 1
        self._groups += 1
        number = self._groups
        self._depth += 1
        if self._depth > DEEPEST_NESTING:
            raise TooCostly(f"more than {DEEPEST_NESTING} groups within each other")
        body = self._choice()
        if self._next() != ")":
            raise self._error("'(' without ')'")
        self._at += 1
        self._depth -= 1
        return _Group(number, body)

    def _escaped(self) -> _Chars:
        char = self._pattern[self._at + 1 : self._at + 2]
        if not "!" <= char <= "~" or char.isalnum() or char in _GNU_ESCAPES:
            raise self._error(f"'\\{char if char.isprintable() else ''}' is not defined")
        self._at += 2
        return _Chars(((char, char),))

    def _bracket(self) -> _Chars:
        self._at += 1
        negated = self._next() == "^"
        self._at += negated
        first = self._at
        ranges: list[tuple[str, str]] = []
        while self._next() != "]" or self._at == first:
            if self._pattern.startswith("[:", self._at):
                ranges.extend(self._class())
                continue
            if self._next() == "-" and self._at > first and not self._last_of_bracket():
                raise self._error("'-' in the middle of brackets is not defined")
            low = high = self._element()
            if self._next() == "-" and not self._last_of_bracket():
                self._at += 1
                high = self._element()
            if low > high:
                raise self._error(f"the range {low}-{high} is empty")
            ranges.append((low, high))
        self._at += 1
        return _Chars(tuple(ranges), negated)

    def _last_of_bracket(self) -> bool:
        return self._pattern[self._at + 1 : self._at + 2] in ("", "]")

    def _class(self) -> tuple[tuple[str, str], ...]:
        name = self._named(":")
        if name not in _CLASSES:
            raise self._error(f"[:{name}:] is no character class")
        return _CLASSES[name]

    def _element(self) -> str:
        for kind in ".=":
            if self._pattern.startswith(f"[{kind}", self._at):
                name = self._named(kind)
                if len(name) != 1:
                    raise self._error(f"[{kind}{name}{kind}] is not a character everywhere")
                return name
        if self._pattern.startswith("[:", self._at):
            raise self._error("a character class cannot end a range")
        char = self._next()
        if not char:
            raise self._error("'[' without ']'")
        self._at += 1
        return char

    def _named(self, kind: str) -> str:
        end = self._pattern.find(f"{kind}]", self._at + 2)
        if end < 0:
            raise self._error(f"'[{kind}' without '{kind}]'")
        name = self._pattern[self._at + 2 : end]
        self._at = end + 2
        return name


def _is_count(text: str) -> bool:
    return len(text) <= 3 and text.isascii() and text.isdigit()


class _Search:
    """One expression over one subject.

    A *place* is a position between characters, 0 to len(subject). A set of places is an int of `width` bits. A
    relation, which says from which place a node leads to which, is one int as well: row `i`, the places reached from
    place i, lies at bit `i * width`. So a single character moves all rows with one `&` and one `<<`.
    """

    def __init__(self, subject: str, groups: int, budget: Budget) -> None:
        self._subject = subject
        self._budget = budget
        self._width = len(subject) + 1
        self._every = (1 << self._width) - 1
        # A one at every width-th bit, and at every (width + 1)-th.
        self._column = ((1 << self._width * self._width) - 1) // self._every
        self._identity = ((1 << self._width * (self._width + 1)) - 1) // ((1 << self._width + 1) - 1)
        self._relations: dict[_Node, int] = {}
        self._steps: dict[_Node, int] = {}
        self._spans: list[tuple[int, int] | None] = [None] * (groups + 1)

    def run(self, root: _Node) -> Match | None:
        relation = self._relation(root)
        if not relation:
            return None
        lowest = (relation & -relation).bit_length() - 1
        start = lowest // self._width
        end = self._row(relation, start).bit_length() - 1
        self._spans[0] = (start, end)
        self._capture(root, start, end)
        return Match(self._subject, tuple(self._spans))

    # Relations.

    def _row(self, relation: int, place: int) -> int:
        return relation >> place * self._width & self._every

    def _then(self, first: int, second: int) -> int:
        """From where `first` leads, on by `second`."""
        if first == self._identity:
            return second
        self._budget.spend(4)
        result = 0
        for place in range(self._width):
            if row := self._row(second, place):
                result |= (first >> place & self._column) * row
        return result

    def _places(self, node: _Chars | _Anchor) -> int:
        """The places at which a node of one character, or none, can begin."""
        places = self._steps.get(node)
        if places is None:
            self._budget.spend(1)
            if isinstance(node, _Anchor):
                places = 1 << (self._width - 1) * node.at_end
            else:
                places = sum(node.holds(char) << place for place, char in enumerate(self._subject))
            self._steps[node] = places
        return places

    def _onward(self, relation: int, node: _Node) -> int:
        """From where `relation` leads, on by `node`."""
        if isinstance(node, _Chars | _Anchor):
            self._budget.spend(1)
            return (relation & self._places(node) * self._column) << isinstance(node, _Chars)
        return self._then(relation, self._relation(node))

    def _relation(self, node: _Node) -> int:
        known = self._relations.get(node)
        if known is not None:
            return known
        match node:
            case _Group():
                relation = self._relation(node.body)
            case _Sequence():
                relation = self._identity
                for item in node.items:
                    relation = self._onward(relation, item)
            case _Choice():
                relation = 0
                for branch in node.branches:
                    relation |= self._relation(branch)
            case _Repeat(_Chars() as chars):
                relation = self._run(chars, node.low, node.high)
            case _Repeat():
                once = self._relation(node.body)
                least, more = self._counts(node)
                relation = self._then(self._power(once, least), self._power(once | self._identity, more))
            case _:
                relation = self._onward(self._identity, node)
        self._relations[node] = relation
        return relation

    def _run(self, chars: _Chars, low: int, high: int | None) -> int:
        """A character repeated: from each place on over as many as stand there in a row."""
        self._budget.spend(4)
        places = self._places(chars)
        relation = length = 0
        for place in reversed(range(self._width)):
            length = length + 1 if places >> place & 1 else 0
            most = length if high is None else min(length, high)
            if most >= low:
                relation |= ((1 << most - low + 1) - 1) << place * self._width + place + low
        return relation

    def _counts(self, node: _Repeat) -> tuple[int, int]:
        """How often at least, and how often more, capped where nothing new can happen.

        A chain of more than len(subject) steps must hold a step that does not move, and a step that does not move
        may be taken once more or once less.
        """
        more = self._width if node.high is None else min(node.high - node.low, self._width)
        return min(node.low, self._width), more

    def _power(self, relation: int, exponent: int) -> int:
        result = self._identity
        while exponent:
            if exponent & 1:
                result = self._then(result, relation)
            exponent >>= 1
            if exponent:
                relation = self._then(relation, relation)
        return result

    # Captures: each subpattern, from left to right, takes the longest that lets the rest still match.

    def _before(self, node: _Node, places: int) -> int:
        """The places from which `node` can lead into `places`."""
        if isinstance(node, _Anchor):
            return places & self._places(node)
        if isinstance(node, _Chars):
            return places >> 1 & self._places(node)
        self._budget.spend(2)
        relation = self._relation(node) & places * self._column
        return sum(1 << place for place in range(self._width) if self._row(relation, place))

    def _capture(self, node: _Node, start: int, end: int) -> None:
        """Note the groups of `node`, which is known to match from `start` to `end`."""
        match node:
            case _Group():
                self._spans[node.number] = (start, end)
                self._capture(node.body, start, end)
            case _Choice():
                fitting = (branch for branch in node.branches if self._row(self._relation(branch), start) >> end & 1)
                self._capture(next(fitting), start, end)
            case _Sequence():
                self._capture_sequence(node, start, end)
            case _Repeat(body=_Group()):
                self._capture_last(node, start, end)

    def _capture_sequence(self, node: _Sequence, start: int, end: int) -> None:
        places = 1 << end
        allowed = [places]
        for item in reversed(node.items[1:]):
            places = self._before(item, places)
            allowed.append(places)
        for item in node.items:
            reached = self._row(self._relation(item), start) & allowed.pop()
            stop = reached.bit_length() - 1
            self._capture(item, start, stop)
            start = stop

    def _capture_last(self, node: _Repeat, start: int, end: int) -> None:
        """Note the groups of the last repetition: what earlier ones captured is void (POSIX, `regexec`)."""
        once = self._relation(node.body)
        least, more = self._counts(node)
        most = least + more
        ahead = [1 << end]  # ahead[n]: places from which exactly n repetitions lead to the end
        for _ in range(most - 1):
            ahead.append(self._before(node.body, ahead[-1]))
        last = None
        done = 0
        while done < least or start < end:
            allowed = 0
            for left in range(max(0, least - done - 1), most - done):
                allowed |= ahead[left]
            stop = (self._row(once, start) & allowed).bit_length() - 1
            last = (start, stop)
            start = stop
            done += 1
        if last is None and most and self._row(once, start) >> start & 1:
            # "A null string shall be considered to be longer than no match at all."
            last = (start, start)
        if last is not None:
            self._capture(node.body, *last)
