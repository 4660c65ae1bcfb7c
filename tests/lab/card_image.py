# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A memory card's image, taken apart: its table of partitions, and what is on them, with owners and modes."""

import re
import shutil
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.lab.heard import LabError
from tests.lab.program import needs

REPOSITORY = Path(__file__).parents[2]
BUILT = REPOSITORY / "build" / "image"
WORKSHOP = REPOSITORY / "image-build" / "workshop"
_SECTOR = 512


def newest() -> Path:
    """The image that was built last. Raises LabError when there is none."""
    images = sorted(BUILT.glob("omafon-*.img"), key=lambda image: image.stat().st_mtime)
    if not images:
        raise LabError("there is no image: ./dev image builds it")
    return images[-1]


@dataclass(frozen=True, slots=True)
class Partition:
    """One of the four: what the table calls its kind, and where it lies, in bytes."""

    kind: int
    bootable: bool
    start: int
    size: int


class Root:
    """A telephone's root directory."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def files(self) -> list[Path]:
        """Every plain file of it."""
        return [file for file in self.root.rglob("*") if file.is_file() and not file.is_symlink()]

    def text(self, path: str) -> str:
        return (self.root / path).read_text(encoding="utf-8")


class CardImage(Root):
    """The image, its boot partition in `boot`, its slot A in `root`. Needs root, for the owners of the files."""

    def __init__(self, image: Path, folder: Path) -> None:
        super().__init__(folder / "root")
        self.image = image
        with image.open("rb") as file:
            table = file.read(_SECTOR)
        assert table[510:] == b"\x55\xaa"
        self.disk_id = struct.unpack_from("<I", table, 440)[0]
        entries = [struct.unpack_from("<B3xB3xII", table, 446 + 16 * number) for number in range(4)]
        self.partitions = [
            Partition(kind, flag == 0x80, start * _SECTOR, size * _SECTOR) for flag, kind, start, size in entries
        ]
        self.boot = folder / "boot"
        self.boot.mkdir()
        self.root.mkdir()
        _run("mcopy", "mtools", "-s", "-p", "-m", "-i", f"{image}@@{self.partitions[0].start}", "::*", self.boot)
        slot = folder / "slot"
        self.copy(self.partitions[1], slot)
        said = _run("debugfs", "e2fsprogs", "-R", f"rdump / {self.root}", slot)
        if re.search("(?i)operation not permitted", said):
            raise LabError("the owners of files cannot be restored: run this test as root")
        self.summary = _run("dumpe2fs", "e2fsprogs", "-h", slot)
        slot.unlink()

    def copy(self, partition: Partition, to: Path) -> None:
        """The bytes of a partition as a file, sparse."""
        block = 4 << 20
        command = ["dd", f"if={self.image}", f"of={to}", f"bs={block}", "conv=sparse", "status=none"]
        subprocess.run([*command, f"skip={partition.start // block}", f"count={partition.size // block}"], check=True)

    def unpacked_initrd(self, folder: Path) -> Path:
        """The files the kernel starts with."""
        subprocess.run([WORKSHOP, "unmkinitramfs", self.root / "boot/initrd.img", folder], check=True)
        return folder

    def close(self) -> None:
        shutil.rmtree(self.root)


def _run(program: str, package: str, *words: object) -> str:
    ran = subprocess.run([needs(program, package), *map(str, words)], capture_output=True, text=True, errors="replace")
    if ran.returncode:
        raise LabError(f"{program}: {ran.stderr}")
    return ran.stdout + ran.stderr
