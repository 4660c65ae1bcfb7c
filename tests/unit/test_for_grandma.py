# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""For those who want to press one key, or none: long presses, any key, the hotline, and a phone that answers itself."""

from dataclasses import replace

import pytest

from omafon.config import ConfigError, parse, settings
from omafon.core.actions import Action, AnswerCall, HangUp, PlaceCall, RingCall
from omafon.core.causes import Cause, Tone
from omafon.core.events import CallAnswered, CallId, IncomingCall, Key, KeyHeld, KeyPressed, KeyReleased
from omafon.core.memory import Member
from omafon.core.peace import QuietHours
from omafon.core.present import lamps, screen, sound
from omafon.core.ringing import FAMILY
from omafon.core.screen import Icon, Lamp
from omafon.core.settings import Accept, Contact, Settings
from omafon.core.state import INTERCOM_TONE_S
from omafon.drivers.sound.tunes import family_ring, tune
from tests.unit.world import OMA, OPA, SETTINGS, World

PLAIN = replace(SETTINGS, trees=())
ANY_KEY = replace(PLAIN, any_key=OPA.uri)
HOTLINE = replace(PLAIN, hotline="+4930123456", hotline_after_s=5.0)
INTERCOM = replace(SETTINGS, contacts=(OMA, replace(OPA, auto_answer=True)))
OMAS = "sip:+4930123456@example.org"


def invites(phone: World) -> list[str]:
    return [action.uri for action in phone.actions if isinstance(action, PlaceCall)]


def holds(phone: World, key: str) -> tuple[Action, ...]:
    """Press a key until it counts as held, and let it go."""
    phone.happens(KeyPressed(Key(key)))
    phone.passes(0.8)
    done = phone.happens(KeyHeld(Key(key)))
    phone.happens(KeyReleased(Key(key)))
    return done


# A long press


def test_a_long_press_calls_the_speed_dial_with_the_handset_up():
    phone = World(PLAIN, registered=True)
    phone.lifts()

    holds(phone, "1")

    assert invites(phone) == [OMAS]


def test_a_long_press_calls_with_the_handset_down_and_lifting_it_takes_the_call_over():
    phone = World(PLAIN, registered=True)
    holds(phone, "1")
    call = phone.placed().call

    phone.lifts()
    phone.happens(CallAnswered(call))

    assert phone.voice == (call,)
    assert phone.replaces() == (HangUp(call),)


def test_a_call_by_one_key_that_nobody_took_over_ends_with_it():
    phone = World(PLAIN, registered=True)
    holds(phone, "1")

    phone.ends(phone.placed().call, Cause.BUSY)

    assert not phone.phone.off_hook


@pytest.mark.parametrize("key", ["3", "0", "#", "*"])
def test_a_long_press_of_a_key_that_is_nobodys_is_a_press(key: str):
    phone = World(PLAIN, registered=True)
    phone.lifts()

    holds(phone, key)

    assert invites(phone) == []


def test_a_long_press_within_a_number_is_a_digit():
    phone = World(PLAIN, registered=True)
    phone.lifts()
    phone.dials("03")

    holds(phone, "1")

    assert invites(phone) == []
    assert phone.rows[1] == "031"


def test_a_long_press_in_a_conversation_is_one_dtmf_digit_and_no_call():
    phone = World(registered=True)
    phone.talks_to_oma()
    before = len(phone.actions)

    holds(phone, "1")

    assert len(phone.actions) == before + 1


# Any key


@pytest.mark.parametrize("key", ["5", "9", "#", "0", "call", "ok", "redial"])
@pytest.mark.parametrize("lifted", [True, False])
def test_any_key_calls(key: str, lifted: bool):
    phone = World(ANY_KEY)
    if lifted:
        phone.lifts()

    phone.presses(key)

    assert invites(phone) == [OPA.uri]


@pytest.mark.parametrize("key", ["vol+", "vol-", "mute", "end", "back"])
def test_keys_that_undo_or_make_louder_call_nobody(key: str):
    phone = World(ANY_KEY)
    phone.lifts()

    phone.presses(key)

    assert invites(phone) == []


