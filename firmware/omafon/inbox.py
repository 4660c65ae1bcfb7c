# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The only way in: any thread posts an event, the loop takes it, stamped with the time."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from omafon.core.events import ClockChanged, Event

# A system clock that says less than this was never set: the firmware is younger. (A Pi has no battery clock.)
_MADE = Path(__file__).stat().st_mtime


class Inbox:
    """Brings events from every thread to `take(event, now)` on the loop, in the order they were posted."""

    def __init__(self, loop: asyncio.AbstractEventLoop, take: Callable[[Event, float], None]) -> None:
        self._loop = loop
        self._take = take
        self._clock = ClockChanged(0.0, 0, trusted=False)

    def post(self, event: Event) -> None:
        """Hand an event to the house. Any thread, any time; after the house has closed it is nobody's."""
        try:
            self._loop.call_soon_threadsafe(self._receive, event)
        except RuntimeError:  # the loop is closed: the phone has ended
            return

    def _receive(self, event: Event) -> None:
        now = time.monotonic()
        clock = _wall_clock(now)
        moved = abs(clock.offset_s - self._clock.offset_s) > 0.5
        if moved or (clock.zone_s, clock.trusted) != (self._clock.zone_s, self._clock.trusted):
            self._clock = clock
            self._take(clock, now)
        self._take(event, now)


def _wall_clock(now: float) -> ClockChanged:
    unix = time.time()
    return ClockChanged(unix - now, time.localtime(unix).tm_gmtoff, trusted=unix > _MADE - 86400.0)
