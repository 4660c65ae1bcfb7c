# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The small pictures of the display, drawn here as one sees them: ten rows high, as wide as they need."""

from functools import cache

from PIL.Image import Image, frombytes

from omafon.core.screen import Icon

HEIGHT = 10

_DRAWN = {
    Icon.LOCK: """
        ...##...
        ..#..#..
        .#....#.
        .#....#.
        ########
        ########
        ###..###
        ###..###
        ########
        ########
    """,
    Icon.LINE: """
        .........
        .......##
        .......##
        .......##
        ....##.##
        ....##.##
        ....##.##
        .##.##.##
        .##.##.##
        .##.##.##
    """,
    Icon.NO_LINE: """
        #...#..##
        .#.#...##
        ..#....##
        .#.#...##
        #...#..##
        .......##
        ....##.##
        ....##.##
        .##.##.##
        .##.##.##
    """,
    Icon.MUTED: """
        #...###....
        .#..###....
        ..#..##....
        ...#..#....
        #.#.#...#..
        #.##.#..#..
        #.###.#.#..
        .#.....#...
        ..#####.#..
        ....#....#.
    """,
    Icon.HELD: """
        .........
        .##..##..
        .##..##..
        .##..##..
        .##..##..
        .##..##..
        .##..##..
        .##..##..
        .##..##..
        .........
    """,
    Icon.MISSED: """
        #.....#####
        ##......###
        .##....####
        ..##..##..#
        ...####....
        ....##.....
        ...........
        ..#######..
        .#########.
        ###.....###
    """,
    Icon.INCOMING: """
        .......##
        ......###
        .....###.
        ##..###..
        ##.###...
        #####....
        ####.....
        ###......
        ########.
        ########.
    """,
    Icon.OUTGOING: """
        .########
        .########
        ......###
        .....####
        ....#####
        ...###.##
        ..###..##
        .###.....
        ###......
        ##.......
    """,
    Icon.MESSAGE: """
        ............
        ############
        ##........##
        #.##....##.#
        #...####...#
        #....##....#
        #..........#
        #..........#
        ############
        ............
    """,
    Icon.RINGER_OFF: """
        #....##....
        .#..####...
        ..#..####..
        ..##..###..
        ..###..##..
        ..####..#..
        .######..#.
        .#######...
        .........#.
        .....##...#
    """,
    Icon.TROUBLE: """
        .....#.....
        ....###....
        ....#.#....
        ...##.##...
        ...##.##...
        ..###.###..
        ..###.###..
        .#########.
        .####.####.
        ###########
    """,
}


@cache
def icon(which: Icon) -> Image:
    """The picture of `which`: one bit, HEIGHT rows."""
    rows = _DRAWN[which].split()
    width = len(rows[0])
    row_bytes = (width + 7) // 8
    bits = [int(row.replace(".", "0").replace("#", "1").ljust(row_bytes * 8, "0"), 2) for row in rows]
    return frombytes("1", (width, len(rows)), b"".join(row.to_bytes(row_bytes) for row in bits))
