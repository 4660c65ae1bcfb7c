# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Files that are old or new after a power cut, never half: a file is on the disk when it and its directory are."""

import os
from pathlib import Path


def sync(directory: Path) -> None:
    """Returns when the names in `directory` are on the disk. Raises OSError."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write(file: Path, content: bytes, mode: int = 0o600) -> None:
    """Make `file` hold `content`, on the disk; its name is there only after `sync` of its directory. Raises OSError.

    It belongs to the group of its directory, and when root writes it also to the directory's owner.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(file, flags, 0o600)
    with os.fdopen(descriptor, "wb") as output:
        adopt(descriptor, file.parent)
        # Not left to the umask, and before there is anything to be read.
        os.fchmod(descriptor, mode)
        output.write(content)
        output.flush()
        os.fsync(descriptor)


def replace(file: Path, content: bytes, mode: int = 0o600) -> None:
    """Make `file` hold `content`: it does wholly or not at all, also when the power goes. Raises OSError."""
    new = file.with_name(f"{file.name}.new")
    write(new, content, mode)
    new.replace(file)
    sync(file.parent)


def remove(file: Path) -> None:
    """Returns when `file` is gone from the disk, also if it never was there. Raises OSError."""
    file.unlink(missing_ok=True)
    sync(file.parent)


def point(link: Path, target: str) -> None:
    """Make `link` a symbolic link to `target`: it leads to where it led or there, at any instant. Raises OSError."""
    new = link.with_name(f"{link.name}.new")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.replace(link)
    sync(link.parent)


def directory(path: Path, mode: int = 0o750) -> None:
    """Make the directory `path`, which is not there yet; it belongs to whom its parent does. Raises OSError."""
    path.mkdir(mode=0o700)
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        adopt(descriptor, path.parent)
        os.fchmod(descriptor, mode)
    finally:
        os.close(descriptor)


def adopt(descriptor: int, parent: Path) -> None:
    """Give the open file to the group of `parent`, and when root asks to its owner. Raises OSError."""
    house, own = parent.stat(), os.fstat(descriptor)
    owner = house.st_uid if os.geteuid() == 0 else own.st_uid
    if (own.st_uid, own.st_gid) != (owner, house.st_gid):
        os.fchown(descriptor, owner, house.st_gid)
