# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The few things that outlive both calls and power cuts."""

from dataclasses import dataclass
from enum import StrEnum

from omafon.core.causes import Cause
from omafon.core.settings import Route


class Direction(StrEnum):
    OUT = "out"
    IN = "in"


@dataclass(frozen=True, slots=True)
class Tried:
    """A way that a call was tried on before, and why it did not go."""

    route: Route
    cause: Cause


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """A call of the past. `at` is Unix time of its beginning (0 when the clock was not set), `duration_s` of talk.

    `route` is how it went at last; `tried` says why it did not go otherwise.
    """

    direction: Direction
    number: str
    uri: str
    name: str
    route: Route
    at: float
    duration_s: float
    answered: bool
    cause: Cause
    seen: bool = True
    tried: tuple[Tried, ...] = ()

    @property
    def missed(self) -> bool:
        """An incoming call that nobody answered or declined, here or elsewhere."""
        settled = self.answered or self.cause in {Cause.ANSWERED_ELSEWHERE, Cause.DECLINED}
        return self.direction is Direction.IN and not settled


@dataclass(frozen=True, slots=True)
class Memory:
    """What the store keeps: the newest 100 calls first, and the volumes in percent."""

    history: tuple[HistoryEntry, ...] = ()
    handset_volume: int = 70
    ringer_volume: int = 80

    @property
    def missed(self) -> int:
        """How many missed calls the person has not looked at yet."""
        return sum(entry.missed and not entry.seen for entry in self.history)


HISTORY_LENGTH = 100
