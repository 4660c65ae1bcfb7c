# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The controllers: how each is set up, how its memory holds a picture, and how a part of that memory is addressed.

luma.oled knows how to set them up. Its own way of drawing is left aside: it sends every picture whole, and composes
it pixel by pixel.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from luma.core.error import DeviceDisplayModeError
from luma.oled import device
from PIL.Image import Image, Transpose

from omafon.board import DisplayProfile
from omafon.drivers.oled.regions import Cost, Region
from omafon.drivers.oled.wire import Serial
from omafon.interfaces import DriverError

PAGE = 8  # rows

# The same in all of these controllers.
DISPLAY_OFF = 0xAE
DISPLAY_ON = 0xAF

_NOTHING = 0xE3  # not of the SSD1322, whose parameters are data

# Eight pixels as the SSD1322 has them, the left one of two in the upper half of a byte.
_NIBBLES = [
    bytes((0xF0 if bits & left else 0) | (0x0F if bits & left >> 1 else 0) for left in (0x80, 0x20, 0x08, 0x02))
    for bits in range(256)
]


class Panel(Protocol):
    """One kind of glass. `memory` is a picture as the controller holds it: pages, each a tuple of bytes."""

    size: tuple[int, int]
    cost: Cost

    def memory(self, picture: Image) -> list[bytes]:
        """`picture`, of this panel's size, as pages from top to bottom."""

    @property
    def everything(self) -> list[bytes]:
        """What `changes` would be if every column of every page had changed."""

    def changes(self, old: Sequence[bytes], new: Sequence[bytes]) -> list[bytes]:
        """A byte a column for each page: not 0 where they differ."""

    def lit(self, memory: Sequence[bytes]) -> list[bytes]:
        """A byte a column for each page: not 0 where anything shines."""

    def put(self, serial: Serial, memory: Sequence[bytes], region: Region) -> None:
        """Send `region` of `memory`."""

    def set_up(self, serial: Serial, *, dark: bool) -> None:
        """Send every setting; `dark` turns the light off first, as is right for a chip fresh from its reset."""

    def contrast(self, serial: Serial, level: int) -> None:
        """Shine with `level`, 0 to 255."""


class _Tape:
    """Takes down what luma says, to be said as often as a display is plugged in."""

    def __init__(self) -> None:
        self._said: list[tuple[bool, list[int]]] = []

    def command(self, *command: int) -> None:
        self._said.append((True, list(command)))

    def data(self, data: Sequence[int]) -> None:
        self._said.append((False, list(data)))

    def cleanup(self) -> None:
        """luma asks for it when Python ends."""

    def play(self, serial: Serial, *, dark: bool = True) -> None:
        for is_command, said in self._said:
            if not is_command:
                serial.data(said)
            elif dark or said[0] != DISPLAY_OFF:
                serial.command(*said)
            elif said[1:]:
                serial.command(*said[1:])


class _Settings:
    """Before a class of luma's: only its settings are sent, and neither picture nor light."""

    def clear(self) -> None: ...

    def show(self) -> None: ...


class _Ssd1306(_Settings, device.ssd1306): ...  # type: ignore[misc]


class _Ssd1309(_Settings, device.ssd1309): ...  # type: ignore[misc]


class _Sh1106(_Settings, device.sh1106): ...  # type: ignore[misc]


class _Ssd1322(_Settings, device.ssd1322): ...  # type: ignore[misc]


class _LumaPanel:
    """What all panels have of luma's."""

    def __init__(self, kind: Callable[..., Any], width: int, height: int) -> None:
        self.size = (width, height)
        self._settings = _Tape()
        # One for the whole life of the panel: luma keeps every device it ever made, until Python ends.
        self._device = kind(self._settings, width=width, height=height)
        # So that luma will not say farewell to a tape.
        self._device.persist = True

    def set_up(self, serial: Serial, *, dark: bool) -> None:
        self._settings.play(serial, dark=dark)


