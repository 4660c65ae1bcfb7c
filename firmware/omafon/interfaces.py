# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What the house asks of a driver.

A driver gets `post` and its own part of the configuration in its constructor, and knows nothing else of the house.
`open` may block (it runs before the loop serves anybody) and raises DriverError with a cure; `close` ends every
thread the driver started. Everything else returns at once: slow work happens on the driver's own thread.
"""

from collections.abc import Callable
from typing import Protocol

from PIL.Image import Image

from omafon.core.actions import Action, FactoryReset, KeepReport
from omafon.core.events import Event
from omafon.core.family import Family
from omafon.core.glass import Glass
from omafon.core.memory import Memory
from omafon.core.screen import Lamps, PairingWish, SoundLevels

Post = Callable[[Event], None]
"""Hands an event to the house, from any thread, at any time; never blocks, never raises."""


class DriverError(Exception):
    """A driver cannot start: `what` is wrong and `cure`, each one sentence for the owner."""

    def __init__(self, what: str, cure: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.cure = cure


class Driver(Protocol):
    def open(self) -> None: ...
    def close(self) -> None: ...


class Source(Driver, Protocol):
    """Keys, the hook switch, and the lamps that sit among them."""

    def light(self, lamps: Lamps) -> None: ...


class Display(Driver, Protocol):
    def show(self, frame: Image) -> None:
        """Show a one-bit picture of the board's size; an older one not yet on the glass is dropped."""

    def look(self, glass: Glass) -> None:
        """Shine like this from now on, whatever is shown."""


class Sound(Driver, Protocol):
    """The ringer and the mixers. The voice card belongs to Calls."""

    def sound(self, levels: SoundLevels) -> None: ...


class Calls(Driver, Protocol):
    """The call engine, and owner of the voice card: voice and tones come out of it."""

    def perform(self, action: Action) -> None:
        """Do one of the call actions; its outcome comes back as an event."""

    def sound(self, levels: SoundLevels) -> None:
        """Join `levels.voice` with the handset and play `levels.tone` into it."""

    def family(self, family: Family) -> None:
        """Let these members of the family in and nobody else, and tell them where we are."""

    @property
    def bad_packets(self) -> int:
        """How many packets since it was opened were no SIP, or wrong SIP."""

    def fresh(self, within_s: float) -> bool:
        """Whether the engine's thread went round in the last `within_s` seconds."""


class Resolver(Driver, Protocol):
    def perform(self, action: Action) -> None:
        """Do a QueryNaptr; NaptrReceived or LookupFailed comes back."""


class Pairing(Driver, Protocol):
    """Another phone that wants to become one of the family."""

    def pair(self, wish: PairingWish | None) -> None:
        """Look for it and be found, tell it when the person here says yes, or, without a wish, be out of reach.

        PairingDigits, PairingDone and PairingFailed come back under the id of the wish.
        """


class Neighbours(Driver, Protocol):
    """Members of the family on the local network."""

    def family(self, family: Family) -> None:
        """Be found by these members from now on, at the addresses of now."""

    def look(self) -> None:
        """Look around once; MemberSeen comes back for each member that is there."""


class Requests(Driver, Protocol):
    """What the phone has no right to do itself, and asks the system for."""

    def perform(self, action: FactoryReset) -> None:
        """Ask for it; ResetFailed comes back when nobody hears. Otherwise the phone is stopped soon."""


class Reports(Driver, Protocol):
    """Where the findings of the test of the telephone by itself go."""

    def perform(self, action: KeepReport) -> None:
        """Write them to a file; ReportKept comes back, and a file that cannot be written is said in the log."""


class OwnName(Driver, Protocol):
    """The DNS name of the phone, which it keeps itself."""

    def family(self, family: Family) -> None:
        """Let the name lead to our addresses."""


class Store(Driver, Protocol):
    def load(self) -> Memory:
        """The memory as it was last kept; an empty one when there is none or it cannot be read."""

    def keep(self, memory: Memory) -> None:
        """Write the memory so that a power cut leaves the old or the new one whole."""
