# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What is soldered to what: every wire from a pin of the header to a terminal of a part."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from omafon.board.claims import bus_signals, claims, free_pins
from omafon.board.header import GROUND, HEADER, NUMBERS, V3, V5
from omafon.board.profile import BoardProfile, DisplayProfile


class Kind(Enum):
    """How a part looks."""

    KEYPAD = "keypad"
    DISPLAY = "display"
    HOOK = "hook switch"
    DIAL = "dial"
    KEYS = "keys"
    LAMPS = "lamps"
    CODEC = "codec"
    AMPLIFIER = "amplifier"


class Colour(Enum):
    """Of a wire, as they are sold; black, red and orange are kept for ground, 3.3 V and 5 V."""

    BLACK = "#1b1b1b"
    RED = "#d81e1e"
    ORANGE = "#f07800"
    BROWN = "#8a4b20"
    YELLOW = "#d9ae00"
    GREEN = "#17873a"
    BLUE = "#1c63d1"
    VIOLET = "#8638c4"
    GREY = "#8b8f96"
    TURQUOISE = "#0aa0a6"
    PINK = "#e2559b"


_SUPPLY = {GROUND: Colour.BLACK, V3: Colour.RED, V5: Colour.ORANGE}
_SIGNALS = [colour for colour in Colour if colour not in _SUPPLY.values()]


@dataclass(frozen=True, slots=True)
class Wire:
    """From pin `number` of the header (`on` is what is there) to `terminal` of a part; `number` 0: not placed yet."""

    on: str
    terminal: str
    number: int = 0
    colour: Colour = Colour.BLACK


@dataclass(frozen=True, slots=True)
class Device:
    """A part, its wires in the order of its terminals, and what a person who builds it has to know besides."""

    kind: Kind
    title: str
    wires: tuple[Wire, ...]
    notes: tuple[str, ...] = ()
    legends: tuple[tuple[str, ...], ...] = ()  # of a keypad


def devices(board: BoardProfile) -> tuple[Device, ...]:
    """The parts of `board` that are wired to the header, each supply wire on a pin near the part's signals."""
    return _coloured(_placed(tuple(_parts(board))))


def by_usb(board: BoardProfile) -> tuple[str, ...]:
    """The sound cards of `board` that are plugged in, in words."""
    if board.sound is None:
        return ()
    cards = {"voice": board.sound.voice, "ringer": board.sound.ringer}
    if board.sound.codec == "wm8960":
        return ()
    if board.sound.codec == "max98357a":
        del cards["ringer"]
    words = {"voice": "the handset's sound card", "ringer": "the loudspeaker that rings"}
    return tuple(f"{words[use]} ({card.removeprefix('CARD=')})" for use, card in cards.items() if card)


