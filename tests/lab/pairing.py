# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Phones that want to be a family, and somebody in the same network who wants to be in it without being asked."""

import asyncio
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from omafon.core.events import Event, PairingDigits, PairingDone, PairingFailed, PairingFailure, PairingId
from omafon.core.memory import Address, Member, Reach
from omafon.core.screen import PairingWish
from omafon.drivers.lan import LanPairing
from omafon.drivers.lan.discovery import Discovery, listening
from omafon.drivers.lan.meeting import SERVICE
from omafon.pairing.protocol import Agreement, Digits, Outcome, Role
from tests.lab.heard import Heard


class End:
    """The real driver at one end, and the person before it."""

    def __init__(self, folder: Path, address: str, name: str) -> None:
        self.name = name
        self.address = address
        self.state = folder / name
        self.state.mkdir()
        self.heard: Heard[Event] = Heard()
        self._driver = LanPairing(self.heard.add, self.state, address)
        self._wish: PairingWish | None = None
        self._serial = 0

    def __enter__(self) -> Self:
        self._driver.open()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._driver.close()

    def begins(self) -> None:
        self._serial += 1
        own = (Address(self.address, 5061, Reach.LAN),)
        self._wish = PairingWish(PairingId(self._serial), self.name, "", own)
        self._driver.pair(self._wish)

    def says_yes(self) -> None:
        assert self._wish is not None
        self._driver.pair(PairingWish(self._wish.id, self._wish.name, "", self._wish.addresses, same=True))

    def gives_up(self) -> None:
        self._driver.pair(None)

    def shows(self) -> str:
        digits = self.heard.until(lambda event: isinstance(event, PairingDigits), f"{self.name} shows digits")
        assert isinstance(digits, PairingDigits)
        assert digits.pairing == self._serial
        return digits.digits

    def is_paired_with(self) -> Member:
        done = self.heard.until(lambda event: isinstance(event, PairingDone), f"{self.name} is paired")
        assert isinstance(done, PairingDone)
        return done.member

    def fails(self, *, within_s: float = 5.0) -> PairingFailure:
        failed = self.heard.until(
            lambda event: isinstance(event, PairingFailed), f"{self.name} is not paired", within_s=within_s
        )
        assert isinstance(failed, PairingFailed)
        return failed.failure


@dataclass
class Intruder:
    """Finds a phone that wants to be paired, before the right one does, and speaks with it with keys of its own."""

    address: str
    outcomes: list[Outcome] = field(default_factory=list)

    def meets(self, *, role: Role) -> str:
        """The digits that it and the phone that is found now have in common, in this role."""
        return asyncio.run(self._meet(role))

    async def _meet(self, role: Role) -> str:
        met: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
        listener = listening(self.address)
        server = await asyncio.start_server(lambda *ends: met.put_nowait(ends), sock=listener)
        # A name greater than any other is called, one that is less calls.
        name = ("omafon-zz" if role is Role.LISTENER else "omafon-!") + secrets.token_hex(4)
        async with asyncio.timeout(10), server:
            async with Discovery(SERVICE, name, listener.getsockname()[1], self.address) as discovery:
                if role is Role.CALLER:
                    found = await discovery.found.get()
                    met.put_nowait(await asyncio.open_connection(found.hosts[0], found.port))
                reader, writer = await met.get()
            try:
                return await self._speak(Agreement(role), reader, writer)
            finally:
                writer.close()
                with suppress(ConnectionError):
                    await writer.wait_closed()

    async def _speak(self, agreement: Agreement, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        while True:
            writer.write(agreement.to_send())
            for outcome in agreement.receive(await reader.read(4096)):
                if isinstance(outcome, Digits):
                    writer.write(agreement.to_send())
                    # It says yes at once, whatever anybody sees.
                    agreement.agree()
                    writer.write(agreement.to_send())
                    await writer.drain()
                    return outcome.digits
