# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Trains of edges as contacts make them, and a clock that plays them."""

import random
from collections.abc import Callable, Iterable
from typing import Protocol

from omafon.core.events import Event

BOUNCE_S = 0.01

Train = list[tuple[float, bool]]
"""When, in seconds, and whether the contact is closed from then on."""


Told = list[tuple[float, Event]]
"""What was said, and when."""


class Timed(Protocol):
    @property
    def deadline(self) -> float | None: ...
    def due(self, now: float) -> tuple[Event, ...]: ...


def moves(at: float, closed: bool, chance: random.Random | None = None, bounce_s: float = BOUNCE_S) -> Train:
    """A contact that goes to `closed` at `at`, and bounces for up to `bounce_s` where there is chance."""
    if chance is None:
        return [(at, closed)]
    bounces = sorted(at + chance.random() * bounce_s for _ in range(2 * chance.randrange(6)))
    return [(at, closed), *((when, closed is (index % 2 == 1)) for index, when in enumerate(bounces))]


def played(part: Timed, edges: Iterable[tuple[float, Callable[[float], tuple[Event, ...]]]]) -> Told:
    """What `part` says, and when, while `edges` reach it one by one and no deadline of its is missed."""
    said: Told = []
    for at, reach in edges:
        said += run_until(part, at)
        said += [(at, event) for event in reach(at)]
    return said + run_until(part, float("inf"))


def run_until(part: Timed, end: float) -> Told:
    """Call `due` at every deadline before `end`."""
    said: Told = []
    while (at := part.deadline) is not None and at < end:
        said += [(at, event) for event in part.due(at)]
    return said
