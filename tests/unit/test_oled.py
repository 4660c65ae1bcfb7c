# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The display's driver: the newest frame wins, nobody waits for it, and a display that dies comes back."""

import errno
import queue
import random
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise

import pytest
from PIL import Image

from omafon.board import DisplayProfile
from omafon.core.events import Driver, DriverFailed, DriverRecovered, Event
from omafon.core.glass import Glass
from omafon.drivers.oled import Oled, Patience
from omafon.drivers.oled.wire import connect, reason
from omafon.interfaces import DriverError
from tests.lab.glass import Ssd1306
from tests.lab.wires import I2cBus, SpiBus

DISPLAY = DisplayProfile(128, 64, "ssd1306")
SPI = DisplayProfile(128, 64, "ssd1306", bus="spi", data_command="gpio24", reset="gpio25")
NEVER = Patience(retry_s=3600.0, renew_s=3600.0)
SOON = Patience(retry_s=0.005, renew_s=3600.0)
GONE = "no display answers at 0x3c of /dev/i2c-1"
FAILED = DriverFailed(Driver.DISPLAY, GONE)
RECOVERED = DriverRecovered(Driver.DISPLAY)


def number(value: int) -> Image.Image:
    """A picture that is no other number's."""
    frame = Image.new("1", (128, 64))
    for bit in range(16):
        frame.paste(value >> bit & 1, (8 * bit, 0, 8 * bit + 8, 64))
    return frame


class Room:
    """A display on the desk, its driver, and what the house hears of it."""

    def __init__(self) -> None:
        self.bus = I2cBus(Ssd1306())
        self.heard: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._oled: Oled | None = None

    def opens(self, patience: Patience = NEVER) -> Oled:
        self._oled = Oled(self.heard.put, DISPLAY, connect=partial(connect, bus=self.bus), patience=patience)
        self._oled.open()
        return self._oled

    def hears(self) -> Event:
        return self.heard.get(timeout=5.0)

    def closes(self) -> None:
        self.bus.goes_on()
        if self._oled is not None:
            self._oled.close()


@pytest.fixture
def room() -> Iterator[Room]:
    room = Room()
    yield room
    room.closes()


def test_a_frame_shown_is_seen(room: Room) -> None:
    oled = room.opens()

    oled.show(number(42))

    room.bus.shows(number(42))
    assert room.heard.empty()


def test_the_glass_is_clean_before_there_is_anything_to_show(room: Room) -> None:
    room.opens()

    room.bus.shows(number(0))


def test_of_many_frames_in_a_hurry_the_newest_is_shown_and_the_others_never_cross_the_bus(room: Room) -> None:
    oled = room.opens()
    room.bus.shows(number(0))
    room.bus.hangs()
    before = room.bus.bytes

    for value in range(1, 501):
        oled.show(number(value))
    room.bus.goes_on()

    room.bus.shows(number(500))
    whole = 1200
    assert room.bus.bytes - before < 3 * whole


def test_nobody_waits_for_a_bus_that_hangs(room: Room) -> None:
    oled = room.opens()
    room.bus.shows(number(0))
    room.bus.hangs()

    began = time.monotonic()
    for value in range(100):
        oled.show(number(value))
        oled.look(Glass(value))
    took_s = time.monotonic() - began

    assert took_s < 0.05


def test_a_closed_display_is_dark_and_its_bus_is_free(room: Room) -> None:
    oled = room.opens()
    oled.show(number(7))
    room.bus.shows(number(7))

    oled.close()

    assert not room.bus.chip.on
    assert room.bus.opened == 0


def test_a_driver_opened_again_shows_what_was_shown_last(room: Room) -> None:
    oled = room.opens()
    oled.show(number(7))
    room.bus.shows(number(7))
    oled.close()
    room.bus.chip.loses_power()

    oled.open()

    room.bus.shows(number(7))


def test_what_is_dark_by_its_level_stays_dark_whatever_is_shown(room: Room) -> None:
    oled = room.opens()
    room.bus.shows(number(0))

    oled.look(Glass(brightness=0))
    oled.show(number(7))
    room.bus.sees(lambda: not room.bus.chip.on)

    oled.look(Glass())
    room.bus.shows(number(7))


# Missing, dying, coming back.


def test_a_display_that_is_missing_is_told_once_and_the_phone_goes_on(room: Room) -> None:
    room.bus.pulled()

    oled = room.opens(SOON)
    oled.show(number(1))
    assert room.hears() == FAILED
    seen = room.bus.attempts
    room.bus.sees(lambda: room.bus.attempts > seen + 10)

    assert room.heard.empty()


def test_a_display_that_comes_back_has_the_whole_newest_picture(room: Room) -> None:
    room.bus.pulled()
    oled = room.opens(SOON)
    assert room.hears() == FAILED
    oled.show(number(8))
    oled.show(number(9))

    room.bus.plugged()

    assert room.hears() == RECOVERED
    room.bus.shows(number(9))


def test_a_display_that_dies_in_the_middle_of_a_picture_comes_back_with_another(room: Room) -> None:
    oled = room.opens(SOON)
    oled.show(number(1))
    room.bus.shows(number(1))

    room.bus.pulled(after=100)
    oled.show(number(0xFFFF))
    assert room.hears() == FAILED
    room.bus.chip.loses_power()
    oled.show(number(3))
    room.bus.plugged()

    assert room.hears() == RECOVERED
    room.bus.shows(number(3))


