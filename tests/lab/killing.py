# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Changes a configuration again and again, and is killed before a system call that is chosen: run as a program, once.

Python takes hundreds of system calls to begin, and they change nothing; so this program begins once, with everything
imported, and each run is a child of it. Before the child does anything it stops; strace(1) takes hold of it, and it
goes on.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from tests.lab.faraway import SECOND_LOGIN, FarAway
from tests.lab.program import needs


@dataclass(frozen=True, slots=True)
class Run:
    """How a run ended: its exit code, or None when it was killed; and the system calls it made, in order."""

    code: int | None
    calls: tuple[str, ...]


class Killing:
    """Runs of changes to a phone far away, whose time is not ours; from within its `with`."""

    def __init__(self, folder: Path) -> None:
        self._trace = folder / "trace"
        self._strace = needs("strace", "strace")
        self._nest: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        words = [sys.executable, "-m", "tests.lab.killing"]
        self._nest = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._nest is not None
        assert self._nest.stdin is not None
        assert self._nest.stdout is not None
        self._nest.stdin.close()
        self._nest.wait(10)
        self._nest.stdout.close()

    def runs(self, folder: Path, *words: str, killed_before: tuple[str, int] | None = None) -> Run:
        """`apply TEXT`, `try TEXT`, `confirm`, `rollback` or `boot`; killed before the n-th call, from 1, of a name."""
        assert self._nest is not None
        assert self._nest.stdin is not None
        assert self._nest.stdout is not None
        self._nest.stdin.write(json.dumps([str(folder), *words]) + "\n")
        self._nest.stdin.flush()
        child = int(self._nest.stdout.readline())
        kill = [f"--inject={killed_before[0]}:signal=SIGKILL:when={killed_before[1]}"] if killed_before else []
        strace = [self._strace, "-q", "-o", str(self._trace), *kill, "-p", str(child)]
        with subprocess.Popen(strace, stderr=subprocess.PIPE) as holds:
            self._until_held(child)
            os.kill(child, signal.SIGCONT)
            holds.communicate(timeout=60)
        status = int(self._nest.stdout.readline())
        calls = tuple(_calls(self._trace.read_text(errors="replace")))
        return Run(None if os.WIFSIGNALED(status) else os.waitstatus_to_exitcode(status), calls)

    def _until_held(self, child: int) -> None:
        status = Path(f"/proc/{child}/status")
        while "TracerPid:\t0\n" in status.read_text():
            os.sched_yield()


def _calls(trace: str) -> Iterator[str]:
    """The names of the system calls in what strace wrote."""
    for line in trace.splitlines():
        name, bracket, _ = line.partition("(")
        if bracket and name.isidentifier():
            yield name


def _change(folder: str, act: str, text: str = "") -> int:
    """0 when it was done, 1 when not."""
    phone = FarAway(Path(folder))
    if act == "boot":
        phone.boot = 2
        return 0 if phone.transaction().roll_back_at_boot().good else 1
    phone.starts()
    if act == "confirm":
        return 0 if phone.transaction(SECOND_LOGIN).confirm().good else 1
    if act == "rollback":
        return 0 if phone.transaction().rollback().good else 1
    return 0 if phone.transaction().apply(text, "phone.toml", confirm_within_s=60 if act == "try" else None).good else 1


def _nest() -> None:
    """Read what to do, a JSON list a line; answer with the child that is to do it and, in the end, how it ended."""
    with TemporaryDirectory() as folder:
        # Whatever is imported late is imported now.
        for act, text in (("apply", "[phone]"), ("apply", "[audio]"), ("boot", ""), ("rollback", "")):
            _change(folder, act, text)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            nowhere = os.open(os.devnull, os.O_RDWR)
            for number in range(3):
                os.dup2(nowhere, number)
            os.kill(os.getpid(), signal.SIGSTOP)
            os._exit(_change(*json.loads(line)))
        os.waitpid(child, os.WUNTRACED)
        print(child, flush=True)
        print(os.waitpid(child, 0)[1], flush=True)


if __name__ == "__main__":
    _nest()
