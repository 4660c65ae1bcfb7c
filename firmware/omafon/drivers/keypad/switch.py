# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A pin with one contact to ground, watched from edge to edge."""

from collections.abc import Callable
from dataclasses import dataclass

from gpiozero import Pin

from omafon.core.events import Event
from omafon.drivers.keypad.pins import watch

Taken = Callable[[bool, float], tuple[Event, ...]]
"""Takes an edge: whether the contact is closed, and since when, in monotonic seconds."""


@dataclass(frozen=True, slots=True)
class Edge:
    """The contact of `switch` closed or opened at `at`, in monotonic seconds."""

    switch: "Switch"
    closed: bool
    at: float


class Switch:
    """Puts its edges into the queue of the keypad's thread, and there hands them to whom they concern."""

    def __init__(self, pin: Pin, taken: Taken, *, at_rest: bool, noticed: Callable[[Edge], None]) -> None:
        """`at_rest` is what everybody believes of the contact before the first edge: closed or not."""
        self._pin = pin
        self._taken = taken
        self._closed = at_rest
        self._noticed = noticed

    def watch(self) -> None:
        watch(self._pin, self._changed)

    def take(self, edge: Edge) -> tuple[Event, ...]:
        self._closed = edge.closed
        return self._taken(edge.closed, edge.at)

    def read(self, now: float) -> tuple[Event, ...]:
        """Look at the pin itself: an edge that the kernel dropped is made up for."""
        closed = not self._pin.state
        return () if closed == self._closed else self.take(Edge(self, closed, now))

    def _changed(self, ticks: float, state: int) -> None:
        self._noticed(Edge(self, not state, ticks))
