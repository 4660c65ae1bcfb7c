# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""How a call finds its way, and when it may try another."""

from dataclasses import replace

import pytest

from omafon.core.actions import Action, HangUp, PlaceCall
from omafon.core.causes import Cause
from omafon.core.events import CallId, CallRinging, CallTrying, NetworkChanged, NumberDialled
from omafon.core.memory import Tried
from omafon.core.naptr import NaptrRecord
from omafon.core.settings import Contact, Route
from tests.unit.world import HOME, SETTINGS, SIP_OMA, World

PROVIDER = "sip:+4930123456@example.org"


def naptr(uri: str, preference: int = 10, service: str = "E2U+sip") -> NaptrRecord:
    return NaptrRecord(100, preference, "u", service, f"!^.*$!{uri}!", ".")


def invites(actions: tuple[Action, ...]) -> list[tuple[str, Route]]:
    return [(action.uri, action.route) for action in actions if isinstance(action, PlaceCall)]


def called_by_enum(*records: NaptrRecord) -> tuple[World, CallId]:
    """A phone with a registered line has called the first host that ENUM named."""
    phone = World(registered=True)
    phone.lifts()
    phone.dials("030123456#")
    phone.tree_says(*(records or (SIP_OMA,)))
    return phone, phone.placed().call


# After ENUM


@pytest.mark.parametrize(
    "cause", [Cause.UNREACHABLE, Cause.HOST_NOT_FOUND, Cause.SERVER_ERROR, Cause.SERVER_OVERLOADED]
)
def test_a_host_that_reaches_nobody_makes_room_for_the_line(cause: Cause):
    phone, call = called_by_enum()

    actions = phone.ends(call, cause)

    assert invites(actions) == [(PROVIDER, Route.PROVIDER)]
    assert "Anbieter" in phone.rows[2]


@pytest.mark.parametrize(
    "cause",
    [Cause.BUSY, Cause.DECLINED, Cause.NO_ANSWER, Cause.NOT_FOUND, Cause.FORBIDDEN, Cause.TLS_UNTRUSTED, Cause.OFFLINE],
)
def test_a_refusal_never_becomes_a_call_that_costs(cause: Cause):
    phone, call = called_by_enum()

    actions = phone.ends(call, cause)

    assert actions == ()
    assert phone.mode == "failed"


def test_a_phone_that_rang_there_is_not_called_another_way():
    phone, call = called_by_enum()
    phone.happens(CallRinging(call))

    actions = phone.ends(call, Cause.SERVER_ERROR)

    assert actions == ()


def test_a_host_that_says_nothing_for_four_seconds_is_left():
    phone, call = called_by_enum()

    phone.passes(3.9)
    before = len(phone.actions)
    phone.passes(0.2)

    assert phone.actions[before] == HangUp(call)
    assert phone.placed().uri == PROVIDER


def test_a_host_that_works_on_it_is_given_its_time():
    phone, call = called_by_enum()
    phone.happens(CallTrying(call))

    phone.passes(30.0)

    assert phone.placed().call == call


def test_a_silent_host_is_waited_for_when_there_is_no_other_way():
    phone = World()
    call = phone.dials_oma()

    phone.passes(30.0)

    assert (phone.mode, phone.placed().call) == ("calling", call)


def test_the_next_record_is_tried_before_the_line():
    phone, call = called_by_enum(naptr("sip:a@a.example", 1), naptr("sip:b@b.example", 2))

    second = phone.ends(call, Cause.UNREACHABLE)
    third = phone.ends(phone.placed().call, Cause.UNREACHABLE)

    assert invites(second) == [("sip:b@b.example", Route.ENUM)]
    assert invites(third) == [(PROVIDER, Route.PROVIDER)]


def test_no_more_than_three_hosts_of_a_number_are_tried():
    phone, call = called_by_enum(*(naptr(f"sip:x@{n}.example", n) for n in range(1, 6)))

    for _ in range(2):
        phone.ends(call, Cause.UNREACHABLE)
        call = phone.placed().call
    actions = phone.ends(call, Cause.UNREACHABLE)

    assert invites(actions) == [(PROVIDER, Route.PROVIDER)]


def test_the_history_has_one_entry_with_the_way_and_the_reason_for_it():
    phone, call = called_by_enum()
    phone.ends(call, Cause.UNREACHABLE)
    phone.ends(phone.placed().call, Cause.BUSY)

    (entry,) = phone.phone.memory.history

    assert (entry.route, entry.cause) == (Route.PROVIDER, Cause.BUSY)
    assert entry.tried == (Tried(Route.ENUM, Cause.UNREACHABLE),)


