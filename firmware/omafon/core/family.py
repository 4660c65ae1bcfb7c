# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What the call engine is told of the family, and what the phone knows of each member just now."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from ipaddress import ip_address

from omafon.core.memory import MOST_ADDRESSES, Address, Member, Reach

REMEMBERED_EVERY_S = 86_400.0

_BEST_FIRST = (Reach.LAN, Reach.IPV6, Reach.IPV4, Reach.NAME)


@dataclass(frozen=True, slots=True)
class Family:
    """A level: who is let in, each as (id, certificate), and where they may find us."""

    members: tuple[tuple[str, str], ...] = ()
    own: tuple[Address, ...] = ()

    @property
    def certificates(self) -> tuple[str, ...]:
        return tuple(certificate for _, certificate in self.members)

    def id_of(self, certificate: str) -> str:
        """The name that a member's phone is asked for by; empty for a stranger."""
        return next((id_ for id_, pin in self.members if pin == certificate), "")


@dataclass(frozen=True, slots=True)
class Bond:
    """How we stand with a member, in monotonic seconds.

    `greet_at` is when it is told next where we are, `asked` while its answer is awaited, `again` when we have moved
    meanwhile. `failed` counts the times in a row that it answered nowhere, the first of them at `since`. `nearby` is
    where it says to be on the local network: not proven, and so not remembered.
    """

    certificate: str
    greet_at: float
    asked: bool = False
    again: bool = False
    heard: bool = False
    failed: int = 0
    since: float = 0.0
    nearby: tuple[Address, ...] = ()

    @property
    def lost(self) -> bool:
        """Whether the other phone is out of reach: one silence may be a lost packet."""
        return self.failed >= 2


def reach_of(host: str) -> Reach:
    """What kind of address `host` is.

    >>> [reach_of(host).value for host in ("192.168.0.7", "fd00::7", "2001:db9::7", "93.184.216.34", "oma.example.org")]
    ['lan', 'lan', 'ipv6', 'ipv4', 'name']
    """
    try:
        address = ip_address(host)
    except ValueError:
        return Reach.NAME
    if address.version == 4:
        return Reach.LAN if address.is_private else Reach.IPV4
    private = address.is_private and not host.lower().startswith("2001:db8:")
    return Reach.LAN if private or address.is_link_local else Reach.IPV6


def best_first(addresses: Iterable[Address]) -> tuple[Address, ...]:
    """In the order they are tried: what worked last, then the nearest."""
    return tuple(sorted(addresses, key=lambda a: (-a.last_worked, _BEST_FIRST.index(a.kind), a.host, a.port)))


def ways(member: Member, nearby: tuple[Address, ...] = ()) -> tuple[Address, ...]:
    """Where to look for a member, in this order: where it was just seen, and where it was before."""
    places = {(address.host, address.port): address for address in (*nearby, *best_first(member.addresses))}
    return tuple(places.values())


def learned(member: Member, told: tuple[Address, ...], source: str) -> Member:
    """`member` after it said where it is, from `source`: that may be how a router shows it.

    What it does not name any more is kept only if it worked once, and while there is room.
    """
    known = {(address.host, address.port): address for address in member.addresses}
    fresh = {(address.host, address.port): address for address in told}
    if source and told and all(address.host != source for address in told):
        fresh[source, told[0].port] = Address(source, told[0].port, reach_of(source))
    worked = {place: known[place].last_worked for place in fresh if place in known}
    first = [replace(address, last_worked=worked.get(place, 0.0)) for place, address in fresh.items()]
    rest = [address for place, address in known.items() if place not in fresh and address.last_worked]
    kept = (*first, *best_first(rest))[:MOST_ADDRESSES]
    return replace(member, addresses=best_first(kept))


def worked(member: Member, address: Address, at: float) -> Member:
    """`member` after it answered at `address` at the Unix time `at`.

    What is remembered changes once a day at most while it goes on answering there: the memory card wears.
    """
    best = next(iter(best_first(member.addresses)), None)
    same = best is not None and (best.host, best.port) == (address.host, address.port)
    if best is not None and same and best.last_worked and at - best.last_worked < REMEMBERED_EVERY_S:
        return member
    others = [a for a in member.addresses if (a.host, a.port) != (address.host, address.port)]
    newest = max((a.last_worked for a in others), default=0.0)
    # A clock that is not set yet must not make the address worse than those of before.
    now_best = replace(address, last_worked=max(at, newest + 1.0))
    return replace(member, addresses=best_first((now_best, *others))[:MOST_ADDRESSES])
