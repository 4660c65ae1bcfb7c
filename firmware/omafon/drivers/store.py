# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What must survive a power cut: one JSON file, always old or new, never half."""

import fcntl
import os
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import msgspec

from omafon import durable
from omafon.core.events import Driver, DriverFailed, DriverRecovered
from omafon.core.memory import HISTORY_LENGTH, MOST_MEMBERS, HistoryEntry, Memory
from omafon.interfaces import DriverError, Post

FILE = "memory.json"

SETTLE_S = 5.0
"""A volume is written when nobody has changed it for so long: a person holds the key down, and a card wears out."""


class FileStore:
    """Keeps the memory in `directory`. Writes on a thread of its own; of several memories in a hurry, the newest.

    A call is written at once; what is less goes along with it, or is written when it has settled for `settle_s`.
    """

    def __init__(self, post: Post, directory: Path, *, settle_s: float = SETTLE_S) -> None:
        self._post = post
        self._settle_s = settle_s
        self._directory = directory
        self._file = directory / FILE
        self._change = threading.Condition()
        self._next: Memory | None = None
        self._closing = False
        self._kept: Memory | None = None  # what the file holds; the writer's own
        self._ailing = False
        self._claim: int | None = None  # the directory, held open and locked
        self._thread = threading.Thread(target=self._write_all, name="store")

    def open(self) -> None:
        """Make the directory and start the writer. Raises DriverError when it cannot be ours alone."""
        try:
            self._directory.mkdir(mode=0o750, parents=True, exist_ok=True)
        except OSError as error:
            what = f"the state directory {self._directory} cannot be made: {error.strerror}"
            raise DriverError(what, "Name another with --state, in a folder you may write to.") from None
        self._claim = _claimed(self._directory)
        self._thread.start()

    def close(self) -> None:
        """Returns when what was to be kept is on the disk."""
        with self._change:
            self._closing = True
            self._change.notify()
        if self._thread.is_alive():
            self._thread.join()
        if self._claim is not None:
            os.close(self._claim)
            self._claim = None

    def load(self) -> Memory:
        """The memory as it was last kept; an empty one when there is none or it cannot be read.

        A file that is not a memory is set aside as `memory.json.broken`, so that somebody may look at it.
        """
        try:
            memory = _sane(msgspec.json.decode(self._file.read_bytes(), type=Memory))
        except FileNotFoundError:
            return Memory()
        except OSError as error:
            self._fail(f"the memory cannot be read: {error.strerror}")
        except (ValueError, RecursionError):
            self._fail("the memory was broken and begins anew")
            with suppress(OSError):
                self._file.replace(self._file.with_name(f"{FILE}.broken"))
        else:
            self._kept = memory
            return memory
        return Memory()

    def keep(self, memory: Memory) -> None:
        """Write `memory` soon, so that a power cut leaves the old or the new one whole."""
        with self._change:
            self._next = memory
            self._change.notify()

    def _write_all(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: self._next is not None or self._closing)
                # Every change begins the wait anew; when it ends by itself, all is quiet.
                while not (self._closing or self._presses()) and self._change.wait(self._settle_s):
                    pass
                memory, self._next = self._next, None
            if memory is None:
                return
            # The first thing a phone keeps is what it has just loaded: no need to wear the card.
            if memory != self._kept:
                self._write(memory)

    def _presses(self) -> bool:
        """Whether what is to be kept knows of a call or a member of the family that the file does not."""
        if self._kept is None or self._next is None:
            return True
        return _newest(self._next) != _newest(self._kept) or _pins(self._next) != _pins(self._kept)

    def _write(self, memory: Memory) -> None:
        try:
            durable.replace(self._file, msgspec.json.encode(memory))
        except OSError as error:
            self._fail(f"the memory cannot be written: {error.strerror}")
        except ValueError:
            self._fail("the memory holds a name that is no text")
        else:
            self._kept = memory
            if self._ailing:
                self._ailing = False
                self._post(DriverRecovered(Driver.STORE))

    def _fail(self, reason: str) -> None:
        self._ailing = True
        self._post(DriverFailed(Driver.STORE, reason))


def _claimed(directory: Path) -> int:
    """A descriptor of `directory`; while it is open no other telephone gets one. Raises DriverError."""
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        what = f"the state directory {directory} cannot be opened: {error.strerror}"
        raise DriverError(what, "Name another with --state.") from None
    try:
        # The kernel lets go of it however this process ends, so there is no stale lock to take away.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        what = f"the state directory {directory} cannot be locked: {error.strerror}"
        if isinstance(error, BlockingIOError):
            what = f"another phone keeps its memory in {directory}"
        raise DriverError(what, "Stop the other one, or name another directory with --state.") from None
    return descriptor


def _newest(memory: Memory) -> HistoryEntry | None:
    """The last call, whether or not anybody has looked at it since."""
    return replace(memory.history[0], seen=True) if memory.history else None


def _pins(memory: Memory) -> tuple[str, ...]:
    """Who is in the family: where they are may be written later."""
    return tuple(member.certificate for member in memory.family)


def _sane(memory: Memory) -> Memory:
    """`memory`, if its values can be. Raises ValueError."""
    if not (0 <= memory.handset_volume <= 100 and 0 <= memory.ringer_volume <= 100):
        raise ValueError("a volume is no percentage")
    return replace(memory, history=memory.history[:HISTORY_LENGTH], family=memory.family[:MOST_MEMBERS])
