# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""DNS over TLS: nobody on the way reads the numbers, and nobody but the name server answers."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from omafon.config import EnumConfig
from omafon.core.dialplan import E164
from omafon.core.events import DnsError, Event
from omafon.core.naptr import NaptrRecord, enum_domain
from omafon.drivers.dns import DnsResolver, Lookup
from omafon.interfaces import DriverError
from tests.lab.addresses import Addresses
from tests.lab.certificates import Authority, Certificate
from tests.lab.knot import Knot, Signing, naptr_line
from tests.lab.nameserver import TlsNameServer, found
from tests.lab.unbound import Unbound

TREE = "family.lab"
NUMBER = E164("+493023125001")
OMA = NaptrRecord(100, 10, "u", "E2U+sip", "!^.*$!sip:oma@example.net!", ".")


def nobody_listens(event: Event) -> None:
    """Where no house is."""


@pytest.fixture(scope="module")
def certificate(authority: Authority) -> Certificate:
    return authority.certificate("dns.example.net", "127.0.0.1")


@pytest.fixture(scope="module")
def unbound(
    tmp_path_factory: pytest.TempPathFactory, addresses: Addresses, certificate: Certificate
) -> Iterator[tuple[Knot, Unbound]]:
    lines = [naptr_line(enum_domain(NUMBER, TREE), OMA)]
    signing = {TREE: Signing()}
    with (
        Knot(tmp_path_factory.mktemp("knot"), addresses.fresh(), {TREE: lines}, signed=signing) as knot,
        Unbound(
            tmp_path_factory.mktemp("unbound"),
            addresses.fresh(),
            knot,
            key=certificate.key,
            certificate=certificate.certificate,
        ) as unbound,
    ):
        yield knot, unbound


def enum(server: str, authority: Authority, **more: object) -> EnumConfig:
    return EnumConfig(
        **{"trees": (TREE,), "servers": (server,), "ca": str(authority.ca), "dnssec": {TREE: "off"}, **more}
    )


async def ask(config: EnumConfig, *numbers: str) -> list[Lookup]:
    """One lookup after the other, by one driver."""
    resolver = DnsResolver(nobody_listens, config)
    resolver.open()
    try:
        return [await resolver.lookup(TREE, E164(number)) for number in numbers or (NUMBER,)]
    finally:
        resolver.close()


async def test_a_number_is_looked_up_and_proven_through_tls(unbound: tuple[Knot, Unbound], authority: Authority):
    knot, resolver = unbound
    server = f"{resolver.tls}#dns.example.net"

    said = await ask(enum(server, authority, dnssec={TREE: "require"}, anchors={TREE: knot.anchor(TREE)}))

    assert (said[0].records, said[0].secure) == ((OMA,), True)


async def test_a_server_with_another_name_is_not_asked(unbound: tuple[Knot, Unbound], authority: Authority):
    _, resolver = unbound

    (said,) = await ask(enum(f"{resolver.tls}#dns.example.org", authority))

    assert said.error is DnsError.TIMEOUT
    assert "certificate is not good for dns.example.org" in said.detail


async def test_a_certificate_of_an_unknown_authority_is_not_believed(
    unbound: tuple[Knot, Unbound], authority: Authority
):
    _, resolver = unbound

    (said,) = await ask(enum(f"{resolver.tls}#dns.example.net", authority, ca=""))

    assert said.error is DnsError.TIMEOUT
    assert "certificate is not good" in said.detail


async def test_many_questions_travel_on_one_connection(certificate: Certificate, authority: Authority):
    async with TlsNameServer(lambda question: [found(question)], certificate) as server:
        said = await ask(enum(server.server, authority), *(f"+4930231250{last}" for last in range(10, 20)))

        assert all(len(answer.records) == 1 for answer in said)
        assert server.connections == 1


async def test_answers_may_come_in_any_order(certificate: Certificate, authority: Authority):
    held: list = []

    def in_pairs(question):
        held.append(found(question))
        if len(held) < 2:
            return []
        answers = held[::-1]
        held.clear()
        return answers

    async with TlsNameServer(in_pairs, certificate) as server:
        resolver = DnsResolver(nobody_listens, enum(server.server, authority, budget_ms=5000))
        resolver.open()
        said = await asyncio.gather(*(resolver.lookup(TREE, E164(f"+493023125{last}")) for last in (111, 222)))
        resolver.close()

    assert [len(answer.records) for answer in said] == [1, 1]


async def test_a_connection_that_the_server_closed_is_made_anew(certificate: Certificate, authority: Authority):
    async with TlsNameServer(lambda question: [found(question)], certificate) as server:
        resolver = DnsResolver(nobody_listens, enum(server.server, authority))
        resolver.open()
        first = await resolver.lookup(TREE, NUMBER)
        await server.hangs_up()

        second = await resolver.lookup(TREE, E164("+493023125002"))

        assert (len(first.records), len(second.records)) == (1, 1)
        assert server.connections == 2
        resolver.close()


async def test_every_question_is_as_long_as_any_other(certificate: Certificate, authority: Authority):
    """RFC 8467: an ENUM name's length tells the number's."""
    async with TlsNameServer(lambda question: [found(question)], certificate) as server:
        await ask(enum(server.server, authority), "+4930", "+493023125002")

        assert {len(question.to_wire()) for question in server.asked} == {128}


@pytest.mark.parametrize("noise", [b"", b"\xff" * 40])
async def test_noise_ends_the_connection_and_not_the_phone(
    noise: bytes, certificate: Certificate, authority: Authority
):
    async with TlsNameServer(lambda question: [noise], certificate) as server:
        (said,) = await ask(enum(server.server, authority, budget_ms=300))

    assert said.error is DnsError.TIMEOUT


def test_authorities_that_cannot_be_read_are_a_trouble_with_a_cure(tmp_path: Path):
    for ca in (tmp_path / "missing", tmp_path):
        driver = DnsResolver(nobody_listens, EnumConfig(servers=("tls://127.0.0.1",), ca=str(ca)))

        with pytest.raises(DriverError) as refusal:
            driver.open()

        assert "[enum] ca" in refusal.value.cure
