# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Zones signed as no honest signer signs them: for other times, or with records changed afterwards."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dns.dnssec
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.rrset
import dns.zone
from dns.dnssecalgs.ecdsa import PrivateECDSAP256SHA256

from tests.lab.knot import Presigned

DAY = timedelta(days=1)
_PROOFS = (dns.rdatatype.SOA, dns.rdatatype.NSEC)


@dataclass(frozen=True, slots=True)
class SignedZone:
    """A zone with its signatures; `ds` is the record of its key."""

    zone: dns.zone.Zone
    ds: str

    @property
    def presigned(self) -> Presigned:
        return Presigned(tuple(self.zone.to_text(relativize=False).splitlines()), self.ds)

    def forge(self, name: str, what: str, by: str) -> "SignedZone":
        """Writes `by` for `what` in the NAPTR records of `name`."""
        node = self.zone.find_node(name)
        rdataset = node.find_rdataset(dns.rdataclass.IN, dns.rdatatype.NAPTR)
        text = [rdata.to_text().replace(what, by) for rdata in rdataset]
        node.replace_rdataset(dns.rdataset.from_text_list("IN", "NAPTR", rdataset.ttl, text))
        return self

    def strip(self, name: str, covers: dns.rdatatype.RdataType) -> "SignedZone":
        """Takes away the signatures over one set of records."""
        self.zone.find_node(name).delete_rdataset(dns.rdataclass.IN, dns.rdatatype.RRSIG, covers)
        return self

    def answer(self, question: dns.message.Message) -> dns.message.Message:
        """What a name server would say, with every denial of the zone where there is nothing to say."""
        asked = question.question[0]
        answer = dns.message.make_response(question)
        node = self.zone.get_node(asked.name)
        if node is not None and node.get_rdataset(dns.rdataclass.IN, asked.rdtype):
            answer.answer += _with_signature(asked.name, node, asked.rdtype)
            return answer
        answer.set_rcode(dns.rcode.NXDOMAIN if node is None else dns.rcode.NOERROR)
        for name, proof in self.zone.items():
            for rdtype in _PROOFS:
                answer.authority += _with_signature(name, proof, rdtype)
        return answer


def signed(zone: str, lines: Iterable[str], *, begins: timedelta = -DAY, ends: timedelta = DAY) -> SignedZone:
    """`zone` with a fresh key, its signatures good between two times from now."""
    origin = dns.name.from_text(zone)
    text = "\n".join(["$TTL 60", "@ SOA ns host 1 3600 600 86400 60", "@ NS ns", "ns A 127.0.0.1", *lines])
    made = dns.zone.from_text(text, origin=origin, relativize=False)
    key = PrivateECDSAP256SHA256.generate()
    dnskey = dns.dnssec.make_dnskey(key.public_key(), "ECDSAP256SHA256", flags=257)
    now = datetime.now(UTC)
    with made.writer() as txn:
        dns.dnssec.sign_zone(
            made, txn=txn, keys=[(key, dnskey)], dnskey_ttl=60, inception=now + begins, expiration=now + ends
        )
    return SignedZone(made, dns.dnssec.make_ds(origin, dnskey, "SHA256").to_text())


def _with_signature(name: dns.name.Name, node: dns.node.Node, rdtype: dns.rdatatype.RdataType) -> list[dns.rrset.RRset]:
    rdatasets = [
        node.get_rdataset(dns.rdataclass.IN, rdtype),
        node.get_rdataset(dns.rdataclass.IN, dns.rdatatype.RRSIG, rdtype),
    ]
    return [dns.rrset.from_rdata_list(name, found.ttl, list(found)) for found in rdatasets if found]
