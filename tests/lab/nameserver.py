# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A name server that does what a test wants, misbehaviour included: for what no honest one can be made to do."""

import asyncio
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Self

import dns.message
import dns.rcode
import dns.rrset

Answering = Callable[[dns.message.Message], Iterable[dns.message.Message]]
"""What datagrams go back for a question; none is silence."""

RECORD = '100 10 "u" "E2U+sip" "!^.*$!sip:oma@example.net!" .'


class NameServer(asyncio.DatagramProtocol):
    """Answers on UDP as `answering` says, on a port that the system chooses. `asked` are the names, in order."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self._closed: asyncio.Future[None] | None = None
        self._transport: asyncio.DatagramTransport | None = None
        self.asked: list[str] = []
        self.is_asked = asyncio.Event()
        self.server = ""

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._closed = loop.create_future()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
        self.server = f"127.0.0.1:{self._transport.get_extra_info('sockname')[1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        assert self._transport
        assert self._closed
        self._transport.close()
        await self._closed

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        question = dns.message.from_wire(data)
        self.asked.append(question.question[0].name.to_text())
        self.is_asked.set()
        assert self._transport
        for answer in self._answering(question):
            self._transport.sendto(answer.to_wire(), addr)

    def connection_lost(self, exc: Exception | None) -> None:
        assert self._closed
        self._closed.set_result(None)


def silence(question: dns.message.Message) -> Iterable[dns.message.Message]:
    """No answer, ever."""
    return ()


def found(question: dns.message.Message, *, ttl_s: int = 60, record: str = RECORD) -> dns.message.Message:
    """An answer with one NAPTR record."""
    response = dns.message.make_response(question)
    response.answer.append(dns.rrset.from_text(question.question[0].name, ttl_s, "IN", "NAPTR", record))
    return response


def failed(
    question: dns.message.Message, rcode: dns.rcode.Rcode, *, soa_ttl_s: int | None = None
) -> dns.message.Message:
    """An answer without records; with an SOA record when `soa_ttl_s` is given."""
    response = dns.message.make_response(question)
    response.set_rcode(rcode)
    if soa_ttl_s is not None:
        soa = f"ns.example. host.example. 1 3600 600 86400 {soa_ttl_s}"
        response.authority.append(dns.rrset.from_text("arpa.", soa_ttl_s, "IN", "SOA", soa))
    return response
