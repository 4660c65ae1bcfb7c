# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Who calls somebody does not hear their own voice come back, whatever room the other telephone stands in."""

import subprocess
from array import array
from collections.abc import Callable

import numpy as np
import pytest

from omafon.sim.soundcard import RATE_HZ, Pcm, read_wav
from tests.lab.acoustics import HANDSET, SPEAKER, Acoustics, Room
from tests.lab.program import needs
from tests.lab.town import Town
from tests.lab.voice import Signal, recorded

WORDS = "Hello, this is Oma speaking. The weather is fine today, and the cake is in the oven. When will you come?"
LEVEL_DB = -22.0
# What a canceller may take to learn the room, and for how long it is then listened to.
LEARNING_S, LISTENING_S = 3, 5
# Where the machine has other work, the model of the room comes too late now and then, and an echo is missing in the
# microphone: then it is listened to once more.
TRIES = 3
SPEAKER_LOSS_DB = 25.0
# ITU-T P.310 wants about as much of a handset, from the line to the ear, to the mouth, and back to the line.
HANDSET_LOSS_DB = 46.0


@pytest.fixture(scope="session")
def words(tmp_path_factory: pytest.TempPathFactory) -> Pcm:
    path = tmp_path_factory.mktemp("speech") / "words.wav"
    subprocess.run([needs("espeak-ng", "espeak-ng"), "-w", path, WORDS], check=True)
    said = np.array(read_wav(path), dtype=float)
    said *= 10 ** ((LEVEL_DB - db(said / 32768)) / 20)
    return array("h", said.clip(-32768, 32767).astype(np.int16).tobytes())


def db(signal: Signal) -> float:
    return float(10 * np.log10(np.mean(signal**2) + 1e-12))


def test_nobody_hears_their_own_voice_come_back_from_a_loudspeaker(
    town: Town, words: Pcm, record_property: Callable[[str, object], None]
) -> None:
    microphone_db, ear_db = echo_of_a_voice(town, words, "speaker", SPEAKER)

    record_property("speaker: echo return loss enhancement", f"{microphone_db - ear_db:.1f} dB")
    assert microphone_db - ear_db >= SPEAKER_LOSS_DB


def test_nobody_hears_their_own_voice_come_back_from_a_handset(
    town: Town, words: Pcm, record_property: Callable[[str, object], None]
) -> None:
    microphone_db, ear_db = echo_of_a_voice(town, words, "handset", HANDSET)

    record_property("handset: terminal coupling loss", f"{LEVEL_DB - ear_db:.1f} dB")
    assert LEVEL_DB - ear_db >= HANDSET_LOSS_DB
    assert ear_db < microphone_db - 10


def test_without_a_canceller_they_would(town: Town, words: Pcm) -> None:
    microphone_db, ear_db = echo_of_a_voice(town, words, "off", SPEAKER)

    assert ear_db == pytest.approx(microphone_db, abs=4)


def echo_of_a_voice(town: Town, words: Pcm, echo: str, room: Room) -> tuple[float, float]:
    """The level of a caller's voice at the called one's microphone, and when it is back in the caller's ear.

    Of the first try in which nothing came too late; where something did in each, of the middle one by their difference.
    """
    far = town.phone("opa", codecs=["g722"], more={"audio": {"echo": "off"}})
    near = town.phone("oma", codecs=["g722"], more={"audio": {"echo": echo}})
    assert far.card
    assert near.card
    far.dials(near.uri)
    near.is_called()
    near.lifts()
    far.is_in_a_call()
    with Acoustics(near.card, room) as acoustics:
        far.card.play_mouth(words)
        heard = []
        for _ in range(TRIES):
            late = acoustics.late
            recorded(far.card, far.card.now(), LEARNING_S * RATE_HZ)
            start = far.card.now()
            came_back = recorded(far.card, start, LISTENING_S * RATE_HZ) / 32768
            begin = start - acoustics.start
            heard.append((db(acoustics.mouth[begin : begin + LISTENING_S * RATE_HZ]), db(came_back)))
            if acoustics.late == late:
                return heard[-1]
    return sorted(heard, key=lambda levels: levels[0] - levels[1])[TRIES // 2]
