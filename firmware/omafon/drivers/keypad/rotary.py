# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The rotary dial: trains of pulses become digits."""

from omafon.core.events import Event, Key, KeyPressed, KeyReleased
from omafon.drivers.keypad.contact import Contact
from omafon.drivers.keypad.faults import Faults

BREAK_MAX_S = 0.15
"""A dial breaks for 27 to 84 ms (8 to 12 Hz, 33 to 67 %); what is broken for longer than this was no pulse."""
GAP_S = 0.3
"""Without an off-normal contact, a digit is over when no pulse came for so long."""
AWAY_MAX_S = 30.0
"""Nobody holds the dial for longer."""
STUCK = "the dial is stuck"

_DIGITS = {pulses: Key(str(pulses % 10)) for pulses in range(1, 11)}


class RotaryDial:
    """Edges of its two contacts in, the key events of a digit out, when the dial is back at rest, where it begins.

    The pulse contact opens once a pulse, ten times for 0. The off-normal contact is closed while the dial is away from
    rest: then a digit ends as it comes back, and what the pulse contact does at rest is nothing. An old set may lack
    that contact: then a digit ends GAP_S after its last pulse. More than ten pulses are no digit.
    """

    def __init__(self, faults: Faults, *, off_normal: bool) -> None:
        """`off_normal`: whether there is such a contact."""
        self._faults = faults
        self._pulse = Contact(False)
        self._off_normal = Contact(False) if off_normal else None
        self._pulses = 0
        self._spoiled = False
        self._broken_since = 0.0
        self._over_at: float | None = None
        self._stuck_at: float | None = None

    @property
    def deadline(self) -> float | None:
        """When `due` is wanted, in monotonic seconds."""
        moving = None if self._off_normal is None else self._off_normal.deadline
        times = (self._pulse.deadline, moving, self._over_at, self._stuck_at)
        return min((at for at in times if at is not None), default=None)

    def pulse_edge(self, broken: bool, now: float) -> tuple[Event, ...]:
        """The pulse contact went to `broken`, that is: open."""
        events = self.due(now)
        self._pulse.edge(broken, now)
        # The gap is counted from the last edge there is, and this one may be the first of another pulse.
        self._over_at = None
        return events

    def off_normal_edge(self, away: bool, now: float) -> tuple[Event, ...]:
        """The off-normal contact went to `away`, that is: closed."""
        assert self._off_normal is not None
        events = self.due(now)
        self._off_normal.edge(away, now)
        return events

    def due(self, now: float) -> tuple[Event, ...]:
        """What the time that has passed makes of the edges."""
        events: tuple[Event, ...] = ()
        if self._pulse.deadline is not None and now >= self._pulse.deadline:
            self._settle_pulse(now)
        if self._off_normal is not None and self._off_normal.settle(now):
            events = self._moved(away=self._off_normal.closed)
        if self._over_at is not None and now >= self._over_at:
            events = (*events, *self._over())
        if self._stuck_at is not None and now >= self._stuck_at:
            self._stuck_at = None
            events = (*events, *self._faults.found(STUCK))
        return events

    def _settle_pulse(self, now: float) -> None:
        changed = self._pulse.settle(now)
        if self._off_normal is not None and not self._off_normal.closed:
            return
        if changed and self._pulse.closed:
            self._pulses += 1
            self._broken_since = self._pulse.since
        elif changed and self._pulse.since - self._broken_since > BREAK_MAX_S:
            self._spoiled = True
        if self._off_normal is None and not self._pulse.closed and self._pulses:
            self._over_at = self._pulse.since + GAP_S

    def _moved(self, *, away: bool) -> tuple[Event, ...]:
        assert self._off_normal is not None
        if away:
            self._pulses, self._spoiled = 0, False
            self._stuck_at = self._off_normal.since + AWAY_MAX_S
            return ()
        self._stuck_at = None
        return (*self._faults.mended(STUCK), *self._over())

    def _over(self) -> tuple[Event, ...]:
        key = None if self._spoiled else _DIGITS.get(self._pulses)
        self._pulses, self._spoiled, self._over_at = 0, False, None
        return () if key is None else (KeyPressed(key), KeyReleased(key))
