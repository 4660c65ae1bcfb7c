# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What a telephone does when somebody calls, also in a call."""

from dataclasses import replace

import pytest

from omafon.core.actions import (
    AnswerCall,
    HangUp,
    HoldCall,
    RejectCall,
    ResumeCall,
    RingCall,
)
from omafon.core.causes import Cause, Tone
from omafon.core.events import (
    CallId,
    IncomingCall,
)
from omafon.core.present import lamps
from omafon.core.screen import Lamp
from omafon.core.settings import Accept
from omafon.core.state import Dialing, Idle
from tests.unit.world import OMA, OPA, SETTINGS, World

# Being called


def test_a_call_of_the_family_rings():
    phone = World()

    actions = phone.is_called()

    assert actions == (RingCall(CallId("in-1")),)
    assert (phone.mode, phone.rings, phone.tone) == ("ringing", True, Tone.OFF)
    assert phone.rows[1] == "Opa"


def test_the_loudspeakers_amplifier_is_awake_only_while_the_bell_rings():
    phone = World()
    asleep = lamps(phone.phone)

    phone.is_called()
    ringing = lamps(phone.phone)
    phone.lifts()

    answered = lamps(phone.phone)
    assert [at.amplifier for at in (asleep, ringing, answered)] == [Lamp.OFF, Lamp.ON, Lamp.OFF]


def test_lifting_the_handset_answers_and_silences_the_bell():
    phone = World()
    phone.is_called()

    actions = phone.lifts()

    assert actions == (AnswerCall(CallId("in-1")),)
    assert (phone.mode, phone.rings, phone.voice) == ("in_call", False, (CallId("in-1"),))


def test_a_stranger_does_not_ring_and_learns_nothing():
    phone = World()

    actions = phone.is_called(source="203.0.113.5")

    assert actions == (RejectCall(CallId("in-1"), 403),)
    assert (phone.mode, phone.phone.memory.history) == ("idle", ())


def test_a_name_that_a_stranger_claims_does_not_make_them_family():
    phone = World()

    actions = phone.happens(IncomingCall(CallId("in-1"), OPA.uri, OPA.name, "203.0.113.5", None))

    assert actions == (RejectCall(CallId("in-1"), 403),)


def test_anyone_may_ring_when_the_owner_says_so():
    phone = World(replace(SETTINGS, accept=frozenset({Accept.ANYONE})))

    phone.is_called(source="203.0.113.5")

    assert phone.rings


def test_a_call_through_a_registered_line_rings_and_is_named_by_the_phone_book():
    phone = World(registered=True)

    phone.happens(IncomingCall(CallId("in-1"), "sip:030123456@example.org", "", "203.0.113.5", "home"))

    assert phone.rings
    assert phone.rows[1] == OMA.name


def test_a_caller_who_gives_up_leaves_a_missed_call():
    phone = World()
    phone.is_called()

    phone.ends("in-1", Cause.CANCELLED)

    assert (phone.mode, phone.phone.memory.missed) == ("idle", 1)
    assert phone.rows[3] == "1 Anruf verpasst"


def test_a_call_answered_elsewhere_is_not_missed():
    phone = World()
    phone.is_called()

    phone.ends("in-1", Cause.ANSWERED_ELSEWHERE)

    assert phone.phone.memory.missed == 0


def test_the_end_key_declines_a_call_that_rings():
    phone = World()
    phone.is_called()

    actions = phone.presses("end")

    assert actions == (RejectCall(CallId("in-1"), 603),)
    assert (phone.mode, phone.phone.memory.missed) == ("idle", 0)


def test_the_mute_key_silences_the_bell_and_the_call_can_still_be_taken():
    phone = World()
    phone.is_called()

    phone.presses("mute")
    silent = phone.rings
    actions = phone.lifts()

    assert not silent
    assert actions == (AnswerCall(CallId("in-1")),)


def test_a_bell_that_nobody_hears_stops_after_three_minutes():
    phone = World()
    phone.is_called()

    phone.passes(181.0)

    assert RejectCall(CallId("in-1"), 480) in phone.actions
    assert phone.phone.memory.missed == 1


def test_a_call_while_dialling_knocks_and_the_dialling_goes_on():
    phone = World()
    phone.lifts()
    phone.dials("0301")

    phone.is_called()
    phone.dials("23456")

    assert (phone.tone, phone.mode) == (Tone.WAITING, "dialing")
    assert phone.phone.doing == Dialing("030123456", phone.now)


def test_flash_while_dialling_takes_the_call_that_knocks():
    phone = World()
    phone.lifts()
    phone.dials("0301")
    phone.is_called()

    actions = phone.presses("flash")

    assert actions == (AnswerCall(CallId("in-1")),)
    assert phone.phone.doing == Idle()


def test_two_phones_that_call_each_other_at_once_can_still_meet():
    phone = World()
    phone.lifts()
    phone.dials("2#")
    outgoing = phone.placed().call

    phone.is_called()
    actions = phone.presses("flash")

    assert actions == (HangUp(outgoing), AnswerCall(CallId("in-1")))
    assert phone.voice == (CallId("in-1"),)


# Call waiting


def test_a_second_caller_is_heard_knocking_in_the_handset_and_not_on_the_bell():
    phone = World()
    phone.talks_to_oma()

    phone.is_called()

    assert (phone.tone, phone.rings) == (Tone.WAITING, False)
    assert phone.rows[2] == "Opa klopft an"


@pytest.mark.parametrize("key", ["flash", "call"])
def test_a_second_call_is_taken_and_the_first_waits(key: str):
    phone = World()
    first = phone.talks_to_oma()
    phone.is_called()

    actions = phone.presses(key)

    assert actions == (HoldCall(first), AnswerCall(CallId("in-1")))
    assert phone.voice == (CallId("in-1"),)


def test_the_back_key_turns_a_second_caller_away_and_the_talk_goes_on():
    phone = World()
    call = phone.talks_to_oma()
    phone.is_called()

    actions = phone.presses("back")

    assert actions == (RejectCall(CallId("in-1"), 486),)
    assert phone.voice == (call,)


def test_a_third_caller_hears_busy_and_is_remembered():
    phone = World()
    phone.talks_to_oma()
    phone.is_called("in-1")

    actions = phone.is_called("in-2")

    assert actions == (RejectCall(CallId("in-2"), 486),)
    assert phone.phone.memory.missed == 1


def test_a_call_that_knocks_goes_to_the_bell_when_the_handset_is_replaced():
    phone = World()
    call = phone.talks_to_oma()
    phone.is_called()

    actions = phone.replaces()

    assert actions == (HangUp(call),)
    assert (phone.mode, phone.rings) == ("ringing", True)


def test_when_the_call_in_the_handset_ends_the_held_one_can_be_taken_back():
    phone = World()
    first = phone.talks_to_oma()
    phone.is_called()
    phone.presses("flash")
    phone.ends("in-1")

    actions = phone.presses("flash")

    assert actions == (ResumeCall(first),)
    assert phone.voice == (first,)
