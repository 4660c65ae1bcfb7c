# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The factory reset by two keys: who means it, and stands before the phone, and nobody else."""

from omafon.core.actions import FactoryReset
from omafon.core.events import ResetFailed
from tests.unit.world import World


def test_holding_star_and_hash_for_ten_seconds_asks_for_the_reset_once():
    phone = World()

    phone.holds("*", "#")
    phone.passes(60.0)

    assert phone.actions == [FactoryReset()]
    assert phone.rows[:2] == ("Werkseinstellung", "Wird gelöscht …")


def test_the_display_counts_the_seconds_down():
    phone = World()
    phone.holds("#", "*")

    shown = [phone.rows[1]]
    for _ in range(9):
        phone.passes(1.0)
        shown.append(phone.rows[1])

    assert shown == [str(second) for second in range(10, 0, -1)]
    assert phone.rows[3] == "Loslassen: abbrechen"


def test_letting_go_of_either_key_stops_it():
    for key in "*#":
        phone = World()
        phone.holds("*", "#")
        phone.passes(9.9)

        phone.lets_go(key)
        phone.passes(60.0)

        assert (phone.mode, phone.actions) == ("idle", [])


def test_a_minute_after_the_start_the_keys_dial_again():
    phone = World()
    phone.passes(61.0)

    phone.holds("*", "#")
    phone.passes(20.0)

    assert FactoryReset() not in phone.actions
    assert phone.rows[1] == "*#"


def test_the_two_keys_one_after_the_other_dial():
    phone = World()

    phone.presses("*", "#")
    phone.passes(20.0)

    assert (phone.rows[1], phone.actions) == ("*#", [])


def test_who_has_lifted_the_handset_cannot_reset_the_phone():
    phone = World()
    phone.lifts()

    phone.holds("*", "#")
    phone.passes(12.0)

    assert FactoryReset() not in phone.actions


def test_a_call_that_comes_in_stops_the_count_down_and_rings():
    phone = World()
    phone.holds("*", "#")
    phone.passes(5.0)

    phone.is_called()
    phone.passes(20.0)

    assert (phone.mode, FactoryReset() in phone.actions) == ("ringing", False)


def test_other_keys_do_nothing_while_it_counts():
    phone = World()
    phone.holds("*", "#")

    phone.presses("5", "down", "vol+", "end")

    assert phone.rows[1] == "10"


def test_a_reset_that_nobody_hears_of_is_told():
    phone = World()
    phone.holds("*", "#")
    phone.passes(10.5)

    phone.happens(ResetFailed("there is no /run/omafon-requests"))

    assert phone.mode == "idle"
    assert phone.rows == ("Werkseinstellung", "Nicht gelöscht", "Über SSH versuchen", "")


def test_a_phone_that_is_still_there_after_two_minutes_was_not_reset_and_says_so():
    phone = World()
    phone.holds("*", "#")

    phone.passes(131.0)

    assert phone.rows[1] == "Nicht gelöscht"
