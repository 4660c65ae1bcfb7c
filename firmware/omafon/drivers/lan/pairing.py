# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Brings this phone and another one together while both want it, on a thread that ends with that.

Nothing listens and nothing is announced at any other time, and no library is loaded before.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from omafon.core.events import PairingFailed, PairingFailure
from omafon.core.screen import PairingWish
from omafon.identity import IdentityBroken, identity
from omafon.interfaces import Post

if TYPE_CHECKING:
    from omafon.drivers.lan.meeting import Meeting


class LanPairing:
    """Implements interfaces.Pairing. `state` is the directory that the phone's identity is kept in.

    `address` is the one address to be found at; empty: all of this machine.
    """

    def __init__(self, post: Post, state: Path, address: str = "") -> None:
        self._post = post
        self._state = state
        self._address = address
        self._errand: _Errand | None = None
        self._old: list[_Errand] = []

    def open(self) -> None:
        """Nothing yet: nobody wants to be found."""

    def close(self) -> None:
        """Returns when nothing listens any more."""
        self.pair(None)
        for errand in self._old:
            errand.join()
        self._old.clear()

    def pair(self, wish: PairingWish | None) -> None:
        """Look for another phone and be found, tell it that the person here has said yes, or be closed."""
        if self._errand is not None and (wish is None or wish.id != self._errand.wish.id):
            self._errand.end()
            self._old = [*(old for old in self._old if old.is_alive()), self._errand]
            self._errand = None
        if wish is None:
            return
        if self._errand is None:
            self._errand = _Errand(self._post, wish, self._state, self._address)
            self._errand.start()
        if wish.same:
            self._errand.agree()


class _Errand(threading.Thread):
    """One pairing, on its own loop: slow libraries are loaded on it, and a key is made on it."""

    def __init__(self, post: Post, wish: PairingWish, state: Path, address: str) -> None:
        super().__init__(name="pairing")
        self.wish = wish
        self._post = post
        self._state = state
        self._address = address
        self._loop = asyncio.new_event_loop()
        self._meeting: Meeting | None = None

    def run(self) -> None:
        from omafon.drivers.lan.meeting import Meeting

        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            try:
                own = identity(self._state)
            except (OSError, IdentityBroken):
                self._post(PairingFailed(self.wish.id, PairingFailure.BROKEN))
                return
            self._meeting = Meeting(self._post, self.wish, own, self._address)
            runner.run(self._meeting.take_place())

    def agree(self) -> None:
        """The person here has said yes."""
        self._ask(lambda meeting: meeting.agree())

    def end(self) -> None:
        """Nobody here wants it any more."""
        self._ask(lambda meeting: meeting.end())

    def _ask(self, act: "Callable[[Meeting], None]") -> None:
        def ask() -> None:
            # What is asked before the meeting begins waits in the loop until it does.
            if self._meeting is not None:
                act(self._meeting)

        # The loop is closed when the meeting is over: then there is nothing to be asked any more.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(ask)
