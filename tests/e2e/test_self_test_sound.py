# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The telephone tests its own sound: what the call engine does with a real ALSA card while nobody is called."""

import statistics

import numpy as np
import pytest

from omafon.core.events import DelayMeasured, VoiceHeard
from omafon.core.screen import SoundLevels, VoiceTrial
from omafon.sim.soundcard import RATE_HZ, SoundCard, tone
from tests.lab.air import Air
from tests.lab.engine import EngineAlone
from tests.lab.voice import recorded

ACROSS_THE_ROOM_S = 0.1
# Where the machine has other work, a card that was served too late adds to the way: such a measurement is made again.
TRIES = 3
FOUND_WITHIN_S = 20


def frequency_hz(card: SoundCard, start: int) -> int:
    return int(np.abs(np.fft.rfft(recorded(card, start, RATE_HZ))).argmax())


def delay_ms(engine: EngineAlone, card: SoundCard, air_s: float) -> float:
    """What the engine measures where sound is `air_s` in the air; the median of TRIES where all were disturbed."""
    found = []
    for _ in range(TRIES):
        xruns = card.xruns
        with Air(card, air_s) as air:
            engine.calls.sound(SoundLevels(trial=VoiceTrial.DELAY))
            measured = engine.hears(DelayMeasured, within_s=FOUND_WITHIN_S).delay_ms
        undisturbed = card.xruns == xruns and not air.late
        engine.calls.sound(SoundLevels())
        recorded(card, card.now(), RATE_HZ // 5)
        if undisturbed:
            assert measured is not None
            return measured
        found += [] if measured is None else [measured]
    return statistics.median(found)


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
    near = delay_ms(engine, card, 0.05)
    far = delay_ms(engine, card, 0.05 + ACROSS_THE_ROOM_S)

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
