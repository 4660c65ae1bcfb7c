# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The voice itself, from a mouth through two telephones and their ALSA cards to an ear, both ways at once."""

from collections.abc import Callable

import pytest

from tests.lab.town import Srtp, Town
from tests.lab.voice import Saying

# Two cards' periods and buffers, 20 ms packets and a jitter buffer make about 150 ms; twice that is a fault.
MAX_DELAY_MS = 300
# None, on a machine that has nothing else to do; a packet or two may be late where tests run side by side.
MAX_GAPS_MS = 80


@pytest.mark.parametrize(("codec", "srtp"), [("opus", "off"), ("opus", "mandatory"), ("pcma", "off")])
def test_a_voice_crosses_both_ways(
    town: Town, codec: str, srtp: Srtp, record_property: Callable[[str, object], None]
) -> None:
    oma = town.phone("oma", codecs=[codec], srtp=srtp)
    opa = town.phone("opa", codecs=[codec], srtp=srtp)
    assert oma.card
    assert opa.card
    oma.dials(opa.uri)
    opa.is_called()
    opa.lifts()
    assert oma.is_in_a_call()["codec"].startswith(codec)
    opa.is_in_a_call()

    high, low = Saying(oma.card, 1000), Saying(opa.card, 440)

    for saying, ear, frequency_hz in ((high, opa.card, 1000), (low, oma.card, 440)):
        measured = saying.heard_by(ear)
        record_property(f"{codec}, srtp {srtp}, {frequency_hz} Hz", str(measured))
        assert measured.frequency_hz == pytest.approx(frequency_hz, abs=2)
        assert measured.level_db == pytest.approx(0, abs=3)
        assert measured.gaps_ms <= MAX_GAPS_MS
        assert 20 < measured.delay_ms < MAX_DELAY_MS


def test_a_muted_phone_says_nothing(town: Town) -> None:
    oma, opa = town.phone("oma"), town.phone("opa")
    assert oma.card
    assert opa.card
    oma.dials(opa.uri)
    opa.is_called()
    opa.lifts()
    oma.is_in_a_call()

    oma.presses("mute")
    oma.until(lambda status: status["calls"][0]["muted"], "is muted")

    assert Saying(oma.card, 1000).heard_by(opa.card).level_db < -40
