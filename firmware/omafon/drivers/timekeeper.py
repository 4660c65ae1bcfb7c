# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Notices that somebody has set the system's clock: the kernel tells the moment it jumps (timerfd_create(2))."""

import asyncio
import ctypes
import os
import time
from collections.abc import Callable
from contextlib import suppress

from omafon.clock import WallClock, system_clock

LOOK_S = 2.0
"""So often a clock is looked at that is not set yet: what the kernel says is not all there is to it."""

_CANCEL_ON_SET = 3  # TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET
_FAR_S = 10 * 365 * 86_400


class Timekeeper:
    """Calls `look` on the loop when the clock was set, and every LOOK_S while it is not."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, look: Callable[[], None], wall_clock: WallClock = system_clock
    ) -> None:
        self._loop = loop
        self._look = look
        self._wall_clock = wall_clock
        self._libc = ctypes.CDLL(None)
        self._jumps: int | None = None
        self._next: asyncio.TimerHandle | None = None

    def open(self) -> None:
        descriptor = int(self._libc.timerfd_create(time.CLOCK_REALTIME, os.O_NONBLOCK | os.O_CLOEXEC))
        if descriptor >= 0:
            self._jumps = descriptor
            self._arm()
            self._loop.add_reader(descriptor, self._jumped)
        self._tick()

    def close(self) -> None:
        if self._next is not None:
            self._next.cancel()
        if self._jumps is not None:
            self._loop.remove_reader(self._jumps)
            os.close(self._jumps)
            self._jumps = None

    def _arm(self) -> None:
        """A timer for a time so far away that it never comes: what it tells is that it was cancelled."""
        # struct itimerspec: interval and value, seconds and nanoseconds each.
        never = (ctypes.c_long * 4)(0, 0, int(time.time()) + _FAR_S, 0)
        self._libc.timerfd_settime(self._jumps, _CANCEL_ON_SET, ctypes.byref(never), None)

    def _jumped(self) -> None:
        assert self._jumps is not None
        with suppress(OSError):  # ECANCELED is the news itself
            os.read(self._jumps, 8)
        self._arm()
        self._look()

    def _tick(self) -> None:
        self._look()
        self._next = None if self._wall_clock().is_set else self._loop.call_later(LOOK_S, self._tick)
