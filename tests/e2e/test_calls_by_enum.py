# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The main job, whole: a national number on one keypad, a real name server, a call on another telephone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from omafon.core.naptr import NaptrRecord
from tests.lab.addresses import Addresses
from tests.lab.capture import Capture
from tests.lab.knot import Knot, Signing, naptr_line
from tests.lab.phone import Phone
from tests.lab.town import Town

TREE = "e164.example"
ASKS = {"trees": [TREE], "budget_ms": 3000}


@pytest.fixture
def called(town: Town) -> Phone:
    return town.phone("opa")


@pytest.fixture
def directory(tmp_path: Path, addresses: Addresses, called: Phone) -> Iterator[Knot]:
    """A name server that knows +49 30 23125002 as the called phone's."""
    folder = tmp_path / "knot"
    folder.mkdir()
    record = NaptrRecord(100, 10, "u", "E2U+sip", rf"!^\+493023125002$!{called.uri}!", ".")
    with Knot(folder, addresses.fresh(), {TREE: [naptr_line("2.0.0.5.2.1.3.2.0.3.9.4", record)]}) as knot:
        yield knot


def test_a_national_number_is_found_in_the_directory_and_rings_there(
    town: Town, called: Phone, directory: Knot, wire: Capture
):
    caller = town.phone("oma", more={"enum": {**ASKS, "servers": [directory.server]}})

    caller.lifts()
    caller.presses(*"03023125002#")
    called.is_called()
    screen = caller.screen()
    called.answers()
    talk = caller.is_in_a_call()

    assert wire.request("INVITE", target=called.address).uri == called.uri
    assert "free / ENUM" in screen
    assert (talk["route"], talk["number"], talk["codec"]) == ("enum", "+493023125002", "opus/48000")


def test_a_number_the_directory_does_not_know_goes_to_the_line(town: Town, directory: Knot):
    caller = town.phone("oma", line="udp", more={"enum": {**ASKS, "servers": [directory.server]}})

    caller.lifts()
    caller.presses(*"03023125009#")
    status = caller.until(lambda s: s["mode"] == "failed", "is told that there is no such number")

    assert status["calls"] == []
    assert "No such number" in caller.screen()


def test_a_dead_directory_costs_no_more_than_its_budget(town: Town, addresses: Addresses):
    dead = f"{addresses.fresh()}:5353"
    caller = town.phone("oma", line="udp", more={"enum": {**ASKS, "servers": [dead], "budget_ms": 500}})

    caller.lifts()
    caller.presses(*"03023125002#")

    caller.errands.until(
        lambda errand: any("place call" in action for action in errand["actions"]), "calls by its line", within_s=1.5
    )


def test_an_emergency_call_waits_for_no_directory(town: Town, addresses: Addresses, wire: Capture):
    dead = f"{addresses.fresh()}:5353"
    caller = town.phone("oma", line="udp", more={"enum": {**ASKS, "servers": [dead]}})

    caller.lifts()
    caller.presses(*"112#")

    assert wire.request("INVITE", source=caller.address).uri.startswith("sip:112@")


def record(uri: str, preference: int = 10, *, service: str = "E2U+sip", last: str = "2") -> str:
    """A line of the zone: +49 30 2312500`last` is at `uri`."""
    return naptr_line(f"{last}.0.0.5.2.1.3.2.0.3.9.4", NaptrRecord(100, preference, "u", service, f"!^.*$!{uri}!", "."))


def directory_of(folder: Path, addresses: Addresses, *lines: str) -> Knot:
    (folder / "zone").mkdir()
    return Knot(folder / "zone", addresses.fresh(), {TREE: lines})


def test_a_host_where_nobody_answers_is_left_for_the_line(town: Town, tmp_path: Path, addresses: Addresses):
    nowhere = f"sip:opa@{addresses.fresh()}"
    with directory_of(tmp_path, addresses, record(nowhere)) as knot:
        caller = town.phone("oma", line="udp", more={"enum": {**ASKS, "servers": [knot.server]}})
        caller.lifts()
        caller.presses(*"03023125002#")

        caller.errands.until(
            lambda errand: any("provider" in action for action in errand["actions"]), "calls by its line", within_s=7.0
        )
        caller.until(lambda s: s["mode"] == "failed", "is told what the exchange says")

    assert "No such number" in caller.screen()


def test_a_busy_friend_is_not_called_again_on_the_line(town: Town, tmp_path: Path, addresses: Addresses, wire: Capture):
    friend = town.baresip("carol")
    with directory_of(tmp_path, addresses, record(friend.uri)) as knot:
        caller = town.phone("oma", line="udp", more={"enum": {**ASKS, "servers": [knot.server]}})
        caller.lifts()
        caller.presses(*"03023125002#")
        friend.is_called()
        friend.is_busy()
        caller.until(lambda s: s["mode"] == "failed" and s["tone"] == "busy", "hears busy")

        invites = [
            m.target for m in wire.messages.all() if m.method == "INVITE" and m.source.startswith(caller.address)
        ]

    assert all(target.startswith(friend.address) for target in invites)


def test_everything_a_number_can_be_reached_by_is_on_its_card(town: Town, tmp_path: Path, addresses: Addresses):
    friend = town.phone("opa")
    lines = (
        record(friend.uri, 1),
        record("mailto:opa@example.net", 2, service="E2U+email:mailto"),
        record("https://example.net/opa", 3, service="E2U+web:https"),
    )
    with directory_of(tmp_path, addresses, *lines) as knot:
        caller = town.phone("oma", more={"enum": {**ASKS, "servers": [knot.server]}})
        caller.lifts()
        caller.presses(*"03023125002#")
        friend.is_called()
        caller.presses("ok", "down")
        mail = caller.screen()
        caller.presses("down")
        web = caller.screen()

    assert "E-mail" in mail
    assert "opa@example.net" in mail
    assert "Web page" in web


@pytest.mark.parametrize(("anchored", "words"), [(True, ""), (False, "Directory is forged")])
def test_a_tree_that_must_be_proven_is_dialled_only_when_it_is(
    town: Town, tmp_path: Path, addresses: Addresses, anchored: bool, words: str
):
    """With the zone's own key as anchor it is; with another zone's key it is a forgery, and nobody is called."""
    called = town.phone("opa")
    folder = tmp_path / "zones"
    folder.mkdir()
    zones = {TREE: [record(called.uri)], "other.example": []}
    with Knot(folder, addresses.fresh(), zones, signed={zone: Signing() for zone in zones}) as knot:
        more = {
            "enum": {**ASKS, "servers": [knot.server]},
            "enum.dnssec": {f'"{TREE}"': "require"},
            "enum.anchors": {f'"{TREE}"': knot.anchor(TREE if anchored else "other.example")},
        }
        caller = town.phone("oma", more=more)
        caller.lifts()
        caller.presses(*"03023125002#")

        if anchored:
            called.is_called()
            called.answers()
            assert caller.is_in_a_call()["secure_dns"] is True
        else:
            caller.is_("failed")
            assert words in caller.screen()
            assert called.status["calls"] == []
