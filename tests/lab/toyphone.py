# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A telephone without drivers behind a real control socket: what panels are attached to in tests.

Core, screens and protocol are the product's; only the world outside is missing, and the test plays it.
"""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from omafon.core.causes import Cause
from omafon.core.events import (
    CallAnswered,
    CallEnded,
    CallId,
    ClockChanged,
    ConfigApplied,
    DeadlineReached,
    Event,
    IncomingCall,
    KeyPressed,
    MediaChanged,
)
from omafon.core.phone import deadline, step
from omafon.core.present import present
from omafon.core.screen import Presentation
from omafon.core.settings import Accept, Settings
from omafon.core.state import Phone
from omafon.drivers.control import ControlSocket
from omafon.render import render
from omafon.status import status

CALL = CallId("in-1")
NOON_UNIX = 1_795_348_800.0


class ToyPhone:
    def __init__(self, name: str, control: Path) -> None:
        self.control = control
        self.phone = Phone()
        self.heard: list[Event] = []
        self._socket = ControlSocket(self.post, self, control)
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self.post(ConfigApplied(Settings(name=name, language="en", accept=frozenset({Accept.ANYONE}))))
        self.post(ClockChanged(NOON_UNIX - self._loop.time(), 0, True))

    def post(self, event: Event) -> None:
        self.heard.append(event)
        now = self._loop.time()
        self.phone, _ = step(self.phone, event, now)
        self._socket.refresh()
        if self._timer is not None:
            self._timer.cancel()
        due = deadline(self.phone, now)
        self._timer = None if due is None else self._loop.call_at(due, self.post, DeadlineReached())

    @property
    def keys(self) -> list[str]:
        return [event.key.value for event in self.heard if isinstance(event, KeyPressed)]

    # What the far end does.

    def is_called_by(self, name: str) -> None:
        self.post(IncomingCall(CALL, "sip:caller@192.0.2.7", name, "192.0.2.7", None))

    def talks(self) -> None:
        self.post(CallAnswered(CALL))
        self.post(MediaChanged(CALL, "opus/48000", True, True))

    def is_hung_up_on(self) -> None:
        self.post(CallEnded(CALL, Cause.NORMAL))

    # What the control socket looks at.

    @property
    def levels(self) -> Presentation:
        return present(self.phone, self._loop.time())

    def frame(self) -> bytes:
        return render(self.levels.screen).tobytes()

    def status(self) -> dict[str, object]:
        return status(self.phone, self._loop.time())

    def screen(self) -> dict[str, object]:
        picture = base64.b64encode(self.frame()).decode()
        return {"rows": list(self.levels.screen.rows()), "width": 128, "height": 64, "frame": picture}

    def lamps(self) -> dict[str, object]:
        lamps = self.levels.lamps
        return {"message": lamps.message.value, "ringer": lamps.ringer.value, "line": lamps.line.value}

    async def open(self) -> None:
        self._socket.claim()
        await self._socket.open()

    async def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        await self._socket.close()


@asynccontextmanager
async def toy_phone(name: str, control: Path) -> AsyncIterator[ToyPhone]:
    toy = ToyPhone(name, control)
    await toy.open()
    try:
        yield toy
    finally:
        await toy.close()
