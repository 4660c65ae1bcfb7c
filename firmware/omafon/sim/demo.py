# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""`omafon sim --demo`: one whole call, step by step, with both screens on the terminal."""

import asyncio
import contextlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from omafon.sim.exchange import Twin, twin_pack
from omafon.sim.remote import PhoneOff

STEP_S = 8.0
Status = dict[str, Any]


class DemoError(Exception):
    """A step of the call did not come about; the message says which."""


async def play(mouth: Path | None = None) -> int:
    """Play the call; 0 when every step of it happened, 1 when one did not."""
    async with twin_pack(mouth=mouth) as (home, oma):
        stage = Stage(home, oma)
        watchers = [asyncio.create_task(stage.watch(twin)) for twin in (home, oma)]
        try:
            await _call(stage, home, oma)
        except (DemoError, PhoneOff) as error:
            print(f"\nThe call did not come about: {error}", file=sys.stderr)
            return 1
        finally:
            for watcher in watchers:
                watcher.cancel()
            await asyncio.gather(*watchers, return_exceptions=True)
    return 0


async def _call(stage: "Stage", home: Twin, oma: Twin) -> None:
    await stage.until(home, lambda s: s["mode"] == "idle", "Two telephones, nobody in between.")
    await home.remote.press("off-hook")
    await stage.until(home, lambda s: s["tone"] == "dial", "Zuhause lifts the handset: dial tone.")
    await home.remote.press(*oma.plan.dial)
    await stage.until(home, lambda s: s["tone"] == "off", f"Zuhause dials {oma.plan.dial}.")
    await home.remote.press("#")
    await stage.until(oma, lambda s: s["ringing"], "ENUM knows the number, an INVITE goes out: Oma's phone rings.")
    await stage.until(home, lambda s: s["tone"] == "ringback", "Zuhause hears it ring.")
    await oma.remote.press("off-hook")
    for twin in (oma, home):
        await stage.until(twin, _talking, "")
    await stage.hears("Oma lifts: they talk.")
    await home.remote.press("on-hook")
    await stage.until(oma, lambda s: not s["calls"] and s["tone"] == "busy", "Zuhause hangs up: Oma hears it.")
    await oma.remote.press("on-hook")
    await stage.until(oma, lambda s: s["mode"] == "idle" and s["hook"] == "on", "Oma hangs up too. Good night.")


def _talking(status: Status) -> bool:
    return bool(status["calls"]) and status["calls"][0]["state"] == "in_call" and bool(status["calls"][0]["codec"])


class Stage:
    """Both phones as they are now, and the terminal they are shown on."""

    def __init__(self, *twins: Twin) -> None:
        self._twins = twins
        self._status: dict[str, Status] = {}
        self._changed = asyncio.Condition()
        self._step = 0

    async def watch(self, twin: Twin) -> None:
        """Follow a phone until cancelled."""
        async with contextlib.aclosing(twin.remote.stream()) as events:
            async for told in events:
                if "status" in told:
                    async with self._changed:
                        self._status[twin.plan.key] = dict(told["status"])
                        self._changed.notify_all()

    async def until(self, twin: Twin, true_of: Callable[[Status], bool], caption: str) -> None:
        """Wait until something is true of a phone, and show both under `caption`; DemoError when it takes too long."""
        key = twin.plan.key
        try:
            async with asyncio.timeout(STEP_S), self._changed:
                await self._changed.wait_for(
                    lambda: len(self._status) == len(self._twins) and true_of(self._status[key])
                )
        except TimeoutError:
            raise DemoError(f"{caption or 'they talk'} (after {STEP_S:.0f} s {self._status.get(key)})") from None
        if caption:
            self._show(caption)

    async def hears(self, caption: str) -> None:
        """Wait until each hears the other's voice, then show it."""
        try:
            async with asyncio.timeout(STEP_S):
                while not all((level := twin.ear_level_db()) is None or level > -40.0 for twin in self._twins):
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise DemoError("they talk, and nothing is heard") from None
        # A moment of conversation, so that the screens count it.
        await asyncio.sleep(2.0)
        self._show(caption)
        for twin in self._twins:
            level = twin.ear_level_db()
            if level is not None:
                print(f"    {twin.plan.name:<8} hears the other at {level:.0f} dB; kept in {twin.ear}")

    def _show(self, caption: str) -> None:
        self._step += 1
        print(f"\n{self._step}. {caption}\n")
        states = [self._status[twin.plan.key] for twin in self._twins]
        print("    " + "   ".join(f"{twin.plan.name:<23}" for twin in self._twins))
        print("    " + "   ".join(["┌" + "─" * 21 + "┐"] * len(states)))
        for row in range(4):
            print("    " + "   ".join(f"│{state['screen'][row]:<21}│" for state in states))
        print("    " + "   ".join(["└" + "─" * 21 + "┘"] * len(states)))
        print("    " + "   ".join(f"{_heard(state):<23}" for state in states), flush=True)


def _heard(status: Status) -> str:
    heard = "bell rings" if status["ringing"] else f"tone: {status['tone']}" if status["tone"] != "off" else ""
    return f"{status['hook']}-hook  {heard}"
