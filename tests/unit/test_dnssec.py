# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The chain of trust over a zone in memory: what it believes, and that nothing off the wire unsettles it."""

import asyncio
import time
from collections.abc import Callable

import dns.exception
import dns.message
import dns.name
import dns.rdatatype
import dns.rrset
import pytest
from dns.dnssecalgs.eddsa import PrivateED25519
from dns.rdtypes.ANY.DNSKEY import DNSKEY
from dns.rdtypes.ANY.RRSIG import RRSIG
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from omafon.core.naptr import NaptrRecord
from omafon.drivers.dns import Clock
from omafon.drivers.dns.anchors import load_anchors
from omafon.drivers.dns.asking import Unanswered
from omafon.drivers.dns.chain import Chain
from omafon.drivers.dns.proof import Proof, Status
from omafon.drivers.dns.reading import Contradiction, Said, naptr_records, read
from omafon.drivers.dns.signature import MOST_TRIES, check, usable_keys
from tests.lab.signing import SignedZone, signed

OMAS = dns.name.from_text("1.0.0.3.9.4.family.lab.")
NOBODYS = dns.name.from_text("9.9.9.3.9.4.family.lab.")
RECORD = NaptrRecord(100, 10, "u", "E2U+sip", "!^.*$!sip:oma@example.net!", ".")
ZONE = signed("family.lab.", [f'{OMAS} NAPTR 100 10 "u" "E2U+sip" "!^.*$!sip:oma@example.net!" .'])

Rewriting = Callable[[bytes, dns.rdatatype.RdataType], bytes]


def judge(name: dns.name.Name, rewriting: Rewriting = lambda wire, rdtype: wire, zone: SignedZone = ZONE) -> Proof:
    return asked(name, rewriting, zone)[1]


def asked(
    name: dns.name.Name, rewriting: Rewriting = lambda wire, rdtype: wire, zone: SignedZone = ZONE
) -> tuple[Said, Proof]:
    """What was said about `name`, after `rewriting`, and its proof; raises what reading raises."""

    async def ask(name: dns.name.Name, rdtype: dns.rdatatype.RdataType) -> Said:
        wire = zone.answer(dns.message.make_query(name, rdtype)).to_wire()
        try:
            return read(dns.message.from_wire(rewriting(wire, rdtype)))
        except (dns.exception.DNSException, Contradiction, IndexError) as error:
            raise Unanswered([str(error)], spoke=True) from error

    async def run() -> tuple[Said, Proof]:
        anchors = load_anchors({"family.lab": zone.ds})
        said = await ask(name, dns.rdatatype.NAPTR)
        return said, await Chain(ask, anchors, lambda: Clock(time.time())).judge(said)

    return asyncio.run(run())


def test_what_a_zone_signs_is_secure():
    assert judge(OMAS).status is Status.SECURE
    assert judge(NOBODYS).status is Status.SECURE


def test_a_proof_holds_no_longer_than_its_records():
    assert judge(OMAS).ttl_s == 60


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(flips=st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 7)), min_size=1, max_size=4), keys=st.booleans())
def test_whatever_happens_to_an_answer_only_the_true_records_are_secure(flips: list[tuple[int, int]], keys: bool):
    def flipping(wire: bytes, rdtype: dns.rdatatype.RdataType) -> bytes:
        if keys is not (rdtype == dns.rdatatype.DNSKEY):
            return wire
        octets = bytearray(wire)
        for place, bit in flips:
            octets[12 + place % (len(wire) - 12)] ^= 1 << bit
        return bytes(octets)

    try:
        said, proof = asked(OMAS, flipping)
    except Unanswered:
        return
    if proof.status is Status.SECURE and said.response.question[0].name == OMAS and said.rrset is not None:
        assert naptr_records(said.rrset) == (RECORD,)


@settings(max_examples=200, deadline=None)
@given(wire=st.binary(max_size=600), rdtype=st.sampled_from(["DNSKEY", "NAPTR"]))
@example(wire=b"\0" * 12, rdtype="NAPTR")
def test_noise_in_the_place_of_an_answer_is_no_proof_of_anything(wire: bytes, rdtype: str):
    def replacing(true: bytes, asked_for: dns.rdatatype.RdataType) -> bytes:
        return true[:2] + wire if dns.rdatatype.to_text(asked_for) == rdtype else true

    try:
        proof = judge(OMAS, replacing)
    except Unanswered:
        return
    assert proof.status is not Status.SECURE


def test_denials_that_are_left_out_prove_nothing():
    def without_nsec(wire: bytes, rdtype: dns.rdatatype.RdataType) -> bytes:
        answer = dns.message.from_wire(wire)
        answer.authority[:] = [
            rrset for rrset in answer.authority if dns.rdatatype.NSEC not in (rrset.rdtype, rrset.covers)
        ]
        return answer.to_wire()

    assert judge(NOBODYS, without_nsec).status is Status.BOGUS


def test_a_key_that_was_revoked_signs_nothing():
    """RFC 5011 section 2.1."""
    key = PrivateED25519.generate().public_key().to_dnskey()
    revoked = key.replace(flags=key.flags | 0x0080)
    host = key.replace(flags=0)
    of_another_protocol = key.replace(protocol=2)

    keys = dns.rrset.from_rdata("family.lab.", 60, key, revoked, host, of_another_protocol)

    assert usable_keys(keys) == (key,)


@pytest.mark.parametrize(
    ("exponent", "bits", "good"),
    [
        (b"\x03\x01\x00\x01", 2048, True),
        (b"\x01\x03", 1024, True),
        (b"\x00\x00\x03\x01\x00\x01", 4096, True),
        (b"\x03\x01\x00\x01", 1000, False),  # too weak
        (b"\x03\x01\x00\x01", 8192, False),  # too slow
        (b"\x40" + b"\xff" * 64, 2048, False),  # so is a long exponent
        (b"", 0, False),
        (b"\x00\x01", 0, False),
        (b"\xff\x01", 0, False),
    ],
)
def test_rsa_keys_that_are_weak_or_slow_to_check_count_for_nothing(exponent: bytes, bits: int, good: bool):
    modulus = (1 << (bits - 1) | 1).to_bytes((bits + 7) // 8, "big") if bits else b""
    key = DNSKEY("IN", "DNSKEY", 257, 3, 8, exponent + modulus)

    assert bool(usable_keys(dns.rrset.from_rdata("family.lab.", 60, key))) is good


def test_many_keys_of_one_tag_and_many_signatures_keep_nobody_busy():
    """CVE-2023-50387: every signature could be checked with every key."""
    zone = dns.name.from_text("family.lab.")
    octets = PrivateED25519.generate().public_key().to_dnskey().key
    words = [octets[place : place + 2] for place in range(0, 32, 2)]
    # The tag is a sum of words: their order does not matter to it.
    keys = [DNSKEY("IN", "DNSKEY", 257, 3, 15, b"".join(words[turn:] + words[:turn])) for turn in range(16)]
    assert len({key.key_id() for key in keys}) == 1
    records = ZONE.answer(dns.message.make_query(OMAS, "NAPTR")).answer[0]
    now = int(time.time())
    made = [
        RRSIG("IN", "RRSIG", records.rdtype, 15, 6, 60, now + 60, now - 60, keys[0].key_id(), zone, bytes([n]) * 64)
        for n in range(200)
    ]

    began = time.perf_counter()
    signed = check(records, made, zone, keys, Clock(now))

    assert signed.proof.status is Status.BOGUS
    assert time.perf_counter() - began < MOST_TRIES * 0.01
