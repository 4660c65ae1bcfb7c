# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The owner's peace: quiet hours, allow lists, strangers, and the night where a call would ring."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omafon.config.zones import zone, zones
from omafon.core.actions import Action, HangUp, PlaceCall, QueryNaptr, RejectCall, RingCall
from omafon.core.causes import Cause, Tone
from omafon.core.events import CallAnswered, CallEnded, CallId, ClockChanged, IncomingCall, NumberDialled
from omafon.core.memory import Member
from omafon.core.peace import DAY_MIN, AllowLists, QuietHours, Span, Week, is_quiet, minutes_left
from omafon.core.settings import Accept, Contact, Settings
from tests.unit.world import OMA, OPA, SETTINGS, World

NIGHT: Span = (22 * 60, 7 * 60)
EVERY_NIGHT: Week = ((NIGHT,),) * 7
BERLIN = zone("Europe/Berlin")
LONDON = Contact("Bob", "+442079460123")
NEW_YORK = Contact("Ann", "+12125550123", speed_dial=5)
QUIET = replace(
    SETTINGS,
    quiet=QuietHours(EVERY_NIGHT),
    accept=frozenset(Accept),
    zone=BERLIN,
    zones=zones(),
    contacts=(OMA, OPA, LONDON, NEW_YORK),
)


def phone_at(time: str, settings: Settings = QUIET) -> World:
    """A phone with a registered line when clocks in its zone show `time`."""
    phone = World(settings, registered=True)
    unix = datetime.fromisoformat(time).timestamp()
    phone.happens(ClockChanged(unix - phone.now, 0, trusted=True))
    return phone


def calls(phone: World, number: str = "+442079460123", *, call: str = "in-1") -> tuple[Action, ...]:
    """Somebody calls through the line."""
    return phone.happens(IncomingCall(CallId(call), f"sip:{number}@example.org", "", "192.0.2.1", "home"))


def invites(phone: World) -> list[str]:
    return [action.uri for action in phone.actions if isinstance(action, PlaceCall)]


# Quiet hours


def test_in_quiet_hours_nobody_rings_and_the_call_is_a_missed_one():
    phone = phone_at("2027-06-14T23:30:00+02:00")

    (refused,) = calls(phone)

    assert refused == RejectCall(CallId("in-1"), 480, "Quiet Hours", 7 * 3600 + 1800)
    assert not phone.rings
    assert phone.phone.memory.missed == 1
    assert phone.phone.memory.history[0].cause is Cause.QUIET_HOURS


def test_the_owner_may_want_them_to_hear_busy():
    phone = phone_at("2027-06-14T23:30:00+02:00", replace(QUIET, quiet=QuietHours(EVERY_NIGHT, status=486)))

    (refused,) = calls(phone)

    assert isinstance(refused, RejectCall)
    assert refused.status == 486


@pytest.mark.parametrize(
    ("time", "rings"),
    [
        ("2027-06-14T21:59:59+02:00", True),
        ("2027-06-14T22:00:00+02:00", False),
        ("2027-06-15T06:59:59+02:00", False),
        ("2027-06-15T07:00:00+02:00", True),
        # Clocks are put forward: the hour from two to three is not there.
        ("2027-03-28T06:59:59+02:00", False),
        ("2027-03-28T07:00:00+02:00", True),
        # Clocks are put back: it is half past two twice, and then six.
        ("2027-10-31T06:59:59+01:00", False),
        ("2027-10-31T07:00:00+01:00", True),
    ],
)
def test_quiet_hours_begin_and_end_by_the_clock_on_the_wall(time: str, rings: bool):
    phone = phone_at(time)

    calls(phone)

    assert phone.rings is rings


@pytest.mark.parametrize("source", [OPA, None])
def test_who_is_named_rings_at_any_hour(source: Contact | None):
    quiet = QuietHours(EVERY_NIGHT, may_ring=("family", "Bob"))
    phone = phone_at("2027-06-14T23:30:00+02:00", replace(QUIET, quiet=quiet))

    done = phone.is_called() if source is OPA else calls(phone)

    assert done == (RingCall(CallId("in-1")),)


