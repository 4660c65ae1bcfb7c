# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What the phone shows, state by state: each has its picture in tests/golden/phone, compared bit for bit."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from omafon.core.causes import Cause
from omafon.core.events import (
    CallAnswered,
    CallHeld,
    CallId,
    CallRinging,
    ClockChanged,
    ConfigRefused,
    DnsError,
    Driver,
    DriverFailed,
    IncomingCall,
    MediaChanged,
    MessagesWaiting,
    NaptrReceived,
    NetworkChanged,
    NoticeLeft,
    ResetFailed,
    RunsWith,
)
from omafon.core.peace import QuietHours
from omafon.core.present import screen
from omafon.core.settings import Accept, Contact, Settings
from omafon.core.zone import Zone
from omafon.render import render
from tests.lab.golden import GOLDEN, looks_as_approved
from tests.unit.test_card import calling
from tests.unit.test_routing import asking
from tests.unit.world import OPA, SETTINGS, SIP_OMA, World

ENGLISH = replace(SETTINGS, language="en", name="Hall")
LONG_NAME = Contact("Großmutter Elisabeth", "+4930654321", family=True)
ANYBODY = replace(SETTINGS, accept=frozenset(Accept))

Scene = Callable[[], World]
SCENES: dict[str, Scene] = {}


def scene(made: Scene) -> Scene:
    SCENES[made.__name__] = made
    return made


def talking(settings: Settings = SETTINGS, *, seconds: float = 74.0, srtp: bool = False) -> World:
    phone = World(settings)
    call = phone.talks_to_oma()
    phone.happens(MediaChanged(call, "opus/48000", srtp, srtp))
    phone.passes(seconds)
    return phone


def after(cause: Cause, settings: Settings = SETTINGS) -> World:
    phone = World(settings)
    phone.ends(phone.dials_oma(), cause)
    return phone


def with_history(settings: Settings = SETTINGS) -> World:
    """Oma dialled, Opa answered, an unknown caller missed."""
    phone = World(replace(settings, accept=frozenset(Accept)))
    phone.ends(phone.talks_to_oma())
    phone.replaces()
    phone.passes(600)
    phone.is_called()
    phone.lifts()
    phone.happens(CallAnswered(CallId("in-1")))
    phone.ends("in-1")
    phone.replaces()
    phone.passes(600)
    phone.happens(IncomingCall(CallId("in-2"), "sip:+4989998877@192.0.2.9", "", "192.0.2.9", None))
    phone.ends("in-2", Cause.CANCELLED)
    return phone


@scene
def idle() -> World:
    return World()


@scene
def idle_quiet() -> World:
    quiet = QuietHours((((13 * 60, 24 * 60),),) * 7)
    return World(replace(SETTINGS, quiet=quiet), registered=True)


@scene
def asks_into_the_night_english() -> World:
    phone = World(replace(ENGLISH, zones=(Zone("Europe/London", "GMT0BST,M3.5.0/1,M10.5.0"),)))
    phone.lifts()
    phone.dials("00442079460123#")
    return phone


@scene
def answered_by_itself() -> World:
    phone = World(replace(SETTINGS, contacts=(replace(OPA, auto_answer=True),)))
    phone.is_called()
    phone.passes(12)
    return phone


@scene
def idle_english() -> World:
    return World(ENGLISH)


@scene
def idle_registered() -> World:
    return World(registered=True)


@scene
def idle_wrong_password() -> World:
    return World(registered=False)


@scene
def idle_no_network() -> World:
    phone = World(registered=True)
    phone.happens(NetworkChanged(()))
    return phone


@scene
def idle_missed_call() -> World:
    return with_history()


@scene
def idle_missed_calls_english() -> World:
    phone = World(replace(ENGLISH, accept=frozenset(Accept)))
    for call in ("in-1", "in-2", "in-3"):
        phone.is_called(call)
        phone.ends(call, Cause.CANCELLED)
    return phone


@scene
def idle_new_messages() -> World:
    phone = World(registered=True)
    phone.happens(MessagesWaiting("home", 2))
    return phone


