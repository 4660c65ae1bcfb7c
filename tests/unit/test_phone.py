# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What a telephone does until somebody answers. Reading the names of these tests teaches the phone."""

from dataclasses import replace

import pytest

from omafon.core.actions import (
    HangUp,
    PlaceCall,
    QueryNaptr,
)
from omafon.core.causes import Cause, Tone
from omafon.core.events import (
    CallAnswered,
    CallId,
    CallRinging,
    DnsError,
    NaptrReceived,
    NetworkChanged,
    NumberDialled,
)
from omafon.core.naptr import NaptrRecord
from omafon.core.settings import Route, Tree
from tests.unit.world import OPA, SETTINGS, SIP_OMA, World

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