def test_a_member_of_the_family_without_a_contact_rings_at_any_hour():
    phone = phone_at("2027-06-14T23:30:00+02:00")
    memory = phone.phone.memory.joined(Member("omafon-1", "Tante", "+4989123456", "ab" * 32))
    phone.phone = replace(phone.phone, memory=memory)

    done = calls(phone, "+4989123456")

    assert done == (RingCall(CallId("in-1")),)


def test_a_day_may_have_hours_of_its_own():
    week = (*((NIGHT,),) * 6, ((13 * 60, 15 * 60), (23 * 60, 9 * 60)))
    settings = replace(QUIET, quiet=QuietHours(week))

    rang = [
        calls(phone_at(f"2027-06-{day}T{clock}:00+02:00", settings)) == (RingCall(CallId("in-1")),)
        for day, clock in [("20", "14:00"), ("20", "22:30"), ("21", "08:30"), ("21", "09:00"), ("22", "06:30")]
    ]

    assert rang == [False, True, False, True, False]


def test_a_phone_that_does_not_know_the_time_rings():
    phone = World(QUIET, registered=True)
    phone.happens(ClockChanged(0.0, 0, trusted=False))

    assert calls(phone) == (RingCall(CallId("in-1")),)


def test_who_is_called_for_help_may_call_back_at_night():
    phone = phone_at("2027-06-14T23:30:00+02:00")
    phone.lifts()
    phone.dials("112#")
    call = phone.placed().call
    phone.happens(CallAnswered(call), CallEnded(call, Cause.NORMAL))
    phone.replaces()

    phone.passes(3500)
    early = calls(phone, "+4930999999", call="in-1")
    phone.ends("in-1", Cause.CANCELLED)
    phone.passes(200)
    late = calls(phone, "+4930999999", call="in-2")

    assert early == (RingCall(CallId("in-1")),)
    assert isinstance(late[0], RejectCall)


def test_in_quiet_hours_this_phone_may_be_quiet_too():
    quiet = QuietHours(EVERY_NIGHT, may_dial=False)
    phone = phone_at("2027-06-14T23:30:00+02:00", replace(QUIET, quiet=quiet, trees=()))
    phone.lifts()

    phone.dials("0441234567#")
    rows = phone.rows
    phone.presses("end")
    phone.dials("030123456#")
    phone.presses("end")
    phone.dials("112#")

    assert rows[1] == "Ruhezeit"
    assert invites(phone) == ["sip:+4930123456@example.org", "sip:112@example.org"]


# The hours' arithmetic


SPANS = st.tuples(st.integers(0, DAY_MIN - 1), st.integers(0, DAY_MIN)).filter(lambda span: span[0] != span[1])
WEEKS = st.lists(st.lists(SPANS, max_size=3).map(tuple), min_size=7, max_size=7).map(tuple)


def lies_in_a_span(week: Week, day: int, minute: int) -> bool:
    """The same by writing all minutes of two weeks down."""
    quiet = set[int]()
    for at, spans in enumerate((*week, *week)):
        for begin, end in spans:
            length = (end - begin) % DAY_MIN or DAY_MIN
            quiet.update(range(at * DAY_MIN + begin, at * DAY_MIN + begin + length))
    return (day + 7) * DAY_MIN + minute in quiet


@given(WEEKS, st.integers(0, 6), st.integers(0, DAY_MIN - 1))
def test_a_minute_is_quiet_when_a_span_of_this_day_or_of_the_last_holds_it(week: Week, day: int, minute: int):
    assert is_quiet(week, day, minute) == lies_in_a_span(week, day, minute)