@scene
def idle_clock_not_set() -> World:
    phone = World()
    phone.happens(ClockChanged(0.0, 0, trusted=False))
    return phone


@scene
def idle_trouble() -> World:
    phone = World(registered=True)
    phone.happens(DriverFailed(Driver.VOICE, "no such card"))
    return phone


@scene
def lifted() -> World:
    phone = World()
    phone.lifts()
    return phone


@scene
def dialling_the_first_digit() -> World:
    phone = lifted()
    phone.dials("0")
    return phone


@scene
def dialling_grouped() -> World:
    phone = lifted()
    phone.dials("0891234567")
    return phone


@scene
def dialling_a_contact() -> World:
    phone = lifted()
    phone.dials("030123456")
    return phone


@scene
def dialling_abroad_english() -> World:
    phone = World(ENGLISH)
    phone.dials("00442079460123")
    return phone


@scene
def dialling_on_hook() -> World:
    phone = World()
    phone.dials("030")
    return phone


@scene
def looking_up() -> World:
    phone = lifted()
    phone.dials("030123456#")
    return phone


@scene
def calling_enum() -> World:
    phone = World()
    phone.dials_oma()
    return phone


@scene
def calling_enum_english() -> World:
    phone = World(ENGLISH)
    phone.dials_oma()
    return phone


@scene
def calling_provider() -> World:
    phone = World(registered=True)
    phone.lifts()
    phone.dials("089998877#")
    phone.tree_fails(DnsError.NXDOMAIN)
    return phone


@scene
def calling_family_directly() -> World:
    phone = lifted()
    phone.dials("2#")
    return phone


@scene
def calling_it_rings_there() -> World:
    phone = World()
    phone.happens(CallRinging(phone.dials_oma()))
    return phone


@scene
def calling_emergency() -> World:
    phone = World(registered=True)
    phone.lifts()
    phone.dials("112#")
    return phone


@scene
def ringing() -> World:
    phone = World(ANYBODY)
    phone.is_called()
    return phone


@scene
def ringing_long_name_english() -> World:
    phone = World(replace(ENGLISH, accept=frozenset(Accept)))
    phone.happens(IncomingCall(CallId("in-1"), "sip:e@192.0.2.9", "Grandma Elisabeth W.", "192.0.2.9", None))
    return phone


@scene
def ringing_unknown() -> World:
    phone = World(ANYBODY)
    phone.happens(IncomingCall(CallId("in-1"), "sip:+4989998877@192.0.2.9", "", "192.0.2.9", None))
    return phone


@scene
def in_call() -> World:
    return talking()


@scene
def in_call_english() -> World:
    return talking(ENGLISH)


@scene
def in_call_private() -> World:
    return talking(srtp=True, seconds=3727)


@scene
def in_call_muted() -> World:
    phone = talking(srtp=True)
    phone.presses("mute")
    return phone


@scene
def in_call_long_name() -> World:
    phone = World(replace(SETTINGS, contacts=(LONG_NAME,)))
    phone.lifts()
    phone.dials("030654321#")
    phone.tree_says(SIP_OMA)
    call = phone.placed().call
    phone.happens(CallAnswered(call), MediaChanged(call, "pcma/8000", False, False))
    return phone


@scene
def in_call_no_sound() -> World:
    phone = talking()
    phone.happens(DriverFailed(Driver.VOICE, "unplugged"))
    return phone


@scene
def held_by_the_far_end() -> World:
    phone = talking()
    phone.happens(CallHeld(phone.placed().call, True))
    return phone


@scene
def held() -> World:
    phone = talking()
    phone.presses("hold")
    return phone


@scene
def call_waiting() -> World:
    phone = talking(ANYBODY)
    phone.is_called()
    return phone


@scene
def two_calls() -> World:
    phone = call_waiting()
    phone.presses("flash")
    phone.happens(CallAnswered(CallId("in-1")), MediaChanged(CallId("in-1"), "g722/8000", False, False))
    return phone


@scene
def over() -> World:
    phone = talking()
    phone.ends(phone.placed().call)
    return phone


@scene
def failed_busy() -> World:
    return after(Cause.BUSY)


