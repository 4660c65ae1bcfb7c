# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Takes what the owner wrote into the phone that runs: at once, when a call has ended, or by starting anew.

A phone is never between two configurations: what waits waits as a whole, and what is refused changes nothing.
"""

import asyncio
import logging
import sys
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

from omafon.config import Config, ConfigError
from omafon.core.events import ConfigApplied, ConfigRefused, RegistrationChanged, RunsWith
from omafon.core.settings import Settings
from omafon.core.state import Phone
from omafon.interfaces import Post
from omafon.upkeep.changes import Take, changes, when
from omafon.upkeep.choosing import Choice, Means
from omafon.upkeep.configuration import Configuration

log = logging.getLogger(__name__)

R = TypeVar("R")

TURN_S = 0.0005
"""How long work beside the loop may keep it waiting at a time."""


class House(Protocol):
    """What is asked of the phone that runs."""

    @property
    def phone(self) -> Phone: ...

    def configure(self, config: Config, settings: Settings) -> None:
        """Tell the drivers."""

    def restart(self) -> None:
        """End in order, and begin anew in the same process."""


class Upkeep:
    """The configuration of a running phone. Everything runs on the loop; what takes time, on a thread beside it."""

    def __init__(self, choice: Choice, means: Means, post: Post) -> None:
        self._choice = choice
        self._means = means
        self._post = post
        self._house: House | None = None
        self._runs = self._told = choice.configuration
        self._waits: Configuration | None = None
        self._waits_for_restart = False
        self._refusal = choice.refusal
        self._refused = choice.refused
        self._reading = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    def move_in(self, house: House) -> None:
        """Tell the core what it runs with. After the drivers were made, before they are opened."""
        self._house = house
        self._means.starts.begin()
        self._post(ConfigApplied(self._runs.settings))
        if self._refusal is not None:
            self._post(self._refusal)

    def ready(self) -> None:
        """The phone has come up; whether it stays up is seen soon."""
        if self._choice.safe_mode:
            self._after(self._means.safe_for_s, self._try_anew)
        else:
            self._after(self._means.healthy_after_s, self._is_healthy)

    def status(self) -> dict[str, object]:
        """`config` and `restarts` of `omafon status`."""
        return {
            "config": {
                "file": str(self._told.file),
                "generation": self._told.generation,
                "sha256": self._told.sha256 or None,
                "refused": self._refused,
                "safe_mode": self._choice.safe_mode,
                "pending_restart": self._waits_for_restart,
            },
            "restarts": max(0, self._means.starts.count.begun - 1),
        }

    async def reload(self, *, at_once: bool = False) -> dict[str, object]:
        """Read the owner's file and take it, or wait until that cuts nobody off; what `reload` answers.

        Raises ConfigError when it is wrong: the phone goes on with what it has.
        """
        async with self._reading:
            try:
                found = await _beside(self._means.read)
            except ConfigError as error:
                self._refuse(error)
                raise
            take = self._take(found, at_once=at_once)
            # One turn, so that who asks for the status next sees what was taken.
            await asyncio.sleep(0)
        taken = {Take.LIVE: "now", Take.RESTART: "restarting", Take.LATER: "when the call has ended"}[take]
        return {"taken": taken, "generation": found.generation}

    def reload_soon(self) -> None:
        """`reload` because of a signal: nobody waits for the answer. A phone that is closed takes nothing any more."""
        if not self._closed:
            self._begin(self._reload_told())

    def settle(self) -> None:
        """After every errand: take what waits, if that cuts nobody off any more."""
        if self._waits is not None:
            self._take(self._waits)

    def failed(self, why: str) -> None:
        """The phone does not come up, and can say why."""
        self._means.starts.failed_because(why)

    def ended(self) -> None:
        """The phone was asked to end, and has."""
        self._means.starts.ended()

    def close(self) -> None:
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        for task in self._tasks:
            task.cancel()

    def _take(self, found: Configuration, *, at_once: bool = False) -> Take:
        assert self._house is not None
        difference = changes(self._runs, found)
        if self._choice.safe_mode:
            take = Take.RESTART
        else:
            take = when(difference, self._house.phone, asyncio.get_running_loop().time(), at_once=at_once)
        match take:
            case Take.LATER:
                if found is not self._waits:
                    log.info("the new configuration waits for the end of the call")
                self._waits, self._waits_for_restart = found, difference.restart
            case Take.RESTART:
                self._waits, self._waits_for_restart = None, True
                log.info("the new configuration asks for a new start")
                self._means.starts.succeeded()
                self._house.restart()
            case Take.LIVE:
                self._waits, self._runs, self._refusal = None, found, None
                for name in sorted(difference.lines):
                    # What its old registration was says nothing about the new one.
                    self._post(RegistrationChanged(name, False, 0, "", 0, None))
                # In this order: who sees the new configuration told sees no line as it was before.
                asyncio.get_running_loop().call_soon(self._now_told, found)
                self._post(ConfigApplied(found.settings))
                self._house.configure(found.config, found.settings)
                log.info("runs with the configuration %s", found.sha256[:12])
                self._after(self._means.healthy_after_s, self._is_healthy)
        return take

    def _now_told(self, runs: Configuration) -> None:
        self._told, self._refused, self._waits_for_restart = runs, None, False

    def _refuse(self, error: ConfigError) -> None:
        """Go on with what runs, and with nothing that waited: that is not what the owner wants any more."""
        self._waits, self._waits_for_restart = None, False
        self._refused = str(error)
        for problem in error.problems:
            log.warning("configuration refused: %s", problem)
        runs_with = self._refusal.runs_with if self._refusal else RunsWith.PREVIOUS
        self._refusal = ConfigRefused(runs_with, error.problems[0].line or 0)
        self._post(self._refusal)

    async def _reload_told(self) -> None:
        try:
            answer = await self.reload()
        except ConfigError:
            return  # told in the log, and by the status
        log.info("configuration read anew: %s", answer["taken"])

    def _is_healthy(self) -> None:
        self._means.starts.succeeded()
        if self._choice.refusal is None or self._runs is not self._choice.configuration:
            self._begin(self._keep(self._runs))

    async def _keep(self, good: Configuration) -> None:
        try:
            await _beside(lambda: self._means.last_good.keep(good))
        except OSError as error:
            log.warning("the good configuration cannot be kept: %s", error)

    def _try_anew(self) -> None:
        log.info("safe mode ends: the phone is started anew")
        self._means.starts.succeeded()
        assert self._house is not None
        self._house.restart()

    def _after(self, seconds: float, act: Callable[[], None]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, act)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _beside(work: Callable[[], R]) -> R:
    """The result of `work`, done on a thread: the loop goes on with the calls."""
    # Reading TOML is Python too, and shares the interpreter with the loop, which would wait 5 ms for each of its turns.
    before = sys.getswitchinterval()
    sys.setswitchinterval(TURN_S)
    try:
        with ThreadPoolExecutor(1, "upkeep") as thread:
            return await asyncio.get_running_loop().run_in_executor(thread, work)
    finally:
        sys.setswitchinterval(before)
