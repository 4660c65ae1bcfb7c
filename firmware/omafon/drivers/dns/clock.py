# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What the phone knows of the time of day: a Pi has no battery clock, and signatures live from one date to another."""

import ctypes
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

# The firmware is younger than a clock that says less.
_MADE = Path(__file__).stat().st_mtime - 86_400.0
_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronized


@dataclass(frozen=True, slots=True)
class Clock:
    """Unix time; whether the clock was ever set, and whether a time server keeps it.

    A clock that was set and is not kept may stand where it stood when the phone was switched off: it is never ahead.
    """

    unix: float
    is_set: bool = True
    is_kept: bool = True


WallClock = Callable[[], Clock]


def system_clock() -> Clock:
    unix = time.time()
    # Larger than struct timex anywhere; all zero asks without changing anything.
    asked = ctypes.create_string_buffer(512)
    kept = int(ctypes.CDLL(None).adjtimex(asked)) not in (_TIME_ERROR, -1)
    return Clock(unix, is_set=unix > _MADE, is_kept=kept)
