# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Calls with a real far end, straight and through the exchange: what both sides see of each other."""

import pytest

from tests.lab.capture import Capture
from tests.lab.town import Srtp, Town, Transport

# The beginnings.


def test_a_direct_call_is_answered_and_has_voice(town: Town, wire: Capture) -> None:
    oma, bob = town.phone(), town.baresip()

    oma.dials(bob.uri)
    bob.is_called()
    ringing = oma.until(lambda status: status["tone"] == "ringback", "hears ringback")
    bob.answers()

    call = oma.is_in_a_call()
    assert (ringing["mode"], oma.status["mode"], oma.status["tone"]) == ("calling", "in_call", "off")
    assert (call["direction"], call["route"], call["codec"]) == ("out", "direct", "opus/48000")
    assert bob.media() == ("opus/48000", False)
    assert wire.request("INVITE", source=oma.address).header("user-agent") == "Omafon"


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_a_call_goes_through_the_exchange(town: Town, transport: Transport) -> None:
    oma, bob = town.phone("oma", line=transport), town.baresip("bob", line="udp")

    oma.dials(town.exchange.aor("bob"))
    assert bob.is_called() == town.exchange.aor("oma")
    bob.answers()

    call = oma.is_in_a_call()
    assert (call["route"], call["tls"]) == ("provider", transport == "tls")


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_the_phone_is_called_through_the_exchange(town: Town, transport: Transport) -> None:
    oma, bob = town.phone("oma", line=transport), town.baresip("bob", line="udp")

    bob.calls(town.exchange.aor("oma"))
    called = oma.is_called()
    bob.hears_ringing()
    oma.lifts()

    assert (called["mode"], called["calls"][0]["uri"]) == ("ringing", town.exchange.aor("bob"))
    assert oma.is_in_a_call()["direction"] == "in"
    bob.is_in_a_call()


def test_a_number_is_dialled_key_by_key(town: Town) -> None:
    bob = town.baresip()
    oma = town.phone(contacts=[{"name": "Bob", "number": "+4930123456", "uri": bob.uri, "family": True}])
    oma.lifts()
    oma.until(lambda status: status["tone"] == "dial", "hears the dial tone")

    oma.presses(*"030123456")

    dialled = oma.until(lambda status: "30 123456" in status["screen"][1], "shows the number")
    assert (dialled["mode"], dialled["tone"]) == ("dialing", "off")

    oma.presses("#")

    bob.is_called()
    calling = oma.until(lambda status: status["tone"] == "ringback", "hears ringback")
    assert calling["calls"][0]["route"] == "family"
    assert "Bob" in oma.screen()


def test_somebody_who_is_not_accepted_does_not_ring(town: Town) -> None:
    oma, bob = town.phone(accept=["lines"]), town.baresip()

    bob.calls(oma.uri)

    assert bob.is_left().startswith("403")
    assert oma.status["missed"] == 0


# The ends.


def test_the_far_end_hangs_up(town: Town) -> None:
    oma, bob = town.phone(), town.baresip(answers="auto")
    oma.dials(bob.uri)
    oma.is_in_a_call()

    bob.hangs_up()

    left = oma.is_left()
    assert left["tone"] == "busy"
    assert "Call ended" in left["screen"]
    oma.replaces()
    assert oma.is_idle()["tone"] == "off"


def test_the_phone_hangs_up(town: Town) -> None:
    oma, bob = town.phone(), town.baresip(answers="auto")
    oma.dials(bob.uri)
    oma.is_in_a_call()

    oma.replaces()

    bob.is_left()
    oma.is_idle()


def test_a_called_phone_hangs_up_and_is_hung_up_on(town: Town) -> None:
    oma, bob = town.phone(), town.baresip()
    for oma_ends in (True, False):
        bob.calls(oma.uri)
        oma.is_called()
        oma.lifts()
        bob.is_in_a_call()

        if oma_ends:
            oma.replaces()
            bob.is_left()
        else:
            bob.hangs_up()
            oma.is_left()
            oma.replaces()
        oma.is_idle()


def test_a_busy_far_end_is_told_and_heard(town: Town) -> None:
    oma, bob = town.phone(), town.baresip()

    oma.dials(bob.uri)
    bob.is_called()
    bob.is_busy()

    failed = oma.is_("failed")
    assert failed["tone"] == "busy"
    assert {"Busy", "Try again later"} <= set(failed["screen"])


