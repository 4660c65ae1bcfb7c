# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The composition root: opens the rooms in order, closes them in reverse, and between them runs the errands."""

import asyncio
import base64
import logging
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from omafon import __version__, config, interfaces
from omafon.config import Config
from omafon.core.actions import Action
from omafon.core.events import (
    ClockChanged,
    ConfigApplied,
    DeadlineReached,
    Driver,
    DriverFailed,
    Event,
    KeyReleased,
    StopRequested,
)
from omafon.core.memory import Memory
from omafon.core.phone import deadline, step
from omafon.core.present import present
from omafon.core.state import Phone
from omafon.drivers import systemd
from omafon.drivers.control import ControlSocket
from omafon.drivers.network import NetworkWatch
from omafon.inbox import Inbox
from omafon.interfaces import DriverError, Post
from omafon.outbox import Drivers, Outbox
from omafon.recording import Recorder
from omafon.status import status
from omafon.story import tell

log = logging.getLogger("omafon")

Wiring = Callable[[Config, Path, Post], Drivers]
"""Makes the drivers of a board, from the configuration, the directory of the phone's own state, and `post`."""

# The engine's thread goes round at least every 50 ms; after this it hangs.
ENGINE_STALE_S = 5.0


class House:
    """One running telephone: the phone, the way in, the way out."""

    def __init__(self, loop: asyncio.AbstractEventLoop, board: str = "") -> None:
        self.inbox = Inbox(loop, self.errand)
        self.phone = Phone()
        self._loop = loop
        self._board = board
        self._outbox: Outbox | None = None
        self._control: ControlSocket | None = None
        self._recorder: Recorder | None = None
        self._closed = False

    def furnish(self, drivers: Drivers, memory: Memory, control: ControlSocket, recorder: Recorder | None) -> None:
        """Give the house its drivers. Events posted before are taken after: the loop has not run yet."""
        self.phone = replace(self.phone, memory=memory)
        self._outbox = Outbox(self._loop, drivers, lambda: self.inbox.post(DeadlineReached()))
        self._control = control
        self._recorder = recorder

    def errand(self, event: Event, now: float) -> None:
        """Take one event through the house. Runs on the loop; never awaits, never blocks.

        What a driver posts while it is closed comes after the house was: it is nobody's.
        """
        if self._closed:
            return
        assert self._outbox is not None
        if self._recorder is not None:
            self._recorder.record(event, now, self.phone)
        before = self.phone
        self.phone, actions = step(self.phone, event, now)
        self._outbox.perform(actions)
        self._outbox.settle(present(self.phone, now), self.phone.memory, deadline(self.phone, now))
        self._tell(event, actions, changed=self.phone != before)

    def _tell(self, event: Event, actions: tuple[Action, ...], *, changed: bool) -> None:
        assert self._control is not None
        told = [tell(action) for action in actions]
        routine = isinstance(event, DeadlineReached | KeyReleased | ClockChanged)
        if actions or (changed and not routine):
            log.info("%s%s", tell(event), f" -> {', '.join(told)}" if told else "")
        if not isinstance(event, DeadlineReached) or actions:
            unix = self.phone.clock.unix(self._loop.time())
            self._control.publish({"event": "errand", "at": unix, "what": tell(event), "actions": told})
        self._control.refresh()

    # What the control socket may look at.

    def status(self) -> dict[str, object]:
        return {**status(self.phone, self._loop.time()), "board": self._board}

    def screen(self) -> dict[str, object]:
        assert self._outbox is not None
        frame = self._outbox.frame
        rows = list(present(self.phone, self._loop.time()).screen.rows())
        picture = base64.b64encode(frame.tobytes()).decode()
        return {"rows": rows, "width": frame.width, "height": frame.height, "frame": picture}

    def lamps(self) -> dict[str, object]:
        lamps = present(self.phone, self._loop.time()).lamps
        return {"message": lamps.message.value, "ringer": lamps.ringer.value, "line": lamps.line.value}

    def close(self) -> None:
        """Take no errand any more."""
        self._closed = True
        if self._outbox is not None:
            self._outbox.close()


async def live(settings: Config, wiring: Wiring, state: Path, control_path: Path, record: Path | None = None) -> None:
    """Be a telephone until SIGTERM or SIGINT.

    Raises DriverError when something a phone cannot do without does not start.
    """
    loop = asyncio.get_running_loop()
    house = House(loop, settings.phone.board)
    post = house.inbox.post
    drivers = wiring(settings, state, post)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        # What there can be only one of is claimed before any file is touched: it may be another phone's.
        control = ControlSocket(post, house, control_path)
        control.claim()
        stack.push_async_callback(control.close)
        _open(stack, drivers.store)
        memory = drivers.store.load()
        recorder = Recorder(stack.enter_context(_recording(record)), memory) if record is not None else None
        house.furnish(drivers, memory, control, recorder)
        stack.callback(house.close)
        post(ConfigApplied(config.settings(settings)))
        _open_or_tell(stack, drivers.sound, Driver.RINGER, post)
        _open(stack, drivers.calls)
        _open(stack, drivers.resolver)
        _open(stack, NetworkWatch(post, loop))
        _open_or_tell(stack, drivers.display, Driver.DISPLAY, post)
        await control.open()
        # The keypad last: no key before the phone can act.
        _open(stack, drivers.source)
        systemd.notify("READY=1")
        log.info("omafon %s is ready", __version__)
        watchdog = asyncio.create_task(_feed_watchdog(drivers))
        await stop.wait()
        log.info("stopping")
        systemd.notify("STOPPING=1")
        watchdog.cancel()
        post(StopRequested())
        # One turn, so that every call is hung up before its engine is closed.
        await asyncio.sleep(0)


def _recording(path: Path) -> TextIO:
    """The file to record into, empty. Raises DriverError."""
    try:
        return path.open("w", encoding="utf-8")
    except OSError as error:
        what = f"the recording {path} cannot be written: {error.strerror}"
        raise DriverError(what, "Name another file with --record.") from None


async def _feed_watchdog(drivers: Drivers) -> None:
    """Tell systemd that we live, as long as the engine's thread goes round and this loop does."""
    interval_s = systemd.watchdog_interval_s()
    while interval_s is not None:
        if drivers.calls.fresh(ENGINE_STALE_S):
            systemd.notify("WATCHDOG=1")
        await asyncio.sleep(interval_s / 2)


def _open(stack: AsyncExitStack, driver: interfaces.Driver) -> None:
    driver.open()
    stack.callback(driver.close)


def _open_or_tell(stack: AsyncExitStack, driver: interfaces.Driver, name: Driver, post: Post) -> None:
    """A phone without this driver still calls: its owner is told, and goes on."""
    try:
        _open(stack, driver)
    except DriverError as error:
        post(DriverFailed(name, error.what))


def run(settings: Config, wiring: Wiring, state: Path, control: Path, record: Path | None = None) -> None:
    """`live`, as a process of its own."""
    asyncio.run(live(settings, wiring, state, control, record))
