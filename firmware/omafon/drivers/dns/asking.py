# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""One question, put to every name server until one answers, by UDP, TCP or TLS, with dnspython."""

import asyncio
import os
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import dns.asyncbackend
import dns.asyncquery
import dns.edns
import dns.exception
import dns.flags
import dns.inet
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype

from omafon.drivers.dns.reading import Contradiction, Said, read
from omafon.drivers.dns.servers import Server
from omafon.drivers.dns.tls import TlsConnection

EDNS_PAYLOAD = 1232
"""Octets that pass every network unfragmented; larger answers come by TCP (RFC 9715)."""

PADDED_TO = 128
"""A question inside TLS is as long as any other (RFC 8467 section 4.1)."""

RETRY_S = 0.25
"""After so long another question goes out, and the first is not given up."""

ROUNDS = 3
"""How often each name server is asked."""

PATIENCE_S = 3.0
"""An answer that comes later than the call could wait for is still kept for the next one."""

_Question = tuple[dns.name.Name, dns.rdatatype.RdataType, bool]


class Unanswered(Exception):
    """No name server gave a usable answer. `spoke` when at least one sent an answer at all."""

    def __init__(self, troubles: Sequence[str], *, spoke: bool) -> None:
        super().__init__("; ".join(troubles))
        self.spoke = spoke


@dataclass(frozen=True, slots=True)
class _Trouble:
    what: str
    spoke: bool


class NameServers:
    """Puts questions to the servers that `current` gives. Names are absolute, and no search list is applied.

    `heard_at` is the loop's time when last any of them sent anything.
    """

    def __init__(self, current: Callable[[], tuple[Server, ...]], context: ssl.SSLContext | None) -> None:
        self._current = current
        self._context = context
        self._connections: dict[Server, TlsConnection] = {}
        self._asked: dict[_Question, asyncio.Task[Said]] = {}
        self.heard_at = float("-inf")

    async def ask(self, name: dns.name.Name, rdtype: dns.rdatatype.RdataType, *, signed: bool) -> Said:
        """What the first server says that gives a usable answer; `signed`: with its signatures. Raises Unanswered.

        The question is not taken back when the one who waits is cancelled; who asks the same meanwhile waits along.
        """
        question = (name, rdtype, signed)
        task = self._asked.get(question)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._race(question), name=f"question for {name}")
            self._asked[question] = task
            task.add_done_callback(lambda done: self._answered(question, done))
        return await asyncio.shield(task)

    def close(self) -> None:
        """Give up what is still asked. The sockets are closed once the loop has gone round."""
        for task in self._asked.values():
            task.cancel()
        for connection in self._connections.values():
            connection.close()

    def _answered(self, question: _Question, task: asyncio.Task[Said]) -> None:
        self._asked.pop(question, None)
        if not task.cancelled():
            task.exception()  # seen, also when nobody waits for it any more

    async def _race(self, question: _Question) -> Said:
        servers = self._current()
        turns = iter(servers * ROUNDS)
        troubles: dict[Server, _Trouble] = {}
        waiting: set[asyncio.Task[tuple[Server, Said | _Trouble]]] = set()
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + PATIENCE_S
        try:
            while len(troubles) < len(servers) and loop.time() < ends_at:
                server = next((turn for turn in turns if turn not in troubles), None)
                if server is not None:
                    waiting.add(loop.create_task(self._ask(server, question)))
                patience_s = RETRY_S if server is not None else ends_at - loop.time()
                done, waiting = await asyncio.wait(waiting, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    server, said = task.result()
                    if isinstance(said, Said):
                        return said
                    troubles[server] = said
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        whats = [trouble.what for trouble in troubles.values()]
        if not servers:
            whats = ["no name server is known"]
        raise Unanswered(whats or ["no answer"], spoke=any(trouble.spoke for trouble in troubles.values()))

    async def _ask(self, server: Server, question: _Question) -> tuple[Server, Said | _Trouble]:
        """One question to one server. No time limit of its own."""
        try:
            response = await self._respond(server, question, edns=True)
            if response.rcode() in (dns.rcode.FORMERR, dns.rcode.NOTIMP):
                # It may be older than EDNS (RFC 6891 section 7).
                response = await self._respond(server, question, edns=False)
        except OSError as error:
            if isinstance(error, ssl.SSLCertVerificationError):
                what = f"its certificate is not good for {server.certified}: {error.verify_message}"
            else:
                what = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
            return server, _Trouble(f"{server}: {what}", spoke=False)
        except (EOFError, dns.exception.DNSException) as error:
            self.heard_at = asyncio.get_running_loop().time()
            return server, _Trouble(f"{server}: {error}", spoke=True)
        self.heard_at = asyncio.get_running_loop().time()
        if response.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            return server, _Trouble(f"{server}: {_rcode_in_words(response)}", spoke=True)
        try:
            return server, read(response)
        except Contradiction as error:
            return server, _Trouble(f"{server}: {error}", spoke=True)

    async def _respond(self, server: Server, question: _Question, *, edns: bool) -> dns.message.Message:
        name, rdtype, signed = question
        query = dns.message.make_query(name, rdtype)
        if edns:
            query.use_edns(payload=EDNS_PAYLOAD, pad=PADDED_TO if server.certified is not None else 0)
            query.want_dnssec(signed)
        if signed:
            # We judge ourselves, and want to see what a validating resolver would hold back (RFC 6840 section 5.9).
            query.flags |= dns.flags.CD
        if server.certified is not None:
            return await self._connection(server).ask(query)
        try:
            return await _by_udp(query, server)
        except dns.message.Truncated:
            return await dns.asyncquery.tcp(query, server.address, port=server.port)

    def _connection(self, server: Server) -> TlsConnection:
        assert self._context is not None
        if server not in self._connections:
            self._connections[server] = TlsConnection(server, self._context)
        return self._connections[server]


async def _by_udp(query: dns.message.Message, server: Server) -> dns.message.Message:
    """Ask from a connected socket: a server that is not there is known at once, and only it can answer.

    Answers that do not fit the question are passed over, for they may be forged.
    """
    family = dns.inet.af_for_address(server.address)
    backend = dns.asyncbackend.get_backend("asyncio")
    # dnspython declares no types here.
    endpoint = backend.make_socket(family, socket.SOCK_DGRAM, 0, None, (server.address, server.port))  # type: ignore[no-untyped-call]
    async with await endpoint as connected:
        return await dns.asyncquery.udp(
            query, server.address, port=server.port, sock=connected, raise_on_truncation=True, ignore_errors=True
        )


def _rcode_in_words(response: dns.message.Message) -> str:
    """The response code with what the server says about it (RFC 8914)."""
    extended = [option for option in response.options if isinstance(option, dns.edns.EDEOption)]
    words = [option.text or option.code.name.replace("_", " ").lower() for option in extended]
    return ", ".join([dns.rcode.to_text(response.rcode()), *words])
