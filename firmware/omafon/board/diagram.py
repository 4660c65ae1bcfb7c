# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The wires of a board as a drawing to solder from: the header in the middle, the parts on both sides of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from xml.sax.saxutils import escape

from omafon.board.claims import bus_signals
from omafon.board.header import HEADER
from omafon.board.portrait import GREY, INK, PAPER, portrait, portrait_height
from omafon.board.profile import BoardProfile
from omafon.board.wires import Device, Wire, by_usb, devices

ROW = 38  # between two rows of the header
TERMINAL = 26  # between two terminals of a part
TRACK = 11  # between two wires that run beside each other
BOX, GAP = 330, 26  # a part's width, and the room below it
TITLE, NOTE = 30, 18
PIN, PILL = 22, 126  # from the middle of the header to a pin, and to the end of its label
TOP = 128
MARGIN = 30
NARROWEST = 580  # the words above and below have room
# Where a wire runs that leaves on the other side than its pin is on: between two rows, leftward ones lower.
LANE_RIGHT, LANE_LEFT = 15, 23


@dataclass(frozen=True, slots=True)
class Lead:
    """A wire in its place: its pin at the height `start`, its terminal at `end`, and the track between them."""

    wire: Wire
    start: int
    end: int
    crosses: bool
    track: int = 0


def drawing(board: BoardProfile) -> str:
    """The wiring of `board` as SVG; it needs no fonts but the viewer's own."""
    left, right = _sides(devices(board))
    places = {**_places(-1, left), **_places(1, right)}
    header_y = TOP - min([-20, *places.values()])
    places = {part: y + header_y for part, y in places.items()}
    height = max([header_y + 20 * ROW + 20, *(y + _height(part) for part, y in places.items())]) + 70
    leads = {
        side: _routed([lead for part in parts for lead in _leads(part, places[part], header_y, side)])
        for side, parts in ((-1, left), (1, right))
    }
    edges = {-1: MARGIN + (BOX if left else 0)}
    middle = edges[-1] + _channel(leads[-1]) + PILL
    edges[1] = middle + PILL + _channel(leads[1])
    width = max(edges[1] + (BOX if right else 0) + MARGIN, NARROWEST)
    boxes = {-1: MARGIN, 1: edges[1]}
    drawn = [
        _heading(board),
        *_header(middle, header_y),
        *(_lead(lead, middle, side, edges[side]) for side in (-1, 1) for lead in leads[side]),
        *(_branch(lead, middle, side) for side in (-1, 1) for lead in leads[side] if _branches(lead, leads[side])),
        *_pins(board, middle, header_y),
        *(_part(part, boxes[side], places[part], side) for side, parts in ((-1, left), (1, right)) for part in parts),
        *_footing(board, height),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="Helvetica, Arial, Liberation Sans, sans-serif" font-size="14" fill="{INK}">\n'
        f"<title>Wiring of the board {escape(board.name)}</title>\n"
        f'<rect width="{width}" height="{height}" fill="{PAPER}"/>\n' + "\n".join(drawn) + "\n</svg>\n"
    )


# Where everything stands.


def _sides(parts: Sequence[Device]) -> tuple[list[Device], list[Device]]:
    """The parts left and right of the header: where most of their pins are, or where there is room."""
    sides: tuple[list[Device], list[Device]] = ([], [])
    for part in sorted(parts, key=lambda part: -abs(_leaning(part))):
        leaning = _leaning(part)
        heights = [sum(_height(each) + GAP for each in side) for side in sides]
        sides[heights[0] > heights[1] if leaning == 0 else leaning > 0].append(part)
    for side in sides:
        side.sort(key=lambda part: sum(wire.number for wire in part.wires) / len(part.wires))
    return sides


def _leaning(part: Device) -> int:
    """How many more of the signals come from the right than from the left of the header."""
    return sum(-1 if wire.number % 2 else 1 for wire in part.wires if wire.on.startswith("gpio"))


def _height(part: Device) -> int:
    return max(TERMINAL * len(part.wires), portrait_height(part)) + TITLE + 20 + NOTE * len(part.notes)


def _places(side: int, parts: Sequence[Device]) -> dict[Device, int]:
    """The top of each part of one side, stacked around the middle of the header, whose first row is at 0.

    Parts move apart a little where a wire into a terminal would run upon another that comes from a pin.
    """
    spare = [0] * len(parts)
    for index in range(len(parts)):
        spare[index] = min(
            range(0, TERMINAL, 4), key=lambda room: (_upon(side, parts, _replaced(spare, index, room)), room)
        )
    return _stacked(parts, spare)


