# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Whether records are signed by keys of their zone (RFC 4035 section 5.3), with dnspython and cryptography.

Importing this is slow, so it is imported when a tree asks for proofs, on a thread of its own.
"""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import cast

import dns.dnssec
import dns.exception
import dns.name
import dns.node
import dns.rdataset
import dns.rdatatype
import dns.rrset
from cryptography.exceptions import UnsupportedAlgorithm
from dns.dnssectypes import Algorithm
from dns.rdtypes.ANY.DNSKEY import DNSKEY
from dns.rdtypes.ANY.DS import DS
from dns.rdtypes.ANY.RRSIG import RRSIG
from dns.rdtypes.dnskeybase import Flag

from omafon.clock import Clock
from omafon.drivers.dns.anchors import DIGESTS, digest_of
from omafon.drivers.dns.proof import Proof, Status
from omafon.drivers.dns.reading import Section, at

ALGORITHMS = frozenset(
    {
        Algorithm.RSASHA256,
        Algorithm.RSASHA512,
        Algorithm.ECDSAP256SHA256,
        Algorithm.ECDSAP384SHA384,
        Algorithm.ED25519,
        Algorithm.ED448,
    }
)
"""Those that prove something (RFC 8624; SHA-1 does not any more, RFC 9905)."""

MOST_KEYS = 32
MOST_TRIES = 8
"""Checks for one set of records: whoever sends many keys of one tag and many signatures wants to keep us busy."""

_RSA_BITS = range(1024, 4097)
_LONGEST_RSA_EXPONENT = 4


@dataclass(frozen=True, slots=True)
class Signed:
    """The proof that a set of records is signed, and how many labels of its owner the signer wrote down.

    Fewer labels than the owner has: it came out of a wildcard (RFC 4035 section 5.3.4).
    """

    proof: Proof
    labels: int


def signatures(section: Section, rrset: dns.rrset.RRset) -> list[RRSIG]:
    """The signatures over `rrset` beside it in `section`."""
    found = at(section, rrset.name, dns.rdatatype.RRSIG, rrset.rdtype)
    return [cast(RRSIG, rdata) for rdata in found] if found is not None else []


def usable_keys(rrset: dns.rrset.RRset) -> tuple[DNSKEY, ...]:
    """The keys that may sign a zone (RFC 4034 section 2.1, RFC 5011 section 2.1), of a kind and size that we check."""
    keys = [cast(DNSKEY, rdata) for rdata in rrset]
    return tuple(
        key
        for key in keys[:MOST_KEYS]
        if key.flags & Flag.ZONE and not key.flags & Flag.REVOKE and key.protocol == 3 and _is_sound(key)
    )


def provable(anchors: Iterable[DS]) -> tuple[DS, ...]:
    """Those that name a key and a digest of kinds that prove something."""
    return tuple(ds for ds in anchors if ds.algorithm in ALGORITHMS and ds.digest_type in DIGESTS)


def named(zone: dns.name.Name, keys: Iterable[DNSKEY], anchors: Sequence[DS]) -> tuple[DNSKEY, ...]:
    """Those of the zone's keys that a DS record names."""
    return tuple(
        key
        for key in keys
        if any(
            (ds.algorithm, ds.key_tag) == (key.algorithm, key.key_id())
            and ds.digest == digest_of(zone, key, ds.digest_type)
            for ds in anchors
        )
    )


def check(
    rrset: dns.rrset.RRset, signed_by: Iterable[RRSIG], zone: dns.name.Name, keys: Sequence[DNSKEY], clock: Clock
) -> Signed:
    """Whether one of the signatures was made by one of `keys` of `zone`, and holds now.

    SECURE, CLOCK when only the time of day is missing for it, else BOGUS.
    """
    what = f"{dns.rdatatype.to_text(rrset.rdtype)} of {rrset.name}"
    failed = Proof(Status.BOGUS, f"no key of {zone} signed the {what}")
    tries = 0
    for signature in signed_by:
        for key in keys:
            if (signature.signer, signature.algorithm, signature.key_tag) != (zone, key.algorithm, key.key_id()):
                continue
            tries += 1
            if tries > MOST_TRIES:
                return Signed(failed, signature.labels)
            if not _is_made_by(rrset, signature, zone, key):
                failed = Proof(Status.BOGUS, f"the signature over the {what} is broken")
                continue
            proof = _holds(rrset, signature, what, clock)
            if proof.status is not Status.BOGUS:
                return Signed(proof, signature.labels)
            failed = proof
    return Signed(failed, 0)


def _holds(rrset: dns.rrset.RRset, signature: RRSIG, what: str, clock: Clock) -> Proof:
    """What the clock says of a signature that is genuine."""
    if not clock.is_set:
        return Proof(Status.CLOCK, f"the {what} is signed, and the clock is not set", 0.0)
    # Seconds modulo 2**32, compared as RFC 1982 does it (RFC 4034 section 3.1.5).
    left_s, since_s = _serial(signature.expiration, clock.unix), -_serial(signature.inception, clock.unix)
    if left_s < 0:
        return Proof(Status.BOGUS, f"the signature over the {what} expired {_span(-left_s)} ago")
    if since_s < 0:
        why = f"the signature over the {what} holds only in {_span(-since_s)}"
        return Proof(Status.BOGUS if clock.is_kept else Status.CLOCK, why, 0.0)
    return Proof(Status.SECURE, f"signed by {signature.signer}", min(left_s, rrset.ttl, signature.original_ttl))


def _is_made_by(rrset: dns.rrset.RRset, signature: RRSIG, zone: dns.name.Name, key: DNSKEY) -> bool:
    keys: dict[dns.name.Name, dns.node.Node | dns.rdataset.Rdataset] = {zone: dns.rdataset.from_rdata(0, key)}
    try:
        # The dates are looked at elsewhere: to a phone whose clock is not set a forgery is one all the same.
        dns.dnssec.validate_rrsig(rrset, signature, keys, now=signature.inception, policy=dns.dnssec.allow_all_policy)
    except (dns.exception.DNSException, UnsupportedAlgorithm, ValueError):
        return False
    return True


def _is_sound(key: DNSKEY) -> bool:
    """Whether the key is of a kind we check, and checking it takes no longer than others."""
    if key.algorithm not in ALGORITHMS:
        return False
    if key.algorithm not in (Algorithm.RSASHA256, Algorithm.RSASHA512):
        return True
    # RFC 3110 section 2: the length of the exponent in one octet, or in two behind a zero.
    octets = key.key
    if len(octets) < 3:
        return False
    begin, exponent = (1, octets[0]) if octets[0] else (3, int(struct.unpack("!H", octets[1:3])[0]))
    bits = int.from_bytes(octets[begin + exponent :], "big").bit_length()
    return 0 < exponent <= _LONGEST_RSA_EXPONENT and bits in _RSA_BITS


def _serial(date: int, unix: float) -> int:
    """Seconds from `unix` to `date`, of which only 32 bits are known."""
    return (date - int(unix) + 2**31) % 2**32 - 2**31


def _span(seconds: float) -> str:
    """
    >>> _span(59), _span(7200), _span(200_000)
    ('59 seconds', '2 hours', '2 days')
    """
    for unit, length in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {unit}{'s' * (count != 1)}"
    return f"{int(seconds)} seconds"
