# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What a part looks like in the drawing: its contacts as the symbols of a circuit, beside its terminals."""

from collections.abc import Sequence
from xml.sax.saxutils import escape

from omafon.board.wires import Device, Kind

INK, GREY, PAPER = "#20242a", "#6b727c", "#ffffff"

# Distances from the edge of the box where the terminals are: symbols begin behind the words.
FROM, CONTACT, RAIL, FAR = 136, 190, 240, 316
CELL = 36


def portrait_height(part: Device) -> int:
    """The room, in the units of the drawing, that the portrait of `part` wants beside its terminals."""
    if part.kind is Kind.KEYPAD:
        return CELL * len(part.legends) + 24
    return {Kind.DISPLAY: 104, Kind.DIAL: 84, Kind.CODEC: 150}.get(part.kind, 0)


def portrait(part: Device, edge: int, side: int, heights: Sequence[int]) -> str:
    """The inside of `part`, whose terminals are at `edge` and `heights`; `side` 1: it stretches to the right."""
    pen = _Pen(edge, side)
    match part.kind:
        case Kind.KEYPAD:
            return pen.keypad(part, heights)
        case Kind.DISPLAY:
            return pen.display(heights)
        case Kind.HOOK | Kind.KEYS | Kind.DIAL:
            return pen.contacts(part, heights)
        case Kind.LAMPS:
            return pen.lamps(heights)
        case Kind.CODEC:
            return pen.codec(heights)
        case Kind.AMPLIFIER:
            return pen.loudspeaker(heights)


