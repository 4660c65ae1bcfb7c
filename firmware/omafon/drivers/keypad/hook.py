# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The hook switch: off-hook, on-hook, and the flash between them."""

from omafon.core.events import Event, HookLifted, HookReplaced, Key, KeyPressed, KeyReleased
from omafon.drivers.keypad.contact import Contact

FLASH_MIN_S = 0.08
FLASH_MAX_S = 0.5
"""Who presses the hook for no longer than this means the flash key; so nobody is on-hook before it has passed."""


class HookSwitch:
    """Edges of the switch in, events of the person out. It begins on-hook.

    Lifting is told as soon as the contact is quiet. On-hook is told FLASH_MAX_S after the first edge, for until then
    it may become a flash; a shorter press than FLASH_MIN_S was a knock against the set, and is nothing.
    """

    def __init__(self) -> None:
        self._contact = Contact(False)
        self._down_since: float | None = None

    @property
    def deadline(self) -> float | None:
        """When `due` is wanted, in monotonic seconds."""
        if self._contact.deadline is not None:
            return self._contact.deadline
        return None if self._down_since is None else self._down_since + FLASH_MAX_S

    def edge(self, lifted: bool, now: float) -> tuple[Event, ...]:
        """The switch went to `lifted`."""
        events = self.due(now)
        self._contact.edge(lifted, now)
        return events

    def due(self, now: float) -> tuple[Event, ...]:
        """What the time that has passed makes of the edges."""
        events = self._settled() if self._contact.settle(now) else ()
        # While the contact moves again it decides: it may have begun to rise just before the time was over.
        if self._down_since is None or self._contact.deadline is not None or now < self._down_since + FLASH_MAX_S:
            return events
        self._down_since = None
        return (*events, HookReplaced())

    def _settled(self) -> tuple[Event, ...]:
        since = self._contact.since
        if not self._contact.closed:
            self._down_since = since
            return ()
        if self._down_since is None:
            return (HookLifted(),)
        down_s = since - self._down_since
        self._down_since = None
        return (KeyPressed(Key.FLASH), KeyReleased(Key.FLASH)) if down_s >= FLASH_MIN_S else ()
