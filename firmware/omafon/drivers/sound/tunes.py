# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What the bell plays: a telephone bell made by arithmetic, the owner's own WAV file, or the sweep of a test."""

import math
import wave
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from omafon.core.chirp import sweep
from omafon.core.ringing import FAMILY_CADENCE, SWEEP, Bell, Partial, RingCadence, bell, ring_cadence

# A bell's highest partial lies below 5.4 kHz.
RATE_HZ = 16_000
LOUDEST = 29_000  # of 32767: room for the filters of cards that resample

MAX_TUNE_S = 60
RATES_HZ = range(8_000, 48_001)

SWEEP_S, SWEEP_PAUSE_S = 2.5, 0.5
FADE_MS = 40


class TuneError(Exception):
    """A file that cannot be played: why, in one sentence for the owner."""


@dataclass(frozen=True, slots=True)
class Tune:
    """Sound to be played over and over: 16-bit little-endian frames, interleaved."""

    rate_hz: int
    channels: int
    pcm: bytes


def tune(name: str, country: str) -> Tune:
    """The tune of this name: the bell of `country` where it is empty, SWEEP, otherwise the WAV file with this path.

    Raises TuneError.
    """
    if name == SWEEP:
        return Tune(RATE_HZ, 1, sweep(SWEEP_S, rate_hz=RATE_HZ).tobytes() + bytes(2 * _frames(1000 * SWEEP_PAUSE_S)))
    if name:
        return from_wav(Path(name))
    return ringing_bell(bell(country), ring_cadence(country))


def family_ring(rung: Tune) -> Tune:
    """The bell in the family's cadence, cut out of a ring of it: that takes no time, and it is the same bell."""
    strokes = array("h", rung.pcm)
    sound = array("h")
    for ring in FAMILY_CADENCE:
        length, fading = _frames(ring.on_ms), _frames(FADE_MS)
        piece = strokes[:length]
        for left in range(min(fading, len(piece))):
            piece[-1 - left] = piece[-1 - left] * left // fading
        sound.extend(piece)
        sound.frombytes(bytes(2 * _frames(ring.off_ms)))
    return Tune(rung.rate_hz, rung.channels, sound.tobytes())


def from_wav(path: Path) -> Tune:
    """A WAV file of 16-bit PCM, one or two channels, at most a minute. Raises TuneError."""
    try:
        with wave.open(str(path)) as file:
            rate_hz, channels, count = file.getframerate(), file.getnchannels(), file.getnframes()
            if file.getsampwidth() != 2 or channels > 2 or rate_hz not in RATES_HZ:
                raise TuneError(f"{path} is not 16-bit PCM of one or two channels at 8 to 48 kHz")
            if not 0 < count <= MAX_TUNE_S * rate_hz:
                raise TuneError(f"{path} is longer than {MAX_TUNE_S} s" if count else f"{path} is empty")
            return Tune(rate_hz, channels, file.readframes(count))
    except (wave.Error, EOFError) as error:
        raise TuneError(f"{path} is not a WAV file: {error}") from None
    except OSError as error:
        raise TuneError(f"{path} cannot be read: {error.strerror}") from None


def ringing_bell(rung: Bell, cadence: RingCadence) -> Tune:
    """One round of `cadence` on this bell. A ring dies away into the pause after it."""
    sound = [0.0] * sum(_frames(ring.on_ms + ring.off_ms) for ring in cadence)
    for side, gong in enumerate(rung.gongs):
        struck = set(_strikes(rung, cadence, side))
        for partial in gong:
            _resound(sound, partial, struck)
    factor = LOUDEST / max(map(abs, sound))
    return Tune(RATE_HZ, 1, array("h", [round(sample * factor) for sample in sound]).tobytes())


def _strikes(rung: Bell, cadence: RingCadence, side: int) -> Iterable[int]:
    """The frames at which the clapper strikes this side's gong."""
    period = RATE_HZ / rung.current_hz
    start = 0
    for ring in cadence:
        for turn in range(ring.on_ms * rung.current_hz // 1000):
            yield start + round((turn + side / 2) * period)
        start += _frames(ring.on_ms + ring.off_ms)


def _resound(sound: list[float], partial: Partial, struck: set[int]) -> None:
    """Add to `sound` a resonator that is struck at these frames: a sine that dies away, from a filter of two poles."""
    radius = 10 ** (-3 / (partial.decay_s * RATE_HZ))
    turn = 2 * math.pi * partial.frequency_hz / RATE_HZ
    back, back2, blow = 2 * radius * math.cos(turn), -radius * radius, partial.strength * math.sin(turn)
    last = before = 0.0
    for i in range(len(sound)):
        now = back * last + back2 * before
        if i in struck:
            now += blow
        sound[i] += now
        last, before = now, last


def _frames(ms: float) -> int:
    return int(ms * RATE_HZ / 1000)
