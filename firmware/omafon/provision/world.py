# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What a change of the configuration meets outside: the phone that runs, the time, who asks, the SSH server."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from omafon.client import Client, Json
from omafon.provision.session import Session


class Clock(Protocol):
    """The time, in seconds: since the boot, and the world's; the name of this boot; and letting some pass."""

    def boottime(self) -> float: ...
    def unix(self) -> float: ...
    def boot_id(self) -> str: ...
    def sleep(self, seconds: float) -> None: ...


class Phone(Protocol):
    """What is asked of the phone that runs. Both raise NoDaemon, `reload` also Refused."""

    def status(self) -> Json: ...
    def reload(self, *, now: bool) -> Json: ...


@dataclass(frozen=True, slots=True)
class World:
    """`greets` tells whether an SSH server answers; `set_watch` starts somebody who takes back what is not confirmed,
    where the system does not; `say` tells the one who waits what is waited for.
    """

    phone: Phone
    clock: Clock
    session: Session
    greets: Callable[[], bool]
    set_watch: Callable[[], None]
    say: Callable[[str], None]


class SystemClock:
    def boottime(self) -> float:
        # Unlike the monotonic clock it goes on while the machine sleeps, and unlike the world's nobody sets it.
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def unix(self) -> float:
        return time.time()

    def boot_id(self) -> str:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class PhoneAt:
    """The phone whose control socket is at `path`. Asked anew each time: it may be another process by then."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def status(self) -> Json:
        with Client(self._path) as phone:
            return phone.ask("status")

    def reload(self, *, now: bool) -> Json:
        with Client(self._path) as phone:
            return phone.ask("reload", **({"now": True} if now else {}))
