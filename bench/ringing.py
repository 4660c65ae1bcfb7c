# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""How soon the bell rings, and how soon it is silent, at its loudspeaker; and what the sound driver costs at rest.

The sound driver alone, on a virtual card. `python -m bench.ringing` prints the table.
"""

import os
import tempfile
import threading
import time
from pathlib import Path
from statistics import quantiles

import numpy as np

from bench import table
from bench.figures import Figure, Values, at_most, median
from omafon.board import SoundProfile
from omafon.config import AudioConfig
from omafon.core.screen import SoundLevels
from omafon.drivers.sound import AlsaSound
from omafon.sim.soundcard import RATE_HZ, SoundCard, write_asound_conf

AGENTS = ["omafon"]
FIGURES = (
    Figure("ring_start_ms", "call to ring", "ms", at_most(100, "ms")),
    Figure("ring_start_p99_ms", "the same, 99 of 100", "ms", at_most(100, "ms")),
    Figure("ring_stop_ms", "answer to silence", "ms", at_most(100, "ms")),
    Figure("ring_stop_p99_ms", "the same, 99 of 100", "ms", at_most(100, "ms")),
    Figure("ring_rest_cpu_s", "sound driver, CPU an hour", "s", at_most(18, "s")),
)
LOUD = 100
RINGING_S, SILENT_S = 0.4, 0.2
PAUSE = threading.Event()


def measure(times: int, rest_s: float) -> Values:
    """Ring and stop so many times, then rest with both mixers kept as they shall be."""
    starts, stops = [], []
    before = os.environ.get("ALSA_CONFIG_PATH")
    with tempfile.TemporaryDirectory() as folder, SoundCard("handset") as handset, SoundCard("bell") as bell:
        os.environ.update(write_asound_conf(Path(folder) / "asound.conf", [handset, bell]))
        elements = {"playback": "Master", "capture": "Capture", "sidetone": "Mic", "bell": "Master"}
        profile = SoundProfile(voice=handset.pcm_name, ringer=bell.pcm_name, **elements)
        driver = AlsaSound(print, profile, AudioConfig())
        driver.open()
        driver.sound(SoundLevels())
        PAUSE.wait(1)
        for _ in range(times):
            starts.append(_sounding_ms(bell, driver, SoundLevels(ringing=True), RINGING_S)[0])
            stops.append(_sounding_ms(bell, driver, SoundLevels(), SILENT_S)[-1])
        used = time.process_time()
        PAUSE.wait(rest_s)
        rested = (time.process_time() - used) * 3600 / rest_s
        driver.close()
    if before is None:
        del os.environ["ALSA_CONFIG_PATH"]
    else:
        os.environ["ALSA_CONFIG_PATH"] = before
    figures = {
        "ring_start_ms": median(starts),
        "ring_start_p99_ms": quantiles(starts, n=100, method="inclusive")[-1],
        "ring_stop_ms": median(stops),
        "ring_stop_p99_ms": quantiles(stops, n=100, method="inclusive")[-1],
        "ring_rest_cpu_s": rested,
    }
    return {key: {"omafon": value} for key, value in figures.items()}


def _sounding_ms(bell: SoundCard, driver: AlsaSound, levels: SoundLevels, for_s: float) -> list[float]:
    """When something sounds after the driver is told `levels`, in milliseconds from then."""
    told = bell.now()
    driver.sound(levels)
    PAUSE.wait(for_s)
    loud = np.flatnonzero(np.abs(np.array(bell.ear(told, bell.now() - told), dtype=int)) > LOUD)
    return [float(frame) * 1000 / RATE_HZ for frame in loud] or [0.0]


if __name__ == "__main__":
    print(table.text(measure(100, 20.0), AGENTS, FIGURES))
