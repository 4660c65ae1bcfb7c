# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What the bell sounds like, and which files of the owner's can be played."""

import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from omafon.core.ringing import bell, ring_cadence
from omafon.drivers.sound.tunes import RATE_HZ, TuneError, tune

WINDOW = RATE_HZ // 50


def samples(country: str) -> npt.NDArray[np.float64]:
    return np.frombuffer(tune("", country).pcm, dtype="<i2").astype(float)


def wav(path: Path, *, rate_hz: int = 22_050, channels: int = 1, width: int = 2, frames: int = 1024) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate_hz)
        file.writeframes(bytes(range(256)) * (frames * channels * width // 256))
    return path


@pytest.mark.parametrize(
    ("country", "rings_ms"),
    [
        ("DE", [(0, 1000)]),
        ("GB", [(0, 400), (600, 1000)]),
        ("US", [(0, 2000)]),
        ("FR", [(0, 1500)]),
        ("XK", [(0, 1000)]),
    ],
)
def test_the_bell_is_struck_in_the_cadence_of_the_country(country: str, rings_ms: list[tuple[int, int]]) -> None:
    sound = samples(country)
    round_ms = sum(ring.on_ms + ring.off_ms for ring in ring_cadence(country))

    assert len(sound) * 1000 / RATE_HZ == round_ms
    energy = np.sqrt((sound[: len(sound) // WINDOW * WINDOW].reshape(-1, WINDOW) ** 2).mean(axis=1))
    for begin, end in rings_ms:
        assert energy[begin // 20 + 1 : end // 20 - 1].min() > energy.max() / 10, "it pauses while it rings"
    assert energy[rings_ms[-1][1] // 20 + 25 :].max() < energy.max() / 30, "it does not die away"


def test_the_bell_has_two_gongs_a_third_apart() -> None:
    spectrum = np.abs(np.fft.rfft(samples("DE")[:RATE_HZ]))
    low, high = (gong[0].frequency_hz for gong in bell("DE").gongs)

    assert 1.2 < high / low < 1.3
    for frequency_hz in (low, high):
        near = slice(round(frequency_hz) - 30, round(frequency_hz) + 31)
        assert spectrum[near].max() > np.median(spectrum) * 30


def test_the_clapper_swings_with_the_ringing_current_of_the_country() -> None:
    assert (bell("DE").current_hz, bell("US").current_hz) == (25, 20)


def test_the_bell_is_as_loud_as_a_card_can_and_never_clipped() -> None:
    for country in ("DE", "GB", "US"):
        assert 0.85 < np.abs(samples(country)).max() / 32768 < 0.95


def test_a_tune_begins_and_ends_in_silence_so_that_its_seam_is_not_heard() -> None:
    sound = np.abs(samples("DE"))

    assert sound[-RATE_HZ // 10 :].max() < 64


@pytest.mark.parametrize(("rate_hz", "channels"), [(8000, 1), (22_050, 2), (48_000, 2)])
def test_an_own_file_is_played_as_it_is(tmp_path: Path, rate_hz: int, channels: int) -> None:
    path = wav(tmp_path / "own.wav", rate_hz=rate_hz, channels=channels, frames=1024)

    own = tune(str(path), "DE")

    assert (own.rate_hz, own.channels) == (rate_hz, channels)
    assert len(own.pcm) == 2 * channels * 1024


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        ({"width": 1}, "is not 16-bit PCM"),
        ({"channels": 6}, "is not 16-bit PCM"),
        ({"rate_hz": 96_000}, "at 8 to 48 kHz"),
        ({"rate_hz": 8000, "frames": 8000 * 61}, "is longer than 60 s"),
    ],
)
def test_a_file_that_cannot_ring_is_refused_with_the_reason(tmp_path: Path, made: dict[str, int], reason: str) -> None:
    path = wav(tmp_path / "own.wav", **made)

    with pytest.raises(TuneError, match=reason):
        tune(str(path), "DE")


def test_what_is_no_sound_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "own.wav"
    text.write_text("ring ring")

    with pytest.raises(TuneError, match="is not a WAV file"):
        tune(str(text), "DE")
    with pytest.raises(TuneError, match="cannot be read: No such file"):
        tune(str(tmp_path / "none.wav"), "DE")
