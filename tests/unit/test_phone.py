# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What a telephone does. Reading the names of these tests teaches the phone."""

from dataclasses import replace

import pytest

from omafon.core.actions import (
    AnswerCall,
    HangUp,
    HoldCall,
    PlaceCall,
    QueryNaptr,
    RejectCall,
    ResumeCall,
    RingCall,
    SendDtmf,
)
from omafon.core.calls import InCall, Ringing
from omafon.core.causes import Cause, Tone
from omafon.core.events import (
    CallAnswered,
    CallHeld,
    CallId,
    CallRinging,
    DnsError,
    IncomingCall,
    MediaChanged,
    NaptrReceived,
    NetworkChanged,
    NumberDialled,
    StopRequested,
)
from omafon.core.naptr import NaptrRecord
from omafon.core.present import lamps
from omafon.core.screen import Lamp
from omafon.core.settings import Accept, Route, Tree
from omafon.core.state import Dialing, Idle
from tests.unit.world import OMA, OPA, SETTINGS, SIP_OMA, World

# Lifting and dialling


def test_lifting_the_handset_gives_the_dial_tone():
    phone = World()

    phone.lifts()

    assert (phone.mode, phone.tone) == ("dialing", Tone.DIAL)


def test_the_first_digit_silences_the_dial_tone():
    phone = World()
    phone.lifts()

    phone.presses("0")

    assert phone.tone is Tone.OFF


def test_digits_are_grouped_on_the_display_as_the_country_writes_them():
    phone = World()
    phone.lifts()

    phone.dials("030123456")

    assert phone.rows[1] == "030 123456"


def test_the_hash_key_ends_dialling():
    phone = World()
    phone.lifts()

    actions = phone.dials("030123456#")

    assert actions == (QueryNaptr(phone.asked().lookup, "e164.arpa", "+4930123456"),)
    assert phone.mode == "resolving"


def test_the_call_key_ends_dialling():
    phone = World()
    phone.lifts()
    phone.dials("030123456")

    phone.presses("call")

    assert phone.mode == "resolving"


def test_four_seconds_of_silence_end_dialling_and_not_less():
    phone = World()
    phone.lifts()
    phone.dials("030123456")

    phone.passes(3.9)
    before = phone.mode
    phone.passes(0.2)

    assert (before, phone.mode) == ("dialing", "resolving")


def test_a_code_that_begins_with_a_star_keeps_its_hash():
    phone = World(registered=True)
    phone.lifts()

    phone.dials("*21#")
    phone.presses("call")

    assert phone.placed().uri == "sip:*21%23@example.org"


def test_the_back_key_takes_digits_back_until_the_dial_tone_returns():
    phone = World()
    phone.lifts()
    phone.dials("03")

    phone.presses("back")
    one_left = phone.rows[1]
    phone.presses("back")

    assert one_left == "0"
    assert phone.tone is Tone.DIAL


def test_digits_typed_with_the_handset_down_are_dialled_on_lifting():
    phone = World()
    phone.dials("030123456")
    silent = phone.tone

    phone.lifts()

    assert silent is Tone.OFF
    assert phone.mode == "resolving"


def test_digits_typed_with_the_handset_down_are_not_dialled_by_time():
    phone = World()
    phone.dials("030123456")

    phone.passes(20.0)
    kept = phone.mode
    phone.passes(20.0)

    assert kept == "dialing"
    assert phone.mode == "idle"
    assert not [action for action in phone.actions if isinstance(action, PlaceCall | QueryNaptr)]


def test_a_handset_left_off_the_hook_is_told_to_go_back():
    phone = World()
    phone.lifts()

    phone.passes(15.0)

    assert phone.mode == "failed"
    assert phone.rows[3] == "Bitte auflegen"


def test_a_speed_dial_calls_its_contact():
    phone = World()
    phone.lifts()

    phone.dials("2#")

    assert phone.placed().uri == OPA.uri
    assert phone.placed().route is Route.FAMILY


# The way of a call


