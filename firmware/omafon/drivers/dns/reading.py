# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What the answer of a name server says: the records at the end of its aliases, or that there are none."""

from dataclasses import dataclass
from typing import cast

import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from dns.rdtypes.ANY.CNAME import CNAME
from dns.rdtypes.ANY.DNAME import DNAME
from dns.rdtypes.ANY.SOA import SOA
from dns.rdtypes.IN.NAPTR import NAPTR

from omafon.core.naptr import NaptrRecord

LONGEST_TTL_S = 86_400
LONGEST_NEGATIVE_TTL_S = 3600
MOST_ALIASES = 8

Section = list[dns.rrset.RRset]


class Contradiction(Exception):
    """An answer that cannot be meant as it stands."""


@dataclass(frozen=True, slots=True)
class Said:
    """What `response` says about records of type `rdtype`.

    `name` is where the aliases `links` (CNAME and DNAME) led; `rrset` is what stands there, None when nothing does.
    `soa` is the zone that says so. `ttl_s` is 0 when nobody said how long it holds (RFC 2308 section 5).
    """

    response: dns.message.Message
    rdtype: dns.rdatatype.RdataType
    name: dns.name.Name
    links: tuple[dns.rrset.RRset, ...]
    rrset: dns.rrset.RRset | None
    soa: dns.name.Name | None
    ttl_s: int

    @property
    def exists(self) -> bool:
        """Whether the name is there, with or without such records."""
        return self.response.rcode() != dns.rcode.NXDOMAIN


def read(response: dns.message.Message) -> Said:
    """Raises Contradiction when the answer leads in a circle, refers to others, or is no answer."""
    question = response.question[0]
    name, rdtype = question.name, question.rdtype
    links: list[dns.rrset.RRset] = []
    ttl_s = LONGEST_TTL_S
    while (rrset := at(response.answer, name, rdtype)) is None:
        link, target = _alias(response.answer, name)
        if link is None or target is None:
            break
        links.append(link)
        ttl_s = min(ttl_s, link.ttl)
        if len(links) > MOST_ALIASES:
            raise Contradiction(f"more than {MOST_ALIASES} aliases one behind the other")
        name = target
    if rrset is not None:
        return Said(response, rdtype, name, tuple(links), rrset, None, min(ttl_s, rrset.ttl))
    soa = _soa(response.authority, name)
    if soa is None:
        if response.rcode() == dns.rcode.NOERROR and any(
            rrset.rdtype == dns.rdatatype.NS for rrset in response.authority
        ):
            raise Contradiction("the name server refers to others instead of answering")
        return Said(response, rdtype, name, tuple(links), None, None, 0)
    minimum = cast(SOA, soa[0]).minimum
    return Said(
        response, rdtype, name, tuple(links), None, soa.name, min(ttl_s, soa.ttl, minimum, LONGEST_NEGATIVE_TTL_S)
    )


def at(
    section: Section,
    name: dns.name.Name,
    rdtype: dns.rdatatype.RdataType,
    covers: dns.rdatatype.RdataType = dns.rdatatype.NONE,
) -> dns.rrset.RRset | None:
    """The records of a type at a name, in one section of a message."""
    for rrset in section:
        if rrset.match(name, dns.rdataclass.IN, rdtype, covers) and len(rrset):
            return rrset
    return None


def naptr_records(rrset: dns.rrset.RRset) -> tuple[NaptrRecord, ...]:
    return tuple(
        NaptrRecord(
            rdata.order,
            rdata.preference,
            _text(rdata.flags),
            _text(rdata.service),
            _text(rdata.regexp),
            rdata.replacement.to_text(),
        )
        for rdata in cast(list[NAPTR], list(rrset))
    )


def _alias(section: Section, name: dns.name.Name) -> tuple[dns.rrset.RRset, dns.name.Name] | tuple[None, None]:
    """The CNAME at `name`, or the DNAME above it, and where it leads (RFC 6672).

    Of the two the DNAME counts: it is what a zone signs, the CNAME beside it is only its conclusion.
    """
    for rrset in section:
        if rrset.rdtype == dns.rdatatype.DNAME and rrset.name != name and name.is_subdomain(rrset.name) and len(rrset):
            prefix = name.relativize(rrset.name)
            try:
                return rrset, prefix.concatenate(cast(DNAME, rrset[0]).target)
            except dns.name.NameTooLong as error:
                raise Contradiction("an alias leads to a name that is too long") from error
    cname = at(section, name, dns.rdatatype.CNAME)
    return (cname, cast(CNAME, cname[0]).target) if cname is not None else (None, None)


def _soa(section: Section, name: dns.name.Name) -> dns.rrset.RRset | None:
    for rrset in section:
        if rrset.rdtype == dns.rdatatype.SOA and name.is_subdomain(rrset.name) and len(rrset):
            return rrset
    return None


def _text(octets: bytes) -> str:
    """The octets of a <character-string>: UTF-8 (RFC 3403 section 3), and never an error when they are not."""
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets.decode("latin-1")
