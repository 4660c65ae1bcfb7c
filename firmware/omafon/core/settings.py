# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What the core knows of the owner's configuration: values it decides with, and no secret among them."""

from dataclasses import dataclass, field
from enum import StrEnum

from omafon.core.glass import GlassHabits
from omafon.core.peace import AllowLists, QuietHours
from omafon.core.zone import Zone


class Route(StrEnum):
    """How a call travels, as the screen and `omafon status` name it."""

    FAMILY = "family"
    ENUM = "enum"
    PROVIDER = "provider"
    DIRECT = "direct"
    EMERGENCY = "emergency"


class Accept(StrEnum):
    """Whose calls ring: those through a registered line, of the family, or everybody's."""

    LINES = "lines"
    FAMILY = "family"
    ANYONE = "anyone"


class DnssecPolicy(StrEnum):
    """What an ENUM tree must prove (RFC 4035): `require` a valid chain, `prefer` one, or do not ask."""

    REQUIRE = "require"
    PREFER = "prefer"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Line:
    """A registration: its name, its address of record 'sip:100@example.org', and the AOR's domain."""

    name: str
    aor: str

    @property
    def domain(self) -> str:
        """The host part of the AOR, port included: where numbers dialled through this line live."""
        return self.aor.partition("@")[2] or self.aor.partition(":")[2]


@dataclass(frozen=True, slots=True)
class Contact:
    """A person in the phone book. `number` is E.164, `uri` a SIP URI that needs no directory; one may be empty.

    `tune` is the WAV file that rings when they call, or empty. `zone` names the time zone they live in; empty: that of
    their number. `auto_answer`: their call is answered without a hand.
    """

    name: str
    number: str = ""
    uri: str = ""
    speed_dial: int | None = None
    family: bool = False
    tune: str = ""
    zone: str = ""
    auto_answer: bool = False


@dataclass(frozen=True, slots=True)
class Tree:
    """One ENUM apex, 'e164.arpa', and what it must prove."""

    suffix: str
    dnssec: DnssecPolicy = DnssecPolicy.PREFER


@dataclass(frozen=True, slots=True)
class Settings:
    """All of it, with defaults that make a phone of an empty file: direct calls and ENUM, no line.

    `zone` is that of the phone; None: the one its system says. `zones` are those that numbers are at home in.
    `any_key` is what any key dials, `hotline` what is dialled `hotline_after_s` after lifting; empty: nothing is.
    """

    name: str = ""
    number: str = ""
    country: str = "DE"
    area: str = ""
    language: str = "de"
    lines: tuple[Line, ...] = ()
    contacts: tuple[Contact, ...] = ()
    trees: tuple[Tree, ...] = (Tree("e164.arpa"),)
    enum_budget_s: float = 0.8
    accept: frozenset[Accept] = field(default_factory=lambda: frozenset({Accept.LINES, Accept.FAMILY}))
    dial_timeout_s: float = 4.0
    confirm_paid: bool = False
    port: int = 5060
    address: str = ""
    family_port: int = 5061
    family_name: str = ""
    digit_map: str = ""
    glass: GlassHabits = field(default_factory=GlassHabits)
    quiet: QuietHours = field(default_factory=QuietHours)
    allow: AllowLists = field(default_factory=AllowLists)
    strangers_per_hour: int = 6
    zone: Zone | None = None
    zones: tuple[Zone, ...] = ()
    any_key: str = ""
    hotline: str = ""
    hotline_after_s: float = 8.0
