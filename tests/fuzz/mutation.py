# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Record sets gone wrong: what tests know to be interesting, changed at random, and what did something new kept."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from omafon.core.naptr import Followed, NaptrRecord
from tests.lab.enum_vectors import vectors

MOST_RECORDS = 6
_TEXTS = ("flags", "services", "regexp", "replacement")
_CHARACTERS = "!^$.*+?()[]{}|\\/:;@,=%#<>\"' 0123456789+-_~&abcsip\r\n\0\x1b\x7f\xa0é\u202e\U0001f600\ud800"
_PIECES = (
    *(
        "!",
        "!!",
        "\\!",
        "^.*$",
        "^(.*)$",
        "(.*)*",
        "(.?)*",
        ".{1,9}",
        "{2}",
        "{255}",
        "{1,",
        "[0-9]",
        "[[:digit:]]",
        "[^",
    ),
    *("\\1", "\\9", "\\0", "\\\\", "\\+", "(", ")", "(|", "|", "$", "^*", "+46", "\\d", "i", "I"),
    *("sip:", "sips:", "sip:\\1@example.net", "tel:\\1", "tel:+49", "mailto:a@b", "http://", "data:,x", "urn:x"),
    *(";method=BYE", "?Replaces=x", ";transport=tls", ";phone-context=+49", ";enumdi", ";m-x", "%00", "%0d%0a", "#x"),
    *("@[::1]", "@[::1::2]", "@127.0.0.1", "@300.1.1.1", ":99999", ":0", "user:secret@", "@a..b", "\r\nVia: x"),
    *(
        "E2U",
        "E2U+",
        "+E2U",
        "E2U+sip",
        "E2U+P-x",
        "E2U+x-y",
        "e2u+SIP+email:mailto",
        "E2U+pstn:tel",
        "u",
        "U",
        "s",
        "",
    ),
    *("a.example.", "b.example.", "A.EXAMPLE", ".", "3.8.example."),
)
_NUMBERS = (0, 1, 10, 100, 32767, 32768, 65535)


def _rule(ere: str, target: str = "sip:oma@example.net") -> NaptrRecord:
    return NaptrRecord(100, 10, "u", "E2U+sip", f"!{ere}!{target}!", ".")


def _pointer(name: str) -> NaptrRecord:
    return NaptrRecord(100, 10, "", "", "", name)


_PLAIN = _rule("^.*$")
_HOSTILE = (
    "((.*)*)*[x-z]$",
    "(.*)" * 50,
    "(.?)*" * 40,
    ".*" * 100,
    "(" * 30 + "." + "{1,9})" * 30,
    "(" * 39 + "." + ")" * 39,
)


@dataclass(frozen=True)
class Case:
    """What the DNS says in one case: the answer for the number, and for two names that records may point to."""

    records: tuple[NaptrRecord, ...]
    a: tuple[NaptrRecord, ...] = ()
    b: tuple[NaptrRecord, ...] | None = None

    @property
    def followed(self) -> Followed:
        return (("a.example.", self.a), ("b.example.", self.b))


_RING = Case((_pointer("a.example."), _PLAIN), (_pointer("b.example."),), (_pointer("a.example."), _PLAIN))
_FAN = Case((_pointer("a.example."),) * 6, (_rule("^(.*)$", "tel:" + "\\1" * 99), *(_PLAIN,) * 19))


class Mutator:
    """An endless source of cases, the same for the same `seed`."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        known = [Case(vector.records[:MOST_RECORDS]) for vector in vectors() if vector.records]
        self._seeds = known + [Case((_rule(hostile), _PLAIN)) for hostile in _HOSTILE] + [_RING, _FAN]
        self._corpus = list(self._seeds)
        self._seen: set[object] = set()

    def case(self) -> Case:
        chance = self._random
        # What went far is changed further; but a set in which nothing is right any more teaches nothing.
        case = chance.choice(self._corpus if chance.random() < 0.4 else self._seeds)
        records = self._mutated(case.records)
        if chance.random() < 0.1:
            case = replace(case, a=self._mutated(chance.choice(self._corpus).records))
        if chance.random() < 0.05:
            case = replace(case, b=self._mutated(case.records) if case.b is None else None)
        return replace(case, records=records)

    def did(self, case: Case, behaviour: object) -> None:
        """Keep a case whose `behaviour` is new: its mutants may go further."""
        if behaviour not in self._seen:
            self._seen.add(behaviour)
            self._corpus.append(case)

    @property
    def behaviours(self) -> int:
        return len(self._seen)

    def _mutated(self, records: Sequence[NaptrRecord]) -> tuple[NaptrRecord, ...]:
        chance = self._random
        changed = list(records)
        for _ in range(chance.choice((1, 1, 2, 3))):
            what = chance.random()
            if what < 0.1 or not changed:
                changed.append(chance.choice(chance.choice(self._corpus).records or (_PLAIN,)))
            elif what < 0.15:
                changed.pop(chance.randrange(len(changed)))
            else:
                at = chance.randrange(len(changed))
                changed[at] = self._record(changed[at])
        return tuple(changed[-MOST_RECORDS:])

    def _record(self, record: NaptrRecord) -> NaptrRecord:
        chance = self._random
        where = chance.choices((*_TEXTS, "order", "preference"), (1, 2, 9, 1, 1, 1))[0]
        if where in ("order", "preference"):
            return replace(record, **{where: chance.choice(_NUMBERS)})
        return replace(record, **{where: self._text(getattr(record, where))[:300]})

    def _text(self, text: str) -> str:
        chance = self._random
        at = chance.randint(0, len(text))
        to = min(len(text), at + chance.choice((0, 0, 1, 1, 2, 8)))
        changes: tuple[Callable[[], str], ...] = (
            lambda: text[:at] + chance.choice(_CHARACTERS) + text[to:],
            lambda: text[:at] + chance.choice(_PIECES) + text[to:],
            lambda: text[:at] + text[to:],
            lambda: text[:at] + text[at:to] * chance.choice((2, 3, 40)) + text[to:],
            lambda: text[:at] + chance.choice(_PIECES) * chance.choice((2, 5, 60)) + text[to:],
            lambda: text[to:] + text[:to],
        )
        return chance.choices(changes, (4, 6, 2, 1, 1, 1))[0]()
