# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Phones of one family call each other: no account, no directory, nobody between, and nobody else gets in."""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from omafon.core.memory import Address, Reach
from omafon.identity import identity
from tests.lab.addresses import Addresses
from tests.lab.capture import Datagrams
from tests.lab.kin import PORT, Household, Kin, related
from tests.lab.peer import Peer
from tests.lab.voice import Saying

# A connection to each of these is neither taken nor refused: nobody is there.
NOBODY = [f"192.0.2.{last}" for last in (101, 102, 103)]


@pytest.fixture
def household(tmp_path: Path, addresses: Addresses) -> Iterator[Household]:
    with Household(tmp_path, addresses) as household:
        yield household


# Calls.


def test_two_of_a_family_hear_each_other_and_nobody_else_does(
    household: Household, record_property: Callable[[str, object], None]
) -> None:
    oma, ben = household.of("oma", codecs=("pcma",)), household.of("ben", codecs=("pcma",))
    related(oma, ben)
    household.starts(oma, ben)
    assert oma.phone.card
    assert ben.phone.card

    with Datagrams(oma.phone.address, ben.phone.address) as voice:
        began = time.monotonic()
        oma.phone.dials(ben.number)
        ben.phone.is_called()
        record_property("from the number to the bell, ms", round((time.monotonic() - began) * 1000))
        assert "oma" in ben.phone.screen()
        ben.phone.lifts()
        for phone in (oma.phone, ben.phone):
            call = phone.is_in_a_call()
            assert (call["route"], call["tls"], call["srtp"]) == ("family", True, True)
        there, back = Saying(oma.phone.card, 1000), Saying(ben.phone.card, 440)
        assert there.heard_by(ben.phone.card).frequency_hz == pytest.approx(1000, abs=2)
        assert back.heard_by(oma.phone.card).frequency_hz == pytest.approx(440, abs=2)

    # 20 ms of G.711 are 12 + 160 bytes; what is more is the authentication tag, which plain RTP has none of.
    assert voice.sizes
    assert {size for size in voice.sizes if size > 150} == {12 + 160 + 10}


def test_it_goes_the_other_way_round_too(household: Household) -> None:
    oma, ben = household.of("oma"), household.of("ben")
    related(oma, ben)
    household.starts(oma, ben)
    oma.phone.dials(ben.number)
    ben.phone.is_called()
    oma.phone.replaces()
    ben.phone.is_idle()

    ben.phone.lifts()
    ben.phone.dials(oma.number)

    oma.phone.is_called()
    oma.phone.lifts()
    assert ben.phone.is_in_a_call()["route"] == "family"


def test_three_of_a_family_call_each_other(household: Household) -> None:
    oma, ben, eva = (household.of(name) for name in ("oma", "ben", "eva"))
    related(oma, ben, eva)
    household.starts(oma, ben, eva)

    for caller, called in ((oma, ben), (ben, eva), (eva, oma)):
        caller.phone.dials(called.number)
        called.phone.is_called()
        assert caller.phone.name in called.phone.screen()
        caller.phone.replaces()
        called.phone.is_idle()


def test_a_phone_without_a_number_is_called_by_its_own_name(household: Household) -> None:
    oma, ben = household.of("oma"), household.of("ben", number="")
    related(oma, ben)
    household.starts(oma, ben)

    oma.phone.dials(f"sip:{ben.identity.id}@family.invalid")

    ben.phone.is_called()


def test_it_works_by_ipv6_alone(household: Household) -> None:
    oma, ben = household.of("oma", at="::1", port=5061), household.of("ben", at="::1", port=5071)
    related(oma, ben)
    household.starts(oma, ben)
    assert oma.phone.card
    assert ben.phone.card

    oma.phone.dials(ben.number)
    ben.phone.is_called()
    ben.phone.lifts()
    oma.phone.is_in_a_call()
    ben.phone.is_in_a_call()

    assert Saying(oma.phone.card, 1000).heard_by(ben.phone.card).frequency_hz == pytest.approx(1000, abs=2)
    assert Saying(ben.phone.card, 440).heard_by(oma.phone.card).frequency_hz == pytest.approx(440, abs=2)


# Ways.


def test_dead_addresses_cost_a_quarter_of_a_second_each(
    household: Household, record_property: Callable[[str, object], None]
) -> None:
    oma, ben = household.of("oma"), household.of("ben")
    dead = tuple(Address(host, PORT, Reach.LAN, last_worked=1e9 - place) for place, host in enumerate(NOBODY))
    good = Address(ben.phone.address, PORT, Reach.IPV4)
    oma.knows(ben.as_member(at=(*dead, good)))
    ben.knows(oma.as_member())
    household.starts(oma, ben)

    began = time.monotonic()
    oma.phone.dials(ben.number)
    ben.phone.is_called()
    took_s = time.monotonic() - began

    record_property("after three dead addresses, ms", round(took_s * 1000))
    assert took_s < 2.0


