# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The tones a telephone makes itself, as each country's ear knows them (ITU-T E.180 supplement 2)."""

import math
from dataclasses import dataclass

from omafon.core.causes import Tone


@dataclass(frozen=True, slots=True)
class Burst:
    """One or two frequencies at once for `on_ms`, then silence for `off_ms` (0: it goes on without a break)."""

    frequencies_hz: tuple[int, ...]
    on_ms: int
    off_ms: int = 0


Cadence = tuple[Burst, ...]
"""Bursts one after the other, repeated for as long as the tone lasts."""

# A steady tone is one burst, repeated without a gap. In 32 s every frequency below makes a whole number of
# periods, so the seam cannot be heard.
STEADY_MS = 32_000

# E.180 clause 10: the three frequencies of the special information tone, the same all over the world.
SPECIAL_INFORMATION: Cadence = (Burst((950,), 330), Burst((1400,), 330), Burst((1800,), 330, 1000))

# Heard across a room, and like none of the network's.
ANSWERED_BY_ITSELF: Cadence = (Burst((784,), 200, 50), Burst((988,), 200, 50), Burst((1175,), 450, 50))

TONES: dict[str, dict[Tone, Cadence]] = {
    "DE": {
        Tone.DIAL: (Burst((425,), STEADY_MS),),
        Tone.RINGBACK: (Burst((425,), 1000, 4000),),
        Tone.BUSY: (Burst((425,), 480, 480),),
        Tone.CONGESTION: (Burst((425,), 240, 240),),
        Tone.WAITING: (Burst((425,), 200, 200), Burst((425,), 200, 5000)),
        Tone.ERROR: SPECIAL_INFORMATION,
        Tone.INTERCOM: ANSWERED_BY_ITSELF,
    },
    "GB": {
        Tone.DIAL: (Burst((350, 440), STEADY_MS),),
        Tone.RINGBACK: (Burst((400, 450), 400, 200), Burst((400, 450), 400, 2000)),
        Tone.BUSY: (Burst((400,), 375, 375),),
        Tone.CONGESTION: (Burst((400,), 400, 350), Burst((400,), 225, 525)),
        Tone.WAITING: (Burst((400,), 100, 2500),),
        Tone.ERROR: SPECIAL_INFORMATION,
        Tone.INTERCOM: ANSWERED_BY_ITSELF,
    },
    "US": {
        Tone.DIAL: (Burst((350, 440), STEADY_MS),),
        Tone.RINGBACK: (Burst((440, 480), 2000, 4000),),
        Tone.BUSY: (Burst((480, 620), 500, 500),),
        Tone.CONGESTION: (Burst((480, 620), 250, 250),),
        Tone.WAITING: (Burst((440,), 300, 10_000),),
        Tone.ERROR: SPECIAL_INFORMATION,
        Tone.INTERCOM: ANSWERED_BY_ITSELF,
    },
}

# Where no table is written yet, the tones of most of Europe.
ELSEWHERE = "DE"

# Power in dBm0. A waiting tone lies over a conversation and must not hide it.
LEVELS_DBM0: dict[Tone, float] = dict.fromkeys(Tone, -10.0) | {Tone.WAITING: -20.0}


def cadence(tone: Tone, country: str) -> Cadence:
    """How `tone` sounds in `country` (ISO 3166); nothing at all for OFF."""
    return () if tone is Tone.OFF else TONES.get(country, TONES[ELSEWHERE])[tone]


def peak(tone: Tone, tones_at_once: int) -> int:
    """The amplitude of each of `tones_at_once` equal sines, of 32767, that together have the level of `tone`.

    0 dBm0 is 3.14 dB below a full-scale sine (ITU-T G.711 table 5).
    """
    factor: float = 10 ** ((LEVELS_DBM0[tone] - 3.14) / 20)
    return round(32767 * factor / math.sqrt(tones_at_once))
