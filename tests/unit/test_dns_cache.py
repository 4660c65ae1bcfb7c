# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What was asked once is known while it holds, and the phone book beforehand."""

import asyncio
from itertools import pairwise

import dns.rcode
import pytest

from omafon.config import EnumConfig
from omafon.core.dialplan import E164
from omafon.core.events import Event
from omafon.drivers.dns import DnsResolver
from omafon.drivers.dns.cache import Cache
from omafon.drivers.dns.prefetch import prefetch
from tests.lab.nameserver import NameServer, failed, found

OMA, OPA = E164("+4930123456"), E164("+4930123457")
TREE = "e164.arpa"
OMAS_NAME = "6.5.4.3.2.1.0.3.9.4.e164.arpa."


def nobody_listens(event: Event) -> None:
    """Where no house is."""


def enum(server: NameServer, *trees: str) -> EnumConfig:
    trees = trees or (TREE,)
    return EnumConfig(trees=trees, servers=(server.server,), dnssec=dict.fromkeys(trees, "off"))


def test_a_value_is_kept_until_its_time():
    cache: Cache[str, int] = Cache(2)
    cache.keep("a", 1, until=10.0)

    assert cache.get("a", 9.9) == 1
    assert cache.left_s("a", 9.0) == 1.0
    assert cache.get("a", 10.0) is None
    assert cache.left_s("b", 0.0) == 0


def test_a_full_cache_forgets_what_was_used_longest_ago():
    cache: Cache[str, int] = Cache(2)
    cache.keep("a", 1, until=10.0)
    cache.keep("b", 2, until=10.0)
    cache.get("a", 1.0)

    cache.keep("c", 3, until=10.0)

    assert [cache.get(key, 1.0) for key in "abc"] == [1, None, 3]


async def test_a_cached_answer_says_so_and_for_how_long():
    async with NameServer(lambda question: [found(question, ttl_s=60)]) as server:
        resolver = DnsResolver(nobody_listens, enum(server))
        resolver.open()
        fresh = await resolver.lookup(TREE, OMA)
        known = await resolver.lookup(TREE, OMA)

    assert (fresh.cached, fresh.ttl_s) == (False, 60)
    assert known.cached
    assert 59 < known.ttl_s < 60


@pytest.mark.parametrize(("soa_ttl_s", "held_s"), [(600, 600), (86_400, 3600)])
async def test_that_a_number_is_not_there_is_believed_for_an_hour_at_most(soa_ttl_s: int, held_s: int):
    async with NameServer(lambda question: [failed(question, dns.rcode.NXDOMAIN, soa_ttl_s=soa_ttl_s)]) as server:
        resolver = DnsResolver(nobody_listens, enum(server))
        resolver.open()

        assert (await resolver.lookup(TREE, OMA)).ttl_s == held_s


async def test_a_failure_is_believed_for_half_a_minute():
    async with NameServer(lambda question: [failed(question, dns.rcode.SERVFAIL)]) as server:
        resolver = DnsResolver(nobody_listens, enum(server))
        resolver.open()
        await resolver.lookup(TREE, OMA)
        again = await resolver.lookup(TREE, OMA)

    assert again.cached
    assert again.ttl_s <= 30
    assert len(server.asked) == 1


async def test_who_asks_for_the_same_at_the_same_time_shares_one_question():
    async with NameServer(lambda question: [found(question)]) as server:
        resolver = DnsResolver(nobody_listens, enum(server))
        resolver.open()

        answers = await asyncio.gather(*(resolver.lookup(TREE, OMA) for _ in range(5)))

    assert len(server.asked) == 1
    assert all(len(answer.records) == 1 for answer in answers)


async def test_the_phone_book_is_looked_up_before_anybody_calls():
    async with NameServer(lambda question: [found(question)]) as server:
        resolver = DnsResolver(nobody_listens, enum(server), numbers=(OMA, OPA), prefetch_pace_s=0.01)
        resolver.open()
        while len(server.asked) < 2:
            server.is_asked.clear()
            await asyncio.wait_for(server.is_asked.wait(), 5)

        said = await resolver.lookup(TREE, OMA)

        assert said.cached
        assert server.asked[0] == OMAS_NAME
        resolver.close()


async def test_prefetching_goes_at_its_pace_and_comes_back_before_answers_run_out():
    loop = asyncio.get_running_loop()
    asked: list[tuple[float, str]] = []
    enough = asyncio.Event()

    async def refresh(tree: str, number: E164) -> float:
        asked.append((loop.time(), number))
        if len(asked) == 3:
            enough.set()
        return 60.0

    quietly = asyncio.create_task(prefetch(refresh, [(TREE, OMA), (TREE, OPA), ("other", OMA)], pace_s=0.05))
    await asyncio.wait_for(enough.wait(), 5)
    quietly.cancel()

    assert [number for _, number in asked] == [OMA, OPA, OMA]
    assert all(later - sooner >= 0.045 for (sooner, _), (later, _) in pairwise(asked))


async def test_an_empty_phone_book_asks_nobody():
    await prefetch(lambda tree, number: pytest.fail("asked"), [])
