# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Which pin a board uses for what."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from omafon.board.header import EEPROM, I2C, I2S, SERIAL, SPI, USABLE
from omafon.board.profile import BoardProfile
from omafon.config.lines import Path

I2C_ADDRESSES = {"wm8960": 0x1A}
"""The codecs that are controlled over I²C, and where they answer."""

CARDS = {"wm8960": "Handset", "max98357a": "Bell"}
"""The ALSA id of the card that the overlay makes of each codec."""


@dataclass(frozen=True, slots=True)
class Claim:
    """`pin` is used as `use`, in words; `path` is the key that says so (of a bus: what needs it)."""

    pin: str
    use: str
    path: Path


def claims(board: BoardProfile) -> Iterator[Claim]:
    """Every use of a pin; buses first, for theirs cannot be moved."""
    yield from (Claim(pin, use, ()) for pin, use in EEPROM.items())
    yield from _buses(board)
    if keypad := board.keypad:
        for word, key, pins in (("row", "rows", keypad.rows), ("column", "columns", keypad.columns)):
            for index, pin in enumerate(pins):
                yield Claim(pin, f"{word} {index + 1} of the keypad", ("keypad", key, index))
    if board.hook:
        yield Claim(board.hook.pin, "the hook switch", ("hook", "pin"))
    if board.rotary:
        yield Claim(board.rotary.pulse, "the pulses of the dial", ("rotary", "pulse"))
    for legend, pin in board.keys.items():
        yield Claim(pin, f'the key "{legend}"', ("keys", legend))
    yield from (claim for claim in _optional(board) if claim.pin)


def _optional(board: BoardProfile) -> Iterator[Claim]:
    """The uses that a board may leave out by an empty pin."""
    if board.rotary:
        yield Claim(board.rotary.off_normal, "off-normal of the dial", ("rotary", "off_normal"))
    if lamps := board.lamps:
        for name, pin in (("message", lamps.message), ("ringer", lamps.ringer), ("line", lamps.line)):
            yield Claim(pin, f"the {name} lamp", ("lamps", name))
    if board.display:
        yield Claim(board.display.data_command, "D/C of the display", ("display", "data_command"))
        yield Claim(board.display.reset, "the reset of the display", ("display", "reset"))
    if board.sound:
        yield Claim(board.sound.amplifier, "the amplifier", ("sound", "amplifier"))


def needs_i2c(board: BoardProfile) -> bool:
    return _display_on(board, "i2c") or (board.sound is not None and board.sound.codec in I2C_ADDRESSES)


def needs_spi(board: BoardProfile) -> bool:
    return _display_on(board, "spi")


def needs_i2s(board: BoardProfile) -> bool:
    return board.sound is not None and board.sound.codec != ""


def _display_on(board: BoardProfile, bus: str) -> bool:
    return board.display is not None and board.display.driver != "" and board.display.bus == bus


def free_pins(taken: Sequence[Claim]) -> list[str]:
    """The pins of the header that nothing in `taken` uses."""
    used = {claim.pin for claim in taken}
    return [pin for pin in USABLE if pin not in used]


def bus_signals(board: BoardProfile) -> dict[str, str]:
    """The pins that the buses in use have taken, and what each is there: 'gpio2' is 'SDA'."""
    buses = ((needs_i2c(board), I2C), (needs_spi(board), SPI), (needs_i2s(board), I2S), (board.serial, SERIAL))
    return {pin: signal for needed, pins in buses if needed for pin, signal in pins.items()}


def _buses(board: BoardProfile) -> Iterator[Claim]:
    i2c: Path = ("display", "driver") if _display_on(board, "i2c") else ("sound", "codec")
    for needed, name, pins, path in (
        (needs_i2c(board), "I²C", I2C, i2c),
        (needs_spi(board), "SPI", SPI, ("display", "bus")),
        (needs_i2s(board), "I²S", I2S, ("sound", "codec")),
        (board.serial, "the serial console", SERIAL, ("serial",)),
    ):
        if needed:
            yield from (Claim(pin, f"{signal} of {name}", path) for pin, signal in pins.items())