class _OneBitPanel(_LumaPanel):
    """One bit a pixel: a byte holds eight rows of one column, the topmost as its lowest bit."""

    def set_up(self, serial: Serial, *, dark: bool) -> None:
        # A chip that was cut off in the middle of a command takes what comes first for its parameters, two at most.
        serial.command(_NOTHING, _NOTHING)
        super().set_up(serial, dark=dark)

    def contrast(self, serial: Serial, level: int) -> None:
        serial.command(0x81, level)

    def memory(self, picture: Image) -> list[bytes]:
        # Turned clockwise, a column is a row that begins with the bottom pixel: the bits are in the chip's order
        # and the pages in the opposite one.
        turned = picture.transpose(Transpose.ROTATE_270).tobytes()
        pages = picture.height // PAGE
        return [turned[pages - 1 - page :: pages] for page in range(pages)]

    @property
    def everything(self) -> list[bytes]:
        return [b"\1" * self.size[0]] * (self.size[1] // PAGE)

    def changes(self, old: Sequence[bytes], new: Sequence[bytes]) -> list[bytes]:
        return [_different(a, b) for a, b in zip(old, new, strict=True)]

    def lit(self, memory: Sequence[bytes]) -> list[bytes]:
        return list(memory)


class WindowPanel(_OneBitPanel):
    """SSD1306 and SSD1309 in horizontal mode: a window of columns and pages, filled row by row (datasheet 10.1.3)."""

    cost = Cost(window=10, cell=1, pages=8)  # two addresses on the bus, two control bytes, six of commands

    def put(self, serial: Serial, memory: Sequence[bytes], region: Region) -> None:
        serial.command(0x21, region.left, region.right - 1, 0x22, region.top, region.bottom - 1)
        pages = memory[region.top : region.bottom]
        serial.data(b"".join(page[region.left : region.right] for page in pages))


class PagePanel(_OneBitPanel):
    """SH1106: page mode only, and 132 columns of which the glass shows those from the third on."""

    cost = Cost(window=7, cell=1, pages=1)
    offset = 2

    def put(self, serial: Serial, memory: Sequence[bytes], region: Region) -> None:
        column = region.left + self.offset
        serial.command(0xB0 | region.top, column & 0x0F, 0x10 | column >> 4)
        serial.data(memory[region.top][region.left : region.right])


class GreyPanel(_LumaPanel):
    """SSD1322: four bits a pixel; a cell is a square of eight pixels, two of the controller's columns wide.

    A page of `memory` is eight rows one after the other, of one bit a pixel.
    """

    # Its parameters are data, so that D/C changes five times a window: dearer than the seven bytes.
    cost = Cost(window=32, cell=4 * PAGE, pages=8)

    def __init__(self, kind: Callable[..., Any], width: int, height: int) -> None:
        super().__init__(kind, width, height)
        self._cells = width // 8
        # The glass is in the middle of the 480 columns of the memory, addressed four at a time.
        self._offset = (480 - width) // 2 // 4

    def contrast(self, serial: Serial, level: int) -> None:
        serial.command(0xC1)
        serial.data([level])

    def memory(self, picture: Image) -> list[bytes]:
        rows = picture.tobytes()
        page = self._cells * PAGE
        return [rows[start : start + page] for start in range(0, len(rows), page)]

    @property
    def everything(self) -> list[bytes]:
        return [b"\1" * self._cells] * (self.size[1] // PAGE)

    def changes(self, old: Sequence[bytes], new: Sequence[bytes]) -> list[bytes]:
        return [self._squares(_different(a, b)) for a, b in zip(old, new, strict=True)]

    def lit(self, memory: Sequence[bytes]) -> list[bytes]:
        return [self._squares(page) for page in memory]

    def _squares(self, page: bytes) -> bytes:
        rows = (page[start : start + self._cells] for start in range(0, len(page), self._cells))
        together = 0
        for row in rows:
            together |= int.from_bytes(row)
        return together.to_bytes(self._cells)

    def put(self, serial: Serial, memory: Sequence[bytes], region: Region) -> None:
        for command, parameters in (
            (0x15, [self._offset + 2 * region.left, self._offset + 2 * region.right - 1]),
            (0x75, [PAGE * region.top, PAGE * region.bottom - 1]),
        ):
            serial.command(command)
            serial.data(parameters)
        serial.command(0x5C)
        bits = b"".join(
            page[start + region.left : start + region.right]
            for page in memory[region.top : region.bottom]
            for start in range(0, len(page), self._cells)
        )
        serial.data(b"".join(_NIBBLES[byte] for byte in bits))


def panel(display: DisplayProfile) -> Panel:
    """The panel of a board. Raises DriverError when luma knows none of that kind and size."""
    kinds: dict[str, tuple[type[WindowPanel | PagePanel | GreyPanel], Callable[..., Any]]] = {
        "ssd1306": (WindowPanel, _Ssd1306),
        "ssd1309": (WindowPanel, _Ssd1309),
        "sh1106": (PagePanel, _Sh1106),
        "ssd1322": (GreyPanel, _ssd1322),
    }
    made, kind = kinds[display.driver]
    try:
        return made(kind, display.width, display.height)
    except DeviceDisplayModeError as error:
        what = f"no {display.driver} has {display.width} × {display.height} pixels"
        raise DriverError(what, "Write the size of the glass under [display] of the board.") from error


def _ssd1322(tape: _Tape, width: int, height: int) -> Any:
    return _Ssd1322(tape, width=width, height=height, mode="1")


def _different(a: bytes, b: bytes) -> bytes:
    return (int.from_bytes(a) ^ int.from_bytes(b)).to_bytes(len(a))
