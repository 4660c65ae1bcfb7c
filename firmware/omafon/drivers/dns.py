# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Asks name servers for NAPTR records, on the loop, with dnspython; what they mean is the core's business."""

import asyncio
import ipaddress
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import dns.asyncbackend
import dns.asyncquery
import dns.edns
import dns.exception
import dns.inet
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
from dns.rdtypes.IN.NAPTR import NAPTR

from omafon.config import EnumConfig
from omafon.core.actions import Action, QueryNaptr
from omafon.core.dialplan import E164
from omafon.core.events import DnsError, Driver, DriverFailed, DriverRecovered, LookupFailed, NaptrReceived
from omafon.core.naptr import Followed, NaptrRecord, enum_domain, follow
from omafon.interfaces import DriverError, Post

EDNS_PAYLOAD = 1232
"""Octets that pass every network unfragmented; larger answers come by TCP (RFC 9715)."""

RETRY_S = 0.25
"""After so long another question goes out, and the first is not given up."""

ROUNDS = 3
"""How often each name server is asked within the budget."""

LONGEST_TTL_S = 86_400
LONGEST_NEGATIVE_TTL_S = 3 * 3600  # RFC 2308 section 5
CACHED_NAMES = 512

Server = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Lookup:
    """What a tree said about a number: records, or why there are none, with a `detail` for people.

    `followed` holds the answers of the names that records pointed to. `secure` is as DNSSEC proved it, None when
    it was not asked for.
    """

    records: tuple[NaptrRecord, ...] = ()
    followed: Followed = ()
    secure: bool | None = None
    error: DnsError | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class _Answer:
    records: tuple[NaptrRecord, ...] = ()
    error: DnsError | None = None
    detail: str = ""
    ttl_s: int = 0


class _Unanswered(Exception):
    """No name server gave a usable answer. `spoke` when at least one sent an answer at all."""

    def __init__(self, troubles: Sequence[str], *, spoke: bool) -> None:
        super().__init__("; ".join(troubles))
        self.spoke = spoke


@dataclass(frozen=True, slots=True)
class _Trouble:
    what: str
    spoke: bool


