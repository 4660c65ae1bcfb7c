# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""One pairing, from the search to its end.

What is announced is a name made up for this one pairing: who listens learns that two phones are being paired, and
not whose.
"""

import asyncio
import logging
import secrets
from collections.abc import Coroutine, Iterable
from contextlib import suppress
from dataclasses import replace
from ipaddress import ip_address

from omafon.core.events import Event, PairingDigits, PairingDone, PairingFailed, PairingFailure
from omafon.core.family import reach_of
from omafon.core.memory import MOST_ADDRESSES, Address, Member
from omafon.core.screen import PairingWish
from omafon.drivers.lan.discovery import Discovery, Found, listening
from omafon.identity import Identity
from omafon.interfaces import Post
from omafon.pairing.card import LONGEST_NAME, Card, CardError, member
from omafon.pairing.protocol import (
    Agreed,
    Agreement,
    Digits,
    Done,
    Introduced,
    Outcome,
    ProtocolError,
    Refused,
    Role,
    Spent,
)

log = logging.getLogger("omafon.pairing")

SERVICE = "_omafon-pair._tcp"

STEP_S = 5.0
"""A phone answers within some milliseconds; who takes so long is none, or out of reach."""

CONNECT_S = 2.0
AGAIN_S = 1.0
FAREWELL_S = 1.0
"""So long the other phone is given to hear the last word."""

MOST_TALKS = 64
"""So many may stand at the door at once; none of them for long."""

_READ = 4096


class Meeting:
    """Looks for the other phone of `wish` and speaks with it. All of it runs on one loop."""

    def __init__(self, post: Post, wish: PairingWish, identity: Identity, address: str = "") -> None:
        self._post = post
        self._wish = wish
        self._identity = identity
        self._address = address
        self._where: dict[str, Found] = {}
        self._talks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._other: _Talk | None = None
        self._found = asyncio.Event()
        self._over = asyncio.Event()
        self._outcome: Event | None = None

    async def take_place(self) -> None:
        """Meet the other phone: PairingDigits, then PairingDone or PairingFailed is posted; after `end` nothing is."""
        searching = asyncio.create_task(self._search())
        try:
            await self._over.wait()
        finally:
            self._found.set()
            if self._other is not None:
                await self._other.farewell()
            for talk in self._talks:
                talk.cancel()
            if self._outcome is not None:
                self._post(self._outcome)
            # Not cut off: it says goodbye to those who have heard of us.
            await asyncio.gather(searching, *self._talks, return_exceptions=True)

    def agree(self) -> None:
        """The person here has seen the same digits at both phones."""
        if self._other is not None and not self._over.is_set():
            try:
                self._heed(self._other, self._other.agreement.agree())
            except ProtocolError as error:
                self._fail(PairingFailure.DISTURBED, error)

    def end(self, outcome: Event | None = None) -> None:
        """It is over: with this outcome, or because nobody here wants it any more."""
        if not self._over.is_set():
            self._outcome = outcome
            self._over.set()

    def _fail(self, failure: PairingFailure, why: object) -> None:
        log.info("pairing failed: %s", why)
        self.end(PairingFailed(self._wish.id, failure))

    # Finding each other.

    async def _search(self) -> None:
        """Listen, be announced and look around until another phone is met."""
        name = f"omafon-{secrets.token_hex(6)}"
        try:
            listener = listening(self._address)
            port = int(listener.getsockname()[1])
            self._server = await asyncio.start_server(self._called, sock=listener)
            try:
                async with Discovery(SERVICE, name, port, self._address) as discovery:
                    looking = asyncio.create_task(self._look(name, discovery))
                    await self._found.wait()
                    looking.cancel()
            finally:
                self._server.close()
        except OSError as error:
            self._fail(PairingFailure.NO_NETWORK, error)

    async def _look(self, name: str, discovery: Discovery) -> None:
        while True:
            found = await discovery.found.get()
            # Both find each other; the one whose name is less calls.
            if name < found.name:
                if found.name not in self._where:
                    self._begin(self._call(found.name))
                self._where[found.name] = found

    async def _called(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._talks) >= MOST_TALKS:
            writer.close()
        else:
            self._begin(self._talk(Role.LISTENER, reader, writer))

    async def _call(self, name: str) -> None:
        """Call who was found, again and again: it may still be coming up, or be told of at other addresses."""
        own = (self._address, 0) if self._address else None
        while not self._found.is_set():
            found = self._where[name]
            for host in found.hosts:
                with suppress(OSError, TimeoutError):
                    async with asyncio.timeout(CONNECT_S):
                        reader, writer = await asyncio.open_connection(host, found.port, local_addr=own)
                    await self._talk(Role.CALLER, reader, writer)
                    break
            await asyncio.sleep(AGAIN_S)

    def _begin(self, talk: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(talk)
        self._talks.add(task)
        task.add_done_callback(self._talks.discard)

    # Speaking with one another.

    async def _talk(self, role: Role, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Speak with whoever is at the other end. If that is not the phone we meet, nothing came of it."""
        talk = _Talk(Agreement(role), writer)
        try:
            talk.flush()
            while not self._over.is_set():
                async with asyncio.timeout(None if talk.compared else STEP_S):
                    octets = await reader.read(_READ)
                if not octets:
                    raise ConnectionResetError("the other side has gone")
                self._heed(talk, talk.agreement.receive(octets))
        except (OSError, TimeoutError, ProtocolError) as error:
            if self._other is talk and not self._over.is_set():
                disturbed = isinstance(error, ProtocolError)
                self._fail(PairingFailure.DISTURBED if disturbed else PairingFailure.LOST, error or "no answer")
            else:
                log.info("pairing: somebody came in vain: %s", error or "no answer")
        finally:
            writer.close()

    def _heed(self, talk: "_Talk", outcomes: Iterable[Outcome]) -> None:
        """Do what follows. Raises ProtocolError."""
        for outcome in outcomes:
            match outcome:
                case Spent():
                    if self._found.is_set():
                        raise ProtocolError("another phone was first")
                    self._other = talk
                    self._found.set()
                    # Nobody else may come, from this moment on.
                    if self._server is not None:
                        self._server.close()
                case Digits(digits):
                    talk.compared = True
                    self._post(PairingDigits(self._wish.id, digits))
                case Agreed(transcript):
                    talk.transcript = transcript
                    talk.agreement.introduce(self._card().signed(self._identity.file, transcript))
                case Introduced(card):
                    talk.member = self._introduced(talk, card)
                    self._heed(talk, talk.agreement.keep())
                case Done():
                    assert talk.member is not None
                    self.end(PairingDone(self._wish.id, talk.member))
                case Refused():
                    self._fail(PairingFailure.REFUSED, "the other phone stopped")
        talk.flush()

    def _card(self) -> Card:
        wish, own = self._wish, self._identity
        name = "".join(filter(str.isprintable, wish.name))[:LONGEST_NAME].strip() or own.id
        return Card(name, wish.number, wish.addresses[:MOST_ADDRESSES], own.certificate)

    def _introduced(self, talk: "_Talk", card: bytes) -> Member:
        """Whom a card introduces. Raises ProtocolError."""
        try:
            other = member(card, talk.transcript)
        except CardError as error:
            raise ProtocolError(f"the card is wrong: {error}") from None
        if other.certificate == self._identity.fingerprint:
            raise ProtocolError("that is our own card")
        return _found_at(other, talk.host)


class _Talk:
    """An agreement on its way, and the connection it goes by."""

    def __init__(self, agreement: Agreement, writer: asyncio.StreamWriter) -> None:
        self.agreement = agreement
        self.compared = False
        self.transcript = b""
        self.member: Member | None = None
        self.host = str(writer.get_extra_info("peername")[0])
        self._writer = writer

    def flush(self) -> None:
        self._writer.write(self.agreement.to_send())

    async def farewell(self) -> None:
        """Say what is still to be said: at least that it is over."""
        self.agreement.refuse()
        self.flush()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(FAREWELL_S):
                await self._writer.drain()
                self._writer.close()
                await self._writer.wait_closed()


def _found_at(other: Member, host: str) -> Member:
    """The member, with the address it was met at among its own, in the first place."""
    host = host.removeprefix("::ffff:")
    here = next((address for address in other.addresses if address.host == host), None)
    # A link-local address is one only together with the name of a network interface, which may be another tomorrow.
    if here is None and other.addresses and not ip_address(host).is_link_local:
        here = Address(host, other.addresses[0].port, reach_of(host))
    if here is None:
        return other
    rest = tuple(address for address in other.addresses if address != here)
    return replace(other, addresses=(here, *rest)[:MOST_ADDRESSES])
