# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Name servers that are old, broken or mean: a lookup ends in time, and with a reason."""

import asyncio

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from omafon.config import EnumConfig
from omafon.core.dialplan import E164
from omafon.core.events import DnsError, Event
from omafon.drivers.dns import DnsResolver, Lookup
from tests.lab.nameserver import Answering, NameServer, failed, found, silence

NUMBER = E164("+4930123456")
TREE = "e164.arpa"


def nobody_listens(event: Event) -> None:
    """Where no house is."""


async def ask(answering: Answering, *, budget_ms: int = 800, policy: str = "off") -> tuple[Lookup, NameServer]:
    async with NameServer(answering) as server:
        enum = EnumConfig(servers=(server.server,), budget_ms=budget_ms, dnssec={TREE: policy})
        resolver = DnsResolver(nobody_listens, enum)
        resolver.open()
        try:
            return await resolver.lookup(TREE, NUMBER), server
        finally:
            resolver.close()


async def test_a_server_older_than_edns_is_asked_without_it():
    def old(question):
        return [failed(question, dns.rcode.FORMERR) if question.edns >= 0 else found(question)]

    said, _ = await ask(old)

    assert len(said.records) == 1


async def test_an_answer_cut_short_is_a_failure_where_nobody_answers_by_tcp():
    def truncating(question):
        answer = found(question)
        answer.flags |= dns.flags.TC
        return [answer]

    said, _ = await ask(truncating)

    assert said.error in (DnsError.TIMEOUT, DnsError.SERVFAIL)
    assert said.records == ()


async def test_aliases_that_lead_in_a_circle_are_followed_for_a_while_only():
    def circling(question):
        answer = dns.message.make_response(question)
        name = question.question[0].name
        answer.answer.append(dns.rrset.from_text(name, 60, "IN", "CNAME", "a.example."))
        answer.answer.append(dns.rrset.from_text("a.example.", 60, "IN", "CNAME", name.to_text()))
        return [answer]

    said, _ = await ask(circling)

    assert said.error is DnsError.SERVFAIL
    assert "more than 8 aliases" in said.detail


async def test_an_alias_that_grows_with_every_step_comes_to_its_end():
    def growing(question):
        answer = dns.message.make_response(question)
        answer.answer.append(dns.rrset.from_text("e164.arpa.", 60, "IN", "DNAME", "x." * 20 + "e164.arpa."))
        return [answer]

    said, _ = await ask(growing)

    assert said.error is DnsError.SERVFAIL


async def test_a_referral_is_no_answer():
    def referring(question):
        answer = dns.message.make_response(question)
        answer.authority.append(dns.rrset.from_text("arpa.", 60, "IN", "NS", "ns.example."))
        return [answer]

    said, _ = await ask(referring)

    assert said.error is DnsError.SERVFAIL
    assert "refers to others" in said.detail


@pytest.mark.parametrize("noise", [b"", b"\0", b"\xff" * 600, b"\0" * 12])
async def test_noise_is_passed_over_and_the_answer_found(noise: bytes):
    said, _ = await ask(lambda question: [noise, found(question)])

    assert len(said.records) == 1


async def test_the_answer_to_another_question_is_passed_over():
    def crossed(question):
        other = dns.message.make_query("example.net.", "NAPTR", id=question.id)
        return [found(other), found(question)]

    said, _ = await ask(crossed)

    assert said.error is None


async def test_an_answer_larger_than_asked_for_is_read():
    def large(question):
        answer = found(question)
        answer.additional.append(dns.rrset.from_text("x.example.", 60, "IN", "TXT", *['"' + "x" * 250 + '"'] * 30))
        return [answer]

    said, _ = await ask(large)

    assert len(said.records) == 1


@pytest.mark.parametrize("policy", ["prefer", "require", "off"])
async def test_a_dead_tree_costs_less_than_half_of_the_budget(policy: str):
    began = asyncio.get_running_loop().time()

    async with NameServer(silence) as server:
        resolver = DnsResolver(nobody_listens, EnumConfig(servers=(server.server,), dnssec={TREE: policy}))
        resolver.open()
        said = await resolver.lookup(TREE, NUMBER)
        took_s = asyncio.get_running_loop().time() - began
        resolver.close()

    assert said.error is DnsError.TIMEOUT
    assert 0.39 < took_s < 0.5


async def test_an_answer_too_late_for_this_call_is_there_for_the_next():
    async with NameServer(lambda question: [found(question)] if len(server.asked) > 1 else []) as server:
        enum = EnumConfig(servers=(server.server,), budget_ms=100, dnssec={TREE: "off"})
        resolver = DnsResolver(nobody_listens, enum)
        resolver.open()
        first = await resolver.lookup(TREE, NUMBER)
        server.is_asked.clear()
        await asyncio.wait_for(server.is_asked.wait(), 5)
        second = await resolver.lookup(TREE, NUMBER)

    assert first.error is DnsError.TIMEOUT
    assert len(second.records) == 1
    assert len(server.asked) == 2


async def test_records_of_a_wrong_kind_are_not_taken_for_naptr():
    def confused(question):
        answer = dns.message.make_response(question)
        answer.answer.append(dns.rrset.from_text(question.question[0].name, 60, "IN", "TXT", '"sip:a@b"'))
        return [answer]

    said, _ = await ask(confused, policy="require")

    assert said.records == ()
    assert said.error is not None


async def test_a_question_asks_for_signatures_only_where_they_are_looked_at():
    asked: list[dns.message.Message] = []

    def listening(question):
        asked.append(question)
        return [found(question)]

    await ask(listening, policy="off")
    await ask(listening, policy="prefer")

    naptr = [question for question in asked if question.question[0].rdtype == dns.rdatatype.NAPTR]
    assert [bool(question.ednsflags & dns.flags.DO) for question in naptr] == [False, True]
    assert [bool(question.flags & dns.flags.CD) for question in naptr] == [False, True]
    assert all(question.payload == 1232 for question in naptr)
