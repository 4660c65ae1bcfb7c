# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The family's own way in and out: TLS between two phones that know each other's certificates, and nobody between.

No authority vouches for a certificate here and no name stands in it: what TLS proves is that the far end holds the
key, and the SHA-256 of the certificate says whose that is (a pin). It is looked at before anything is sent or read.
"""

import errno
import json
import logging
import re
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

import pjsua2 as pj

from omafon.config import SipConfig
from omafon.core.actions import AskMember, CallMember, GreetMember
from omafon.core.causes import Cause
from omafon.core.events import (
    CallEnded,
    CallId,
    DriverFailed,
    DriverRecovered,
    MemberParted,
    MemberReached,
    MemberSilent,
    MemberSpoke,
)
from omafon.core.events import Driver as DriverName
from omafon.core.family import Family
from omafon.core.memory import MOST_ADDRESSES, Address, Reach
from omafon.drivers.sip.accounts import Account, Ring
from omafon.drivers.sip.callback import describe, guarded
from omafon.drivers.sip.calls import Leg
from omafon.drivers.sip.engine import Engine, bracketed
from omafon.identity import Identity, IdentityBroken, fingerprint
from omafon.interfaces import Post

log = logging.getLogger("omafon.sip")

NEWS = "application/omafon+json"
LONGEST_NEWS = 2048

# The next address is asked while the one before still may answer (RFC 8305 section 5): a dead one costs so much.
STAGGER_S = 0.25
# What a handshake may take over a slow line, and after which nobody will answer any more.
HANDSHAKE_MS = 5000
SILENT_AFTER_S = 6.0
# Who is called may still be found on the local network when all its addresses have failed.
LOOK_S = 1.5
# A connection that was there already and brings no answer for so long is dead, and another is tried.
DEAD_AFTER_S = 1.0
MOST_CONNECTIONS = 4  # of one member
OPEN_AGAIN_S = 10.0

PlaceCall = Callable[[CallId, str, Account, str], None]
"""Sends the INVITE of a call to a URI, by an account, from a URI."""


class FamilyAccount(Account):
    """Us, for members of the family: by TLS on one version of IP, and never without SRTP."""

    tls = True
    family = True

    def __init__(self, ring: Ring, family: "FamilyWay") -> None:
        super().__init__(ring)
        self._family = family

    @guarded
    def onInstantMessage(self, prm: Any) -> None:  # noqa: N802
        answer = pj.SendResponseParam()
        answer.deferredResponse = pj.DeferredResponse(prm)
        answer.code, answer.reason = self._family.told(prm)
        self.sendResponse(answer)

    @guarded
    def onSendRequest(self, prm: Any) -> None:  # noqa: N802
        transaction = prm.e.body.tsxState.tsx
        self._family.answered(transaction.lastTx.wholeMsg, transaction.statusCode)


@dataclass(frozen=True, slots=True)
class _Connection:
    """A TLS connection to the member of `certificate`, from our address `local`; `transport` is the engine's handle.

    `came` is whether the member opened it: perhaps there is no other way to it through its router.
    """

    certificate: str
    transport: int
    local: str
    came: bool


@dataclass(frozen=True, slots=True)
class _Dialog:
    """A call with a member: the engine's handle, its account, and the handle of the connection it goes by."""

    handle: int
    account: int
    transport: int


@dataclass(slots=True)
class _Search:
    """Where a member answers: all places are asked, the best first, and the first that answers has won.

    A place is 'address:port'; one without an Address is the other end of a connection that the member has opened.
    `again` are those that were asked by a connection that was there, until when that is given time.
    """

    certificate: str
    left: deque[tuple[Address | None, str]]
    names: int
    next_at: float
    until: float
    not_before: float
    call: CallId | None = None
    asked: dict[str, Address | None] = field(default_factory=dict)
    open: set[str] = field(default_factory=set)
    again: dict[str, float] = field(default_factory=dict)


