# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Virtual sound cards: a handset's mouth and ear for telephones without hardware.

A SoundCard is a piece of shared memory that an ALSA plugin presents to any program as a card with a mixer, paced
by the monotonic clock. This side speaks into its mouth and listens to its ear, exact to the frame:

    with SoundCard("oma") as card:
        env = write_asound_conf(folder / "asound.conf", [card])
        card.play_mouth(tone(440))
        ...  # a phone runs with `env` and voice = card.pcm_name
        card.ear_level_db()
"""

from omafon.sim.soundcard.asound import write_asound_conf
from omafon.sim.soundcard.card import Mixer, SoundCard, level_db
from omafon.sim.soundcard.ear import EarRecorder
from omafon.sim.soundcard.plugin import build
from omafon.sim.soundcard.ring import RATE_HZ, Pcm
from omafon.sim.soundcard.voice import read_wav, tone

__all__ = [
    "RATE_HZ",
    "EarRecorder",
    "Mixer",
    "Pcm",
    "SoundCard",
    "build",
    "level_db",
    "read_wav",
    "tone",
    "write_asound_conf",
]