def table(board: BoardProfile) -> str:
    """The wires as text, in the order of the header: for a terminal, and to tick off while soldering."""
    signals, parts = bus_signals(board), devices(board)
    rows = [
        (f"{wire.number:>3}", wire.on, signals.get(wire.on, ""), wire.colour.name.lower(), part.title, wire.terminal)
        for part in parts
        for wire in part.wires
    ]
    paragraphs = []
    if rows:
        rows = [("pin", "is", "bus", "wire", "part", "terminal"), *sorted(rows)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
        paragraphs.append("\n".join(lines))
    notes = [f"{part.title}: {note}." for part in parts for note in part.notes]
    notes += [f"USB: {card}." for card in by_usb(board)]
    if notes:
        paragraphs.append("\n".join(notes))
    paragraphs.append(f"Free: {', '.join(free_pins(list(claims(board))))}.")
    return "\n\n".join(paragraphs) + "\n"


def _parts(board: BoardProfile) -> Iterator[Device]:
    if board.display and board.display.driver:
        yield _display(board.display)
    if keypad := board.keypad:
        rows = [Wire(pin, f"row {index}") for index, pin in enumerate(keypad.rows, start=1)]
        columns = [Wire(pin, f"column {index}") for index, pin in enumerate(keypad.columns, start=1)]
        note = "a ribbon has the rows first: find out with a meter"
        yield Device(Kind.KEYPAD, "Keypad", (*rows, *columns), (note,), keypad.keys)
    if hook := board.hook:
        lies = "closed while the handset lies" if hook.closed == "on-hook" else "closed while the handset is lifted"
        yield Device(Kind.HOOK, "Hook switch", (Wire(hook.pin, "contact"), Wire(GROUND, "contact")), (lies,))
    if rotary := board.rotary:
        wires = [Wire(rotary.pulse, "pulse")]
        notes = ["pulse: closed at rest, opens once a pulse"]
        if rotary.off_normal:
            wires.append(Wire(rotary.off_normal, "off-normal"))
            notes.append("off-normal: closed while the dial is away from rest")
        yield Device(Kind.DIAL, "Dial", (*wires, Wire(GROUND, "common")), tuple(notes))
    if board.keys:
        wires = [Wire(pin, legend) for legend, pin in board.keys.items()]
        yield Device(Kind.KEYS, "Keys", (*wires, Wire(GROUND, "common")))
    if board.lamps:
        lamps = (("message", board.lamps.message), ("ringer", board.lamps.ringer), ("line", board.lamps.line))
        wires = [Wire(pin, name) for name, pin in lamps if pin]
        if wires:
            yield Device(Kind.LAMPS, "Lamps", (*wires, Wire(GROUND, "common")), ("330 Ω in series with each LED",))
    yield from _sound(board)


def _display(display: DisplayProfile) -> Device:
    glass = f"{display.driver.upper()}, {display.width} × {display.height}"
    if display.bus == "i2c":
        wires = [Wire(GROUND, "GND"), Wire(V3, "VCC"), Wire("gpio3", "SCL"), Wire("gpio2", "SDA")]
        notes = [f"{glass}, I²C address {display.address:#04x}"]
    else:
        wires = [Wire(GROUND, "GND"), Wire(V3, "VCC"), Wire("gpio11", "SCLK"), Wire("gpio10", "MOSI")]
        wires += [Wire(display.data_command, "D/C"), Wire("gpio7" if display.select else "gpio8", "CS")]
        notes = [f"{glass}, SPI"]
    if display.reset:
        wires.append(Wire(display.reset, "RES"))
    return Device(Kind.DISPLAY, "Display", tuple(wires), (*notes, "modules differ in their order: read the print"))


def _sound(board: BoardProfile) -> Iterator[Device]:
    if board.sound is None:
        return
    enable = board.sound.amplifier
    match board.sound.codec:
        case "wm8960":
            control = [Wire("gpio2", "SDA"), Wire("gpio3", "SCL")]
            data = [Wire("gpio18", "CLK"), Wire("gpio19", "WS"), Wire("gpio20", "RXSDA"), Wire("gpio21", "TXSDA")]
            notes = ("its own crystal is the clock: leave the MCLK pins open",)
            yield Device(Kind.CODEC, "Codec WM8960", (Wire(V3, "VCC"), Wire(GROUND, "GND"), *control, *data), notes)
        case "max98357a":
            data = [Wire("gpio19", "LRC"), Wire("gpio18", "BCLK"), Wire("gpio21", "DIN")]
            wake = [Wire(enable, "SD")] if enable else []
            yield Device(
                Kind.AMPLIFIER,
                "Amplifier MAX98357A",
                (*data, *wake, Wire(GROUND, "GND"), Wire(V5, "VIN")),
                ("a loudspeaker of 4 or 8 Ω, 3 W", "GAIN stays open: 9 dB"),
            )
            return
    if enable:
        yield Device(Kind.AMPLIFIER, "Amplifier", (Wire(enable, "enable"), Wire(GROUND, "GND")))


def _placed(parts: Sequence[Device]) -> list[Device]:
    """`parts` with every wire on a pin: signals where they are, supplies on the nearest pin nobody has yet."""
    unused = {supply: [number for number, name in HEADER.items() if name == supply] for supply in (GROUND, V3, V5)}
    every = {supply: list(numbers) for supply, numbers in unused.items()}
    placed = []
    for part in parts:
        signals = [NUMBERS[wire.on] for wire in part.wires if wire.on in NUMBERS]
        wires = []
        for wire in part.wires:
            number = NUMBERS.get(wire.on) or min(
                unused[wire.on] or every[wire.on], key=lambda pin: _distance(pin, signals)
            )
            if number in unused.get(wire.on, ()):
                unused[wire.on].remove(number)
            wires.append(replace(wire, number=number))
        placed.append(replace(part, wires=tuple(wires)))
    return placed


def _distance(pin: int, signals: Sequence[int]) -> float:
    """How far `pin` is from the middle of `signals`, in rows; to change the side costs as much as three rows."""
    right = sum(number % 2 == 0 for number in signals) > len(signals) / 2
    middle = sum((number - 1) // 2 for number in signals) / len(signals)
    return abs((pin - 1) // 2 - middle) + 3 * ((pin % 2 == 0) != right)


def _coloured(parts: Sequence[Device]) -> tuple[Device, ...]:
    """`parts` with a colour for each wire: the same on one pin, different on neighbours."""
    used = sorted({wire.number for part in parts for wire in part.wires if wire.on not in _SUPPLY})
    colours = {number: _SIGNALS[index % len(_SIGNALS)] for index, number in enumerate(used)}
    return tuple(
        replace(
            part,
            wires=tuple(replace(wire, colour=_SUPPLY.get(wire.on) or colours[wire.number]) for wire in part.wires),
        )
        for part in parts
    )
