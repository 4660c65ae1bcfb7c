# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Files that are not only taken away: what stood in them is written over first.

A memory card moves what it writes: the old sectors may stay in it, where only who opens the card can read them. What
can be done from outside is done: written over, and told to the card as free (fstrim).
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from omafon import durable

_BLOCK = bytes(65_536)


def erase(file: Path) -> None:
    """Write zeros over `file`, on the disk, and take it away. A link is only taken away. Raises OSError."""
    _overwrite(file)
    file.unlink()
    durable.sync(file.parent)


def empty(file: Path) -> None:
    """Write zeros over `file`, and leave it there without content. Raises OSError."""
    _overwrite(file)
    os.truncate(file, 0)


def erase_tree(folder: Path) -> None:
    """Erase everything in `folder`, which stays; nothing when it is not there. Raises OSError."""
    if not folder.is_dir() or folder.is_symlink():
        return
    for file in files(folder):
        _overwrite(file)
    for place, folders, names in os.walk(folder, topdown=False):
        for name in names:
            Path(place, name).unlink()
        for name in folders:
            inner = Path(place, name)
            inner.unlink() if inner.is_symlink() else inner.rmdir()
    durable.sync(folder)


def files(folder: Path) -> Iterator[Path]:
    """Every plain file in `folder` and below, links not followed."""
    for place, _, names in os.walk(folder):
        for name in sorted(names):
            file = Path(place, name)
            if not file.is_symlink() and file.is_file():
                yield file


def _overwrite(file: Path) -> None:
    if not stat.S_ISREG(file.lstat().st_mode):
        return
    # Not truncated: in its place, where the file system has it.
    descriptor = os.open(file, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "wb", buffering=0) as output:
        left = os.fstat(descriptor).st_size
        while left > 0:
            left -= output.write(_BLOCK[: min(left, len(_BLOCK))])
        os.fsync(descriptor)
