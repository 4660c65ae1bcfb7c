# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The keypad on its pins: what a hand does to a telephone, and what the house hears of it."""

import queue
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from gpiozero.pins.mock import MockPin

from omafon.board import HookProfile, KeypadProfile
from omafon.core.events import (
    Driver,
    DriverFailed,
    DriverRecovered,
    HookLifted,
    HookReplaced,
    Key,
    KeyHeld,
    KeyPressed,
    KeyReleased,
)
from omafon.core.screen import Lamp, Lamps
from omafon.drivers.keypad import GpioKeypad
from omafon.drivers.keypad.chip import GpioChip
from omafon.interfaces import DriverError
from tests.lab.pins import FOUR_BY_FOUR, LAMPS, Bench, Handset

PAUSE = threading.Event()
EVERY_KEY = [key for row in FOUR_BY_FOUR.keys for key in row] + ["vol+", "vol-"]


@pytest.fixture
def phone() -> Iterator[Handset]:
    with Handset() as handset:
        yield handset


@pytest.mark.parametrize("key", EVERY_KEY)
def test_a_key_that_is_pressed_and_let_go_is_told_once_each(phone: Handset, key: str):
    phone.bounces(key)
    phone.presses(key)
    pressed = phone.hears()
    phone.bounces(key)
    phone.lets_go(key)

    assert pressed + phone.hears() == [KeyPressed(Key(key)), KeyReleased(Key(key))]
    assert phone.hears_nothing(0.03)


def test_a_contact_that_only_bounces_is_nothing(phone: Handset):
    for key in EVERY_KEY:
        phone.bounces(key)

    assert phone.hears_nothing(0.05)


def test_two_keys_at_once_are_both_told(phone: Handset):
    phone.presses("1")
    phone.presses("5")

    assert set(phone.hears(2)) == {KeyPressed(Key.DIGIT_1), KeyPressed(Key.DIGIT_5)}


def test_the_fourth_corner_of_a_rectangle_is_never_told(phone: Handset):
    phone.presses("1")
    phone.presses("2")
    told = phone.hears(2)
    phone.presses("4")
    silent = phone.hears_nothing(0.05)
    phone.lets_go("1")

    assert set(told) == {KeyPressed(Key.DIGIT_1), KeyPressed(Key.DIGIT_2)}
    assert silent, "4 and 5 look closed, and only one of them is"
    assert phone.hears(2) == [KeyReleased(Key.DIGIT_1), KeyPressed(Key.DIGIT_4)]


def test_no_row_is_ever_driven_against_another(phone: Handset):
    for key in ("1", "4", "7", "*"):
        phone.presses(key)
    phone.hears(4)

    assert phone.bench.fights == 0


def test_nothing_is_scanned_while_no_key_is_down(phone: Handset):
    phone.presses("5")
    phone.lets_go("5")
    phone.presses("6")
    phone.hears(1)
    phone.lets_go("6")
    phone.hears(1)
    assert phone.hears_nothing(0.05)
    row = phone.bench.pin("GPIO5")
    row.clear_states()

    assert phone.hears_nothing(0.1)
    assert len(row.states) == 1


def test_a_long_press_is_told_while_the_key_is_down(phone: Handset):
    phone.presses("1")

    assert phone.hears(2) == [KeyPressed(Key.DIGIT_1), KeyHeld(Key.DIGIT_1)]


def test_a_volume_key_that_is_held_repeats(phone: Handset):
    phone.presses("vol+")
    told = phone.hears(5)
    phone.lets_go("vol+")

    assert told == [KeyPressed(Key.VOLUME_UP), *[KeyReleased(Key.VOLUME_UP), KeyPressed(Key.VOLUME_UP)] * 2]
    assert phone.hears() == [KeyReleased(Key.VOLUME_UP)]


@pytest.mark.parametrize("closed", ["on-hook", "off-hook"])
def test_either_kind_of_hook_switch_tells_lifting_and_replacing(closed: str):
    with Handset(hook=HookProfile(pin="gpio17", closed=closed)) as phone:
        phone.lifts()
        lifted = phone.hears()
        phone.replaces()

        assert lifted == [HookLifted()]
        assert phone.hears() == [HookReplaced()]


def test_a_handset_that_is_up_when_the_telephone_starts_is_told():
    phone = Handset()
    phone.lifts()

    with phone:
        assert phone.hears() == [HookLifted()]


