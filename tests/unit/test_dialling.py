# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The owner's digit map at work in the telephone."""

from dataclasses import replace

import pytest

from omafon.core.actions import PlaceCall
from omafon.core.causes import Tone
from tests.unit.world import SETTINGS, World

OFFICE = "(<9:>,0x.|[1-7]xx|0900x.!|8xx.T)"


def phone_with(digit_map: str = OFFICE, country: str = "DE") -> World:
    phone = World(replace(SETTINGS, trees=(), digit_map=digit_map, country=country), registered=True)
    phone.lifts()
    return phone


def placed(phone: World) -> list[str]:
    return [action.uri for action in phone.actions if isinstance(action, PlaceCall)]


def test_a_number_that_cannot_grow_is_dialled_with_its_last_digit():
    phone = phone_with()

    phone.dials("235")

    assert placed(phone) == ["sip:235@example.org"]


def test_the_digit_for_an_outside_line_keeps_the_dial_tone_and_is_not_passed_on():
    phone = phone_with()

    phone.dials("9")
    tone = phone.tone
    phone.dials("030123456#")

    assert tone is Tone.DIAL
    assert placed(phone) == ["sip:+4930123456@example.org"]


def test_a_complete_number_that_could_grow_waits_for_the_short_timer():
    phone = phone_with()

    phone.dials("83")
    phone.passes(2.9)
    before = placed(phone)
    phone.passes(0.2)

    assert before == []
    assert placed(phone) == ["sip:83@example.org"]


def test_a_barred_number_is_refused_in_words_however_it_is_sent():
    phone = phone_with("(x.|0900x.!)")

    phone.dials("09001234567#")

    assert placed(phone) == []
    assert phone.rows[1] == "Nummer ist gesperrt"


def test_an_impossible_number_is_told_at_once():
    phone = phone_with()

    phone.dials("*9")

    assert (phone.mode, phone.tone) == ("failed", Tone.ERROR)


@pytest.mark.parametrize("digit_map", ["(2xx)", "(1|2xx)", "(11x!|x.!)", "(1xx!)"])
def test_no_digit_map_keeps_anybody_from_calling_for_help(digit_map: str):
    phone = phone_with(digit_map)

    phone.dials("112")
    phone.passes(4.1)

    assert placed(phone) == ["sip:112@example.org"]


def test_a_hot_line_dials_by_itself_after_lifting():
    phone = phone_with("(P3<:030123456>|x.)")

    phone.passes(2.9)
    before = placed(phone)
    phone.passes(0.2)

    assert before == []
    assert placed(phone) == ["sip:+4930123456@example.org"]


def test_a_hash_that_belongs_to_the_digit_map_does_not_end_dialling():
    phone = phone_with("(<7#:030>xxxxxx)")

    phone.dials("7#123456")

    assert placed(phone) == ["sip:+4930123456@example.org"]
