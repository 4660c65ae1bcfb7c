# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The only way in: any thread posts an event, the loop takes it, stamped with the time."""

import asyncio
import time
from collections.abc import Callable

from omafon.clock import WallClock, system_clock
from omafon.core.events import ClockChanged, Event


class Inbox:
    """Brings events from every thread to `take(event, now)` on the loop, in the order they were posted."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        take: Callable[[Event, float], None],
        wall_clock: WallClock = system_clock,
    ) -> None:
        self._loop = loop
        self._wall_clock = wall_clock
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
        self._look(now)
        self._take(event, now)

    def look(self) -> None:
        """Tell the house if the clock was set. On the loop."""
        self._look(time.monotonic())

    def _look(self, now: float) -> None:
        seen = self._wall_clock()
        clock = ClockChanged(seen.unix - now, time.localtime(seen.unix).tm_gmtoff, trusted=seen.is_set)
        moved = abs(clock.offset_s - self._clock.offset_s) > 0.5
        if moved or (clock.zone_s, clock.trusted) != (self._clock.zone_s, self._clock.trusted):
            self._clock = clock
            self._take(clock, now)
