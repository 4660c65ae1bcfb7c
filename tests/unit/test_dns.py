# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Asking name servers, good ones and others."""

import asyncio
from pathlib import Path

import dns.rcode
import pytest

from omafon.config import EnumConfig
from omafon.core.actions import QueryNaptr
from omafon.core.dialplan import E164
from omafon.core.events import (
    DnsError,
    Driver,
    DriverFailed,
    DriverRecovered,
    Event,
    LookupFailed,
    LookupId,
    NaptrReceived,
)
from omafon.core.naptr import NaptrRecord
from omafon.drivers.dns import DnsResolver, Server, parse_server
from omafon.enum_report import look_up
from omafon.interfaces import DriverError
from tests.lab.nameserver import NameServer, failed, found, silence

NUMBER = E164("+4930123456")
NAME = "6.5.4.3.2.1.0.3.9.4.e164.arpa."
QUERY = QueryNaptr(LookupId(7), "e164.arpa", NUMBER)
OMA = NaptrRecord(100, 10, "u", "E2U+sip", "!^.*$!sip:oma@example.net!", ".")
PATIENCE_S = 5.0


class House:
    """What the driver tells, for tests to wait for."""

    def __init__(self) -> None:
        self._told: asyncio.Queue[Event] = asyncio.Queue()

    def post(self, event: Event) -> None:
        self._told.put_nowait(event)

    async def hears(self) -> Event:
        async with asyncio.timeout(PATIENCE_S):
            return await self._told.get()

    @property
    def hears_nothing(self) -> bool:
        return self._told.empty()


def resolver(house: House, *servers: str, budget_ms: int = 800, **enum: object) -> DnsResolver:
    """A driver that asks `servers`, and for no proofs where a test says nothing of them."""
    enum = {"dnssec": {"e164.arpa": "off"}, **enum}
    driver = DnsResolver(house.post, EnumConfig(servers=servers, budget_ms=budget_ms, **enum))  # type: ignore[arg-type]
    driver.open()
    return driver


async def test_a_query_is_answered_with_the_records_as_they_came():
    house = House()
    async with NameServer(lambda question: [found(question)]) as server:
        resolver(house, server.server).perform(QUERY)

        assert await house.hears() == NaptrReceived(LookupId(7), "e164.arpa", (OMA,), None)
        assert server.asked == [NAME]


@pytest.mark.parametrize(
    ("rcode", "error"),
    [
        (dns.rcode.NXDOMAIN, DnsError.NXDOMAIN),
        (dns.rcode.NOERROR, DnsError.NODATA),
        (dns.rcode.SERVFAIL, DnsError.SERVFAIL),
        (dns.rcode.REFUSED, DnsError.SERVFAIL),
    ],
)
async def test_a_query_without_records_fails_with_the_reason(rcode, error):
    house = House()
    async with NameServer(lambda question: [failed(question, rcode)]) as server:
        resolver(house, server.server).perform(QUERY)

        assert await house.hears() == LookupFailed(LookupId(7), "e164.arpa", error)


async def test_silence_costs_the_budget_and_no_more():
    house = House()
    async with NameServer(silence) as server:
        started = asyncio.get_running_loop().time()
        resolver(house, server.server, budget_ms=300).perform(QUERY)

        assert await house.hears() == LookupFailed(LookupId(7), "e164.arpa", DnsError.TIMEOUT)
        assert 0.29 < asyncio.get_running_loop().time() - started < 0.6
        assert len(server.asked) == 2


async def test_a_server_that_is_not_there_is_known_at_once():
    house = House()
    async with NameServer(silence) as gone:
        pass
    started = asyncio.get_running_loop().time()

    resolver(house, gone.server).perform(QUERY)

    assert await house.hears() == LookupFailed(LookupId(7), "e164.arpa", DnsError.TIMEOUT)
    assert asyncio.get_running_loop().time() - started < 0.2


async def test_the_next_server_is_asked_when_the_first_is_silent():
    house = House()
    async with NameServer(silence) as silent, NameServer(lambda question: [found(question)]) as good:
        resolver(house, silent.server, good.server).perform(QUERY)

        assert isinstance(await house.hears(), NaptrReceived)
        assert silent.asked == [NAME]


async def test_the_next_server_is_asked_when_the_first_cannot_answer():
    house = House()
    async with (
        NameServer(lambda question: [failed(question, dns.rcode.SERVFAIL)]) as broken,
        NameServer(lambda question: [found(question)]) as good,
    ):
        resolver(house, broken.server, good.server).perform(QUERY)

        assert isinstance(await house.hears(), NaptrReceived)


async def test_forged_answers_are_passed_over():
    def forged_and_true(question):
        forged = found(question, record='1 1 "u" "E2U+sip" "!^.*$!sip:thief@example.net!" .')
        forged.id = question.id ^ 1
        return [forged, found(question)]

    house = House()
    async with NameServer(forged_and_true) as server:
        resolver(house, server.server).perform(QUERY)

        said = await house.hears()

    assert isinstance(said, NaptrReceived)
    assert said.records == (OMA,)


async def test_an_answer_is_remembered_while_it_lives():
    house = House()
    async with NameServer(lambda question: [found(question)]) as server:
        driver = resolver(house, server.server)
        await driver.lookup("e164.arpa", NUMBER)
        await driver.lookup("E164.arpa", NUMBER)

        assert server.asked == [NAME]


