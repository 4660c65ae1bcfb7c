# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Dead trees cost three calls their patience, and then nobody's."""

import asyncio
import logging

import dns.message
import dns.rcode
import pytest

from omafon.config import EnumConfig
from omafon.core.dialplan import E164
from omafon.core.events import DnsError, Event
from omafon.drivers.dns import DnsResolver
from omafon.drivers.dns.health import SILENCE_SKIPPED_S, SKIPPED_S, Health
from tests.lab.nameserver import NameServer, failed, found

NUMBER = E164("+4930123456")
TREE = "e164.arpa"


def nobody_listens(event: Event) -> None:
    """Where no house is."""


def three_failures(health: Health) -> bool:
    return [health.failed(TREE, float(began), began + 0.4) for began in range(3)][-1]


def test_a_tree_is_skipped_after_three_failures_in_a_row():
    health = Health()

    assert not health.failed(TREE, 0.0, 0.4)
    assert not health.failed(TREE, 1.0, 1.4)
    assert health.skipped_s(TREE, 2.0) == 0
    assert health.failed(TREE, 2.0, 2.4)

    health.blame(TREE, 2.4, heard_at=2.3)
    assert health.skipped_s(TREE, 2.4) == SKIPPED_S
    assert health.skipped_s(TREE, 2.4 + SKIPPED_S) == 0


def test_an_answer_between_them_makes_it_a_new_count():
    health = Health()
    health.failed(TREE, 0.0, 0.4)
    health.failed(TREE, 1.0, 1.4)

    health.answered(TREE)

    assert not health.failed(TREE, 3.0, 3.4)
    assert health.skipped_s(TREE, 3.4) == 0


def test_when_nobody_answers_anything_the_network_is_to_blame_and_soon_tried_again():
    health = Health()

    assert three_failures(health)
    health.blame(TREE, 2.4, heard_at=-10.0)

    assert health.skipped_s(TREE, 2.4) == pytest.approx(SILENCE_SKIPPED_S)


def test_a_tree_that_fails_once_more_after_its_time_is_skipped_again_at_once():
    health = Health()
    three_failures(health)
    health.blame(TREE, 2.4, heard_at=2.3)

    assert health.failed(TREE, 700.0, 700.4)
    health.blame(TREE, 700.4, heard_at=700.3)

    assert health.skipped_s(TREE, 700.4) == pytest.approx(SKIPPED_S)


def test_other_name_servers_begin_anew():
    health = Health()
    three_failures(health)

    health.forget()

    assert health.skipped_s(TREE, 2.5) == 0


def test_the_story_of_a_dead_tree_is_told_once(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO, "omafon")
    health = Health()

    three_failures(health)
    health.blame(TREE, 2.4, heard_at=2.3)
    health.failed(TREE, 700.0, 700.4)
    health.blame(TREE, 700.4, heard_at=700.3)
    health.answered(TREE)

    assert caplog.messages == [
        "the tree e164.arpa did not answer 3 times: e164.arpa is skipped for 600 s",
        "the tree e164.arpa answers again",
    ]


def of_a_dying_tree(question: dns.message.Message) -> list[dns.message.Message]:
    """Answers for one number, and for everything that is not in the tree."""
    name = question.question[0].name.to_text()
    if not name.endswith("e164.arpa."):
        return [failed(question, dns.rcode.REFUSED)]
    return [found(question)] if name.startswith("6.5.4.3.2.1.") else []


async def test_a_skipped_tree_is_not_asked_and_costs_nothing():
    async with NameServer(of_a_dying_tree) as server:
        enum = EnumConfig(servers=(server.server,), budget_ms=50, dnssec={TREE: "off"})
        resolver = DnsResolver(nobody_listens, enum)
        resolver.open()
        await resolver.lookup(TREE, NUMBER)
        for last in range(3):
            await resolver.lookup(TREE, E164(f"+49301{last}"))
        began = asyncio.get_running_loop().time()

        said = await resolver.lookup(TREE, E164("+4930199"))
        known = await resolver.lookup(TREE, NUMBER)

        assert asyncio.get_running_loop().time() - began < 0.02
        assert said.error is DnsError.TIMEOUT
        assert "skipped for" in said.detail
        assert not any(name.startswith("9.9.1.") for name in server.asked)
        assert known.cached
        assert len(known.records) == 1
        resolver.close()


async def test_a_tree_whose_server_fails_quickly_is_not_dead():
    async with NameServer(lambda question: [failed(question, dns.rcode.SERVFAIL)]) as server:
        resolver = DnsResolver(nobody_listens, EnumConfig(servers=(server.server,), dnssec={TREE: "off"}))
        resolver.open()

        said = [await resolver.lookup(TREE, E164(f"+49301{last}")) for last in range(4)]

        assert {lookup.error for lookup in said} == {DnsError.SERVFAIL}
        assert len(server.asked) == 4
        resolver.close()


async def test_one_dead_tree_does_not_keep_the_others_waiting():
    def half_dead(question):
        return [] if "dead" in question.question[0].name.to_text() else [found(question)]

    async with NameServer(half_dead) as server:
        enum = EnumConfig(
            trees=("dead.example", TREE), servers=(server.server,), dnssec={"dead.example": "off", TREE: "off"}
        )
        resolver = DnsResolver(nobody_listens, enum)
        resolver.open()
        began = asyncio.get_running_loop().time()
        dead = asyncio.create_task(resolver.lookup("dead.example", NUMBER))

        said = await resolver.lookup(TREE, NUMBER)

        assert asyncio.get_running_loop().time() - began < 0.1
        assert len(said.records) == 1
        assert (await dead).error is DnsError.TIMEOUT
        resolver.close()
