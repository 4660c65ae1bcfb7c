# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Another [enum] and another phone book, while numbers are looked up."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from omafon.config import EnumConfig
from omafon.core.dialplan import E164
from omafon.core.events import DnsError, Event
from omafon.drivers.dns import DnsResolver
from tests.lab.nameserver import NameServer, found, silence

NUMBER, OTHER = E164("+4930123456"), E164("+4930654321")
TREE = "e164.arpa"


def enum(*servers: str, **more: object) -> EnumConfig:
    return EnumConfig(servers=servers, dnssec={TREE: "off", "b.example": "off"}, **more)  # type: ignore[arg-type]


def nobody_listens(_: Event) -> None: ...


@asynccontextmanager
async def a_resolver(config: EnumConfig, **more: float) -> AsyncIterator[DnsResolver]:
    resolver = DnsResolver(nobody_listens, config, **more)  # type: ignore[arg-type]
    resolver.open()
    try:
        yield resolver
    finally:
        resolver.close()
        # The sockets of what was given up are closed once the loop has gone round.
        for _ in range(3):
            await asyncio.sleep(0)


async def until_it_asks(server: NameServer, resolver: DnsResolver, number: E164 = NUMBER) -> None:
    """Look up until `server` is asked: a change is taken beside the loop."""
    async with asyncio.timeout(5.0):
        while not server.asked:
            await resolver.lookup(TREE, number)
            await asyncio.sleep(0.005)


async def test_other_servers_are_asked_and_what_the_old_ones_said_is_forgotten():
    async with (
        NameServer(lambda q: [found(q)]) as old,
        NameServer(lambda q: [found(q)]) as new,
        a_resolver(enum(old.server)) as resolver,
    ):
        await resolver.lookup(TREE, NUMBER)

        resolver.configure(enum(new.server))

        await until_it_asks(new, resolver)
        assert len(old.asked) == 1


async def test_who_waits_for_the_old_servers_meanwhile_gets_an_answer():
    async with (
        NameServer(silence) as old,
        NameServer(lambda q: [found(q)]) as new,
        a_resolver(enum(old.server)) as resolver,
    ):
        asked = asyncio.create_task(resolver.lookup(TREE, NUMBER))
        await old.is_asked.wait()

        resolver.configure(enum(new.server))
        await until_it_asks(new, resolver, OTHER)

        assert (await asked).error is DnsError.TIMEOUT
        assert (await resolver.lookup(TREE, NUMBER)).error is None


async def test_another_tree_keeps_what_is_known_of_the_first():
    async with NameServer(lambda q: [found(q)]) as server, a_resolver(enum(server.server)) as resolver:
        await resolver.lookup(TREE, NUMBER)

        resolver.configure(enum(server.server, trees=(TREE, "b.example")))
        await resolver.lookup("b.example", NUMBER)
        known = await resolver.lookup(TREE, NUMBER)

        assert known.cached
        assert len(server.asked) == 2


async def test_a_new_phone_book_is_looked_up_before_it_is_called():
    async with NameServer(lambda q: [found(q)]) as server:
        config = enum(server.server, trees=(TREE,))
        async with a_resolver(config, prefetch_pace_s=0.01) as resolver, asyncio.timeout(5.0):
            resolver.configure(config, numbers=[OTHER])

            await server.is_asked.wait()
            assert server.asked[0].startswith("1.2.3.4.5.6")


@pytest.mark.parametrize("change", [{"ca": "/no/such/file"}, {"anchors": {TREE: "/no/such/file"}}])
async def test_a_file_that_is_gone_leaves_the_directory_as_it_was(change, caplog):
    async with NameServer(lambda q: [found(q)]) as server, a_resolver(enum(server.server)) as resolver:
        servers = ("tls://127.0.0.1",) if "ca" in change else (server.server,)
        resolver.configure(enum(*servers, **change))

        async with asyncio.timeout(5.0):
            while "stays as it was" not in caplog.text:
                await asyncio.sleep(0.005)
        assert (await resolver.lookup(TREE, NUMBER)).error is None


async def test_changing_the_directory_keeps_nobody_waiting():
    async with a_resolver(enum("127.0.0.1:9")) as resolver:
        before = time.monotonic()

        for port in range(20, 40):
            resolver.configure(enum(f"127.0.0.1:{port}"))

        assert time.monotonic() - before < 0.05
