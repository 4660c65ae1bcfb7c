# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Time zones: what the core makes of a rule is what the database says, on summer-time days and on all others."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omafon.config.zones import zone, zones
from omafon.core.whereabouts import every_zone, zones_of
from omafon.core.zone import Zone, local_day

NOW = int(datetime.now(UTC).timestamp())
HOUR = 3600


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize(
    ("name", "utc", "hours"),
    [
        ("Europe/Berlin", "2027-03-28T00:59:59+00:00", 1.0),
        ("Europe/Berlin", "2027-03-28T01:00:00+00:00", 2.0),
        ("Europe/Berlin", "2027-10-31T00:59:59+00:00", 2.0),
        ("Europe/Berlin", "2027-10-31T01:00:00+00:00", 1.0),
        ("America/New_York", "2027-03-14T06:59:59+00:00", -5.0),
        ("America/New_York", "2027-03-14T07:00:00+00:00", -4.0),
        ("America/New_York", "2027-11-07T05:59:59+00:00", -4.0),
        ("America/New_York", "2027-11-07T06:00:00+00:00", -5.0),
        # Half an hour of summer, over New Year.
        ("Australia/Lord_Howe", "2027-04-03T14:59:59+00:00", 11.0),
        ("Australia/Lord_Howe", "2027-04-03T15:00:00+00:00", 10.5),
        ("Australia/Lord_Howe", "2027-10-02T15:29:59+00:00", 10.5),
        ("Australia/Lord_Howe", "2027-10-02T15:30:00+00:00", 11.0),
        ("Australia/Lord_Howe", "2028-01-01T00:00:00+00:00", 11.0),
        # A quarter, and no summer time.
        ("Asia/Kathmandu", "2027-07-01T00:00:00+00:00", 5.75),
        # Ireland's winter is its exception.
        ("Europe/Dublin", "2027-07-01T00:00:00+00:00", 1.0),
        ("Europe/Dublin", "2027-12-01T00:00:00+00:00", 0.0),
        # The day before, at ten in the evening.
        ("America/Nuuk", "2027-03-28T00:59:59+00:00", -2.0),
        ("America/Nuuk", "2027-03-28T01:00:00+00:00", -1.0),
    ],
)
def test_clocks_are_put_forward_and_back_to_the_second(name: str, utc: str, hours: float):
    known = zone(name)

    assert known is not None
    assert known.offset_s(at(utc)) == hours * HOUR


@given(st.sampled_from(sorted(every_zone())), st.integers(NOW, NOW + 10 * 365 * 86_400))
def test_every_zone_is_as_the_database_says_for_ten_years(name: str, unix: int):
    known = zone(name)

    said = datetime.fromtimestamp(unix, ZoneInfo(name)).utcoffset()

    assert known is not None
    assert said is not None
    assert known.offset_s(unix) == said.total_seconds()


@given(st.integers(0, 4_000_000_000), st.sampled_from([-43_200, -12_600, 0, 20_700, 37_800, 50_400]))
def test_days_of_the_week_and_minutes_are_the_calendars(unix: int, offset_s: int):
    date = datetime.fromtimestamp(unix + offset_s, UTC)

    assert local_day(unix, offset_s) == (date.weekday(), date.hour * 60 + date.minute)


@pytest.mark.parametrize(
    "rule", ["<-03>3<-02>,M3.5.0/-2,M10.5.0/-1", "IST-1GMT0,M10.5.0,M3.5.0/1", "XXX3YYY,J60/0,J300", "XXX3YYY,59/0,299"]
)
def test_a_rule_in_any_of_its_forms_is_understood(rule: str):
    year = [Zone("", rule).offset_s(at(f"2028-{month:02d}-15T12:00:00+00:00")) for month in range(1, 13)]

    assert len(set(year)) == 2


def test_what_is_no_rule_is_universal_time():
    assert Zone("", "nonsense,,").offset_s(0.0) == 0


def test_a_zone_that_keeps_ramadan_is_right_in_ramadan():
    casablanca = zone("Africa/Casablanca")

    assert casablanca is not None
    assert casablanca.offset_s(at("2028-02-10T12:00:00+00:00")) == 0
    assert casablanca.offset_s(at("2028-07-10T12:00:00+00:00")) == HOUR


@pytest.mark.parametrize(
    ("number", "names"),
    [
        ("+4930123456", ("Europe/Berlin",)),
        ("+12125550123", ("America/New_York",)),
        ("+14155550123", ("America/Los_Angeles",)),
        ("+16045550123", ("America/Vancouver",)),
        ("+18765550123", ("America/Jamaica",)),
        ("+61893211234", ("Australia/Perth",)),
        ("+61291234567", ("Australia/Sydney",)),
        ("+5592123456789", ("America/Manaus",)),
        ("+34928123456", ("Atlantic/Canary",)),
        ("+9771234567", ("Asia/Kathmandu",)),
        ("+77271234567", ("Asia/Almaty",)),
        ("+12705550123", ("America/New_York", "America/Chicago")),
        ("+18005550123", ()),
        ("+88212345678", ()),
        ("", ()),
    ],
)
def test_a_number_is_at_home_where_its_code_says(number: str, names: tuple[str, ...]):
    assert zones_of(number) in (names, names[::-1])


def test_every_zone_of_a_number_is_in_the_database():
    assert {known.name for known in zones()} == every_zone()
    assert {known.rule for known in zones()}.isdisjoint({""})


@pytest.mark.parametrize("name", ["", "Europe/Belrin", "../../etc/passwd", "/etc/passwd", "Europe/", "posixrules/.."])
def test_a_name_that_is_no_zone_is_none(name: str):
    assert zone(name) is None
