# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The virtual sound card, with programs that know nothing of it: pyalsaaudio, aplay, amixer and the call engine."""

import itertools
import os
import stat
import subprocess
import sys
import time
import wave
from array import array
from collections.abc import Iterator
from pathlib import Path

import alsaaudio
import pytest

from omafon.interfaces import DriverError
from omafon.sim.soundcard import (
    RATE_HZ,
    EarRecorder,
    Mixer,
    Pcm,
    SoundCard,
    build,
    level_db,
    read_wav,
    tone,
    write_asound_conf,
)
from omafon.sim.soundcard.ring import REACH_FRAMES

NOISE = array("h", ((i * 7919) % 60_000 - 30_000 for i in range(RATE_HZ // 4)))
RING_FRAMES = REACH_FRAMES + RATE_HZ


@pytest.fixture
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SoundCard]:
    with SoundCard("oma") as card:
        for name, value in write_asound_conf(tmp_path / "asound.conf", [card]).items():
            monkeypatch.setenv(name, value)
        yield card


PERIODS = 48
"""Half a second of slack: these tests are of what sounds, not of how fast a busy machine comes round."""


def opened(card: SoundCard, direction: int, period_frames: int = 480) -> alsaaudio.PCM:
    return alsaaudio.PCM(
        direction,
        device=card.pcm_name,
        rate=RATE_HZ,
        channels=1,
        format=alsaaudio.PCM_FORMAT_S16_LE,
        periodsize=period_frames,
        periods=PERIODS,
    )


def played(card: SoundCard, pcm: Pcm) -> Pcm:
    """What comes to the ear when a program plays `pcm` and closes."""
    start = card.now()
    program = opened(card, alsaaudio.PCM_PLAYBACK)
    for i in range(0, len(pcm), 480):
        program.write(pcm[i : i + 480].tobytes())
    program.drain()
    program.close()
    return card.ear(start, card.now() - start)


def captured(card: SoundCard, frames: int) -> Pcm:
    program = opened(card, alsaaudio.PCM_CAPTURE)
    pcm: Pcm = array("h")
    while len(pcm) < frames:
        length, piece = program.read()
        assert length > 0, f"capture failed: {length}"
        pcm.frombytes(piece)
    program.close()
    return pcm


def sounding(pcm: Pcm) -> Pcm:
    """`pcm` without the silence before it."""
    return pcm[next((i for i, frame in enumerate(pcm) if frame), len(pcm)) :]


def amixer(card: SoundCard, *words: str) -> str:
    return subprocess.run(["amixer", "-D", card.pcm_name, *words], check=True, capture_output=True, text=True).stdout


def test_what_a_program_plays_comes_to_the_ear_frame_by_frame(card: SoundCard) -> None:
    heard = played(card, NOISE)

    assert sounding(heard)[: len(NOISE)] == NOISE
    assert card.xruns == (0, 0)


def test_what_is_said_into_the_mouth_is_captured_frame_by_frame(card: SoundCard) -> None:
    card.feed_mouth(NOISE)

    pcm = captured(card, RATE_HZ // 10 + len(NOISE) + 960)

    assert sounding(pcm)[: len(NOISE)] == NOISE
    assert card.xruns == (0, 0)


def test_a_program_is_paced_by_the_clock(card: SoundCard) -> None:
    before = time.monotonic()

    captured(card, RATE_HZ // 2)

    assert 0.49 < time.monotonic() - before < 0.7


def test_aplay_plays_a_file_of_another_rate(card: SoundCard, tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "tone.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(tone(400, -10.0)[::6][:2400].tobytes())
    start = card.now()

    subprocess.run(["aplay", "-q", "-D", card.pcm_name, str(tmp_path / "tone.wav")], check=True)

    heard = sounding(card.ear(start, card.now() - start))
    assert level_db(heard[:12_000]) == pytest.approx(-10.0, abs=0.7)


def test_a_second_program_is_told_the_card_is_busy(card: SoundCard) -> None:
    first = opened(card, alsaaudio.PCM_PLAYBACK)

    with pytest.raises(alsaaudio.ALSAAudioError, match="busy"):
        opened(card, alsaaudio.PCM_PLAYBACK)

    opened(card, alsaaudio.PCM_CAPTURE).close()
    first.close()
    opened(card, alsaaudio.PCM_PLAYBACK).close()


def test_a_program_that_comes_too_late_gets_an_xrun(card: SoundCard) -> None:
    program = opened(card, alsaaudio.PCM_CAPTURE)
    program.read()
    deadline = time.monotonic() + 5

    while card.xruns == (0, 0) and time.monotonic() < deadline:
        program.avail()

    program.close()
    assert card.xruns == (0, 1)


def test_an_unplugged_card_is_no_device_until_it_is_plugged_in_again(card: SoundCard) -> None:
    program = opened(card, alsaaudio.PCM_CAPTURE)
    program.read()

    card.unplug()

    with pytest.raises(alsaaudio.ALSAAudioError, match="No such device"):
        program.read()
    program.close()
    with pytest.raises(alsaaudio.ALSAAudioError, match="No such device"):
        opened(card, alsaaudio.PCM_CAPTURE)
    card.plug()
    assert len(captured(card, 480)) >= 480


def test_the_mixer_is_seen_by_both_sides(card: SoundCard) -> None:
    amixer(card, "set", "Master", "40%", "mute")
    amixer(card, "set", "Capture", "70%", "nocap")
    alsaaudio.Mixer("Mic", device=card.pcm_name).setvolume(20)

    assert card.mixer == Mixer(40, False, 70, False, 20, False)

    card.mixer = Mixer(playback_volume=90)

    assert "Playback 90 [90%] [-0.91dB] [on]" in amixer(card, "get", "Master")


def test_the_mixer_turns_the_sound(card: SoundCard) -> None:
    card.mixer = Mixer(playback_volume=50, capture_on=False)
    card.feed_mouth(NOISE)

    assert level_db(sounding(played(card, tone(1000, -20.0)[:12_000]))[:9_600]) == pytest.approx(-26.0, abs=0.1)
    assert not any(captured(card, 9_600))


def test_the_side_tone_brings_the_own_mouth_to_the_ear(card: SoundCard) -> None:
    at = card.feed_mouth(tone(1000, -20.0))

    assert not any(card.ear(at, 480))

    card.mixer = Mixer(sidetone_volume=50, sidetone_on=True)

    assert level_db(card.ear(at, 4_800)) == pytest.approx(-26.0, abs=0.1)


def test_sound_of_an_earlier_turn_of_the_ring_is_silence(card: SoundCard) -> None:
    card.mixer = Mixer(sidetone_volume=100, sidetone_on=True)
    at = card.feed_mouth(NOISE, at=card.now() // 64 * 64 + 17)
    assert card.ear(at, len(NOISE)) == NOISE
    later = at + RING_FRAMES

    assert not any(card.ear(later, len(NOISE)))

    card.feed_mouth(NOISE[:10], at=later + 100)

    assert card.ear(later, 200) == array("h", bytes(200)) + NOISE[:10] + array("h", bytes(180))


def test_a_mouth_goes_on_without_a_seam_and_falls_silent_at_once(card: SoundCard) -> None:
    program = opened(card, alsaaudio.PCM_CAPTURE)
    whistle = tone(1000, -20.0)[:12_000]

    card.play_mouth(whistle)

    pcm: Pcm = array("h")
    while len(pcm) < RATE_HZ:
        pcm.frombytes(program.read()[1])
    heard = sounding(pcm)[:24_000]
    assert max(abs(b - a) for a, b in itertools.pairwise(heard)) <= max(
        abs(b - a) for a, b in itertools.pairwise(whistle)
    )

    card.silence_mouth()

    silent_from = card.now()
    program.read()
    program.close()
    assert not any(captured(card, 4_800)), f"still speaking after frame {silent_from}"


def test_a_mouth_that_does_not_loop_says_its_words_once(card: SoundCard) -> None:
    card.mixer = Mixer(sidetone_volume=100, sidetone_on=True)
    start = card.now()

    card.play_mouth(NOISE, loop=False)

    assert sum(1 for frame in card.ear(start, RATE_HZ) if frame) == sum(1 for frame in NOISE if frame)


def test_the_ear_is_kept_as_a_file_without_the_time_nothing_played(card: SoundCard, tmp_path: Path) -> None:
    with EarRecorder(card, tmp_path / "ear.wav"):
        played(card, NOISE)
        captured(card, RATE_HZ)  # a second in which nothing plays
        played(card, NOISE)

    kept = read_wav(tmp_path / "ear.wav")
    assert NOISE.tobytes() in kept.tobytes()
    assert kept.tobytes().count(NOISE.tobytes()) == 2


def test_a_wav_file_of_another_rate_with_two_channels_can_be_said(tmp_path: Path) -> None:
    left = tone(300, -10.0)[::3]  # at 16 kHz
    with wave.open(str(tmp_path / "stereo.wav"), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(array("h", (frame for pair in zip(left, left, strict=True) for frame in pair)).tobytes())

    said = read_wav(tmp_path / "stereo.wav")

    assert len(said) == RATE_HZ
    assert level_db(said) == pytest.approx(-10.0, abs=0.1)


def test_a_file_that_is_no_wav_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "song.wav").write_bytes(b"not a song")

    with pytest.raises(ValueError, match=r"song\.wav is not a WAV file"):
        read_wav(tmp_path / "song.wav")


def test_the_level_of_silence_and_of_a_tone_are_told_in_decibels(card: SoundCard) -> None:
    assert card.ear_level_db() == -96.0
    assert level_db(tone(440, -15.0)) == pytest.approx(-15.0, abs=0.05)


def test_nobody_else_may_listen_and_nothing_is_left_behind() -> None:
    with SoundCard("opa") as card:
        mode = stat.S_IMODE(card.path.stat().st_mode)

    assert mode == 0o600
    assert not card.path.exists()


def test_a_name_alsa_could_not_read_is_refused() -> None:
    with pytest.raises(ValueError, match="no name for a sound card"):
        SoundCard('oma" }')


def test_the_call_engine_lists_the_cards(card: SoundCard) -> None:
    listing = (
        "import pjsua2 as pj\n"
        "ep = pj.Endpoint(); ep.libCreate(); c = pj.EpConfig(); c.logConfig.level = 0; c.logConfig.consoleLevel = 0\n"
        "ep.libInit(c)\n"
        "print(*(d.name for d in ep.audDevManager().enumDev2()))\n"
        "ep.libDestroy()\n"
    )

    listed = subprocess.run([sys.executable, "-c", listing], check=True, capture_output=True, text=True).stdout

    assert card.pcm_name in listed.split()


def test_a_machine_without_a_compiler_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMAFON_CACHE", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(DriverError, match="needs a C compiler") as error:
        build()

    assert "apt install" in error.value.cure


def test_the_plugin_is_compiled_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMAFON_CACHE", str(tmp_path))
    library = build()
    monkeypatch.setenv("PATH", os.devnull)

    assert build() == library
    assert library.is_relative_to(tmp_path)
    assert [path.name for path in library.parent.iterdir()] == [library.name]
