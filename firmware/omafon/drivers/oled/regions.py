# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Which rectangles of a display's memory to send, so that the fewest bytes cross the bus. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Region:
    """Pages `top` to `bottom` and columns `left` to `right`; both ends beyond the last, as in a slice."""

    top: int
    bottom: int
    left: int
    right: int


@dataclass(frozen=True, slots=True)
class Cost:
    """What a controller asks: bytes to address a region, bytes a cell of it, and how many pages one may span."""

    window: int
    cell: int
    pages: int

    def of(self, region: Region) -> int:
        """Bytes that `region` is on the bus."""
        return self.window + self.cell * (region.bottom - region.top) * (region.right - region.left)


def regions(changes: Sequence[bytes], cost: Cost) -> list[Region]:
    """Rectangles that hold every changed cell, the cheapest of all splits of the display into bands of pages.

    `changes` has one entry a page, in which the byte of each changed column is not 0. Within a band, neighbours are
    joined where what lies between them costs less than to address the second.
    """
    pages = [int.from_bytes(page) for page in changes]
    count, width = len(pages), len(changes[0])
    # From the last page up: the cheapest way to send all from a page on.
    best: list[tuple[int, list[Region]]] = [(0, [])] * (count + 1)
    for top in reversed(range(count)):
        best[top] = best[top + 1]
        if not pages[top]:
            continue
        ways = []
        band = 0
        for bottom in range(top + 1, min(top + cost.pages, count) + 1):
            band |= pages[bottom - 1]
            if pages[bottom - 1]:
                ways.append(_band(band.to_bytes(width), top, bottom, cost, best[bottom]))
        best[top] = min(ways, key=lambda way: way[0])
    return best[0][1]


def both(one: Sequence[bytes], other: Sequence[bytes]) -> list[bytes]:
    """The cells that are not 0 in either.

    >>> both([bytes((1, 0, 5))], [bytes((0, 7, 2))])
    [b'\\x00\\x00\\x02']
    """
    return [bytes(map(min, a, b)) for a, b in zip(one, other, strict=True)]


def without(cells: Sequence[bytes], sent: Sequence[Region]) -> list[bytes]:
    """The cells that are in none of these regions.

    >>> without([bytes((1, 2, 3))], [Region(0, 1, 1, 2)])
    [b'\\x01\\x00\\x03']
    """
    left = [bytearray(page) for page in cells]
    for region in sent:
        for page in left[region.top : region.bottom]:
            page[region.left : region.right] = bytes(region.right - region.left)
    return [bytes(page) for page in left]


def _band(
    changed: bytes, top: int, bottom: int, cost: Cost, rest: tuple[int, list[Region]]
) -> tuple[int, list[Region]]:
    column = (bottom - top) * cost.cell
    gap = (cost.window - 1) // column
    runs = [Region(top, bottom, *run.span()) for run in _runs(gap).finditer(changed)]
    price = sum(cost.window + column * (run.right - run.left) for run in runs)
    return price + rest[0], runs + rest[1]


def _runs(gap: int) -> re.Pattern[bytes]:
    """Changed columns with at most `gap` unchanged ones between two of them. `re` keeps what it compiled."""
    return re.compile(rb"[^\0](?:\0{0,%d}[^\0])*" % gap, re.DOTALL)