@given(WEEKS, st.integers(0, 6), st.integers(0, DAY_MIN - 1))
def test_the_minutes_that_are_left_are_those_until_it_is_quiet_no_more(week: Week, day: int, minute: int):
    left = minutes_left(week, day, minute)

    ahead, at = divmod(minute + left, DAY_MIN)
    before, was = divmod(minute + max(left - 1, 0), DAY_MIN)
    assert left == 7 * DAY_MIN or not is_quiet(week, (day + ahead) % 7, at)
    assert left == 0 or is_quiet(week, (day + before) % 7, was)


@given(st.datetimes(datetime(2026, 1, 1), datetime(2035, 1, 1)), st.sampled_from(["Europe/Berlin", "Asia/Kathmandu"]))
def test_a_night_is_never_longer_than_itself_and_the_hour_of_a_summer_time_day(moment: datetime, name: str):
    here = zone(name)
    phone = phone_at(f"{moment.isoformat()}+00:00", replace(QUIET, zone=here))

    (done,) = calls(phone)

    if isinstance(done, RejectCall):
        end = moment + timedelta(seconds=done.retry_after_s)
        assert timedelta() < end - moment <= timedelta(hours=9)


# Allow lists


@pytest.mark.parametrize(
    ("callers", "number", "rings"),
    [
        (("anyone",), "+49555123456", True),
        (("contacts",), "+49555123456", False),
        (("contacts",), "+442079460123", True),
        (("contacts",), "02079460123", False),
        (("family",), "+442079460123", False),
        (("family",), "+4930123456", True),
        (("family",), "030123456", True),
        (("Bob",), "+442079460123", True),
        (("Bob",), "+4930123456", False),
        (("+49555*",), "+49555123456", True),
        (("+49555*",), "+49556123456", False),
        (("+49555123456",), "+49555123456", True),
        ((), "+442079460123", False),
    ],
)
def test_who_may_ring_is_who_is_on_the_list(callers: tuple[str, ...], number: str, rings: bool):
    phone = phone_at("2027-06-14T12:00:00+02:00", replace(QUIET, allow=AllowLists(callers=callers)))

    done = calls(phone, number)

    assert done == ((RingCall(CallId("in-1")),) if rings else (RejectCall(CallId("in-1"), 603),))
    assert phone.phone.memory.history == ()


def test_a_caller_who_comes_directly_is_not_on_a_list_because_of_what_they_claim():
    phone = phone_at("2027-06-14T12:00:00+02:00", replace(QUIET, allow=AllowLists(callers=("contacts", "+44*"))))

    done = phone.happens(IncomingCall(CallId("in-1"), "sip:+442079460123@192.0.2.9", "Bob", "192.0.2.9", None))

    assert done == (RejectCall(CallId("in-1"), 603),)


@pytest.mark.parametrize(
    ("called", "digits", "goes"),
    [
        (("contacts",), "030123456", True),
        (("contacts",), "030999999", False),
        (("Oma",), "1", True),
        (("Oma",), "2", False),
        (("family",), "2", True),
        (("+4930*",), "030999999", True),
        (("+4930*",), "089999999", False),
        (("11",), "11", True),
        (("contacts",), "11", False),
        ((), "112", True),
        (("contacts",), "110", True),
    ],
)
def test_who_may_be_called_is_who_is_on_the_list_and_help_always(called: tuple[str, ...], digits: str, goes: bool):
    settings = replace(QUIET, allow=AllowLists(called=called), trees=())
    phone = phone_at("2027-06-14T12:00:00+02:00", settings)
    phone.lifts()

    phone.dials(f"{digits}#")

    assert bool(invites(phone)) is goes
    assert goes or (phone.rows[1], phone.tone) == ("Nummer ist gesperrt", Tone.ERROR)


def test_help_is_called_in_quiet_hours_with_empty_lists_and_without_a_clock():
    settings = replace(QUIET, allow=AllowLists((), ()), quiet=QuietHours((((0, 1440),),) * 7, (), may_dial=False))
    phone = World(settings, registered=False)
    phone.happens(ClockChanged(0.0, 0, trusted=False))
    phone.lifts()

    phone.dials("112#")

    assert invites(phone) == ["sip:112@example.org"]


