# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A phone whose address changes while it runs, as a DSL line's does at night, goes on belonging to its family."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.addresses import Addresses
from tests.lab.kin import Household, Kin, related
from tests.lab.street import House, Street
from tests.lab.voice import Saying


@pytest.fixture
def household(tmp_path: Path, addresses: Addresses) -> Iterator[Household]:
    with Household(tmp_path, addresses) as household:
        yield household


@pytest.fixture
def street() -> Iterator[Street]:
    with Street() as street:
        yield street


def moved(house: House, before: str, after: str) -> None:
    house.loses(before)
    house.gets(after)


def met(kin: Kin, since: float) -> None:
    """Wait until it has heard of its family after this Unix time."""
    kin.phone.errands.until(
        lambda errand: errand["at"] > since and errand["what"].startswith(("member reached", "member spoke")),
        "hears of its family",
        within_s=20,
    )


@pytest.mark.parametrize(
    ("his", "hers", "later"),
    [("10.9.0.2", "10.9.0.3", "10.9.0.77"), ("fd09::2", "fd09::3", "fd09::77")],
    ids=["IPv4", "IPv6 alone"],
)
def test_a_new_address_is_told_and_called(
    street: Street, household: Household, his: str, hers: str, later: str
) -> None:
    length = 64 if ":" in his else 24
    there = street.house(f"{hers}/{length}")
    ben = household.of("ben", at=his, house=street.house(f"{his}/{length}"))
    oma = household.of("oma", at=hers, house=there)
    related(oma, ben)
    household.starts(oma, ben)
    met(ben, since=0.0)

    since = time.time()
    moved(there, f"{hers}/{length}", f"{later}/{length}")
    met(ben, since)
    ben.phone.dials(oma.number)

    oma.phone.is_called()
    oma.phone.lifts()
    assert ben.phone.is_in_a_call()["srtp"] is True


def test_a_conversation_goes_on_at_a_new_address(street: Street, household: Household) -> None:
    there = street.house("10.9.0.3/24")
    ben = household.of("ben", at="10.9.0.2", house=street.house("10.9.0.2/24"))
    oma = household.of("oma", at="10.9.0.3", house=there)
    related(oma, ben)
    household.starts(oma, ben)
    assert oma.phone.card
    assert ben.phone.card
    oma.phone.dials(ben.number)
    ben.phone.is_called()
    ben.phone.lifts()
    oma.phone.is_in_a_call()
    ben.phone.is_in_a_call()

    moved(there, "10.9.0.3/24", "10.9.0.77/24")
    oma.phone.errands.until(lambda errand: "move calls" in errand["actions"], "moves its call", within_s=10)

    assert Saying(oma.phone.card, 1000).heard_by(ben.phone.card).frequency_hz == pytest.approx(1000, abs=2)
    assert Saying(ben.phone.card, 440).heard_by(oma.phone.card).frequency_hz == pytest.approx(440, abs=2)

    ben.phone.replaces()

    oma.phone.errands.until(lambda errand: errand["what"].startswith("call ended"), "hears the end", within_s=10)
