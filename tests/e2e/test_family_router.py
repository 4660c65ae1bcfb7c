# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A phone behind a router that lets nothing in, and is nobody's to set up: it still is called by its family."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from omafon.core.memory import Address, Reach
from tests.lab.addresses import Addresses
from tests.lab.kin import PORT, Household, Kin, related
from tests.lab.program import Program
from tests.lab.street import Router, Street
from tests.lab.voice import Saying


@dataclass
class Apart:
    """Ben at home behind the router, Oma at an address of the whole world; they have met."""

    ben: Kin
    oma: Kin
    router: Router


@pytest.fixture
def apart(tmp_path: Path, addresses: Addresses) -> Iterator[Apart]:
    with Street() as world, Street() as home, Household(tmp_path, addresses) as household:
        router = Router(inside=(home, "192.168.7.1/24"), outside=(world, "198.51.100.7/24"))
        at_ben = home.house("192.168.7.2/24")
        at_ben.goes_by("192.168.7.1")
        ben = household.of("ben", at="192.168.7.2", house=at_ben)
        oma = household.of("oma", at="198.51.100.9", house=world.house("198.51.100.9/24"))
        related(oma, ben)
        household.starts(oma, ben)
        hears(oma, "member spoke", since=0.0)
        yield Apart(ben, oma, router)


def hears(kin: Kin, what: str, since: float) -> None:
    kin.phone.errands.until(
        lambda errand: errand["at"] > since and errand["what"].startswith(what), f"hears: {what}", within_s=20
    )


def test_it_is_called_by_the_connection_that_it_opened_itself(
    apart: Apart, record_property: Callable[[str, object], None]
) -> None:
    ben, oma = apart.ben.phone, apart.oma.phone
    assert ben.card
    assert oma.card

    began = time.monotonic()
    oma.dials(apart.ben.number)
    ben.is_called()
    record_property("from the number to the bell behind a router, ms", round(1000 * (time.monotonic() - began)))
    ben.lifts()
    assert oma.is_in_a_call()["srtp"] is True
    ben.is_in_a_call()

    assert Saying(ben.card, 440).heard_by(oma.card).frequency_hz == pytest.approx(440, abs=2)
    assert Saying(oma.card, 1000).heard_by(ben.card).frequency_hz == pytest.approx(1000, abs=2)
    since = time.time()
    oma.replaces()
    hears(apart.ben, "call ended", since)


def test_it_calls_after_the_router_got_another_address_and_told_nobody(apart: Apart) -> None:
    apart.router.is_reconnected("198.51.100.8/24")

    apart.ben.phone.dials(apart.oma.number)

    apart.oma.phone.is_called()
    apart.oma.phone.lifts()
    assert apart.ben.phone.is_in_a_call()["srtp"] is True


def test_it_is_called_once_it_has_spoken_from_the_new_address(apart: Apart) -> None:
    apart.router.is_reconnected("198.51.100.8/24")
    since = time.time()
    apart.ben.phone.dials(apart.oma.number)
    apart.oma.phone.is_called()
    apart.ben.phone.replaces()
    hears(apart.oma, "call ended", since)
    apart.oma.phone.is_idle()

    apart.oma.phone.dials(apart.ben.number)

    apart.ben.phone.is_called()


def test_two_behind_routers_hear_each_other_with_stun_where_one_lets_the_call_in(
    tmp_path: Path, addresses: Addresses
) -> None:
    with (
        Street() as world,
        Street() as his_home,
        Street() as her_home,
        Household(tmp_path, addresses) as household,
        stun_server(world, "198.51.100.53") as stun,
    ):
        Router(inside=(his_home, "192.168.7.1/24"), outside=(world, "198.51.100.7/24"))
        hers = Router(inside=(her_home, "192.168.8.1/24"), outside=(world, "198.51.100.8/24"))
        hers.opens(PORT, to="192.168.8.2")
        at_ben, at_oma = his_home.house("192.168.7.2/24"), her_home.house("192.168.8.2/24")
        at_ben.goes_by("192.168.7.1")
        at_oma.goes_by("192.168.8.1")
        ben = household.of("ben", at="192.168.7.2", house=at_ben, stun=stun)
        oma = household.of("oma", at="192.168.8.2", house=at_oma, stun=stun)
        ben.knows(oma.as_member(at=[Address("198.51.100.8", PORT, Reach.IPV4)]))
        oma.knows(ben.as_member())
        household.starts(oma, ben)

        ben.phone.dials(oma.number)
        oma.phone.is_called()
        oma.phone.lifts()
        ben.phone.is_in_a_call()
        oma.phone.is_in_a_call()

        assert is_heard_in_the_end(ben, oma, 440)
        assert is_heard_in_the_end(oma, ben, 1000)


def is_heard_in_the_end(here: Kin, there: Kin, tone_hz: int) -> bool:
    """Both routers have to be gone through first: that takes up to a second of the call."""
    assert here.phone.card
    assert there.phone.card
    for _ in range(4):
        if Saying(here.phone.card, tone_hz).heard_by(there.phone.card).frequency_hz == pytest.approx(tone_hz, abs=2):
            return True
    return False


@contextmanager
def stun_server(world: Street, address: str) -> Iterator[str]:
    command = [*world.house(f"{address}/24").inside, sys.executable, "-m", "tests.lab.stun", address]
    folder = Path(__file__).parents[2]
    with Program(command, package="nothing: run ./dev test", folder=folder, name="stun") as server:
        server.until_says("ready")
        yield f"{address}:3478"