def test_a_short_press_of_the_hook_is_the_flash_key(phone: Handset):
    phone.lifts()
    phone.hears()
    phone.replaces()
    assert phone.hears_nothing(0.15)
    phone.lifts()

    assert phone.hears(2) == [KeyPressed(Key.FLASH), KeyReleased(Key.FLASH)]


def test_a_digit_of_the_rotary_dial_is_told_like_a_key(phone: Handset):
    phone.winds()
    assert phone.hears_nothing(0.1)
    for _ in range(2):
        phone.breaks()
        assert phone.hears_nothing(0.06)
        phone.makes()
        assert phone.hears_nothing(0.04)
    phone.returns()

    assert phone.hears(2) == [KeyPressed(Key.DIGIT_2), KeyReleased(Key.DIGIT_2)]


def test_a_lamp_that_is_on_shines_and_one_that_is_off_does_not(phone: Handset):
    with_message = Lamps(message=Lamp.ON)

    phone.driver.light(with_message)
    phone.presses("1")
    phone.hears()

    assert phone.bench.level(LAMPS.message)
    assert not phone.bench.level(LAMPS.line)


def test_a_lamp_that_blinks_goes_on_and_off(phone: Handset):
    lamp = phone.bench.pin(LAMPS.line.upper())
    lamp.clear_states()

    phone.driver.light(Lamps(line=Lamp.BLINK))
    assert phone.hears_nothing(0.7)

    assert 3 <= len(lamp.states) <= 5


def test_the_amplifier_is_woken_after_its_card_and_put_to_sleep_before_it():
    bench = Bench()
    driver = GpioKeypad(lambda event: None, amplifier="gpio24", factory=bench)
    driver.open()
    pin = bench.pin("GPIO24")

    rang = time.monotonic()
    driver.light(Lamps(amplifier=Lamp.ON))
    woke = _turned(pin, True) - rang
    stopped = time.monotonic()
    driver.light(Lamps())
    slept = _turned(pin, False) - stopped
    driver.close()

    # The card plays silence for the first 60 ms, and from 70 to 180 ms after the bell is to stop.
    assert 0.02 < woke < 0.06
    assert 0.07 < slept < 0.18


def _turned(pin: MockPin, level: bool) -> float:
    """When the pin has this level, in monotonic seconds."""
    deadline = time.monotonic() + 2
    while bool(pin.state) is not level:
        assert time.monotonic() < deadline, "the amplifier is not switched"
        PAUSE.wait(0.002)
    return time.monotonic()


def test_closing_releases_keys_and_puts_lamps_out_and_gives_pins_back():
    phone = Handset()
    phone.driver.open()
    phone.driver.light(Lamps(message=Lamp.ON))
    phone.presses("call")
    phone.hears()

    phone.driver.close()

    assert phone.heard() == [KeyReleased(Key.CALL)]
    assert all(pin.function == "input" for pin in phone.bench.pins.values())


def test_pins_that_fail_release_every_key_and_recover(phone: Handset):
    phone.presses("1")
    phone.hears()
    column = phone.bench.pin("GPIO12")
    column.fails()
    failed = phone.hears(2)
    column.works()

    assert failed == [KeyReleased(Key.DIGIT_1), DriverFailed(Driver.KEYPAD, "the pins do not answer")]
    assert phone.hears(2, within_s=4.0) == [DriverRecovered(Driver.KEYPAD), KeyPressed(Key.DIGIT_1)]


def refused(**parts: object) -> DriverError:
    with pytest.raises(DriverError) as refusal:
        GpioKeypad(queue.SimpleQueue().put, factory=Bench(), **parts).open()  # type: ignore[arg-type]
    return refusal.value


def test_a_pin_that_the_board_lacks_is_named():
    assert "gpio99" in refused(hook=HookProfile(pin="gpio99")).what


def test_a_legend_that_is_no_key_is_named_and_all_keys_told():
    error = refused(keys={"mut": "gpio4"})

    assert '"mut"' in error.what
    assert " mute " in error.cure


def test_a_matrix_with_a_row_too_few_is_refused():
    error = refused(keypad=KeypadProfile(rows=("gpio5", "gpio6"), columns=("gpio12",), keys=(("1",),)))

    assert "2 rows and 1 columns" in error.what


def test_a_machine_without_the_pins_of_a_raspberry_pi_is_told_apart(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        GpioChip(tmp_path)
