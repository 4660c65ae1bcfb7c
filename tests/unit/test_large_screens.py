# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Large digits: each screen has its picture in tests/golden/large, compared bit for bit."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from omafon.core.causes import Cause
from omafon.core.events import CallId, CallRinging, IncomingCall, NoticeLeft
from omafon.core.glass import GlassHabits
from omafon.core.present import screen
from omafon.core.screen import Screen
from omafon.core.settings import Accept
from omafon.render import HEIGHT, WIDTH, render
from tests.lab.golden import GOLDEN, looks_as_approved
from tests.unit.test_for_grandma import INTERCOM, answers_by_itself
from tests.unit.test_peace import QUIET, dialled
from tests.unit.test_screens import LONG_NAME, talking, with_history
from tests.unit.world import OPA, SETTINGS, World

LARGE = GlassHabits(large=True)
SETTINGS_LARGE = replace(SETTINGS, glass=LARGE, accept=frozenset(Accept))
ENGLISH = replace(SETTINGS_LARGE, language="en")


def after_keys(*keys: str) -> World:
    phone = World(SETTINGS_LARGE)
    phone.lifts()
    phone.presses(*keys)
    return phone


def called_by(uri: str, source: str = "192.0.2.9") -> World:
    phone = World(replace(SETTINGS_LARGE, contacts=(OPA, LONG_NAME)))
    phone.happens(IncomingCall(CallId("in-1"), uri, "", source, None))
    return phone


def far_end_rings() -> World:
    phone = World(ENGLISH)
    phone.happens(CallRinging(phone.dials_oma()))
    return phone


def muted() -> World:
    phone = talking(SETTINGS_LARGE)
    phone.presses("mute")
    return phone


def held() -> World:
    phone = talking(SETTINGS_LARGE)
    phone.presses("hold")
    return phone


def knocking() -> World:
    phone = talking(SETTINGS_LARGE)
    phone.is_called()
    return phone


def busy() -> World:
    phone = World(SETTINGS_LARGE)
    phone.ends(phone.dials_oma(), Cause.BUSY)
    return phone


def browsed() -> World:
    phone = with_history(SETTINGS_LARGE)
    phone.presses("down")
    return phone


SCENES: dict[str, Callable[[], World]] = {
    "idle": lambda: World(SETTINGS_LARGE),
    "idle_missed_call": lambda: with_history(SETTINGS_LARGE),
    "lifted": lambda: after_keys(),
    "one_digit": lambda: after_keys("0"),
    "three_digits": lambda: after_keys(*"030"),
    "dialling": lambda: after_keys(*"03012345"),
    "dialling_a_contact": lambda: after_keys(*"030123456"),
    "dialling_abroad": lambda: after_keys(*"00442079460123"),
    "ringing": lambda: called_by(OPA.uri, "127.0.0.7"),
    "ringing_long_name": lambda: called_by("sip:+4930654321@192.0.2.9"),
    "ringing_unknown": lambda: called_by("sip:+4989998877@192.0.2.9"),
    "ringing_address": lambda: called_by("sip:somebody@telephone.example.net"),
    "far_end_rings_english": far_end_rings,
    "in_call": lambda: talking(SETTINGS_LARGE),
    "in_call_muted": muted,
    "held": held,
    "call_waiting": knocking,
    "busy": busy,
    "history": browsed,
    "night_there": lambda: dialled("0012125550123#", "2027-06-14T08:10:00+02:00", replace(QUIET, glass=LARGE)),
    "answered_by_itself": lambda: answers_by_itself(replace(INTERCOM, glass=LARGE)),
}


@pytest.mark.parametrize("name", SCENES)
def test_a_large_screen_looks_as_it_was_approved(name: str, tmp_path: Path, pytestconfig: pytest.Config):
    phone = SCENES[name]()

    looks_as_approved(render(screen(phone.phone, phone.now)), f"large/{name}", tmp_path, pytestconfig)


def test_every_approved_picture_has_a_scene():
    assert {file.stem for file in (GOLDEN / "large").glob("*.png")} == set(SCENES)


@pytest.mark.parametrize("text", ["1", "Oma", "Großmutter Elisabeth", "030 1234 5678 9012 34", "W" * 21, "g" * 21])
@pytest.mark.parametrize("note", ["", "Hörer abheben"])
def test_what_is_large_is_whole_and_touches_nothing(text: str, note: str):
    alone = render(Screen(main=text, large=True))
    noted = render(Screen(main=text, note=note, alert=bool(note), large=True))

    left, top, right, bottom = alone.getbbox()
    assert (left, top) >= (0, 0)
    assert right <= WIDTH
    assert bottom <= HEIGHT
    if note:
        assert noted.crop((0, 50, WIDTH, 51)).getbbox() is None


def test_large_is_larger():
    plain = Screen(main="030 123456", note="Oma", hint="#")
    large = Screen(main="030 123456", note="Oma", large=True)

    assert sum(render(large).tobytes()) > 1.5 * sum(render(plain).tobytes())


def test_what_is_to_be_read_through_stays_as_it_is():
    phone = World(SETTINGS_LARGE)

    phone.happens(NoticeLeft(("Eingerichtet", "192.0.2.7", "von der Karte", "")))

    assert not screen(phone.phone, phone.now).large
