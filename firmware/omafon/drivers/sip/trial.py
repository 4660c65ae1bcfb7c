# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The voice card on trial: how loud its microphone is, and how long a sound takes out of it and back in."""

import logging
import math
import queue
import statistics
import tempfile
import threading
import wave
from array import array
from itertools import pairwise
from pathlib import Path
from typing import Any

import pjsua2 as pj

from omafon.core import chirp
from omafon.core.chirp import CHIRP_EVERY_S, CHIRPS, DELAY_MAX_S, Pcm
from omafon.core.events import DelayMeasured, VoiceHeard
from omafon.core.screen import VoiceTrial
from omafon.drivers.sip.callback import describe
from omafon.drivers.sip.engine import RATE_HZ, Engine
from omafon.interfaces import Post

log = logging.getLogger("omafon.sip")

METER_S = 0.25

# What a card plays first after it was opened may be lost.
LEAD_S = 0.3
# Measurements of the same card differ by less: its buffers are filled in steps of 10 ms.
AGREE_MS = 12.0


class Trial:
    """Follows the level `VoiceTrial`, and posts what it finds. Runs on the engine's thread but for its searches."""

    def __init__(self, engine: Engine, post: Post) -> None:
        self._engine = engine
        self._devices = engine.audDevManager()
        self._post = post
        self._trial = VoiceTrial.NONE
        self._due_at = 0.0
        self._chirping: _Chirping | None = None
        self._found: queue.SimpleQueue[float | None] = queue.SimpleQueue()
        self._search: threading.Thread | None = None

    def settle(self, trial: VoiceTrial, now: float) -> None:
        """Begin, go on or end; the card is open by now if it can be."""
        if trial is not self._trial:
            self._change(trial, now)
        if trial is VoiceTrial.LOOP and now >= self._due_at:
            self._due_at = now + METER_S
            self._post(VoiceHeard(round(loudness_db(self._devices.getCaptureDevMedia().getTxLevel()), 1)))
        elif trial is VoiceTrial.DELAY:
            self._measure(now)

    def close(self) -> None:
        """Leave the bridge."""
        if self._chirping is not None:
            self._chirping.end()
            self._chirping = None

    def _change(self, trial: VoiceTrial, now: float) -> None:
        if VoiceTrial.NONE in (trial, self._trial):
            # A canceller would take one's own voice, and the chirps, for an echo.
            self._engine.cancel_echo(trial is VoiceTrial.NONE)
        self.close()
        self._trial, self._search = trial, None
        # What is found from now on belongs to this trial: a search that goes on has the old queue.
        self._found = queue.SimpleQueue()
        self._due_at = now + (LEAD_S if trial is VoiceTrial.DELAY else METER_S)

    def _measure(self, now: float) -> None:
        if self._search is not None:
            if not self._found.empty():
                self._post(DelayMeasured(self._found.get()))
            return
        if now < self._due_at:
            return
        if self._chirping is None:
            try:
                self._chirping = _Chirping(self._devices)
            except (pj.Error, OSError) as error:
                log.warning("the delay cannot be measured: %s", describe(error))
                self._due_at = math.inf
                self._post(DelayMeasured(None))
            else:
                self._due_at = now + CHIRP_EVERY_S * (CHIRPS + 1) + DELAY_MAX_S
            return
        heard = self._chirping.heard()
        if heard is None:
            return
        self._chirping, found = None, self._found
        self._search = threading.Thread(target=lambda: found.put(delay_ms(heard)), name="chirps", daemon=True)
        self._search.start()


class _Chirping:
    """Chirps go into the ear. What goes there and what the microphone hears are recorded as one."""

    def __init__(self, devices: Any) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="omafon-")
        folder = Path(self._folder.name)
        self._file = folder / "heard.wav"
        with wave.open(str(folder / "chirps.wav"), "wb") as file:
            file.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
            file.writeframes(chirp.chirps(RATE_HZ).tobytes())
        self._player: Any = pj.AudioMediaPlayer()
        self._player.createPlayer(str(folder / "chirps.wav"), pj.PJMEDIA_FILE_NO_LOOP)
        self._recorder: Any = pj.AudioMediaRecorder()
        self._recorder.createRecorder(str(self._file))
        devices.getCaptureDevMedia().startTransmit(self._recorder)
        self._player.startTransmit(self._recorder)
        self._player.startTransmit(devices.getPlaybackDevMedia())

    def heard(self) -> "Pcm | None":
        """End it; None until the engine has written the file, which it does some time after the recorder has gone."""
        self._leave()
        try:
            with wave.open(str(self._file)) as file:
                heard = array("h", file.readframes(file.getnframes()))
        except (wave.Error, EOFError):
            return None
        self._folder.cleanup()
        return heard

    def end(self) -> None:
        """Be silent, whatever was heard."""
        self._leave()
        self._folder.cleanup()

    def _leave(self) -> None:
        self._player = self._recorder = None


def delay_ms(heard: Pcm) -> float | None:
    """How long after each chirp it is heard once more; None when it is not, or not always.

    The first of each two is the one that was played, sample by sample; the second came through the air.
    """
    wanted = chirp.chirp(rate_hz=RATE_HZ)
    spacing, longest = round(CHIRP_EVERY_S * RATE_HZ), round(DELAY_MAX_S * RATE_HZ)
    first = chirp.find(wanted, heard[:spacing], coarse=1)
    if first is None:
        return None
    found = []
    for number in range(CHIRPS):
        begin = first + number * spacing
        rest = heard[begin : begin + longest + len(wanted)]
        for at, sample in enumerate(wanted[: len(rest)]):
            rest[at] = max(-32768, min(32767, rest[at] - sample))
        back = chirp.find(wanted, rest, coarse=1)
        if back is not None:
            found.append(1000 * back / RATE_HZ)
    agree = len(found) > 1 and max(found) - min(found) <= AGREE_MS
    return statistics.median(found) if agree else None


# The bridge's level of a sine, and its RMS in dB of full scale, as measured: what the engine's documentation calls its
# unit, it is not.
_LEVELS = (
    *((0, -96), (1, -60), (2, -55), (4, -50), (7, -45), (10, -40), (14, -35)),
    *((18, -30), (23, -25), (28, -20), (32, -15), (38, -10), (43, -5), (48, 0)),
)


def loudness_db(level: int) -> float:
    """How loud a signal of the bridge's `level` is, within 2 dB.

    >>> loudness_db(0), loudness_db(30), loudness_db(255)
    (-96.0, -17.5, 0.0)
    """
    for (below, low_db), (above, high_db) in pairwise(_LEVELS):
        if level <= above:
            return low_db + (high_db - low_db) * (level - below) / (above - below)
    return 0.0
