# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The owner's part of an update: a bundle comes from a file, from the network or by standard input, onto the disk."""

import fcntl
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from omafon.update.bundle import BundleRefused
from omafon.update.record import Record

STANDARD_INPUT = "-"
LARGEST = 1 << 30
"""Larger than any slot."""

SPARE = 32 << 20
"""So much of the disk stays for the telephone."""

ANSWER_S = 30.0
_PIECE = 1 << 18

Hears = Callable[[int, int | None], None]
"""Is told how many bytes have come, and of how many if that is known."""


class Busy(Exception):
    """Somebody else is just sending one."""


@contextmanager
def received(source: str, record: Record, hears: Hears) -> Iterator[Path]:
    """The bundle from `source`, where root will look for it; it is removed in the end, and nobody else sends one.

    Raises BundleRefused, Busy, OSError.
    """
    file = record.incoming
    with ExitStack() as stack:
        lock = stack.enter_context((file.parent / "lock").open("w"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy from None
        stack.callback(file.unlink, missing_ok=True)
        _copy(source, file, hears)
        yield file


def _copy(source: str, file: Path, hears: Hears) -> None:
    with ExitStack() as stack:
        opened, size = _opened(source, stack)
        room = os.statvfs(file.parent)
        most = min(LARGEST, room.f_bavail * room.f_frsize - SPARE)
        file.unlink(missing_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        output = stack.enter_context(os.fdopen(descriptor, "wb"))
        come = 0
        while piece := opened.read(_PIECE):
            come += len(piece)
            if come > most:
                raise BundleRefused(f"the bundle is larger than {max(0, most) >> 20} MB, and there is no more room", "")
            output.write(piece)
            hears(come, size)
        output.flush()
        os.fsync(descriptor)


def _opened(source: str, stack: ExitStack) -> tuple[BinaryIO, int | None]:
    if source == STANDARD_INPUT:
        return sys.stdin.buffer, None
    if not source.startswith(("http://", "https://")):
        file = stack.enter_context(Path(source).open("rb"))  # noqa: SIM115
        return file, os.fstat(file.fileno()).st_size or None
    try:
        answer = stack.enter_context(urllib.request.urlopen(source, timeout=ANSWER_S))
    except (urllib.error.URLError, ValueError) as error:
        why = getattr(error, "reason", error)
        raise BundleRefused(f"{source} cannot be fetched: {why}", "Is the address right?") from None
    length = answer.headers.get("Content-Length", "")
    return answer, int(length) if length.isdecimal() else None
