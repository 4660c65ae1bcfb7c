# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A day of a telephone's life, as a program: `python -m tests.lab.day DIRECTORY CALLS`.

House, core and store are the product's; what is in the directory afterwards is what the phone remembers.
"""

import asyncio
import sys
import threading
from pathlib import Path

from PIL.Image import Image

from omafon.app import House
from omafon.core.actions import Action
from omafon.core.causes import Cause
from omafon.core.events import (
    CallAnswered,
    CallEnded,
    CallId,
    ConfigApplied,
    Event,
    HookLifted,
    HookReplaced,
    IncomingCall,
    Key,
    KeyPressed,
)
from omafon.core.glass import Glass
from omafon.core.memory import Memory
from omafon.core.screen import Lamps, SoundLevels
from omafon.core.settings import Accept, Settings
from omafon.drivers.control import ControlSocket
from omafon.drivers.store import FileStore
from omafon.outbox import Drivers

WITHIN_S = 5.0


class Nothing:
    """Every other driver: does as it is told, and nothing comes of it."""

    def open(self) -> None: ...
    def close(self) -> None: ...
    def load(self) -> Memory:
        return Memory()

    def keep(self, memory: Memory) -> None: ...
    def sound(self, levels: SoundLevels) -> None: ...
    def show(self, frame: Image) -> None: ...
    def look(self, glass: Glass) -> None: ...
    def light(self, lamps: Lamps) -> None: ...
    def perform(self, action: Action) -> None: ...
    def fresh(self, within_s: float) -> bool:
        return True

    bad_packets = 0


def events(number: int) -> list[Event]:
    """One call; every second one is answered, and in every fifth somebody hears badly."""
    call = CallId(f"in-{number}")
    begins = IncomingCall(call, f"sip:{number}@192.0.2.7", "Opa", "192.0.2.7", None)
    if number % 2:
        return [begins, CallEnded(call, Cause.CANCELLED)]
    key = Key.VOLUME_UP if number % 20 else Key.VOLUME_DOWN
    louder: list[Event] = [KeyPressed(key)] * (8 if number % 5 == 0 else 0)
    return [begins, HookLifted(), CallAnswered(call), *louder, CallEnded(call, Cause.NORMAL), HookReplaced()]


async def live(directory: Path, calls: int) -> None:
    loop = asyncio.get_running_loop()
    written = threading.Semaphore(0)

    def renames(event: str, arguments: tuple[object, ...]) -> None:
        if event == "os.rename" and str(arguments[0]).endswith("memory.json.new"):
            written.release()

    house = House(loop)
    store = FileStore(house.inbox.post, directory)
    store.open()
    nothing = Nothing()
    drivers = Drivers(
        store=store,
        sound=nothing,
        calls=nothing,
        resolver=nothing,
        display=nothing,
        source=nothing,
        pairing=nothing,
        requests=nothing,
        reports=nothing,
    )
    house.furnish(drivers, store.load(), ControlSocket(house.inbox.post, house, directory / "control"), None)
    sys.addaudithook(renames)
    house.errand(ConfigApplied(Settings(accept=frozenset({Accept.ANYONE}), strangers_per_hour=3600)), loop.time())
    for number in range(1, calls + 1):
        for event in events(number):
            house.errand(event, loop.time())
        # No call waits for the next one to be written along with it.
        assert written.acquire(timeout=WITHIN_S)
    house.close()
    store.close()


if __name__ == "__main__":
    asyncio.run(live(Path(sys.argv[1]), int(sys.argv[2])))
