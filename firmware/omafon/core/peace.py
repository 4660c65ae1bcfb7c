# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The owner's peace: quiet hours, who may ring and be called, and how often strangers may."""

import re
from dataclasses import dataclass

DAY_MIN = 1440

Span = tuple[int, int]
"""From a minute since midnight to another; to one that is not later: over midnight, into the next day."""

Week = tuple[tuple[Span, ...], ...]
"""The spans that begin on each day, Monday first; empty for a week without any."""

ANYONE, CONTACTS, FAMILY = "anyone", "contacts", "family"


@dataclass(frozen=True, slots=True)
class QuietHours:
    """When the phone does not ring. `may_ring` are those who ring nevertheless, as in AllowLists.

    Others get the SIP `status`. `may_dial`: in these hours this phone calls whom it likes. `there` is the night of
    other zones, in which a call is made only when the person says so a second time; equal for none.
    """

    week: Week = ()
    may_ring: tuple[str, ...] = (FAMILY,)
    status: int = 480
    may_dial: bool = True
    there: Span = (22 * 60, 7 * 60)


@dataclass(frozen=True, slots=True)
class AllowLists:
    """Who may ring, and who may be called: groups, names of contacts, numbers, beginnings of numbers ('+4930*')."""

    callers: tuple[str, ...] = (ANYONE,)
    called: tuple[str, ...] = (ANYONE,)


def is_quiet(week: Week, day: int, minute: int) -> bool:
    """Whether `minute` of `day`, Monday 0, lies in a span of that day or in one that began the day before.

    >>> night = ((22 * 60, 7 * 60),)
    >>> is_quiet((night,) * 7, 0, 6 * 60), is_quiet((night,) * 7, 0, 7 * 60)
    (True, False)
    """
    return minutes_left(week, day, minute) > 0


def minutes_left(week: Week, day: int, minute: int) -> int:
    """How many minutes it stays quiet, spans that touch taken together; 0 when it is not."""
    if not week:
        return 0
    left = 0
    # Each round comes to the end of a span, and none is longer than a day.
    while left < 7 * DAY_MIN:
        ahead, at = divmod(minute + left, DAY_MIN)
        today = (day + ahead) % 7
        ends = [_end(span) for span in week[today] if span[0] <= at < _end(span)]
        ends += [_end(span) - DAY_MIN for span in week[(today - 1) % 7] if at < _end(span) - DAY_MIN]
        if not ends:
            break
        left += max(ends) - at
    return min(left, 7 * DAY_MIN)


def _end(span: Span) -> int:
    begin, end = span
    return end if end > begin else end + DAY_MIN


def in_span(span: Span, minute: int) -> bool:
    """Whether `minute` since midnight lies in `span`, which may hold midnight; never in one of no length."""
    begin, end = span
    return begin <= minute < end if begin <= end else not end <= minute < begin


def names(listed: tuple[str, ...], *, name: str, family: bool, number: str) -> bool:
    """Whether a list names somebody: a contact by its `name`, empty for none; or a number of E.164.

    >>> names(("contacts",), name="Oma", family=False, number="+4930123456")
    True
    >>> names(("family", "+4930*"), name="", family=False, number="+4930123456")
    True
    """
    return any(
        entry == ANYONE
        or (entry == CONTACTS and (name != "" or family))
        or (entry == FAMILY and family)
        or (name != "" and entry == name)
        or (number != "" and _matches(entry, number))
        for entry in listed
    )


def _matches(entry: str, number: str) -> bool:
    return number.startswith(entry[:-1]) if entry.endswith("*") else entry == number


PATTERN = re.compile(r"\+[1-9][0-9]{0,14}\*?|[0-9]{1,4}\*?", re.A)
"""A number of an allow list, or what numbers begin with when it ends with a star."""

# Strangers, who ring only where anyone may.

STRANGERS_WINDOW_S = 3600.0


@dataclass(frozen=True, slots=True)
class Rung:
    """A stranger rang at `at`, monotonic seconds, from an IP address."""

    at: float
    source: str


def may_ring_again(rung: tuple[Rung, ...], source: str, now: float, most: int) -> bool:
    """Whether one more stranger may ring: `most` in an hour, and of these from one address no more than half."""
    lately = [one for one in rung if one.at > now - STRANGERS_WINDOW_S]
    return len(lately) < most and sum(one.source == source for one in lately) < max(1, most // 2)


def having_rung(rung: tuple[Rung, ...], source: str, now: float) -> tuple[Rung, ...]:
    """With one who rings now; those of more than an hour ago are forgotten."""
    return (*(one for one in rung if one.at > now - STRANGERS_WINDOW_S), Rung(now, source))
