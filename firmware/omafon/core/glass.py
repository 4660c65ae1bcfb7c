# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""How the display shines: bright in use, dimmer at night and at rest, and never long with the same pixels lit.

An OLED's pixels age by the hours they shine. A clock that stands still for a year is burnt in.
"""

from dataclasses import dataclass

BRIGHT = 100
DIMMED = 30
NIGHT = 10

# One pixel a minute, and round in nine: every step moves the picture by one pixel each way at most.
_ROUND = ((0, 0), (1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1))


@dataclass(frozen=True, slots=True)
class Glass:
    """A level: `brightness` is percent of the board's contrast, 0 is dark; `shift` moves the picture, in pixels."""

    brightness: int = BRIGHT
    shift: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class GlassHabits:
    """What the owner wants of a phone that nobody uses; 0 seconds: never. Minutes are those since local midnight.

    `large`: names and numbers are shown as large as there is room for.
    """

    dim_after_s: int = 60
    off_after_s: int = 0
    night_from: int = 22 * 60
    night_until: int = 7 * 60
    large: bool = False


def glass(
    now: float, minutes: int | None, *, in_use: bool, rested_s: float, habits: GlassHabits | None = None
) -> Glass:
    """How the display shines at `now`, monotonic seconds, which are `minutes` since local midnight if that is known.

    `in_use`: the handset is up, there is a call, or somebody presses keys; `rested_s` seconds ago that ended. It
    changes at whole minutes of rest, near enough to the clock on the screen to need no deadline of its own.

    >>> glass(0.0, 12 * 60, in_use=True, rested_s=0.0)
    Glass(brightness=100, shift=(0, 0))
    >>> glass(60.0, 23 * 60, in_use=False, rested_s=90.0)
    Glass(brightness=10, shift=(1, 0))
    """
    habits = habits or GlassHabits()
    if in_use or rested_s < habits.dim_after_s or not habits.dim_after_s:
        brightness = BRIGHT
    else:
        brightness = NIGHT if _between(minutes, habits.night_from, habits.night_until) else DIMMED
    if in_use:
        return Glass(brightness)
    if habits.off_after_s and rested_s >= habits.off_after_s:
        return Glass(0)
    return Glass(brightness, _ROUND[int(now // 60) % len(_ROUND)])


def _between(minutes: int | None, begin: int, end: int) -> bool:
    """Whether the time of day is in [begin, end), which may hold midnight; never when it is not known."""
    if minutes is None:
        return False
    return begin <= minutes < end if begin <= end else not end <= minutes < begin