@pytest.mark.parametrize("lifted", [True, False])
def test_help_can_still_be_called(lifted: bool):
    phone = World(ANY_KEY, registered=True)
    if lifted:
        phone.lifts()

    phone.presses(*"112")
    phone.passes(4.1)

    assert invites(phone) == ["sip:112@example.org"]


@pytest.mark.parametrize("lifted", [True, False])
def test_what_only_begins_like_a_number_for_help_is_any_key_after_a_while(lifted: bool):
    phone = World(ANY_KEY)
    if lifted:
        phone.lifts()

    phone.presses("1")
    phone.passes(2.9)
    before = invites(phone)
    phone.passes(0.2)

    assert (before, invites(phone)) == ([], [OPA.uri])


def test_a_second_key_that_cannot_be_help_calls_at_once():
    phone = World(ANY_KEY)
    phone.lifts()

    phone.presses("1", "5")

    assert invites(phone) == [OPA.uri]


def test_any_key_in_a_conversation_is_a_key():
    phone = World(ANY_KEY)
    phone.lifts()
    phone.presses("5")
    phone.happens(CallAnswered(phone.placed().call))

    phone.presses("5", "call", "redial")

    assert len(invites(phone)) == 1


def test_the_codes_of_the_phone_itself_are_no_call():
    phone = World(ANY_KEY)

    phone.presses(*"*#2#")

    assert invites(phone) == []
    assert phone.mode == "menu"


# The hotline


def test_a_lifted_handset_calls_after_the_seconds_the_owner_wants():
    phone = World(HOTLINE, registered=True)
    phone.lifts()

    phone.passes(4.9)
    before, tone = invites(phone), phone.tone
    phone.passes(0.2)

    assert (before, tone) == ([], Tone.DIAL)
    assert invites(phone) == [OMAS]


@pytest.mark.parametrize("digits", ["112", "110", "089123456"])
def test_who_dials_in_time_calls_whom_they_dial(digits: str):
    phone = World(HOTLINE, registered=True)
    phone.lifts()

    phone.passes(4.0)
    phone.dials(digits)
    phone.passes(5.0)

    assert len(invites(phone)) == 1
    assert OMAS not in invites(phone)


def test_the_hotline_waits_for_a_handset():
    phone = World(HOTLINE, registered=True)

    phone.passes(60.0)

    assert invites(phone) == []


# A phone that answers by itself


def rung(phone: World, source: str = "127.0.0.7", line: str | None = None) -> tuple[Action, ...]:
    return phone.happens(IncomingCall(CallId("in-1"), OPA.uri, "", source, line))


def answers_by_itself(settings: Settings = INTERCOM) -> World:
    phone = World(settings)
    rung(phone)
    return phone


def test_a_call_of_somebody_who_may_is_answered_at_once():
    phone = World(INTERCOM)

    assert rung(phone) == (AnswerCall(CallId("in-1")),)
    assert phone.mode == "in_call"
    assert not phone.rings


def test_the_room_is_heard_only_after_the_tone():
    phone = answers_by_itself()

    during = (phone.tone, phone.voice)
    phone.passes(INTERCOM_TONE_S)

    assert during == (Tone.INTERCOM, ())
    assert (phone.tone, phone.voice) == (Tone.OFF, (CallId("in-1"),))


def test_that_the_microphone_is_on_is_seen_on_display_and_lamp():
    phone = answers_by_itself()
    phone.passes(60)

    shown = screen(phone.phone, phone.now)

    assert (shown.title, shown.note) == ("Opa", "Mikrofon ist an")
    assert Icon.MICROPHONE in shown.icons
    assert shown.alert
    assert lamps(phone.phone).line is Lamp.BLINK


def test_who_lifts_the_handset_is_in_an_ordinary_call():
    phone = answers_by_itself()
    phone.passes(5)

    phone.lifts()

    assert Icon.MICROPHONE not in screen(phone.phone, phone.now).icons
    assert lamps(phone.phone).line is Lamp.ON
    assert phone.replaces() == (HangUp(CallId("in-1")),)


def test_who_does_not_want_to_be_heard_presses_end_or_mute():
    muted, ended = answers_by_itself(), answers_by_itself()

    muted.presses("mute")
    actions = ended.presses("end")

    assert sound(muted.phone, muted.now).muted
    assert actions == (HangUp(CallId("in-1")),)
    assert not ended.phone.off_hook