def test_a_number_found_by_enum_is_called_there_and_the_screen_says_so():
    phone = World()

    phone.dials_oma()

    assert phone.placed() == PlaceCall(CallId("out-1"), "sip:oma@example.net", None, Route.ENUM)
    assert phone.mode == "calling"
    assert "ENUM" in phone.rows[2]


def test_the_first_tree_that_knows_a_number_wins_though_a_later_one_is_quicker():
    phone = World(replace(SETTINGS, trees=(Tree("family.example"), Tree("e164.arpa"))))
    phone.lifts()
    phone.dials("030123456#")

    phone.tree_says(NaptrRecord(1, 1, "u", "E2U+sip", "!^.*$!sip:late@example.net!", "."), tree="e164.arpa")
    waits = phone.mode
    phone.tree_says(SIP_OMA, tree="family.example")

    assert waits == "resolving"
    assert phone.placed().uri == "sip:oma@example.net"


def test_when_the_lookup_takes_too_long_what_is_known_is_used():
    phone = World(replace(SETTINGS, trees=(Tree("dead.example"), Tree("e164.arpa"))))
    phone.lifts()
    phone.dials("030123456#")
    phone.tree_says(SIP_OMA, tree="e164.arpa")

    phone.passes(0.81)

    assert phone.placed().uri == "sip:oma@example.net"


def test_a_number_unknown_to_enum_goes_to_the_provider():
    phone = World(registered=True)
    phone.lifts()
    phone.dials("030123456#")

    phone.tree_fails(DnsError.NXDOMAIN)

    assert phone.placed() == PlaceCall(CallId("out-1"), "sip:+4930123456@example.org", "home", Route.PROVIDER)


def test_a_number_unknown_to_enum_without_a_line_is_said_to_have_no_way():
    phone = World()
    phone.lifts()
    phone.dials("030123456#")

    phone.tree_fails(DnsError.NXDOMAIN)

    assert (phone.mode, phone.tone, phone.rows[1]) == ("failed", Tone.ERROR, "Kein Weg zur Nummer")


def test_silent_directories_are_not_called_an_unknown_number():
    phone = World()
    phone.lifts()
    phone.dials("030123456#")

    phone.tree_fails(DnsError.TIMEOUT)

    assert phone.rows[1] == "Verzeichnis stumm"


def test_an_answer_to_a_lookup_given_up_on_calls_nobody():
    phone = World()
    phone.lifts()
    phone.dials("030123456#")
    lookup = phone.asked().lookup
    phone.presses("end")

    actions = phone.happens(NaptrReceived(lookup, "e164.arpa", (SIP_OMA,), None))

    assert actions == ()
    assert phone.mode == "dialing"


def test_an_emergency_number_never_asks_a_directory():
    phone = World(registered=True)
    phone.lifts()

    phone.dials("112#")

    assert phone.placed() == PlaceCall(CallId("out-1"), "sip:112@example.org", "home", Route.EMERGENCY)
    assert not [action for action in phone.actions if isinstance(action, QueryNaptr)]


def test_an_emergency_call_is_tried_through_a_line_that_is_down():
    phone = World(registered=False)
    phone.lifts()

    phone.dials("112#")

    assert phone.placed().line == "home"


def test_a_phone_without_a_line_says_at_once_that_it_cannot_call_for_help():
    phone = World()
    phone.lifts()

    phone.dials("112#")

    assert phone.rows[1] == "KEIN NOTRUF MÖGLICH"


def test_a_line_that_is_refused_says_why_when_it_is_needed():
    phone = World(registered=False)
    phone.lifts()
    phone.dials("030123456#")

    phone.tree_fails()

    assert (phone.mode, phone.rows[1]) == ("failed", "Passwort falsch")


def test_a_sip_uri_handed_over_is_called_directly():
    phone = World()

    phone.happens(NumberDialled("sip:bob@127.0.0.9"))

    assert phone.placed() == PlaceCall(CallId("out-1"), "sip:bob@127.0.0.9", None, Route.DIRECT)
    assert "direkt" in phone.rows[2]


