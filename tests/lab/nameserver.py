# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A name server that does what a test wants, misbehaviour included: for what no honest one can be made to do."""

import asyncio
import ssl
import struct
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Self

import dns.message
import dns.rcode
import dns.rrset

from tests.lab.certificates import Certificate

Answering = Callable[[dns.message.Message], Iterable[dns.message.Message | bytes]]
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
            self._transport.sendto(answer if isinstance(answer, bytes) else answer.to_wire(), addr)

    def connection_lost(self, exc: Exception | None) -> None:
        assert self._closed
        self._closed.set_result(None)


class TlsNameServer:
    """The same by TLS, on connections that it keeps until it `hangs_up`. `connections` counts them all."""

    def __init__(self, answering: Answering, certificate: Certificate) -> None:
        self._answering = answering
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(certificate.certificate, certificate.key)
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._gone = asyncio.Event()
        self.connections = 0
        self.asked: list[dns.message.Message] = []
        self.server = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context)
        self.server = f"tls://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        assert self._server
        self._server.close()
        await self.hangs_up()

    async def hangs_up(self) -> None:
        """End every connection, as servers do with idle ones, and wait until that is so."""
        for writer in self._open:
            writer.close()
        while self._open:
            self._gone.clear()
            await asyncio.wait_for(self._gone.wait(), 5.0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._open.add(writer)
        try:
            while True:
                (length,) = struct.unpack("!H", await reader.readexactly(2))
                question = dns.message.from_wire(await reader.readexactly(length))
                self.asked.append(question)
                for answer in self._answering(question):
                    wire = answer if isinstance(answer, bytes) else answer.to_wire()
                    writer.write(struct.pack("!H", len(wire)) + wire)
        except (asyncio.IncompleteReadError, OSError):
            writer.close()
        finally:
            self._open.discard(writer)
            self._gone.set()


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