class _Pen:
    """Draws at distances from the edge that holds the terminals, to whichever side the box is."""

    def __init__(self, edge: int, side: int) -> None:
        self._edge = edge
        self._side = side

    def x(self, away: float) -> float:
        return self._edge + self._side * away

    def line(self, *points: tuple[float, float], width: float = 1.6) -> str:
        path = "L".join(f"{self.x(away):g} {y:g}" for away, y in points)
        return f'<path d="M{path}" fill="none" stroke="{INK}" stroke-width="{width}" stroke-linecap="round"/>'

    def dot(self, away: float, y: float, radius: float = 3, fill: str = INK) -> str:
        return f'<circle cx="{self.x(away):g}" cy="{y:g}" r="{radius:g}" fill="{fill}" stroke="{INK}"/>'

    def box(self, near: float, far: float, y: float, height: float, fill: str = PAPER, radius: float = 4) -> str:
        left = min(self.x(near), self.x(far))
        return (
            f'<rect x="{left:g}" y="{y:g}" width="{far - near:g}" height="{height:g}" rx="{radius:g}" '
            f'fill="{fill}" stroke="{INK}"/>'
        )

    def text(self, away: float, y: float, words: str, size: int = 12, fill: str = INK, weight: str = "normal") -> str:
        return _word(self.x(away), y, words, size, fill, weight)

    def keypad(self, part: Device, heights: Sequence[int]) -> str:
        """The keys as they lie before a person, with the numbers of rows and columns."""
        rows, columns = len(part.legends), len(part.legends[0])
        cell = min(CELL, (FAR - 6 - FROM - 6) // columns)
        top = sum(heights) / len(heights) - rows * cell / 2 + 10
        left = min(self.x(FAR - 6), self.x(FAR - 6 - columns * cell))
        drawn = [_word(left + (j + 0.5) * cell, top - 5, str(j + 1), 11, GREY) for j in range(columns)]
        for i, row in enumerate(part.legends):
            y = top + i * cell
            drawn.append(_word(left - 12, y + cell / 2 + 4, str(i + 1), 11, GREY))
            for j, legend in enumerate(row):
                x = left + j * cell
                drawn.append(
                    f'<rect x="{x + 2:g}" y="{y + 2:g}" width="{cell - 4}" height="{cell - 4}" rx="5" '
                    f'fill="{PAPER}" stroke="{INK if legend else "#d5d8dd"}"/>'
                )
                size = {1: 16, 2: 12, 3: 11}.get(len(legend), 9)
                drawn.append(_word(x + cell / 2, y + cell / 2 + 5, legend, size, INK, "bold"))
        return "".join(drawn)

    def display(self, heights: Sequence[int]) -> str:
        middle = sum(heights) / len(heights)
        return (
            self.box(FROM + 14, FAR, middle - 50, 100, "#e6e9ee", 6)
            + self.box(FROM + 24, FAR - 10, middle - 38, 76, "#0d1420", 2)
            + self.text((FROM + 14 + FAR) / 2, middle + 10, "12:34", 32, "#9fd4ff", "bold")
        )

    def contacts(self, part: Device, heights: Sequence[int]) -> str:
        """Switches from each terminal to the rail that the last one, ground, is at."""
        drawn = [self.line((FROM, heights[-1]), (RAIL, heights[-1]), (RAIL, heights[0]))]
        for wire, y in zip(part.wires[:-1], heights, strict=False):
            closed = part.kind is Kind.DIAL and wire.terminal == "pulse"
            drawn += [self.line((FROM, y), (CONTACT - 18, y)), self.line((CONTACT + 18, y), (RAIL, y))]
            drawn += [self.line((CONTACT - 18, y), (CONTACT + 18, y if closed else y - 9), width=2.2)]
            drawn += [self.dot(CONTACT - 18, y), self.dot(CONTACT + 18, y, fill=PAPER), self.dot(RAIL, y, 2.4)]
            if part.kind is Kind.KEYS:
                drawn += [
                    self.line((CONTACT, y - 5), (CONTACT, y - 12)),
                    self.line((CONTACT - 7, y - 12), (CONTACT + 7, y - 12), width=2.2),
                ]
        if part.kind is Kind.DIAL:
            middle = sum(heights) / len(heights)
            drawn.append(self.dot(FAR - 34, middle, 36, PAPER))
            drawn += [self.dot(FAR - 34 + 25 * c, middle + 25 * s, 5, "#e6e9ee") for c, s in _HOLES]
        return "".join(drawn)

    def lamps(self, heights: Sequence[int]) -> str:
        """A resistor and a light-emitting diode from each terminal to the rail."""
        drawn = [self.line((FROM, heights[-1]), (RAIL + 30, heights[-1]), (RAIL + 30, heights[0]))]
        for y in heights[:-1]:
            anode, cathode = CONTACT + 22, CONTACT + 38
            drawn += [self.line((FROM, y), (anode, y)), self.line((cathode, y), (RAIL + 30, y))]
            drawn += [
                self.box(FROM + 14, CONTACT + 6, y - 7, 14),
                self.text((FROM + CONTACT + 20) / 2, y + 4, "330 Ω", 10),
            ]
            tip = f"{self.x(anode):g} {y - 8:g}L{self.x(anode):g} {y + 8:g}L{self.x(cathode):g} {y:g}"
            drawn.append(f'<path d="M{tip}Z" fill="#ffd84d" stroke="{INK}"/>')
            drawn += [self.line((cathode, y - 8), (cathode, y + 8), width=2), self.dot(RAIL + 30, y, 2.4)]
        return "".join(drawn)

    def codec(self, heights: Sequence[int]) -> str:
        middle = sum(heights) / len(heights)
        drawn = []
        for index, (where, what) in enumerate(_AT_CODEC):
            y = middle + (index - 1) * 48
            drawn += [
                self.box(FROM + 4, FAR, y - 20, 40),
                self.text((FROM + 4 + FAR) / 2, y - 3, what, 12, weight="bold"),
            ]
            drawn.append(self.text((FROM + 4 + FAR) / 2, y + 12, where, 11, GREY))
        return "".join(drawn)

    def loudspeaker(self, heights: Sequence[int]) -> str:
        middle = sum(heights) / len(heights)
        cone = [(RAIL + 18, middle - 12), (RAIL + 44, middle - 30), (RAIL + 44, middle + 30), (RAIL + 18, middle + 12)]
        return (
            self.box(RAIL, RAIL + 18, middle - 12, 24, "#e6e9ee", 2)
            + self.line(*cone, cone[0])
            + self.line((FROM + 30, middle - 6), (RAIL, middle - 6))
            + self.line((FROM + 30, middle + 6), (RAIL, middle + 6))
            + self.text(FROM + 22, middle - 2, "+", 14)
            + self.text(FROM + 22, middle + 11, "−", 14)
        )


def _word(x: float, y: float, words: str, size: int, fill: str, weight: str = "normal") -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" text-anchor="middle" font-size="{size}" fill="{fill}" font-weight="{weight}">'
        f"{escape(words)}</text>"
    )


_AT_CODEC = (
    ("headphones, left", "ear of the handset"),
    ("its microphone input", "microphone of the handset"),
    ("speaker, right", "loudspeaker that rings"),
)
# Where the ten finger holes of a dial are, clockwise from the stop.
_HOLES = (
    (0.87, -0.5), (0.5, -0.87), (0.0, -1.0), (-0.5, -0.87), (-0.87, -0.5),
    (-1.0, 0.0), (-0.87, 0.5), (-0.5, 0.87), (0.0, 1.0), (0.5, 0.87),
)  # fmt: skip