class FamilyWay:
    """Transports, accounts and pins of the family. All of it on the engine's thread.

    Nothing listens while there is no member. `place` sends an INVITE once it is known where the member answers.
    """

    def __init__(
        self,
        engine: Engine,
        post: Post,
        ring: Ring,
        sip: SipConfig,
        port: int,
        identity: Callable[[], Identity],
        configuration: Callable[[str, int], Any],
        place: PlaceCall,
    ) -> None:
        self._engine = engine
        self._post = post
        self._ring = ring
        self._sip = sip
        self._port = port
        self._read_identity = identity
        self._identity: Identity | None = None
        self._configuration = configuration
        self._place = place
        self._family = Family()
        self._transports: dict[int, int] = {}
        self._accounts: dict[int, FamilyAccount] = {}
        self._expected: dict[str, str] = {}
        self._connections: dict[str, _Connection] = {}
        self._dialogs: dict[CallId, _Dialog] = {}
        self._searches: list[_Search] = []
        self._resolved: deque[tuple[_Search, Address, tuple[str, ...]]] = deque()
        self._open_at: float | None = None
        self._failed = False
        engine.connected = self._connected
        engine.disconnected = self._disconnected

    def be(self, family: Family, now: float) -> None:
        """Know these members from now on, and no others."""
        if family.own != self._family.own:
            self.leave_dead_connections()
        gone = set(self._family.certificates) - set(family.certificates)
        self._family = family
        for source, connection in tuple(self._connections.items()):
            if connection.certificate in gone:
                log.info("family: %s is no member any more", source)
                self._drop(source)
        self._searches = [search for search in self._searches if search.certificate not in gone]
        if family.members and not self._accounts:
            self._open_at = now
            self._open(now)
        elif not family.members:
            self._open_at = None
            self._shut()

    def leave_dead_connections(self) -> None:
        """Use none any more that began at an address which is not ours now: nothing comes through, and nobody says."""
        for place, connection in tuple(self._connections.items()):
            if not _is_ours(connection.local):
                self._drop(place)

    def select(self, account: int, source: str) -> int | None:
        """The account for a request from `source` where the engine would take `account`; None for one of no member.

        The engine takes ours only for what came by TLS and is meant for us; nothing else can say so of itself.
        """
        if any(own.getId() == account for own in self._accounts.values()) and self.certificate(source):
            return account
        return None

    def certificate(self, source: str) -> str:
        """The pin that what comes from `source`, 'address:port', was proven to belong to; empty for none."""
        found = self._connections.get(source)
        return found.certificate if found is not None and found.certificate in self._family.certificates else ""

    def call(self, action: CallMember, now: float) -> None:
        """Find the member and call it; CallEnded comes back when it answers nowhere."""
        self._search(action.certificate, action.addresses, now, action.call)

    def greet(self, action: GreetMember, now: float) -> None:
        """Tell the member where we are; MemberReached or MemberSilent comes back."""
        self._search(action.certificate, action.addresses, now)

    def ask(self, action: AskMember) -> None:
        """Look here too, and first, for whom we are looking."""
        for search in self._searches:
            if search.certificate == action.certificate:
                search.left.extendleft((at, _place(at.host, at.port)) for at in reversed(action.addresses))

    def give_up(self, call: CallId) -> bool:
        """Look for nobody any more because of `call`; whether it was looked for."""
        found = [search for search in self._searches if search.call == call]
        self._searches = [search for search in self._searches if search.call != call]
        return bool(found)

    def settle(self, now: float) -> None:
        if self._open_at is not None and now >= self._open_at:
            self._open(now)
        while self._resolved:
            search, address, hosts = self._resolved.popleft()
            search.names -= 1
            search.left.extendleft((address, _place(host, address.port)) for host in reversed(hosts))
            search.until = now + SILENT_AFTER_S
        for search in tuple(self._searches):
            # An address that has failed already makes room for the next at once.
            while search.left and (now >= search.next_at or not search.open):
                search.next_at = now + STAGGER_S
                search.until = now + SILENT_AFTER_S
                self._ask(search, *search.left.popleft(), now)
            for place in [place for place, until in search.again.items() if now >= until]:
                self._ask_again(search, place, now)
            exhausted = now >= search.not_before and not search.open and not search.left and not search.names
            if search in self._searches and (exhausted or now >= search.until):
                self._searches.remove(search)
                self._missed(search)

    def close(self) -> None:
        """Delete the accounts. Their calls must be over."""
        self._searches.clear()
        for place in tuple(self._connections):
            self._drop(place)
        for account in self._accounts.values():
            account.shutdown()
        self._accounts.clear()

    # Finding somebody.

    def _search(self, certificate: str, addresses: Iterable[Address], now: float, call: CallId | None = None) -> None:
        not_before = now + LOOK_S if call is not None else now
        search = _Search(certificate, deque(), 0, now, now + SILENT_AFTER_S, not_before, call)
        for place, connection in reversed(self._connections.items()):
            if connection.came and connection.certificate == certificate:
                search.left.append((None, place))
        for address in addresses:
            if address.kind is not Reach.NAME:
                search.left.append((address, _place(address.host, address.port)))
                continue
            search.names += 1
            # With the C library, whose name servers may be dead: not on the engine's thread.
            threading.Thread(target=self._resolve, args=(search, address), name="family name", daemon=True).start()
        self._searches.append(search)
        self.settle(now)

    def _resolve(self, search: _Search, address: Address) -> None:
        try:
            found = socket.getaddrinfo(address.host, address.port, proto=socket.IPPROTO_TCP)
        except OSError:
            found = []
        hosts = tuple(dict.fromkeys(str(entry[4][0]) for entry in found))
        # A deque's ends are safe to use from several threads.
        self._resolved.append((search, address, hosts))

    def _ask(self, search: _Search, address: Address | None, place: str, now: float) -> None:
        """Send our news to a member at one of its places; `answered` tells whether it is there."""
        account = self._account(place)
        if account is None or place in search.asked:
            return
        live = self._connections.get(place)
        if live is not None and live.certificate != search.certificate:
            return
        if live is not None and address is not None:
            search.again[place] = now + DEAD_AFTER_S
        search.asked[place] = address
        search.open.add(place)
        self._expected[place] = search.certificate
        request = pj.SendRequestParam()
        request.method = "MESSAGE"
        request.txOption.targetUri = self._uri(search.certificate, place)
        request.txOption.contentType = NEWS
        request.txOption.msgBody = self._news()
        try:
            account.sendRequest(request)
        except pj.Error as error:
            log.debug("family: %s is not reached: %s", place, describe(error))
            search.open.discard(place)

    def _ask_again(self, search: _Search, place: str, now: float) -> None:
        """Ask at a place by a new connection: the one there was is dead."""
        del search.again[place]
        search.open.discard(place)
        self._drop(place)
        self._ask(search, search.asked.pop(place), place, now)

    def answered(self, request: str, status: int) -> None:
        """A member, or nobody, has answered our news."""
        found = re.match(r"MESSAGE sip:[^@\s]+@([^;\s]+)", request)
        place = found[1] if found else ""
        for search in tuple(self._searches):
            if place not in search.open:
                continue
            if 200 <= status < 300 and self.certificate(place) == search.certificate:
                self._searches.remove(search)
                self._found(search, place)
            elif place in search.again:
                search.again[place] = 0.0
            else:
                search.open.discard(place)

    def _found(self, search: _Search, place: str) -> None:
        address = search.asked[place]
        self._post(MemberReached(search.certificate, address))
        if search.call is None:
            return
        host = place.rpartition(":")[0]
        account = self._account(place)
        if account is None or self._identity is None:
            self._missed(search)
            return
        own = f"sip:{self._identity.id}@{self._engine.own_address(host)}:{self._port};transport=tls"
        self._place(search.call, self._uri(search.certificate, place), account, own)

    def _missed(self, search: _Search) -> None:
        if search.call is None:
            self._post(MemberSilent(search.certificate))
        else:
            self._post(CallEnded(search.call, Cause.UNREACHABLE))

    def _account(self, place: str) -> FamilyAccount | None:
        return self._accounts.get(ip_address(place.rpartition(":")[0].strip("[]")).version)

    def _uri(self, certificate: str, place: str) -> str:
        return f"sip:{self._family.id_of(certificate)}@{place};transport=tls"

    # News.

    def _news(self) -> str:
        addresses = [[address.host, address.port, address.kind.value] for address in self._family.own]
        return json.dumps({"addresses": addresses}, separators=(",", ":"))

    def told(self, prm: Any) -> tuple[int, str]:
        """A member tells where it is; returns SIP's answer."""
        certificate = self.certificate(prm.rdata.srcAddress)
        if not certificate:
            return 403, "Forbidden"
        addresses = read_news(prm.msgBody) if prm.contentType == NEWS else None
        if addresses is None:
            return 415, "Unsupported Media Type"
        source = prm.rdata.srcAddress.rpartition(":")[0].strip("[]")
        for search in self._searches:
            # It has moved while it is looked for.
            if search.certificate == certificate:
                search.left.extend((at, _place(at.host, at.port)) for at in addresses if at.kind is not Reach.NAME)
        self._post(MemberSpoke(certificate, addresses, source))
        return 200, "OK"

    # Connections.

    def _connected(self, transport: int, tls: Any) -> bool:
        """Whether a connection that TLS has set up may be used; nothing was sent or read by it yet."""
        came_here = tls.localAddr.rpartition(":")[2] == str(self._port)
        if not came_here and tls.remoteAddr not in self._expected and not tls.verifyStatus:
            # A line's: who it leads to was verified by the authorities.
            return True
        place, found = tls.remoteAddr, pin(tls.remoteCertInfo.raw)
        if found not in self._family.certificates or self._expected.get(place, found) != found:
            log.warning("family: whoever is at %s is not who is expected there", place)
            return False
        others = [at for at, other in self._connections.items() if other.certificate == found]
        for at in {place, *others[: -(MOST_CONNECTIONS - 1)]} & self._connections.keys():
            self._drop(at)
        local = tls.localAddr.rpartition(":")[0].strip("[]")
        self._connections[place] = _Connection(found, transport, local, came_here)
        # Kept open, for who is behind a router can be reached by nothing else; the engine would close it after 33 s.
        self._engine.keep(transport)
        return True

    def _disconnected(self, transport: int) -> None:
        for place, connection in tuple(self._connections.items()):
            if connection.transport == transport:
                self._forget(place)
                self._engine.release(transport)
                self._post(MemberParted(connection.certificate))

    def _drop(self, place: str) -> None:
        """Close a connection that we do not want any more."""
        if place in self._connections:
            connection = self._forget(place)
            self._engine.shut(connection.transport)
            self._engine.release(connection.transport)

    def _forget(self, place: str) -> _Connection:
        """Send nothing by it any more. It is still ours to release."""
        connection = self._connections.pop(place)
        for call, dialog in tuple(self._dialogs.items()):
            if dialog.transport == connection.transport:
                del self._dialogs[call]
                self._engine.send_by(dialog.handle, dialog.account, None)
        return connection

    # Calls.

    def heard(self, leg: Leg, transaction: Any, received: Any) -> None:
        """A member says something in a call: all we say in it goes by the same connection from now on.

        To the address it says to be at we might find no way, and after a change of address nobody, or somebody else.
        """
        connection = self._connections.get(received.srcAddress)
        dialog = self._engine.dialog(transaction)
        if connection is None or not dialog:
            return
        contact = re.search(r"(?mi)^Contact\s*:[^\r\n]*<sips?:[^@>\s]+@([^;>\s]+)", received.wholeMsg)
        if contact is not None:
            self._expected[contact[1]] = connection.certificate
        known = self._dialogs.get(leg.call)
        if known is None or known.transport != connection.transport:
            self._dialogs[leg.call] = _Dialog(dialog, leg.account, connection.transport)
            self._engine.send_by(dialog, leg.account, connection.transport)

    def call_ended(self, call: CallId) -> None:
        self._dialogs.pop(call, None)

    # Listening.

    def _open(self, now: float) -> None:
        try:
            identity = self._identity = self._identity or self._read_identity()
        except (OSError, IdentityBroken) as error:
            self._fails(f"this phone's own certificate cannot be read: {error}", now)
            return
        address = self._sip.address
        for version in [ip_address(address).version] if address else [4, 6]:
            if version in self._accounts:
                continue
            try:
                self._accounts[version] = self._listen(version, identity)
            except pj.Error as error:
                if version == 6 and not address:
                    log.info("family: no IPv6 here: %s", describe(error))
                    continue
                self._fails(f"cannot listen for the family on port {self._port}: {error.reason}", now)
                return
        self._open_at = None
        if self._failed:
            self._failed = False
            self._post(DriverRecovered(DriverName.FAMILY))

    def _fails(self, why: str, now: float) -> None:
        self._open_at = now + OPEN_AGAIN_S
        if not self._failed:
            self._failed = True
            self._post(DriverFailed(DriverName.FAMILY, why))

    def _listen(self, version: int, identity: Identity) -> FamilyAccount:
        transport = self._transports.get(version)
        if transport is None:
            config = pj.TransportConfig()
            config.boundAddress, config.port = self._sip.address, self._port
            tls = config.tlsConfig
            tls.certFile = tls.privKeyFile = str(identity.file)
            # The pin is what is verified, by us: no authority knows these certificates.
            tls.verifyServer = tls.verifyClient = False
            tls.requireClientCert = True
            tls.proto = pj.PJ_SSL_SOCK_PROTO_TLS1_3
            tls.msecTimeout = HANDSHAKE_MS
            kind = pj.PJSIP_TRANSPORT_TLS6 if version == 6 else pj.PJSIP_TRANSPORT_TLS
            transport = self._transports[version] = self._engine.transportCreate(kind, config)
        account = FamilyAccount(self._ring, self)
        settings = self._configuration(f"<sip:{identity.id}@omafon.invalid>", version)
        settings.sipConfig.transportId = transport
        account.create(settings)
        return account

    def _shut(self) -> None:
        for account in self._accounts.values():
            account.shutdown()
        self._accounts.clear()
        for place in tuple(self._connections):
            self._drop(place)
        self._expected.clear()
        for transport in self._transports.values():
            self._engine.transportClose(transport)
        self._transports.clear()


