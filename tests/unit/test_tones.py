# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The tones in the ear, country by country."""

import pytest

from omafon.core.causes import Tone
from omafon.core.tones import TONES, Burst, cadence, peak

AUDIBLE = [tone for tone in Tone if tone is not Tone.OFF]


@pytest.mark.parametrize("country", ["DE", "GB", "US"])
def test_every_tone_is_there(country: str) -> None:
    assert set(TONES[country]) == set(AUDIBLE)


@pytest.mark.parametrize(
    ("tone", "country", "bursts"),
    [
        (Tone.RINGBACK, "DE", (Burst((425,), 1000, 4000),)),
        (Tone.BUSY, "DE", (Burst((425,), 480, 480),)),
        (Tone.RINGBACK, "GB", (Burst((400, 450), 400, 200), Burst((400, 450), 400, 2000))),
        (Tone.BUSY, "GB", (Burst((400,), 375, 375),)),
        (Tone.RINGBACK, "US", (Burst((440, 480), 2000, 4000),)),
        (Tone.BUSY, "US", (Burst((480, 620), 500, 500),)),
    ],
)
def test_a_country_sounds_as_its_people_know_it(tone: Tone, country: str, bursts: tuple[Burst, ...]) -> None:
    assert cadence(tone, country) == bursts


def test_a_country_without_a_table_sounds_like_most_of_europe() -> None:
    assert cadence(Tone.DIAL, "FR") == cadence(Tone.DIAL, "DE")


def test_silence_has_no_cadence() -> None:
    assert cadence(Tone.OFF, "DE") == ()


@pytest.mark.parametrize("country", ["DE", "GB", "US"])
@pytest.mark.parametrize("tone", AUDIBLE)
def test_the_engine_can_play_it(country: str, tone: Tone) -> None:
    """Its generator takes 32 bursts of one or two frequencies, with lengths and amplitudes of 16 bits."""
    bursts = cadence(tone, country)

    assert 1 <= len(bursts) <= 32
    assert all(len(burst.frequencies_hz) in (1, 2) for burst in bursts)
    assert all(0 < burst.on_ms <= 32_767 and 0 <= burst.off_ms <= 32_767 for burst in bursts)
    assert all(peak(tone, n) * n <= 32_767 for n in (1, 2))


def test_a_dial_tone_has_no_audible_seam() -> None:
    for country in TONES:
        (burst,) = cadence(Tone.DIAL, country)

        assert burst.off_ms == 0
        assert all(hz * burst.on_ms % 1000 == 0 for hz in burst.frequencies_hz)


def test_two_frequencies_together_are_as_loud_as_one() -> None:
    assert 2 * peak(Tone.DIAL, 2) ** 2 == pytest.approx(peak(Tone.DIAL, 1) ** 2, rel=0.001)


def test_a_waiting_call_does_not_hide_the_voice() -> None:
    assert peak(Tone.WAITING, 1) < peak(Tone.DIAL, 1) / 2
