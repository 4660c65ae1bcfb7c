# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The bitmap faces of the display: `face("sans-10")` reads one from its BDF file, once.

The files are made by image-build/fonts/make; the licences of those that are not our own lie beside them.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from PIL.Image import Image, frombytes

# One STARTCHAR … ENDCHAR of the Glyph Bitmap Distribution Format 2.1 (Adobe technical note 5005).
_GLYPH = re.compile(
    r"(?:SWIDTH .*\n)?DWIDTH (\d+) .*\nBBX (\d+) (\d+) (-?\d+) (-?\d+)\nBITMAP\n([0-9A-Fa-f\n]*)ENDCHAR"
)
_ENCODING = "\nENCODING "


@dataclass(frozen=True, slots=True)
class Glyph:
    """One letter: its picture, where that lies from the pen and the baseline, and how far the pen then moves."""

    advance: int
    left: int
    above: int
    below: int
    picture: Image | None


class Face:
    """Letters of one size. All measures are pixels."""

    def __init__(self, bdf: str) -> None:
        # A letter is read when it is first drawn: the whole file costs a small Pi a tenth of a second.
        written = (part.partition("\n") for part in bdf.split(_ENCODING)[1:])
        self._written = {chr(int(code)): lines for code, _, lines in written}
        self._glyphs: dict[str, Glyph] = {}

    def covers(self, text: str) -> bool:
        return all(char in self._written for char in text)

    def spelled(self, text: str) -> str:
        """`text` in the letters this face has: without the accents it lacks, and '?' for what is left."""
        return "".join(self._nearest(char) for char in text)

    def width(self, text: str) -> int:
        """How far the pen moves; an empty text is 0."""
        return sum(self._glyph(char).advance for char in text)

    def extent(self, text: str) -> tuple[int, int]:
        """The rows of ink above the baseline, and below it."""
        inked = [glyph for glyph in map(self._glyph, text) if glyph.picture]
        return (max((g.above for g in inked), default=0), max((g.below for g in inked), default=0))

    def draw(self, on: Image, x: int, baseline: int, text: str, ink: int = 1) -> None:
        """Write `text` so that its feet stand on the row above `baseline`."""
        for glyph in map(self._glyph, text):
            if glyph.picture is not None:
                on.paste(ink, (x + glyph.left, baseline - glyph.above), glyph.picture)
            x += glyph.advance

    def _glyph(self, char: str) -> Glyph:
        if char not in self._glyphs:
            self._glyphs[char] = _read(self._written[char])
        return self._glyphs[char]

    def _nearest(self, char: str) -> str:
        if char in self._written:
            return char
        return "".join(c for c in unicodedata.normalize("NFKD", char) if c in self._written) or "?"


@cache
def face(name: str) -> Face:
    """The face of this name.

    Raises FileNotFoundError when the package does not hold it.
    """
    return Face((files(__name__) / f"{name}.bdf").read_text(encoding="ascii"))


def _read(lines: str) -> Glyph:
    found = _GLYPH.match(lines)
    assert found is not None, lines
    advance, width, height, left, bottom = (int(found[i]) for i in range(1, 6))
    cell = frombytes("1", (width, height), bytes.fromhex(found[6].replace("\n", "")))
    ink = cell.getbbox()
    if ink is None:
        return Glyph(advance, 0, 0, 0, None)
    above = height + bottom - ink[1]
    return Glyph(advance, left + ink[0], above, ink[3] - ink[1] - above, cell.crop(ink))
