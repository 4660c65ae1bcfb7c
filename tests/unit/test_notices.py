# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What the display says that nobody asked for, or that only `*#2#` asks for: notices, addresses, name and version."""

from dataclasses import replace

from omafon import __version__
from omafon.core.events import HookReplaced, NetworkChanged, NoticeLeft
from tests.unit.world import SETTINGS, World

SET_UP = ("Eingerichtet", "192.0.2.7", "omafon-1a2b", "Angemeldet")


def test_a_notice_is_shown_until_a_key_is_pressed():
    phone = World()

    phone.happens(NoticeLeft(SET_UP))
    phone.passes(599.0)
    shown = phone.rows
    phone.presses("end")

    assert shown == SET_UP
    assert phone.rows[0] == "Flur"


def test_a_notice_goes_after_ten_minutes():
    phone = World()
    phone.happens(NoticeLeft(SET_UP))

    phone.passes(600.0)

    assert phone.rows[0] == "Flur"


def test_the_key_that_takes_a_notice_away_does_what_it_does():
    phone = World()
    phone.happens(NoticeLeft(SET_UP))

    phone.presses("0")

    assert phone.rows[1] == "0"


def test_a_notice_waits_behind_a_call():
    phone = World()
    phone.happens(NoticeLeft(SET_UP))

    phone.is_called()
    ringing = phone.mode
    phone.lifts()
    phone.presses("end")
    phone.happens(HookReplaced())

    assert ringing == "ringing"
    assert phone.rows == SET_UP


def test_the_idle_screen_shows_a_new_address_for_a_minute():
    phone = World(registered=True)
    phone.passes(100.0)

    phone.happens(NetworkChanged(("192.0.2.7", "2001:db8::7"), "omafon-1a2b"))
    at_once = phone.rows
    phone.passes(61.0)

    assert at_once[2:] == ("Angemeldet", "192.0.2.7")
    assert phone.rows[2:] == ("Angemeldet", "")


def test_the_same_address_told_again_is_no_news():
    phone = World(registered=True)
    phone.happens(NetworkChanged(("192.0.2.7",), "omafon-1a2b"))
    phone.passes(61.0)

    phone.happens(NetworkChanged(("192.0.2.7",), "omafon-1a2b"))

    assert phone.rows[3] == ""


def test_a_phone_without_a_line_always_shows_where_it_is():
    phone = World()

    phone.happens(NetworkChanged(("192.0.2.7",), "omafon-1a2b"))
    phone.passes(3600.0)

    assert phone.rows[2:] == ("Direktruf bereit", "192.0.2.7")


def test_an_address_too_long_for_the_display_gives_way_to_the_name():
    phone = World()

    phone.happens(NetworkChanged(("2001:db8:1234:5678:9abc:def0:1234:5678",), "omafon-1a2b"))

    assert phone.rows[3] == "omafon-1a2b"


def test_star_hash_two_hash_shows_name_address_and_version_with_the_handset_down():
    phone = World()
    phone.happens(NetworkChanged(("192.0.2.7",), "omafon-1a2b"))

    phone.dials("*#2#")
    shown = phone.rows
    phone.passes(31.0)

    assert shown == ("Flur", "192.0.2.7", "omafon-1a2b", f"Omafon {__version__}")
    assert phone.mode == "idle"


def test_star_hash_two_hash_works_off_hook_and_under_any_digit_map():
    phone = World(replace(SETTINGS, digit_map="(11x|0x.)"))
    phone.lifts()

    phone.dials("*#2#")

    assert (phone.rows[1], phone.rows[3]) == ("Kein Netz", f"Omafon {__version__}")
    assert phone.actions == []


def test_the_codes_of_a_network_still_go_to_the_line():
    phone = World(registered=True)
    phone.lifts()

    phone.dials("*#21#")
    phone.passes(5.0)

    assert phone.placed().uri == "sip:*%2321%23@example.org"
