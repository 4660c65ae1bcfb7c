# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What is seen and heard, as values: the levels that `present` derives and drivers apply."""

from dataclasses import dataclass, field
from enum import StrEnum

from omafon.core.causes import Tone
from omafon.core.events import CallId, PairingId
from omafon.core.family import Family
from omafon.core.glass import Glass
from omafon.core.hardware import Picture
from omafon.core.memory import Address

COLUMNS = 21
ROWS = 4


class Icon(StrEnum):
    """Small pictures in the top right corner, drawn right to left in the order given."""

    LOCK = "lock"  # TLS verified and SRTP: nobody listens
    PROVEN = "proven"  # the directory's answer was validated by DNSSEC
    LINE = "line"  # registered
    NO_LINE = "no_line"  # a line is configured and not registered
    MUTED = "muted"
    HELD = "held"
    MISSED = "missed"
    INCOMING = "incoming"  # in the history: a call that was answered
    OUTGOING = "outgoing"  # in the history: a call that was made
    MESSAGE = "message"
    RINGER_OFF = "ringer_off"
    TROUBLE = "trouble"  # a driver failed; `omafon status` says which
    MICROPHONE = "microphone"  # the phone has opened it by itself


@dataclass(frozen=True, slots=True)
class Screen:
    """One picture of the display, in words; `render` draws it.

    A small line `title` with `corner` at its right end, one large line `main`, and two small lines, `note` and
    `hint`. No line is longer than COLUMNS characters. `icons` share the top line with the corner text.
    `bar` is a percent drawn large with `main` smaller above it, `centred` sets the large and small lines in the
    middle (a clock), and `alert` shows the top line black on white: somebody must act. `picture` stands alone.
    `typed` says that `main` grows key by key: it keeps its place, and seldom changes its size. `large` fills the glass
    with `main`, on two lines where it is long, above one small line, `note`.
    """

    title: str = ""
    corner: str = ""
    main: str = ""
    note: str = ""
    hint: str = ""
    icons: tuple[Icon, ...] = ()
    bar: int | None = None
    centred: bool = False
    alert: bool = False
    picture: Picture | None = None
    typed: bool = False
    large: bool = False

    def rows(self) -> tuple[str, str, str, str]:
        """The picture as ROWS lines of text of at most COLUMNS characters."""
        room = max(0, COLUMNS - len(self.corner) - 1) if self.corner else COLUMNS
        top = f"{self.title[:room]:<{COLUMNS - len(self.corner)}}{self.corner}" if self.corner else self.title
        return (top[:COLUMNS].rstrip(), self.main[:COLUMNS], self.note[:COLUMNS], self.hint[:COLUMNS])


class Lamp(StrEnum):
    OFF = "off"
    ON = "on"
    BLINK = "blink"
    BREATHE = "breathe"


@dataclass(frozen=True, slots=True)
class Lamps:
    """The lamps a board may have, and whether its loudspeaker's amplifier is awake: it hangs on a pin as they do."""

    message: Lamp = Lamp.OFF
    ringer: Lamp = Lamp.OFF
    line: Lamp = Lamp.OFF
    amplifier: Lamp = Lamp.OFF


class VoiceTrial(StrEnum):
    """What the voice card does while the telephone tests itself."""

    NONE = "none"
    LOOP = "loop"  # what is spoken into the handset is heard in it, and VoiceHeard tells how loud it is
    DELAY = "delay"  # chirps go out and are listened for; DelayMeasured tells how long that takes, once


@dataclass(frozen=True, slots=True)
class SoundLevels:
    """What sounds, and where.

    `tone` is played into the ear, in the cadence of `country`; `ringing` is the bell. `voice` names the calls
    whose voice is joined with the handset (more than one: a conference). Volumes are percents, 0 to 100. `tune` is
    what rings: the path of a WAV file, SWEEP of `core.ringing`, or the bell of `country` when it is empty.
    """

    tone: Tone = Tone.OFF
    country: str = "DE"
    ringing: bool = False
    voice: tuple[CallId, ...] = ()
    muted: bool = False
    handset_volume: int = 70
    ringer_volume: int = 80
    tune: str = ""
    trial: VoiceTrial = VoiceTrial.NONE


@dataclass(frozen=True, slots=True)
class PairingWish:
    """The phone looks for another one to be a family with, or speaks with it: as `name`, with this `number`.

    `addresses` are where it can be called; `same` is whether the person here has said that both show the same digits.
    """

    id: PairingId
    name: str
    number: str
    addresses: tuple[Address, ...] = ()
    same: bool = False


@dataclass(frozen=True, slots=True)
class Presentation:
    """All levels at one instant. `pairing` is None when nobody shall find this phone."""

    screen: Screen
    glass: Glass
    lamps: Lamps
    sound: SoundLevels
    pairing: PairingWish | None = None
    family: Family = field(default_factory=Family)
