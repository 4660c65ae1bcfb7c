# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Display controllers as their datasheets describe them: commands and data go in, a picture stands on the glass.

SSD1306 (and SSD1309) with its three addressing modes, SH1106 with page mode only and 132 columns, SSD1322 with four
bits a pixel. A byte that is no command of the chip is an error: no driver sends one by intention.
"""

from collections.abc import Iterable
from typing import Protocol

import numpy
import numpy.typing
from PIL import Image

Bits = numpy.typing.NDArray[numpy.bool_]

ROWS = 64


class Chip(Protocol):
    """A controller and its glass. `on`, `contrast`, `ready` and `pixels` make what a person sees."""

    on: bool
    contrast: int

    def command(self, byte: int) -> None: ...
    def data(self, byte: int) -> None: ...
    def loses_power(self) -> None: ...

    @property
    def ready(self) -> bool:
        """Whether its settings are those of its glass: without them it shows nothing, or something upside down."""

    @property
    def pixels(self) -> Bits:
        """Rows of columns; what the memory holds, also when the glass is dark."""


def shows(chip: Chip, frame: Image.Image) -> bool:
    """Whether a person in front of the glass sees `frame`, and it fills the glass."""
    return chip.on and chip.ready and numpy.array_equal(chip.pixels, numpy.asarray(frame, dtype=bool))


def lights(chip: Chip, frame: Image.Image) -> bool:
    """Whether all that shines in `frame` does on the glass, whatever else still stands there."""
    return chip.on and chip.ready and bool(chip.pixels[numpy.asarray(frame, dtype=bool)].all())


class OneBitChip:
    """What SSD1306 and SH1106 have in common."""

    columns = 128
    parameters: dict[int, int]
    nothing: frozenset[int] = frozenset()

    def __init__(self, seed: int = 1) -> None:
        self._random = numpy.random.default_rng(seed)
        self.loses_power()

    def loses_power(self) -> None:
        """And gets it back: the registers are at their defaults and the memory holds anything."""
        self.memory = self._random.integers(0, 256, (ROWS // 8, self.columns), dtype=numpy.uint8)
        self.resets()

    def resets(self) -> None:
        self.on = False
        self.contrast = 0x7F
        self.column = self.page = 0
        self.mirrored = self.upside_down = self.inverted = False
        self.multiplex, self.start_line, self.displacement = 63, 0, 0
        self.settings: dict[int, list[int]] = {}
        self._waiting: list[int] = []

    def command(self, byte: int) -> None:
        self._waiting.append(byte)
        code, *parameters = self._waiting
        if len(parameters) == self.parameters.get(code, 0):
            self._waiting = []
            self._obey(code, parameters)

    def _obey(self, code: int, parameters: list[int]) -> None:
        match code:
            case 0x81:
                self.contrast = parameters[0]
            case 0xA0 | 0xA1:
                self.mirrored = code == 0xA1
            case 0xA4 | 0xE3:
                pass
            case 0xA6 | 0xA7:
                self.inverted = code == 0xA7
            case 0xA8:
                self.multiplex = parameters[0]
            case 0xAE | 0xAF:
                self.on = code == 0xAF
            case 0xC0 | 0xC8:
                self.upside_down = code == 0xC8
            case 0xD3:
                self.displacement = parameters[0]
            case _ if 0x40 <= code <= 0x7F:
                self.start_line = code - 0x40
            case _ if code in self.parameters:
                self.settings[code] = parameters
            case _ if code not in self.nothing:
                raise AssertionError(f"no command: {code:#04x}")

    def data(self, byte: int) -> None:
        raise NotImplementedError

    @property
    def ready(self) -> bool:
        # Modules are built so that the picture stands upright with both mirrored.
        plain = (self.multiplex, self.start_line, self.displacement, self.inverted) == (63, 0, 0, False)
        return plain and self.mirrored and self.upside_down

    @property
    def pixels(self) -> Bits:
        shown = self.memory[:, (self.columns - 128) // 2 :][:, :128]
        bits = numpy.unpackbits(shown[:, numpy.newaxis, :], axis=1, bitorder="little")
        return bits.reshape(ROWS, 128).astype(bool)


class Ssd1306(OneBitChip):
    parameters = {0x20: 1, 0x21: 2, 0x22: 2} | dict.fromkeys((0x81, 0x8D, 0xA8, 0xD3, 0xD5, 0xD9, 0xDA, 0xDB), 1)

    def resets(self) -> None:
        super().resets()
        self.mode = 2
        self.window = (0, 127, 0, 7)

    def _obey(self, code: int, parameters: list[int]) -> None:
        left, right, top, bottom = self.window
        match code:
            case 0x20:
                self.mode = parameters[0]
            case 0x21:
                left, right = (parameter & 0x7F for parameter in parameters)
                self.window, self.column = (left, right, top, bottom), left
            case 0x22:
                top, bottom = (parameter & 0x07 for parameter in parameters)
                self.window, self.page = (left, right, top, bottom), top
            case _ if code <= 0x0F and self.mode == 2:
                self.column = self.column & 0x70 | code
            case _ if 0x10 <= code <= 0x17 and self.mode == 2:
                self.column = self.column & 0x0F | (code & 0x07) << 4
            case _ if 0xB0 <= code <= 0xB7 and self.mode == 2:
                self.page = code & 0x07
            case _:
                super()._obey(code, parameters)

    def data(self, byte: int) -> None:
        """Write where the pointers are, and move them on (datasheet 10.1.3 to 10.1.5)."""
        left, right, top, bottom = self.window
        assert left <= right
        assert top <= bottom
        self.memory[self.page, self.column] = byte
        match self.mode:
            case 0:
                self.column += 1
                if self.column > right:
                    self.column = left
                    self.page = top if self.page == bottom else self.page + 1
            case 1:
                self.page += 1
                if self.page > bottom:
                    self.page = top
                    self.column = left if self.column == right else self.column + 1
            case _:
                self.column = (self.column + 1) % 128

    @property
    def ready(self) -> bool:
        # Without its pump (0x8D) it has no voltage to shine with; 0xDA is how the rows are wired.
        return super().ready and self.settings.get(0x8D) == [0x14] and self.settings.get(0xDA) == [0x12]


class Sh1106(OneBitChip):
    columns = 132
    parameters = dict.fromkeys((0x81, 0xA8, 0xAD, 0xD3, 0xD5, 0xD9, 0xDA, 0xDB), 1)
    # Commands of the SSD1306 that this one has not: it lets them pass.
    nothing = frozenset({0x20, 0x8D})

    def _obey(self, code: int, parameters: list[int]) -> None:
        match code:
            case _ if code <= 0x0F:
                self.column = self.column & 0xF0 | code
            case _ if 0x10 <= code <= 0x1F:
                self.column = self.column & 0x0F | (code & 0x0F) << 4
            case _ if 0xB0 <= code <= 0xB7:
                self.page = code & 0x07
            case _:
                super()._obey(code, parameters)

    def data(self, byte: int) -> None:
        assert self.column < self.columns, "written beyond the last column"
        self.memory[self.page, self.column] = byte
        self.column += 1


class Ssd1322:
    """Four bits a pixel, 480 columns of which the glass shows `width` in the middle; parameters come as data."""

    def __init__(self, width: int = 256, seed: int = 1) -> None:
        self._width = width
        self._random = numpy.random.default_rng(seed)
        self.loses_power()

    def loses_power(self) -> None:
        self.memory = self._random.integers(0, 256, (128, 240), dtype=numpy.uint8)
        self.resets()

    def resets(self) -> None:
        self.on = False
        self.contrast = 0x7F
        self.settings: dict[int, list[int]] = {}
        self._code = 0
        self._window = (0, 119, 0, 127)
        self._at = (0, 0, 0)  # row, column, which of its two bytes

    def command(self, byte: int) -> None:
        known = {0x15, 0x5C, 0x75, 0xA0, 0xA1, 0xA2, 0xA4, 0xA6, 0xA9, 0xAB, 0xAE, 0xAF, 0xB1, 0xB3, 0xB4, 0xB5, 0xB6}
        assert byte in known | {0xB9, 0xBB, 0xBE, 0xC1, 0xC7, 0xCA, 0xD1, 0xFD}, f"no command: {byte:#04x}"
        self._code = byte
        self.settings[byte] = []
        if byte in (0xAE, 0xAF):
            self.on = byte == 0xAF

    def data(self, byte: int) -> None:
        if self._code == 0x5C:
            self._write(byte)
            return
        self.settings[self._code].append(byte)
        left, right, top, bottom = self._window
        match self._code, self.settings[self._code]:
            case 0x15, [left, right]:
                assert left <= right < 120
                self._window, self._at = (left, right, top, bottom), (self._at[0], left, 0)
            case 0x75, [top, bottom]:
                assert top <= bottom < 128
                self._window, self._at = (left, right, top, bottom), (top, self._at[1], 0)
            case 0xC1, [level]:
                self.contrast = level

    def _write(self, byte: int) -> None:
        row, column, half = self._at
        left, right, top, bottom = self._window
        self.memory[row, 2 * column + half] = byte
        if half == 0:
            self._at = (row, column, 1)
        elif column < right:
            self._at = (row, column + 1, 0)
        else:
            self._at = (top if row == bottom else row + 1, left, 0)

    @property
    def ready(self) -> bool:
        # Unlocked (0xFD), and its memory read from left to right and from the bottom up (0xA0).
        return self.settings.get(0xFD) == [0x12] and self.settings.get(0xA0) == [0x14, 0x11]

    @property
    def pixels(self) -> Bits:
        first = (480 - self._width) // 2 // 2
        shown = self.memory[:ROWS, first : first + self._width // 2]
        return numpy.stack((shown >> 4, shown & 0x0F), axis=2).reshape(ROWS, self._width) > 7


def feed(chip: Chip, control: int, content: Iterable[int]) -> None:
    """One I²C message after its address: a control byte (datasheet 8.1.5.2), then commands or data."""
    assert control in (0x00, 0x40)
    for byte in content:
        (chip.data if control else chip.command)(byte)
