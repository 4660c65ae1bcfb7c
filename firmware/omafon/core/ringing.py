# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""How a telephone rings: the cadence of each country, and the bell that its ringing current drives."""

from dataclasses import dataclass

SWEEP = "sweep"
"""In the place of a tune: from low to high again and again, by which one hears what rattles."""


FAMILY = "family"
"""In the place of a tune: the bell in a cadence that no country has, for calls of the family."""


@dataclass(frozen=True, slots=True)
class Ring:
    """The bell rings for `on_ms`, then is left alone for `off_ms`."""

    on_ms: int
    off_ms: int


RingCadence = tuple[Ring, ...]
"""Rings one after the other, repeated for as long as somebody calls."""

# ITU-T E.180 supplement 2, ringing current.
_CADENCES: dict[str, RingCadence] = {
    "AT": (Ring(1000, 5000),),
    "AU": (Ring(400, 200), Ring(400, 2000)),
    "CA": (Ring(2000, 4000),),
    "DE": (Ring(1000, 4000),),
    "FR": (Ring(1500, 3500),),
    "GB": (Ring(400, 200), Ring(400, 2000)),
    "IE": (Ring(400, 200), Ring(400, 2000)),
    "JP": (Ring(1000, 2000),),
    "NZ": (Ring(400, 200), Ring(400, 2000)),
    "SE": (Ring(1000, 5000),),
    "US": (Ring(2000, 4000),),
}

# Three short rings: as long as a stroke of the bell takes to be one.
FAMILY_CADENCE: RingCadence = (Ring(350, 150), Ring(350, 150), Ring(350, 2150))

# Where no table is written yet: a second of every five, as in most of Europe.
_ELSEWHERE: RingCadence = (Ring(1000, 4000),)

# The current swings the clapper from gong to gong and back once a period: 20 Hz in North America, 25 Hz elsewhere.
_CURRENT_HZ = {"US": 20, "CA": 20}


@dataclass(frozen=True, slots=True)
class Partial:
    """One of the frequencies a gong sounds with: its strength, and the seconds until it has died away by 60 dB."""

    frequency_hz: float
    strength: float
    decay_s: float


@dataclass(frozen=True, slots=True)
class Bell:
    """Two gongs and a clapper that strikes each of them `current_hz` times a second."""

    gongs: tuple[tuple[Partial, ...], tuple[Partial, ...]]
    current_hz: int


def _gong(frequency_hz: float) -> tuple[Partial, ...]:
    # The lowest note carries: it lies where old ears hear well. The higher ones, which are not its multiples, are
    # what makes it a bell, and are gone sooner.
    return (
        Partial(frequency_hz, 1.0, 0.7),
        Partial(frequency_hz * 2.76, 0.4, 0.35),
        Partial(frequency_hz * 5.4, 0.15, 0.15),
    )


# A major third apart, as the gongs of table telephones were tuned.
_GONGS = (_gong(784.0), _gong(988.0))


def ring_cadence(country: str) -> RingCadence:
    """How it rings in `country` (ISO 3166)."""
    return _CADENCES.get(country, _ELSEWHERE)


def bell(country: str) -> Bell:
    """What rings in `country`."""
    return Bell(_GONGS, _CURRENT_HZ.get(country, 25))
