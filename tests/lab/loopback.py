# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The other end of a loop-back card of the kernel: what a program plays is heard here, what is said here it records.

It is used as omafon.sim.soundcard.SoundCard is, and by the same clock, but it is the kernel's own ALSA in between.
"""

import threading
from array import array
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self

import alsaaudio

from omafon.sim.soundcard import RATE_HZ, Pcm
from omafon.sim.soundcard.ring import frame_now

DRIVER = Path("/sys/bus/platform/drivers/snd_aloop")
PERIOD_FRAMES = RATE_HZ // 100
# The kernel of the laboratory moves these cards on every 10 ms: fewer periods run dry.
PERIODS = 6
JOIN_S = 5.0


class LoopbackCard:
    """A card with the ALSA id `name`, the kernel's `number`th loop-back card; listened to until it is closed."""

    def __init__(self, name: str, number: int = 0) -> None:
        self.pcm_name = f"CARD={name}"
        self._device = f"snd_aloop.{number}"
        self._lock = threading.Lock()
        self._heard = array("h")
        self._said: list[tuple[int, Pcm]] = []
        self._begin = 0
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []
        self._unbinding: threading.Thread | None = None
        self._open()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._closing.set()
        for thread in self._threads:
            thread.join(JOIN_S)
        self._threads.clear()

    now = staticmethod(frame_now)

    def ear(self, start: int, frames: int) -> Pcm:
        """What was played from frame `start` on; silence before the card was listened to, and after this moment."""
        with self._lock:
            first = start - self._begin
            heard = self._heard[max(first, 0) : max(first + frames, 0)]
        before = array("h", bytes(2 * min(max(-first, 0), frames)))
        return before + heard + array("h", bytes(2 * (frames - len(before) - len(heard))))

    def feed_mouth(self, pcm: Pcm, at: int | None = None) -> int:
        """Say `pcm` at frame `at` (100 ms from now when not given); returns that frame."""
        at = frame_now() + RATE_HZ // 10 if at is None else at
        with self._lock:
            self._said.append((at, pcm))
        return at

    def unplug(self) -> None:
        """Pull the card out: for every program its PCMs fail, and there is no such card until `plug`."""
        # The kernel gives the card up once nobody holds it any more.
        self._unbinding = threading.Thread(target=(DRIVER / "unbind").write_text, args=(self._device,))
        self._unbinding.start()
        for thread in self._threads:
            thread.join(JOIN_S)
        self._threads.clear()

    def plug(self) -> None:
        assert self._unbinding
        self._unbinding.join(JOIN_S)
        (DRIVER / "bind").write_text(self._device)
        self._open()

    def _open(self) -> None:
        ends = [self._pcm(kind) for kind in (alsaaudio.PCM_CAPTURE, alsaaudio.PCM_PLAYBACK)]
        self._heard = array("h")
        self._threads = [
            threading.Thread(target=run, args=(end,), name=f"{self.pcm_name} {run.__name__}", daemon=True)
            for run, end in zip((self._listen, self._speak), ends, strict=True)
        ]
        for thread in self._threads:
            thread.start()

    def _pcm(self, kind: int) -> alsaaudio.PCM:
        return alsaaudio.PCM(
            kind,
            device=f"hw:{self.pcm_name},DEV=1",
            rate=RATE_HZ,
            channels=1,
            format=alsaaudio.PCM_FORMAT_S16_LE,
            periodsize=PERIOD_FRAMES,
            periods=PERIODS,
        )

    def _listen(self, pcm: alsaaudio.PCM) -> None:
        with closing(pcm):
            while not self._closing.is_set():
                try:
                    frames, heard = pcm.read()
                except alsaaudio.ALSAAudioError:
                    return  # pulled out
                with self._lock:
                    if not self._heard:
                        self._begin = frame_now() - max(frames, 0)
                    if frames < 0:
                        # Too late for what the card has forgotten meanwhile.
                        missed = frame_now() - self._begin - len(self._heard)
                        self._heard.frombytes(bytes(2 * max(missed, 0)))
                    else:
                        self._heard.frombytes(heard[: 2 * frames])

    def _speak(self, pcm: alsaaudio.PCM) -> None:
        at = frame_now()
        with closing(pcm):
            while not self._closing.is_set():
                period = self._period(at)
                try:
                    # A card that has run dry begins anew.
                    at = at + PERIOD_FRAMES if pcm.write(period) > 0 else frame_now()
                except alsaaudio.ALSAAudioError:
                    return  # pulled out

    def _period(self, at: int) -> bytes:
        """What is to be said from frame `at` on."""
        period = array("h", bytes(2 * PERIOD_FRAMES))
        with self._lock:
            for start, pcm in self._said:
                _lay(period, at, start, pcm)
        return period.tobytes()


def _lay(period: Pcm, at: int, start: int, pcm: Sequence[int]) -> None:
    """Write into `period`, which begins at `at`, its part of `pcm`, which begins at `start`."""
    first, last = max(at, start), min(at + len(period), start + len(pcm))
    if first < last:
        period[first - at : last - at] = pcm[first - start : last - start]  # type: ignore[call-overload]
