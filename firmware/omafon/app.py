# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The composition root: opens the rooms in order, closes them in reverse, and between them runs the errands."""

import asyncio
import base64
import logging
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

from omafon import __version__, interfaces, pages
from omafon.config import Config, ConfigError
from omafon.core.actions import Action
from omafon.core.events import (
    ClockChanged,
    DeadlineReached,
    Driver,
    DriverFailed,
    Event,
    KeyReleased,
    StopRequested,
    VoiceHeard,
)
from omafon.core.memory import Memory
from omafon.core.phone import deadline, step
from omafon.core.present import present
from omafon.core.settings import Settings
from omafon.core.state import Phone
from omafon.drivers import systemd
from omafon.drivers.control import ControlSocket, RequestError
from omafon.drivers.network import NetworkWatch
from omafon.drivers.timekeeper import Timekeeper
from omafon.inbox import Inbox
from omafon.interfaces import DriverError, Post
from omafon.outbox import Drivers, Outbox
from omafon.recording import Recorder
from omafon.status import family, refuses_a_stranger, status
from omafon.story import tell
from omafon.upkeep.choosing import Choice, Means
from omafon.upkeep.image import SIGNALS
from omafon.upkeep.reloading import Upkeep

log = logging.getLogger("omafon")

Wiring = Callable[[Config, Path, Post], Drivers]
"""Makes the drivers of a board, from the configuration, the directory of the phone's own state, and `post`."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a phone keeps what: its own state, its control socket, and a recording, which may `go_on`.

    `hide` takes out of the recording what nobody may read.
    """

    state: Path
    control: Path
    record: Path | None = None
    go_on: bool = False
    hide: Callable[[str], str] = str


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
        self._upkeep: Upkeep | None = None
        self._closed = False
        self._drivers: Drivers | None = None
        self._strangers_refused = 0
        self.ending = asyncio.Event()
        self.begins_anew = False

    def furnish(
        self,
        drivers: Drivers,
        memory: Memory,
        control: ControlSocket,
        recorder: Recorder | None,
        upkeep: Upkeep | None = None,
    ) -> None:
        """Give the house its drivers. Events posted before are taken after: the loop has not run yet."""
        self.phone = replace(self.phone, memory=memory)
        self._drivers = drivers
        self._upkeep = upkeep
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
        self._strangers_refused += refuses_a_stranger(event, actions)
        self._outbox.perform(actions)
        self._outbox.settle(present(self.phone, now), self.phone.memory, deadline(self.phone, now))
        self._tell(event, actions, changed=self.phone != before)
        if self._upkeep is not None:
            self._upkeep.settle()

    def _tell(self, event: Event, actions: tuple[Action, ...], *, changed: bool) -> None:
        assert self._control is not None
        told = [tell(action) for action in actions]
        routine = isinstance(event, DeadlineReached | KeyReleased | ClockChanged | VoiceHeard)
        if actions or (changed and not routine):
            page = pages.of_event(event)
            log.log(
                logging.WARNING if page else logging.INFO,
                *("%s%s", tell(event), f" -> {', '.join(told)}" if told else ""),
                extra=page.mark if page else None,
            )
        if not isinstance(event, DeadlineReached) or actions:
            unix = self.phone.clock.unix(self._loop.time())
            self._control.publish({"event": "errand", "at": unix, "what": tell(event), "actions": told})
        self._control.refresh()

    # What the control socket may look at.

    def status(self) -> dict[str, object]:
        kept = self._upkeep.status() if self._upkeep is not None else {}
        counters = {
            "refused_strangers": self._strangers_refused,
            "bad_packets": self._drivers.calls.bad_packets if self._drivers is not None else 0,
            # The system's, which the phone does not read: who asks may.
            "failed_logins": None,
            "restarts": kept.get("restarts", 0),
        }
        return {**status(self.phone, self._loop.time()), "board": self._board, **kept, "counters": counters}

    def family(self) -> list[dict[str, object]]:
        return family(self.phone)

    def screen(self) -> dict[str, object]:
        assert self._outbox is not None
        frame = self._outbox.frame
        rows = list(present(self.phone, self._loop.time()).screen.rows())
        picture = base64.b64encode(frame.tobytes()).decode()
        return {"rows": rows, "width": frame.width, "height": frame.height, "frame": picture}

    def lamps(self) -> dict[str, object]:
        lamps = present(self.phone, self._loop.time()).lamps
        return {"message": lamps.message.value, "ringer": lamps.ringer.value, "line": lamps.line.value}

    async def reload(self, *, at_once: bool) -> dict[str, object]:
        assert self._upkeep is not None
        try:
            return await self._upkeep.reload(at_once=at_once)
        except ConfigError as error:
            problems = [{"what": p.what, "cure": p.cure, "line": p.line, "key": p.key} for p in error.problems]
            cure = "The phone goes on with what it has."
            raise RequestError(str(error), cure, problems=problems) from None

    # What the upkeep may do.

    def configure(self, config: Config, settings: Settings) -> None:
        assert self._drivers is not None
        self._drivers.configure(config, settings)

    def restart(self) -> None:
        self.begins_anew = True
        self.ending.set()

    def end(self) -> None:
        """Somebody wants the phone to end: also one that was about to begin anew."""
        self.begins_anew = False
        self.ending.set()

    def close(self) -> None:
        """Take no errand any more."""
        self._closed = True
        if self._outbox is not None:
            self._outbox.close()


