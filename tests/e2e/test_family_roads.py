# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A family whose phones live in different networks: behind a router, after a night's reconnection, without servers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.addresses import Addresses
from tests.lab.kamailio import Kamailio
from tests.lab.phone import Line, Phone
from tests.lab.street import Router, Street
from tests.lab.village import PORT, Village, begins_pairing, compares, family_of, pairs
from tests.lab.voice import Saying

OMA, BEN = "+4930123450", "+4930123451"


@pytest.fixture
def village(tmp_path: Path) -> Iterator[Village]:
    with Village(tmp_path) as village:
        yield village


@pytest.fixture
def street() -> Iterator[Street]:
    with Street() as street:
        yield street


@pytest.fixture
def internet() -> Iterator[Street]:
    with Street() as street:
        yield street


def speak(caller: Phone, called: Phone, number: str) -> None:
    """A call that is answered."""
    caller.dials(number)
    called.until(lambda status: status["ringing"], "rings", within_s=10)
    called.lifts()
    for phone in (caller, called):
        call = phone.is_in_a_call()
        assert (call["route"], call["srtp"]) == ("family", True)


def hang_up(*phones: Phone) -> None:
    for phone in phones:
        phone.replaces()
    for phone in phones:
        phone.is_idle()


def hear(one: Phone, other: Phone) -> None:
    assert one.card
    assert other.card
    there, back = Saying(one.card, 1000), Saying(other.card, 440)
    assert there.heard_by(other.card).frequency_hz == pytest.approx(1000, abs=2)
    assert back.heard_by(one.card).frequency_hz == pytest.approx(440, abs=2)


def test_a_phone_that_was_carried_behind_a_router_belongs_to_its_family_every_morning(
    street: Street, internet: Street, village: Village
) -> None:
    router = Router((street, "192.168.1.1/24"), (internet, "93.184.216.10/24"))
    router.opens(PORT, "192.168.1.2")
    hers = internet.house("93.184.216.30/24")
    oma, ben = village.phone(hers, "Oma", OMA), village.phone(internet.house("93.184.216.20/24"), "Ben", BEN)
    village.starts(oma, ben)
    pairs(oma, ben)

    hers.moves(street, "192.168.1.2/24")
    hers.goes_by("192.168.1.1")
    oma.errands.until(lambda errand: errand["what"].startswith("member reached"), "tells ben", within_s=20)
    speak(ben, oma, OMA)
    hear(ben, oma)

    # The nightly reconnection, of which her phone learns nothing: in the call, and while nobody calls.
    router.is_reconnected("93.184.216.11/24")
    hear(oma, ben)
    hang_up(oma, ben)
    router.is_reconnected("93.184.216.12/24")
    speak(oma, ben, BEN)
    hang_up(oma, ben)
    speak(ben, oma, OMA)
    hang_up(ben, oma)


def test_they_pair_and_call_where_there_is_nothing_but_ipv6(street: Street, village: Village) -> None:
    oma = village.phone(street.house("fd09::1/64"), "Oma", OMA)
    ben = village.phone(street.house("fd09::2/64"), "Ben", BEN)
    village.starts(oma, ben)

    pairs(oma, ben)

    speak(oma, ben, BEN)
    hear(oma, ben)
    hang_up(oma, ben)
    speak(ben, oma, OMA)


def test_without_registrar_name_servers_and_internet_the_family_calls(
    exchange: Kamailio, addresses: Addresses, village: Village
) -> None:
    line = Line(exchange.address, "oma", exchange.users["oma"])
    dead = {"enum": {"trees": ["e164.example"], "servers": [addresses.fresh()]}}
    oma = village.local(addresses.fresh(), "Oma", OMA, lines=[line], more=dead)
    ben = village.local(addresses.fresh(), "Ben", BEN, lines=[], more=dead)
    village.starts(oma, ben)
    oma.is_registered()
    pairs(oma, ben)

    exchange.stops()
    try:
        speak(oma, ben, BEN)
        hang_up(oma, ben)
        speak(ben, oma, OMA)
    finally:
        exchange.starts()


# Those who were not asked.


def test_who_stands_in_between_makes_the_digits_differ_and_gets_nobody_s_card(
    street: Street, internet: Street, village: Village
) -> None:
    oma = village.phone(street.house("10.9.1.2/24"), "Oma", OMA, has_card=False)
    ben = village.phone(internet.house("10.9.2.2/24"), "Ben", BEN, has_card=False)
    between = street.house("10.9.1.66/24")
    internet.reaches(between, "eth1")
    between.gets("10.9.2.66/24", "eth1")
    village.starts(oma, ben)

    begins_pairing(oma, ben)
    relay = village.attacker("relay", "10.9.1.66", "10.9.2.66", house=between)
    hers, his = compares(oma, ben)
    known = {relay.until_says("shows").rpartition(" ")[2] for _ in range(2)}

    assert known == {hers, his}
    assert hers != his
    for phone in (oma, ben):
        phone.presses("*")
    for phone in (oma, ben):
        phone.until(lambda status: (status["pairing"] or {}).get("failure"), "is not paired")
        assert family_of(phone) == []
    assert "card" not in relay.log.read_text()
