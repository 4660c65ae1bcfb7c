# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A Pi has no battery clock: what needs the time of day waits for it, says so, and goes on by itself."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.addresses import Addresses
from tests.lab.faketime import FakeTime
from tests.lab.kamailio import Kamailio
from tests.lab.phone import Line, Phone, Setup

SWITCHED_ON = "@1970-01-01 00:01:00"
REALLY = "+0"
SOON_S = 5.0


@pytest.fixture
def world(tmp_path: Path) -> FakeTime:
    """A machine that was just switched on, and nobody has told the time."""
    return FakeTime(tmp_path, SWITCHED_ON)


@pytest.fixture
def phone(tmp_path: Path, addresses: Addresses, exchange: Kamailio, world: FakeTime) -> Iterator[Phone]:
    """One with two lines, one by TLS and one without."""
    line = [
        Line(exchange.address, "oma", exchange.users["oma"], "tls", name="private"),
        Line(exchange.address, "opa", exchange.users["opa"], "udp", name="open"),
    ]
    with Phone(tmp_path, addresses.fresh(), "oma", Setup(lines=line, ca=exchange.ca, env=world.env)) as phone:
        yield phone


def lines(status: dict[str, object]) -> dict[str, tuple[bool, str]]:
    told = status["lines"]
    assert isinstance(told, list)
    return {line["name"]: (line["registered"], line["reason"]) for line in told}


def test_a_line_by_tls_waits_for_the_clock_and_then_registers_by_itself(phone, world):
    waiting = phone.until(lambda status: lines(status)["open"][0], "registers what needs no clock")
    assert lines(waiting)["private"] == (False, "waits until the clock is set")
    assert waiting["clock"] == {"set": False}
    assert "Clock is not set" in phone.screen()
    assert "--:--" in phone.screen()

    began = time.monotonic()
    world.is_(REALLY)
    status = phone.is_registered(within_s=SOON_S)

    assert time.monotonic() - began < SOON_S
    assert status["clock"] == {"set": True}
    assert "Registered" in phone.screen()


def test_a_clock_that_goes_on_where_it_stood_is_mended_by_the_jump(phone, world):
    # Long before the certificate of the exchange was made, and long after the firmware was.
    world.is_("-2h")
    phone.until(
        lambda status: lines(status)["private"][1] not in ("", "waits until the clock is set"),
        "refuses the certificate",
    )
    assert "Clock is not set" in phone.screen()

    world.is_(REALLY)
    phone.is_registered(within_s=SOON_S)