def _replaced(spare: Sequence[int], index: int, room: int) -> list[int]:
    return [*spare[:index], room, *spare[index + 1 :]]


def _upon(side: int, parts: Sequence[Device], spare: Sequence[int]) -> int:
    """How many wires of one side run upon another's."""
    places = _stacked(parts, spare)
    leads = _routed([lead for part in parts for lead in _leads(part, places[part], 0, side)])
    return sum(
        abs(lead.end - other.start) < 8 and lead.track <= other.track and lead.wire.number != other.wire.number
        for lead in leads
        for other in leads
    )


def _stacked(parts: Sequence[Device], spare: Sequence[int]) -> dict[Device, int]:
    y = 10 * ROW - (sum(_height(part) + GAP for part in parts) + sum(spare) - GAP) // 2
    found = {}
    for part, room in zip(parts, spare, strict=True):
        found[part] = y + room
        y += _height(part) + GAP + room
    return found


def _terminal_y(part: Device, top: int, index: int) -> int:
    spare = max(0, portrait_height(part) - TERMINAL * len(part.wires)) // 2
    return top + TITLE + 10 + spare + TERMINAL * index + TERMINAL // 2


def _leads(part: Device, top: int, header_y: int, side: int) -> list[Lead]:
    leads = []
    for index, wire in enumerate(part.wires):
        crosses = (wire.number % 2 == 1) != (side < 0)
        lane = (LANE_LEFT if side < 0 else LANE_RIGHT) if crosses else 0
        start = header_y + (wire.number - 1) // 2 * ROW + ROW // 2 + lane
        leads.append(Lead(wire, start, _terminal_y(part, top, index), crosses))
    return leads


def _routed(leads: Sequence[Lead]) -> list[Lead]:
    """Each lead on a track, 0 nearest to the header, so that wires that go the same way do not cross each other.

    Of those that go down the lowest turns first, of those that go up the highest; leads that do not meet share a track.
    """
    down = sorted((lead for lead in leads if lead.end >= lead.start), key=lambda lead: (-lead.start, -lead.end))
    up = sorted((lead for lead in leads if lead.end < lead.start), key=lambda lead: (lead.start, lead.end))
    routed: list[Lead] = []
    for group in (down, up):
        same_way: list[Lead] = []
        for lead in group:
            track = max((other.track + 1 for other in same_way if _meet(other, lead)), default=0)
            while any(other.track == track and _meet(other, lead) for other in routed):
                track += 1
            same_way.append(replace(lead, track=track))
            routed.append(same_way[-1])
    return routed


def _meet(one: Lead, other: Lead) -> bool:
    """Whether two leads on one track would touch."""
    low, high = sorted((one.start, one.end))
    return low - 8 < max(other.start, other.end) and min(other.start, other.end) < high + 8


def _branches(lead: Lead, leads: Sequence[Lead]) -> bool:
    """Whether another wire from the same pin goes on where `lead` turns."""
    return any(other.wire.number == lead.wire.number and other.track > lead.track for other in leads)


def _channel(leads: Sequence[Lead]) -> int:
    """The room that the tracks of one side take."""
    return 2 * TRACK + TRACK * max((lead.track for lead in leads), default=0) + 24 if leads else 0


# What is drawn.


def _heading(board: BoardProfile) -> str:
    about = (
        "The header seen from above, pin 1 at the end of the memory card.",
        "Where a line branches, two wires share a pin.",
    )
    lines = "".join(f'<tspan x="{MARGIN}" dy="19">{words}</tspan>' for words in about)
    return (
        f'<text x="{MARGIN}" y="44" font-size="26" font-weight="bold">Omafon {escape(board.name)}: wiring</text>\n'
        f'<text x="{MARGIN}" y="50" fill="{GREY}">{lines}</text>'
    )


def _footing(board: BoardProfile, height: int) -> list[str]:
    words = [f"Plugged in by USB: {card}." for card in by_usb(board)]
    words.append("Solder with the power off. Never join 5 V with a signal: the pins bear 3.3 V.")
    return [
        f'<text x="{MARGIN}" y="{height - 18 - 20 * index}" fill="{GREY}">{escape(text)}</text>'
        for index, text in enumerate(reversed(words))
    ]


def _header(middle: int, top: int) -> list[str]:
    bar = f'<rect x="{middle - 40}" y="{top - 6}" width="80" height="{20 * ROW + 12}" rx="8" fill="#2b2f36"/>'
    ends = [
        f'<text x="{middle}" y="{top - 18}" text-anchor="middle" fill="{GREY}" font-size="12">memory card</text>',
        f'<text x="{middle}" y="{top + 20 * ROW + 24}" text-anchor="middle" fill="{GREY}" font-size="12">USB</text>',
    ]
    return [bar, *ends]


