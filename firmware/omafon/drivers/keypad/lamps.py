# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The rhythm of a lamp. All lamps keep one time, so that two that blink do so together.

A lamp breathes by a slow rhythm and not by brightness: only a thread could make the pulses that dim it, all day.
"""

from omafon.core.screen import Lamp

_HALF_S = {Lamp.BLINK: 0.3, Lamp.BREATHE: 1.5}


def is_lit(lamp: Lamp, now: float) -> bool:
    """Whether the lamp shines at `now`, in monotonic seconds."""
    half_s = _HALF_S.get(lamp)
    return lamp is Lamp.ON if half_s is None else int(now / half_s) % 2 == 0


def turns_at(lamp: Lamp, now: float) -> float | None:
    """When it changes next; None when it stays as it is."""
    half_s = _HALF_S.get(lamp)
    return None if half_s is None else (int(now / half_s) + 1) * half_s
