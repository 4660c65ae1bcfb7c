# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Sounds made by arithmetic, and a chirp found again in what a microphone heard. Nothing here touches a card."""

import math
from array import array
from operator import mul
from typing import TypeAlias

# What cards run at: another rate goes through a converter, whose own delay (3 ms, measured) would be counted.
RATE_HZ = 48_000
Pcm: TypeAlias = "array[int]"
"""Mono frames of 16 bits, `array("h")`."""

FADE_S = 0.01
TONE_HZ = 425  # the tone that European exchanges dial with
SWEEP_HZ = (200.0, 4000.0)
# Inside the band of the narrowest handset.
CHIRP_HZ = (400.0, 3200.0)
CHIRP_S = 0.06

CHIRPS = 3
CHIRP_EVERY_S = 0.6
DELAY_MAX_S = 0.45
"""So long may a chirp be on its way, by a wireless handset: nobody could talk through what takes longer."""

ALIKE = 0.3
"""Recordings of anything else are less alike to the chirp: for noise of its band, 0.04 is one standard deviation."""
SILENCE_DB = -96.0
COARSE = 3


def tone(seconds: float, level_db: float = -18.0) -> Pcm:
    """A tone whose RMS is `level_db` of full scale."""
    return _glide(TONE_HZ, TONE_HZ, seconds, level_db)


def sweep(seconds: float, level_db: float = -12.0, rate_hz: int = RATE_HZ) -> Pcm:
    """From low to high, every octave equally long."""
    return _glide(*SWEEP_HZ, seconds, level_db, rate_hz)


def chirp(level_db: float = -15.0, rate_hz: int = RATE_HZ) -> Pcm:
    """Short, and like itself at no other time."""
    return _glide(*CHIRP_HZ, CHIRP_S, level_db, rate_hz)


def chirps(rate_hz: int = RATE_HZ) -> Pcm:
    """CHIRPS of them in silence; `begins` says where."""
    wanted = chirp(rate_hz=rate_hz)
    played: Pcm = array("h", bytes(2 * (CHIRPS + 1) * round(CHIRP_EVERY_S * rate_hz)))
    for begin in begins(rate_hz):
        played[begin : begin + len(wanted)] = wanted
    return played


def begins(rate_hz: int = RATE_HZ) -> list[int]:
    """The first frame of each of `chirps`.

    >>> begins(1000)
    [300, 900, 1500]
    """
    spacing = round(CHIRP_EVERY_S * rate_hz)
    return [spacing // 2 + number * spacing for number in range(CHIRPS)]


def find(wanted: Pcm, heard: Pcm, coarse: int = COARSE) -> int | None:
    """The frame of `heard` where `wanted` begins most likely; None when it is nowhere.

    >>> find(chirp(), array("h", bytes(2 * 700)) + chirp() + array("h", bytes(2 * 50)))
    700
    """
    # Every frame is looked at only near the place that one in `coarse` shows: a small computer does this.
    rough = _likest(wanted[::coarse], heard[::coarse])
    if rough is None:
        return None
    first = max((rough - 1) * coarse, 0)
    near = _likest(wanted, heard[first : first + len(wanted) + 2 * coarse])
    return None if near is None else first + near


def _likest(wanted: Pcm, heard: Pcm) -> int | None:
    length = len(wanted)
    if len(heard) < length:
        return None
    energy_wanted = sum(map(mul, wanted, wanted))
    energy = sum(map(mul, heard[:length], heard[:length]))
    best, found = 0.0, None
    view = memoryview(heard)
    for at in range(len(heard) - length + 1):
        if at:
            energy += heard[at + length - 1] ** 2 - heard[at - 1] ** 2
        if energy:
            # Squared, for a microphone may be wired the wrong way round.
            alike = sum(map(mul, wanted, view[at : at + length])) ** 2 / (energy * energy_wanted)
            if alike > best:
                best, found = alike, at
    return found if best >= ALIKE**2 else None


def level_db(pcm: Pcm) -> float:
    """Root mean square in dB of full scale."""
    energy = sum(map(mul, pcm, pcm))
    return max(SILENCE_DB, 10 * math.log10(energy / len(pcm) / 32768**2)) if energy else SILENCE_DB


def _glide(low_hz: float, high_hz: float, seconds: float, level_db: float, rate_hz: int = RATE_HZ) -> Pcm:
    """A sine that glides from `low_hz` to `high_hz`, and begins and ends without a click."""
    frames = round(seconds * rate_hz)
    peak = 32768 * math.sqrt(2) * 10 ** (level_db / 20)
    growth = math.log(high_hz / low_hz)
    phase, made = 0.0, array("h")
    fade = FADE_S * rate_hz
    for i in range(frames):
        phase += 2 * math.pi * low_hz * math.exp(growth * i / frames) / rate_hz
        made.append(round(peak * min(1.0, i / fade, (frames - i) / fade) * math.sin(phase)))
    return made
