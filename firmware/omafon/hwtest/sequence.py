# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""From part to part: a person's answers and what the apparatus tells go in, words and wishes to the apparatus come out.

Each part has a script, a generator that yields what is to be done and is sent what has happened since. Nothing here
touches anything or knows a clock.
"""

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from omafon.core.hardware import Finding, Part, Picture, Verdict

# What has happened.


@dataclass(frozen=True, slots=True)
class Answered:
    """The person has typed a line."""

    words: str = ""


@dataclass(frozen=True, slots=True)
class Left:
    """The person has had enough."""


@dataclass(frozen=True, slots=True)
class TimePassed:
    """Nothing else has happened for as long as was to be waited."""


@dataclass(frozen=True, slots=True)
class Contacts:
    """Which pins are joined with ground by closed contacts, and which pairs of the others with each other."""

    grounded: frozenset[str] = frozenset()
    joined: frozenset[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Dialled:
    """The dial came back to rest after a digit."""

    digit: str


@dataclass(frozen=True, slots=True)
class Heard:
    """The microphone's level over the last quarter of a second, in dB of full scale."""

    level_db: float


@dataclass(frozen=True, slots=True)
class Measured:
    """How long a sound takes from the card to the card, besides its buffers; None when it did not come back."""

    delay_ms: float | None


@dataclass(frozen=True, slots=True)
class Finished:
    """What the apparatus was asked for is done."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The part cannot be used: why, and a cure, each one sentence."""

    what: str
    cure: str = ""


Event: TypeAlias = Answered | Left | TimePassed | Contacts | Dialled | Heard | Measured | Finished | Failed


# What is to be done.


class Sound(StrEnum):
    TONE = "tone"  # to the ear
    SWEEP = "sweep"  # through the bell
    RECORDING = "recording"  # the last one, to the ear


@dataclass(frozen=True, slots=True)
class Say:
    line: str = ""


@dataclass(frozen=True, slots=True)
class WatchContacts:
    """Tell Contacts, now and whenever they change."""


@dataclass(frozen=True, slots=True)
class WatchDial:
    """Tell Dialled, with the telephone's own ear for pulses."""


@dataclass(frozen=True, slots=True)
class Light:
    """Let this lamp of core.screen.Lamps alone shine."""

    lamp: str


@dataclass(frozen=True, slots=True)
class Show:
    picture: Picture


@dataclass(frozen=True, slots=True)
class SetMixers:
    """Set them as the telephone does, and tell Finished or Failed."""


@dataclass(frozen=True, slots=True)
class Play:
    """Play, and tell Finished."""

    sound: Sound


@dataclass(frozen=True, slots=True)
class Record:
    """Record for two seconds, telling Heard again and again, then Finished."""


@dataclass(frozen=True, slots=True)
class MeasureDelay:
    """Tell Measured."""


@dataclass(frozen=True, slots=True)
class Rest:
    """Stop all that was begun, and forget what it had to tell."""


Wish: TypeAlias = Say | WatchContacts | WatchDial | Light | Show | SetMixers | Play | Record | MeasureDelay | Rest


@dataclass(frozen=True, slots=True)
class Turn:
    """Do `wishes` in their order, then wait for the next event, or `wait_s` seconds if it is not None."""

    wishes: tuple[Wish, ...] = ()
    wait_s: float | None = None


Script: TypeAlias = Generator[Turn, Event, Finding]


@dataclass(frozen=True, slots=True)
class Step:
    """The test of one part; a part without a script is not there."""

    part: Part
    script: Callable[[], Script] | None


class Session:
    """One walk through all parts. It is 'over' when `over` says so; `findings` hold what is known until now."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self.findings = {
            step.part: Finding(step.part, Verdict.UNTESTED if step.script else Verdict.ABSENT) for step in steps
        }
        self.over = False
        self._steps = [step for step in steps if step.script]
        self._at = -1
        self._script: Script | None = None

    def begin(self) -> Turn:
        """What to do first."""
        hint = "Type s to skip a part, r to do it again, each with Enter. Ctrl-C ends the test."
        return _joined((Say(hint),), self._advance())

    def take(self, event: Event) -> Turn:
        """What to do now that `event` has happened."""
        if self.over:
            return Turn()
        match event:
            case Left():
                self._leave_script()
                self.over = True
                return Turn((Rest(),))
            case Answered("s"):
                self._leave_script()
                return _joined((Rest(), Say("  skipped")), self._advance())
            case Answered("r"):
                self._leave_script()
                return _joined((Rest(),), self._enter())
            case Failed(what, cure) if self._script is not None:
                self._leave_script()
                notes = (what, cure) if cure else (what,)
                return self._conclude(Finding(self._part, Verdict.BROKEN, notes))
            case Answered() if self._script is None:
                return self._advance()
        return Turn() if self._script is None else self._go_on(self._script, event)

    @property
    def _part(self) -> Part:
        return self._steps[self._at].part

    def _advance(self) -> Turn:
        self._at += 1
        if self._at < len(self._steps):
            return self._enter()
        self.over = True
        return Turn()

    def _enter(self) -> Turn:
        make = self._steps[self._at].script
        assert make is not None
        self.findings[self._part] = Finding(self._part, Verdict.UNTESTED)
        self._script = make()
        heading = f"{self._at + 1}/{len(self._steps)}  {self._part.capitalize()}"
        return _joined((Say(), Say(heading)), self._go_on(self._script, None))

    def _go_on(self, script: Script, event: Event | None) -> Turn:
        try:
            return next(script) if event is None else script.send(event)
        except StopIteration as end:
            self._script = None
            return self._conclude(end.value)

    def _conclude(self, finding: Finding) -> Turn:
        self.findings[finding.part] = finding
        lines = (f"  {finding.part}: {finding.verdict}", *(f"  {note}" for note in finding.notes))
        told: tuple[Wish, ...] = (Rest(), *map(Say, lines))
        if finding.verdict is Verdict.WORKS:
            return _joined(told, self._advance())
        return Turn((*told, Say("Enter to go on, r to do it again.")))

    def _leave_script(self) -> None:
        if self._script is not None:
            self._script.close()
            self._script = None


def _joined(before: Iterable[Wish], turn: Turn) -> Turn:
    return Turn((*before, *turn.wishes), turn.wait_s)