def test_a_sip_uri_of_the_lines_own_domain_goes_through_the_line():
    phone = World(registered=True)

    phone.happens(NumberDialled("sip:bob@example.org"))

    assert phone.placed().line == "home"


def test_digits_that_mean_nothing_are_refused_in_words():
    phone = World()
    phone.lifts()

    phone.dials("0000#")

    assert phone.mode == "failed"
    assert phone.tone is Tone.ERROR


# An outgoing call


def test_ringback_is_heard_while_the_far_end_rings():
    phone = World()
    call = phone.dials_oma()
    before = phone.tone

    phone.happens(CallRinging(call))

    assert (before, phone.tone) == (Tone.OFF, Tone.RINGBACK)


def test_early_media_is_heard_instead_of_the_phones_own_ringback():
    phone = World()
    call = phone.dials_oma()

    phone.happens(CallRinging(call, early_media=True))

    assert (phone.tone, phone.voice) == (Tone.OFF, (call,))


def test_an_answered_call_joins_the_voices_and_ends_the_ringback():
    phone = World()
    call = phone.dials_oma()
    phone.happens(CallRinging(call))

    phone.happens(CallAnswered(call))

    assert (phone.mode, phone.tone, phone.voice) == ("in_call", Tone.OFF, (call,))


@pytest.mark.parametrize(
    ("cause", "tone", "words"),
    [
        (Cause.BUSY, Tone.BUSY, "Besetzt"),
        (Cause.DECLINED, Tone.BUSY, "Anruf abgelehnt"),
        (Cause.NO_ANSWER, Tone.BUSY, "Niemand nimmt ab"),
        (Cause.NOT_FOUND, Tone.ERROR, "Kein Anschluss"),
        (Cause.UNREACHABLE, Tone.CONGESTION, "Nicht erreichbar"),
        (Cause.SRTP_REFUSED, Tone.CONGESTION, "Keine Verschlüsselung"),
    ],
)
def test_a_call_that_fails_says_why_to_the_ear_and_to_the_eye(cause: Cause, tone: Tone, words: str):
    phone = World()
    call = phone.dials_oma()

    phone.ends(call, cause)

    assert (phone.mode, phone.tone, phone.rows[1]) == ("failed", tone, words)


def test_an_unreachable_host_is_not_blamed_when_the_phone_has_no_network():
    phone = World()
    phone.happens(NetworkChanged(()))
    call = phone.dials_oma()

    phone.ends(call, Cause.UNREACHABLE)

    assert phone.rows[1] == "Kein Netz"


def test_the_tone_of_a_failed_call_ends_by_itself():
    phone = World()
    call = phone.dials_oma()
    phone.ends(call, Cause.BUSY)

    phone.passes(25.0)

    assert (phone.mode, phone.tone) == ("failed", Tone.OFF)


def test_replacing_the_handset_gives_up_a_call_that_is_being_set_up():
    phone = World()
    call = phone.dials_oma()

    actions = phone.replaces()

    assert actions == (HangUp(call),)
    assert (phone.mode, phone.tone) == ("idle", Tone.OFF)


def test_nobody_answering_for_two_minutes_is_enough():
    phone = World()
    call = phone.dials_oma()
    phone.happens(CallRinging(call))

    phone.passes(121.0)

    assert HangUp(call) in phone.actions
    assert phone.rows[1] == "Niemand nimmt ab"


# In a call


def test_digits_in_a_call_are_sent_as_dtmf():
    phone = World()
    call = phone.talks_to_oma()

    actions = [phone.presses(key) for key in "4*#"]

    assert actions == [(SendDtmf(call, "4"),), (SendDtmf(call, "*"),), (SendDtmf(call, "#"),)]


def test_replacing_the_handset_ends_the_call():
    phone = World()
    call = phone.talks_to_oma()

    actions = phone.replaces()

    assert actions == (HangUp(call),)
    assert (phone.mode, phone.voice) == ("idle", ())


