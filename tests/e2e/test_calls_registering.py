# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A line: how the phone registers with a real registrar, and what it does when that fails."""

from pathlib import Path

import pytest

from tests.lab.addresses import Addresses
from tests.lab.capture import Capture
from tests.lab.certificates import Authority
from tests.lab.kamailio import Kamailio
from tests.lab.phone import Line, Phone, Setup
from tests.lab.town import Town, Transport


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_a_line_registers_by_digest_and_leaves_when_the_phone_stops(town: Town, transport: Transport) -> None:
    oma = town.phone("oma", line=transport)

    line = oma.status["lines"][0]
    assert (line["registered"], line["status"], line["reason"]) == (True, 200, "OK")
    assert line["expires_s"] > 0
    assert len(town.exchange.contacts("oma")) == 1

    assert oma.stops() == 0
    assert town.exchange.contacts("oma") == []


def test_a_wrong_password_is_said_in_plain_words(tmp_path: Path, addresses: Addresses, exchange: Kamailio) -> None:
    line = Line(exchange.address, "oma", "not her password")
    with Phone(tmp_path, addresses.fresh(), "oma", Setup(lines=[line])) as oma:
        oma.until(lambda status: status["lines"][0]["status"], "hears from the registrar")

        assert not oma.status["lines"][0]["registered"]
        assert "Wrong password" in oma.screen()
        assert oma.program
        assert "not her password" not in oma.program.log.read_text()


def test_a_password_is_never_seen_on_the_wire(town: Town, wire: Capture) -> None:
    town.phone("oma", line="udp")

    register = wire.messages.until(lambda m: m.method == "REGISTER" and bool(m.header("authorization")), "the digest")
    assert town.exchange.users["oma"] not in str(register.headers)


def test_a_registrar_whose_certificate_nobody_vouches_for_gets_no_registration(
    tmp_path: Path, addresses: Addresses, exchange: Kamailio
) -> None:
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    line = Line(exchange.address, "oma", "omapw", transport="tls")
    with Phone(tmp_path, addresses.fresh(), "oma", Setup(lines=[line], ca=Authority(stranger).ca)) as oma:
        oma.until(lambda status: status["lines"][0]["status"], "gives up the first attempt", within_s=10)

        assert not oma.status["lines"][0]["registered"]
        assert "Bad certificate" in oma.screen()
    assert exchange.contacts("oma") == []


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_a_line_sees_its_registrar_go_and_is_back_soon_after_it(
    tmp_path: Path, addresses: Addresses, authority: Authority, transport: Transport
) -> None:
    with Kamailio(tmp_path, addresses.fresh(), {"oma": "omapw"}, authority) as exchange:
        line = Line(exchange.address, "oma", "omapw", transport=transport)
        with Phone(tmp_path, addresses.fresh(), "oma", Setup(lines=[line], ca=authority.ca)) as oma:
            oma.is_registered()

            exchange.stops()

            oma.until(lambda status: not status["lines"][0]["registered"], "misses the registrar", within_s=10)

            exchange.starts()

            oma.is_registered(within_s=12)
            assert len(exchange.contacts("oma")) == 1


def test_a_line_finds_a_registrar_that_starts_after_the_phone(
    tmp_path: Path, addresses: Addresses, authority: Authority
) -> None:
    with Kamailio(tmp_path, addresses.fresh(), {"oma": "omapw"}, authority) as exchange:
        exchange.stops()
        line = Line(exchange.address, "oma", "omapw", transport="udp")
        with Phone(tmp_path, addresses.fresh(), "oma", Setup(lines=[line])) as oma:
            assert not oma.status["lines"][0]["registered"]

            exchange.starts()

            oma.is_registered(within_s=12)
