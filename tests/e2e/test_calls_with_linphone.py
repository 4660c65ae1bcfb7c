# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The same with Linphone: another stack, other habits (no 180 when it answers by itself, GRUU contacts)."""

from tests.lab.town import Town


def test_linphone_is_called_through_the_exchange_and_declines_the_second_time(town: Town) -> None:
    oma, dave = town.phone("oma", line="udp"), town.linphone("dave", line="udp")

    oma.dials(town.exchange.aor("dave"))
    dave.is_called()
    dave.answers()
    assert oma.is_in_a_call()["codec"] == "opus/48000"
    dave.hangs_up()
    oma.is_left()
    oma.replaces()

    oma.dials(town.exchange.aor("dave"))
    dave.is_called()
    dave.declines()
    assert "Call declined" in oma.is_("failed")["screen"]


def test_linphone_calls_holds_and_is_held(town: Town) -> None:
    oma, dave = town.phone("oma", line="udp"), town.linphone("dave", line="udp")
    dave.calls(town.exchange.aor("oma"))
    oma.is_called()
    dave.hears_ringing()
    oma.lifts()
    oma.is_in_a_call()
    dave.is_in_a_call()

    dave.holds()
    oma.is_held_by_the_far_end()
    dave.resumes()
    oma.is_held_by_the_far_end(False)

    oma.presses("hold")
    dave.is_held()
    oma.presses("hold")
    dave.is_in_a_call()

    oma.replaces()
    dave.is_left()
    oma.is_idle()


def test_a_digit_from_linphone_is_heard(town: Town) -> None:
    oma, dave = town.phone(), town.linphone(answers="auto")
    oma.dials(dave.uri)
    oma.is_in_a_call()
    dave.is_in_a_call()

    dave.sends_dtmf("4")

    oma.errands.until(lambda errand: "dtmf" in errand["what"], "hears the digit")