async def live(choice: Choice, wiring: Wiring, means: Means, place: Place) -> bool:
    """Be a telephone until SIGTERM or SIGINT, which return False, or until it must begin anew, which returns True.

    Then SIGNALS are held back until somebody takes them. Raises DriverError when something a phone cannot do without
    does not start.
    """
    loop = asyncio.get_running_loop()
    house = House(loop, choice.configuration.config.phone.board)
    post = house.inbox.post
    upkeep = Upkeep(choice, means, post)
    for number, act in zip(SIGNALS, (house.end, house.end, upkeep.reload_soon), strict=True):
        loop.add_signal_handler(number, act)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    async with AsyncExitStack() as stack:
        # What there can be only one of is claimed before any file is touched: it may be another phone's.
        control = ControlSocket(post, house, place.control)
        control.claim()
        upkeep.move_in(house)
        stack.callback(upkeep.close)
        stack.push_async_callback(control.close)
        drivers = wiring(choice.configuration.config, place.state, post)
        try:
            await _furnish(stack, house, drivers, upkeep, control, place, safe_mode=choice.safe_mode)
        except DriverError as error:
            upkeep.failed(error.what)
            raise
        systemd.notify("READY=1")
        systemd.has_started()
        log.info("omafon %s is ready", __version__)
        upkeep.ready()
        watchdog = asyncio.create_task(_feed_watchdog(drivers))
        await house.ending.wait()
        log.info("beginning anew" if house.begins_anew else "stopping")
        systemd.notify("RELOADING=1" if house.begins_anew else "STOPPING=1")
        watchdog.cancel()
        post(StopRequested())
        # One turn, so that every call is hung up before its engine is closed.
        await asyncio.sleep(0)
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    # What came before is noticed in one turn of the loop, read in the next, and heeded in the one after that.
    for _ in range(3):
        await asyncio.sleep(0)
    if not house.begins_anew:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        upkeep.ended()
    return house.begins_anew


async def _furnish(
    stack: AsyncExitStack,
    house: House,
    drivers: Drivers,
    upkeep: Upkeep,
    control: ControlSocket,
    place: Place,
    *,
    safe_mode: bool,
) -> None:
    """Open every driver, in order. Raises DriverError."""
    post = house.inbox.post
    _open(stack, drivers.store)
    memory = drivers.store.load()
    recorder = None
    if place.record is not None:
        recorder = Recorder(stack.enter_context(_recording(place)), memory, place.hide)
    house.furnish(drivers, memory, control, recorder, upkeep)
    stack.callback(house.close)
    _open_or_tell(stack, drivers.sound, Driver.RINGER, post)
    _open(stack, drivers.calls)
    _open(stack, drivers.resolver)
    _open(stack, drivers.pairing)
    _open(stack, drivers.requests)
    _open(stack, drivers.reports)
    if drivers.own_name is not None:
        _open(stack, drivers.own_name)
    if drivers.neighbours is not None:
        _open(stack, drivers.neighbours)
    _open(stack, NetworkWatch(post, asyncio.get_running_loop()))
    _open(stack, Timekeeper(asyncio.get_running_loop(), house.inbox.look))
    _open_or_tell(stack, drivers.display, Driver.DISPLAY, post)
    await control.open()
    # The keypad last: no key before the phone can act.
    if safe_mode:
        _open_or_tell(stack, drivers.source, Driver.KEYPAD, post)
    else:
        _open(stack, drivers.source)


def _recording(place: Place) -> TextIO:
    """The file to record into, empty unless it goes on. Raises DriverError."""
    assert place.record is not None
    try:
        return place.record.open("a" if place.go_on else "w", encoding="utf-8")
    except OSError as error:
        what = f"the recording {place.record} cannot be written: {error.strerror}"
        raise DriverError(what, "Name another file with --record.") from None


async def _feed_watchdog(drivers: Drivers) -> None:
    """Tell systemd that we live, as long as the engine's thread goes round and this loop does.

    The thread does so every 50 ms; while dead name servers hold it, after some seconds.
    """
    interval_s = systemd.watchdog_interval_s()
    while interval_s is not None:
        if drivers.calls.fresh(interval_s / 2):
            systemd.notify("WATCHDOG=1")
        await asyncio.sleep(interval_s / 4)


def _open(stack: AsyncExitStack, driver: interfaces.Driver) -> None:
    driver.open()
    stack.callback(driver.close)


def _open_or_tell(stack: AsyncExitStack, driver: interfaces.Driver, name: Driver, post: Post) -> None:
    """A phone without this driver still calls: its owner is told, and goes on."""
    try:
        _open(stack, driver)
    except DriverError as error:
        post(DriverFailed(name, error.what))


def run(choice: Choice, wiring: Wiring, means: Means, place: Place) -> bool:
    """`live`, as a process of its own."""
    return asyncio.run(live(choice, wiring, means, place))
