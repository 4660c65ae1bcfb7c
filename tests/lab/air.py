# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The air between the ear of a handset and its mouth."""

import threading
from typing import Self

import numpy as np

from omafon.sim.soundcard import RATE_HZ, SoundCard

FRAMES = 480


class Air:
    """What a card plays is heard by its microphone `delay_s` later, `softer` times softer. It runs in its `with`.

    `late` counts what came too late to be heard in time.
    """

    def __init__(self, card: SoundCard, delay_s: float, softer: int = 4) -> None:
        self._card = card
        self._delay_frames = round(delay_s * RATE_HZ)
        self._softer = softer
        self.late = 0
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="air")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        at = self._card.now()
        while not self._ending.wait(0.005):
            while at + FRAMES <= self._card.now():
                ear = np.array(self._card.ear(at, FRAMES)) // self._softer
                self._card.feed_mouth(ear.astype("<i2"), at + self._delay_frames)
                self.late += self._card.now() > at + self._delay_frames
                at += FRAMES
