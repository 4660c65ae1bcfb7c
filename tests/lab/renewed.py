# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A telephone with two slots in a world without hardware: time passes when somebody waits, RAUC is a list of slots."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from omafon.client import Json, NoDaemon
from omafon.programs import Ran
from omafon.update.bundle import Rauc
from omafon.update.record import Record
from omafon.update.version import Version
from omafon.update.world import World

OLD, NEW = Version.read("0.1.0+20261101.0900.aaaaaaa"), Version.read("0.2.0+20261122.1845.bbbbbbb")


@dataclass
class Renewed:
    """A telephone of `folder` that runs OLD in slot A, with the line home registered.

    `in_new` is what it is like once it runs from B; `happens` takes a moment and what happens then.
    """

    folder: Path
    slot: str = "A"
    runs: bool = True
    in_call: bool = False
    status_of: dict[str, Json] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=lambda: {"A": 3, "B": 0})
    order: list[str] = field(default_factory=lambda: ["A", "B"])
    writes: Ran = field(default_factory=lambda: Ran(True))
    rauc: Rauc = field(default_factory=Rauc)
    ssh: bool = True
    while_writing: Callable[[Path], None] = lambda bundle: None
    hours: float = 10.0
    restarts: int = 0
    said: list[str] = field(default_factory=list)
    stages: list[tuple[str, int]] = field(default_factory=list)
    at: list[tuple[float, Callable[[], None]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.status_of.setdefault("A", well())
        self.status_of.setdefault("B", well())
        self.record.incoming.parent.mkdir(parents=True, exist_ok=True)

    @property
    def record(self) -> Record:
        return Record(self.folder)

    def world(self) -> World:
        return World(self, self, self, self.record, self.slot, lambda: self.ssh, self._restarts, self.said.append)

    # The telephone.

    def status(self) -> Json:
        if not self.runs:
            raise NoDaemon("no phone answers")
        busy = {"hook": "off", "calls": [{"id": "out-1"}], "mode": "in_call"} if self.in_call else {}
        return {"hook": "on", "calls": [], "mode": "idle", **self.status_of[self.slot], **busy}

    def told(self, stage: str, version: str, percent: int) -> None:
        if not self.runs:
            raise NoDaemon("no phone answers")
        self.stages.append((stage, percent))

    # The time.

    def boottime(self) -> float:
        return self.hours

    def unix(self) -> float:
        return 1_795_348_800.0 + self.hours

    def boot_id(self) -> str:
        return f"boot-{self.restarts}"

    def sleep(self, seconds: float) -> None:
        self.hours += seconds
        due = [act for when, act in self.at if when <= self.hours]
        self.at = [(when, act) for when, act in self.at if when > self.hours]
        for act in due:
            act()

    def in_(self, seconds: float, act: Callable[[], None]) -> None:
        self.at.append((self.hours + seconds, act))

    # RAUC.

    def examine(self) -> Rauc:
        return self.rauc

    def install(self, bundle: Path, percent: Callable[[int], None]) -> Ran:
        self.while_writing(bundle)
        self.left[self._other] = 0
        for far in (0, 20, 60, 100):
            percent(far)
        if self.writes.good:
            self.mark("active", "other")
        return self.writes

    def mark(self, state: str, slot: str) -> Ran:
        which = self.slot if slot == "booted" else self._other
        if state == "active":
            self.order = [which, *(one for one in self.order if one != which)]
        self.left[which] = 0 if state == "bad" else 3
        return Ran(True)

    @property
    def _other(self) -> str:
        return {"A": "B", "B": "A"}[self.slot]

    # The machine.

    def boots(self) -> None:
        """As boot.scr does: the first in order that has a try left."""
        self.slot = next(slot for slot in self.order if self.left[slot])
        self.left[self.slot] -= 1
        self.hours, self.at, self.stages = 5.0, [], []

    def _restarts(self) -> None:
        self.restarts += 1


def well(*, home: bool = True, voice: str = "ok", generation: int = 7) -> Json:
    """The status of a telephone that is well, but for what is said."""
    return {
        "lines": [
            {"name": "home", "registered": home, "status": 200 if home else 503, "reason": "" if home else "Busy"}
        ],
        "drivers": {"voice": voice, "ringer": "ok", "display": "ok", "keypad": "ok"},
        "config": {"generation": generation, "refused": None, "safe_mode": False, "pending_restart": False},
    }
