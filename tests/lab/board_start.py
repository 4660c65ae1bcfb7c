# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A memory card with our boot.scr in an emulated machine that U-Boot starts; its kernels do nothing but reset it.

A boot takes three seconds, and what U-Boot does with the counters is what it does on a Raspberry Pi.
"""

import os
import re
import struct
import subprocess
from contextlib import ExitStack
from pathlib import Path

from tests.lab.program import Program, needs
from tests.lab.slots import BACKEND, IMAGE_BUILD

MB = 1 << 20
_BOOT_AT, _BOOT_SIZE, _SLOT_SIZE = 1 * MB, 40 * MB, 4 * MB
_U_BOOT = Path("/usr/lib/u-boot/qemu_arm64/u-boot.bin")

# The header that U-Boot asks of a kernel for arm64, and the call of the firmware (PSCI) that resets the machine:
# mov w0, #9; movk w0, #0x8400, lsl #16; hvc #0.
_HEADER = struct.pack("<II6Q4sI", 0x14000010, 0, 0, 0x1000, 0xA, 0, 0, 0, b"ARM\x64", 0)
_RESET = struct.pack("<III", 0x52800120, 0x72B08000, 0xD4000002)


class EmulatedBoard:
    """A machine with the card at `folder`, switched off; slots A and B hold a kernel each, unless one is `empty`."""

    def __init__(self, folder: Path, empty: str = "") -> None:
        for program, package in (
            *(("qemu-system-aarch64", "qemu-system-arm"), ("mkimage", "u-boot-tools"), ("mcopy", "mtools")),
            *(("mkfs.vfat", "dosfstools"), ("mke2fs", "e2fsprogs")),
        ):
            needs(program, package)
        assert _U_BOOT.exists(), "U-Boot for the emulated machine is missing: apt install u-boot-qemu"
        self.folder = folder
        self.disk = folder / "disk"
        boot = folder / "boot.vfat"
        _ran("mkfs.vfat", "-C", "-F", "32", boot, str(_BOOT_SIZE // 1024))
        command = IMAGE_BUILD / "boot/boot.cmd"
        _ran(
            *("mkimage", "-A", "arm64", "-O", "linux", "-T", "script", "-C", "none", "-d"), command, folder / "boot.scr"
        )
        _ran("mcopy", "-i", boot, folder / "boot.scr", IMAGE_BUILD / "boot/slots.txt", "::")
        table = bytearray(512)
        parts = [(0x0C, _BOOT_AT, _BOOT_SIZE), *((0x83, self._slot_at(slot), _SLOT_SIZE) for slot in "AB")]
        for number, (kind, at, size) in enumerate(parts):
            entry = struct.pack("<B3sB3sII", 0x80 * (not number), b"", kind, b"", at // 512, size // 512)
            table[446 + 16 * number : 462 + 16 * number] = entry
        table[510:] = b"\x55\xaa"
        with self.disk.open("wb") as disk:
            disk.write(table)
            disk.seek(_BOOT_AT)
            disk.write(boot.read_bytes())
            for slot in "AB":
                disk.seek(self._slot_at(slot))
                disk.write(self._slot(slot, empty=slot == empty))

    @property
    def counters(self) -> str:
        """What stands in slots.txt."""
        done = subprocess.run(
            ["mtype", "-i", f"{self.disk}@@{_BOOT_AT}", "::slots.txt"], check=True, capture_output=True
        )
        return done.stdout.decode()

    def holds(self, counters: str | None) -> None:
        """Let slots.txt hold this; None: let it be gone."""
        subprocess.run(["mdel", "-i", f"{self.disk}@@{_BOOT_AT}", "::slots.txt"], check=False, capture_output=True)
        if counters is not None:
            file = self.folder / "slots.txt"
            file.write_text(counters)
            _ran("mcopy", "-o", "-i", f"{self.disk}@@{_BOOT_AT}", file, "::")

    def running_system_does(self, *words: str) -> None:
        """What the system in the slot does to the counters: our script, as RAUC calls it."""
        file = self.folder / "slots.txt"
        file.write_text(self.counters)
        subprocess.run([BACKEND, *words], env={**os.environ, "OMAFON_SLOTS": str(file)}, check=True)
        self.holds(file.read_text())

    def starts(self, times: int = 1) -> list[str]:
        """The slots whose kernels ran, one after the other, in so many starts from power on."""
        slots: list[str] = []
        with ExitStack() as stack:
            machine = [
                "qemu-system-aarch64",
                "-M",
                "virt",
                "-cpu",
                "cortex-a53",
                "-m",
                "256",
                "-net",
                "none",
                "-nographic",
            ]
            drive = f"if=none,id=card,file={self.disk},format=raw,cache=writethrough"
            words = [*machine, "-bios", _U_BOOT, "-drive", drive, "-device", "virtio-blk-device,drive=card"]
            qemu = stack.enter_context(Program(words, package="qemu-system-arm", folder=self.folder))
            tried = ""
            while len(slots) < times:
                said = qemu.until_says("omafon: slot|Starting kernel", within_s=30.0)
                if found := re.search(r"omafon: slot ([AB])", said):
                    tried = found[1]
                else:
                    slots.append(tried)
        return slots

    def _slot_at(self, slot: str) -> int:
        return _BOOT_AT + _BOOT_SIZE + "AB".index(slot) * _SLOT_SIZE

    def _slot(self, slot: str, *, empty: bool) -> bytes:
        tree, image = self.folder / f"tree-{slot}", self.folder / f"slot-{slot}"
        (tree / "boot").mkdir(parents=True)
        if not empty:
            (tree / "boot/vmlinuz").write_bytes((_HEADER + _RESET).ljust(4096, b"\0"))
            (tree / "boot/initrd.img").write_bytes(b"nothing\n" * 64)
        _ran("mke2fs", "-q", "-F", "-t", "ext4", "-d", tree, image, str(_SLOT_SIZE // 1024))
        return image.read_bytes()


def _ran(*command: str | Path) -> None:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
