# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Feeds a voice into a virtual handset's mouth in time."""

import threading
from array import array
from collections.abc import Callable

from omafon.sim.soundcard.ring import RATE_HZ, Pcm, frame_now

TICK_S = 0.1
LEAD_FRAMES = RATE_HZ * 4 // 10
"""How far ahead the mouth is filled: a thread that is kept waiting 300 ms is not heard."""

Feed = Callable[[Pcm, int], object]
"""Says frames at a time: `feed(pcm, at)`."""


class Mouth:
    """Says `pcm` without end (or once), from now on, on a thread of its own; `close` falls silent at once."""

    def __init__(self, feed: Feed, pcm: Pcm, *, loop: bool = True, name: str = "") -> None:
        if not pcm:
            raise ValueError("there is nothing to say")
        self._feed = feed
        self._pcm = pcm
        self._loop = loop
        # A moment from now, for the first frames to be written before they sound.
        self._start = self._fed = frame_now() + RATE_HZ // 100
        self._closing = threading.Event()
        self._fill()
        self._thread = threading.Thread(target=self._run, name=f"mouth {name}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        self._thread.join()
        now = frame_now()
        if self._fed > now:
            self._feed(array("h", bytes(2 * (self._fed - now))), now)

    def _run(self) -> None:
        while not self._closing.wait(TICK_S) and (self._loop or self._fed < self._start + len(self._pcm)):
            self._fill()

    def _fill(self) -> None:
        now = frame_now()
        # After a stall what was not said in its time is left out: the voice keeps to the clock.
        at = max(self._fed, now)
        end = now + LEAD_FRAMES
        while at < end:
            turn, position = divmod(at - self._start, len(self._pcm))
            if turn and not self._loop:
                break
            piece = self._pcm[position : position + end - at]
            self._feed(piece, at)
            at += len(piece)
        self._fed = at
