# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Somebody on the way to the name server, who may read and rewrite what passes."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import dns.asyncquery
import dns.flags
import dns.message
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

Rewriting = Callable[[dns.message.Message], dns.message.Message | None]
"""What becomes of an answer; None: it is lost."""


class Proxy(asyncio.DatagramProtocol):
    """Passes questions on to the name server at `address` port `port`, and its answers back as `rewriting` wants."""

    def __init__(self, address: str, port: int, rewriting: Rewriting) -> None:
        self._upstream = address, port
        self.rewriting = rewriting
        self.server = ""
        self._transport: asyncio.DatagramTransport | None = None
        self._closed: asyncio.Future[None] | None = None
        self._passing: set[asyncio.Task[None]] = set()

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
        for task in self._passing:
            task.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)
        self._transport.close()
        await self._closed

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        task = asyncio.get_running_loop().create_task(self._pass(dns.message.from_wire(data), addr))
        self._passing.add(task)
        task.add_done_callback(self._passing.discard)

    def connection_lost(self, exc: Exception | None) -> None:
        assert self._closed
        self._closed.set_result(None)

    async def _pass(self, question: dns.message.Message, addr: tuple[str | Any, int]) -> None:
        assert self._transport
        address, port = self._upstream
        answer = self.rewriting(await dns.asyncquery.tcp(question, address, port=port))
        if answer is not None:
            self._transport.sendto(answer.to_wire(), addr)


def unchanged(answer: dns.message.Message) -> dns.message.Message:
    return answer


def claiming_validity(answer: dns.message.Message) -> dns.message.Message:
    answer.flags |= dns.flags.AD
    return answer


def with_another_target(answer: dns.message.Message) -> dns.message.Message:
    """Leads callers to a thief, and says that all is validated."""
    for rrset in [rrset for rrset in answer.answer if rrset.rdtype == dns.rdatatype.NAPTR]:
        stolen = [rdata.to_text().replace("oma@", "thief@") for rdata in rrset]
        answer.answer.remove(rrset)
        answer.answer.append(dns.rrset.from_text(rrset.name, rrset.ttl, "IN", "NAPTR", *stolen))
    return claiming_validity(answer)


def without_signatures(answer: dns.message.Message) -> dns.message.Message:
    """What a router makes of an answer that knows nothing of DNSSEC."""
    kinds = {dns.rdatatype.RRSIG, dns.rdatatype.NSEC, dns.rdatatype.NSEC3}
    for section in (answer.answer, answer.authority):
        section[:] = [rrset for rrset in section if rrset.rdtype not in kinds]
    return answer


def asks_for(answer: dns.message.Message, *types: str) -> bool:
    return dns.rdatatype.to_text(answer.question[0].rdtype) in types