class DnsResolver:
    """The directory's door. Everything runs on the loop that calls it; `post` gets one event for each QueryNaptr.

    Names are absolute and no search list is applied, so no number leaks into a local domain. A tree that must be
    proven by DNSSEC is not asked as long as nothing here can prove it: LookupFailed says UNPROVEN.
    """

    def __init__(self, post: Post, enum: EnumConfig, *, resolv_conf: Path = Path("/etc/resolv.conf")) -> None:
        self._post = post
        self._enum = enum
        self._budget_s = enum.budget_ms / 1000
        self._required = {_suffix(tree) for tree, policy in enum.dnssec.items() if policy == "require"}
        self._servers: tuple[Server, ...] = ()
        self._resolv_conf = resolv_conf
        self._read_at: int | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._cache: dict[str, tuple[float, _Answer]] = {}
        self._failed = False

    def open(self) -> None:
        """Raises DriverError when a tree is no domain name or a server no address."""
        self._servers = tuple(parse_server(server) for server in self._enum.servers)
        for tree in self._enum.trees:
            try:
                dns.name.from_text(enum_domain(E164("+" + 15 * "9"), tree))
            except dns.exception.DNSException as error:
                raise DriverError(
                    f"the ENUM tree {tree!r} is not a domain name", "Write it as in e164.arpa."
                ) from error

    def close(self) -> None:
        """Give up what is still asked. The sockets are closed once the loop has gone round."""
        for task in self._tasks:
            task.cancel()

    def perform(self, action: Action) -> None:
        if isinstance(action, QueryNaptr):
            task = asyncio.get_running_loop().create_task(self._answer(action), name=f"lookup {action.lookup}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def requires_proof(self, tree: str) -> bool:
        """Whether the owner accepts from `tree` only what DNSSEC proves."""
        return _suffix(tree) in self._required

    async def lookup(self, tree: str, number: E164) -> Lookup:
        """What `tree` says about `number`, the names it points to included, within the budget. Never raises."""
        name = enum_domain(number, tree)
        answer = _Answer(error=DnsError.TIMEOUT, detail=f"no answer within {self._enum.budget_ms} ms")
        followed: Followed = ()
        try:
            async with asyncio.timeout(self._budget_s):
                answer = await self._naptr(name)
                while names := follow(answer.records, name=name, followed=followed):
                    answers = await asyncio.gather(*map(self._naptr, names))
                    followed += tuple(zip(names, (found.records for found in answers), strict=True))
        except TimeoutError:
            followed += tuple((late, None) for late in follow(answer.records, name=name, followed=followed))
        return Lookup(answer.records, followed, None, answer.error, answer.detail)

    async def _answer(self, action: QueryNaptr) -> None:
        if self.requires_proof(action.tree):
            self._post(LookupFailed(action.lookup, action.tree, DnsError.UNPROVEN))
            return
        found = await self.lookup(action.tree, action.number)
        if found.error is not None:
            self._post(LookupFailed(action.lookup, action.tree, found.error))
        else:
            self._post(NaptrReceived(action.lookup, action.tree, found.records, found.secure, found.followed))

    # One name.

    async def _naptr(self, name: str) -> _Answer:
        """The records at `name`, from the cache while they live (RFC 2308 for those that do not exist)."""
        now = asyncio.get_running_loop().time()
        key = name.lower()
        expires, answer = self._cache.get(key, (now, _Answer()))
        if now < expires:
            return answer
        try:
            answer = _read(await self._exchange(dns.name.from_text(name)))
        except _Unanswered as error:
            return _Answer(error=DnsError.SERVFAIL if error.spoke else DnsError.TIMEOUT, detail=str(error))
        except dns.exception.DNSException as error:
            return _Answer(error=DnsError.SERVFAIL, detail=str(error))
        if answer.ttl_s:
            self._cache.pop(key, None)
            while len(self._cache) >= CACHED_NAMES:
                self._cache.pop(next(iter(self._cache)))
            self._cache[key] = (now + answer.ttl_s, answer)
        return answer

    async def _exchange(self, name: dns.name.Name) -> dns.message.QueryMessage:
        """The first usable answer of any server; raises _Unanswered when every server has refused one."""
        servers = self._current_servers()
        turns = iter(servers * ROUNDS)
        troubles: dict[Server, _Trouble] = {}
        waiting: set[asyncio.Task[tuple[Server, dns.message.QueryMessage | _Trouble]]] = set()
        try:
            while len(troubles) < len(servers):
                server = next((turn for turn in turns if turn not in troubles), None)
                if server is not None:
                    waiting.add(asyncio.get_running_loop().create_task(_ask(server, name)))
                done, waiting = await asyncio.wait(
                    waiting, timeout=RETRY_S if server else None, return_when=asyncio.FIRST_COMPLETED
                )
                for task in done:
                    server, said = task.result()
                    if not isinstance(said, _Trouble):
                        return said
                    troubles[server] = said
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        whats = [trouble.what for trouble in troubles.values()] or ["no name server is known"]
        raise _Unanswered(whats, spoke=any(trouble.spoke for trouble in troubles.values()))

    def _current_servers(self) -> tuple[Server, ...]:
        """The owner's servers, or those the system uses now: a network that comes up later writes them anew."""
        if not self._enum.servers:
            try:
                written = self._resolv_conf.stat().st_mtime_ns
                if written != self._read_at:
                    self._servers = _system_servers(self._resolv_conf)
                    self._read_at = written
            except OSError:
                self._servers, self._read_at = (), None
        if self._failed is bool(self._servers):
            self._failed = not self._servers
            what = DriverFailed(Driver.DNS, "no name server is known") if self._failed else DriverRecovered(Driver.DNS)
            self._post(what)
        return self._servers


def parse_server(text: str) -> Server:
    """Address and port of 'ADDR[:PORT]', an IPv6 address in brackets when a port follows; raises DriverError.

    >>> parse_server("192.0.2.1"), parse_server("[2001:db8::1]:5353")
    (('192.0.2.1', 53), ('2001:db8::1', 5353))
    """
    host, colon, port = text.rpartition(":")
    if not colon or (":" in host and not host.endswith("]")):
        host, port = text, "53"
    try:
        address = ipaddress.ip_address(host.removeprefix("[").removesuffix("]") if host.startswith("[") else host)
        if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            raise ValueError(port)
    except ValueError as error:
        raise DriverError(f"{text!r} is not an address of a name server", "Write it as in 192.0.2.1:53.") from error
    return str(address), int(port)


def _system_servers(resolv_conf: Path) -> tuple[Server, ...]:
    lines = (line.split() for line in resolv_conf.read_text(errors="replace").splitlines())
    addresses = [words[1] for words in lines if len(words) > 1 and words[0] == "nameserver"]
    return tuple((address, 53) for address in addresses if _is_address(address))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


async def _ask(server: Server, name: dns.name.Name) -> tuple[Server, dns.message.QueryMessage | _Trouble]:
    """One question to one server, by UDP and, when the answer does not fit, by TCP. No time limit of its own."""
    address, port = server
    where = f"{address} port {port}"
    query = dns.message.make_query(name, dns.rdatatype.NAPTR, use_edns=0, payload=EDNS_PAYLOAD)
    try:
        try:
            response = await _by_udp(query, server)
        except dns.message.Truncated:
            response = await dns.asyncquery.tcp(query, address, port=port)
    except OSError as error:
        return server, _Trouble(f"{where}: {os.strerror(error.errno) if error.errno else error}", spoke=False)
    except (EOFError, dns.exception.DNSException) as error:
        return server, _Trouble(f"{where}: {error}", spoke=True)
    if response.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        return server, _Trouble(f"{where}: {_rcode_in_words(response)}", spoke=True)
    return server, cast(dns.message.QueryMessage, response)


async def _by_udp(query: dns.message.Message, server: Server) -> dns.message.Message:
    """Ask from a connected socket: a server that is not there is known at once, and only it can answer.

    Answers that do not fit the question are passed over, for they may be forged.
    """
    family = dns.inet.af_for_address(server[0])
    backend = dns.asyncbackend.get_backend("asyncio")
    # dnspython declares no types here.
    endpoint = backend.make_socket(family, socket.SOCK_DGRAM, 0, None, server)  # type: ignore[no-untyped-call]
    async with await endpoint as connected:
        return await dns.asyncquery.udp(
            query, server[0], port=server[1], sock=connected, raise_on_truncation=True, ignore_errors=True
        )


def _rcode_in_words(response: dns.message.Message) -> str:
    """The response code with what the server says about it (RFC 8914)."""
    extended = [option for option in response.options if isinstance(option, dns.edns.EDEOption)]
    words = [option.text or option.code.name.replace("_", " ").lower() for option in extended]
    return ", ".join([dns.rcode.to_text(response.rcode()), *words])


def _read(response: dns.message.QueryMessage) -> _Answer:
    """The records of an answer, aliases followed; raises DNSException when it contradicts itself."""
    chain = response.resolve_chaining()
    if chain.answer is not None:
        records = tuple(_record(cast(NAPTR, rdata)) for rdata in chain.answer)
        return _Answer(records, ttl_s=min(chain.minimum_ttl, LONGEST_TTL_S))
    types = {rrset.rdtype for rrset in response.authority}
    if response.rcode() == dns.rcode.NOERROR and dns.rdatatype.SOA not in types and dns.rdatatype.NS in types:
        return _Answer(error=DnsError.SERVFAIL, detail="the name server refers to others instead of answering")
    error = DnsError.NXDOMAIN if response.rcode() == dns.rcode.NXDOMAIN else DnsError.NODATA
    # Without an SOA nobody said how long the name will not exist (RFC 2308 section 5).
    ttl_s = min(chain.minimum_ttl, LONGEST_NEGATIVE_TTL_S) if dns.rdatatype.SOA in types else 0
    return _Answer(error=error, ttl_s=ttl_s)


def _record(rdata: NAPTR) -> NaptrRecord:
    return NaptrRecord(
        rdata.order,
        rdata.preference,
        _text(rdata.flags),
        _text(rdata.service),
        _text(rdata.regexp),
        rdata.replacement.to_text(),
    )


def _text(octets: bytes) -> str:
    """The octets of a <character-string>: UTF-8 (RFC 3403 section 3), and never an error when they are not."""
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def _suffix(tree: str) -> str:
    return tree.strip(".").lower()