# Strangers


def stranger(phone: World, call: str, source: str = "192.0.2.9") -> tuple[Action, ...]:
    return phone.happens(IncomingCall(CallId(call), f"sip:x@{source}", "", source, None))


def test_one_stranger_rings_at_a_time():
    phone = phone_at("2027-06-14T12:00:00+02:00")
    stranger(phone, "in-1")

    second = stranger(phone, "in-2", "192.0.2.10")
    family = phone.is_called("in-3")

    assert second == (RejectCall(CallId("in-2"), 486),)
    assert family == (RingCall(CallId("in-3")),)
    assert phone.phone.memory.history == ()


def test_strangers_ring_so_many_times_an_hour_and_one_of_them_half_as_often():
    phone = phone_at("2027-06-14T12:00:00+02:00", replace(QUIET, strangers_per_hour=4))

    rang = []
    for n, source in enumerate(["192.0.2.9"] * 3 + ["192.0.2.10", "192.0.2.11", "192.0.2.12"]):
        rang.append(stranger(phone, f"in-{n}", source) == (RingCall(CallId(f"in-{n}")),))
        phone.ends(f"in-{n}", Cause.CANCELLED)
    phone.passes(3600)
    again = stranger(phone, "in-9")

    assert rang == [True, True, False, True, True, False]
    assert again == (RingCall(CallId("in-9")),)


def test_the_family_and_the_line_are_never_too_many():
    phone = phone_at("2027-06-14T12:00:00+02:00", replace(QUIET, strangers_per_hour=1))

    for n in range(5):
        assert phone.is_called(f"in-{n}") == (RingCall(CallId(f"in-{n}")),)
        phone.ends(f"in-{n}", Cause.CANCELLED)


# The night elsewhere


def dialled(digits: str, time: str, settings: Settings = QUIET) -> World:
    phone = phone_at(time, replace(settings, trees=()))
    phone.lifts()
    phone.dials(digits)
    return phone


def test_before_a_call_into_the_night_the_person_is_asked():
    phone = dialled("0012125550123#", "2027-06-14T08:10:00+02:00")

    asked, screen = list(phone.actions), phone.rows
    phone.presses("1")

    assert not [action for action in asked if isinstance(action, PlaceCall | QueryNaptr)]
    assert screen == ("Ann", "02:10", "So spät ist es dort", "1: trotzdem anrufen")
    assert invites(phone) == ["sip:+12125550123@example.org"]


def test_the_clock_there_goes_on_while_the_person_thinks():
    phone = dialled("0012125550123#", "2027-06-14T08:10:50+02:00")

    phone.passes(15)

    assert phone.rows[1] == "02:11"


@pytest.mark.parametrize("key", ["call", "ok"])
def test_the_call_key_says_yes_too(key: str):
    phone = dialled("0012125550123#", "2027-06-14T08:10:00+02:00")

    phone.presses(key)

    assert len(invites(phone)) == 1


@pytest.mark.parametrize("key", ["end", "back"])
def test_a_second_thought_gives_the_dial_tone_back(key: str):
    phone = dialled("0012125550123#", "2027-06-14T08:10:00+02:00")

    phone.presses("7", key)

    assert (invites(phone), phone.tone) == ([], Tone.DIAL)


def test_a_question_that_nobody_answers_ends():
    phone = dialled("0012125550123#", "2027-06-14T08:10:00+02:00")

    phone.passes(20)

    assert (invites(phone), phone.tone) == ([], Tone.DIAL)


