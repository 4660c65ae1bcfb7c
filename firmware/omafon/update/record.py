# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What is known of an update: what is under way, which outlives the restart, and what became of the last one."""

from pathlib import Path
from typing import TypeVar

import msgspec

from omafon import durable
from omafon.provision.health import Good

FOLDER = Path("var/lib/omafon-update")
PROGRESS = Path("run/omafon-update/progress.json")


class Pending(msgspec.Struct, frozen=True):
    """An update under way, from one slot to the `other`: what was `before`, and with which generation.

    `written` once the other slot is whole and the next to start; `bad` says why it was left again.
    """

    version: str
    runs: str
    slot: str
    other: str
    before: Good = Good()
    generation: int | None = None
    settled: bool = True
    written: bool = False
    bad: str = ""


class Told(msgspec.Struct, frozen=True):
    """Where an update is, or how the last one ended: `stage` is one of core's UpdateStage, `why` a sentence."""

    stage: str
    version: str
    runs: str = ""
    percent: int = 0
    why: str = ""
    cure: str = ""
    unix: float = 0.0

    def as_json(self) -> dict[str, object]:
        return msgspec.structs.asdict(self)


S = TypeVar("S", bound=msgspec.Struct)


class Record:
    """Those files, below `root`. All raise OSError; a file that is damaged is none."""

    def __init__(self, root: Path) -> None:
        self.folder = root / FOLDER
        self.progress = root / PROGRESS

    @property
    def incoming(self) -> Path:
        """Where the owner's account puts a bundle."""
        return self.folder / "incoming" / "bundle.raucb"

    @property
    def bundle(self) -> Path:
        """Where it is when nobody but root can reach it any more."""
        return self.folder / "bundle.raucb"

    def pending(self) -> Pending | None:
        return _read(self.folder / "pending.json", Pending)

    def begin(self, pending: Pending) -> None:
        durable.replace(self.folder / "pending.json", msgspec.json.encode(pending), 0o644)

    def end(self, told: Told) -> None:
        """It is over; in this order, so that a power cut between only tells it once more."""
        durable.replace(self.folder / "result.json", msgspec.json.encode(told), 0o644)
        durable.remove(self.folder / "pending.json")

    def last(self) -> Told | None:
        """How the last one ended."""
        return _read(self.folder / "result.json", Told)

    def tell(self, told: Told) -> None:
        """Where this one is: for who waits at a terminal, in memory only."""
        self.progress.parent.mkdir(parents=True, exist_ok=True)
        new = self.progress.with_suffix(".new")
        new.write_bytes(msgspec.json.encode(told))
        new.chmod(0o644)
        new.replace(self.progress)

    def told(self) -> Told | None:
        return _read(self.progress, Told)


def _read(file: Path, kind: type[S]) -> S | None:
    try:
        return msgspec.json.decode(file.read_bytes(), type=kind)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None
