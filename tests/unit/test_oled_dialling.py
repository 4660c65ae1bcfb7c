# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What a key of a number costs on the display's bus, of numbers of every country, dialled there and from abroad."""

from dataclasses import replace

import phonenumbers
import pytest

from bench.oled import Glass128
from omafon.core.present import screen
from omafon.render import render
from tests.lab.glass import lights, shows
from tests.unit.world import SETTINGS, World

# 8 ms at 400 kHz, nine bits a byte, but for the start and the stop of each message.
MOST_BYTES = 345

COUNTRIES = sorted(phonenumbers.SUPPORTED_REGIONS)


ABROAD = ("00493012345678901", "011493012345678901", "*21*030123456")


def dialled_at_home(country: str) -> str:
    """The longest number there is an example of, as people in `country` dial it."""
    kinds = (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE)
    examples = (phonenumbers.example_number_for_type(country, kind) for kind in kinds)
    national = phonenumbers.PhoneNumberFormat.NATIONAL
    written = (phonenumbers.format_number(example, national) for example in examples if example is not None)
    return max(("".join(filter(str.isdigit, number)) for number in written), key=len)


@pytest.mark.parametrize("country", COUNTRIES)
def test_every_key_of_a_number_is_soon_on_the_glass(country: str):
    costs_little(country, dialled_at_home(country))


@pytest.mark.parametrize("country", ["AU", "BR", "DE", "FR", "GB", "IT", "JP", "US"])
@pytest.mark.parametrize("number", ABROAD)
def test_every_key_of_a_long_number_is_soon_on_the_glass(country: str, number: str):
    costs_little(country, number)


def costs_little(country: str, number: str) -> None:
    phone, glass = World(replace(SETTINGS, country=country)), Glass128()
    phone.lifts()
    glass.shows(render(screen(phone.phone, phone.now)))
    for key in number:
        phone.presses(key)
        frame, before = render(screen(phone.phone, phone.now)), glass.bus.bytes

        glass.shows(frame)

        assert glass.bus.bytes - before <= MOST_BYTES, f"{key} of {number}"
    assert shows(glass.bus.chip, frame)


def test_the_first_key_is_seen_before_the_clock_is_gone():
    phone, glass = World(), Glass128()
    glass.shows(render(screen(phone.phone, phone.now)))
    phone.presses("0")
    frame = render(screen(phone.phone, phone.now))
    began_ms = glass.bus.time_ms

    glass.bus.looks_for(lambda: lights(glass.bus.chip, frame))
    glass.shows(frame)

    assert glass.bus.found_ms is not None
    assert glass.bus.found_ms - began_ms <= 8
    assert glass.bus.found_ms < glass.bus.time_ms
    assert shows(glass.bus.chip, frame)


def test_the_letters_change_their_size_twice_at_most_in_a_number():
    phone = World()
    phone.lifts()
    heights = []
    for key in "0301234567890":
        phone.presses(key)
        # The first digit is always the same one.
        first = render(screen(phone.phone, phone.now)).crop((0, 13, 7, 39))
        box = first.getbbox()
        assert box is not None
        heights.append(box[3] - box[1])

    assert heights == sorted(heights, reverse=True)
    assert len(set(heights)) <= 3
