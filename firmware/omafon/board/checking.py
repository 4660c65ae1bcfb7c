# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What must be true of a board beyond the types of its keys: everything wrong is found at once, each with a cure."""

import re
from collections.abc import Sequence
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin

import msgspec

from omafon.board.claims import I2C_ADDRESSES, Claim, claims, free_pins
from omafon.board.header import HEADER, USABLE
from omafon.board.profile import HEADER_PORTS, BoardProfile, DisplayProfile, KeypadProfile, SoundProfile
from omafon.config import rules
from omafon.config.checking import Check
from omafon.config.lines import Path
from omafon.config.parts import Part
from omafon.config.rules import Fault, did_you_mean, quoted
from omafon.core.events import Key

P = TypeVar("P", bound=Part)

LARGEST_MATRIX = 5
LEGENDS = [str(key) for key in Key]
# What a telephone has to show, in pixels.
SMALLEST = (128, 64)
# The sizes that each controller is built into glass with, luma.oled can initialise, and are large enough.
SIZES = {
    "ssd1306": {(128, 64)},
    "ssd1309": {(128, 64)},
    "sh1106": {(128, 128), (128, 64)},
    "ssd1322": {(256, 64), (128, 64)},
}


def together(check: Check, data: dict[str, Any]) -> None:
    """Report everything that is wrong among those keys of `data` that can be read; the others are reported already."""
    board = _readable(BoardProfile, {"name": "?", **data})
    if board is None:
        return
    if fault := rules.name(board.name):
        check.wrong(("name",), *fault)
    _pins(check, board)
    if board.keypad:
        _matrix(check, board.keypad)
    _legends(check, board)
    _dials(check, board, hook="hook" in data)
    if board.display and board.display.driver:
        _display(check, board.display, codec=board.sound.codec if board.sound else "")
    if board.sound:
        _sound(check, board.sound)


def _readable(kind: type[P], data: dict[str, Any]) -> P | None:
    """The `kind` that those keys of `data` describe which can be read, if none is missing that it needs."""
    found: dict[str, Any] = {}
    for known in msgspec.structs.fields(kind):
        value, part = data.get(known.name), _part(known.type)
        if part is not None and isinstance(value, dict):
            found[known.name] = _readable(part, value)
        elif known.name in data:
            try:
                found[known.name] = msgspec.convert(value, known.type)
            except msgspec.ValidationError:
                continue
        if known.required and known.name not in found:
            return None
    return kind(**found)


def _part(kind: Any) -> type[Part] | None:
    """The table that a key holds whose type is `kind`, "X | None"."""
    first = get_args(kind)[0] if get_origin(kind) is UnionType else kind
    return first if isinstance(first, type) and issubclass(first, Part) else None


# Pins.


def _pins(check: Check, board: BoardProfile) -> None:
    taken: list[Claim] = []
    for claim in claims(board):
        if fault := _pin_name(claim.pin):
            check.wrong(claim.path, *fault)
        else:
            taken.append(claim)
    free = free_pins(taken)
    cure = f"Free are {', '.join(free)}." if free else "No pin is free: take a part away."
    first: dict[str, Claim] = {}
    for claim in taken:
        other = first.setdefault(claim.pin, claim)
        if other is claim:
            continue
        where = f" (line {check.line(other.path)})" if check.line(other.path) else ""
        check.wrong(claim.path, f"is {claim.pin}, which is {other.use}{where}", cure)


def _pin_name(pin: str) -> Fault | None:
    """What is wrong with the name of a pin.

    >>> _pin_name("GPIO17")
    ('"GPIO17" is not a pin', 'Did you mean "gpio17"?')
    """
    if pin in USABLE or pin in ("gpio0", "gpio1"):
        return None
    cure = 'Write the Broadcom number, as in "gpio17": gpio2 to gpio27 are on the header.'
    if found := re.fullmatch(r"(gpio|bcm|pin)?[ _-]*0*(\d{1,2})", pin, re.I | re.A):
        word, number = (found[1] or "").lower(), int(found[2])
        if word == "pin" and HEADER.get(number) in USABLE:
            cure = f'Did you mean "{HEADER[number]}"? It is on pin {number} of the header.'
        elif word != "pin" and f"gpio{number}" in USABLE:
            cure = f'Did you mean "gpio{number}"?'
    return f"{quoted(pin)} is not a pin", cure


# Keys.


def _matrix(check: Check, keypad: KeypadProfile) -> None:
    for key, pins in (("rows", keypad.rows), ("columns", keypad.columns)):
        if not 1 <= len(pins) <= LARGEST_MATRIX:
            cure = f"A keypad has 1 to {LARGEST_MATRIX} of them, one pin each."
            check.wrong(("keypad", key), f"holds {len(pins)} pins", cure)
    if len(keypad.keys) != len(keypad.rows):
        what = f"has {len(keypad.keys)} lists of legends for {len(keypad.rows)} rows"
        check.wrong(("keypad", "keys"), what, "Write one list a row, from top to bottom.")
    for index, row in enumerate(keypad.keys):
        if len(row) != len(keypad.columns):
            what = f"has {len(row)} legends in row {index + 1}, for {len(keypad.columns)} columns"
            check.wrong(("keypad", "keys", index), what, 'Write one a column, "" where there is no key.')


