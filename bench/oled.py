# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What a change of the screen costs on the display's bus, beside luma.oled, which sends every picture whole.

An SSD1306 on I²C at 400 kHz. `python -m bench.oled` prints the table of every change.
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from luma.core.interface.serial import i2c
from luma.oled.device import ssd1306
from PIL import Image

from bench.figures import Figure, Values, at_most, median
from omafon.board import DisplayProfile
from omafon.core.causes import Cause
from omafon.core.events import CallId, IncomingCall
from omafon.core.glass import Glass
from omafon.core.present import screen
from omafon.core.settings import Accept
from omafon.drivers.oled.link import Link
from omafon.drivers.oled.panel import panel
from omafon.drivers.oled.wire import connect
from omafon.render import render
from tests.lab.glass import Ssd1306, lights, shows
from tests.lab.wires import I2cBus
from tests.unit.world import SETTINGS, World

AGENTS = ["omafon", "luma"]
FIGURES = (
    Figure("oled_key_ms", "a key, on the bus", "ms", at_most(8, "ms")),
    Figure("oled_key_worst_ms", "the dearest key", "ms", at_most(8, "ms")),
    Figure("oled_first_key_ms", "the first key, handset down, until it is seen", "ms", at_most(8, "ms")),
    Figure("oled_menu_ms", "a step in the menu", "ms"),
    Figure("oled_minute_ms", "a minute of the clock", "ms"),
    Figure("oled_second_ms", "a second of a call", "ms", at_most(1, "ms")),
)
DISPLAY = DisplayProfile(128, 64, "ssd1306")
NUMBER = "030123456789"
CALLERS = ("Anna", "Dr. Weber", "Großmutter Elisabeth", "", "Jürgen", "Apotheke", "Олена")


@dataclass(frozen=True, slots=True)
class Change:
    """One change of the screen, and what the bus carried for it."""

    what: str
    sent: int
    bus_ms: float


class Glass128:
    """A display of ours on a bus that counts."""

    def __init__(self) -> None:
        self.bus = I2cBus(Ssd1306())
        self._link = Link(panel(DISPLAY), DISPLAY, connect(DISPLAY, bus=self.bus))

    def shows(self, frame: Image.Image) -> None:
        self._link.show(frame, Glass())


class LumaGlass:
    """The same with luma's own way to show a picture."""

    def __init__(self) -> None:
        self.bus = I2cBus(Ssd1306())
        with _old_pillow():
            self._device = ssd1306(i2c(bus=self.bus))
        self._device.persist = True

    def shows(self, frame: Image.Image) -> None:
        with _old_pillow():
            self._device.display(frame)


def _old_pillow() -> AbstractContextManager[object]:
    """luma asks Pillow for what Pillow would rather not have any more."""
    return warnings.catch_warnings(action="ignore", category=DeprecationWarning)


def measure() -> Values:
    """Every figure of both."""
    values: Values = {}
    for agent, made in (("omafon", Glass128), ("luma", LumaGlass)):
        keys = list(_dialled(made()))
        rows = {
            "oled_key_ms": median([change.bus_ms for change in keys]),
            "oled_key_worst_ms": max(change.bus_ms for change in keys),
            "oled_first_key_ms": _first_key_ms(made()),
            "oled_menu_ms": median([change.bus_ms for change in _looked_through(made())]),
            "oled_minute_ms": median([change.bus_ms for change in _waited(made())]),
            "oled_second_ms": median([change.bus_ms for change in _talked(made())]),
        }
        for key, value in rows.items():
            values.setdefault(key, {})[agent] = value
    return values


def _dialled(glass: Glass128 | LumaGlass) -> Iterator[Change]:
    phone = World()
    phone.lifts()
    for digit in NUMBER:
        yield _changed(glass, phone, f"key {digit}", lambda digit=digit: phone.presses(digit))


def _first_key_ms(glass: Glass128 | LumaGlass) -> float:
    """It takes the clock off the display: what it puts there counts, not the erasing after it."""
    phone = World()
    glass.shows(render(screen(phone.phone, phone.now)))
    phone.presses(NUMBER[0])
    frame = render(screen(phone.phone, phone.now))
    began_ms = glass.bus.time_ms
    glass.bus.looks_for(lambda: lights(glass.bus.chip, frame))
    glass.shows(frame)
    assert glass.bus.found_ms is not None
    return glass.bus.found_ms - began_ms


def _looked_through(glass: Glass128 | LumaGlass) -> Iterator[Change]:
    phone = World(replace(SETTINGS, accept=frozenset(Accept)))
    for index, name in enumerate(CALLERS):
        uri = f"sip:+4989{998877 + 1111 * index}@192.0.2.9"
        phone.happens(IncomingCall(CallId(f"in-{index}"), uri, name, "192.0.2.9", None))
        phone.ends(f"in-{index}", Cause.CANCELLED)
        phone.passes(3600)
    phone.presses("down")
    for _ in CALLERS[1:]:
        yield _changed(glass, phone, "menu down", lambda: phone.presses("down"))


def _waited(glass: Glass128 | LumaGlass) -> Iterator[Change]:
    phone = World()
    for _ in range(30):
        yield _changed(glass, phone, "minute", lambda: phone.passes(60))


def _talked(glass: Glass128 | LumaGlass) -> Iterator[Change]:
    phone = World()
    phone.talks_to_oma()
    for _ in range(30):
        yield _changed(glass, phone, "second", lambda: phone.passes(1))


def _changed(glass: Glass128 | LumaGlass, phone: World, what: str, happens: Callable[[], object]) -> Change:
    glass.shows(render(screen(phone.phone, phone.now)))
    happens()
    frame = render(screen(phone.phone, phone.now))
    sent, busy_ms = glass.bus.bytes, glass.bus.time_ms
    glass.shows(frame)
    assert shows(glass.bus.chip, frame)
    return Change(what, glass.bus.bytes - sent, glass.bus.time_ms - busy_ms)


def main() -> None:
    for made in (_dialled, _looked_through, _waited, _talked):
        for ours, theirs in zip(made(Glass128()), made(LumaGlass()), strict=True):
            print(
                f"{ours.what:<12}{ours.sent:>6} bytes {ours.bus_ms:>6.2f} ms"
                f"{theirs.sent:>8} bytes {theirs.bus_ms:>6.2f} ms by luma"
            )


if __name__ == "__main__":
    main()
