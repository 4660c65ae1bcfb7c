# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What is broken about the keypad, told as the health of one driver."""

from omafon.core.events import Driver, DriverFailed, DriverRecovered, Event


class Faults:
    """Several things may be broken at once; the keypad has recovered when the last of them is mended."""

    def __init__(self) -> None:
        self._found: list[str] = []

    def found(self, what: str) -> tuple[Event, ...]:
        """`what` is broken, in the owner's words; nothing new when that is known."""
        if what in self._found:
            return ()
        self._found.append(what)
        return (DriverFailed(Driver.KEYPAD, what),)

    def mended(self, what: str) -> tuple[Event, ...]:
        """`what` works again; the next fault is told if there is one."""
        if what not in self._found:
            return ()
        self._found.remove(what)
        return (DriverFailed(Driver.KEYPAD, self._found[-1]) if self._found else DriverRecovered(Driver.KEYPAD),)
