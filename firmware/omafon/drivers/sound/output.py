# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A PCM that nobody ever waits for."""

import errno
import logging
import os
from pathlib import Path

import alsaaudio

from omafon import cards

log = logging.getLogger("omafon.sound")

# Five periods outlive a busy moment of the interpreter, and what is in the buffer when somebody lifts is not heard
# for longer than a tenth of a second.
PERIOD_S = 0.01
PERIODS = 5

# A card that runs dry more often than ten times a second is broken. It is made ready again each time, and the first
# write after that goes well.
LATE_MAX = 20
LATE_FORGOTTEN = 0.1


class CardError(Exception):
    """A card that does not play, in words for the owner; `busy` when another program has it."""

    def __init__(self, what: str, *, busy: bool = False) -> None:
        super().__init__(what)
        self.busy = busy


class Output:
    """A sound card, open for playing; what it has no room for stays with the caller."""

    def __init__(self, wanted: str, rate_hz: int, channels: int, root: Path = cards.ROOT) -> None:
        """Open the card that the owner calls `wanted`. Raises CardError."""
        self._wanted = wanted
        self._frame_bytes = 2 * channels
        self._late = 0.0
        try:
            # Without NONBLOCK, opening may wait for a card that is busy, and the whole interpreter with it.
            self._pcm = alsaaudio.PCM(
                alsaaudio.PCM_PLAYBACK,
                alsaaudio.PCM_NONBLOCK,
                device=cards.pcm(found(wanted, root)),
                rate=rate_hz,
                channels=channels,
                format=alsaaudio.PCM_FORMAT_S16_LE,
                periodsize=round(PERIOD_S * rate_hz),
                periods=PERIODS,
            )
        except alsaaudio.ALSAAudioError as error:
            busy = os.strerror(errno.EBUSY) in str(error)
            raise CardError(f"the sound card {wanted!r} cannot be opened: {_reason(error)}", busy=busy) from None
        info = self._pcm.info()
        self._buffer_frames = int(info["buffer_size"])
        # The library asks for these and takes what it gets.
        if (info["rate"], info["channels"], info["format_name"]) != (rate_hz, channels, "S16_LE"):
            self.close()
            raise CardError(f"the sound card {wanted!r} does not play {rate_hz} Hz")

    def write(self, pcm: bytes) -> int:
        """How many bytes of `pcm` the card has taken. Raises CardError."""
        try:
            frames = int(self._pcm.write(pcm))
        except alsaaudio.ALSAAudioError as error:
            raise CardError(f"the sound card {self._wanted!r} stopped working: {_reason(error)}") from None
        if frames == -errno.EPIPE:
            self._late += 1
            if self._late > LATE_MAX:
                raise CardError(f"the sound card {self._wanted!r} does not keep pace")
            return 0
        if frames > 0:
            self._late = max(self._late - LATE_FORGOTTEN, 0.0)
        return max(frames, 0) * self._frame_bytes

    def left_frames(self) -> int:
        """Frames the card has yet to play."""
        available = self._pcm.avail()
        return int(max(self._buffer_frames - available, 0)) if available >= 0 else 0

    def close(self) -> None:
        """Fall silent at once."""
        try:
            # The library's `close` would play out the buffer first, on a broken card for ever.
            self._pcm.drop()
        except alsaaudio.ALSAAudioError as error:
            log.debug("leaving %r: %s", self._wanted, error)
        self._pcm.close()


def found(wanted: str, root: Path = cards.ROOT) -> str:
    """`wanted` as ALSA knows it. Raises CardError while there is no such card."""
    card = cards.named(wanted, root)
    if card is None or not cards.there(card, root):
        raise CardError(f"there is no sound card {wanted!r}" if wanted else "this phone has no sound card")
    return card


def _reason(error: alsaaudio.ALSAAudioError) -> str:
    """The library's words without the name of the device."""
    return str(error).partition(" [")[0]
