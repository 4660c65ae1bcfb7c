# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The parts of a telephone, which of them it has, and what a test finds out about each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Part(StrEnum):
    """What is tested, in this order."""

    KEYS = "keys"
    HOOK = "hook switch"
    DIAL = "dial"
    LAMPS = "lamps"
    DISPLAY = "display"
    MIXER = "mixer"
    EAR = "ear"
    BELL = "bell"
    MICROPHONE = "microphone"
    DELAY = "delay"


class Verdict(StrEnum):
    WORKS = "works"
    BROKEN = "does not work"
    ABSENT = "not there"
    UNTESTED = "not tested"


@dataclass(frozen=True, slots=True)
class Finding:
    """What came out for one part: sentences for the person, and what was measured, for programs."""

    part: Part
    verdict: Verdict
    notes: tuple[str, ...] = ()
    facts: Mapping[str, str | float] = field(default_factory=dict)


class Picture(StrEnum):
    """What is shown to find dots that are dark, lit, or in another place."""

    ALL_ON = "all on"
    ALL_OFF = "all off"
    CHESSBOARD = "chessboard"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Equipment:
    """The parts of this telephone. `keys` are legends with the pins they join, 'gpio5-gpio12', or nothing of them;
    `hook` is a pin, or empty where no pin is known. `lamps` are those of Lamps there are."""

    keys: tuple[tuple[str, str], ...] = ()
    hook: str = ""
    dial: bool = False
    lamps: tuple[str, ...] = ()
    display: bool = False
    mixer: bool = False
    voice: bool = False
    bell: bool = False

    @property
    def parts(self) -> tuple[Part, ...]:
        """What can be tested of it. Every telephone has a hook switch."""
        there = {
            Part.KEYS: bool(self.keys),
            Part.HOOK: True,
            Part.DIAL: self.dial,
            Part.LAMPS: bool(self.lamps),
            Part.DISPLAY: self.display,
            Part.MIXER: self.mixer,
            Part.EAR: self.voice,
            Part.BELL: self.bell,
            Part.MICROPHONE: self.voice,
            Part.DELAY: self.voice,
        }
        return tuple(part for part in Part if there[part])