@pytest.mark.parametrize(("soa_ttl_s", "questions"), [(60, 1), (0, 2), (None, 2)])
async def test_that_a_number_is_not_there_is_remembered_as_long_as_the_zone_says(soa_ttl_s, questions):
    house = House()
    async with NameServer(lambda question: [failed(question, dns.rcode.NXDOMAIN, soa_ttl_s=soa_ttl_s)]) as server:
        driver = resolver(house, server.server)
        await driver.lookup("e164.arpa", NUMBER)
        await driver.lookup("e164.arpa", NUMBER)

        assert len(server.asked) == questions


async def test_an_answer_without_a_life_is_not_remembered():
    house = House()
    async with NameServer(lambda question: [found(question, ttl_s=0)]) as server:
        driver = resolver(house, server.server)
        await driver.lookup("e164.arpa", NUMBER)
        await driver.lookup("e164.arpa", NUMBER)

        assert len(server.asked) == 2


async def test_octets_that_are_no_utf8_harm_nobody():
    house = House()
    odd = r'100 10 "u" "E2U+sip" "!^\255.*$!sip:a@example.net!" .'
    async with NameServer(lambda question: [found(question, record=odd)]) as server:
        said = await resolver(house, server.server).lookup("e164.arpa", NUMBER)

    assert said.records[0].regexp == "!^\xff.*$!sip:a@example.net!"


async def test_a_name_that_a_record_points_to_is_asked_within_the_same_lookup():
    def pointing(question):
        if question.question[0].name.to_text() == "provider.example.":
            return [found(question)]
        return [found(question, record='100 10 "" "" "" provider.example.')]

    house = House()
    async with NameServer(pointing) as server:
        resolver(house, server.server).perform(QUERY)

        said = await house.hears()

    assert isinstance(said, NaptrReceived)
    assert said.followed == (("provider.example.", (OMA,)),)


async def test_a_name_that_nobody_answers_for_in_time_is_told_as_such():
    def pointing(question):
        if question.question[0].name.to_text() == "provider.example.":
            return []
        return [found(question, record='100 10 "" "" "" provider.example.')]

    house = House()
    async with NameServer(pointing) as server:
        said = await resolver(house, server.server, budget_ms=200).lookup("e164.arpa", NUMBER)

    assert said.error is None
    assert said.followed == (("provider.example.", None),)


async def test_a_tree_that_must_be_proven_is_not_believed_unproven():
    house = House()
    async with NameServer(lambda question: [found(question)]) as server:
        resolver(house, server.server, dnssec={"E164.arpa.": "require"}).perform(QUERY)

        assert await house.hears() == LookupFailed(LookupId(7), "e164.arpa", DnsError.UNPROVEN)


async def test_a_closed_driver_tells_nothing_more():
    house = House()
    async with NameServer(silence) as server:
        before = asyncio.all_tasks()
        driver = resolver(house, server.server, budget_ms=60_000)
        driver.perform(QUERY)
        async with asyncio.timeout(PATIENCE_S):
            await server.is_asked.wait()
        lookups = asyncio.all_tasks() - before

        driver.close()
        await asyncio.wait(lookups, timeout=PATIENCE_S)

        assert house.hears_nothing
        assert asyncio.all_tasks() == before


async def test_the_systems_name_servers_are_read_anew_when_they_change(tmp_path: Path):
    house = House()
    resolv_conf = tmp_path / "resolv.conf"
    driver = DnsResolver(house.post, EnumConfig(budget_ms=200), resolv_conf=resolv_conf)
    driver.open()

    driver.perform(QUERY)

    assert await house.hears() == DriverFailed(Driver.DNS, "no name server is known")
    assert await house.hears() == LookupFailed(LookupId(7), "e164.arpa", DnsError.TIMEOUT)

    resolv_conf.write_text("# of the network\nsearch example.org\nnameserver nonsense\nnameserver 127.99.99.99\n")
    driver.perform(QUERY)

    assert await house.hears() == DriverRecovered(Driver.DNS)
    assert isinstance(await house.hears(), LookupFailed)


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("192.0.2.1", Server("192.0.2.1", 53)),
        ("192.0.2.1:5353", Server("192.0.2.1", 5353)),
        ("2001:db8::1", Server("2001:db8::1", 53)),
        ("[2001:db8::1]", Server("2001:db8::1", 53)),
        ("[2001:db8::1]:5353", Server("2001:db8::1", 5353)),
        ("tls://192.0.2.1", Server("192.0.2.1", 853, certified="192.0.2.1")),
        ("tls://[2001:db8::1]:8853#dns.example.net", Server("2001:db8::1", 8853, certified="dns.example.net")),
    ],
)
def test_a_name_server_is_an_address_with_or_without_a_port(text, server):
    assert parse_server(text) == server


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ns.example.org",
        "192.0.2.1:",
        "192.0.2.1:0",
        "192.0.2.1:65536",
        "[192.0.2",
        "192.0.2.1#dns.example",
        "tls://192.0.2.1#",
    ],
)
def test_what_is_no_address_of_a_name_server_is_refused_with_the_cure(text):
    with pytest.raises(DriverError) as refusal:
        resolver(House(), text)

    assert "192.0.2.1:53" in refusal.value.cure


def test_a_tree_that_is_no_domain_name_is_refused():
    with pytest.raises(DriverError, match="not a domain name"):
        resolver(House(), trees=("e164..arpa",))


def test_what_is_no_number_is_not_asked_for_and_the_report_says_what_was_meant():
    report = look_up("+44-1632-960083", EnumConfig(servers=("127.99.99.99",)))

    assert report.as_json()["error"] == "not-e164"
    assert "did you mean +441632960083?" in report.as_text()
    assert not report.found


def test_a_report_without_a_tree_is_refused():
    with pytest.raises(DriverError, match="no ENUM tree"):
        look_up("+4930123456", EnumConfig(trees=()))
