# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The only way out: performs actions, settles levels where they changed, arms the one deadline."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from PIL.Image import Image

from omafon.config import Config
from omafon.core.actions import Action, FactoryReset, KeepReport, LookAround, QueryNaptr
from omafon.core.family import Family
from omafon.core.glass import Glass
from omafon.core.memory import Memory
from omafon.core.screen import Lamps, PairingWish, Presentation, Screen, SoundLevels
from omafon.core.settings import Settings
from omafon.interfaces import (
    Calls,
    Display,
    Neighbours,
    OwnName,
    Pairing,
    Reports,
    Requests,
    Resolver,
    Sound,
    Source,
    Store,
)
from omafon.render import render


@dataclass(frozen=True, slots=True)
class Drivers:
    """One driver for each interface: what makes a phone of this board."""

    store: Store
    sound: Sound
    calls: Calls
    resolver: Resolver
    display: Display
    source: Source
    pairing: Pairing
    requests: Requests
    reports: Reports
    own_name: OwnName | None = None
    neighbours: Neighbours | None = None
    configure: Callable[[Config, Settings], None] = lambda _, __: None
    """Brings the drivers that can to another configuration, given also as the core knows it; waits for none."""


class Outbox:
    """Knows what every driver was last told, and tells it only what changed."""

    def __init__(self, loop: asyncio.AbstractEventLoop, drivers: Drivers, wake: Callable[[], None]) -> None:
        self._loop = loop
        self._drivers = drivers
        self._wake = wake
        self._timer: asyncio.TimerHandle | None = None
        self._memory: Memory | None = None
        self._screen: Screen | None = None
        self._glass: Glass | None = None
        self._lamps: Lamps | None = None
        self._sound: SoundLevels | None = None
        self._family = Family()
        self._pairing: PairingWish | None = None
        self.frame: Image = render(Screen())

    def perform(self, actions: tuple[Action, ...]) -> None:
        """Do what the core asked for, in its order. No driver waits here."""
        for action in actions:
            if isinstance(action, QueryNaptr):
                self._drivers.resolver.perform(action)
            elif isinstance(action, FactoryReset):
                self._drivers.requests.perform(action)
            elif isinstance(action, KeepReport):
                self._drivers.reports.perform(action)
            elif isinstance(action, LookAround):
                if self._drivers.neighbours is not None:
                    self._drivers.neighbours.look()
            else:
                self._drivers.calls.perform(action)

    def settle(self, levels: Presentation, memory: Memory, deadline: float | None) -> None:
        """Bring every driver to these levels, and wake the core at `deadline`, in monotonic seconds."""
        # Sound first: what is late to the ear is noticed before what is late to the eye.
        if levels.sound != self._sound:
            self._sound = levels.sound
            self._drivers.calls.sound(levels.sound)
            self._drivers.sound.sound(levels.sound)
        if levels.family != self._family:
            self._family = levels.family
            self._drivers.calls.family(levels.family)
            if self._drivers.own_name is not None:
                self._drivers.own_name.family(levels.family)
            if self._drivers.neighbours is not None:
                self._drivers.neighbours.family(levels.family)
        if levels.pairing != self._pairing:
            self._pairing = levels.pairing
            self._drivers.pairing.pair(levels.pairing)
        if levels.lamps != self._lamps:
            self._lamps = levels.lamps
            self._drivers.source.light(levels.lamps)
        if levels.screen != self._screen:
            self._screen = levels.screen
            self.frame = render(levels.screen)
            self._drivers.display.show(self.frame)
        if levels.glass != self._glass:
            self._glass = levels.glass
            self._drivers.display.look(levels.glass)
        # As it is with the handset down: a volume for one call is not worth wearing the card.
        if memory.resting != self._memory:
            self._memory = memory.resting
            self._drivers.store.keep(memory.resting)
        self._arm(deadline)

    def close(self) -> None:
        """Wake nobody any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _arm(self, deadline: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if deadline is not None:
            # The loop's clock is time.monotonic, the clock of the core. One tick late is better than one early:
            # an early wake would find nothing due.
            self._timer = self._loop.call_at(deadline + 0.001, self._wake)
