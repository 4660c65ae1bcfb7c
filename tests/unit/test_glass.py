# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""How the display shines through a day, and how it is kept from burning in."""

from itertools import pairwise

import pytest

from omafon.config import ConfigError, parse, settings
from omafon.core.glass import BRIGHT, DIMMED, NIGHT, Glass, GlassHabits, glass

NOON, MIDNIGHT = 12 * 60, 0
OFF_AFTER_TEN_MINUTES = GlassHabits(off_after_s=600)


def rests(rested_s: float, minutes: int | None = NOON, habits: GlassHabits | None = None) -> Glass:
    return glass(rested_s, minutes, in_use=False, rested_s=rested_s, habits=habits)


@pytest.mark.parametrize("minutes", [NOON, MIDNIGHT, None])
def test_in_use_it_is_bright_and_stands_still_at_any_hour(minutes: int | None) -> None:
    for now in range(0, 7200, 30):
        assert glass(now, minutes, in_use=True, rested_s=0.0, habits=OFF_AFTER_TEN_MINUTES) == Glass(BRIGHT, (0, 0))


def test_it_dims_when_nobody_uses_the_phone_for_a_minute() -> None:
    assert rests(59.9).brightness == BRIGHT
    assert rests(60.0).brightness == DIMMED


@pytest.mark.parametrize(
    ("minutes", "brightness"),
    [
        (21 * 60 + 59, DIMMED),
        (22 * 60, NIGHT),
        (MIDNIGHT, NIGHT),
        (6 * 60 + 59, NIGHT),
        (7 * 60, DIMMED),
        (NOON, DIMMED),
    ],
)
def test_by_night_it_is_dimmer_still(minutes: int, brightness: int) -> None:
    assert rests(3600.0, minutes).brightness == brightness


def test_a_night_may_also_begin_after_midnight_or_never() -> None:
    late, none = GlassHabits(night_from=60, night_until=300), GlassHabits(night_from=0, night_until=0)

    assert [rests(3600.0, minutes, late).brightness for minutes in (59, 60, 299, 300)] == [DIMMED, NIGHT, NIGHT, DIMMED]
    assert {rests(3600.0, minutes, none).brightness for minutes in range(1440)} == {DIMMED}


def test_without_the_time_of_day_there_is_no_night() -> None:
    assert rests(3600.0, None).brightness == DIMMED


def test_it_goes_dark_only_where_the_owner_wants_it() -> None:
    assert rests(1e6).brightness == DIMMED
    assert rests(599.0, NOON, OFF_AFTER_TEN_MINUTES).brightness == DIMMED
    assert rests(600.0, NOON, OFF_AFTER_TEN_MINUTES) == Glass(0)


def test_an_owner_who_wants_no_dimming_has_none() -> None:
    assert rests(1e6, MIDNIGHT, GlassHabits(dim_after_s=0)).brightness == BRIGHT


def test_at_rest_the_picture_moves_by_a_pixel_a_minute_and_is_in_nine_places() -> None:
    shifts = [rests(60.0 * minute).shift for minute in range(1, 100)]

    assert len(set(shifts)) == 9
    assert all(max(abs(x), abs(y)) <= 1 for x, y in shifts)
    for (x, y), (next_x, next_y) in pairwise(shifts):
        assert max(abs(x - next_x), abs(y - next_y)) == 1


def test_the_owner_says_how_the_display_rests() -> None:
    file = '[display]\ndim_after_s = 0\noff_after_min = 20\nnight = "23:30-06:15"\n'

    assert settings(parse(file)).glass == GlassHabits(0, 1200, 23 * 60 + 30, 6 * 60 + 15)
    assert settings(parse("")).glass == GlassHabits()


@pytest.mark.parametrize("night", ["22-7", "24:00-07:00", "22:00-07:60", "always"])
def test_a_night_that_is_no_time_is_refused(night: str) -> None:
    with pytest.raises(ConfigError, match="is no time from one hour to another"):
        parse(f'[display]\nnight = "{night}"\n')
