# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A PCM that is listened to, and that nobody ever waits for."""

import errno
import logging
import os
from array import array
from pathlib import Path

import alsaaudio

from omafon import cards
from omafon.drivers.sound.output import PERIOD_S, CardError, found

log = logging.getLogger("omafon.sound")

# A recorder may be late by so much before sound is lost.
PERIODS = 20
LATE_MAX = 20


class Input:
    """The microphone of a sound card, from now on; mono."""

    def __init__(self, wanted: str, rate_hz: int, root: Path = cards.ROOT) -> None:
        """Open the card that the owner calls `wanted`. Raises CardError."""
        self._wanted = wanted
        self._late = 0
        try:
            self._pcm = alsaaudio.PCM(
                alsaaudio.PCM_CAPTURE,
                alsaaudio.PCM_NONBLOCK,
                device=cards.pcm(found(wanted, root)),
                rate=rate_hz,
                channels=1,
                format=alsaaudio.PCM_FORMAT_S16_LE,
                periodsize=round(PERIOD_S * rate_hz),
                periods=PERIODS,
            )
        except alsaaudio.ALSAAudioError as error:
            busy = os.strerror(errno.EBUSY) in str(error)
            reason = str(error).partition(" [")[0]
            raise CardError(f"the microphone of {wanted!r} cannot be opened: {reason}", busy=busy) from None
        info = self._pcm.info()
        if (info["rate"], info["channels"], info["format_name"]) != (rate_hz, 1, "S16_LE"):
            self.close()
            raise CardError(f"the microphone of {wanted!r} does not record {rate_hz} Hz")

    def read(self) -> "array[int]":
        """A period of sound, or nothing when there is none yet. Raises CardError."""
        try:
            frames, pcm = self._pcm.read()
        except alsaaudio.ALSAAudioError as error:
            reason = str(error).partition(" [")[0]
            raise CardError(f"the microphone of {self._wanted!r} stopped working: {reason}") from None
        if frames == -errno.EPIPE:
            # What came too fast is lost, and it was made ready again. One that always does is broken.
            self._late += 1
            if self._late > LATE_MAX:
                raise CardError(f"the microphone of {self._wanted!r} does not keep pace")
        elif frames > 0:
            self._late = 0
        return array("h", pcm if frames > 0 else b"")

    def waiting_frames(self) -> int:
        """Frames that have been recorded and not been read."""
        return max(int(self._pcm.avail()), 0)

    def close(self) -> None:
        """Stop at once; what has not been read is lost."""
        try:
            # Before its `close`, which would wait for the card, on a broken one for ever.
            self._pcm.drop()
        except alsaaudio.ALSAAudioError as error:
            log.debug("leaving the microphone of %r: %s", self._wanted, error)
        self._pcm.close()
