# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The keys of a board's file: every table is a Struct, and a part that is not named is not there."""

from typing import Annotated, Literal

from msgspec import Meta, field

from omafon.config.parts import Part

Pin = Annotated[str, Meta(extra_json_schema={"pattern": "^gpio([2-9]|1[0-9]|2[0-7])$"})]
"""A pin of the header by its Broadcom number, 'gpio17'."""

MaybePin = Annotated[str, Meta(extra_json_schema={"pattern": "^(gpio([2-9]|1[0-9]|2[0-7]))?$"})]
"""A pin, or '' where there is none."""


# Pins 3 and 5 are /dev/i2c-1, pins 19 to 26 /dev/spidev0.x.
HEADER_PORTS = {"i2c": 1, "spi": 0}


class DisplayProfile(Part, frozen=True):
    """The glass, in pixels, and the bus it hangs on; a driver of '' has no glass (the frame is shown elsewhere)."""

    width: int
    height: int
    driver: Literal["", "ssd1306", "ssd1309", "sh1106", "ssd1322"] = ""
    bus: Literal["i2c", "spi"] = "i2c"
    port: int | None = None  # where it is not written, the one on the header
    address: int = 0x3C  # of I²C
    select: Literal[0, 1] = 0  # SPI chip select
    data_command: MaybePin = ""  # SPI: the D/C pin
    reset: MaybePin = ""
    rotate: Literal[0, 90, 180, 270] = 0
    contrast: int = 127

    @property
    def controller(self) -> int:
        """N of /dev/i2c-N or /dev/spidevN.x."""
        return HEADER_PORTS[self.bus] if self.port is None else self.port


class KeypadProfile(Part, frozen=True):
    """A matrix: row pins are driven, column pins are read; `keys` holds one list of legends a row, '' for no key."""

    rows: tuple[Pin, ...]
    columns: tuple[Pin, ...]
    keys: tuple[tuple[str, ...], ...]


class HookProfile(Part, frozen=True):
    """The hook switch between `pin` and ground: closed while the handset lies ('on-hook') or while it is lifted."""

    pin: Pin
    closed: Literal["on-hook", "off-hook"] = "on-hook"


class RotaryProfile(Part, frozen=True):
    """A rotary dial: `pulse` opens once a pulse, `off_normal` is closed while the dial is away from rest."""

    pulse: Pin
    off_normal: MaybePin = ""


class LampProfile(Part, frozen=True):
    """Pins of the lamps there are; empty where there is none."""

    message: MaybePin = ""
    ringer: MaybePin = ""
    line: MaybePin = ""


class SoundProfile(Part, frozen=True):
    """ALSA cards by id, the mixer elements of each path, and the pin that wakes the amplifier.

    `voice` and `ringer` may be PCMs of the board's own ALSA configuration instead, each with a control of its name,
    where one channel of a card is wired to the ear and the other to the bell. `codec` is the chip on the I²S pins;
    without one, sound comes by USB. `mixer` is what else is set: element to 'on', 'off' or a percent, '67%'.
    """

    voice: str = ""
    ringer: str = ""
    codec: Literal["", "wm8960", "max98357a"] = ""
    amplifier: MaybePin = ""
    playback: str = ""  # mixer element of the handset's ear
    capture: str = ""  # of its microphone
    sidetone: str = ""
    bell: str = ""  # mixer element of the ringer card
    mixer: dict[str, str] = field(default_factory=dict)


class BoardProfile(Part, frozen=True):
    """What a board has. A part that is not named is not there. Pins are 'gpio17', the Broadcom numbers.

    `pi` names the models the board is meant for; `serial` keeps gpio14 and gpio15 for a serial console.
    """

    name: str
    display: DisplayProfile | None = None
    keypad: KeypadProfile | None = None
    hook: HookProfile | None = None
    rotary: RotaryProfile | None = None
    keys: dict[str, Pin] = field(default_factory=dict)  # extra keys, between pin and ground: legend to pin
    lamps: LampProfile | None = None
    sound: SoundProfile | None = None
    pi: tuple[Literal["zero-2-w", "3", "4", "5"], ...] = ()
    serial: bool = False
    watchdog: bool = False
