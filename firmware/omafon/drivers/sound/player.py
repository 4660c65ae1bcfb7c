# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A tune on an open card: played over and over, then ended without a click."""

from array import array

from omafon.drivers.sound.output import PERIOD_S, PERIODS, Output
from omafon.drivers.sound.tunes import Tune

FADE_S = 0.005

# -54 dB: a bell that dies away is not heard to the last bit.
QUIET = 64


class Player:
    """Nothing in here waits: `play` or `end` is called again each period."""

    def __init__(self, output: Output, tune: Tune, lead_s: float = 0.0) -> None:
        """`lead_s` is how long the card plays silence first."""
        self._output = output
        self._tune = tune
        self._period_frames = round(PERIOD_S * tune.rate_hz)
        self._frame_bytes = 2 * tune.channels
        self._at = 0
        self._quiet_frames = round(lead_s * tune.rate_hz)  # made since the last sound
        self._rest = bytes(self._quiet_frames * self._frame_bytes)  # of what the card had no room for
        self._ending = False

    def play(self, volume: float) -> None:
        """Fill the card with the tune, whose amplitude is multiplied by `volume`. Raises CardError."""
        if self._ending:
            self._ending, self._at = False, 0
        self._fill(volume)

    def end(self, volume: float) -> bool:
        """Let the tune fade, and keep the card busy with silence; returns whether all is quiet. Raises CardError."""
        if not self._ending:
            if not self._is_quiet():
                self._rest += self._faded(volume)
            self._ending = True
        self._fill(volume)
        return self._is_quiet()

    def close(self) -> None:
        self._output.close()

    def _is_quiet(self) -> bool:
        coming = len(self._rest) // self._frame_bytes + self._output.left_frames()
        return coming <= self._quiet_frames

    def _fill(self, volume: float) -> None:
        for _ in range(PERIODS + 2):
            if not self._rest:
                self._rest = self._silence() if self._ending else self._next(self._period_frames, volume)
            taken = self._output.write(self._rest)
            if not taken:
                return
            self._rest = self._rest[taken:]

    def _silence(self) -> bytes:
        self._quiet_frames += self._period_frames
        return bytes(self._period_frames * self._frame_bytes)

    def _faded(self, volume: float) -> bytes:
        last = array("h", self._next(round(FADE_S * self._tune.rate_hz), volume))
        return array("h", [sample * (len(last) - i) // len(last) for i, sample in enumerate(last)]).tobytes()

    def _next(self, frames: int, volume: float) -> bytes:
        """The next frames of the tune; fewer at its end."""
        begin = self._at * self._frame_bytes
        piece = array("h", self._tune.pcm[begin : begin + frames * self._frame_bytes])
        count = len(piece) // self._tune.channels
        self._at = (self._at + count) % (len(self._tune.pcm) // self._frame_bytes)
        if volume != 1:
            piece = array("h", [round(sample * volume) for sample in piece])
        quiet = not piece or max(max(piece), -min(piece)) < QUIET
        self._quiet_frames = self._quiet_frames + count if quiet else 0
        return piece.tobytes()
