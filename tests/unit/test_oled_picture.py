# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What stands on the glass is the frame, bit for bit, and nothing crosses the bus that was there already."""

import errno
import random
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from luma.core.error import DeviceNotFoundError
from PIL import Image, ImageDraw

from omafon.board import DisplayProfile
from omafon.core.glass import Glass
from omafon.drivers.oled.link import Link
from omafon.drivers.oled.panel import panel
from omafon.drivers.oled.regions import Cost, Region, regions
from omafon.drivers.oled.wire import connect
from tests.lab.glass import Chip, Sh1106, Ssd1306, Ssd1322, shows
from tests.lab.golden import GOLDEN
from tests.lab.wires import I2cBus, SpiBus

BRIGHT = Glass()
BLACK, WHITE = Image.new("1", (128, 64)), Image.new("1", (128, 64), 1)

SPI = DisplayProfile(128, 64, "ssd1306", bus="spi", data_command="gpio24", reset="gpio25")
BOARDS: dict[str, tuple[DisplayProfile, Callable[[], Chip]]] = {
    "ssd1306": (DisplayProfile(128, 64, "ssd1306"), Ssd1306),
    "ssd1309": (DisplayProfile(128, 64, "ssd1309"), Ssd1306),
    "sh1106": (DisplayProfile(128, 64, "sh1106"), Sh1106),
    "ssd1306-spi": (SPI, Ssd1306),
    "ssd1322": (
        DisplayProfile(128, 64, "ssd1322", bus="spi", data_command="gpio24", reset="gpio25"),
        partial(Ssd1322, 128),
    ),
}


class Desk:
    """A display on its bus, spoken to without a thread."""

    def __init__(self, display: DisplayProfile, chip: Chip) -> None:
        self.display = display
        self.chip = chip
        self.bus: Any = I2cBus(chip) if display.bus == "i2c" else SpiBus(chip)
        self.panel = panel(display)
        self.plugs_in()

    def plugs_in(self) -> None:
        wire = (
            connect(self.display, bus=self.bus)
            if self.display.bus == "i2c"
            else connect(self.display, spidev=self.bus, gpio=self.bus)
        )
        self.link = Link(self.panel, self.display, wire)

    def shows(self, frame: Image.Image, glass: Glass = BRIGHT) -> None:
        self.link.show(frame, glass)

    def costs(self, frame: Image.Image) -> int:
        """Bytes on the I²C bus for this frame."""
        before = self.bus.bytes
        self.shows(frame)
        return self.bus.bytes - before


@pytest.fixture(params=BOARDS)
def desk(request: pytest.FixtureRequest) -> Desk:
    display, chip = BOARDS[request.param]
    return Desk(display, chip())


@pytest.fixture
def ssd1306() -> Desk:
    return Desk(DisplayProfile(128, 64, "ssd1306"), Ssd1306())


def drawn_on(frame: Image.Image, chance: random.Random) -> Image.Image:
    """`frame` with something more or less on it: a dot, a line, a box, snow, or another frame altogether."""
    frame = frame.copy()
    draw = ImageDraw.Draw(frame)
    corners = sorted(chance.randrange(128) for _ in "ab"), sorted(chance.randrange(64) for _ in "ab")
    box = (corners[0][0], corners[1][0], corners[0][1], corners[1][1])
    match chance.randrange(6):
        case 0:
            draw.point(box[:2], chance.randrange(2))
        case 1:
            draw.line(box, chance.randrange(2))
        case 2:
            draw.rectangle(box, chance.randrange(2))
        case 3:
            for _ in range(chance.randrange(60)):
                draw.point((chance.randrange(128), chance.randrange(64)), chance.randrange(2))
        case 4:
            snow = Image.frombytes("1", (128, 64), chance.randbytes(1024))
            frame.paste(snow.crop(box), box[:2])
        case _:
            frame = Image.frombytes("1", (128, 64), chance.randbytes(1024)) if chance.random() < 0.1 else frame
    return frame


def test_after_every_one_of_a_thousand_frames_the_glass_shows_it(desk: Desk) -> None:
    chance = random.Random(1306)
    frame = BLACK

    for _ in range(1000):
        frame = drawn_on(frame, chance)
        desk.shows(frame)

        assert shows(desk.chip, frame)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 127), st.integers(0, 63), st.integers(1, 90), st.integers(1, 40)), max_size=6))
