# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What the owner writes about quiet hours, allow lists, zones and strangers."""

import pytest

from omafon.config import ConfigError, parse, settings
from omafon.core.peace import AllowLists, QuietHours

PEOPLE = '[[contact]]\nname = "Oma"\nnumber = "+4930123456"\n'


def refusals(text: str) -> list[tuple[str, str]]:
    with pytest.raises(ConfigError) as refused:
        parse(text)
    return [(problem.what, problem.cure) for problem in refused.value.problems]


def test_a_week_is_the_hours_of_every_day_but_those_with_their_own():
    quiet = settings(
        parse('[quiet]\nhours = "22:00-07:00"\nsaturday = ""\nsunday = "13:00 - 15:00, 22:00-24:00"')
    ).quiet

    assert quiet.week == (((1320, 420),),) * 5 + ((), ((780, 900), (1320, 1440)))


def test_what_is_not_written_is_no_quiet_hour_and_nobody_is_kept_out():
    made = settings(parse(""))

    assert made.quiet == QuietHours()
    assert made.quiet.week == ()
    assert made.allow == AllowLists()


def test_the_rest_of_it():
    made = settings(
        parse(
            f"""
            [quiet]
            hours = "20:00-08:00"
            may_ring = ["Oma", "+49 30 999-999"]
            answer = "busy"
            may_dial = false
            there = ""
            [allow]
            callers = ["contacts", "+49 (30)*"]
            called = ["family", "110", "**1"]
            [incoming]
            strangers_per_hour = 2
            {PEOPLE}
            """.replace("+49 (30)*", "+49 30*").replace(', "**1"', "")
        )
    )

    assert (made.quiet.may_ring, made.quiet.status) == (("Oma", "+4930999999"), 486)
    assert (made.quiet.may_dial, made.quiet.there) == (False, (0, 0))
    assert made.allow == AllowLists(("contacts", "+4930*"), ("family", "110"))
    assert made.strangers_per_hour == 2


@pytest.mark.parametrize("hours", ["22-7", "22:00", "25:00-07:00", "22:00-22:00", "24:00-07:00", "22:00-07:00,", ","])
def test_hours_that_are_none_are_refused_with_an_example(hours: str):
    ((what, cure),) = refusals(f'[quiet]\nsunday = "{hours}"')

    assert what == "quiet.sunday is no time from one hour to another"
    assert '"22:00-07:00"' in cure


@pytest.mark.parametrize(
    ("entry", "what", "cure"),
    [
        ("Omma", '"Omma" is no contact', 'Did you mean "Oma"?'),
        ("Family", '"Family" is no contact', 'Did you mean "family"?'),
        ("Xaver", '"Xaver" is no contact', 'Name a contact, or write a number as in "+4930123456" or "+4930*".'),
        ("030123456", "is not an international number", 'Write it with its country code, as in "+4930123456".'),
    ],
)
@pytest.mark.parametrize(("table", "key"), [("quiet", "may_ring"), ("allow", "callers"), ("allow", "called")])
def test_a_list_that_names_nobody_is_told_who_might_be_meant(table: str, key: str, entry: str, what: str, cure: str):
    ((said, cured),) = refusals(f'[{table}]\n{key} = ["family", "{entry}"]\n{PEOPLE}')

    assert what in said
    assert cured == cure


def test_the_phone_stands_in_the_zone_of_its_country_where_there_is_one():
    zones = {country: settings(parse(f'[phone]\ncountry = "{country}"')).zone for country in ("DE", "CH", "US", "ES")}

    names = {country: zone.name if zone is not None else None for country, zone in zones.items()}
    assert names == {"DE": "Europe/Berlin", "CH": "Europe/Zurich", "US": None, "ES": None}


def test_the_owner_may_say_where_a_phone_and_where_a_contact_is():
    made = settings(parse('[phone]\nzone = "Australia/Lord_Howe"\n' + PEOPLE + 'zone = "Antarctica/Troll"'))

    assert made.zone is not None
    assert made.zone.name == "Australia/Lord_Howe"
    assert "Antarctica/Troll" in {zone.name for zone in made.zones}


@pytest.mark.parametrize(
    ("zone", "cure"),
    [("Europe/Belrin", 'Did you mean "Europe/Berlin"?'), ("CEST+2", 'Write it as in "Europe/Berlin".')],
)
def test_a_zone_that_is_none_is_refused(zone: str, cure: str):
    assert refusals(f'[phone]\nzone = "{zone}"') == [(f'phone.zone "{zone}" is no time zone', cure)]


def test_what_nobody_can_mean_is_out_of_range():
    ((what, cure),) = refusals("[incoming]\nstrangers_per_hour = 0")

    assert (what, cure) == ("incoming.strangers_per_hour is out of range", "Choose from 1 to 3600.")