def test_a_member_that_is_nowhere_is_told_in_words(household: Household) -> None:
    oma, ben = household.of("oma"), household.of("ben")
    related(oma, ben)
    household.starts(oma)

    oma.phone.dials(ben.number)

    oma.phone.is_("failed")
    assert "Not reachable" in oma.phone.screen()


def test_a_phone_that_moved_overnight_tells_the_others_and_is_called_there(household: Household) -> None:
    oma, ben = household.of("oma"), household.of("ben")
    related(oma, ben)
    household.starts(oma, ben)
    moved = household.moves(ben)
    household.starts(moved)
    oma.phone.errands.until(lambda errand: errand["what"].startswith("member spoke"), "hears from ben", within_s=10)

    oma.phone.dials(ben.number)

    moved.phone.is_called()


# Nobody else.


def test_nothing_listens_while_there_is_no_family(household: Household) -> None:
    oma = household.of("oma")
    oma.knows()
    household.starts(oma)

    with pytest.raises(ConnectionRefusedError), socket.create_connection((oma.phone.address, PORT), 2):
        pass


def test_who_was_never_paired_does_not_ring(household: Household) -> None:
    oma, ben, thief = household.of("oma"), household.of("ben"), household.of("thief")
    related(oma, ben)
    thief.knows(oma.as_member())
    household.starts(oma, thief)

    thief.phone.dials(oma.number)

    thief.phone.is_("failed")
    assert never_rang(oma)


def test_a_stolen_number_with_another_certificate_does_not_ring(household: Household) -> None:
    oma, ben = household.of("oma"), household.of("ben")
    thief = household.of("ben2", number=ben.number)
    related(oma, ben)
    thief.knows(oma.as_member())
    household.starts(oma, thief)

    thief.phone.dials(oma.number)

    thief.phone.is_("failed")
    assert never_rang(oma)


def test_a_call_to_a_member_does_not_ring_at_who_took_its_address(household: Household) -> None:
    oma, ben, thief = household.of("oma"), household.of("ben"), household.of("thief")
    oma.knows(replace(ben.as_member(), addresses=thief.as_member().addresses))
    thief.knows(oma.as_member())
    household.starts(oma, thief)

    oma.phone.dials(ben.number)

    oma.phone.is_("failed")
    assert never_rang(thief)


def test_another_member_at_the_address_of_the_one_called_does_not_ring(household: Household) -> None:
    oma, ben, eva = household.of("oma"), household.of("ben"), household.of("eva")
    oma.knows(replace(ben.as_member(), addresses=eva.as_member().addresses), eva.as_member())
    eva.knows(oma.as_member())
    household.starts(oma, eva)

    oma.phone.dials(ben.number)

    oma.phone.is_("failed")
    assert never_rang(eva)


def test_a_removed_member_does_not_ring_any_more(household: Household) -> None:
    oma, ben = household.of("oma"), household.of("ben")
    related(oma, ben)
    household.starts(oma, ben)
    ben.phone.dials(oma.number)
    oma.phone.is_called()
    ben.phone.replaces()
    oma.phone.is_idle()

    oma.phone.ask("family", remove=ben.identity.id)
    heard = len(oma.phone.errands.all())
    ben.phone.dials(oma.number)

    ben.phone.is_("failed")
    assert not any(errand["what"].startswith("incoming call") for errand in oma.phone.errands.all()[heard:])


def test_a_stranger_cannot_speak_sip_to_the_family_s_port(household: Household, tmp_path: Path) -> None:
    oma, ben = household.of("oma"), household.of("ben")
    related(oma, ben)
    household.starts(oma)
    own = identity(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.load_cert_chain(own.file)

    with (
        socket.create_connection((oma.phone.address, PORT), 2) as plain,
        context.wrap_socket(plain) as stranger,
    ):
        stranger.sendall(f"OPTIONS sip:{oma.identity.id}@{oma.phone.address} SIP/2.0\r\n\r\n".encode())
        stranger.settimeout(5)
        with suppress(ConnectionError):
            assert stranger.recv(1) == b""


def test_an_invite_by_udp_that_claims_to_be_a_member_is_none(household: Household, addresses: Addresses) -> None:
    oma, ben = household.of("oma", codecs=("pcmu",)), household.of("ben")
    related(oma, ben)
    household.starts(oma, ben)
    oma.phone.errands.until(lambda errand: errand["what"].startswith("member"), "knows ben", within_s=10)

    with Peer(addresses.fresh()) as stranger:
        uri = f"sip:{oma.identity.id}@{oma.phone.address}"
        stranger.asks("INVITE", uri, (oma.phone.address, 5060), body=stranger.sdp())
        assert stranger.hears(403, cseq="INVITE")

    assert never_rang(oma)


def never_rang(kin: Kin) -> bool:
    return not any("ring call" in action for errand in kin.phone.errands.all() for action in errand["actions"])
