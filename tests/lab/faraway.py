# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A phone far away, as who changes its configuration meets it: the daemon, its provider, the time, the SSH server.

What its configuration does to it stands in the names and passwords of it: see `FarAway`.
"""

import asyncio
import fcntl
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from omafon.client import Json, NoDaemon, Refused
from omafon.config import Config, ConfigError, load
from omafon.drivers.control import ControlSocket, RequestError
from omafon.provision.generations import Generations
from omafon.provision.session import Session
from omafon.provision.transaction import Transaction
from omafon.provision.waiting import waiting
from omafon.provision.world import World

WRONG = "wrong"
SILENT = "silent"
REFUSED = "refused"
DEAF = "CARD=Broken"

OWNER = Session(by="phone@192.0.2.7", ssh="192.0.2.7 50000 192.0.2.1 22")
SECOND_LOGIN = Session(by="phone@192.0.2.7", ssh="192.0.2.7 50001 192.0.2.1 22")


def text(name: str, password: str = "geheim", *, host: str = "example.org", voice: str = "null") -> str:
    """A configuration with one line."""
    return (
        f'[phone]\nname = "{name}"\n[audio]\nvoice = "{voice}"\n'
        f'[[line]]\nname = "home"\naor = "sip:100@{host}"\npassword = "{password}"  # mine\n'
    )


@dataclass
class FarAway:
    """Its provider forbids the password WRONG and never answers at the host SILENT; its daemon refuses a phone of the
    name REFUSED, and has no sound with the card DEAF. A phone called "no-ssh" locks its owner out.
    """

    folder: Path
    runs: bool = True
    in_call: bool = False
    hours: float = 1000.0
    boot: int = 1
    told: list[str] = field(default_factory=list)
    watchers: int = 0
    watchers_come: bool = True
    at: list[tuple[float, Callable[[], None]]] = field(default_factory=list)
    taken: int | None = None
    config: Config | None = None
    refusal: str | None = None
    waits: bool = False
    open: ExitStack = field(default_factory=ExitStack)

    @property
    def file(self) -> Path:
        return self.folder / "phone.toml"

    @property
    def generations(self) -> Generations:
        return Generations(self.file)

    def transaction(self, session: Session = OWNER) -> Transaction:
        world = World(
            phone=self,
            clock=self,
            session=session,
            greets=lambda: self.config is None or self.config.phone.name != "no-ssh",
            set_watch=self._watcher_comes,
            say=self.told.append,
        )
        return Transaction(self.generations, world)

    # The daemon.

    def starts(self) -> None:
        """With what stands on the disk, or with nothing."""
        self.runs, self.in_call, self.waits = True, False, False
        self.taken, self.config, self.refusal = None, None, None
        self._read()

    def status(self) -> Json:
        if not self.runs:
            raise NoDaemon("no phone answers at control")
        lines = self.config.line if self.config else ()
        return {
            "lines": [
                {
                    "name": line.name,
                    "registered": line.password != WRONG and SILENT not in line.aor,
                    "status": 403 if line.password == WRONG else 0 if SILENT in line.aor else 200,
                    "reason": "Forbidden" if line.password == WRONG else "",
                }
                for line in lines
            ],
            "drivers": {
                "voice": "no such card" if self.config and self.config.audio.voice == DEAF else "ok",
                "display": "ok",
            },
            "config": {
                "generation": self.taken,
                "refused": self.refusal,
                "safe_mode": False,
                "pending_restart": False,
            },
        }

    def reload(self, *, now: bool) -> Json:
        if not self.runs:
            raise NoDaemon("no phone answers at control")
        if self.in_call and not now:
            self.waits = True
            return {"taken": "when the call has ended", "generation": self.generations.current()}
        self._read()
        if self.refusal is not None:
            raise Refused(self.refusal, "Correct it.")
        return {"taken": "now", "generation": self.taken}

    def hangs_up(self) -> None:
        self.in_call = False
        if self.waits:
            self.waits = False
            self._read()

    def _read(self) -> None:
        try:
            config = load(self.file)
        except ConfigError as error:
            self.refusal = str(error)
            return
        if config.phone.name == REFUSED:
            self.refusal = "the board has no such pins"
            return
        self.config, self.taken, self.refusal = config, self.generations.current(), None

    # The clock.

    def boottime(self) -> float:
        return self.hours

    def unix(self) -> float:
        return 1_795_348_800.0 + self.hours

    def boot_id(self) -> str:
        return f"boot-{self.boot}"

    def sleep(self, seconds: float) -> None:
        self.hours += seconds
        due = [act for when, act in self.at if when <= self.hours]
        self.at = [(when, act) for when, act in self.at if when > self.hours]
        for act in due:
            act()

    def in_(self, seconds: float, act: Callable[[], None]) -> None:
        """Let `act` happen while somebody waits."""
        self.at.append((self.hours + seconds, act))

    # The machine.

    def power_goes_and_comes(self) -> None:
        """The next boot: first what waits is taken back, then the phone starts."""
        self.boot += 1
        self.hours = 5.0
        self.at = []
        self.transaction().roll_back_at_boot()
        self.starts()

    def time_passes(self, seconds: float) -> None:
        """Who watches does what is due then."""
        self.sleep(seconds)
        pending = waiting(self.generations)
        if pending is not None and pending.due_in(self) <= 0:
            self.transaction().roll_back_when_due()

    def _watcher_comes(self) -> None:
        self.watchers += 1
        if self.watchers_come:
            self.in_(0.05, lambda: self.open.enter_context(self.generations.claimed("watch", fcntl.LOCK_SH)))

    def close(self) -> None:
        self.open.close()


class Answering:
    """A control socket at `path` on a loop and a thread of its own, with `phone` behind it; within its `with`."""

    def __init__(self, phone: FarAway, path: Path) -> None:
        self.path = path
        self._phone = phone
        self._loop = asyncio.new_event_loop()
        self._control = ControlSocket(lambda event: None, self, path)
        self._thread = threading.Thread(target=self._run, name="phone far away")

    def status(self) -> Json:
        return self._phone.status()

    def screen(self) -> Json:
        return {}

    def lamps(self) -> Json:
        return {}

    async def reload(self, *, at_once: bool) -> Json:
        try:
            return self._phone.reload(now=at_once)
        except Refused as error:
            raise RequestError(error.what, error.cure) from None

    def __enter__(self) -> Self:
        self._control.claim()
        self._loop.run_until_complete(self._control.open())
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(self._control.close())
        self._loop.close()

    def _run(self) -> None:
        self._loop.run_forever()
