# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""One direction of the virtual sound card's shared memory, and its clock. The layout is card.h's."""

import time
from array import array
from collections.abc import Iterator
from typing import TypeAlias

Pcm: TypeAlias = "array[int]"
"""Sound: `array("h")`, mono frames at 48 kHz."""

RATE_HZ = 48_000

_FRAMES = 1 << 20
_BLOCK_FRAMES = 64
_BLOCKS = _FRAMES // _BLOCK_FRAMES

RING_BYTES = 4 * _BLOCKS + 2 * _FRAMES
REACH_FRAMES = _FRAMES - RATE_HZ
"""How far a ring reaches back, or ahead, with a second to spare."""


def frame_now() -> int:
    """The frame that sounds at this moment: frame n belongs to the monotonic time n / RATE_HZ seconds."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC) * 3 // 62500


class Ring:
    """One direction of the card: frames addressed by time, and beside each block the number it was written for."""

    def __init__(self, memory: memoryview) -> None:
        self._blocks = memory[: 4 * _BLOCKS].cast("I")
        self._frames = memory[4 * _BLOCKS :].cast("h")

    def write(self, start: int, frames: memoryview) -> None:
        for at, piece in _pieces(start, frames):
            first, last = at // _BLOCK_FRAMES, (at + len(piece) - 1) // _BLOCK_FRAMES
            # Only the blocks at the ends can be written in part; what they hold of an earlier turn must not sound.
            for number in {first, last}:
                self._claim(number)
            offset = at % _FRAMES
            self._frames[offset : offset + len(piece)] = piece
            numbers = array("I", (n & 0xFFFFFFFF for n in range(first, last + 1)))
            slot = first % _BLOCKS
            self._blocks[slot : slot + len(numbers)] = memoryview(numbers)

    def read(self, start: int, count: int) -> Pcm:
        heard = array("h", bytes(2 * count))
        for at, piece in _pieces(start, memoryview(heard)):
            offset = at % _FRAMES
            for number in range(at // _BLOCK_FRAMES, (at + len(piece) - 1) // _BLOCK_FRAMES + 1):
                if not self._valid(number):
                    continue
                begin = max(number * _BLOCK_FRAMES, at) - at
                end = min((number + 1) * _BLOCK_FRAMES, at + len(piece)) - at
                piece[begin:end] = self._frames[offset + begin : offset + end]
        return heard

    def written(self, start: int, count: int) -> bool:
        """Whether anything, were it silence, was written into these frames or their nearest neighbours."""
        return any(map(self._valid, range(start // _BLOCK_FRAMES, (start + count - 1) // _BLOCK_FRAMES + 1)))

    def _valid(self, number: int) -> bool:
        return self._blocks[number % _BLOCKS] == number & 0xFFFFFFFF

    def release(self) -> None:
        self._blocks.release()
        self._frames.release()

    def _claim(self, number: int) -> None:
        if not self._valid(number):
            offset = number % _BLOCKS * _BLOCK_FRAMES
            self._frames[offset : offset + _BLOCK_FRAMES] = memoryview(array("h", bytes(2 * _BLOCK_FRAMES)))
            self._blocks[number % _BLOCKS] = number & 0xFFFFFFFF


def _pieces(start: int, frames: memoryview) -> Iterator[tuple[int, memoryview]]:
    """`frames` cut where the ring turns over."""
    while len(frames):
        room = _FRAMES - start % _FRAMES
        yield start, frames[:room]
        start, frames = start + room, frames[room:]
