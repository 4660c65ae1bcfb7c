# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What the call engine reads out of headers, addresses and card names."""

import pytest

from omafon.drivers.sip.calls import host, parse_party
from omafon.drivers.sip.voice import best_name

PI = (
    "default",
    "sysdefault:CARD=Speaker",
    "hw:CARD=Speaker,DEV=0",
    "plughw:CARD=Speaker,DEV=0",
    "sysdefault:CARD=Handset",
    "hw:CARD=Handset,DEV=0",
    "plughw:CARD=Handset,DEV=0",
    "plughw:CARD=Handset2,DEV=0",
)


@pytest.mark.parametrize(
    ("header", "name", "uri"),
    [
        ('"Oma" <sip:oma@example.net>;tag=1', "Oma", "sip:oma@example.net"),
        ("Oma Erna <sip:oma@example.net>", "Oma Erna", "sip:oma@example.net"),
        ("<sip:oma@example.net;user=phone>", "", "sip:oma@example.net;user=phone"),
        ("sip:oma@example.net;tag=1", "", "sip:oma@example.net"),
        (r'"O\"ma\\" <sip:oma@example.net>', r'O"ma' + "\\", "sip:oma@example.net"),
        ('"Bad\u202ename\x07" <sip:oma@example.net>', "Badname", "sip:oma@example.net"),
        ("", "", ""),
    ],
)
def test_a_from_header_is_a_name_and_an_address(header: str, name: str, uri: str) -> None:
    assert parse_party(header) == (name, uri)


def test_a_name_is_no_longer_than_a_screen_could_ever_show() -> None:
    assert len(parse_party(f'"{"x" * 1000}" <sip:oma@example.net>')[0]) == 64


def test_a_source_is_an_address_without_its_port() -> None:
    assert host("192.0.2.1:5060") == "192.0.2.1"
    assert host("[2001:db8::1]:5060") == "2001:db8::1"


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("CARD=Handset", "plughw:CARD=Handset,DEV=0"),
        ("Handset", "plughw:CARD=Handset,DEV=0"),
        ("hw:CARD=Handset,DEV=0", "hw:CARD=Handset,DEV=0"),
        ("default", "default"),
        ("", "plughw:CARD=Speaker,DEV=0"),
        ("CARD=Hand", None),
        ("CARD=.*", None),
        ("nosuch", None),
    ],
)
def test_a_card_is_found_by_its_id(wanted: str, name: str | None) -> None:
    assert best_name(wanted, PI) == name


def test_a_machine_without_cards_has_no_first_one() -> None:
    assert best_name("", ("default", "pulse", "jack")) is None
