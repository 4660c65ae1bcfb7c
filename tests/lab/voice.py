# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Measures voice between two sound cards of the lab: its delay, frequency, level, and what is missing of it."""

import threading
from array import array
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from omafon.sim.soundcard import RATE_HZ, Pcm, tone

Signal = NDArray[np.float64]

CHIRP_S = 0.5
TONE_S = 2.0
WINDOW_S = 0.01
MAX_DELAY_S = 1.0
GAP_DB = 20.0
"""A window this much below the others is a gap: a lost or a late packet that was not concealed."""


class Card(Protocol):
    """The far side of a sound card: a virtual one's, or a loop-back card's of the kernel. Times are frames."""

    def now(self) -> int: ...
    def ear(self, start: int, frames: int) -> Pcm: ...
    def feed_mouth(self, pcm: Pcm, at: int | None = None) -> int: ...


@dataclass(frozen=True, slots=True)
class Measurement:
    """One way through: `level_db` is what arrived relative to what was said, `gaps_ms` how much of it was silent."""

    delay_ms: float
    frequency_hz: float
    level_db: float
    gaps_ms: float

    def __str__(self) -> str:
        heard = f"{self.delay_ms:.1f} ms late, {self.frequency_hz:.1f} Hz, {self.level_db:+.1f} dB"
        return f"{heard}, {self.gaps_ms:.0f} ms gaps"


class Saying:
    """A chirp, to be timed by, and a tone of `frequency_hz`, said into the mouth of `card`."""

    def __init__(self, card: Card, frequency_hz: int) -> None:
        self._card = card
        chirp = _chirp()
        self._said = np.concatenate(
            [chirp, np.resize(np.array(tone(frequency_hz), dtype=float), int(TONE_S * RATE_HZ))]
        )
        self._chirp = chirp
        self.start = card.feed_mouth(array("h", self._said.astype(np.int16).tobytes()))

    def heard_by(self, card: Card) -> Measurement:
        """What came of it in the ear of `card`; returns once it has all had time to arrive."""
        frames = len(self._said) + int(MAX_DELAY_S * RATE_HZ)
        heard = recorded(card, self.start, frames)
        delay = _lag(self._chirp, heard[: len(self._chirp) + int(MAX_DELAY_S * RATE_HZ)])
        # The tone's edges are left out: codecs ring there.
        begin, margin = delay + len(self._chirp), RATE_HZ // 10
        received = heard[begin + margin : begin + int(TONE_S * RATE_HZ) - margin]
        sent = self._said[len(self._chirp) + margin : -margin]
        levels = _levels_db(received)
        silent = levels < np.median(levels) - GAP_DB
        return Measurement(
            delay_ms=delay * 1000 / RATE_HZ,
            frequency_hz=_frequency_hz(received),
            level_db=_db(received) - _db(sent),
            gaps_ms=float(silent.sum()) * WINDOW_S * 1000,
        )


def recorded(card: Card, start: int, frames: int) -> Signal:
    """`frames` frames of the ear from `start` on, once the last has sounded."""
    threading.Event().wait(max(0, start + frames - card.now()) / RATE_HZ + 0.01)
    return np.array(card.ear(start, frames), dtype=float)


def _chirp() -> Signal:
    """300 to 3000 Hz, what every telephone carries, with soft ends."""
    t = np.arange(int(CHIRP_S * RATE_HZ)) / RATE_HZ
    sweep = np.sin(2 * np.pi * (300 * t + (3000 - 300) / (2 * CHIRP_S) * t**2))
    signal: Signal = 8000 * sweep * np.hanning(len(t))
    return signal


def _lag(said: Signal, heard: Signal) -> int:
    """By how many frames `heard` is late, by the peak of the cross-correlation."""
    size = 1 << (len(said) + len(heard)).bit_length()
    spectrum = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(said, size))
    correlation = np.fft.irfft(spectrum, size)[: len(heard) - len(said) + 1]
    return int(np.argmax(np.abs(correlation)))


def _frequency_hz(signal: Signal) -> float:
    spectrum = np.abs(np.fft.rfft(signal * np.hanning(len(signal))))
    return float(np.argmax(spectrum)) * RATE_HZ / len(signal)


def _levels_db(signal: Signal) -> Signal:
    size = int(WINDOW_S * RATE_HZ)
    windows = signal[: len(signal) // size * size].reshape(-1, size)
    levels: Signal = 10 * np.log10(np.mean(windows**2, axis=1) + 1)
    return levels


def _db(signal: Signal) -> float:
    return float(10 * np.log10(np.mean(signal**2) + 1))
