# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A name server for the little world of the simulator: one ENUM zone with a handful of numbers, over UDP."""

import asyncio
from collections.abc import Mapping
from typing import cast

import dns.e164
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset


class Directory(asyncio.DatagramProtocol):
    """Answers NAPTR questions about `numbers` (E.164 to SIP URI) below `suffix`; everything else does not exist."""

    def __init__(self, suffix: str, numbers: Mapping[str, str]) -> None:
        self._records = {
            dns.e164.from_e164(number, dns.name.from_text(suffix)): f'100 10 "u" "E2U+sip" "!^.*$!{uri}!" .'
            for number, uri in numbers.items()
        }
        self._transport: asyncio.DatagramTransport | None = None

    async def open(self) -> str:
        """Serve on a port of 127.0.0.1 that the system chooses; returns 'ADDR:PORT'."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, ("127.0.0.1", 0))
        host, port = self._transport.get_extra_info("sockname")
        return f"{host}:{port}"

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        try:
            query = dns.message.from_wire(data)
        except dns.exception.DNSException:
            return
        assert self._transport is not None
        self._transport.sendto(self._answer(query).to_wire(), addr)

    def _answer(self, query: dns.message.Message) -> dns.message.Message:
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.AA
        question = query.question[0] if query.question else None
        record = self._records.get(question.name) if question is not None else None
        if question is None or record is None:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif question.rdtype == dns.rdatatype.NAPTR:
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", "NAPTR", record))
        return answer
