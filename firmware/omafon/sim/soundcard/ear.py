# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Keeps what was heard in a virtual handset's ear as a WAV file."""

import sys
import threading
import wave
from pathlib import Path
from types import TracebackType
from typing import Self

from omafon.sim.soundcard.card import SoundCard
from omafon.sim.soundcard.ring import RATE_HZ, REACH_FRAMES

TICK_S = 0.5


class EarRecorder:
    """Writes the ear into the WAV file `path` from now until `close`, which must come before the card's.

    Time in which no program plays is left out, so a telephone that waits for days does not fill the disk. The file
    is whole at every moment.
    """

    def __init__(self, card: SoundCard, path: Path) -> None:
        self._card = card
        self._at = card.now()
        self._file = wave.open(str(path), "wb")  # noqa: SIM115 - open as long as the recorder
        self._file.setnchannels(1)
        self._file.setsampwidth(2)
        self._file.setframerate(RATE_HZ)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"ear of {card.name}", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Write what was heard until now and finish the file."""
        self._closing.set()
        self._thread.join()
        self._keep()
        self._file.close()

    def _run(self) -> None:
        while not self._closing.wait(TICK_S):
            self._keep()

    def _keep(self) -> None:
        now = self._card.now()
        # After a stall longer than the ring remembers, the newest part is kept.
        start = max(self._at, now - REACH_FRAMES)
        if now > start and self._card.played(start, now - start):
            heard = self._card.ear(start, now - start)
            if sys.byteorder == "big":
                heard.byteswap()
            # Patches the header every time: a simulator that is killed leaves a file that plays.
            self._file.writeframes(heard.tobytes())
        self._at = now