def test_when_the_caller_hangs_up_the_phone_is_idle_again():
    phone = answers_by_itself()

    phone.ends("in-1")

    assert (phone.mode, phone.phone.off_hook) == ("idle", False)


def test_a_member_of_the_family_is_known_by_the_certificate():
    contact = Contact("Tante", "+4989123456", auto_answer=True)
    phone = World(replace(SETTINGS, contacts=(contact,)))
    memory = phone.phone.memory.joined(Member("omafon-1", "Tante", "+4989123456", "ab" * 32))
    phone.phone = replace(phone.phone, memory=memory)

    done = phone.happens(
        IncomingCall(CallId("in-1"), "sip:omafon-1@192.0.2.9", "", "192.0.2.9", None, certificate="ab" * 32)
    )

    assert done == (AnswerCall(CallId("in-1")),)


@pytest.mark.parametrize(("source", "line"), [("192.0.2.9", None), ("192.0.2.1", "home")])
def test_a_caller_whom_nothing_proves_rings(source: str, line: str | None):
    phone = World(replace(INTERCOM, accept=frozenset(Accept)), registered=True)

    assert rung(phone, source, line) == (RingCall(CallId("in-1")),)


def test_somebody_else_of_the_family_rings():
    assert rung(World()) == (RingCall(CallId("in-1")),)


def test_a_phone_in_use_rings():
    phone = World(INTERCOM)
    phone.lifts()

    assert rung(phone) == (RingCall(CallId("in-1")),)


def test_in_quiet_hours_who_may_ring_rings():
    settings = replace(INTERCOM, quiet=QuietHours((((0, 1440),),) * 7))

    assert rung(World(settings)) == (RingCall(CallId("in-1")),)


# How it rings


def test_the_family_has_a_ring_of_its_own():
    phone = World(replace(SETTINGS, accept=frozenset(Accept)))
    phone.is_called()
    family = sound(phone.phone, phone.now).tune
    phone.ends("in-1")
    phone.happens(IncomingCall(CallId("in-2"), "sip:x@192.0.2.9", "", "192.0.2.9", None))

    assert (family, sound(phone.phone, phone.now).tune) == (FAMILY, "")
    assert phone.rings


@pytest.mark.parametrize("country", ["DE", "GB", "US", "FR"])
def test_the_familys_ring_is_the_bell_in_three_short_strokes(country: str):
    made = family_ring(tune("", country))

    loud = [any(made.pcm[at : at + 3200]) for at in range(0, len(made.pcm), 3200)]  # every tenth of a second
    strokes = sum(later and not earlier for earlier, later in zip([False, *loud], loud, strict=False))
    assert strokes == 3
    assert len(made.pcm) / 2 / made.rate_hz == pytest.approx(3.5, abs=0.1)


# What the owner writes


PEOPLE = '[[contact]]\nname = "Oma"\nnumber = "+49 30 123456"\n[[contact]]\nname = "Opa"\nuri = "sip:opa@127.0.0.7"\n'


def test_the_owner_names_people_and_the_phone_dials_them():
    made = settings(parse('[phone]\nany_key = "Oma"\nhotline = "Opa"\nhotline_after_s = 12\n' + PEOPLE))

    assert (made.any_key, made.hotline, made.hotline_after_s) == ("+4930123456", "sip:opa@127.0.0.7", 12.0)


@pytest.mark.parametrize(
    ("written", "what", "cure"),
    [
        ('any_key = "Omma"', '"Omma" is no contact', 'Did you mean "Oma"?'),
        ('hotline = "Tante"', '"Tante" is no contact', "Choose from: Oma, Opa."),
        ('hotline = "Oma"\nhotline_after_s = 1', "is out of range", "Choose from 2 to 60 seconds."),
    ],
)
def test_a_name_that_nobody_has_is_told_with_those_there_are(written: str, what: str, cure: str):
    with pytest.raises(ConfigError) as refused:
        parse(f"[phone]\n{written}\n{PEOPLE}")

    (problem,) = refused.value.problems
    assert what in problem.what
    assert cure in problem.cure