@pytest.mark.parametrize(
    ("status", "words", "tone"),
    [
        ("603 Decline", "Call declined", "busy"),
        ("404 Not Found", "No such number", "error"),
        ("480 Temporarily Unavailable", "Phone is offline", "congestion"),
        ("488 Not Acceptable Here", "No common codec", "congestion"),
        ("500 Server Internal Error", "Provider's fault", "congestion"),
    ],
)
def test_a_refusal_is_said_in_plain_words_and_by_its_tone(town: Town, status: str, words: str, tone: str) -> None:
    oma, far_end = town.phone(), town.sipp("refuses", status=status)

    oma.dials(far_end.uri)

    failed = oma.is_("failed")
    assert words in failed["screen"]
    assert failed["tone"] == tone
    far_end.succeeds()


def test_a_host_that_is_not_there_is_said_so_and_the_phone_stays_usable(town: Town) -> None:
    oma, bob = town.phone(), town.baresip(answers="auto")

    oma.dials(f"sip:nobody@{bob.address}:9;transport=tcp")

    assert "Not reachable" in oma.is_("failed")["screen"]
    oma.replaces()
    oma.dials(bob.uri)
    oma.is_in_a_call()


def test_a_call_is_given_up_before_it_is_answered(town: Town, wire: Capture) -> None:
    oma, bob = town.phone(), town.baresip()
    oma.dials(bob.uri)
    bob.is_called()

    oma.replaces()

    wire.request("CANCEL", source=oma.address)
    wire.response(487, "INVITE", source=bob.address)
    bob.is_left()
    oma.is_idle()


def test_nobody_answers_there(town: Town) -> None:
    oma, far_end = town.phone(), town.sipp("rings", status="408 Request Timeout")

    oma.dials(far_end.uri)

    assert "Nobody answers" in oma.is_("failed")["screen"]


def test_nobody_answers_here_and_the_call_is_missed(town: Town) -> None:
    oma, bob = town.phone(), town.baresip()
    bob.calls(oma.uri)
    oma.is_called()

    bob.hangs_up()

    missed = oma.until(lambda status: status["missed"], "has missed a call")
    assert (missed["missed"], missed["ringing"], missed["calls"]) == (1, False, [])
    assert "1 missed call" in oma.screen()


def test_the_phone_declines(town: Town) -> None:
    oma, bob = town.phone(), town.baresip()
    bob.calls(oma.uri)
    oma.is_called()

    oma.presses("end")

    assert bob.is_left().startswith("603")


# In between.


def test_digits_cross_both_ways(town: Town) -> None:
    oma, bob = town.phone(), town.baresip(answers="auto")
    oma.dials(bob.uri)
    oma.is_in_a_call()

    oma.presses(*"19*0#")

    assert "".join(bob.hears_dtmf() for _ in range(5)) == "19*0#"

    bob.sends_dtmf("7")

    heard = oma.errands.until(lambda errand: "dtmf received" in errand["what"], "hears a digit")
    assert "7" not in heard["what"]
    assert oma.program
    assert "19*0#" not in oma.program.log.read_text()


def test_hold_is_seen_by_the_far_end(town: Town, wire: Capture) -> None:
    oma, bob = town.phone(), town.baresip(answers="auto")
    oma.dials(bob.uri)
    oma.is_in_a_call()
    wire.request("INVITE", source=oma.address)

    oma.presses("hold")

    oma.until(lambda status: status["calls"][0]["state"] == "held", "holds")
    assert wire.request("INVITE", source=oma.address).direction == "sendonly"
    bob.renegotiates()

    oma.presses("hold")

    oma.is_in_a_call()
    assert wire.request("INVITE", source=oma.address).direction == "sendrecv"
    bob.renegotiates()


def test_the_phone_sees_that_it_is_held(town: Town) -> None:
    oma, bob = town.phone(), town.baresip(answers="auto")
    oma.dials(bob.uri)
    oma.is_in_a_call()
    bob.is_in_a_call()

    bob.holds()

    held = oma.is_held_by_the_far_end()
    assert "You are on hold" in held["screen"]

    bob.resumes()

    oma.is_held_by_the_far_end(False)


