# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The virtual sound card as its owner holds it: speak into the mouth, listen to the ear, turn it by its mixer.

Times are frame numbers of the monotonic clock (`now()`).
"""

import math
import mmap
import os
import re
import struct
import tempfile
from dataclasses import dataclass
from operator import mul
from pathlib import Path
from types import TracebackType
from typing import Self

from omafon.sim.soundcard.mouth import Mouth
from omafon.sim.soundcard.ring import RATE_HZ, REACH_FRAMES, RING_BYTES, Pcm, Ring, frame_now

SILENCE_DB = -96.0
"""What a meter shows for digital silence: the quietest a 16-bit frame can be."""

_MAGIC, _LAYOUT = 0x63616D6F, 1
_HEADER_BYTES = 4096
_UNPLUGGED, _XRUNS, _CONTROLS, _LATE = 2, 3, 5, 11  # indices of 32-bit words in the header


@dataclass(frozen=True, slots=True)
class Mixer:
    """The mixer's elements as programs set them; volumes in percent of full scale, linear."""

    playback_volume: int = 100
    playback_on: bool = True
    capture_volume: int = 100
    capture_on: bool = True
    sidetone_volume: int = 50
    sidetone_on: bool = False


class SoundCard:
    """A virtual sound card; it exists until it is closed. Programs open it as the ALSA PCM and mixer `pcm_name`.

    Raises ValueError when the name is not made of letters, digits, '-' and '_'; OSError when there is no memory.
    """

    def __init__(self, name: str) -> None:
        if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
            raise ValueError(f"{name!r} is no name for a sound card: letters, digits, - and _ only")
        self.name = name
        self.pcm_name = f"omafon_{name}"
        # mkstemp gives 0600: nobody else on the machine may listen.
        descriptor, path = tempfile.mkstemp(prefix=f"omafon-{name}-", dir="/dev/shm")
        self.path = Path(path)
        try:
            size = _HEADER_BYTES + 2 * RING_BYTES
            os.ftruncate(descriptor, size)
            self._map = mmap.mmap(descriptor, size)
        except OSError:
            self.path.unlink()
            raise
        finally:
            os.close(descriptor)
        self._memory = memoryview(self._map)
        self._words = self._memory[:_HEADER_BYTES].cast("I")
        self._ear = Ring(self._memory[_HEADER_BYTES : _HEADER_BYTES + RING_BYTES])
        self._mouth = Ring(self._memory[_HEADER_BYTES + RING_BYTES :])
        self._saying: Mouth | None = None
        self.mixer = Mixer()
        self._map[0:8] = struct.pack("=II", _MAGIC, _LAYOUT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Silence the mouth and take the card away from programs that still hold it."""
        if self._map.closed:
            return
        self.silence_mouth()
        self._words[_UNPLUGGED] = 1
        self.path.unlink(missing_ok=True)
        self._ear.release()
        self._mouth.release()
        self._words.release()
        self._memory.release()
        self._map.close()

    @staticmethod
    def now() -> int:
        """The frame that sounds at this moment."""
        return frame_now()

    def feed_mouth(self, pcm: Pcm, at: int | None = None) -> int:
        """Say `pcm` at frame `at` (100 ms from now when not given); returns that frame. At most 20 s at once."""
        if len(pcm) > REACH_FRAMES:
            raise ValueError(f"{len(pcm)} frames do not fit into the ring; play_mouth has no such limit")
        at = frame_now() + RATE_HZ // 10 if at is None else at
        self._mouth.write(at, memoryview(pcm))
        return at

    def play_mouth(self, pcm: Pcm, *, loop: bool = True) -> None:
        """Go on saying `pcm`, in the place of what was said before, until `silence_mouth` or the end of the card."""
        self.silence_mouth()
        self._saying = Mouth(self.feed_mouth, pcm, loop=loop, name=self.name)

    def silence_mouth(self) -> None:
        if self._saying:
            self._saying.close()
            self._saying = None

    def ear(self, start: int, frames: int) -> Pcm:
        """What sounded in the ear from frame `start` on; silence where nothing was played. At most 20 s back.

        The side tone is in it when the mixer lets it through.
        """
        heard = self._ear.read(start, frames)
        mixer = self.mixer
        if mixer.sidetone_on and mixer.sidetone_volume:
            own = self._mouth.read(start, frames)
            for i, frame in enumerate(own):
                heard[i] = max(-32768, min(32767, heard[i] + frame * mixer.sidetone_volume // 100))
        return heard

    def played(self, start: int, frames: int) -> bool:
        """Whether a program played anything, were it silence, within these frames."""
        return self._ear.written(start, frames)

    def ear_level_db(self, window_s: float = 0.1) -> float:
        """The level of the last `window_s` in the ear, in dB of a full-scale square wave (a full sine is -3)."""
        frames = round(window_s * RATE_HZ)
        return level_db(self.ear(frame_now() - frames, frames))

    @property
    def mixer(self) -> Mixer:
        volumes_and_switches = self._words[_CONTROLS : _CONTROLS + 6].tolist()
        playback, playback_on, capture, capture_on, sidetone, sidetone_on = volumes_and_switches
        return Mixer(playback, bool(playback_on), capture, bool(capture_on), sidetone, bool(sidetone_on))

    @mixer.setter
    def mixer(self, mixer: Mixer) -> None:
        words = (
            *(mixer.playback_volume, mixer.playback_on),
            *(mixer.capture_volume, mixer.capture_on),
            *(mixer.sidetone_volume, mixer.sidetone_on),
        )
        for i, word in enumerate(words):
            self._words[_CONTROLS + i] = int(word)

    @property
    def xruns(self) -> tuple[int, int]:
        """How often a program came too late: playing into the ear, capturing from the mouth."""
        return self._words[_XRUNS], self._words[_XRUNS + 1]

    def unplug(self) -> None:
        """Pull the card out: programs that use it, and those that try, get ENODEV until `plug`."""
        self._words[_UNPLUGGED] = 1

    def plug(self) -> None:
        self._words[_UNPLUGGED] = 0

    def lose_pace(self) -> None:
        """Break its clock: whatever a program does comes too late, until `find_pace`."""
        self._words[_LATE] = 1

    def find_pace(self) -> None:
        self._words[_LATE] = 0


def level_db(pcm: Pcm) -> float:
    """Root mean square of `pcm` in dB of full scale, never below SILENCE_DB."""
    energy = sum(map(mul, pcm, pcm))
    if not energy:
        return SILENCE_DB
    return max(SILENCE_DB, 10 * math.log10(energy / len(pcm) / 32768**2))
