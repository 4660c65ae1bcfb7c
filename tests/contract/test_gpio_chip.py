# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The keypad on the kernel's GPIO device: every call it makes, as the kernel's own header reads it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.gpiochip import ChipPhone


@pytest.fixture
def phone(tmp_path: Path) -> Iterator[ChipPhone]:
    with ChipPhone(tmp_path) as chip:
        chip.until_says("^open$")
        yield chip


def test_a_key_of_the_matrix_is_told(phone: ChipPhone):
    phone.joins("gpio6", "gpio16")
    phone.until_says("KeyPressed 5")
    phone.parts("gpio6", "gpio16")

    assert phone.until_says("Key") == "KeyReleased 5"


def test_a_key_with_a_pin_of_its_own_is_told(phone: ChipPhone):
    phone.joins("gpio24")

    assert phone.until_says("Key") == "KeyPressed vol+"


def test_the_hook_is_told(phone: ChipPhone):
    phone.parts("gpio17")
    phone.until_says("HookLifted")
    phone.joins("gpio17")

    phone.until_says("HookReplaced")


def test_a_lamp_is_lit(phone: ChipPhone):
    phone.types("light message")
    phone.joins("gpio24")
    phone.until_says("KeyPressed")
    phone.types("level gpio26")

    phone.until_says("gpio26 is 1")


def test_nothing_wakes_while_nobody_touches_anything(phone: ChipPhone):
    phone.joins("gpio5", "gpio12")
    phone.until_says("KeyPressed")
    phone.parts("gpio5", "gpio12")
    phone.until_says("KeyReleased")
    phone.types("idle 0.1")
    phone.until_says("woke")
    phone.types("idle 0.5")

    phone.until_says("woke 0 times")


def test_a_pin_that_somebody_has_is_named(phone: ChipPhone):
    phone.types("second")

    assert "gpio17 cannot be had" in phone.until_says("refused")


def test_closing_gives_everything_back(phone: ChipPhone):
    phone.joins("gpio5", "gpio12")
    phone.until_says("KeyPressed")
    phone.types("close")

    phone.until_says("KeyReleased 1")
    phone.until_says("closed, with 1 thread")
    assert phone.ends() == 0