def test_a_second_caller_waits_is_taken_and_swapped(town: Town) -> None:
    oma, bob, carol = town.phone(), town.baresip("bob", answers="auto"), town.baresip("carol")
    oma.dials(bob.uri)
    first = oma.is_in_a_call()["id"]

    carol.calls(oma.uri)
    oma.until(lambda status: status["tone"] == "waiting", "hears the second caller")
    carol.hears_ringing()
    oma.presses("flash")

    carol.is_in_a_call()
    taken = oma.until(lambda s: {c["state"] for c in s["calls"]} == {"in_call", "held"}, "has both")
    assert taken["focus"] != first

    oma.presses("flash")

    swapped = oma.until(lambda status: status["focus"] == first, "is back with the first")
    assert {c["id"]: c["state"] for c in swapped["calls"]}[first] == "in_call"

    oma.replaces()

    bob.is_left()
    carol.is_left()
    oma.is_idle()


def test_a_third_caller_hears_busy(town: Town) -> None:
    oma, bob = town.phone(), town.baresip("bob", answers="auto")
    carol, dave = town.baresip("carol"), town.baresip("dave")
    oma.dials(bob.uri)
    oma.is_in_a_call()
    carol.calls(oma.uri)
    oma.until(lambda status: status["tone"] == "waiting", "hears the second caller")

    dave.calls(oma.uri)

    assert dave.is_left().startswith("486")


# Encryption.


@pytest.mark.parametrize("far_srtp", ["mandatory", "optional"])
def test_a_phone_that_must_encrypt_does(town: Town, far_srtp: Srtp) -> None:
    oma, bob = town.phone(srtp="mandatory"), town.baresip(srtp=far_srtp, answers="auto")

    oma.dials(bob.uri)

    assert oma.is_in_a_call()["srtp"] is True
    assert bob.media()[1] is True


def test_a_phone_that_must_encrypt_does_not_speak_in_the_clear(town: Town) -> None:
    oma, bob = town.phone(srtp="mandatory"), town.baresip(srtp="off", answers="auto")

    oma.dials(bob.uri)

    assert "No encryption there" in oma.is_("failed")["screen"]


def test_a_caller_in_the_clear_is_refused_by_a_phone_that_must_encrypt(town: Town) -> None:
    oma, bob = town.phone(srtp="mandatory"), town.baresip(srtp="off")

    bob.calls(oma.uri)

    assert bob.is_left().startswith("488")
    assert oma.status["calls"] == []


def test_a_phone_that_may_encrypt_speaks_with_one_that_cannot(town: Town) -> None:
    oma, bob = town.phone(srtp="optional"), town.baresip(srtp="off", answers="auto")

    oma.dials(bob.uri)

    assert oma.is_in_a_call()["srtp"] is False


# Codecs.


@pytest.mark.parametrize(("codec", "told"), [("opus", "opus/48000"), ("pcma", "pcma/8000"), ("pcmu", "pcmu/8000")])
def test_the_owners_order_of_codecs_decides(town: Town, codec: str, told: str) -> None:
    others = [other for other in ("opus", "pcma", "pcmu") if other != codec]
    oma, bob = town.phone(codecs=[codec, *others]), town.baresip(answers="auto", codecs=(codec, *others))

    oma.dials(bob.uri)

    assert oma.is_in_a_call()["codec"].lower() == told


# Many.


def test_ten_calls_in_a_row_leave_nothing_behind(town: Town) -> None:
    oma, bob = town.phone(), town.baresip(answers="auto")

    def one_call() -> None:
        oma.dials(bob.uri)
        oma.is_in_a_call()
        oma.replaces()
        bob.is_left()
        oma.is_idle()

    for _ in range(3):  # what is made once and kept, is made now
        one_call()
    before = oma.memory_kb()
    for _ in range(10):
        one_call()

    after = oma.memory_kb()
    assert after["Anonymous"] - before["Anonymous"] < 1024, f"{before} -> {after}"
    assert oma.stops() == 0


def test_a_phone_stopped_in_a_call_says_goodbye(town: Town) -> None:
    oma, bob = town.phone(), town.baresip(answers="auto")
    oma.dials(bob.uri)
    oma.is_in_a_call()
    bob.is_in_a_call()

    assert oma.stops() == 0

    bob.is_left()
