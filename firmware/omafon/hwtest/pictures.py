# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What is shown to find dots that are dark, lit, or in another place."""

from PIL import Image, ImageChops

from omafon.board import DisplayProfile
from omafon.core.screen import Screen
from omafon.hwtest.sequence import Picture
from omafon.render import render

SQUARE = 8


def picture(wanted: Picture, display: DisplayProfile) -> Image.Image:
    """One-bit, of the glass's size as the person sees it."""
    upright = display.rotate in (0, 180)
    size = (display.width, display.height) if upright else (display.height, display.width)
    match wanted:
        case Picture.ALL_ON:
            return Image.new("1", size, 1)
        case Picture.ALL_OFF:
            return Image.new("1", size)
        case Picture.CHESSBOARD:
            return _chessboard(size)
        case Picture.TEXT:
            return _framed(size)


def _chessboard(size: tuple[int, int]) -> Image.Image:
    stripes = Image.new("1", size)
    for x in range(0, size[0], 2 * SQUARE):
        stripes.paste(1, (x, 0, x + SQUARE, size[1]))
    rows = Image.new("1", size)
    for y in range(0, size[1], 2 * SQUARE):
        rows.paste(1, (0, y, size[0], y + SQUARE))
    return ImageChops.logical_xor(stripes, rows)


def _framed(size: tuple[int, int]) -> Image.Image:
    words = render(Screen(main="Omafon", note="0123456789 ÄÖÜ ß €"))
    framed = Image.new("1", size)
    framed.paste(words, ((size[0] - words.width) // 2, (size[1] - words.height) // 2))
    edge = Image.new("1", size, 1)
    edge.paste(0, (1, 1, size[0] - 1, size[1] - 1))
    return ImageChops.logical_or(framed, edge)
