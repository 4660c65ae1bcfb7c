# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Which keys are down, from scans of contacts that bounce and of a matrix that lies.

Contacts are bits: key (row, column) of the matrix is bit row × columns + column, extra keys follow. All are told
apart, pressed and let go, in a few operations on whole numbers, however many there are.
"""

SCAN_S = 0.005
"""From the end of a scan to the next: three of them span more than the 10 ms that a contact bounces, in every row."""
STILL_S, STILL_SCAN_S = 1.0, 0.02
"""A key that is held without anything moving is looked at less often,"""
LYING_S, LYING_SCAN_S = 30.0, 0.1
"""and a book that lies on the keys hardly ever."""


class Debouncer:
    """Scans in, keys pressed and released out.

    A key is believed when three scans in a row agree. In a matrix without diodes three closed corners of a rectangle
    make the fourth look closed: the press of a key that may be such a corner waits until one of the others is let go.
    Two keys, and any number in one row or one column, are always told.

    `deadline` is when the next scan is wanted; None when nothing is down and an edge will tell.
    """

    __slots__ = ("_before", "_column_bits", "_last", "_moved_at", "_rows", "_seen", "deadline", "down")

    def __init__(self, rows: int = 0, columns: int = 0) -> None:
        self.down = 0
        self.deadline: float | None = None
        self._rows = range(0, rows * columns, columns or 1)
        self._column_bits = (1 << columns) - 1
        self._seen = self._last = self._before = 0
        self._moved_at = 0.0

    def wake(self, now: float) -> None:
        """An edge was seen: scan at once."""
        self.deadline = now
        self._moved_at = now

    def scan(self, closed: int, now: float) -> tuple[int, int]:
        """The keys pressed and the keys released, now that the last of the contacts `closed` was read."""
        last, before, down = self._last, self._before, self.down
        if closed != self._seen:
            self._seen = closed
            self._moved_at = now
        if closed == last == before == down:
            self.deadline = self._next(now) if down else None
            return 0, 0
        # Only a press is ever doubted: other keys can make a contact look closed, never open.
        closed &= ~self._doubtful(closed) | down
        pressed = closed & last & before & ~down
        released = down & ~(closed | last | before)
        self.down = down ^ (pressed | released)
        self._last, self._before = closed, last
        self.deadline = self._next(now)
        return pressed, released

    def reset(self) -> None:
        """Forget every key."""
        self.down = self._seen = self._last = self._before = 0
        self.deadline = None

    def _next(self, now: float) -> float:
        still_s = now - self._moved_at
        return now + (SCAN_S if still_s < STILL_S else STILL_SCAN_S if still_s < LYING_S else LYING_SCAN_S)

    def _doubtful(self, seen: int) -> int:
        """The keys of `seen` with another in their row and another in their column.

        In a rectangle all four are such. The corner that joins two others may bounce, and be open in the very moments
        its own row is read: then three are seen, and the one between the others is the one that is not there.
        """
        if seen.bit_count() < 3:
            return 0
        rows = [(start, bits) for start in self._rows if (bits := seen >> start & self._column_bits)]
        once = shared = 0
        for _, bits in rows:
            shared |= once & bits
            once |= bits
        return sum((bits & shared) << start for start, bits in rows if bits & (bits - 1))