@pytest.mark.parametrize(
    ("digits", "time", "asks"),
    [
        ("0012125550123#", "2027-06-14T13:00:00+02:00", False),  # seven in the morning
        ("0012125550123#", "2027-06-14T12:59:00+02:00", True),
        ("0014155550123#", "2027-06-14T15:30:00+02:00", True),  # half past six in California
        ("0012705550123#", "2027-06-14T13:30:00+02:00", False),  # half past seven, or half past six
        ("0018005550123#", "2027-06-14T08:10:00+02:00", False),  # nowhere
        ("00442079460123#", "2027-06-14T22:30:00+02:00", False),  # half past nine
        ("00442079460123#", "2027-06-14T23:30:00+02:00", True),
        ("0043112345678#", "2027-06-14T23:30:00+02:00", False),  # the same clocks as here
        ("0030123456#", "2027-06-14T23:30:00+02:00", False),
        ("030999999#", "2027-06-14T23:30:00+02:00", False),
        # The days of spring on which New York is five hours away, and not six.
        ("0012125550123#", "2027-03-15T11:50:00+01:00", True),
        ("0012125550123#", "2027-03-15T12:10:00+01:00", False),
        ("0012125550123#", "2027-03-29T12:10:00+02:00", True),
        ("5#", "2027-06-14T08:10:00+02:00", True),
        ("112#", "2027-06-14T03:10:00+02:00", False),
    ],
)
def test_it_is_asked_when_it_is_night_there_and_the_clocks_are_others(digits: str, time: str, asks: bool):
    phone = dialled(digits, time)

    assert ("So spät ist es dort" in phone.rows) is asks


@pytest.mark.parametrize(("zone_name", "asks"), [("Asia/Kathmandu", True), ("Europe/Berlin", False)])
def test_a_contact_who_lives_elsewhere_than_their_number_is_asked_about_there(zone_name: str, asks: bool):
    settings = replace(QUIET, contacts=(replace(OMA, zone=zone_name),))

    phone = dialled("1#", "2027-06-14T20:30:00+02:00", settings)

    assert ("00:15" in phone.rows) is asks


def test_nobody_is_asked_where_the_owner_does_not_want_it_or_the_clock_is_not_set():
    unasked = dialled("0012125550123#", "2027-06-14T08:10:00+02:00", replace(QUIET, quiet=QuietHours(there=(0, 0))))
    unset = phone_at("2027-06-14T08:10:00+02:00", replace(QUIET, trees=()))
    unset.happens(ClockChanged(0.0, 0, trusted=False))
    unset.lifts()
    unset.dials("0012125550123#")

    assert len(invites(unasked)) == len(invites(unset)) == 1


def test_a_number_dialled_from_afar_is_asked_about_as_well():
    phone = phone_at("2027-06-14T08:10:00+02:00", replace(QUIET, trees=()))

    phone.happens(NumberDialled("+12125550123"))
    phone.passes(21)

    assert invites(phone) == []
    assert not phone.phone.off_hook


def test_a_call_that_knocks_can_be_taken_while_the_question_stands():
    phone = dialled("0012125550123#", "2027-06-14T08:10:00+02:00")
    phone.is_called()

    phone.presses("flash")
    phone.presses("1")

    assert phone.mode == "in_call"
    assert not any(isinstance(action, HangUp) for action in phone.actions)
    assert invites(phone) == []


# The clock of the phone


def test_the_phones_own_clock_goes_by_its_own_zone():
    phone = phone_at("2027-06-14T12:00:00+02:00", replace(QUIET, zone=zone("Australia/Lord_Howe")))

    assert phone.rows[1] == "20:30"


def test_a_call_of_last_winter_was_at_the_time_that_clocks_showed_then():
    phone = phone_at("2027-01-14T12:00:00+01:00")
    calls(phone)
    phone.ends("in-1", Cause.CANCELLED)

    phone.happens(ClockChanged(datetime.fromisoformat("2027-06-14T12:00:00+02:00").timestamp() - phone.now, 0, True))
    phone.presses("down")

    assert phone.rows[2] == "Verpasst 12:00"
