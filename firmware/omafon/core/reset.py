# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The factory reset by two keys: '*' and '#' held together soon after the start, until a count-down has ended.

Who can hold them stands before the telephone, and has just switched it on: nobody resets it from afar, by dialling or
by leaning on the keys of a phone in use.
"""

from dataclasses import replace

from omafon.core.actions import FactoryReset
from omafon.core.events import Key
from omafon.core.state import Dialing, Idle, Notice, Phone, Resetting, Result
from omafon.core.words import word

OFFERED_S = 60.0
"""For so long after the start the keys are looked at."""

HOLD_S = 10.0
"""For so long they must be held: nobody does that by accident."""

ANSWERED_S = 120.0
"""After so long a phone that was to be reset, and still is there, was not."""

_KEYS = frozenset({Key.STAR, Key.HASH})


def pressed(phone: Phone, key: Key, now: float) -> Phone:
    """The phone with `key` down: the second of the two begins the count-down."""
    if key not in _KEYS or isinstance(phone.doing, Resetting):
        return phone
    free = not phone.off_hook and not phone.calls and isinstance(phone.doing, Idle | Dialing)
    if not free or phone.began is None or now > phone.began + OFFERED_S:
        return replace(phone, down=frozenset()) if phone.down else phone
    phone = replace(phone, down=phone.down | {key})
    return replace(phone, doing=Resetting(now)) if phone.down == _KEYS else phone


def released(phone: Phone, key: Key, now: float) -> Phone:
    """The phone with `key` up: letting go of either stops the count-down."""
    if key not in phone.down:
        return phone
    phone = replace(phone, down=phone.down - {key})
    match phone.doing:
        case Resetting(asked=False):
            return phone.resting(now)
        case _:
            return phone


def until(resetting: Resetting, now: float) -> float:
    """When the count-down shows the next second, or ends; monotonic seconds."""
    if resetting.asked:
        return resetting.since + ANSWERED_S
    return min(now + 1.0 - (now - resetting.since) % 1.0, resetting.since + HOLD_S)


def time_passed(phone: Phone, resetting: Resetting, now: float) -> Result:
    """The phone when `until` was reached."""
    if resetting.asked:
        return (failed(phone, now) if now >= resetting.since + ANSWERED_S else phone), ()
    if now < resetting.since + HOLD_S:
        return phone, ()
    return replace(phone, doing=Resetting(now, asked=True)), (FactoryReset(),)


def seconds_left(resetting: Resetting, now: float) -> int:
    """What the count-down shows: 10 at first, 1 at last."""
    return max(1, min(int(HOLD_S), int(HOLD_S - (now - resetting.since) + 0.999)))


def failed(phone: Phone, now: float) -> Phone:
    """The phone that could not be reset, and says so."""
    language = phone.settings.language
    rows = tuple(word(key, language) for key in ("reset_title", "reset_failed", "reset_failed_cure"))
    phone = phone.resting(now) if isinstance(phone.doing, Resetting) else phone
    return replace(phone, notice=Notice(rows, now))
