# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""DNS over TLS on a connection that is kept (RFC 7858): a handshake costs more than a hundred questions."""

import asyncio
import secrets
import ssl
import struct

import dns.exception
import dns.message
import dns.query

from omafon.drivers.dns.servers import Server
from omafon.interfaces import DriverError

HANDSHAKE_S = 3.0


def tls_context(ca: str) -> ssl.SSLContext:
    """Trusts the system's authorities and those in the file `ca`, when there is one. Raises DriverError."""
    context = ssl.create_default_context()
    if ca:
        try:
            context.load_verify_locations(ca)
        except OSError as error:  # an ssl.SSLError is one
            raise DriverError(
                f"no certificates can be read from {ca}", "Check [enum] ca: it is a PEM file of authorities."
            ) from error
    return context


class TlsConnection:
    """Many questions at a time on one connection to `server`, made when it is needed and remade when it was lost."""

    def __init__(self, server: Server, context: ssl.SSLContext) -> None:
        self._server = server
        self._context = context
        self._opening = asyncio.Lock()
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._waiting: dict[int, asyncio.Future[dns.message.Message]] = {}

    async def ask(self, query: dns.message.Message) -> dns.message.Message:
        """The answer to `query`, whose id may be changed. Raises OSError and DNSException; has no time limit."""
        kept = self._writer is not None
        try:
            return await self._ask(query)
        except ConnectionError:
            # A server may close a connection that was idle just when it is used again.
            if not kept:
                raise
            return await self._ask(query)

    def close(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
        self._lose(ConnectionResetError("the connection was closed"))

    async def _ask(self, query: dns.message.Message) -> dns.message.Message:
        async with self._opening:
            if self._writer is None:
                await self._open()
        writer = self._writer
        if writer is None:
            raise ConnectionResetError("the connection was closed")
        while query.id in self._waiting:
            query.id = secrets.randbelow(65_536)
        answer: asyncio.Future[dns.message.Message] = asyncio.get_running_loop().create_future()
        self._waiting[query.id] = answer
        try:
            wire = query.to_wire()
            writer.write(struct.pack("!H", len(wire)) + wire)
            response = await answer
        finally:
            self._waiting.pop(query.id, None)
        if not query.is_response(response):
            raise dns.query.BadResponse
        return response

    async def _open(self) -> None:
        reader, self._writer = await asyncio.open_connection(
            self._server.address,
            self._server.port,
            ssl=self._context,
            server_hostname=self._server.certified,
            ssl_handshake_timeout=HANDSHAKE_S,
        )
        self._reading = asyncio.get_running_loop().create_task(self._read(reader), name=f"answers of {self._server}")

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while True:
                (length,) = struct.unpack("!H", await reader.readexactly(2))
                response = dns.message.from_wire(await reader.readexactly(length))
                waiting = self._waiting.get(response.id)
                if waiting is not None and not waiting.done():
                    waiting.set_result(response)
        except (OSError, asyncio.IncompleteReadError, dns.exception.DNSException) as error:
            self._lose(ConnectionResetError(str(error) or "the connection was closed"))

    def _lose(self, error: ConnectionError) -> None:
        if self._writer is not None:
            self._writer.transport.abort()
            self._writer = None
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(error)
