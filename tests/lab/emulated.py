# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A telephone of an image, in an emulated computer: its own kernel, its own disk, from U-Boot on. Slow, and whole.

Nothing in the image is changed for it. The lab gets in by what such a computer may be told at its start, and a
Raspberry Pi cannot: a unit of systemd's, systemd.system-credentials(7), that answers root's commands on a port of its
own.
"""

import base64
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.lab.cable import MAC, Cable
from tests.lab.heard import LabError
from tests.lab.program import Program, needs

WORKSHOP = Path(__file__).parents[2] / "image-build" / "workshop"
BOOT_AT = 4 << 20
"""Where the boot partition begins, in bytes."""
DATA_AT = 2180 << 20
"""Where the last one does, which holds all that is kept."""

# Emulated, everything takes ten to twenty times as long.
UP_WITHIN_S = 600.0
_ANSWER_WITHIN_S = 120.0
_FIRST_ANSWER_WITHIN_S = 10.0
_LOOK_EVERY_S = 1.0
_LAB_UNIT = r"""
[Unit]
Description=The lab's way in
DefaultDependencies=no
After=systemd-udevd.service
StartLimitIntervalSec=0
[Service]
ExecStart=/bin/sh -c 'exec 3<>/dev/virtio-ports/lab; while read -r number line <&3; do \
said=$(sh -c "$line" 2>&1 </dev/null); code=$?; \
printf "%%s %%s %%s\n" $number $code "$(printf %%s "$said" | base64 -w 0)" >&3; done'
Restart=always
RestartSec=1
"""
_LAB_WANTED = "[Unit]\nWants=l.service\n"


class Emulated:
    """The computer with a copy of the card of `image` in it; it runs inside its `with`, or from `starts`.

    `files` are put on the boot partition, as the owner does, by name; `card_mb` is how large the card is. Besides a
    network of QEMU's own, by which it is reached by SSH, it has that of `cable`.
    """

    def __init__(
        self,
        folder: Path,
        image: Path,
        files: dict[str, str] | None = None,
        card_mb: int = 4096,
        cable: Cable | None = None,
    ) -> None:
        self.folder = folder
        self._cable = cable
        self.card = folder / "card.img"
        needs("mcopy", "mtools")
        subprocess.run(["cp", "--sparse=always", image, self.card], check=True)
        with self.card.open("r+b") as card:
            card.truncate(card_mb << 20)
        for name, text in (files or {}).items():
            self.puts_on_card(name, text)
        self.key = folder / "key"
        if not self.key.exists():
            subprocess.run(
                [needs("ssh-keygen", "openssh-client"), "-q", "-t", "ed25519", "-N", "", "-f", self.key], check=True
            )
        self.ssh_port = _free_port()
        self._program: Program | None = None
        self._port: socket.socket | None = None
        self._started = 0.0
        self._asked = 0

    def __enter__(self) -> Self:
        self.starts()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.cut()

    @property
    def public_key(self) -> str:
        return self.key.with_suffix(".pub").read_text()

    @property
    def up_s(self) -> float:
        """Seconds since it was switched on."""
        return time.monotonic() - self._started

    def puts_on_card(self, name: str, text: str) -> None:
        """Write a file onto the boot partition; only while it is switched off."""
        file = self.folder / "onto-the-card"
        file.write_text(text)
        subprocess.run(["mcopy", "-o", "-i", f"{self.card}@@{BOOT_AT}", file, f"::{name}"], check=True)

    def on_card(self, name: str) -> str | None:
        """What a file of the boot partition holds, None where there is none; only while it is switched off."""
        ran = subprocess.run(
            ["mtype", "-i", f"{self.card}@@{BOOT_AT}", f"::{name}"], capture_output=True, text=True, errors="replace"
        )
        return ran.stdout if ran.returncode == 0 else None

    def starts(self) -> None:
        """Switch it on. Returns at once."""
        for name, text in {"unit": _LAB_UNIT, "wanted": _LAB_WANTED}.items():
            (self.folder / name).write_text(text)
        # Their names have 55 signs and no more: hence the shortest of units, wanted by the one with the shortest name.
        credential = "name=opt/io.systemd.credentials/systemd"
        cable: list[str] = []
        if self._cable:
            cable = ["-netdev", f"tap,id=cable,ifname={self._cable.device},script=no,downscript=no"]
            cable += ["-device", f"virtio-net-device,netdev=cable,mac={MAC}"]
        lab = self.folder / "lab.socket"
        lab.unlink(missing_ok=True)
        self._started = time.monotonic()
        self._program = Program(
            [
                *(WORKSHOP, "qemu-system-aarch64", "-M", "virt", "-accel", "tcg,thread=multi", "-cpu", "cortex-a72"),
                *(
                    "-smp",
                    "2",
                    "-m",
                    "1024",
                    "-bios",
                    "/usr/lib/u-boot/qemu_arm64/u-boot.bin",
                    "-nodefaults",
                    "-display",
                    "none",
                ),
                *("-serial", "stdio", "-device", "virtio-rng-device"),
                *(
                    "-drive",
                    f"if=none,id=card,format=raw,cache=writeback,file={self.card}",
                    "-device",
                    "virtio-blk-device,drive=card",
                ),
                *(
                    "-netdev",
                    f"user,id=net,hostfwd=tcp:127.0.0.1:{self.ssh_port}-:22",
                    "-device",
                    "virtio-net-device,netdev=net",
                ),
                *cable,
                *("-device", "virtio-serial-device", "-chardev", f"socket,id=lab,path={lab},server=on,wait=off"),
                *("-device", "virtserialport,chardev=lab,name=lab"),
                *("-fw_cfg", f"{credential}.extra-unit.l.service,file={self.folder / 'unit'}"),
                *("-fw_cfg", f"{credential}.unit-dropin.-.slice,file={self.folder / 'wanted'}"),
            ],
            package="mmdebstrap",
            folder=self.folder,
            name="emulated",
        )

    def cut(self) -> None:
        """The power is gone, at once."""
        if self._port:
            self._port.close()
            self._port = None
        if self._program:
            if self._program.runs:
                self._program.hears_signal(signal.SIGKILL)
                self._program.ends()
            self._program.close()
            self._program = None

    def says(self, pattern: str, *, within_s: float = UP_WITHIN_S) -> str:
        """The line on the console in which `pattern` is found."""
        assert self._program
        return self._program.until_says(pattern, within_s=within_s)

    def root(self, command: str) -> str:
        """What `command` prints, run by root in it. Raises LabError when it fails, or nobody answers."""
        code, said = self.tries(command)
        if code:
            raise LabError(f"{command}: {code}\n{said}")
        return said

    def tries(self, command: str) -> tuple[int, str]:
        """The exit status of `command` and what it prints. Raises LabError when nobody answers."""
        if self._port is None:
            self._port = self._way_in()
        return self._asks(self._port, command, _ANSWER_WITHIN_S)

    def _asks(self, port: socket.socket, command: str, within_s: float) -> tuple[int, str]:
        self._asked += 1
        port.settimeout(within_s)
        port.sendall(f"{self._asked} {command}\n".encode())
        answer = b""
        while True:
            try:
                more = port.recv(65_536)
            except TimeoutError:
                raise LabError(f"{command}: no answer within {within_s:g} s") from None
            if not more:
                raise LabError(f"{command}: the machine is gone")
            *lines, answer = (answer + more).split(b"\n")
            for line in lines:
                # An answer to what was asked before, and given up, may come late.
                number, code, said = line.decode().split(" ")
                if int(number) == self._asked:
                    return int(code), base64.b64decode(said).decode(errors="replace")

    def owner(self, *words: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
        """A command by SSH, of the account `phone`."""
        return subprocess.run(
            [
                *("ssh", "-i", self.key, "-p", str(self.ssh_port), "-o", "BatchMode=yes", "-o", "ConnectTimeout=20"),
                *("-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={self.folder / 'known'}"),
                *("-o", "LogLevel=ERROR", "phone@127.0.0.1", *words),
            ],
            input=given,
            capture_output=True,
            text=True,
            timeout=_ANSWER_WITHIN_S,
        )

    def until(self, holds: Callable[[], bool], what: str, *, within_s: float = UP_WITHIN_S) -> float:
        """Seconds until `holds()`. Raises LabError with the end of the console when it does not come true in time."""
        began = time.monotonic()
        while not holds():
            assert self._program
            if not self._program.runs or time.monotonic() - began > within_s:
                raise LabError(f"not within {within_s:g} s: {what}\n{self._program.tail(60)}")
            time.sleep(_LOOK_EVERY_S)
        return time.monotonic() - began

    def answers_by_ssh(self) -> float:
        """Seconds from power to the banner of its SSH server."""
        self.until(lambda: _banner(self.ssh_port).startswith(b"SSH-"), "SSH answers")
        return self.up_s

    def _way_in(self) -> socket.socket:
        """Connected to the lab's port, once somebody is behind it."""
        port = socket.socket(socket.AF_UNIX)
        port.settimeout(5)
        try:
            # A path in the folder of a test is longer than a socket's may be.
            place = Path("/tmp") / f"omafon-lab-{self.ssh_port}"
            place.unlink(missing_ok=True)
            place.symlink_to(self.folder / "lab.socket")
            try:
                port.connect(str(place))
            finally:
                place.unlink()
            self._asks(port, "true", _FIRST_ANSWER_WITHIN_S)
        except BaseException:
            port.close()
            raise
        return port


def _banner(port: int) -> bytes:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            return connection.recv(16)
    except OSError:
        return b""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
