# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What a key that is down becomes: pressed, then held, repeated or stuck, and released exactly once a press."""

from dataclasses import dataclass

from omafon.core.events import Event, Key, KeyHeld, KeyPressed, KeyReleased
from omafon.drivers.keypad.faults import Faults

HELD_S = 0.8
REPEAT_AFTER_S, REPEAT_S = 0.5, 0.15
STUCK_S = 30.0

REPEATING = frozenset({Key.VOLUME_UP, Key.VOLUME_DOWN, Key.UP, Key.DOWN, Key.BACK})
"""Keys of which one wants more the longer one presses: they are released and pressed again, and never held."""


@dataclass(slots=True)
class _Stroke:
    key: Key
    since: float
    next_at: float
    stuck: bool = False


class Strokes:
    """Presses and releases of contacts in, events out. Contacts are named by number, for two may have one legend.

    Every KeyPressed is followed by its KeyReleased, also when the key is stuck or the telephone stops.
    """

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._down: dict[int, _Stroke] = {}

    @property
    def deadline(self) -> float | None:
        """When `due` is wanted, in monotonic seconds."""
        return min((stroke.next_at for stroke in self._down.values() if not stroke.stuck), default=None)

    def pressed(self, contact: int, key: Key, now: float) -> tuple[Event, ...]:
        """`contact` closed, and its legend is `key`."""
        first_s = REPEAT_AFTER_S if key in REPEATING else HELD_S
        self._down[contact] = _Stroke(key, now, now + first_s)
        return (KeyPressed(key),)

    def released(self, contact: int) -> tuple[Event, ...]:
        """`contact` opened."""
        stroke = self._down.pop(contact, None)
        if stroke is None:
            return ()
        return self._faults.mended(_stuck(stroke.key)) if stroke.stuck else (KeyReleased(stroke.key),)

    def due(self, now: float) -> tuple[Event, ...]:
        """What the keys that are still down have become by now."""
        return tuple(
            event
            for stroke in self._down.values()
            if not stroke.stuck and now >= stroke.next_at
            for event in self._next(stroke, now)
        )

    def let_go(self) -> tuple[Event, ...]:
        """Release every key: nobody looks at them any more."""
        return tuple(event for contact in tuple(self._down) for event in self.released(contact))

    def _next(self, stroke: _Stroke, now: float) -> tuple[Event, ...]:
        stuck_at = stroke.since + STUCK_S
        if now >= stuck_at:
            stroke.stuck = True
            return (KeyReleased(stroke.key), *self._faults.found(_stuck(stroke.key)))
        if stroke.key in REPEATING:
            # From now, not from when it was due: repeats that came late must not come in a burst.
            stroke.next_at = min(now + REPEAT_S, stuck_at)
            return (KeyReleased(stroke.key), KeyPressed(stroke.key))
        stroke.next_at = stuck_at
        return (KeyHeld(stroke.key),)


def _stuck(key: Key) -> str:
    return f"key {key} is stuck"