def _legends(check: Check, board: BoardProfile) -> None:
    """Every legend is known, and is on one key only."""
    first: dict[str, Path] = {}
    for legend, path in _all_legends(board):
        if legend not in LEGENDS:
            check.wrong(path, f"{quoted(legend)} is no key of a telephone", _legend_cure(legend))
        elif legend in first:
            what = f"{quoted(legend)} is on another key in line {check.line(first[legend])} too"
            check.wrong(path, what, 'Each may be there once; "" is a place without a key.')
        first.setdefault(legend, path)


def _legend_cure(legend: str) -> str:
    close = did_you_mean(legend.lower(), LEGENDS)
    return close if close.startswith("Did you mean") else f"Choose from: {' '.join(LEGENDS)}."


def _all_legends(board: BoardProfile) -> Sequence[tuple[str, Path]]:
    rows = board.keypad.keys if board.keypad else ()
    matrix: list[tuple[str, Path]] = [
        (legend, ("keypad", "keys", i, j)) for i, row in enumerate(rows) for j, legend in enumerate(row) if legend
    ]
    return matrix + [(legend, ("keys", legend)) for legend in board.keys]


def _dials(check: Check, board: BoardProfile, *, hook: bool) -> None:
    """Whether a person can dial, take a call and end it. A board without any key is worked by other means."""
    legends = {legend for legend, _ in _all_legends(board)}
    missing = [digit for digit in "1234567890" if digit not in legends]
    if 0 < len(missing) < 10 and not board.rotary:
        check.wrong(("keypad", "keys"), f"has no key {_spoken(missing)}", "Add it, or no number is complete.")
    if not (legends or board.rotary) or hook:
        return
    table: Path = ("keypad", "keys") if board.keypad else ("rotary",) if board.rotary else ("keys",)
    for key, what in ((Key.CALL, "take"), (Key.END, "end")):
        if key not in legends:
            cure = f'Add a [hook] switch, or a key "{key}".'
            check.wrong(table, f"has no key to {what} a call with, and there is no hook switch", cure)


def _spoken(words: Sequence[str]) -> str:
    """
    >>> _spoken(["7"]), _spoken(["7", "8", "9"])
    ('7', '7, 8 and 9')
    """
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


# The display.


def _display(check: Check, display: DisplayProfile, codec: str) -> None:
    sizes = sorted(SIZES[display.driver], reverse=True)
    if (display.width, display.height) not in sizes:
        what = f"is {display.width} × {display.height} pixels, and no {display.driver} that is large enough is"
        check.wrong(("display",), what, f"Choose from: {', '.join(f'{w} × {h}' for w, h in sizes)}.")
    elif display.rotate in (90, 270) and (display.height < SMALLEST[0] or display.width < SMALLEST[1]):
        what = f"is only {display.height} pixels wide when it is turned by {display.rotate}"
        check.wrong(("display", "rotate"), what, "Write rotate = 0, or 180 to turn it upside down.")
    if display.contrast not in range(256):
        check.wrong(("display", "contrast"), "is out of range", "Choose from 0 to 255.")
    if display.controller != (port := HEADER_PORTS[display.bus]):
        bus = "SPI" if display.bus == "spi" else "I²C"
        what = f"{display.controller} is not on the header"
        check.wrong(("display", "port"), what, f"Write port = {port} for {bus}, or nothing.")
    if display.bus == "spi":
        if not display.data_command:
            check.wrong(("display", "data_command"), "is missing", 'Name the pin of D/C: data_command = "gpio24".')
        return
    if display.driver == "ssd1322":
        check.wrong(("display", "bus"), '"i2c" is nothing an ssd1322 has', 'Write bus = "spi".')
    if display.data_command:
        check.wrong(("display", "data_command"), "is of SPI", 'Leave it out, or write bus = "spi".')
    if display.address not in range(0x08, 0x78):
        cure = "It is printed on the module: 0x3c or 0x3d; 0x78 and 0x7a there mean the same, counted twice."
        check.wrong(("display", "address"), f"{display.address:#x} is no address on I²C", cure)
    elif display.address == I2C_ADDRESSES.get(codec):
        check.wrong(("display", "address"), f"{display.address:#x} is that of the {codec}", "Write 0x3c or 0x3d.")


# Sound.


def _sound(check: Check, sound: SoundProfile) -> None:
    for key, card in (("voice", sound.voice), ("ringer", sound.ringer)):
        if fault := rules.card(card):
            check.wrong(("sound", key), *fault)
    for element, value in sound.mixer.items():
        if not re.fullmatch("on|off|(100|[1-9]?[0-9])%", value):
            cure = 'Write "on", "off" or a percent, as in "67%".'
            check.wrong(("sound", "mixer", element), f"{quoted(value)} is nothing a mixer can be set to", cure)