def _place(host: str, port: int) -> str:
    """As the engine writes it."""
    return f"{bracketed(host)}:{port}"


def _is_ours(address: str) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError as error:
            return error.errno != errno.EADDRNOTAVAIL
    return True


def pin(certificate: str) -> str:
    """The SHA-256, in hex, of a certificate in PEM; empty when it is none."""
    try:
        return fingerprint(ssl.PEM_cert_to_DER_cert(certificate.strip()))
    except ValueError:
        return ""


def read_news(text: str) -> tuple[Address, ...] | None:
    """The addresses that a member says it has; None when that is not what it said.

    >>> read_news('{"addresses":[["192.0.2.7",5061,"lan"]]}')
    (Address(host='192.0.2.7', port=5061, kind=<Reach.LAN: 'lan'>, last_worked=0.0),)
    >>> read_news('{"addresses":[["192.0.2.7;x",5061,"lan"]]}')
    """
    try:
        told = json.loads(text) if len(text) <= LONGEST_NEWS else {}
        return tuple(_address(*entry) for entry in told["addresses"][:MOST_ADDRESSES])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _address(host: object, port: object, kind: object) -> Address:
    """Raises ValueError for what is none."""
    if not isinstance(host, str) or type(port) is not int or not 0 < port < 65_536:
        raise ValueError(host)
    reach = Reach(str(kind))
    if reach is not Reach.NAME:
        ip_address(host)
    elif not re.fullmatch(r"(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?", host):
        raise ValueError(host)
    return Address(host, port, reach)