def test_any_boxes_turned_over_are_turned_over_on_the_glass(boxes: list[tuple[int, int, int, int]]) -> None:
    desks = [Desk(BOARDS[name][0], BOARDS[name][1]()) for name in ("ssd1306", "sh1106", "ssd1322")]
    bits = numpy.zeros((64, 128), dtype=bool)
    for left, top, width, height in boxes:
        bits[top : top + height, left : left + width] ^= True
        frame = Image.fromarray(bits)

        for desk in desks:
            desk.shows(frame)
            assert shows(desk.chip, frame)


def test_a_cable_pulled_anywhere_leaves_nothing_wrong_once_it_is_plugged_in_again(desk: Desk) -> None:
    chance = random.Random(1309)
    frame = BLACK
    pulled = 0

    for _ in range(500):
        if chance.random() < 0.3:
            desk.bus.pulled(after=chance.randrange(60))
        frame = drawn_on(frame, chance)
        with suppress(OSError, DeviceNotFoundError):
            desk.shows(frame)
            assert shows(desk.chip, frame)
            continue
        pulled += 1
        desk.bus.plugged()
        if chance.random() < 0.5:
            desk.chip.loses_power()
        desk.plugs_in()
        desk.shows(frame)
        assert shows(desk.chip, frame)

    assert pulled > 30


def test_a_chip_that_wakes_with_anything_in_its_memory_never_shows_it(desk: Desk) -> None:
    frame = Image.open(GOLDEN / "phone" / "idle.png").convert("1")
    lit_early = []
    take = desk.chip.data

    def watched(byte: int) -> None:
        lit_early.append(desk.chip.on)
        take(byte)

    desk.chip.data = watched  # type: ignore[method-assign]
    desk.shows(frame)

    assert not any(lit_early)
    assert shows(desk.chip, frame)


def test_what_stands_there_already_is_not_sent_again(ssd1306: Desk) -> None:
    frame = Image.open(GOLDEN / "phone" / "in_call.png").convert("1")
    ssd1306.shows(frame)

    assert ssd1306.costs(frame.copy()) == 0


def test_one_pixel_is_one_byte_and_its_address(ssd1306: Desk) -> None:
    ssd1306.shows(BLACK)
    dot = BLACK.copy()
    dot.putpixel((77, 33), 1)

    assert ssd1306.costs(dot) == ssd1306.panel.cost.window + 1


def test_a_second_of_a_call_takes_a_twentieth_of_a_whole_picture(ssd1306: Desk) -> None:
    ssd1306.shows(Image.open(GOLDEN / "phone" / "in_call.png").convert("1"))
    whole = ssd1306.bus.bytes
    tick = Image.open(GOLDEN / "phone" / "in_call.png").convert("1")
    tick.paste(1, (121, 2, 127, 11))

    assert ssd1306.costs(tick) < whole / 20


def test_a_glass_mounted_upside_down_shows_the_frame_upside_down() -> None:
    desk = Desk(DisplayProfile(128, 64, "ssd1306", rotate=180), Ssd1306())
    frame = Image.open(GOLDEN / "phone" / "idle.png").convert("1")

    desk.shows(frame)

    assert shows(desk.chip, frame.rotate(180))


def test_a_larger_glass_has_the_frame_in_its_middle() -> None:
    display = DisplayProfile(256, 64, "ssd1322", bus="spi", data_command="gpio24", reset="gpio25")
    desk = Desk(display, Ssd1322(256))
    frame = Image.open(GOLDEN / "phone" / "ringing.png").convert("1")
    middle = Image.new("1", (256, 64))
    middle.paste(frame, (64, 0))

    desk.shows(frame)

    assert shows(desk.chip, middle)


def test_a_shift_moves_the_picture_and_nothing_of_it_appears_on_the_other_side(desk: Desk) -> None:
    moved = Image.new("1", (128, 64))
    moved.paste(WHITE, (1, -1))
    desk.shows(WHITE)

    desk.shows(WHITE, Glass(shift=(1, -1)))

    assert shows(desk.chip, moved)


@pytest.mark.parametrize(("brightness", "contrast"), [(100, 200), (30, 60), (1, 2)])
def test_brightness_is_percent_of_the_contrast_of_the_board(brightness: int, contrast: int) -> None:
    desk = Desk(DisplayProfile(128, 64, "sh1106", contrast=200), Sh1106())

    desk.shows(WHITE, Glass(brightness))

    assert (desk.chip.on, desk.chip.contrast) == (True, contrast)


def test_a_glass_that_shall_be_dark_is_off_and_comes_back_with_the_newest_picture(desk: Desk) -> None:
    desk.shows(WHITE)
    desk.shows(WHITE, Glass(0))
    assert not desk.chip.on

    desk.shows(BLACK, Glass(0))
    assert not desk.chip.on

    desk.shows(BLACK)
    assert shows(desk.chip, BLACK)


