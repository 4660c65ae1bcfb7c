# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""One display from being plugged in to its first fault: what is on it, and what must go over the bus to change that."""

from collections.abc import Sequence

from PIL import Image
from PIL.Image import Transpose

from omafon.board import DisplayProfile
from omafon.core.glass import Glass
from omafon.drivers.oled.panel import DISPLAY_OFF, DISPLAY_ON, Panel
from omafon.drivers.oled.regions import Region, both, regions, without
from omafon.drivers.oled.wire import Serial

# What crosses a slow bus in 8 ms is sent as cheaply as it can be: two parts are dearer than one.
AT_ONCE_BYTES = 320

_TURNS = {90: Transpose.ROTATE_270, 180: Transpose.ROTATE_180, 270: Transpose.ROTATE_90}


class Link:
    """Everything it does may raise what the bus raises; what is on the glass is unknown then, and the link is done."""

    def __init__(self, panel: Panel, display: DisplayProfile, serial: Serial) -> None:
        self._panel = panel
        self._display = display
        self._serial = serial
        self._memory: Sequence[bytes] | None = None  # what the controller's memory holds; None: anything
        self._level = 0  # how it shines; 0: not at all

    def show(self, frame: Image.Image, glass: Glass) -> None:
        """Make the display show `frame` as `glass` says, by sending what is not there yet."""
        if self._memory is None:
            # Dark until its memory is written: after power-on that holds anything.
            self._panel.set_up(self._serial, dark=True)
        self._draw(frame, glass)

    def renew(self, frame: Image.Image, glass: Glass) -> None:
        """Send everything, so that a display that lost its power comes back; nobody sees it otherwise.

        A loose wire says nothing unless something is sent just then.
        """
        self._panel.set_up(self._serial, dark=False)
        self._memory = None
        self._level = 0
        self._draw(frame, glass)

    def end(self) -> None:
        """Dark: a picture that nobody keeps true is worse than none."""
        self._serial.command(DISPLAY_OFF)

    def cut(self) -> None:
        """Give the bus back."""
        self._serial.cleanup()

    def _draw(self, frame: Image.Image, glass: Glass) -> None:
        wanted = self._panel.memory(self._placed(frame, glass.shift))
        for region in self._differing(wanted):
            self._panel.put(self._serial, wanted, region)
        self._memory = wanted
        self._shine(self._contrast(glass))

    def _differing(self, wanted: Sequence[bytes]) -> list[Region]:
        """What to send, in this order: of a large change first what lights, for which somebody waits, then erasing."""
        cost = self._panel.cost
        if self._memory is None:
            return regions(self._panel.everything, cost)
        changes = self._panel.changes(self._memory, wanted)
        at_once = regions(changes, cost)
        if sum(map(cost.of, at_once)) <= AT_ONCE_BYTES:
            return at_once
        lighting = regions(both(changes, self._panel.lit(wanted)), cost)
        return lighting + regions(without(changes, lighting), cost)

    def _contrast(self, glass: Glass) -> int:
        """The controller's contrast, 1 to 255; 0 for a dark glass."""
        return max(1, self._display.contrast * glass.brightness // 100) if glass.brightness else 0

    def _shine(self, level: int) -> None:
        if level == self._level:
            return
        if level:
            self._panel.contrast(self._serial, level)
        if not level or not self._level:
            self._serial.command(DISPLAY_ON if level else DISPLAY_OFF)
        self._level = level

    def _placed(self, frame: Image.Image, shift: tuple[int, int]) -> Image.Image:
        """`frame` in the middle of the glass but for `shift`, turned as the glass is mounted."""
        width, height = upright(self._panel, self._display)
        picture = Image.new("1", (width, height))
        picture.paste(frame, ((width - frame.width) // 2 + shift[0], (height - frame.height) // 2 + shift[1]))
        turn = _TURNS.get(self._display.rotate)
        return picture if turn is None else picture.transpose(turn)


def upright(panel: Panel, display: DisplayProfile) -> tuple[int, int]:
    """Width and height of the glass as the person sees it."""
    width, height = panel.size
    return (width, height) if display.rotate in (0, 180) else (height, width)
