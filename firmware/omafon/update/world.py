# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What an update meets outside: the telephone that runs, the time, RAUC, the slots, the restart."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from omafon.client import Client, Json, NoDaemon, Refused
from omafon.core.events import UpdateStage
from omafon.programs import Ran, run
from omafon.provision.health import greets, ssh_address
from omafon.provision.world import Clock, SystemClock
from omafon.update.bundle import Rauc
from omafon.update.record import Record, Told

_PERCENT = re.compile(r"\s*(\d{1,3})% ")
LOOK_EVERY_S = 1.0


class Phone(Protocol):
    """The telephone that runs. Both raise NoDaemon, `told` also Refused."""

    def status(self) -> Json: ...
    def told(self, stage: str, version: str, percent: int) -> None: ...


class Engine(Protocol):
    """What writes slots and says which one starts; RAUC."""

    def examine(self) -> Rauc: ...
    def install(self, bundle: Path, percent: Callable[[int], None]) -> Ran: ...
    def mark(self, state: str, slot: str) -> Ran: ...


@dataclass(frozen=True, slots=True)
class World:
    """`slot` is the one that runs, A or B; `say` speaks to the journal; `restart` starts the machine anew."""

    phone: Phone
    clock: Clock
    engine: Engine
    record: Record
    slot: str
    greets: Callable[[], bool]
    restart: Callable[[], None]
    say: Callable[[str], None]

    def tell(self, told: Told) -> None:
        """Everybody who waits: the journal, a terminal, the display. Who is not there is not told."""
        if told.stage != UpdateStage.INSTALLING.value or not told.percent:
            self.say(f"update to {told.version}: {told.stage}" + (f": {told.why}" if told.why else ""))
        with suppress(OSError):
            self.record.tell(told)
        with suppress(NoDaemon, Refused):
            self.phone.told(told.stage, told.version, told.percent)

    def until_unused(self, stage: Callable[[], None]) -> None:
        """Returns when nobody uses the telephone, or none runs. `stage` tells that we wait."""
        waits = False
        while True:
            try:
                if unused(self.phone.status()):
                    return
            except NoDaemon:
                return
            if not waits:
                stage()
                waits = True
            self.clock.sleep(LOOK_EVERY_S)


def unused(status: Json) -> bool:
    """Whether nobody speaks, rings, dials or reads."""
    return status["hook"] == "on" and not status["calls"] and status["mode"] == "idle"


class PhoneAt:
    """The telephone whose control socket is at `path`; each question is a connection of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def status(self) -> Json:
        with Client(self._path) as phone:
            return phone.ask("status")

    def told(self, stage: str, version: str, percent: int) -> None:
        with Client(self._path) as phone:
            phone.ask("update", stage=stage, version=version, percent=percent)


@dataclass(frozen=True, slots=True)
class RaucEngine:
    rauc: Rauc = field(default_factory=Rauc)

    def examine(self) -> Rauc:
        return self.rauc

    def install(self, bundle: Path, percent: Callable[[int], None]) -> Ran:
        """Write `bundle` into the other slot, and let it be the next to start; `percent` hears how far that is.

        Whatever happens before the end: the slot that runs stays the one that starts.
        """
        program = shutil.which("rauc")
        if program is None:
            return Ran(False, err="there is no rauc")
        words = [program, *self.rauc.options, "install", str(bundle)]
        with subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        ) as writing:
            assert writing.stdout is not None
            complaint = ""
            for line in writing.stdout:
                if found := _PERCENT.match(line):
                    percent(min(100, int(found[1])))
                elif line.strip():
                    complaint = line.strip() if "LastError" in line or not complaint else complaint
        return Ran(writing.returncode == 0, err=complaint.removeprefix("LastError: "))

    def booted(self) -> str:
        """The slot that runs, A or B; empty when nobody knows."""
        told = self.rauc.asked("status", "--output-format=json")
        try:
            slot = json.loads(told.out)["booted"]
        except (ValueError, KeyError, TypeError):
            return ""
        return slot if slot in ("A", "B") else ""

    def mark(self, state: str, slot: str) -> Ran:
        """`state` is good, bad or active; `slot` is booted or other."""
        return self.rauc.asked("status", f"mark-{state}", slot)


def system(control: Path, root: Path, say: Callable[[str], None]) -> World:
    """The world of the machine that runs."""
    address = ssh_address(os.environ)
    engine = RaucEngine()
    return World(
        phone=PhoneAt(control),
        clock=SystemClock(),
        engine=engine,
        record=Record(root),
        slot=engine.booted(),
        greets=lambda: greets(address),
        restart=_restart,
        say=say,
    )


def _restart() -> None:
    run(["systemctl", "--no-block", "reboot"])
