# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Which sound card an owner means, on machines with cards plugged in this way and that."""

from pathlib import Path

import pytest

from omafon.cards import Card, cards, control, named, pcm, there
from tests.lab.sockets import machine

HANDSET, TWIN, CODEC = Card("Device", "1-1.2"), Card("Device_1", "1-1.3"), Card("Codec")


def test_cards_are_known_by_their_ids_and_sockets(tmp_path: Path) -> None:
    assert cards(machine(tmp_path, CODEC, HANDSET)) == (CODEC, HANDSET)


@pytest.mark.parametrize("order", [(HANDSET, CODEC), (CODEC, HANDSET)])
def test_another_order_of_cards_changes_nothing(tmp_path: Path, order: tuple[Card, ...]) -> None:
    root = machine(tmp_path, *order)

    assert named("CARD=Device", root) == "CARD=Device"
    assert named("USB=1-1.2", root) == "CARD=Device"
    assert named("Codec", root) == "CARD=Codec"


def test_a_usb_socket_is_told_from_another_when_two_cards_are_of_a_kind(tmp_path: Path) -> None:
    # They were plugged in the other way round: the ids have changed places.
    root = machine(tmp_path, Card("Device", "1-1.3"), Card("Device_1", "1-1.2"))

    assert named("USB=1-1.2", root) == "CARD=Device_1"
    assert named("USB=1-1.3", root) == "CARD=Device"


def test_an_empty_socket_is_no_card(tmp_path: Path) -> None:
    assert named("USB=1-1.4", machine(tmp_path, HANDSET)) is None


def test_no_name_is_the_first_card_there_is(tmp_path: Path) -> None:
    assert named("", machine(tmp_path, CODEC, HANDSET)) == "CARD=Codec"


def test_a_machine_without_sound_has_none(tmp_path: Path) -> None:
    assert cards(tmp_path) == ()
    assert named("", tmp_path) is None


def test_a_card_that_is_pulled_out_is_not_there(tmp_path: Path) -> None:
    root = machine(tmp_path, CODEC)

    assert there("CARD=Codec", root)
    assert there("plughw:CARD=Codec,DEV=0", root)
    assert not there("CARD=Device", root)


def test_what_is_no_card_is_a_pcm_of_the_owners(tmp_path: Path) -> None:
    assert named("handset", machine(tmp_path, CODEC)) == "handset"
    assert there("handset", tmp_path)
    assert (pcm("handset"), control("handset")) == ("handset", "handset")


def test_a_card_is_played_by_the_pcm_that_takes_every_rate() -> None:
    assert (pcm("CARD=Device"), control("CARD=Device")) == ("plughw:CARD=Device,DEV=0", "hw:CARD=Device")
