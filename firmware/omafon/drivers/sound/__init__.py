# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The bell and the mixers, by ALSA: owner of the ringer's card, and of the voice card's mixer but not of its PCM.

`AlsaSound` is the face; `ringer` opens, plays and closes the bell's card, `output` is that card, `player` a tune on
it, `tunes` makes the tunes; `mixers` keeps volumes and side tone, `mixer` is one card's; `hush` quiets ALSA.
"""

import logging
import threading
import time
from collections import deque
from pathlib import Path

from omafon import cards
from omafon.board import SoundProfile
from omafon.config import AudioConfig
from omafon.core.events import Driver, DriverFailed
from omafon.core.screen import SoundLevels
from omafon.drivers.sound.mixers import Mixers
from omafon.drivers.sound.ringer import Ringer
from omafon.interfaces import Post

log = logging.getLogger("omafon.sound")

# What the owner calls being without a card on purpose.
NO_CARD = "null"

WATCH_S = 2.0
JOIN_S = 2.0

# Silence before and after what sounds, in which the amplifier's pin is switched: the driver of the pins counts on it.
LEAD_S, HOLD_S = 0.06, 0.12


class AlsaSound:
    """A Sound on its own thread, which the newest levels wake. Nobody waits for it but `close`."""

    def __init__(self, post: Post, sound: SoundProfile, audio: AudioConfig, root: Path = cards.ROOT) -> None:
        self._post = post
        voice = audio.voice or sound.voice
        ringer = audio.ringer or sound.ringer or voice
        # When the bell's own card is not there, it is better to ring in the handset than not at all.
        wanted = tuple(card for card in dict.fromkeys((ringer, voice)) if card != NO_CARD)
        silence_s = (LEAD_S, HOLD_S) if sound.amplifier else (0.0, 0.0)
        self._ringer = Ringer(post, () if ringer == NO_CARD else wanted, silence_s, root)
        self._mixers = Mixers(post, sound, audio, voice, ringer, root)
        self._levels: deque[SoundLevels] = deque(maxlen=1)
        self._wake = threading.Event()
        self._stop = False
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        """Start the thread. A card that is missing is posted."""
        self._stop = False
        self._thread = threading.Thread(target=self._run, name="sound", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Fall silent and end the thread."""
        if self._thread is None:
            return
        self._stop = True
        self._wake.set()
        self._thread.join(JOIN_S)
        if self._thread.is_alive():
            log.error("a sound card hangs, and its thread is left behind")
        self._thread = None

    def sound(self, levels: SoundLevels) -> None:
        self._levels.append(levels)
        self._wake.set()

    def _run(self) -> None:
        try:
            self._go_round_and_round()
        except Exception as error:
            log.exception("sound")
            self._post(DriverFailed(Driver.RINGER, f"the sound driver ended: {error!r}"))
        finally:
            self._ringer.close()

    def _go_round_and_round(self) -> None:
        levels = SoundLevels()
        self._ringer.probe()
        watch_at = time.monotonic() + WATCH_S
        while not self._stop:
            if self._levels:
                levels = self._levels.popleft()
            # The bell before the mixers: what is late to the ear is noticed first.
            wait_s = self._ringer.settle(levels, time.monotonic())
            self._mixers.settle(levels)
            now = time.monotonic()
            if now >= watch_at:
                watch_at = now + WATCH_S
                self._ringer.watch()
                self._mixers.watch()
            until_watch_s = max(watch_at - now, 0.0)
            self._wake.wait(until_watch_s if wait_s is None else min(wait_s, until_watch_s))
            self._wake.clear()
