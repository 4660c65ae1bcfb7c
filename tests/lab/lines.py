# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The hand at a telephone whose pins are a simulated chip of a real kernel: tests/kernel/wires.c joins its lines."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from omafon.board import BoardProfile
from omafon.core.screen import Lamps

CONTACTS = Path("/sys/module/wires/parameters")
DRIVER = Path("/sys/bus/platform/drivers/gpio-sim")
GROUND = "gpio54"


class Hand:
    """Closes and opens the contacts of `board`, and looks at its lamps. The handset is on the hook at first."""

    def __init__(self, board: BoardProfile) -> None:
        self._board = board
        self._values = next(DRIVER.glob("*/gpiochip*"))
        self._contacts: dict[str, tuple[str, str]] = {key: (pin, GROUND) for key, pin in board.keys.items()}
        if keypad := board.keypad:
            for row, legends in zip(keypad.rows, keypad.keys, strict=True):
                self._contacts |= {key: (row, column) for key, column in zip(legends, keypad.columns, strict=True)}
        self.replaces()

    def presses(self, key: str) -> None:
        self._contact("join", *self._contacts[key])

    def releases(self, key: str) -> None:
        self._contact("part", *self._contacts[key])

    @contextmanager
    def holds(self, key: str) -> Iterator[None]:
        """A key that is down as long as its `with` lasts."""
        self.presses(key)
        try:
            yield
        finally:
            self.releases(key)

    def lifts(self) -> None:
        self._hook(closed=False)

    def replaces(self) -> None:
        self._hook(closed=True)

    def lit(self) -> set[str]:
        """The lamps whose pin is high now."""
        pins = {name: getattr(self._board.lamps, name, "") for name in Lamps.__dataclass_fields__}
        return {name for name, pin in pins.items() if pin and self._value(pin)}

    def _hook(self, *, closed: bool) -> None:
        if hook := self._board.hook:
            self._contact("join" if closed is (hook.closed == "on-hook") else "part", hook.pin, GROUND)

    def _value(self, pin: str) -> bool:
        return (self._values / f"sim_gpio{_line(pin)}" / "value").read_text() == "1\n"

    @staticmethod
    def _contact(way: str, one: str, other: str) -> None:
        (CONTACTS / way).write_text(f"{_line(one)} {_line(other)}")


def _line(pin: str) -> int:
    return int(pin.removeprefix("gpio"))
