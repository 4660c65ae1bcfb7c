# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What a telephone remembers, and what it does whatever else goes on."""

from omafon.core.actions import (
    HangUp,
    RejectCall,
)
from omafon.core.calls import InCall, Ringing
from omafon.core.causes import Cause, Tone
from omafon.core.events import (
    CallAnswered,
    CallId,
    CallRinging,
    MediaChanged,
    NumberDialled,
    StopRequested,
)
from omafon.core.settings import Route
from tests.unit.world import OMA, OPA, World

# Remembering


def test_redial_dials_the_last_number_again():
    phone = World()
    phone.talks_to_oma()
    phone.replaces()
    phone.lifts()

    phone.presses("redial")

    assert phone.asked().number == OMA.number
    assert phone.mode == "resolving"


def test_the_call_key_alone_is_redial_when_the_handset_is_up():
    phone = World()
    phone.talks_to_oma()
    phone.replaces()
    phone.lifts()

    phone.presses("call")

    assert phone.mode == "resolving"


def test_past_calls_are_browsed_and_lifting_calls_the_one_shown():
    phone = World()
    phone.is_called()
    phone.ends("in-1", Cause.CANCELLED)
    phone.talks_to_oma()
    phone.replaces()
    phone.presses("down", "down")
    shown = phone.rows

    phone.lifts()

    assert shown[0] == "Anruf 2 von 2"
    assert shown[1] == "Opa"
    assert phone.placed().uri == OPA.uri


def test_missed_calls_have_been_seen_once_the_list_was_opened():
    phone = World()
    phone.is_called()
    phone.ends("in-1", Cause.CANCELLED)

    phone.presses("down")

    assert phone.phone.memory.missed == 0


def test_history_keeps_route_reason_and_duration_of_the_last_hundred_calls():
    phone = World()
    for number in range(105):
        phone.is_called(f"in-{number}")
        phone.lifts()
        phone.passes(2.0)
        phone.replaces()

    history = phone.phone.memory.history

    assert len(history) == 100
    assert (history[0].route, history[0].cause, history[0].duration_s) == (Route.FAMILY, Cause.NORMAL, 2.0)


# Late, doubled and strange events


def test_an_answer_for_a_call_that_was_given_up_changes_nothing():
    phone = World()
    call = phone.dials_oma()
    phone.replaces()
    before = phone.phone

    actions = phone.happens(CallRinging(call), CallAnswered(call), MediaChanged(call, "opus/48000", True, True))

    assert (actions, phone.phone) == ((), before)


def test_lifting_twice_is_lifting_once():
    phone = World()
    phone.lifts()
    before = phone.phone

    actions = phone.lifts()

    assert (actions, phone.phone) == ((), before)


def test_the_same_incoming_call_told_twice_rings_once():
    phone = World()
    phone.is_called()

    actions = phone.is_called()

    assert actions == ()
    assert len([call for call in phone.phone.calls if isinstance(call, Ringing)]) == 1


def test_stopping_hangs_up_every_call():
    phone = World()
    call = phone.talks_to_oma()
    phone.is_called()

    actions = phone.happens(StopRequested())

    assert actions == (HangUp(call), RejectCall(CallId("in-1"), 480))
    assert not [c for c in phone.phone.calls if isinstance(c, InCall)]


# What is in front is what the keys are about


def test_a_call_that_comes_while_a_list_is_open_is_what_the_end_key_declines():
    phone = World()
    phone.talks_to_oma()
    phone.replaces()
    phone.presses("down")
    phone.is_called()

    actions = phone.presses("end")

    assert actions == (RejectCall(CallId("in-1"), 603),)


def test_prepared_digits_do_not_come_back_after_a_call_that_was_declined():
    phone = World()
    phone.dials("0301")
    phone.is_called()
    phone.presses("end")

    phone.lifts()

    assert phone.tone is Tone.DIAL


def test_a_caller_who_waits_while_we_call_is_heard_and_seen():
    phone = World()
    call = phone.dials_oma()
    phone.happens(CallRinging(call))

    phone.is_called()

    assert phone.tone is Tone.WAITING
    assert phone.rows[2:] == ("Opa klopft an", "R: annehmen")


def test_a_third_call_is_not_placed_and_says_so():
    phone = World()
    phone.talks_to_oma()
    phone.presses("flash")
    phone.is_called()

    phone.dials("2#")

    assert phone.phone.calls[0].peer.name == "Oma"
    assert len(phone.phone.calls) == 2
    assert phone.phone.memory.history[0].cause is Cause.TOO_MANY_CALLS


def test_help_is_called_whatever_else_goes_on():
    phone = World(registered=True)
    phone.talks_to_oma()
    phone.presses("flash")
    phone.is_called()

    phone.dials("112#")

    assert phone.placed().route is Route.EMERGENCY


def test_silencing_one_caller_does_not_silence_the_next():
    phone = World()
    phone.is_called("in-1")
    phone.presses("mute")

    phone.is_called("in-2")

    assert phone.rings


def test_redial_never_calls_for_help():
    phone = World(registered=True)
    phone.talks_to_oma()
    phone.presses("end")
    phone.dials("112#")
    phone.presses("end")

    phone.presses("redial")

    assert phone.asked().number == OMA.number


# Dialled from afar, with the handset on the hook


def test_a_call_from_afar_that_fails_leaves_the_phone_on_the_hook():
    phone = World()
    phone.happens(NumberDialled("hello"))
    told = phone.rows[1]

    phone.passes(11.0)
    phone.is_called()

    assert told == "Nummer gibt es nicht"
    assert phone.rings


def test_a_call_from_afar_that_ends_leaves_the_phone_on_the_hook():
    phone = World()
    phone.happens(NumberDialled(OPA.uri))
    call = phone.placed().call
    phone.happens(CallAnswered(call))

    phone.ends(call)

    assert (phone.phone.off_hook, phone.tone) == (False, Tone.OFF)


def test_a_call_from_afar_is_taken_over_by_lifting():
    phone = World()
    phone.happens(NumberDialled(OPA.uri))
    call = phone.placed().call
    phone.happens(CallAnswered(call))

    phone.lifts()
    phone.ends(call)

    assert (phone.phone.off_hook, phone.tone) == (True, Tone.BUSY)
