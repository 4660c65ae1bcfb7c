# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The peers of the laboratory among themselves: what a test of the phone relies on."""

from pathlib import Path

import pytest

from tests.lab.addresses import Addresses
from tests.lab.capture import Capture
from tests.lab.certificates import Authority
from tests.lab.heard import LabError
from tests.lab.kamailio import Kamailio
from tests.lab.program import needs
from tests.lab.town import Town, Transport


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_baresip_registers_and_calls_baresip_through_kamailio(town: Town, wire: Capture, transport: Transport) -> None:
    bob, carol = town.baresip("bob", line=transport), town.baresip("carol", line="udp")
    assert transport == "udp" or f"transport={transport}" in town.exchange.contacts("bob")[0]

    bob.calls(town.exchange.aor("carol"))
    assert carol.is_called() == town.exchange.aor("bob")
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
def test_linphone_registers_and_is_called_and_calls(town: Town, transport: Transport) -> None:
    bob, dave = town.baresip("bob", line="udp"), town.linphone("dave", line=transport)

    bob.calls(town.exchange.aor("dave"))
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

    bob.calls(town.exchange.aor("dave"))
    dave.is_called()
    dave.declines()
    assert bob.is_left() == "603 Decline"

    dave.calls(town.exchange.aor("bob"))
    bob.is_called()
    dave.hears_ringing()
    bob.answers()
    dave.is_in_a_call()
    bob.holds()
    dave.is_held()
    bob.hangs_up()
    dave.is_left()


def test_a_busy_baresip_says_486(town: Town) -> None:
    bob, carol = town.baresip("bob"), town.baresip("carol")

    bob.calls(carol.uri)
    carol.is_called()
    carol.is_busy()

    assert bob.is_left().startswith("486")


def test_two_baresips_encrypt_when_they_must(town: Town) -> None:
    bob = town.baresip("bob", srtp="mandatory", codecs=("pcma",))
    carol = town.baresip("carol", srtp="mandatory", codecs=("pcma",), answers="auto")

    bob.calls(carol.uri)
    bob.is_in_a_call()

    assert bob.media() == ("pcma/8000", True)


def test_a_sipp_scenario_calls(town: Town, wire: Capture) -> None:
    bob = town.baresip("bob", answers="auto")

    sipp = town.sipp("calls", target=bob.address, user="bob")

    bob.is_in_a_call()
    bob.is_left()
    sipp.succeeds()
    assert wire.request("INVITE", source=sipp.address).uri.startswith("sip:bob@")
    assert "m=audio" in wire.response(200, "INVITE", source=bob.address).body


def test_a_sipp_scenario_refuses(town: Town) -> None:
    bob, sipp = town.baresip("bob"), town.sipp("refuses", status="603 Decline")

    bob.calls(sipp.uri)
    sipp.succeeds()

    assert bob.is_left() == "603 Decline"


def test_the_registrar_goes_and_comes_back_without_its_memory(
    tmp_path: Path, addresses: Addresses, authority: Authority
) -> None:
    with (
        Kamailio(tmp_path, addresses.fresh(), {"bob": "bobpw"}, authority) as kamailio,
        Town(tmp_path, addresses, kamailio) as town,
    ):
        town.baresip("bob", line="udp")
        assert kamailio.contacts("bob")

        kamailio.stops()
        kamailio.starts()

        assert not kamailio.contacts("bob")


def test_a_missing_program_is_named_with_its_package() -> None:
    with pytest.raises(LabError, match="omafon-no-such-program is missing: apt install its-package"):
        needs("omafon-no-such-program", "its-package")
