# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The parts a phone without hardware has in the place of hardware: the control socket is its keypad and its glass.

And those that a phone in safe mode has in the place of what it does not dare to open.
"""

from PIL.Image import Image

from omafon.core.actions import Action, CallMember, PlaceCall
from omafon.core.causes import Cause
from omafon.core.events import CallEnded, PairingFailed, PairingFailure
from omafon.core.family import Family
from omafon.core.glass import Glass
from omafon.core.memory import Memory
from omafon.core.screen import Lamps, PairingWish, SoundLevels
from omafon.interfaces import Post


class VirtualSource:
    """No keys and no lamps: the control socket presses keys and shows lamps."""

    def open(self) -> None: ...

    def close(self) -> None: ...

    def light(self, lamps: Lamps) -> None: ...


class VirtualDisplay:
    """No glass: the control socket shows every frame."""

    def open(self) -> None: ...

    def close(self) -> None: ...

    def show(self, frame: Image) -> None: ...

    def look(self, glass: Glass) -> None: ...


class VirtualBell:
    """No bell and no mixers: the control socket tells when it rings."""

    def open(self) -> None: ...

    def close(self) -> None: ...

    def sound(self, levels: SoundLevels) -> None: ...


class VirtualStore:
    """Remembers nothing, and leaves alone what was remembered."""

    def open(self) -> None: ...

    def close(self) -> None: ...

    def load(self) -> Memory:
        return Memory()

    def keep(self, memory: Memory) -> None: ...


class NoCalls:
    """No engine: every call that is placed ends at once."""

    def __init__(self, post: Post) -> None:
        self._post = post

    def open(self) -> None: ...

    def close(self) -> None: ...

    def perform(self, action: Action) -> None:
        if isinstance(action, PlaceCall | CallMember):
            self._post(CallEnded(action.call, Cause.NO_ROUTE))

    def sound(self, levels: SoundLevels) -> None: ...

    def family(self, family: Family) -> None: ...

    @property
    def bad_packets(self) -> int:
        return 0

    def fresh(self, within_s: float) -> bool:  # noqa: ARG002
        return True


class NoPairing:
    """Nobody is let into the family of a phone that does not dare to look at it."""

    def __init__(self, post: Post) -> None:
        self._post = post

    def open(self) -> None: ...

    def close(self) -> None: ...

    def pair(self, wish: PairingWish | None) -> None:
        if wish is not None:
            self._post(PairingFailed(wish.id, PairingFailure.BROKEN))


class NoResolver:
    """No directory: in safe mode there is no tree to ask."""

    def open(self) -> None: ...

    def close(self) -> None: ...

    def perform(self, action: Action) -> None: ...
