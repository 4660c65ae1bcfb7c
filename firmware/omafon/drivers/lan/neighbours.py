# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Members of the family on the local network: this phone lets itself be found by them, and looks for them when asked.

What is announced is the phone's id and the port of the family, nothing else. Whoever answers may lie: what is found is
a place to look, and TLS proves who is there. A phone without a family is not announced and loads no library.
"""

import asyncio
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

from omafon.core.events import Event, MemberSeen
from omafon.core.family import Family, reach_of
from omafon.core.memory import Address
from omafon.identity import IdentityBroken, identity
from omafon.interfaces import Post

log = logging.getLogger("omafon.lan")

SERVICE = "_omafon._tcp"

LOOK_S = 4.0
"""So long one look takes: whoever is there answers the first or the second question, a second later."""

MOST_TOLD = 64
"""So many findings of one look are passed on; somebody could go on inventing some."""

AGAIN_S = 60.0
"""When it is tried again to be found, where it did not work."""


class LanNeighbours:
    """Implements interfaces.Neighbours. `state` is the directory of the phone's identity, `port` that of the family.

    `address` is the one address to be found at; empty: all of this machine.
    """

    def __init__(self, post: Post, state: Path, port: int, address: str = "") -> None:
        self._post = post
        self._state = state
        self._port = port
        self._address = address
        self._watch: _Watch | None = None

    def open(self) -> None:
        """Nothing yet: whether there is a family comes by `family`."""

    def close(self) -> None:
        """Returns when nothing is announced any more."""
        if self._watch is not None:
            self._watch.end()
            self._watch.join()
            self._watch = None

    def family(self, family: Family) -> None:
        """Be found by these members, at the addresses of now; by nobody when there is none."""
        if self._watch is None and family.members:
            self._watch = _Watch(self._post, self._state, self._port, self._address, family)
            self._watch.start()
        elif self._watch is not None:
            self._watch.family(family)

    def look(self) -> None:
        """Look around once; a look that is under way goes on instead."""
        if self._watch is not None:
            self._watch.look()


class _Watch(threading.Thread):
    """Begins with the first member and ends with the phone."""

    def __init__(self, post: Post, state: Path, port: int, address: str, family: Family) -> None:
        super().__init__(name="neighbours")
        self._post = post
        self._state = state
        self._port = port
        self._address = address
        self._family = family
        self._loop = asyncio.new_event_loop()
        self._changed = asyncio.Event()
        self._look_wanted = asyncio.Event()
        self._over = False

    def run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            try:
                own = identity(self._state).id
            except (OSError, IdentityBroken) as error:
                # The engine, which needs it more, tells the owner.
                log.info("nobody finds this phone: its certificate cannot be read: %s", error)
                return
            runner.run(self._be_there(own))

    # From other threads.

    def family(self, family: Family) -> None:
        self._ask(self._be_of, family)

    def look(self) -> None:
        self._ask(self._look_wanted.set)

    def end(self) -> None:
        self._ask(self._end)

    def _ask(self, act: Callable[..., None], *values: Family) -> None:
        # A loop that is closed has nothing to be asked any more.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(act, *values)

    # On its own loop.

    def _be_of(self, family: Family) -> None:
        self._family = family
        self._changed.set()

    def _end(self) -> None:
        self._over = True
        self._changed.set()

    async def _be_there(self, own: str) -> None:
        looking = asyncio.create_task(self._look_when_asked(own))
        while not self._over:
            self._changed.clear()
            try:
                await self._be_found(own)
            except OSError as error:
                log.info("nobody finds this phone on the local network: %s", error)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), AGAIN_S)
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking

    async def _be_found(self, own: str) -> None:
        """Until something changes. Raises OSError."""
        if not self._family.members:
            await self._changed.wait()
            return
        # Slow to load, and needed by nobody without a family.
        from omafon.drivers.lan.discovery import Announcement

        async with Announcement(SERVICE, own, self._port, self._address):
            # At other addresses there are other neighbours.
            self._look_wanted.set()
            await self._changed.wait()

    async def _look_when_asked(self, own: str) -> None:
        while True:
            await self._look_wanted.wait()
            self._look_wanted.clear()
            # What was asked for meanwhile is being done.
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._look(own)

    async def _look(self, own: str) -> None:
        from omafon.drivers.lan.discovery import Search

        async with Search(SERVICE, self._address) as search:
            told: set[Event] = set()
            while True:
                found = await search.found.get()
                certificate = next((pin for id_, pin in self._family.members if id_ == found.name != own), "")
                # A link-local address is one only together with a network interface, and calls are not made by it.
                hosts = [host for host in found.hosts if "%" not in host and not ip_address(host).is_link_local]
                if certificate and hosts:
                    places = tuple(Address(host, found.port, reach_of(host)) for host in hosts)
                    seen = MemberSeen(certificate, places)
                    if seen not in told and len(told) < MOST_TOLD:
                        told.add(seen)
                        self._post(seen)
