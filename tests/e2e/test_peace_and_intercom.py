# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Quiet hours, allow lists and a phone that answers by itself, with a real far end."""

from tests.lab.town import Town


def test_a_caller_in_quiet_hours_is_turned_away_and_remembered(town: Town) -> None:
    more = {"quiet": {"hours": "00:00-24:00", "answer": "busy", "may_ring": []}}
    oma, bob = town.phone(accept=["anyone"], more=more), town.baresip()

    bob.calls(oma.uri)

    assert bob.is_left().startswith("486")
    quiet = oma.until(lambda status: status["missed"] == 1, "has a missed call")
    assert quiet["quiet_min"] > 0
    assert not quiet["ringing"]


def test_a_number_that_is_not_on_the_list_is_not_called(town: Town) -> None:
    bob = town.baresip()
    people = [{"name": "Bob", "uri": bob.uri}]
    oma = town.phone(contacts=people, more={"allow": {"called": ["contacts"]}})

    oma.dials("sip:somebody@127.0.0.1:9")
    barred = oma.until(lambda status: status["mode"] == "failed", "refuses")
    oma.replaces()
    oma.dials(bob.uri)
    bob.is_called()

    assert "Number is barred" in barred["screen"]


def test_a_phone_that_answers_by_itself_says_so_and_goes_to_sleep_again(town: Town) -> None:
    bob = town.baresip()
    people = [{"name": "Bob", "uri": bob.uri, "family": True, "auto_answer": True}]
    oma = town.phone(contacts=people)

    bob.calls(oma.uri)
    oma.until(lambda status: status["tone"] == "intercom", "beeps")
    bob.is_in_a_call()
    open_ = oma.until(lambda status: status["tone"] == "off", "has beeped")

    assert open_["calls"][0]["listening"]
    assert "Microphone is on" in open_["screen"]

    bob.hangs_up()

    assert oma.is_idle()["hook"] == "on"


def test_a_lifted_handset_calls_by_itself(town: Town) -> None:
    bob = town.baresip()
    people = [{"name": "Bob", "uri": bob.uri, "family": True}]
    oma = town.phone(contacts=people, more={"phone": {"hotline": "Bob", "hotline_after_s": 2}})

    oma.lifts()

    bob.is_called()
    calling = oma.until(lambda status: status["tone"] == "ringback", "hears ringback")
    assert calling["calls"][0]["name"] == "Bob"