def test_a_spark_on_the_bus_is_mended_and_not_worth_a_word(room: Room) -> None:
    oled = room.opens()
    room.bus.shows(number(0))
    cut = room.bus.opened

    room.bus.sparks()
    oled.show(number(5))

    room.bus.shows(number(5))
    assert room.bus.opened == cut
    assert room.heard.empty()


def test_no_frame_is_tried_while_a_dead_display_waits_for_its_next_chance(room: Room) -> None:
    room.bus.pulled()
    oled = room.opens(NEVER)
    assert room.hears() == FAILED
    tried = room.bus.attempts

    for value in range(50):
        oled.show(number(value))
    oled.close()

    assert room.bus.attempts == tried


def test_a_display_that_is_missing_is_tried_as_often_as_the_driver_has_patience(room: Room) -> None:
    room.bus.pulled()
    room.opens(Patience(retry_s=0.2, renew_s=3600.0))
    assert room.hears() == FAILED
    tried, began = room.bus.attempts, time.monotonic()

    room.bus.sees(lambda: room.bus.attempts > tried)

    assert 0.1 < time.monotonic() - began < 1.0
    # What the owner is promised.
    assert Patience().retry_s <= 30


def test_a_display_that_lost_its_power_without_a_word_is_renewed(room: Room) -> None:
    oled = room.opens(Patience(retry_s=3600.0, renew_s=0.05))
    oled.show(number(6))
    room.bus.shows(number(6))

    with room.bus.change:
        room.bus.chip.loses_power()

    room.bus.shows(number(6))
    assert room.heard.empty()


def test_after_any_night_of_pulled_cables_the_glass_shows_the_newest_frame(room: Room) -> None:
    oled = room.opens(Patience(retry_s=0.002, renew_s=0.02))
    chance = random.Random(60)
    shown = number(0)

    for _ in range(400):
        match chance.randrange(5):
            case 0:
                room.bus.pulled(
                    chance.choice([errno.EREMOTEIO, errno.EIO, errno.ETIMEDOUT]), after=chance.randrange(80)
                )
            case 1:
                room.bus.plugged()
            case 2:
                with room.bus.change:
                    room.bus.chip.loses_power()
            case _:
                shown = number(chance.randrange(1 << 16))
                oled.show(shown)
                if not room.bus.is_pulled and chance.random() < 0.3:
                    room.bus.shows(shown)
    room.bus.plugged()

    room.bus.shows(shown)
    told = [room.heard.get() for _ in range(room.heard.qsize())]
    assert all(type(a) is not type(b) for a, b in pairwise(told)), "told twice"


def test_a_thread_that_is_left_behind_by_a_dead_bus_is_no_reason_not_to_stop(room: Room) -> None:
    oled = room.opens(Patience(leave_s=0.1))
    room.bus.shows(number(0))
    room.bus.hangs()
    oled.show(number(1))

    began = time.monotonic()
    oled.close()

    assert time.monotonic() - began < 1.0
    room.bus.goes_on()
    for thread in threading.enumerate():
        if thread.name == "oled":
            thread.join(5.0)
    assert not any(thread.name == "oled" for thread in threading.enumerate())


# What cannot be.


@pytest.mark.parametrize(
    ("display", "what"),
    [
        (DisplayProfile(128, 63, "ssd1306"), "no ssd1306 has 128 × 63 pixels"),
        (DisplayProfile(128, 32, "ssd1306"), "a glass of 128 × 32 pixels is too small"),
        (DisplayProfile(128, 64, "sh1106", rotate=90), "a glass of 64 × 128 pixels is too small"),
    ],
)
def test_a_glass_that_can_show_no_frame_is_refused(display: DisplayProfile, what: str) -> None:
    with pytest.raises(DriverError, match=what) as refused:
        Oled(lambda event: None, display).open()

    assert refused.value.cure


def _missing(display: DisplayProfile) -> None:
    connect(display, bus=I2cBus(Ssd1306(), address=0x3D)).command(0xE3)


def _no_such_bus(display: DisplayProfile) -> None:
    connect(display, bus=lambda port: open(f"/nowhere/i2c-{port}"))  # noqa: PTH123, SIM115


def _forbidden(display: DisplayProfile) -> None:
    def refuse(port: int) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    connect(display, bus=refuse)


def _no_spi(display: DisplayProfile) -> None:
    bus = SpiBus(Ssd1306())
    bus.pulled(errno.ENOENT)
    connect(display, spidev=bus, gpio=bus)


def _hanging(display: DisplayProfile) -> None:
    bus = I2cBus(Ssd1306())
    bus.pulled(errno.ETIMEDOUT)
    connect(display, bus=bus).data([0])


@pytest.mark.parametrize(
    ("display", "happens", "words"),
    [
        (DISPLAY, _missing, GONE),
        (DISPLAY, _no_such_bus, "there is no /dev/i2c-1: I²C is not switched on"),
        (DISPLAY, _forbidden, "/dev/i2c-1 may not be used"),
        (DISPLAY, _hanging, "/dev/i2c-1 hangs"),
        (SPI, _no_spi, "there is no /dev/spidev0.0: SPI is not switched on"),
    ],
)
def test_why_a_display_does_not_work_is_said_plainly(
    display: DisplayProfile, happens: Callable[[DisplayProfile], None], words: str
) -> None:
    with pytest.raises(Exception) as fault:  # luma's errors and the system's
        happens(display)

    assert reason(fault.value, display) == words
