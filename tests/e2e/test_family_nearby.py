# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Members find each other on the local network, when nothing and nobody could tell them where they are."""

import asyncio
import contextlib
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from omafon.drivers.lan.discovery import Announcement
from omafon.drivers.lan.neighbours import SERVICE
from tests.lab.addresses import Addresses
from tests.lab.kin import PORT, Household, Kin, related
from tests.lab.street import House, Street

TCP_LISTEN, UDP_BOUND = "0A", "07"  # as /proc/net has it


@pytest.fixture
def household(tmp_path: Path, addresses: Addresses) -> Iterator[Household]:
    with Household(tmp_path, addresses) as household:
        yield household


@pytest.fixture
def street() -> Iterator[Street]:
    with Street() as street:
        yield street


def move(house: House, before: str, after: str) -> None:
    house.loses(before)
    house.gets(after)


def knows_its_address(kin: Kin, address: str) -> None:
    kin.phone.errands.until(
        lambda errand: errand["what"].startswith("network changed") and address in errand["what"],
        f"is at {address}",
        within_s=10,
    )


@pytest.mark.parametrize(
    ("his", "hers", "his_later", "hers_later"),
    [("10.9.0.2", "10.9.0.3", "10.9.0.66", "10.9.0.77"), ("fd09::2", "fd09::3", "fd09::66", "fd09::77")],
    ids=["IPv4", "IPv6 alone"],
)
def test_two_phones_that_both_moved_while_the_cable_was_out_still_call_each_other(
    street: Street,
    household: Household,
    his: str,
    hers: str,
    his_later: str,
    hers_later: str,
    record_property: Callable[[str, object], None],
) -> None:
    length = 64 if ":" in his else 24
    at_ben, at_oma = street.house(f"{his}/{length}"), street.house(f"{hers}/{length}")
    ben, oma = household.of("ben", at=his, house=at_ben), household.of("oma", at=hers, house=at_oma)
    related(oma, ben)
    household.starts(oma, ben)
    ben.phone.errands.until(
        lambda errand: errand["what"].startswith(("member reached", "member spoke")), "knows oma", within_s=15
    )
    street.is_cut()
    move(at_ben, f"{his}/{length}", f"{his_later}/{length}")
    move(at_oma, f"{hers}/{length}", f"{hers_later}/{length}")
    knows_its_address(ben, his_later)
    knows_its_address(oma, hers_later)
    for phone in (ben.phone, oma.phone):
        phone.errands.until(lambda errand: errand["what"].startswith("member silent"), "is alone", within_s=20)
    street.is_mended()

    began = time.monotonic()
    ben.phone.dials(oma.number)
    oma.phone.is_called()

    record_property(
        "from the number to the bell of a phone that had to be found, ms", round(1000 * (time.monotonic() - began))
    )
    oma.phone.lifts()
    assert ben.phone.is_in_a_call()["srtp"] is True


def test_somebody_nearby_who_says_to_be_a_member_keeps_nobody_from_the_member(
    household: Household, addresses: Addresses
) -> None:
    oma, ben = household.of("oma"), household.of("ben")
    related(oma, ben)
    liar = addresses.fresh()

    with announced(ben.identity.id, liar):
        household.starts(oma, ben)
        oma.phone.dials(ben.number)
        ben.phone.is_called()

    assert liar not in str(oma.remembers())


def test_what_listens_and_what_does_not(street: Street, household: Household) -> None:
    alone, kept = street.house("10.9.0.2/24"), street.house("10.9.0.3/24")
    ben, oma = household.of("ben", at="10.9.0.2", house=alone), household.of("oma", at="10.9.0.3", house=kept)
    ben.knows()
    oma.knows(ben.as_member())

    household.starts(ben, oma)
    oma.phone.errands.until(lambda errand: "greet member" in str(errand), "is open for its family", within_s=10)

    # Lines are called out with by TLS, and by that nobody gets in.
    assert listening(alone) == ({5060}, False)
    assert listening(kept) == ({5060, PORT}, True)


def listening(house: House) -> tuple[set[int], bool]:
    """The TCP ports that anything listens at there, and whether anything hears multicast DNS."""
    sockets = [*house.inside, "cat", "/proc/net/tcp", "/proc/net/tcp6", "/proc/net/udp", "/proc/net/udp6"]
    rows = [
        line.split() for line in subprocess.run(sockets, capture_output=True, text=True, check=True).stdout.splitlines()
    ]
    ports = {(row[3], int(row[1].rpartition(":")[2], 16)) for row in rows if ":" in row[0]}
    return {port for state, port in ports if state == TCP_LISTEN}, (UDP_BOUND, 5353) in ports


@contextlib.contextmanager
def announced(name: str, address: str) -> Iterator[None]:
    """Somebody else under this name, at this address of the same machine."""
    loop = asyncio.new_event_loop()
    announcement = Announcement(SERVICE, name, PORT, address)
    try:
        loop.run_until_complete(announcement.__aenter__())
        yield
        loop.run_until_complete(announcement.__aexit__(None, None, None))
    finally:
        loop.close()
