# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The generations of a configuration on the disk: each whole, one in force, and the switch between them one rename.

Beside `phone.toml`, a symbolic link, stands `generations/N/` with `phone.toml` (no secret), `credentials/NAME` (one
secret each) and `meta.json`. `phone.toml` leads to the generation in force.
"""

import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from omafon import durable
from omafon.config.reading import CREDENTIALS
from omafon.provision.secrets import Parted

KEPT = 5
"""So many generations that held stay, beside what is in force and the newest that did not hold."""

ROLLED_BACK = "rolled back"
"""The outcome of a generation that was in force and is no more."""

FILE_MODE = 0o640
_TARGET = re.compile(r"generations/([1-9]\d*)/phone\.toml", re.A)


class Busy(Exception):
    """Somebody else is changing this configuration."""


class Meta(msgspec.Struct, frozen=True):
    """When a generation was made (Unix time), by whom, which was in force then, and what became of it."""

    number: int
    at: float
    by: str
    previous: int | None
    sha256: str
    outcome: str = "staged"  # staged | found | applied | confirmed | not checked | rolled back
    reason: str = ""

    @property
    def held(self) -> bool:
        return self.outcome in ("found", "applied", "confirmed", "not checked")


class Generations:
    """Those of the configuration `file`. Every method but the readers wants `locked`. All raise OSError."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.directory = file.parent
        self._all = self.directory / "generations"

    @contextmanager
    def locked(self, wait: bool = False) -> Iterator[None]:
        """Nobody else changes anything meanwhile. Raises Busy when somebody does, unless it is to `wait`."""
        with self.claimed("lock", fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB):
            yield

    @contextmanager
    def claimed(self, name: str, how: int) -> Iterator[None]:
        """The lock file `name` in the directory, taken as flock(2) is told. Raises Busy."""
        flags = os.O_RDONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(self.directory / name, flags, 0o660)
        try:
            durable.adopt(descriptor, self.directory)
            try:
                # The kernel lets go of it however this process ends, so there is no stale lock to take away.
                fcntl.flock(descriptor, how)
            except BlockingIOError:
                raise Busy from None
            yield
        finally:
            os.close(descriptor)

    # Reading.

    def current(self) -> int | None:
        """The generation in force; None when the file is no link to one: a file written by hand, or none."""
        try:
            found = _TARGET.fullmatch(str(self.file.readlink()))
        except OSError:
            return None
        return int(found[1]) if found and self.place(int(found[1])).exists() else None

    def numbers(self) -> list[int]:
        """All generations, the oldest first."""
        if not self._all.is_dir():
            return []
        names = [entry.name for entry in self._all.iterdir()]
        return sorted(int(name) for name in names if re.fullmatch(r"[1-9]\d*", name, re.A))

    def place(self, number: int) -> Path:
        return self._all / str(number) / "phone.toml"

    def text(self, number: int) -> str:
        return self.place(number).read_text(encoding="utf-8")

    def secrets(self, number: int) -> dict[str, str]:
        folder = self._all / str(number) / CREDENTIALS
        return {file.name: file.read_text(encoding="utf-8") for file in sorted(folder.iterdir())}

    def meta(self, number: int) -> Meta:
        try:
            return msgspec.json.decode((self._all / str(number) / "meta.json").read_bytes(), type=Meta)
        except (OSError, msgspec.MsgspecError):
            # Somebody's hand was in there. What it holds counts, not what is told of it.
            return Meta(number, 0.0, "", None, "", "found")

    def before(self, number: int | None) -> int | None:
        """The newest generation that held: of those before `number`, or of all."""
        return max((n for n in self.numbers() if (number is None or n < number) and self.meta(n).held), default=None)

    def touched(self, number: int) -> bool:
        """Whether the text of generation `number` is not as it was made."""
        made = self.meta(number).sha256
        return bool(made) and hashlib.sha256(self.place(number).read_bytes()).hexdigest() != made

    # Changing.

    def stage(self, parted: Parted, at: float, by: str, outcome: str = "staged") -> int:
        """A new generation of text and secrets, on the disk and not in force."""
        if not self._all.exists():
            durable.directory(self._all)
            durable.sync(self.directory)
        number = max([0, *self.numbers()]) + 1
        content = parted.text.encode()
        meta = Meta(number, at, by, self.current(), hashlib.sha256(content).hexdigest(), outcome)
        unfinished = self._all / f"{number}.new"
        if unfinished.exists():
            shutil.rmtree(unfinished)
        durable.directory(unfinished)
        durable.directory(unfinished / CREDENTIALS)
        for name, secret in parted.secrets.items():
            durable.write(unfinished / CREDENTIALS / name, secret.encode(), FILE_MODE)
        durable.write(unfinished / "phone.toml", content, FILE_MODE)
        durable.write(unfinished / "meta.json", msgspec.json.encode(meta), FILE_MODE)
        durable.sync(unfinished / CREDENTIALS)
        durable.sync(unfinished)
        unfinished.rename(self._all / str(number))
        durable.sync(self._all)
        return number

    def switch(self, number: int | None) -> None:
        """Put generation `number` in force: the one rename. With None none is any more; a file by hand stays."""
        if number is not None:
            durable.point(self.file, f"generations/{number}/phone.toml")
        elif self.file.is_symlink():
            durable.remove(self.file)

    def note(self, number: int, outcome: str, reason: str = "") -> None:
        """Write down what became of generation `number`."""
        meta = msgspec.structs.replace(self.meta(number), outcome=outcome, reason=reason)
        durable.replace(self._all / str(number) / "meta.json", msgspec.json.encode(meta), FILE_MODE)

    def prune(self) -> None:
        """Take away what nobody goes back to."""
        if not self._all.exists():
            return
        current, numbers = self.current(), self.numbers()
        held = [n for n in numbers if n != current and self.meta(n).held]
        failed = [n for n in numbers if n != current and not self.meta(n).held]
        stay = {current, *held[-(KEPT - 1) :], *failed[-1:]}
        for entry in self._all.iterdir():
            if not (entry.name.isdecimal() and int(entry.name) in stay):
                self._discard(entry)

    def discard(self, number: int) -> None:
        """Take generation `number` away."""
        self._discard(self._all / str(number))

    def _discard(self, entry: Path) -> None:
        # Renamed first: a generation is there wholly or not at all.
        gone = entry if entry.suffix else entry.rename(entry.with_suffix(".gone"))
        shutil.rmtree(gone, ignore_errors=True)
