# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The peers of the laboratory among themselves: what a test of the phone relies on."""

from pathlib import Path
from typing import Literal

import pytest

from tests.lab.addresses import Addresses
from tests.lab.baresip import Baresip
from tests.lab.capture import Capture
from tests.lab.certificates import Authority
from tests.lab.heard import LabError
from tests.lab.kamailio import Kamailio
from tests.lab.linphone import Linphone
from tests.lab.program import needs
from tests.lab.sipp import Sipp

Transport = Literal["udp", "tcp", "tls"]


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_baresip_registers_and_calls_baresip_through_kamailio(
    tmp_path: Path,
    addresses: Addresses,
    authority: Authority,
    exchange: Kamailio,
    wire: Capture,
    transport: Transport,
) -> None:
    with (
        Baresip(
            *(tmp_path, addresses.fresh(), "bob"),
            registrar=exchange.address,
            password="bobpw",
            transport=transport,
            ca=authority.ca,
        ) as bob,
        Baresip(tmp_path, addresses.fresh(), "carol", registrar=exchange.address, password="carolpw") as carol,
    ):
        assert f"transport={transport}" in exchange.contacts("bob")[0] or transport == "udp"

        bob.calls(exchange.aor("carol"))
        assert carol.is_called() == exchange.aor("bob")
        bob.hears_ringing()
        carol.answers()
        bob.is_in_a_call()
        assert bob.media() == ("opus/48000", False)

        bob.sends_dtmf("1#")
        assert carol.hears_dtmf() + carol.hears_dtmf() == "1#"

        bob.holds()
        carol.renegotiates()
        carol.hangs_up()
        bob.is_left()

    invite = wire.request("INVITE", target=carol.address)
    assert invite.transport == "udp"
    assert wire.response(180, "INVITE", source=carol.address).header("call-id") == invite.header("call-id")


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_linphone_registers_and_is_called_and_calls(
    tmp_path: Path, addresses: Addresses, authority: Authority, exchange: Kamailio, transport: Transport
) -> None:
    with (
        Baresip(tmp_path, addresses.fresh(), "bob", registrar=exchange.address, password="bobpw") as bob,
        Linphone(
            *(tmp_path, addresses.fresh(), "dave"),
            registrar=exchange.address,
            password="davepw",
            transport=transport,
            ca=authority.ca,
        ) as dave,
    ):
        bob.calls(exchange.aor("dave"))
        dave.is_called()
        dave.answers()
        bob.is_in_a_call()
        dave.sends_dtmf("5")
        assert bob.hears_dtmf() == "5"
        dave.holds()
        bob.renegotiates()
        dave.resumes()
        dave.hangs_up()
        bob.is_left()

        bob.calls(exchange.aor("dave"))
        dave.is_called()
        dave.declines()
        assert bob.is_left() == "603 Decline"

        dave.calls(exchange.aor("bob"))
        bob.is_called()
        dave.hears_ringing()
        bob.answers()
        dave.is_in_a_call()
        bob.holds()
        dave.is_held()
        bob.hangs_up()
        dave.is_left()


def test_a_busy_baresip_says_486(tmp_path: Path, addresses: Addresses) -> None:
    with (
        Baresip(tmp_path, addresses.fresh(), "bob") as bob,
        Baresip(tmp_path, addresses.fresh(), "carol") as carol,
    ):
        bob.calls(carol.uri)
        carol.is_called()
        carol.is_busy()

        assert bob.is_left().startswith("486")


def test_two_baresips_encrypt_when_they_must(tmp_path: Path, addresses: Addresses) -> None:
    with (
        Baresip(tmp_path, addresses.fresh(), "bob", srtp="mandatory", codecs=("pcma",)) as bob,
        Baresip(tmp_path, addresses.fresh(), "carol", srtp="mandatory", codecs=("pcma",), answers="auto") as carol,
    ):
        bob.calls(carol.uri)
        bob.is_in_a_call()

        assert bob.media() == ("pcma/8000", True)


def test_a_sipp_scenario_calls(tmp_path: Path, addresses: Addresses, wire: Capture) -> None:
    with Baresip(tmp_path, addresses.fresh(), "bob", answers="auto") as bob:
        with Sipp(tmp_path, "calls", addresses.fresh(), target=bob.address, user="bob") as sipp:
            bob.is_in_a_call()
            bob.is_left()
            sipp.succeeds()

        assert wire.request("INVITE", source=sipp.address).uri.startswith("sip:bob@")
        assert "m=audio" in wire.response(200, "INVITE", source=bob.address).body


def test_a_sipp_scenario_refuses(tmp_path: Path, addresses: Addresses) -> None:
    with (
        Baresip(tmp_path, addresses.fresh(), "bob") as bob,
        Sipp(tmp_path, "refuses", addresses.fresh(), status="603 Decline") as sipp,
    ):
        bob.calls(sipp.uri)
        sipp.succeeds()

        assert bob.is_left() == "603 Decline"


def test_the_registrar_goes_and_comes_back_without_its_memory(
    tmp_path: Path, addresses: Addresses, authority: Authority
) -> None:
    with (
        Kamailio(tmp_path, addresses.fresh(), {"bob": "bobpw"}, authority) as kamailio,
        Baresip(tmp_path, addresses.fresh(), "bob", registrar=kamailio.address, password="bobpw"),
    ):
        assert kamailio.contacts("bob")

        kamailio.stops()
        kamailio.starts()

        assert not kamailio.contacts("bob")


def test_a_missing_program_is_named_with_its_package() -> None:
    with pytest.raises(LabError, match="omafon-no-such-program is missing: apt install its-package"):
        needs("omafon-no-such-program", "its-package")
