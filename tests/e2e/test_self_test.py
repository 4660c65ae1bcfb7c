# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The whole telephone tests itself, on a sound card; and its keys on pins that are wired as a keypad."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from omafon.board import BoardProfile
from omafon.board.equipment import equipment
from omafon.config import AudioConfig
from omafon.core.events import EquipmentKnown, Event, KeyPressed, KeyReleased
from tests.lab.addresses import Addresses
from tests.lab.air import Air
from tests.lab.phone import Phone, Setup
from tests.lab.pins import DIAL, EXTRA, FOUR_BY_FOUR, HOOK, Handset
from tests.unit.world import World

PANEL = "0123456789*#"
PARTS = {"keys", "hook switch", "display", "ear", "bell", "microphone", "delay"}


@pytest.fixture
def oma(tmp_path: Path, addresses: Addresses) -> Iterator[Phone]:
    with Phone(tmp_path, addresses.fresh(), "oma") as oma:
        yield oma


def comes_to(phone: Phone, title: str, *, within_s: float = 5.0) -> list[str]:
    """The rows of the display once its first begins with `title`."""
    rows: list[str] = phone.until(lambda status: status["screen"][0].startswith(title), title, within_s=within_s)[
        "screen"
    ]
    return rows


def begins(phone: Phone) -> None:
    phone.presses(*"*#1#")
    comes_to(phone, "Keys")


def goes_on_to_the_ear(phone: Phone) -> None:
    begins(phone)
    phone.presses(*PANEL, "call", "end")
    comes_to(phone, "Hook switch")
    for move in ("off-hook", "on-hook", "off-hook"):
        phone.presses(move)
    comes_to(phone, "Display")
    phone.presses(*"########")
    comes_to(phone, "Earpiece")


def test_a_telephone_is_led_through_all_of_it_and_writes_its_report(oma: Phone) -> None:
    assert oma.card is not None
    with Air(oma.card, 0.05):
        goes_on_to_the_ear(oma)
        assert oma.status["tone"] == "dial"
        oma.presses("#")
        comes_to(oma, "Bell")
        assert oma.status["ringing"]
        oma.presses("#")
        comes_to(oma, "Microphone")
        oma.presses("#")
        comes_to(oma, "Delay")
        comes_to(oma, "Result", within_s=10)
        rows = oma.until(lambda status: "hwtest.json" in status["screen"][3], "the report is kept")["screen"]

    assert rows[1] == "All works"
    assert 50 <= int(rows[2].split()[1]) <= 130
    (kept,) = oma.folder.rglob("hwtest.json")
    report = json.loads(kept.read_text())
    assert {part["part"] for part in report["parts"] if part["verdict"] == "works"} == PARTS
    assert report["board"]["name"] == "virtual"
    oma.replaces()
    oma.is_idle()


def test_a_call_ends_the_test_and_is_taken(oma: Phone, tmp_path: Path, addresses: Addresses) -> None:
    with Phone(tmp_path, addresses.fresh(), "opa", Setup(has_card=False)) as opa:
        goes_on_to_the_ear(oma)
        oma.presses("#")
        comes_to(oma, "Bell")

        opa.dials(oma.uri)

        oma.until(lambda status: status["tone"] == "waiting" and not status["ringing"], "it knocks")
        oma.answers()
        opa.is_in_a_call()


def test_each_key_on_its_pins_is_named_by_them() -> None:
    board = BoardProfile(name="bench", keypad=FOUR_BY_FOUR, hook=HOOK, rotary=DIAL, keys=EXTRA)
    phone = World()
    phone.happens(EquipmentKnown(equipment(board, AudioConfig(voice="null"))))
    phone.dials("*#1#")
    with Handset() as pins:
        for legend, copper in phone.phone.equipment.keys:
            pins.presses(legend)
            _told(phone, pins.hears())
            assert phone.rows[1:3] == (legend, copper)
            pins.lets_go(legend)
            _told(phone, pins.hears())

    assert phone.rows[0].startswith("Gabel")


def _told(phone: World, events: list[Event]) -> None:
    assert all(isinstance(event, KeyPressed | KeyReleased) for event in events)
    phone.happens(*events)
