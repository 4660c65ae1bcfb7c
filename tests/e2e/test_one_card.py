# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Bell and voice on one card that can be opened once: the call engine and the sound driver hand it to each other."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from omafon.board import SoundProfile
from omafon.config import AudioConfig
from omafon.core.causes import Tone
from omafon.core.events import DriverFailed
from omafon.core.screen import SoundLevels
from omafon.drivers.sound import AlsaSound
from omafon.sim.soundcard import RATE_HZ, SoundCard, write_asound_conf
from tests.lab.addresses import Addresses
from tests.lab.engine import EngineAlone
from tests.lab.heard import LabError

LOUD = 300
PAUSE = threading.Event()
RINGING, LIFTED, RESTING = SoundLevels(ringing=True), SoundLevels(tone=Tone.DIAL), SoundLevels()


class OneCard:
    """A telephone's sound: both drivers are told the same levels, as the house tells them."""

    def __init__(self, card: SoundCard, engine: EngineAlone) -> None:
        self.card = card
        self.engine = engine
        self.bell = AlsaSound(engine.heard.add, SoundProfile(voice=card.pcm_name), AudioConfig())

    def sounds(self, levels: SoundLevels) -> int:
        """Tell the levels; returns the frame of this moment."""
        now = self.card.now()
        self.engine.calls.sound(levels)
        self.bell.sound(levels)
        return now

    def is_heard_after(self, start: int, hz: range) -> float:
        """Seconds from `start` until the strongest of what sounds is one of these frequencies."""

        def happens() -> bool:
            frames = np.array(self.card.ear(self.card.now() - RATE_HZ // 20, RATE_HZ // 20), dtype=float)
            spectrum = np.abs(np.fft.rfft(frames * np.hanning(len(frames))))
            return bool(np.abs(frames).max() > LOUD and int(spectrum.argmax()) * 20 in hz)

        until(happens, f"{hz} sounds", within_s=3)
        return (self.card.now() - start) / RATE_HZ

    def has_complained(self) -> list[str]:
        return [event.reason for event in self.engine.heard.all() if isinstance(event, DriverFailed)]


DIAL_HZ, BELL_HZ = range(400, 460), range(700, 6000)


@pytest.fixture
def phone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, addresses: Addresses) -> Iterator[OneCard]:
    with SoundCard("only") as card:
        for name, value in write_asound_conf(tmp_path / "asound.conf", [card]).items():
            monkeypatch.setenv(name, value)
        with EngineAlone(addresses.fresh(), voice=card.pcm_name) as engine:
            phone = OneCard(card, engine)
            phone.bell.open()
            yield phone
            phone.bell.close()


def until(happens: Callable[[], bool], what: str, *, within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while not happens():
        if time.monotonic() > deadline:
            raise LabError(f"not within {within_s:g} s: {what}")
        PAUSE.wait(0.01)


def test_the_bell_gives_the_card_to_the_voice(phone: OneCard) -> None:
    for _ in range(3):
        phone.is_heard_after(phone.sounds(RINGING), BELL_HZ)

        lifted = phone.sounds(LIFTED)

        assert phone.is_heard_after(lifted, DIAL_HZ) <= 0.35
        phone.sounds(RESTING)
    assert phone.has_complained() == []


def test_the_voice_gives_the_card_to_the_bell(phone: OneCard) -> None:
    for _ in range(3):
        phone.is_heard_after(phone.sounds(LIFTED), DIAL_HZ)

        called = phone.sounds(RINGING)

        # The call engine lingers for half a second: what it still plays is heard to its end.
        assert phone.is_heard_after(called, BELL_HZ) <= 0.8
    assert phone.has_complained() == []


def test_a_bell_is_silent_before_the_voice_begins(phone: OneCard) -> None:
    phone.is_heard_after(phone.sounds(RINGING), BELL_HZ)

    lifted = phone.sounds(RESTING)

    until(lambda: phone.card.now() - lifted > RATE_HZ // 4, "a moment", within_s=1)
    late = phone.card.ear(lifted + RATE_HZ // 10, RATE_HZ // 10)
    assert max(map(abs, late)) <= LOUD
