# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The few things that outlive both calls and power cuts."""

from dataclasses import dataclass, replace
from enum import StrEnum

from omafon.core.causes import Cause
from omafon.core.loudness import HANDSET_KEPT
from omafon.core.settings import Route


class Direction(StrEnum):
    OUT = "out"
    IN = "in"


@dataclass(frozen=True, slots=True)
class Tried:
    """A way that a call was tried on before, and why it did not go."""

    route: Route
    cause: Cause


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """A call of the past. `at` is Unix time of its beginning (0 when the clock was not set), `duration_s` of talk.

    `route` is how it went at last; `tried` says why it did not go otherwise.
    """

    direction: Direction
    number: str
    uri: str
    name: str
    route: Route
    at: float
    duration_s: float
    answered: bool
    cause: Cause
    seen: bool = True
    tried: tuple[Tried, ...] = ()

    @property
    def missed(self) -> bool:
        """An incoming call that nobody answered or declined, here or elsewhere."""
        settled = self.answered or self.cause in {Cause.ANSWERED_ELSEWHERE, Cause.DECLINED}
        return self.direction is Direction.IN and not settled


class Reach(StrEnum):
    """What kind of address a member of the family is reached at."""

    LAN = "lan"
    IPV6 = "ipv6"
    IPV4 = "ipv4"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a member's phone listens: an IP address or a name, and a TLS port.

    `last_worked` is the Unix time when it last answered there with the right certificate; 0: it never did.
    """

    host: str
    port: int
    kind: Reach
    last_worked: float = 0.0


@dataclass(frozen=True, slots=True)
class Member:
    """A phone of the family.

    `id` is the name that its own certificate gives it, `certificate` the SHA-256 of that certificate (DER) in hex: by
    this it is known, whatever it says and wherever it calls from. `since` is the Unix time of the pairing, 0 when
    the clock was not set. `tells_state` and `told_state` are whether they agreed to know, and to let know, when the
    other phone is out of reach.
    """

    id: str
    name: str
    number: str
    certificate: str
    addresses: tuple[Address, ...] = ()
    since: float = 0.0
    tells_state: bool = False
    told_state: bool = False


MOST_MEMBERS = 16
MOST_ADDRESSES = 8


@dataclass(frozen=True, slots=True)
class Memory:
    """What the store keeps: the newest 100 calls first, the volumes in percent, the family in the order it grew."""

    history: tuple[HistoryEntry, ...] = ()
    handset_volume: int = 70
    ringer_volume: int = 80
    family: tuple[Member, ...] = ()

    @property
    def resting(self) -> "Memory":
        """What is left of it when the handset is put down: the next person may hear well."""
        return replace(self, handset_volume=min(self.handset_volume, HANDSET_KEPT))

    @property
    def missed(self) -> int:
        """How many missed calls the person has not looked at yet."""
        return sum(entry.missed and not entry.seen for entry in self.history)

    def member(self, certificate: str) -> Member | None:
        """The member of the family that `certificate`, a SHA-256 in hex, belongs to."""
        return next((member for member in self.family if member.certificate == certificate), None)

    def member_of(self, number: str, uri: str = "") -> Member | None:
        """The member that a number (E.164) or a SIP URI is of: their phone's id is its user part."""
        user = uri.partition(":")[2].partition("@")[0]
        found = (member for member in self.family if (number and member.number == number) or member.id == user)
        return next(found, None)

    def joined(self, member: Member) -> "Memory":
        """The memory with `member` in the family: last, or in the place that this very phone had before.

        A phone is its certificate. One that was erased and paired anew is another phone of the same name, until the
        owner removes the old one.
        """
        if self.member(member.certificate) is None:
            return replace(self, family=(*self.family, member)[-MOST_MEMBERS:])
        return replace(self, family=tuple(member if m.certificate == member.certificate else m for m in self.family))

    def parted(self, id_: str) -> "Memory":
        """The memory without the member `id_`."""
        return replace(self, family=tuple(member for member in self.family if member.id != id_))


HISTORY_LENGTH = 100
