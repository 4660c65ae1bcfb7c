# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The pins of the keys: rows that are driven, columns that are read, and extra keys with a pin of their own."""

from collections.abc import Callable, Mapping

from omafon.board import KeypadProfile
from omafon.core.events import Key
from omafon.drivers.keypad.pins import Pins, watch
from omafon.interfaces import DriverError


class KeyPins:
    """Reads which contacts are closed, as bits in the order of `keys` (None where nothing sits).

    A row is driven low, or let go to float, but never driven high: two keys down in one column would join two rows, and
    one driven against the other would burn. So at any time the rows that are driven agree.
    """

    def __init__(self, pins: Pins, keypad: KeypadProfile | None, keys: Mapping[str, str]) -> None:
        """Take the pins. Raises DriverError."""
        rows = keypad.rows if keypad else ()
        columns = keypad.columns if keypad else ()
        legends = keypad.keys if keypad else ()
        if len(legends) != len(rows) or any(len(row) != len(columns) for row in legends):
            shape = f"{len(rows)} rows and {len(columns)} columns"
            raise DriverError(f"the keypad has {shape}, and its keys do not", 'Name a key, or "", for each crossing.')
        crossings = [_key(legend) for row in legends for legend in row]
        self.keys: tuple[Key | None, ...] = (*crossings, *map(_key, keys))
        self._rows = [pins.output(name) for name in rows]
        self._columns = [pins.input(name) for name in columns]
        self._extra = [pins.input(name) for name in keys.values()]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self._rows), len(self._columns)

    def watch(self, changed: Callable[[float, int], None]) -> None:
        """Call `changed` at every edge of a column or an extra key, also at those that `scan` makes."""
        for pin in (*self._columns, *self._extra):
            watch(pin, changed)

    def rest(self) -> bool:
        """Drive every row, so that any key makes an edge; True when one is down already."""
        for pin in self._rows:
            pin.output_with_state(False)
        return any(not pin.state for pin in (*self._columns, *self._extra))

    def scan(self) -> int:
        """The contacts that are closed. Leaves every row floating."""
        self._release()
        closed, bit = 0, 1
        for row in self._rows:
            row.output_with_state(False)
            for column in self._columns:
                if not column.state:
                    closed |= bit
                bit <<= 1
            # A column takes about 25 µs to rise again (50 kΩ, 500 pF of ribbon cable); two system calls last longer.
            row.function = "input"
        for pin in self._extra:
            if not pin.state:
                closed |= bit
            bit <<= 1
        return closed

    def _release(self) -> None:
        for row in self._rows:
            row.function = "input"


def _key(legend: str) -> Key | None:
    try:
        return Key(legend) if legend else None
    except ValueError as error:
        known = " ".join(Key)
        raise DriverError(f'no key is called "{legend}"', f"There are: {known}.") from error
