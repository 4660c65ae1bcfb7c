# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A computer of its own for the telephone: a real systemd in a container, over this machine's programs, with our files.

Its disk is this machine's root with a layer on top, which is kept in memory and holds what `systemd/install` installs.
Nothing that is enabled on this machine runs in it, and its only network is a loopback of its own.
"""

import ctypes
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.lab.heard import LabError
from tests.lab.program import Program, needs

REPOSITORY = Path(__file__).parents[2]
INSTALL = REPOSITORY / "systemd" / "install"
PACKAGE = "systemd-container"
OMAFON = "/usr/bin/omafon"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# A layer hides these directories of the machine underneath: what it has enabled, logged, and given to its own phone.
_HIDDEN = ("etc/systemd/system", "etc/omafon", "var/log/journal", "var/lib/omafon", "var/lib/systemd/timers")
# A container has a boot id of its own, laid over a file in /proc. A service with a fresh /proc sees this machine's
# instead, and would think that the power was gone in between: those that ask for it keep the container's.
_ASK_BOOT_ID = ("omafon-boot", "omafon-rollback", "omafon-first-boot")
_OWN_BOOT_ID = "[Service]\nProtectProc=default\nProtectKernelTunables=no\nProtectControlGroups=no\n"
_CLONE_NEWNET = 0x40000000


class Machine:
    """A computer with our files, switched off; it runs from `boots`, or inside its `with`.

    `files` are put on its disk as well, by path from the root, with their modes. With a `system`, the root directory of
    a whole telephone, its disk is that with a layer on top, and nothing of this machine's. Needs root.
    """

    def __init__(
        self,
        folder: Path,
        files: dict[str, tuple[str, int]] | None = None,
        name: str = "omafon",
        system: Path | None = None,
    ) -> None:
        if os.geteuid() != 0:
            raise LabError("this test needs root, for namespaces and mounts: run it as root")
        needs("systemd-nspawn", PACKAGE)
        self.folder = folder
        self.name = name
        self._card = folder / "card"
        self._leader = 0
        self._program: Program | None = None
        self._notices: socket.socket | None = None
        added = folder / "added"
        own = {} if system else {OMAFON: (_wrapper(), 0o755)}
        self._python = {} if system else _python()
        content = {**own, **_boot_ids(), **(files or {})}
        for path, (text, mode) in content.items():
            target = added / path.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
            target.chmod(mode)
        # The mounts are this process's own: they go with it, however the test ends.
        self._holder = subprocess.Popen(
            [
                *("unshare", "--mount", "--propagation", "private", sys.executable, "-c", _MOUNT),
                *(self._card, added, system or "/", "" if system else INSTALL),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._holder.stdout
        if self._holder.stdout.readline() != b"mounted\n":
            self.close()
            raise LabError("the layer over this machine's root could not be mounted")

    def __enter__(self) -> Self:
        try:
            self.boots()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    # Power.

    def boots(self, *, within_s: float = 30.0) -> None:
        """Switch it on; back when everything that starts by itself has started."""
        assert self._program is None, f"{self.name} runs already"
        address = self.folder / "notices"
        self._notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notices.bind(str(address))
        python = [f"--bind-ro={found}:/opt/omafon/{name}" for name, found in self._python.items()]
        self._program = Program(
            [
                *("nsenter", f"--target={self._holder.pid}", "--mount"),
                *("systemd-nspawn", f"--directory={self._card}/root", f"--machine={self.name}", "--boot", "--quiet"),
                *("--register=no", "--keep-unit", "--private-network", "--link-journal=no", "--console=pipe"),
                *("--notify-ready=yes", *python),
            ],
            package=PACKAGE,
            folder=self.folder,
            name=f"machine-{self.name}",
            env={"NOTIFY_SOCKET": str(address), "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
        )
        try:
            self._until_ready(time.monotonic() + within_s)
        finally:
            # A machine goes on telling what it does; a queue that nobody reads would hold it up once it is full.
            self._hears_no_more()

    def halts(self, *, within_s: float = 15.0) -> None:
        """Switch it off as its owner does: every service stops in order."""
        assert self._program
        os.kill(self._leader, signal.SIGRTMIN + 4)
        self._program.ends(within_s=within_s)
        self._gone()

    def is_cut_off(self) -> None:
        """Take its power away."""
        assert self._program
        os.kill(self._leader, signal.SIGKILL)
        self._program.ends(within_s=5.0)
        self._gone()

    def reboots_itself(self, *, within_s: float = 30.0) -> None:
        """Wait until it has asked for a restart, and give it one."""
        assert self._program
        status = self._program.ends(within_s=within_s)
        self._gone()
        # systemd-nspawn(1): with --keep-unit the one who started it starts it anew.
        if status != 133:
            raise LabError(f"{self.name} did not restart itself but ended with {status}")
        self.boots(within_s=within_s)

    def close(self) -> None:
        """End it at once, with all that runs in it."""
        if self._program:
            if self._program.runs and self._leader:
                with suppress(ProcessLookupError):
                    os.kill(self._leader, signal.SIGKILL)
                with suppress(LabError):
                    self._program.ends(within_s=5.0)
            self._gone()
        for stream in (self._holder.stdin, self._holder.stdout):
            if stream:
                stream.close()
        self._holder.wait(10)

    # What a person at its console does.

    @property
    def root(self) -> Path:
        """Its files, while it runs, as its own processes see them."""
        return Path(f"/proc/{self._leader}/root")

    def run(self, *command: str | Path, typed: str = "", within_s: float = 15.0) -> str:
        """What the command prints, as root. Raises LabError when it fails, with all it said."""
        done = self.tries(*command, typed=typed, within_s=within_s)
        if done.returncode:
            said = (done.stdout + done.stderr).strip()
            raise LabError(f"{self.name}: {shlex.join(map(str, command))}: {done.returncode}\n{said}")
        return done.stdout

    def tries(self, *command: str | Path, typed: str = "", within_s: float = 15.0) -> subprocess.CompletedProcess[str]:
        """The command's end, as root, whatever it is."""
        return subprocess.run(
            [*self.entering(), *map(str, command)],
            input=typed,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=within_s,
        )

    def entering(self) -> list[str]:
        """What to write before a command so that it runs inside."""
        assert self._leader, f"{self.name} does not run"
        clean = ["env", "-i", f"PATH={PATH}", "LANG=C.UTF-8", "HOME=/root"]
        namespaces = ["--mount", "--uts", "--ipc", "--net", "--pid", "--root", "--wd"]
        return ["nsenter", f"--target={self._leader}", *namespaces, "--", *clean]

    def networked(self) -> list[str]:
        """What to write before a command of this side so that it runs on the machine's network."""
        return ["nsenter", f"--target={self._leader}", "--net", "--"]

    @contextmanager
    def network(self) -> Iterator[None]:
        """Sockets that this thread opens, and programs and threads it starts, are on the machine's network."""
        libc = ctypes.CDLL(None, use_errno=True)

        def enter(descriptor: int) -> None:
            if libc.setns(descriptor, _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")

        with Path("/proc/thread-self/ns/net").open() as ours, Path(f"/proc/{self._leader}/ns/net").open() as its:
            enter(its.fileno())
            try:
                yield
            finally:
                enter(ours.fileno())

    # Its services and its journal.

    def property(self, unit: str, name: str) -> str:
        """One property of a unit, as `systemctl show` tells it."""
        return self.run("systemctl", "show", "--value", f"--property={name}", unit).strip()

    def pid(self, unit: str = "omafon.service") -> int:
        """The id of the unit's main process, for this side: to be sent signals, to be looked at in /proc."""
        inside = self.property(unit, "MainPID")
        # The last number of NSpid is the id in the container, and what has it runs in the container's namespace.
        namespace = Path(f"/proc/{self._leader}/ns/pid").readlink()
        for status in Path("/proc").glob("[0-9]*/status"):
            with suppress(OSError):
                ids = next(line for line in status.read_text().splitlines() if line.startswith("NSpid:")).split()[1:]
                if ids[-1] == inside and (status.parent / "ns/pid").readlink() == namespace:
                    return int(ids[0])
        raise LabError(f"{unit} of {self.name} does not run")

    def journal(self, *options: str) -> list[dict[str, Any]]:
        """The entries of its journal, oldest first; `options` are those of journalctl, as "--unit=…"."""
        text = self.run("journalctl", "--output=json", "--all", "--quiet", *options)
        return [json.loads(line) for line in text.splitlines()]

    def until(self, holds: Callable[[], object], what: str, *, within_s: float = 10.0, every_s: float = 0.05) -> None:
        """Look again and again until `holds`. Raises LabError with the journal's end."""
        deadline = time.monotonic() + within_s
        while not holds():
            if time.monotonic() > deadline:
                tail = self.tries("journalctl", "--no-pager", "--lines=30").stdout
                raise LabError(f"{self.name}: {what}: not within {within_s:g} s\n{tail}")
            time.sleep(every_s)

    def _until_ready(self, deadline: float) -> None:
        assert self._notices
        assert self._program
        self._leader, ready = 0, False
        while not (self._leader and ready):
            self._notices.settimeout(0.2)
            with suppress(TimeoutError):
                for word in self._notices.recv(4096).decode(errors="replace").splitlines():
                    if word.startswith("X_NSPAWN_LEADER_PID="):
                        self._leader = int(word.partition("=")[2])
                    ready = ready or word == "READY=1"
            if not self._program.runs or time.monotonic() > deadline:
                raise LabError(f"{self.name} does not boot:\n{self._program.tail()}")

    def _gone(self) -> None:
        self._leader = 0
        if self._program:
            self._program.close()
            self._program = None

    def _hears_no_more(self) -> None:
        if self._notices:
            self._notices.close()
            self._notices = None
            (self.folder / "notices").unlink()


def _python() -> dict[str, str]:
    """What the tests' own Python consists of: these directories may lie in a home, which a service does not see."""
    found = {"firmware": str(REPOSITORY / "firmware"), "hw": str(REPOSITORY / "hw")}
    found["packages"] = sysconfig.get_path("purelib")
    if sys.base_prefix != "/usr":
        found["python"] = sys.base_prefix
    return found


def _boot_ids() -> dict[str, tuple[str, int]]:
    return {f"/etc/systemd/system/{unit}.service.d/zz-boot-id.conf": (_OWN_BOOT_ID, 0o644) for unit in _ASK_BOOT_ID}


def _wrapper() -> str:
    """`omafon`, run by the tests' own Python."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    own = sys.base_prefix != "/usr"
    lines = [
        "#!/bin/sh",
        "export PYTHONPATH=/opt/omafon/firmware:/opt/omafon/packages PYTHONDONTWRITEBYTECODE=1",
        "export LD_LIBRARY_PATH=/opt/omafon/python/lib" if own else ":",
        f'exec {f"/opt/omafon/python/bin/{version}" if own else f"/usr/bin/{version}"} -P -m omafon.cli "$@"',
    ]
    return "\n".join(lines) + "\n"


# Runs in a mount namespace of its own until its standard input ends. The layer lies on a file system of its own:
# overlayfs takes none that lies inside another.
_MOUNT = f"""
import os, pathlib, subprocess, sys, uuid
card, added = map(pathlib.Path, sys.argv[1:3])
system, install = sys.argv[3:]
card.mkdir()
subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "card", card], check=True)
for name in ("work", "root", "upper"):
    (card / name).mkdir()
upper, root = card / "upper", card / "root"
for name in {_HIDDEN!r} if install else ():
    (upper / name).mkdir(parents=True)
    os.setxattr(upper / name, "trusted.overlay.opaque", b"y")
(upper / "etc").mkdir(exist_ok=True)
(upper / "etc/machine-id").write_text(uuid.uuid4().hex + "\\n")
layers = f"lowerdir={{system}},upperdir={{upper}},workdir={{card}}/work"
subprocess.run(["mount", "-t", "overlay", "-o", layers, "overlay", root], check=True)
if install:
    subprocess.run([install], env={{**os.environ, "DESTDIR": str(root)}}, check=True)
subprocess.run(["cp", "--archive", f"{{added}}/.", root], check=True)
print("mounted", flush=True)
sys.stdin.read()
"""