def test_a_renewal_brings_a_chip_back_that_lost_its_power_and_never_turns_off_one_that_did_not(desk: Desk) -> None:
    desk.shows(WHITE)
    was_off = []
    obey = desk.chip.command

    def watched(byte: int) -> None:
        obey(byte)
        was_off.append(not desk.chip.on)

    desk.chip.command = watched  # type: ignore[method-assign]
    desk.link.renew(WHITE, BRIGHT)
    assert not any(was_off)

    desk.chip.loses_power()
    desk.link.renew(WHITE, BRIGHT)
    assert shows(desk.chip, WHITE)


def test_data_and_commands_of_spi_are_told_apart_by_the_pin() -> None:
    desk = Desk(SPI, Ssd1306())

    desk.shows(WHITE)

    assert desk.bus.place == (0, 0)
    assert desk.bus.resets == 1
    assert shows(desk.chip, WHITE)


def modules(monkeypatch: pytest.MonkeyPatch, bus: SpiBus) -> None:
    """The modules that a Raspberry Pi has in the place of `bus`."""
    monkeypatch.setitem(sys.modules, "RPi", SimpleNamespace(GPIO=bus))
    monkeypatch.setitem(sys.modules, "RPi.GPIO", bus)
    monkeypatch.setitem(sys.modules, "spidev", SimpleNamespace(SpiDev=lambda: bus))


def test_spi_is_opened_by_spidev_and_its_pins_are_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    bus = SpiBus(Ssd1306())
    modules(monkeypatch, bus)

    link = Link(panel(SPI), SPI, connect(SPI))
    link.show(WHITE, BRIGHT)
    assert shows(bus.chip, WHITE)

    link.cut()
    assert (bus.place, bus.levels) == (None, {})


def test_a_reset_pin_beside_i2c_is_pulsed_and_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    chip = Ssd1306()
    pins, bus = SpiBus(chip, reset=4), I2cBus(chip)
    modules(monkeypatch, pins)
    wire = connect(DisplayProfile(128, 64, "ssd1306", reset="gpio4"), bus=bus)
    assert (pins.resets, pins.levels) == (1, {4: pins.HIGH})

    wire.cleanup()

    assert (bus.opened, pins.levels) == (0, {})


def test_a_bus_whose_reset_pin_cannot_be_had_is_closed_again() -> None:
    class Refused(SpiBus):
        def setup(self, pin: int, direction: str) -> None:
            raise OSError(errno.EBUSY, "busy")

    chip = Ssd1306()
    bus = I2cBus(chip)

    with pytest.raises(OSError):
        connect(DisplayProfile(128, 64, "ssd1306", reset="gpio4"), bus=bus, gpio=Refused(chip))

    assert bus.opened == 0


# The split.

WINDOWS = Cost(window=10, cell=1, pages=8)
CHANGES = st.lists(st.binary(min_size=24, max_size=24), min_size=8, max_size=8) | st.lists(
    st.lists(st.sampled_from([0, 0, 0, 0, 1]), min_size=24, max_size=24).map(bytes), min_size=8, max_size=8
)


def price(split: list[Region], cost: Cost) -> int:
    return sum(
        cost.window + cost.cell * (region.bottom - region.top) * (region.right - region.left) for region in split
    )


@given(CHANGES, st.sampled_from([WINDOWS, Cost(7, 1, 1), Cost(32, 32, 8)]))
def test_a_split_holds_every_change_and_costs_no_more_than_any_plain_way(changes: list[bytes], cost: Cost) -> None:
    split = regions(changes, cost)

    held = {
        (page, column)
        for region in split
        for page in range(region.top, region.bottom)
        for column in range(region.left, region.right)
    }
    changed = {(page, column) for page in range(8) for column in range(24) if changes[page][column]}
    assert changed <= held
    assert all(region.bottom - region.top <= cost.pages for region in split)
    if not changed:
        assert split == []
        return
    byte_by_byte = [Region(page, page + 1, column, column + 1) for page, column in changed]
    row_by_row = [
        Region(page, page + 1, min(columns), max(columns) + 1)
        for page in range(8)
        if (columns := [column for at, column in changed if at == page])
    ]
    pages, columns = [page for page, _ in changed], [column for _, column in changed]
    one_box = Region(min(pages), max(pages) + 1, min(columns), max(columns) + 1)
    assert price(split, cost) <= price(byte_by_byte, cost)
    assert price(split, cost) <= price(row_by_row, cost)
    if cost.pages == 8:
        assert price(split, cost) <= price([one_box], cost)
