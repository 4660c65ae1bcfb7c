# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The keys that the phone trusts from the start: the root's, and those the owner names (RFC 4033 section 3.1)."""

import binascii
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
from dns.rdtypes.ANY.DNSKEY import DNSKEY
from dns.rdtypes.ANY.DS import DS

from omafon.interfaces import DriverError

ROOT_AS_OF = "2024-07-18"
ROOT = (
    # In use since 2017-02-02.
    "20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D",
    # Its successor, from 2024-07-18, signs from late 2026 on.
    "38696 8 2 683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16",
)
"""The DS records of the root's keys, as IANA published them by ROOT_AS_OF (RFC 9718)."""

SHA256, SHA384 = 2, 4
DIGESTS = {SHA256: hashlib.sha256, SHA384: hashlib.sha384}
"""Those that prove something: SHA-1 does not any more, and GOST is gone (RFC 9904, 9905, 9906)."""

Anchors = Mapping[dns.name.Name, tuple[DS, ...]]

_CURE = 'Write the zone\'s DS record, as in "12345 13 2 0123…", or the path of a file that holds it.'


def load_anchors(configured: Mapping[str, str]) -> Anchors:
    """The root's anchors and the owner's: DS or DNSKEY records, one a line, or the path of a file with such lines.

    An owner's anchor for '.' takes the place of the root's. Raises DriverError.
    """
    anchors = {dns.name.root: tuple(cast(DS, _rdata(dns.rdatatype.DS, text)) for text in ROOT)}
    for zone, text in configured.items():
        try:
            name = dns.name.from_text(zone.strip().rstrip(".") + ".")
            lines = (Path(text).read_text(encoding="utf-8") if text.startswith("/") else text).splitlines()
            written = [line.split(";")[0].split() for line in lines]
            anchors[name] = tuple(_anchor(name, words) for words in written if words)
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not text"
            raise DriverError(f"the anchor of {zone} cannot be read from {text}: {reason}", _CURE) from error
        except (dns.exception.DNSException, ValueError) as error:
            raise DriverError(f"the anchor of {zone} is not understood: {error}", _CURE) from error
        if not anchors[name]:
            raise DriverError(f"the anchor of {zone} is empty", _CURE)
    return anchors


def digest_of(zone: dns.name.Name, key: DNSKEY, digest_type: int) -> bytes:
    """What a DS record says of `key` (RFC 4034 section 5.1.4); `digest_type` is one of DIGESTS."""
    return DIGESTS[digest_type](zone.to_digestable() + key.to_digestable()).digest()


def _anchor(zone: dns.name.Name, words: list[str]) -> DS:
    """A line of a master file, with or without what stands before its data; a DNSKEY becomes its DS."""
    kinds = [index for index, word in enumerate(words[:4]) if word.upper() in ("DS", "DNSKEY")]
    if not kinds:
        return cast(DS, _rdata(dns.rdatatype.DS, " ".join(words)))
    at = kinds[0]
    if at and words[0].upper() != "IN" and not words[0].isdigit() and dns.name.from_text(words[0]) != zone:
        raise ValueError(f"it belongs to {words[0]}")
    rdata = _rdata(dns.rdatatype.from_text(words[at].upper()), " ".join(words[at + 1 :]))
    if isinstance(rdata, DS):
        return rdata
    key = cast(DNSKEY, rdata)
    digest = binascii.hexlify(digest_of(zone, key, SHA256)).decode()
    return cast(DS, _rdata(dns.rdatatype.DS, f"{key.key_id()} {int(key.algorithm)} {SHA256} {digest}"))


def _rdata(rdtype: dns.rdatatype.RdataType, text: str) -> dns.rdata.Rdata:
    return dns.rdata.from_text(dns.rdataclass.IN, rdtype, text)
