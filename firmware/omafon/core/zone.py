# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A time zone as data: the rule by which its clocks go, and days of the week in it. No database is asked."""

import re
from dataclasses import dataclass
from functools import lru_cache

DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone of the IANA database, 'Europe/Berlin'.

    `rule` is its POSIX TZ string as a TZif file ends with it (RFC 9636 section 3.3), 'CET-1CEST,M3.5.0,M10.5.0/3'.
    `changes` are pairs of a Unix time and the offset from then on, for the few zones that follow no such rule: they
    count until the last has come, and the rule after it. Raises nothing: a rule that is none is UTC.
    """

    name: str
    rule: str
    changes: tuple[tuple[int, int], ...] = ()

    def offset_s(self, unix: float) -> int:
        """How many seconds local time is ahead of UTC at `unix`.

        >>> Zone("Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3").offset_s(1_750_000_000.0)
        7200
        """
        if self.changes and unix < self.changes[-1][0]:
            begun = [offset_s for at, offset_s in self.changes if at <= unix]
            if begun:
                return begun[-1]
        return _parsed(self.rule).offset_s(unix)


def local_day(unix: float, offset_s: int) -> tuple[int, int]:
    """The day of the week, Monday 0, and the minutes since midnight.

    >>> local_day(0.0, 3600)
    (3, 60)
    """
    days, seconds = divmod(int(unix) + offset_s, DAY_S)
    return (days + 3) % 7, seconds // 60


@dataclass(frozen=True, slots=True)
class _Day:
    """A day of each year: 'Mm.w.d', the w-th day d (Sunday 0) of month m, or 'Jn' (leap days not counted) or 'n'."""

    text: str
    at_s: int

    def unix_local(self, year: int) -> int:
        """Seconds of local time since 1970-01-01 at which it comes in `year`."""
        if self.text[0] == "M":
            month, week, day = (int(part) for part in self.text[1:].split("."))
            first = _days(year, month, 1)
            date = first + (day - (first + 4)) % 7 + 7 * (week - 1)
            if date >= _days(year, month + 1, 1):  # the fifth is the last
                date -= 7
        elif self.text[0] == "J":
            ordinal = int(self.text[1:])
            leap = _days(year, 3, 1) - _days(year, 2, 1) == 29
            date = _days(year, 1, 1) + ordinal - 1 + (leap and ordinal >= 60)
        else:
            date = _days(year, 1, 1) + int(self.text)
        return date * DAY_S + self.at_s


@dataclass(frozen=True, slots=True)
class _Rule:
    standard_s: int
    summer_s: int = 0
    begins: _Day | None = None
    ends: _Day | None = None

    def offset_s(self, unix: float) -> int:
        if self.begins is None or self.ends is None:
            return self.standard_s
        year = _year(int(unix) + self.standard_s)
        begin = self.begins.unix_local(year) - self.standard_s
        end = self.ends.unix_local(year) - self.summer_s
        summer = begin <= unix < end if begin < end else not end <= unix < begin
        return self.summer_s if summer else self.standard_s


_NAME = r"(?:[A-Za-z]{3,}|<[A-Za-z0-9+-]{3,}>)"
_TIME = r"[+-]?\d{1,3}(?::\d{2}){0,2}"
_DATE = r"(?:M\d{1,2}\.[1-5]\.[0-6]|J?\d{1,3})"
_TZ = re.compile(rf"{_NAME}({_TIME})(?:{_NAME}({_TIME})?,({_DATE})(?:/({_TIME}))?,({_DATE})(?:/({_TIME}))?)?", re.A)


@lru_cache(maxsize=512)
def _parsed(rule: str) -> _Rule:
    found = _TZ.fullmatch(rule)
    if found is None:
        return _Rule(0)
    west, summer_west, begins, begins_at, ends, ends_at = found.groups()
    # POSIX counts what is west of Greenwich.
    standard_s = -_seconds(west)
    if begins is None:
        return _Rule(standard_s)
    summer_s = -_seconds(summer_west) if summer_west else standard_s + 3600
    return _Rule(standard_s, summer_s, _Day(begins, _seconds(begins_at or "2")), _Day(ends, _seconds(ends_at or "2")))


def _seconds(text: str) -> int:
    hours, minutes, seconds = (*(int(part) for part in text.lstrip("+-").split(":")), 0, 0)[:3]
    total = 3600 * hours + 60 * minutes + seconds
    return -total if text.startswith("-") else total


def _days(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 to a date of the Gregorian calendar; month 13 is January of the next year."""
    year, month = (year + 1, month - 12) if month > 12 else (year, month)
    # Years that begin in March end with their leap day.
    year, month = (year, month - 3) if month > 2 else (year - 1, month + 9)
    return 365 * year + year // 4 - year // 100 + year // 400 + (153 * month + 2) // 5 + day - 719_469


def _year(local_s: int) -> int:
    year = 1970 + int(local_s / (365.2425 * DAY_S))
    day = local_s // DAY_S
    if day < _days(year, 1, 1):
        return year - 1
    return year + 1 if day >= _days(year + 1, 1, 1) else year
