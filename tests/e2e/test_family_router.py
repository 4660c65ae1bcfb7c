# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A phone behind a router that lets nothing in, and is nobody's to set up: it still is called by its family."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.lab.addresses import Addresses
from tests.lab.kin import Household, Kin, related
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
