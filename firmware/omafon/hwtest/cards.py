# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The sound cards: play, record, and measure how long a sound takes from the card to the card."""

import math
import statistics
import threading
import time
from array import array
from collections.abc import Callable
from pathlib import Path

from omafon import cards
from omafon.core import chirp
from omafon.core.chirp import DELAY_MAX_S, RATE_HZ, Pcm
from omafon.drivers.sound.input import Input
from omafon.drivers.sound.output import CardError, Output
from omafon.hwtest.sequence import Event, Failed, Finished, Heard, Measured

POLL_S = 0.004
RECORD_S = 2.0
METER_S = 0.25
JOIN_S = 2.0

AHEAD_FRAMES = RATE_HZ // 10
# Two measurements of the same card differ by less.
AGREE_MS = 3.0


class Cards:
    """One piece of work at a time, on a thread of its own, which tells `post` what comes of it."""

    def __init__(self, post: Callable[[Event], None], voice: str, ringer: str, root: Path = cards.ROOT) -> None:
        self.recording: Pcm = array("h")
        self._post = post
        self._voice = voice
        self._ringer = ringer
        self._root = root
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def play_tone(self) -> None:
        self._begin(lambda: self._plays(self._voice, chirp.tone(1.5)))

    def play_sweep(self) -> None:
        self._begin(lambda: self._plays(self._ringer, chirp.sweep(2.5)))

    def play_recording(self) -> None:
        self._begin(lambda: self._plays(self._voice, self.recording))

    def record(self) -> None:
        """Hear RECORD_S of the microphone, and keep it."""
        self._begin(self._records)

    def measure(self) -> None:
        self._begin(self._measures)

    def rest(self) -> None:
        """Fall silent, and tell nothing more."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(JOIN_S)
            self._thread = None

    def _begin(self, work: Callable[[], None]) -> None:
        self.rest()
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, args=(work,), name="hwtest sound", daemon=True)
        self._thread.start()

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        except CardError as error:
            self._post(Failed(str(error), _BUSY if error.busy else "`aplay -l` and `arecord -l` list the cards."))
        except Exception as error:  # noqa: BLE001  # the edge of a thread
            self._post(Failed(f"the sound card fails: {error!r}"))

    def _plays(self, card: str, pcm: Pcm) -> None:
        output = Output(card, RATE_HZ, 1, self._root)
        try:
            left = pcm.tobytes()
            while (left or output.left_frames()) and not self._pauses():
                # Silence behind it, or the card would run dry and begin anew.
                left = left[output.write(left) :] if left else left
        finally:
            output.close()
        self._post(Finished())

    def _records(self) -> None:
        heard: Pcm = array("h")
        shown = 0
        microphone = Input(self._voice, RATE_HZ, self._root)
        try:
            while len(heard) < RECORD_S * RATE_HZ and not self._pauses():
                heard += microphone.read()
                if len(heard) - shown >= METER_S * RATE_HZ:
                    self._post(Heard(chirp.level_db(heard[shown:])))
                    shown = len(heard)
        finally:
            microphone.close()
        self.recording = heard
        self._post(Finished())

    def _measures(self) -> None:
        """Both directions run all the time, so that each frame's own time is known from the frames before and after."""
        wanted, played = chirp.chirp(), chirp.chirps()
        duplex = Duplex(Output(self._voice, RATE_HZ, 1, self._root), lambda: Input(self._voice, RATE_HZ, self._root))
        try:
            while len(played) > duplex.written and not self._pauses():
                duplex.go_on(played)
        finally:
            duplex.close()
        if self._stopping.is_set():
            return
        delays_ms = (duplex.delay_ms(wanted, begin) for begin in chirp.begins())
        found = [delay_ms for delay_ms in delays_ms if delay_ms is not None]
        agree = len(found) > 1 and max(found) - min(found) <= AGREE_MS
        self._post(Measured(statistics.median(found) if agree else None))

    def _pauses(self) -> bool:
        """Wait a moment; true when all is to stop."""
        return self._stopping.wait(POLL_S)


class Duplex:
    """A card that plays and listens at once, and when each frame did.

    A frame's time is that of frame 0 and its number. Each look at the card says when frame 0 was, and all err to one
    side: a card counts in steps, and who looks may be interrupted before the clock is read. So the earliest is right.
    """

    def __init__(self, output: Output, listen: Callable[[], Input]) -> None:
        """Takes `output`, also when listening fails. Raises CardError."""
        self.written = 0
        self._heard: Pcm = array("h")
        self._output = output
        try:
            self._input = listen()
        except CardError:
            output.close()
            raise
        self._played_at = math.inf
        self._heard_at = math.inf

    def go_on(self, played: Pcm) -> None:
        """Write what the card takes of `played`, read what it has. Raises CardError."""
        self.written += self._output.write(played[self.written : self.written + AHEAD_FRAMES].tobytes()) // 2
        queued, now = self._output.left_frames(), time.monotonic()
        if self.written > queued:
            self._played_at = min(self._played_at, now - (self.written - queued) / RATE_HZ)
        self._heard += self._input.read()
        waiting, now = self._input.waiting_frames(), time.monotonic()
        if self._heard:
            self._heard_at = min(self._heard_at, now - (len(self._heard) + waiting) / RATE_HZ)

    def delay_ms(self, wanted: Pcm, begin: int) -> float | None:
        """How long after frame `begin` was played its `wanted` was heard; None when it was not."""
        begins_s = self._heard_at - self._played_at
        first = max(round(begin - begins_s * RATE_HZ), 0)
        window = self._heard[first : first + round(DELAY_MAX_S * RATE_HZ) + len(wanted)]
        at = chirp.find(wanted, window)
        return None if at is None else 1000 * ((first + at - begin) / RATE_HZ + begins_s)

    def close(self) -> None:
        self._output.close()
        self._input.close()


_BUSY = "Another program has it: stop the telephone for the time of the test."
