# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A room between the ear and the mouth of a virtual sound card: the loudspeaker comes back to the microphone.

Synthesised, so that it is the same everywhere: a direct path, then reflections as noise that dies away.
"""

import threading
from array import array
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np

from omafon.sim.soundcard import RATE_HZ, SoundCard
from tests.lab.voice import Signal

TICK_S = 0.005
# How far ahead of the clock the microphone is fed: a thread that is kept waiting so long is not heard.
LEAD_S = 0.02
FULL_SCALE = 32768.0


@dataclass(frozen=True, slots=True)
class Room:
    """`coupling_db` is the level of the whole echo under the loudspeaker's; `reverberation_s` the time of its 60 dB.

    `delay_s` stands for the converters' buffers, `distortion` for a small loudspeaker: the cubic part at full scale.
    """

    coupling_db: float
    reverberation_s: float
    delay_s: float = 0.04
    distortion: float = 0.0
    noise_db: float = -75.0

    def response(self) -> Signal:
        """The impulse response, direct path first; its energy is that of `coupling_db`."""
        rng = np.random.default_rng(19)
        length = max(int(self.reverberation_s * RATE_HZ), RATE_HZ // 500)
        t = np.arange(length) / RATE_HZ
        tail = rng.standard_normal(length) * 10 ** (-3 * t / max(self.reverberation_s, 1e-3))
        tail[: RATE_HZ // 1000] = 0.0
        # As much energy directly as by all the walls, as half a metre away from a loudspeaker.
        tail /= np.sqrt((tail**2).sum()) or 1.0
        tail[0] = 1.0
        response: Signal = tail / np.sqrt((tail**2).sum()) * 10 ** (self.coupling_db / 20)
        return response


HANDSET = Room(coupling_db=-30.0, reverberation_s=0.004)
SPEAKER = Room(coupling_db=-3.0, reverberation_s=0.35, distortion=0.05)


class Acoustics:
    """Carries the sound of `card` through `room` while its `with` lasts, with `own` said in the room as well.

    `own` is mono at 48 kHz, said from its `with` on. `late` counts what came too late to be carried in time.
    """

    def __init__(self, card: SoundCard, room: Room, own: Signal | None = None) -> None:
        self._card = card
        self._room = room
        self._response = room.response()
        self._own = np.zeros(0) if own is None else own
        self._rng = np.random.default_rng(7)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="acoustics", daemon=True)
        self.late = 0
        self.start = 0
        self._mouth: list[Signal] = []

    def __enter__(self) -> Self:
        self.start = self._card.now()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def mouth(self) -> Signal:
        """All that the microphone got since `start`."""
        return np.concatenate(self._mouth) if self._mouth else np.zeros(0)

    def _run(self) -> None:
        delay, lead = int(self._room.delay_s * RATE_HZ), int(LEAD_S * RATE_HZ)
        past = np.zeros(len(self._response) - 1)
        at = self.start
        while not self._stop.wait(TICK_S):
            now = self._card.now()
            self.late += now > at and at > self.start
            until = now + lead
            count = until - at
            played = np.array(self._card.ear(at - delay, count), dtype=float) / FULL_SCALE
            driven = np.concatenate([past, played - self._room.distortion * played**3])
            past = driven[count:]
            echo = _convolved(driven, self._response, count)
            echo += self._rng.standard_normal(count) * 10 ** (self._room.noise_db / 20)
            own = self._own[at - self.start : at - self.start + count]
            echo[: len(own)] += own
            said = np.clip(echo, -1, 1)
            self._mouth.append(said)
            self._card.feed_mouth(array("h", (said * 32767).astype(np.int16).tobytes()), at)
            at = until


def _convolved(signal: Signal, response: Signal, last: int) -> Signal:
    """The last `last` frames of `signal` through `response`."""
    size = 1 << (len(signal) + len(response)).bit_length()
    whole = np.fft.irfft(np.fft.rfft(signal, size) * np.fft.rfft(response, size), size)
    result: Signal = whole[len(signal) - last : len(signal)]
    return result
