# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A memory card's two slots as files, with the real RAUC over them and our script that keeps the counters."""

import os
import subprocess
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.lab.program import Program, needs

REPOSITORY = Path(__file__).parents[2]
IMAGE_BUILD = REPOSITORY / "image-build"
BACKEND = IMAGE_BUILD / "root/usr/lib/omafon/slots"
SLOT_SIZE = 48 << 20

_BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={path}</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
  </policy>
</busconfig>
"""


class Maker:
    """Who makes bundles, with a key of their own in `folder`."""

    def __init__(self, folder: Path) -> None:
        for program, package in (("rauc", "rauc"), ("mksquashfs", "squashfs-tools"), ("openssl", "openssl")):
            needs(program, package)
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([IMAGE_BUILD / "signing-key", folder], check=True, capture_output=True)
        self.certificate = folder / "certificate.pem"
        self.slot = folder / "slot.ext4"
        # As much as makes writing it last: noise, which no file system makes smaller.
        (folder / "content").mkdir(exist_ok=True)
        (folder / "content" / "noise").write_bytes(os.urandom(24 << 20))
        _ran("mke2fs", "-q", "-F", "-t", "ext4", "-d", folder / "content", self.slot, "40M")

    def makes(self, version: str, *options: str) -> Path:
        """A bundle of the slot, as image-build makes it."""
        bundle = self.folder / f"omafon-{version}.raucb"
        key = ("--signing-key", self.folder / "key.pem", "--certificate", self.certificate)
        _ran(IMAGE_BUILD / "bundle", *key, *options, self.slot, version, bundle)
        return bundle

    def makes_plain(self, version: str) -> Path:
        """One that a kernel without dm-verity can read; a telephone takes none of these."""
        content = self.folder / "plain"
        content.mkdir()
        (content / "root.ext4").symlink_to(self.slot)
        compatible = "omafon-raspberrypi-arm64"
        (content / "manifest.raucm").write_text(
            f"[update]\ncompatible={compatible}\nversion={version}\n[bundle]\nformat=plain\n"
            "[image.rootfs]\nfilename=root.ext4\n"
        )
        bundle = self.folder / f"plain-{version}.raucb"
        key = (f"--cert={self.certificate}", f"--key={self.folder / 'key.pem'}", f"--keyring={self.certificate}")
        # The squashfs holds a file, not the link to one.
        (content / "root.ext4").unlink()
        os.link(self.slot, content / "root.ext4")
        _ran("rauc", *key, "bundle", content, bundle)
        return bundle


class Slots:
    """A card whose slot A runs, and RAUC's service for it on a bus of its own, within its `with`. Needs root."""

    def __init__(self, folder: Path, keyring: Path) -> None:
        self.folder = folder
        self.counters = folder / "slots.txt"
        self.counters.write_bytes((IMAGE_BUILD / "boot/slots.txt").read_bytes())
        for name in ("a", "b"):
            with (folder / name).open("wb") as slot:
                slot.truncate(SLOT_SIZE)
        self.conf = folder / "system.conf"
        self.conf.write_text(self._configuration(keyring))
        self.bus = folder / "bus"
        self.environment = {
            "OMAFON_SLOTS": str(self.counters),
            "DBUS_STARTER_BUS_TYPE": "session",
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={self.bus}",
        }
        self._open = ExitStack()
        self.service: Program | None = None

    def __enter__(self) -> Self:
        conf = self.folder / "bus.conf"
        conf.write_text(_BUS.format(path=self.bus))
        with ExitStack() as opening:
            words = ["dbus-daemon", f"--config-file={conf}", "--nofork", "--nosyslog", "--print-address=1"]
            bus = opening.enter_context(Program(words, package="dbus", folder=self.folder))
            bus.until_says("unix:path=")
            self._open = opening.pop_all()
        self.serves()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.service:
            self.service.close()
        self._open.close()
        self.loses_power()

    def serves(self) -> None:
        """RAUC runs, as after a start from slot A."""
        words = [
            *("rauc", f"--conf={self.conf}", f"--mount={self.folder / 'mnt'}"),
            "--override-boot-slot=A",
            "service",
        ]
        self.service = Program(words, package="rauc", folder=self.folder, env=self.environment)
        self.service.until_says("central status file")

    def loses_power(self) -> None:
        """What a killed service left mounted is gone, as memory is."""
        mounted = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for place in reversed([place for place in mounted if place.startswith(str(self.folder))]):
            subprocess.run(["umount", "--lazy", "--detach-loop", place], check=True)

    def asks(self, *words: str) -> str:
        """What our script says, as RAUC asks it."""
        done = subprocess.run(
            [BACKEND, *words], env={**os.environ, **self.environment}, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def _configuration(self, keyring: Path) -> str:
        """That of the image, with other places; the kernel of a test need not have dm-verity."""
        text = (IMAGE_BUILD / "root/etc/rauc/system.conf").read_text(encoding="utf-8")
        places: Mapping[str, Path | str] = {
            "mountprefix=/run/rauc": f"mountprefix={self.folder / 'mnt'}",
            "data-directory=/data/rauc": f"data-directory={self.folder / 'data'}",
            "path=keyring.pem": f"path={keyring}",
            "backend=/usr/lib/omafon/slots": f"backend={BACKEND}",
            "device=/dev/disk/by-partuuid/6f6d6166-02": f"device={self.folder / 'a'}",
            "device=/dev/disk/by-partuuid/6f6d6166-03": f"device={self.folder / 'b'}",
            "bundle-formats=-plain\n": "",
        }
        for theirs, ours in places.items():
            assert theirs in text, theirs
            text = text.replace(theirs, str(ours))
        (self.folder / "mnt").mkdir(exist_ok=True)
        return text


def _ran(*command: str | Path) -> None:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
