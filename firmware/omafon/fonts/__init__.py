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
    r"ENCODING (\d+)\n(?:SWIDTH .*\n)?DWIDTH (\d+) .*\nBBX (\d+) (\d+) (-?\d+) (-?\d+)\nBITMAP\n([0-9A-Fa-f\n]*)ENDCHAR"
)


@dataclass(frozen=True, slots=True)
class Glyph:
    """One letter: its picture, where that lies from the pen and the baseline, and how far the pen then moves."""

    advance: int
    left: int
    above: int
    below: int
    picture: Image | None


@dataclass(frozen=True, slots=True)
class Face:
    """Letters of one size. All measures are pixels."""

    glyphs: dict[str, Glyph]

    def covers(self, text: str) -> bool:
        return all(char in self.glyphs for char in text)

    def spelled(self, text: str) -> str:
        """`text` in the letters this face has: without the accents it lacks, and '?' for what is left."""
        return "".join(self._nearest(char) for char in text)

    def width(self, text: str) -> int:
        """How far the pen moves; an empty text is 0."""
        return sum(self.glyphs[char].advance for char in text)

    def extent(self, text: str) -> tuple[int, int]:
        """The rows of ink above the baseline, and below it."""
        inked = [self.glyphs[char] for char in text if self.glyphs[char].picture]
        return (max((g.above for g in inked), default=0), max((g.below for g in inked), default=0))

    def draw(self, on: Image, x: int, baseline: int, text: str, ink: int = 1) -> None:
        """Write `text` so that its feet stand on the row above `baseline`."""
        for char in text:
            glyph = self.glyphs[char]
            if glyph.picture is not None:
                on.paste(ink, (x + glyph.left, baseline - glyph.above), glyph.picture)
            x += glyph.advance

    def _nearest(self, char: str) -> str:
        if char in self.glyphs:
            return char
        return "".join(c for c in unicodedata.normalize("NFKD", char) if c in self.glyphs) or "?"


@cache
def face(name: str) -> Face:
    """The face of this name.

    Raises FileNotFoundError when the package does not hold it.
    """
    text = (files(__name__) / f"{name}.bdf").read_text(encoding="ascii")
    return Face({chr(int(found[1])): _glyph(found) for found in _GLYPH.finditer(text)})


def _glyph(found: re.Match[str]) -> Glyph:
    advance, width, height, left, bottom = (int(found[i]) for i in range(2, 7))
    cell = frombytes("1", (width, height), bytes.fromhex(found[7].replace("\n", "")))
    ink = cell.getbbox()
    if ink is None:
        return Glyph(advance, 0, 0, 0, None)
    above = height + bottom - ink[1]
    return Glyph(advance, left + ink[0], above, ink[3] - ink[1] - above, cell.crop(ink))
