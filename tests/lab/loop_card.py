# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The handset of an emulated telephone: a loop-back sound card of its kernel, spoken into and heard from inside."""

import base64
import math
from array import array

import numpy as np

from omafon.sim.soundcard import Pcm
from tests.lab.emulated import Emulated

VOICE = "CARD=Loopback"
"""What the telephone is told to speak through; the lab has the other end."""

RATE_HZ = 16_000
_PERIOD = 1600
# Says a tone and listens, both at once, with what the image has: Python and ALSA. What it says last is what it heard.
_PROGRAM = f"""
import alsaaudio, base64, sys, threading, time
say, seconds = base64.b64decode(sys.argv[1]), float(sys.argv[2])
def open_card(kind):
    return alsaaudio.PCM(kind, alsaaudio.PCM_NORMAL, device="plughw:Loopback,1,0", channels=1, rate={RATE_HZ},
                         format=alsaaudio.PCM_FORMAT_S16_LE, periodsize={_PERIOD}, periods=8)
mouth, ear, end = open_card(alsaaudio.PCM_PLAYBACK), open_card(alsaaudio.PCM_CAPTURE), time.monotonic() + seconds
def speak():
    while time.monotonic() < end:
        mouth.write(say)
threading.Thread(target=speak).start()
heard = bytearray()
while time.monotonic() < end:
    count, data = ear.read()
    if count > 0:
        heard += data
print(base64.b64encode(heard[-{RATE_HZ} * 2 * 2:]).decode())
"""


def fit(computer: Emulated) -> None:
    """Put the card into it."""
    computer.root("modprobe snd-aloop")


def says_and_hears(computer: Emulated, frequency_hz: int, seconds: float) -> Pcm:
    """What its ear played in the last two of `seconds`, at RATE_HZ, while a tone was said into its mouth."""
    # A tenth of a second: a whole number of periods of a tone of whole tens of hertz.
    samples = (int(8000 * math.sin(2 * math.pi * frequency_hz * i / RATE_HZ)) for i in range(_PERIOD))
    said = base64.b64encode(array("h", samples).tobytes()).decode()
    program = base64.b64encode(_PROGRAM.encode()).decode()
    # The unit keeps what is asked in one line.
    run = f"import base64,sys;exec(base64.b64decode('{program}'))"
    return array("h", base64.b64decode(computer.root(f'python3 -c "{run}" {said} {seconds}')))


def frequency_hz(pcm: Pcm, rate_hz: int) -> float:
    """The strongest there is."""
    signal = np.array(pcm, dtype=float)
    spectrum = np.abs(np.fft.rfft(signal * np.hanning(len(signal))))
    return float(np.argmax(spectrum)) * rate_hz / len(signal)


def gaps(pcm: Pcm, rate_hz: int) -> float:
    """Which part of it, in windows of 20 ms, is 20 dB below the middle of the others: lost on the way, or late."""
    size = rate_hz // 50
    windows = np.array(pcm[: len(pcm) // size * size], dtype=float).reshape(-1, size)
    levels = 10 * np.log10(np.mean(windows**2, axis=1) + 1)
    return float(np.mean(levels < np.median(levels) - 20))
