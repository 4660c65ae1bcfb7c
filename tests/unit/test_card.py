# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The contact card: everything a number can be reached by."""

from dataclasses import replace

import pytest

from omafon.core.actions import HangUp, PlaceCall, QueryNaptr
from omafon.core.events import CallAnswered, CallRinging
from omafon.core.naptr import NaptrRecord
from omafon.core.settings import Route, Tree
from tests.unit.world import SETTINGS, World


def record(service: str, uri: str, preference: int) -> NaptrRecord:
    return NaptrRecord(100, preference, "u", service, f"!^.*$!{uri}!", ".")


CARD = (
    record("E2U+sip", "sip:oma@example.net", 1),
    record("E2U+email:mailto", "mailto:grandmother.elisabeth@example.net", 2),
    record("E2U+voice:tel", "tel:+4930999888", 3),
    record("E2U+web:https", "https://example.net/oma", 4),
    record("E2U+X-pigeon", "pigeon:coop-7", 5),
)


def calling() -> World:
    """Oma is being called; the directory has five entries for her."""
    phone = World(registered=True)
    phone.lifts()
    phone.dials("030123456#")
    phone.tree_says(*CARD)
    return phone


def browsing() -> World:
    """The handset is down, and the call to Oma is looked at in the list."""
    phone = calling()
    phone.ends(phone.placed().call)
    phone.replaces()
    phone.presses("down")
    return phone


def test_the_card_opens_while_calling_and_shows_the_first_service():
    phone = calling()

    actions = phone.presses("ok")

    assert actions == ()
    assert phone.rows == ("Oma               1/5", "Internet-Anruf", "oma@example.net", "Anruf-Taste: wählen")


def test_the_arrows_turn_the_card_and_stop_at_its_ends():
    phone = calling()
    phone.presses("ok")

    seen = []
    for key in ("down",) * 5 + ("up",) * 6:
        phone.presses(key)
        seen.append(phone.rows[1])

    assert seen[:5] == ["E-Mail", "Telefon", "Webseite", "x-pigeon", "x-pigeon"]
    assert seen[-2:] == ["Internet-Anruf", "Internet-Anruf"]


def test_a_long_address_goes_on_in_the_line_below():
    phone = calling()

    phone.presses("ok", "down")

    assert phone.rows[2:] == ("grandmother.elisabeth", "@example.net")


def test_the_call_goes_on_behind_the_card_and_takes_the_screen_when_it_is_answered():
    phone = calling()
    call = phone.placed().call
    phone.presses("ok")
    phone.happens(CallRinging(call))
    covered = phone.rows[1]

    phone.happens(CallAnswered(call))

    assert covered == "Internet-Anruf"
    assert phone.rows[1] == "030 123456"


def test_the_back_key_closes_the_card():
    phone = calling()

    phone.presses("ok", "back")

    assert phone.rows[1] == "030 123456"


def test_another_service_is_called_in_the_place_of_the_call_under_way():
    phone = calling()
    first = phone.placed().call

    actions = phone.presses("ok", "down", "down", "call")

    assert actions[0] == HangUp(first)
    assert isinstance(actions[1], QueryNaptr)
    assert actions[1].number == "+4930999888"


@pytest.mark.parametrize("turns", [1, 3, 4])
def test_what_is_not_a_telephone_is_shown_and_never_opened(turns: int):
    phone = calling()
    phone.presses("ok", *["down"] * turns)

    actions = phone.presses("call")

    assert actions == ()
    assert phone.mode == "calling"


def test_the_card_of_a_past_call_is_asked_for_in_every_tree():
    phone = World(replace(SETTINGS, trees=(Tree("a.example"), Tree("b.example"))))
    phone.lifts()
    phone.dials("030123456#")
    phone.presses("end")
    phone.replaces()
    phone.presses("down")

    actions = phone.presses("ok")
    waiting = phone.rows[1]
    phone.tree_says(CARD[1], tree="b.example")
    phone.tree_says(CARD[0], tree="a.example")

    assert [action.tree for action in actions if isinstance(action, QueryNaptr)] == ["a.example", "b.example"]
    assert waiting.startswith("Suche")
    assert phone.rows[0] == "Oma               1/2"
    assert phone.rows[1] == "Internet-Anruf"


def test_lifting_the_handset_calls_what_the_card_shows():
    phone = browsing()
    phone.presses("ok")
    phone.tree_says(*CARD)

    actions = phone.lifts()

    (placed,) = (action for action in actions if isinstance(action, PlaceCall))
    assert (placed.uri, placed.route) == ("sip:oma@example.net", Route.ENUM)


def test_a_number_with_nothing_listed_says_so():
    phone = browsing()
    phone.presses("ok")

    phone.tree_fails()

    assert phone.rows[1] == "Kein Eintrag"


def test_a_directory_that_does_not_answer_is_not_waited_for():
    phone = browsing()
    phone.presses("ok")

    phone.passes(1.0)

    assert phone.rows[1] == "Kein Eintrag"


def test_the_card_goes_back_to_the_list_it_came_from():
    phone = browsing()
    listed = phone.rows
    phone.presses("ok")
    phone.tree_says(*CARD)

    phone.presses("back")

    assert phone.rows == listed


def test_the_same_entry_of_two_trees_is_shown_once():
    phone = World(replace(SETTINGS, trees=(Tree("a.example"), Tree("b.example"))))
    phone.lifts()
    phone.dials("030123456#")
    phone.presses("end")
    phone.replaces()
    phone.presses("down", "ok")

    phone.tree_says(CARD[1], tree="b.example")
    phone.tree_says(CARD[1], tree="a.example")

    assert phone.rows[0] == "Oma               1/1"
