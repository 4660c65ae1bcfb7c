# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What closed contacts mean on a board: keys that are down, and copper that is where none should be."""

from collections.abc import Iterator

from omafon.board import BoardProfile
from omafon.hwtest.sequence import Contacts


class Copper:
    """The pins of a board that contacts hang on, by their names.

    `keys` are the legends there are, each with the pins that its key joins: a row and a column, or a pin alone, which
    it joins with ground.
    """

    def __init__(self, board: BoardProfile) -> None:
        self.keys: dict[str, tuple[str, ...]] = {}
        self._uses: dict[str, str] = {}
        self._rows = board.keypad.rows if board.keypad else ()
        self._columns = board.keypad.columns if board.keypad else ()
        self._uses |= {pin: f"row {number}" for number, pin in enumerate(self._rows, start=1)}
        self._uses |= {pin: f"column {number}" for number, pin in enumerate(self._columns, start=1)}
        for row, legends in zip(self._rows, board.keypad.keys if board.keypad else (), strict=True):
            self.keys |= {legend: (row, pin) for legend, pin in zip(legends, self._columns, strict=True) if legend}
        self.keys |= {legend: (pin,) for legend, pin in board.keys.items()}
        self._uses |= {pin: f"key {legend}" for legend, pin in board.keys.items()}
        if board.hook:
            self._uses[board.hook.pin] = "hook switch"
        if board.rotary:
            self._uses[board.rotary.pulse] = "pulse"
            if board.rotary.off_normal:
                self._uses[board.rotary.off_normal] = "off-normal"
        self._legends = {frozenset(pins): legend for legend, pins in self.keys.items()}

    @property
    def pins(self) -> tuple[str, ...]:
        """Every pin that a contact hangs on."""
        return tuple(self._uses)

    def name(self, pin: str) -> str:
        """'gpio17 (row 1)'."""
        return f"{pin} ({self._uses[pin]})"

    def down(self, contacts: Contacts) -> frozenset[str]:
        """The keys that are pressed. A crossing that the board names no key for is told by its pins."""
        alone = {self._legends[frozenset({pin})] for pin in contacts.grounded if frozenset({pin}) in self._legends}
        crossings = {
            self._legends.get(frozenset({row, column}), f"{row}-{column}")
            for wire in self._wires(contacts)
            if not self._fault(wire)
            for row in wire & set(self._rows)
            for column in wire & set(self._columns)
        }
        return frozenset(alone | crossings)

    def faults(self, contacts: Contacts) -> frozenset[str]:
        """What no key can do, each one sentence."""
        lines = contacts.grounded & {*self._rows, *self._columns}
        faults = {f"{self.name(pin)} is joined with ground" for pin in lines}
        return frozenset(faults | {fault for wire in self._wires(contacts) if (fault := self._fault(wire))})

    def _fault(self, wire: frozenset[str]) -> str:
        """What is wrong with pins that are one wire now; empty when keys can join them."""
        rows, columns = wire & set(self._rows), wire & set(self._columns)
        if rows and columns and wire == rows | columns:
            return ""
        names = [self.name(pin) for pin in self._uses if pin in wire]
        return f"{', '.join(names[:-1])} and {names[-1]} are joined"

    def _wires(self, contacts: Contacts) -> Iterator[frozenset[str]]:
        """The pins that are joined, all of one wire together."""
        left = set(contacts.joined)
        while left:
            wire = set(left.pop())
            while near := {pair for pair in left if pair & wire}:
                wire.update(*near)
                left -= near
            yield frozenset(wire)