def test_the_history_says_why_a_number_went_to_the_provider():
    phone = World(registered=True)
    phone.lifts()
    phone.dials("030123456#")
    phone.tree_fails()
    phone.ends(phone.placed().call, Cause.BUSY)

    assert phone.phone.memory.history[0].tried == (Tried(Route.ENUM, Cause.NO_ROUTE),)


# What ENUM says is not believed blindly


def test_an_address_in_the_lines_own_domain_is_not_dialled_on_the_owners_bill():
    phone, _ = called_by_enum(naptr("sip:+8821234567@example.org"))

    assert phone.placed().line is None
    assert phone.placed().route is Route.ENUM


def test_a_telephone_number_in_the_directory_is_not_dialled_by_itself():
    phone, _ = called_by_enum(naptr("tel:+499001234567", service="E2U+pstn:tel"))

    assert phone.placed().uri == PROVIDER


@pytest.mark.parametrize("uri", ["sip:100@example.org", "sip:me@192.0.2.7", "sip:me@192.0.2.7:5060;transport=tcp"])
def test_an_address_that_is_our_own_is_not_called(uri: str):
    phone = World(registered=True)
    phone.happens(NetworkChanged(("192.0.2.7",)))
    phone.lifts()
    phone.dials("030123456#")

    phone.tree_says(naptr(uri))

    assert phone.placed().uri == PROVIDER


def test_the_own_number_is_not_called():
    phone = World(replace(SETTINGS, number="+4930123456"))
    phone.lifts()

    actions = phone.dials("030123456#")

    assert actions == ()
    assert phone.rows[1] == "Eigene Nummer"


# Family first


def test_a_family_member_is_called_at_home_then_by_number_then_through_the_line():
    opa = Contact("Opa", "+4930123456", "sip:opa@192.0.2.9", speed_dial=2, family=True)
    phone = World(replace(SETTINGS, contacts=(opa,)), registered=True)
    phone.lifts()

    at_home = phone.dials("2#")
    phone.ends(phone.placed().call, Cause.UNREACHABLE)
    asked = phone.asked().number
    phone.tree_fails()

    assert invites(at_home) == [("sip:opa@192.0.2.9", Route.FAMILY)]
    assert asked == "+4930123456"
    assert phone.placed().uri == PROVIDER


# What costs may ask


def asking(digits: str = "030123456#") -> World:
    """A phone that asks before calls that cost; the number is in no directory."""
    phone = World(replace(SETTINGS, confirm_paid=True, lines=(HOME,)), registered=True)
    phone.lifts()
    phone.dials(digits)
    phone.tree_fails()
    return phone


@pytest.mark.parametrize("key", ["#", "call"])
def test_a_call_that_costs_waits_for_a_second_key_when_the_owner_wants_it(key: str):
    phone = asking()
    shown = phone.rows

    actions = phone.presses(key)

    assert shown[3] == "Kostet: # ruft an"
    assert invites(actions) == [(PROVIDER, Route.PROVIDER)]


def test_a_call_that_costs_is_not_made_by_other_digits():
    phone = asking()

    actions = phone.presses("5")

    assert actions == ()
    assert phone.mode == "dialing"


@pytest.mark.parametrize("way_out", ["end", "back", "time"])
def test_a_call_that_costs_can_be_left(way_out: str):
    phone = asking()

    if way_out == "time":
        phone.passes(21.0)
    else:
        phone.presses(way_out)
    actions = phone.presses("#")

    assert invites(actions) == []


def test_a_free_call_does_not_ask():
    phone = World(replace(SETTINGS, confirm_paid=True), registered=True)

    phone.dials_oma()

    assert phone.placed().route is Route.ENUM


def test_an_emergency_call_asks_nobody():
    phone = World(replace(SETTINGS, confirm_paid=True), registered=True)
    phone.lifts()

    actions = phone.dials("112#")

    assert invites(actions) == [("sip:112@example.org", Route.EMERGENCY)]


def test_an_extension_of_the_pbx_asks_nobody():
    phone = World(replace(SETTINGS, confirm_paid=True), registered=True)

    phone.happens(NumberDialled("123"))

    assert phone.placed().uri == "sip:123@example.org"


def test_a_premium_number_always_asks():
    phone = World(registered=True)
    phone.lifts()
    phone.dials("09001234567#")

    phone.tree_fails()

    assert phone.mode == "dialing"
    assert "PlaceCall" not in {type(action).__name__ for action in phone.actions}
