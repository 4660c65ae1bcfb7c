# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What the telephone shows while it tests itself: pictures in tests/golden/self_test, compared bit for bit."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from omafon.core.events import DelayMeasured, Key, KeyPressed, ReportKept, VoiceHeard
from omafon.core.hardware import Part, Picture
from omafon.core.present import screen
from omafon.core.selftest import KEYS_S, STUCK_S
from omafon.render import render
from tests.lab.golden import GOLDEN, looks_as_approved
from tests.unit.test_self_test import EVERYTHING, ORDER, Trying
from tests.unit.world import SETTINGS

ENGLISH = replace(SETTINGS, language="en")
SIXTEEN = replace(EVERYTHING, keys=tuple((key.value, "gpio19-gpio21") for key in list(Key)[:16]))


def at(part: Part, *, english: bool = False) -> Callable[[], Trying]:
    return lambda: Trying(settings=ENGLISH if english else SETTINGS).comes_to(part)


def keys() -> Trying:
    phone = Trying(SIXTEEN)
    phone.taps("1", "2", "5")
    return phone


def key_stuck() -> Trying:
    phone = Trying(SIXTEEN)
    phone.happens(KeyPressed(Key.DIGIT_5))
    phone.passes(STUCK_S)
    return phone


def microphone() -> Trying:
    phone = at(Part.MICROPHONE)()
    phone.happens(VoiceHeard(-21.0))
    return phone


def looking(picture: Picture) -> Callable[[], Trying]:
    def scene() -> Trying:
        phone = at(Part.DISPLAY)()
        phone.taps(*"##" * list(Picture).index(picture), "#")
        return phone

    return scene


def verdict(*, good: bool, english: bool = False) -> Callable[[], Trying]:
    def scene() -> Trying:
        phone = Trying(settings=ENGLISH if english else SETTINGS)
        if not good:
            phone.passes(KEYS_S)
        for part in ORDER[0 if good else 1 : -1]:
            phone.passes_well(part)
        phone.happens(DelayMeasured(43.2 if good else 200.0), ReportKept("hwtest.json"))
        return phone

    return scene


SCENES: dict[str, Callable[[], Trying]] = {
    "keys_at_first": at(Part.KEYS),
    "keys": keys,
    "key_stuck": key_stuck,
    "hook_english": at(Part.HOOK, english=True),
    "lamp": at(Part.LAMPS),
    "picture_announced": at(Part.DISPLAY),
    "picture_chessboard": looking(Picture.CHESSBOARD),
    "picture_text": looking(Picture.TEXT),
    "ear": at(Part.EAR),
    "bell_english": at(Part.BELL, english=True),
    "microphone": microphone,
    "delay": at(Part.DELAY),
    "verdict_good": verdict(good=True),
    "verdict_bad_english": verdict(good=False, english=True),
}


@pytest.mark.parametrize("name", SCENES)
def test_the_self_test_shows(name: str, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    phone = SCENES[name]()

    looks_as_approved(render(screen(phone.phone, phone.now)), f"self_test/{name}", tmp_path, pytestconfig)


def test_every_approved_picture_is_of_a_scene() -> None:
    assert {file.stem for file in (GOLDEN / "self_test").glob("*.png")} == set(SCENES)