def _pins(board: BoardProfile, middle: int, top: int) -> list[str]:
    """Drawn over the wires that pass between them."""
    used = {wire.number: wire for part in devices(board) for wire in part.wires}
    signals = bus_signals(board)
    return [_pin(number, name, signals.get(name, ""), used.get(number), middle, top) for number, name in HEADER.items()]


def _pin(number: int, name: str, bus: str, wire: Wire | None, middle: int, top: int) -> str:
    side = -1 if number % 2 else 1
    x, y = middle + side * PIN, top + (number - 1) // 2 * ROW + ROW // 2
    near, far = middle + side * 46, middle + side * PILL
    colour = wire.colour.value if wire else "#c4c8ce"
    shape = (
        f'<rect x="{x - 10}" y="{y - 10}" width="20" height="20" fill="{colour}" stroke="{PAPER}" stroke-width="2"/>'
        if number == 1
        else f'<circle cx="{x}" cy="{y}" r="10" fill="{colour}" stroke="{PAPER}" stroke-width="2"/>'
    )
    label = name.upper() + (f" {bus}" if bus and wire else "")
    return (
        f"{shape}"
        f'<text x="{x}" y="{y + 4}" text-anchor="middle" font-size="11" font-weight="bold" '
        f'fill="{PAPER if wire else INK}">{number}</text>'
        f'<rect x="{min(near, far)}" y="{y - 10}" width="{abs(far - near)}" height="20" rx="5" '
        f'fill="{PAPER}" stroke="{colour}" stroke-width="{1.6 if wire else 1}"/>'
        f'<text x="{(near + far) // 2}" y="{y + 4}" text-anchor="middle" font-size="{12 if len(label) < 9 else 10}" '
        f'fill="{INK if wire else GREY}">{label}</text>'
    )


def _lead(lead: Lead, middle: int, side: int, box: int) -> str:
    """A wire from its pin to the edge `box` of its part; a light edge keeps apart what crosses."""
    turn = _turn(lead, middle, side)
    start = f"M{middle + side * PILL} {lead.start}"
    if lead.crosses:
        row = lead.start - (LANE_RIGHT if side > 0 else LANE_LEFT)
        start = f"M{middle - side * PIN} {row}V{lead.start}"
    path = f"{start}H{turn}V{lead.end}H{box}"
    return (
        f'<path d="{path}" fill="none" stroke="{PAPER}" stroke-width="6"/>'
        f'<path d="{path}" fill="none" stroke="{lead.wire.colour.value}" stroke-width="2.6" stroke-linejoin="round"/>'
    )


def _branch(lead: Lead, middle: int, side: int) -> str:
    return f'<circle cx="{_turn(lead, middle, side)}" cy="{lead.start}" r="5" fill="{lead.wire.colour.value}"/>'


def _turn(lead: Lead, middle: int, side: int) -> int:
    return middle + side * (PILL + 14 + TRACK * lead.track)


def _part(part: Device, x: int, top: int, side: int) -> str:
    """A part's box, its terminals on the edge that looks at the header, and its portrait beside them."""
    height = _height(part)
    edge = x if side > 0 else x + BOX
    terminals = []
    for index, wire in enumerate(part.wires):
        y = _terminal_y(part, top, index)
        anchor = "start" if side > 0 else "end"
        words = f'{escape(wire.terminal)}<tspan fill="{GREY}" font-size="11" dx="6">pin {wire.number}</tspan>'
        terminals.append(
            f'<circle cx="{edge}" cy="{y}" r="5.5" fill="{wire.colour.value}" stroke="{PAPER}" stroke-width="1.5"/>'
            f'<text x="{edge + side * 14}" y="{y + 4.5}" text-anchor="{anchor}" font-size="13">{words}</text>'
        )
    heights = [_terminal_y(part, top, index) for index in range(len(part.wires))]
    notes = [
        f'<text x="{x + 14}" y="{top + height - NOTE * (len(part.notes) - index) + 7}" font-size="12" fill="{GREY}">'
        f"{escape(note)}</text>"
        for index, note in enumerate(part.notes)
    ]
    return "\n".join(
        [
            f'<rect x="{x}" y="{top}" width="{BOX}" height="{height}" rx="10" fill="#fafbfc" stroke="#aab0b8"/>',
            f'<text x="{x + 14}" y="{top + 21}" font-size="15" font-weight="bold">{escape(part.title)}</text>',
            portrait(part, edge, side, heights),
            *terminals,
            *notes,
        ]
    )
