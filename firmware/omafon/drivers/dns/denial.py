# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What a zone proves not to be there: NSEC (RFC 4035 section 5.4) and NSEC3 (RFC 5155 section 8).

Pure: the records handed in were checked before, and belong to `zone`.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import dns.dnssec
import dns.name
import dns.rdatatype
from dns.dnssectypes import NSEC3Hash
from dns.rdatatype import RdataType
from dns.rdtypes.ANY.NSEC import NSEC
from dns.rdtypes.ANY.NSEC3 import NSEC3

MOST_ITERATIONS = 50
"""More rounds of NSEC3 hashing prove nothing (RFC 9276 section 3.2)."""

_OPT_OUT = 1


class Denied(Enum):
    NAME = "the name is not there"
    TYPE = "the name is there, and holds no such records"
    DELEGATED = "the name is delegated, unsigned"
    OPTED_OUT = "the name may be delegated, unsigned"
    NOTHING = "nothing is proven"


class Types(Protocol):
    """The types of records at a name."""

    def __contains__(self, rdtype: RdataType) -> bool: ...


@dataclass(frozen=True, slots=True)
class Encloser:
    """The closest name above one that is not there; `opt_out`: unsigned delegations may hide between them."""

    name: dns.name.Name
    opt_out: bool = False


class Gap(Enum):
    EMPTY = "nothing is in it"
    OPT_OUT = "unsigned delegations may be in it"


class Denial(Protocol):
    def types_at(self, name: dns.name.Name) -> Types | None:
        """The types at `name`; None when nothing proves that it is there."""

    def encloser(self, name: dns.name.Name) -> Encloser | None:
        """The closest encloser of `name`; None when nothing proves that the name below it is not there."""

    def gap(self, name: dns.name.Name) -> Gap | None:
        """The gap between two names that are there, in which `name` lies; None when nothing proves that it does."""


def denied(name: dns.name.Name, rdtype: RdataType, denial: Denial) -> Denied:
    """What `denial` proves about records of `rdtype` at `name`."""
    types = denial.types_at(name)
    if types is not None:
        return _at(types, name, rdtype)
    encloser = denial.encloser(name)
    if encloser is None:
        return Denied.NOTHING
    if encloser.opt_out:
        return Denied.OPTED_OUT
    wildcard = _wildcard(encloser.name)
    if wildcard is None:
        return Denied.NAME
    types = denial.types_at(wildcard)
    if types is not None:
        return Denied.TYPE if _at(types, wildcard, rdtype) is Denied.TYPE else Denied.NOTHING
    beside = denial.encloser(wildcard)
    return Denied.NAME if beside is not None and beside.name == encloser.name else Denied.NOTHING


def expanded(name: dns.name.Name, labels: int, denial: Denial) -> Denied:
    """Whether nothing stands between `name` and the wildcard, `labels` long without its star, that answered for it.

    NAME: so it is. OPTED_OUT, NOTHING: it is not proven.
    """
    nearer = name.split(labels + 2)[1]
    return {None: Denied.NOTHING, Gap.OPT_OUT: Denied.OPTED_OUT, Gap.EMPTY: Denied.NAME}[denial.gap(nearer)]


def _at(types: Types, name: dns.name.Name, rdtype: RdataType) -> Denied:
    if rdtype in types or RdataType.CNAME in types:
        return Denied.NOTHING
    # The upper side of a zone cut knows of nothing but DS, its lower side of everything else (RFC 6840 section 4.1).
    if rdtype == RdataType.DS:
        if RdataType.SOA in types and name != dns.name.root:
            return Denied.NOTHING
        return Denied.DELEGATED if RdataType.NS in types else Denied.TYPE
    return Denied.NOTHING if _is_upper_side(types) else Denied.TYPE


def _is_upper_side(types: Types) -> bool:
    return RdataType.NS in types and RdataType.SOA not in types


def _wildcard(name: dns.name.Name) -> dns.name.Name | None:
    try:
        return dns.name.Name((b"*", *name.labels))
    except dns.name.NameTooLong:
        return None


class _Bitmap:
    """RFC 4034 section 4.1.2."""

    def __init__(self, windows: Sequence[tuple[int, bytes]]) -> None:
        self._windows = dict(windows)

    def __contains__(self, rdtype: RdataType) -> bool:
        window, bit = divmod(int(rdtype), 256)
        octets = self._windows.get(window, b"")
        return bit // 8 < len(octets) and bool(octets[bit // 8] & (0x80 >> bit % 8))


_NO_TYPES = _Bitmap(())


