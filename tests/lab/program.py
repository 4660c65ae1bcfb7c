# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A program of the lab: started, listened to line by line, kept in a log, ended by its id."""

import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.lab.heard import Heard, LabError

END_S = 5.0


def needs(program: str, package: str) -> str:
    """The path of `program`. Raises LabError that names the Debian package when it is not there."""
    found = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not found:
        raise LabError(f"{program} is missing: apt install {package}")
    return found


class Program:
    """Runs `command` in `folder`; what it prints is kept in `<name>.log` there. `typed`: it listens to `types`."""

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        package: str,
        folder: Path,
        name: str = "",
        env: Mapping[str, str] | None = None,
        typed: bool = False,
    ) -> None:
        path = needs(str(command[0]), package)
        self.name = name or Path(path).name
        self.folder = folder
        self.log = folder / f"{self.name}.log"
        self._lines: Heard[str] = Heard()
        # A session of its own: the interrupt that stops the tests must reach the peers in order, through close.
        self._process = subprocess.Popen(
            [path, *map(str, command[1:])],
            cwd=folder,
            env={**os.environ, **(env or {})},
            stdin=subprocess.PIPE if typed else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, name=f"log of {self.name}", daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    def until_says(self, pattern: str, *, within_s: float = 10.0) -> str:
        """The first line not yet waited for in which `pattern` is found."""
        return self._lines.until(
            lambda line: bool(re.search(pattern, line)), f"{self.name} says {pattern!r}", within_s=within_s
        )

    def ends(self, *, within_s: float = 10.0) -> int:
        """The exit status, once the program has ended by itself."""
        try:
            return self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            raise LabError(f"{self.name} still runs after {within_s:g} s:\n{self.tail()}") from None
        finally:
            if not self.runs:
                self._reader.join(END_S)

    def types(self, line: str) -> None:
        assert self._process.stdin, f"{self.name} was not started to be typed to"
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def hears_signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def terminate(self) -> None:
        self._process.terminate()

    def close(self) -> None:
        """End it, with SIGTERM and, when that is not heard, SIGKILL to its whole session."""
        if self.runs:
            self._process.terminate()
            try:
                self._process.wait(END_S)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
        self._reader.join(END_S)
        for stream in (self._process.stdin, self._process.stdout):
            if stream:
                stream.close()

    def tail(self, lines: int = 25) -> str:
        """The end of the log, for error messages."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _read(self) -> None:
        assert self._process.stdout
        with self.log.open("a", buffering=1) as log:
            for line in self._process.stdout:
                log.write(line)
                self._lines.add(line.rstrip("\n"))
        self._process.wait()
        self._lines.end(f"{self.name} ended with status {self._process.returncode}:\n{self.tail()}")