def test_when_the_far_end_hangs_up_the_busy_tone_says_so_until_the_handset_is_replaced():
    phone = World()
    call = phone.talks_to_oma()
    phone.passes(12.0)

    phone.ends(call)
    told = phone.rows
    phone.replaces()

    assert told[1:3] == ("00:12", "Gespräch beendet")
    assert (phone.mode, phone.tone) == ("idle", Tone.OFF)


def test_the_end_key_ends_the_call_and_gives_the_dial_tone():
    phone = World()
    call = phone.talks_to_oma()

    actions = phone.presses("end")

    assert actions == (HangUp(call),)
    assert phone.tone is Tone.DIAL


def test_the_screen_counts_the_seconds_and_names_the_codec():
    phone = World()
    call = phone.talks_to_oma()
    phone.happens(MediaChanged(call, "opus/48000", srtp=True, tls=True))

    phone.passes(72.0)

    assert phone.rows[0] == "Oma             01:12"
    assert phone.rows[3] == "Opus 48 kHz"


def test_mute_is_a_level_of_the_call_and_ends_with_it():
    phone = World()
    call = phone.talks_to_oma()

    phone.presses("mute")
    muted = phone.phone.muted
    phone.ends(call)

    assert muted
    assert not phone.phone.muted


def test_volume_keys_change_the_handset_when_it_is_up_and_the_bell_when_it_is_not():
    phone = World()

    phone.presses("vol-")
    phone.lifts()
    phone.presses("vol+", "vol+")

    assert (phone.phone.memory.ringer_volume, phone.phone.memory.handset_volume) == (70, 90)
    assert phone.rows[0] == "Lautstärke Hörer"


def test_a_handset_made_very_loud_is_not_for_the_next_person_who_lifts_it():
    phone = World()
    phone.lifts()
    phone.presses(*["vol+"] * 5)

    phone.replaces()

    assert phone.phone.memory.handset_volume == 80


def test_keys_cannot_turn_the_bell_off_by_accident():
    phone = World()

    phone.presses(*["vol-"] * 20)

    assert phone.phone.memory.ringer_volume == 10


def test_hold_silences_the_handset_and_resume_brings_the_voice_back():
    phone = World()
    call = phone.talks_to_oma()

    held = phone.presses("hold")
    silent = phone.voice
    resumed = phone.presses("hold")

    assert (held, silent, resumed) == ((HoldCall(call),), (), (ResumeCall(call),))
    assert phone.voice == (call,)


def test_being_put_on_hold_is_shown():
    phone = World()
    call = phone.talks_to_oma()

    phone.happens(CallHeld(call, held=True))

    assert "Bitte warten …" in phone.rows[2]


def test_flash_holds_the_call_and_gives_the_dial_tone_for_a_second_one():
    phone = World()
    call = phone.talks_to_oma()

    actions = phone.presses("flash")
    tone = phone.tone
    phone.dials("2#")

    assert (actions, tone) == ((HoldCall(call),), Tone.DIAL)
    assert phone.placed().uri == OPA.uri


def test_flash_swaps_between_two_calls():
    phone = World()
    first = phone.talks_to_oma()
    phone.presses("flash")
    phone.dials("2#")
    second = phone.placed().call
    phone.happens(CallAnswered(second))

    actions = phone.presses("flash")

    assert actions == (HoldCall(second), ResumeCall(first))
    assert phone.voice == (first,)


def test_flash_during_a_second_call_that_is_not_answered_goes_back_to_the_first():
    phone = World()
    first = phone.talks_to_oma()
    phone.presses("flash")
    phone.dials("2#")
    second = phone.placed().call

    actions = phone.presses("flash")

    assert actions == (HangUp(second), ResumeCall(first))


def test_replacing_the_handset_ends_the_held_call_too():
    phone = World()
    first = phone.talks_to_oma()
    phone.presses("flash")

    actions = phone.replaces()

    assert actions == (HangUp(first),)
    assert phone.mode == "idle"


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
