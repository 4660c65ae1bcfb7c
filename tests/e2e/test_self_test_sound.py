# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The telephone tests its own sound: what the call engine does with a real ALSA card while nobody is called."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from omafon.core.events import DelayMeasured, VoiceHeard
from omafon.core.screen import SoundLevels, VoiceTrial
from omafon.sim.soundcard import RATE_HZ, SoundCard, tone, write_asound_conf
from tests.lab.addresses import Addresses
from tests.lab.air import Air
from tests.lab.engine import EngineAlone
from tests.lab.voice import recorded

ACROSS_THE_ROOM_S = 0.1


@pytest.fixture
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SoundCard]:
    with SoundCard("handset") as card:
        for name, value in write_asound_conf(tmp_path / "asound.conf", [card]).items():
            monkeypatch.setenv(name, value)
        yield card


@pytest.fixture
def engine(addresses: Addresses, card: SoundCard) -> Iterator[EngineAlone]:
    with EngineAlone(addresses.fresh(), voice=card.pcm_name) as engine:
        yield engine


def frequency_hz(card: SoundCard, start: int) -> int:
    return int(np.abs(np.fft.rfft(recorded(card, start, RATE_HZ))).argmax())


def hears(engine: EngineAlone, level_db: float, within_db: float) -> None:
    """Fails when the microphone is not soon told to be that loud."""
    engine.heard.until(
        lambda event: isinstance(event, VoiceHeard) and abs(event.level_db - level_db) <= within_db,
        f"{level_db:.0f} dB from the microphone",
        within_s=3,
    )


def test_who_speaks_hears_themselves_and_is_told_how_loud(engine: EngineAlone, card: SoundCard) -> None:
    engine.calls.sound(SoundLevels(trial=VoiceTrial.LOOP))
    hears(engine, -96, 0)

    start = card.now()
    card.feed_mouth(tone(600, -20) * 3, start)

    hears(engine, -20, 2)
    assert frequency_hz(card, start + RATE_HZ) == 600


def test_it_is_over_when_the_level_says_so(engine: EngineAlone, card: SoundCard) -> None:
    engine.calls.sound(SoundLevels(trial=VoiceTrial.LOOP))
    engine.hears(VoiceHeard)

    engine.calls.sound(SoundLevels())
    recorded(card, card.now(), RATE_HZ)

    start = card.now()
    card.feed_mouth(tone(600), start)
    assert not np.abs(recorded(card, start, RATE_HZ)).max()


def test_the_way_through_the_card_is_measured_by_chirps(engine: EngineAlone, card: SoundCard) -> None:
    with Air(card, 0.05):
        engine.calls.sound(SoundLevels(trial=VoiceTrial.DELAY))
        near = engine.hears(DelayMeasured, within_s=8).delay_ms
    engine.calls.sound(SoundLevels())
    recorded(card, card.now(), RATE_HZ // 5)
    with Air(card, 0.05 + ACROSS_THE_ROOM_S):
        engine.calls.sound(SoundLevels(trial=VoiceTrial.DELAY))
        far = engine.hears(DelayMeasured, within_s=8).delay_ms

    assert near is not None
    assert far is not None
    assert 50 <= near <= 130
    assert far - near == pytest.approx(1000 * ACROSS_THE_ROOM_S, abs=25)


def test_chirps_that_nobody_hears_are_no_delay(engine: EngineAlone, card: SoundCard) -> None:
    engine.calls.sound(SoundLevels(trial=VoiceTrial.DELAY))

    assert engine.hears(DelayMeasured, within_s=8).delay_ms is None


def test_chirps_end_when_nobody_waits_for_them(engine: EngineAlone, card: SoundCard) -> None:
    engine.calls.sound(SoundLevels(trial=VoiceTrial.DELAY))
    start = card.now()
    assert np.abs(recorded(card, start, RATE_HZ)).max()

    engine.calls.sound(SoundLevels())
    recorded(card, card.now(), RATE_HZ // 2)

    assert not np.abs(recorded(card, card.now(), 2 * RATE_HZ)).max()
    assert not [event for event in engine.heard.all() if isinstance(event, DelayMeasured)]
