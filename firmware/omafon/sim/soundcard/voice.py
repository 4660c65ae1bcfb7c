# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What a virtual handset can say: a tone, or a WAV file; both as mono frames at 48 kHz."""

import math
import sys
import wave
from array import array
from pathlib import Path

from omafon.sim.soundcard.ring import RATE_HZ, Pcm


def tone(frequency_hz: int, level_db: float = -15.0) -> Pcm:
    """One second of a sine, which joins without a seam. `level_db` is its RMS in dB of full scale, at most -3.1."""
    if not -96 <= level_db <= -3.1:
        raise ValueError(f"a sine of {level_db} dB does not fit into 16 bits: -96 to -3.1")
    peak = 32768 * 10 ** (level_db / 20) * math.sqrt(2)
    turn = 2 * math.pi * frequency_hz / RATE_HZ
    return array("h", (round(peak * math.sin(turn * i)) for i in range(RATE_HZ)))


def read_wav(path: Path) -> Pcm:
    """The sound of a 16-bit PCM WAV file of any rate; its channels are mixed.

    Raises ValueError when the file is something else, OSError when it cannot be read.
    """
    try:
        with wave.open(str(path)) as file:
            width, channels, rate_hz = file.getsampwidth(), file.getnchannels(), file.getframerate()
            raw = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise ValueError(f"{path} is not a WAV file: {error}") from error
    if width != 2:
        raise ValueError(f"{path} has {8 * width} bits a sample: 16 are needed")
    pcm = array("h", raw)
    if sys.byteorder == "big":
        pcm.byteswap()
    if channels > 1:
        tracks = (pcm[channel::channels] for channel in range(channels))
        pcm = array("h", (sum(frame) // channels for frame in zip(*tracks, strict=True)))
    if not pcm:
        raise ValueError(f"{path} is empty")
    return pcm if rate_hz == RATE_HZ else _resampled(pcm, rate_hz)


def _resampled(pcm: Pcm, rate_hz: int) -> Pcm:
    """`pcm` at RATE_HZ by straight lines between the frames: good enough for a voice on a simulated telephone."""
    last = len(pcm) - 1
    resampled = array("h")
    for i in range(len(pcm) * RATE_HZ // rate_hz):
        at, part = divmod(i * rate_hz, RATE_HZ)
        here, there = pcm[min(at, last)], pcm[min(at + 1, last)]
        resampled.append(here + (there - here) * part // RATE_HZ)
    return resampled