class NsecDenial:
    """By NSEC records, each with its owner."""

    def __init__(self, zone: dns.name.Name, records: Sequence[tuple[dns.name.Name, NSEC]]) -> None:
        self._zone = zone
        self._records = [(owner, record.next, _Bitmap(record.windows)) for owner, record in records]

    def types_at(self, name: dns.name.Name) -> Types | None:
        for owner, following, types in self._records:
            if owner == name:
                return types
            # A name that only others stand below is there, and empty.
            if self._spans(owner, following, name) and following.is_subdomain(name):
                return _NO_TYPES
        return None

    def encloser(self, name: dns.name.Name) -> Encloser | None:
        between = self._neighbours(name)
        return Encloser(max((_common(name, one) for one in between), key=len)) if between is not None else None

    def gap(self, name: dns.name.Name) -> Gap | None:
        return Gap.EMPTY if self._neighbours(name) is not None else None

    def _neighbours(self, name: dns.name.Name) -> tuple[dns.name.Name, dns.name.Name] | None:
        for owner, following, types in self._records:
            if not self._spans(owner, following, name) or following.is_subdomain(name):
                continue
            # Below a delegation or a DNAME this zone has no say (RFC 6840 section 4.1).
            if name.is_subdomain(owner) and (_is_upper_side(types) or RdataType.DNAME in types):
                continue
            return owner, following
        return None

    def _spans(self, owner: dns.name.Name, following: dns.name.Name, name: dns.name.Name) -> bool:
        """Whether `name` lies between two neighbours; the last one's is the zone itself."""
        if not (name.is_subdomain(self._zone) and following.is_subdomain(self._zone)):
            return False
        return bool(owner < name and (name < following or following == self._zone))


class Nsec3Denial:
    """By NSEC3 records, each with its owner. Those of another hash, or with too many rounds, count for nothing."""

    def __init__(self, zone: dns.name.Name, records: Sequence[tuple[dns.name.Name, NSEC3]]) -> None:
        self._zone = zone
        self._hashes: dict[dns.name.Name, bytes] = {}
        usable = [(owner, record) for owner, record in records if _is_usable(zone, owner, record)]
        self._salt: bytes = usable[0][1].salt if usable else b""
        self._iterations: int = usable[0][1].iterations if usable else 0
        self._records = [
            (base64.b32hexdecode(owner.labels[0].upper()), record.next, record.flags, _Bitmap(record.windows))
            for owner, record in usable
            if (record.salt, record.iterations) == (self._salt, self._iterations)
        ]

    def types_at(self, name: dns.name.Name) -> Types | None:
        hashed = self._hash(name)
        return next((types for owner, _, _, types in self._records if owner == hashed), None)

    def encloser(self, name: dns.name.Name) -> Encloser | None:
        nearer = name
        while nearer != self._zone and nearer.is_subdomain(self._zone):
            above = nearer.parent()
            types = self.types_at(above)
            if types is not None:
                if _is_upper_side(types) or RdataType.DNAME in types:
                    return None
                gap = self.gap(nearer)
                return None if gap is None else Encloser(above, gap is Gap.OPT_OUT)
            nearer = above
        return None

    def gap(self, name: dns.name.Name) -> Gap | None:
        hashed = self._hash(name)
        for owner, following, flags, _ in self._records:
            if owner < hashed < following or (following <= owner and (hashed > owner or hashed < following)):
                return Gap.OPT_OUT if flags & _OPT_OUT else Gap.EMPTY
        return None

    def _hash(self, name: dns.name.Name) -> bytes:
        if name not in self._hashes:
            text = dns.dnssec.nsec3_hash(name, self._salt, self._iterations, NSEC3Hash.SHA1)
            self._hashes[name] = base64.b32hexdecode(text.upper())
        return self._hashes[name]


def has_too_many_rounds(record: NSEC3) -> bool:
    return int(record.iterations) > MOST_ITERATIONS


def _is_usable(zone: dns.name.Name, owner: dns.name.Name, record: NSEC3) -> bool:
    """RFC 5155 section 8.1 and 8.2."""
    return bool(
        record.algorithm == NSEC3Hash.SHA1
        and record.flags in (0, _OPT_OUT)
        and not has_too_many_rounds(record)
        and len(record.next) == 20
        and len(owner) == len(zone) + 1
        and owner.parent() == zone
        and len(owner.labels[0]) == 32
        and not owner.labels[0].upper().strip(b"0123456789ABCDEFGHIJKLMNOPQRSTUV")
    )


def _common(one: dns.name.Name, other: dns.name.Name) -> dns.name.Name:
    """The longest name above both."""
    _, _, labels = one.fullcompare(other)
    return one.split(labels)[1]
