# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The edge between the engine's C++ and our Python: nothing may be raised across it."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

log = logging.getLogger("omafon.sip")

Owner = TypeVar("Owner")
Callback = Callable[[Owner, Any], None]


def guarded(callback: Callback[Owner]) -> Callback[Owner]:
    """A callback whose exceptions end here: in C++ they would print at best, and at worst end the process."""

    @wraps(callback)
    def guard(owner: Owner, parameter: Any) -> None:
        try:
            callback(owner, parameter)
        except Exception as error:  # noqa: BLE001  # the edge of a thread
            # Without the traceback: it would carry the engine's objects to another thread.
            log.error("engine callback %s: %s", callback.__name__, describe(error))

    return guard


def describe(error: BaseException) -> str:
    """What went wrong in words; str() of the engine's own errors is empty."""
    reason = getattr(error, "reason", "")
    return f"{type(error).__name__}: {reason or error}"
