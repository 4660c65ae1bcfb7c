# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The factory reset against what is really on a disk, and against ends in the middle of it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from omafon.machine.erasing import files
from omafon.machine.factory_reset import MARK
from tests.lab import owned

RESET = [sys.executable, "-m", "omafon.cli", "factory-reset", "--now", "--root"]

# Python's own files are not what is cut off.
QUIET = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}


@contextmanager
def mounted(image: Path, place: Path) -> Iterator[Path]:
    """The file system in `image`, as root alone can have it."""
    subprocess.run(["mount", "-o", "loop,discard", str(image), str(place)], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_no_word_of_the_owners_is_left_in_any_sector_of_the_disk(tmp_path: Path):
    image, place = tmp_path / "disk.img", tmp_path / "root"
    place.mkdir()
    with image.open("wb") as file:
        file.truncate(64 << 20)
    subprocess.run(["mkfs.ext4", "-q", str(image)], check=True)
    with mounted(image, place):
        owned.furnish(place)
        # As years do: written anew and renamed, so that the old one lies in sectors of nobody's.
        for number in range(20):
            new = place / "var/lib/omafon/memory.json.new"
            owned.remember(new, f"Friend {number}")
            new.replace(place / "var/lib/omafon/memory.json")
            subprocess.run(["sync", "-f", str(place)], check=True)
    before = owned.found(image.read_bytes())

    with mounted(image, place):
        done = subprocess.run([*RESET, str(place)], capture_output=True)

    assert done.returncode == 0, done.stderr
    assert len(before) == len(owned.WORDS) - 1
    assert owned.found(image.read_bytes()) == []


def test_wherever_it_is_cut_off_the_next_start_finishes_it(tmp_path: Path):
    for call, number in (("fsync", 2), ("fsync", 9), ("unlink", 3), ("unlink", 15), ("rmdir", 4)):
        root = tmp_path / f"{call}-{number}"
        root.mkdir()
        owned.furnish(root)
        strace = ["strace", "-qq", "-o", "/dev/null", "-e", f"trace={call}"]
        strace += ["-e", f"inject={call}:signal=SIGKILL:when={number}"]

        cut = subprocess.run([*strace, *RESET, str(root)], capture_output=True, env=QUIET)
        marked = (root / MARK).exists()
        subprocess.run([*RESET, str(root)], check=True, capture_output=True)

        assert cut.returncode != 0
        assert marked
        assert owned.found(b"\n".join(file.read_bytes() for file in files(root))) == []
        assert not (root / MARK).exists()
