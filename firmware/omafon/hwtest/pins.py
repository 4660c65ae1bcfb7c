# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The pins as a meter sees them: which are joined, without an idea of what they are for."""

from collections.abc import Sequence

from omafon.drivers.keypad.pins import Pins
from omafon.hwtest.sequence import Contacts


class Continuity:
    """Looks which of `names` closed contacts join."""

    def __init__(self, pins: Pins, names: Sequence[str]) -> None:
        """Take the pins. Raises DriverError."""
        self._pins = {name: pins.input(name) for name in names}

    def look(self) -> Contacts:
        """All pins are pulled up; one after the other is driven low, never one high: contacts cannot burn them."""
        grounded = {name for name, pin in self._pins.items() if not pin.state}
        joined = set()
        free = [name for name in self._pins if name not in grounded]
        for number, name in enumerate(free, start=1):
            pin = self._pins[name]
            pin.output_with_state(False)
            joined |= {frozenset({name, other}) for other in free[number:] if not self._pins[other].state}
            pin.input_with_pull("up")
        return Contacts(frozenset(grounded), frozenset(joined))