@scene
def failed_offline_english() -> World:
    return after(Cause.OFFLINE, ENGLISH)


@scene
def failed_certificate() -> World:
    return after(Cause.TLS_UNTRUSTED)


@scene
def failed_no_emergency_route() -> World:
    phone = lifted()
    phone.dials("112#")
    return phone


@scene
def history_missed() -> World:
    phone = with_history()
    phone.presses("down")
    return phone


@scene
def history_answered_english() -> World:
    phone = with_history(ENGLISH)
    phone.presses("down", "down")
    return phone


@scene
def history_dialled() -> World:
    phone = with_history()
    phone.presses("down", "down", "down")
    return phone


@scene
def volume_of_the_bell() -> World:
    phone = World()
    phone.presses("vol-")
    return phone


@scene
def volume_of_the_handset_english() -> World:
    phone = talking(ENGLISH)
    phone.presses("vol+", "vol+", "vol+")
    return phone


@scene
def calling_enum_proven() -> World:
    phone = World()
    phone.lifts()
    phone.dials("030123456#")
    phone.happens(NaptrReceived(phone.asked().lookup, "e164.arpa", (SIP_OMA,), True))
    return phone


@scene
def card_of_a_call() -> World:
    phone = calling()
    phone.presses("ok")
    return phone


@scene
def card_with_a_long_address() -> World:
    phone = calling()
    phone.presses("ok", "down")
    return phone


@scene
def asks_before_it_costs() -> World:
    return asking()


@scene
def idle_with_a_new_address() -> World:
    phone = World(registered=True)
    phone.happens(NetworkChanged(("192.168.178.47",), "omafon-1a2b"))
    return phone


@scene
def idle_without_a_line_shows_the_address_english() -> World:
    phone = World(ENGLISH)
    phone.happens(NetworkChanged(("192.168.178.47",), "omafon-1a2b"))
    phone.passes(120)
    return phone


@scene
def notice_set_up() -> World:
    phone = World()
    phone.happens(NoticeLeft(("Eingerichtet", "192.168.178.47", "omafon-1a2b", "Angemeldet")))
    return phone


@scene
def notice_refused_english() -> World:
    phone = World(ENGLISH)
    phone.happens(NoticeLeft(("Card refused", "Error in line 14", "omafon.toml", "192.168.178.47")))
    return phone


@scene
def about() -> World:
    phone = World()
    phone.happens(NetworkChanged(("192.168.178.47",), "omafon-1a2b"))
    phone.dials("*#2#")
    return phone


@scene
def reset_count_down() -> World:
    phone = World()
    phone.holds("*", "#")
    phone.passes(3)
    return phone


@scene
def reset_now_english() -> World:
    phone = World(ENGLISH)
    phone.holds("*", "#")
    phone.passes(11)
    return phone


@scene
def reset_failed() -> World:
    phone = World()
    phone.happens(ResetFailed("nobody hears it"))
    return phone


@scene
def safe_mode() -> World:
    phone = World()
    phone.happens(NetworkChanged(("192.168.178.47",), "omafon-1a2b"), ConfigRefused(RunsWith.NOTHING, 1234))
    phone.passes(61)
    return phone


@scene
def safe_mode_english() -> World:
    phone = World(ENGLISH)
    phone.happens(NetworkChanged(()), ConfigRefused(RunsWith.NOTHING))
    return phone


@scene
def last_good_settings() -> World:
    phone = World(registered=True)
    phone.happens(ConfigRefused(RunsWith.LAST_GOOD, 7))
    return phone


@scene
def change_refused_english() -> World:
    phone = World(ENGLISH, registered=True)
    phone.happens(ConfigRefused(RunsWith.PREVIOUS, 7))
    return phone


@pytest.mark.parametrize("name", SCENES)
def test_the_phone_shows(name: str, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    phone = SCENES[name]()

    image = render(screen(phone.phone, phone.now))

    looks_as_approved(image, f"phone/{name}", tmp_path, pytestconfig)


def test_every_approved_picture_is_of_a_scene() -> None:
    assert {file.stem for file in (GOLDEN / "phone").glob("*.png")} == set(SCENES)
