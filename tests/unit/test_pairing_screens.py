# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What the telephone shows while it is paired: pictures in tests/golden/pairing, compared bit for bit."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from omafon.core.events import Key, KeyHeld, PairingDone, PairingFailed, PairingFailure
from omafon.core.present import screen
from omafon.core.settings import Settings
from omafon.render import render
from tests.lab.golden import GOLDEN, looks_as_approved
from tests.unit.test_pairing import OMAS_PHONE, Two
from tests.unit.world import SETTINGS

ENGLISH = replace(SETTINGS, language="en", name="Hall")


def holding(settings: Settings = SETTINGS) -> Two:
    phone = Two(settings)
    phone.holds("0")
    phone.happens(KeyHeld(Key.DIGIT_0))
    return phone


def done(settings: Settings = SETTINGS) -> Two:
    phone = Two(settings).says_yes()
    phone.happens(PairingDone(phone.id, OMAS_PHONE))
    return phone


def failed(failure: PairingFailure, settings: Settings = SETTINGS) -> Callable[[], Two]:
    def scene() -> Two:
        phone = Two(settings).finds_another()
        phone.happens(PairingFailed(phone.id, failure))
        return phone

    return scene


SCENES: dict[str, Callable[[], Two]] = {
    "holding": holding,
    "holding_english": lambda: holding(ENGLISH),
    "searching": lambda: Two().is_asked(),
    "searching_english": lambda: Two(ENGLISH).is_asked(),
    "comparing": lambda: Two().finds_another(),
    "comparing_english": lambda: Two(ENGLISH).finds_another(),
    "waiting": lambda: Two().says_yes(),
    "waiting_english": lambda: Two(ENGLISH).says_yes(),
    "done": done,
    "done_english": lambda: done(ENGLISH),
    **{f"failed_{failure.name.lower()}": failed(failure) for failure in PairingFailure},
    "failed_different_english": failed(PairingFailure.DIFFERENT, ENGLISH),
    "failed_nobody_english": failed(PairingFailure.NOBODY, ENGLISH),
}


@pytest.mark.parametrize("name", SCENES)
def test_the_phone_that_is_paired_shows(name: str, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    phone = SCENES[name]()

    looks_as_approved(render(screen(phone.phone, phone.now)), f"pairing/{name}", tmp_path, pytestconfig)


def test_every_approved_picture_is_of_a_scene() -> None:
    assert {file.stem for file in (GOLDEN / "pairing").glob("*.png")} == set(SCENES)
