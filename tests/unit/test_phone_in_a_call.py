# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What a telephone does in a call."""

from omafon.core.actions import (
    HangUp,
    HoldCall,
    ResumeCall,
    SendDtmf,
)
from omafon.core.causes import Tone
from omafon.core.events import (
    CallAnswered,
    CallHeld,
    MediaChanged,
)
from tests.unit.world import OPA, World

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
