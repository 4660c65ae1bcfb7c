# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A call, in each of its states, carrying only what is true in it."""

from dataclasses import dataclass, field
from ipaddress import ip_address

from omafon.core.dialplan import E164, SipUri
from omafon.core.events import CallId, DnsError, LookupId
from omafon.core.memory import Direction, Tried
from omafon.core.naptr import Service
from omafon.core.settings import Route


@dataclass(frozen=True, slots=True)
class Peer:
    """The person at the other end: `number` as one would dial it, the SIP `uri`, the `name` from the phone book."""

    number: str = ""
    uri: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class ByUri:
    """Straight to a SIP URI, or through `line`."""

    uri: SipUri
    route: Route
    line: str | None = None
    secure_dns: bool | None = None


@dataclass(frozen=True, slots=True)
class ByEnum:
    """To whatever the ENUM trees name."""

    number: E164


@dataclass(frozen=True, slots=True)
class ByProvider:
    """Through the line that carries calls."""

    digits: str
    route: Route = Route.PROVIDER


@dataclass(frozen=True, slots=True)
class ByFamily:
    """Straight to the member of the family who has this certificate, wherever its phone is."""

    certificate: str


Way = ByUri | ByEnum | ByProvider | ByFamily


@dataclass(frozen=True, slots=True)
class Journey:
    """The ways that are left for an outgoing call, best first, those that were tried, and what the trees said."""

    ways: tuple[Way, ...] = ()
    tried: tuple[Tried, ...] = ()
    answers: tuple["TreeAnswer | None", ...] = ()


@dataclass(frozen=True, slots=True)
class TreeAnswer:
    """What one ENUM tree said of a number: its services in order, or the error it gave."""

    services: tuple[Service, ...] = ()
    error: DnsError | None = None
    secure: bool | None = None


@dataclass(frozen=True, slots=True)
class Resolving:
    """An outgoing call whose number is being looked up; `answers` holds one place a tree, None until it spoke."""

    id: CallId
    peer: Peer
    began: float
    number: E164
    lookup: LookupId
    answers: tuple[TreeAnswer | None, ...]
    until: float
    journey: Journey = field(default_factory=Journey)

    route = Route.ENUM
    direction = Direction.OUT


@dataclass(frozen=True, slots=True)
class Calling:
    """An INVITE is out, since `sent`.

    `trying` once the far host has said anything, `ringing` once the far end rings; `early_media` when the network
    sends its own tones.
    """

    id: CallId
    peer: Peer
    began: float
    route: Route
    line: str | None
    secure_dns: bool | None = None
    sent: float = 0.0
    trying: bool = False
    ringing: bool = False
    early_media: bool = False
    journey: Journey = field(default_factory=Journey)

    direction = Direction.OUT


@dataclass(frozen=True, slots=True)
class Ringing:
    """Somebody calls us and waits. `silenced`: the bell was turned off for this call."""

    id: CallId
    peer: Peer
    began: float
    route: Route
    line: str | None
    silenced: bool = False

    direction = Direction.IN


@dataclass(frozen=True, slots=True)
class InCall:
    """A conversation, `since` monotonic seconds. `far_hold`: the far end has put us on hold.

    `unasked`: the phone took it by itself.
    """

    id: CallId
    peer: Peer
    began: float
    route: Route
    line: str | None
    direction: Direction
    since: float
    codec: str = ""
    srtp: bool = False
    tls: bool = False
    secure_dns: bool | None = None
    far_hold: bool = False
    tried: tuple[Tried, ...] = ()
    unasked: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """A conversation we have put on hold."""

    talk: InCall

    @property
    def id(self) -> CallId:
        return self.talk.id

    @property
    def peer(self) -> Peer:
        return self.talk.peer

    @property
    def began(self) -> float:
        return self.talk.began

    @property
    def route(self) -> Route:
        return self.talk.route

    @property
    def direction(self) -> Direction:
        return self.talk.direction


Call = Resolving | Calling | Ringing | InCall | Held


def caller_number(uri: str) -> str:
    """The user part of a SIP URI when it looks like a telephone number, else an empty string.

    >>> caller_number("sip:+4930123456@example.net;user=phone")
    '+4930123456'
    >>> caller_number("sip:oma@example.net")
    ''
    """
    user = uri.partition(":")[2].partition("@")[0].partition(";")[0] if "@" in uri else ""
    digits = user.removeprefix("+")
    return user if digits.isascii() and digits.isdigit() else ""


def uri_host(uri: str) -> str:
    """The host of a SIP URI, without port and parameters; an IPv6 reference without its brackets.

    >>> uri_host("sip:oma@[2001:db8::7]:5062;transport=tcp")
    '2001:db8::7'
    >>> uri_host("sip:example.net:5070")
    'example.net'
    """
    rest = uri.partition(":")[2].rpartition("@")[2].partition(";")[0].partition("?")[0]
    if rest.startswith("["):
        return rest[1:].partition("]")[0].lower()
    return rest.partition(":")[0].lower()


def same_address(one: str, other: str) -> bool:
    """Whether two texts are the same IP address, however it is written; host names are none.

    >>> same_address("2001:DB8:0:0::7", "2001:db8::7"), same_address("oma.example", "oma.example")
    (True, False)
    """
    try:
        return ip_address(one) == ip_address(other)
    except ValueError:
        return False


def uri_port(uri: str) -> int:
    """The port of a SIP URI; that of its scheme and transport when it names none (RFC 3261 section 19.1.2).

    >>> uri_port("sip:oma@[2001:db8::7]:5062"), uri_port("sip:oma@example.net"), uri_port("sips:oma@example.net")
    (5062, 5060, 5061)
    """
    host = uri.partition(":")[2].rpartition("@")[2].partition(";")[0].partition("?")[0]
    port = host.rpartition("]")[2].partition(":")[2]
    if port.isascii() and port.isdigit():
        return int(port)
    return 5061 if uri.lower().startswith("sips:") or "transport=tls" in uri.lower() else 5060


def shown_uri(uri: SipUri | str) -> str:
    """A SIP URI as a person reads it: without scheme and parameters.

    >>> shown_uri("sip:oma@example.net;transport=tcp")
    'oma@example.net'
    """
    return str(uri).partition(":")[2].partition(";")[0].partition("?")[0]
