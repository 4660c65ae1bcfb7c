# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What the machine knows of the time of day: a Pi has no battery clock, and certificates live between two dates."""

import ctypes
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

# The firmware is younger than a clock that says less.
_MADE = Path(__file__).stat().st_mtime - 86_400.0
_LIBC = ctypes.CDLL(None)
_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronized
# What systemd-timesyncd leaves when it has set the clock: a service in a sandbox may not ask the kernel.
_TIMESYNC = Path("/run/systemd/timesync/synchronized")


@dataclass(frozen=True, slots=True)
class Clock:
    """Unix time; whether the clock was ever set, and whether a time server keeps it.

    A clock that was set and is not kept may stand where it stood when the phone was switched off: it is never ahead.
    """

    unix: float
    is_set: bool = True
    is_kept: bool = True


WallClock = Callable[[], Clock]


def kept_by_a_time_server() -> bool:
    """What the kernel says of its clock, or systemd to those who may not ask the kernel (adjtimex(2))."""
    # Larger than struct timex anywhere; all zero asks without changing anything.
    asked = ctypes.create_string_buffer(512)
    return int(_LIBC.adjtimex(asked)) not in (_TIME_ERROR, -1) or _TIMESYNC.exists()


class SystemClock:
    """The system's clock. `written` is a file of the phone's own: it was not written tomorrow.

    Unless the clock was wrong that day: a time server knows better, and is believed.
    """

    def __init__(self, written: Path | None = None, is_kept: Callable[[], bool] = kept_by_a_time_server) -> None:
        self._is_kept = is_kept
        self._not_before = _modified(written) if written is not None else 0.0

    def __call__(self) -> Clock:
        unix, kept = time.time(), self._is_kept()
        return Clock(unix, is_set=unix > _MADE and (kept or unix >= self._not_before), is_kept=kept)


system_clock = SystemClock()


def _modified(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0
