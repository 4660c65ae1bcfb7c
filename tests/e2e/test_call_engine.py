# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The call engine alone: actions go in, events come out, and SIP is on the wire between."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from omafon.config import LineConfig
from omafon.core.actions import AnswerCall, HangUp, HoldCall, RejectCall, ResumeCall, RingCall, SendDtmf
from omafon.core.causes import Cause
from omafon.core.events import (
    CallAnswered,
    CallEnded,
    CallHeld,
    CallId,
    CallRinging,
    MediaChanged,
    RegistrationChanged,
)
from omafon.interfaces import DriverError
from tests.lab.addresses import Addresses
from tests.lab.engine import EngineAlone
from tests.lab.peer import Peer

SECONDS_TO_CLOSE = 2.5


@pytest.fixture
def peer(addresses: Addresses) -> Iterator[Peer]:
    with Peer(addresses.fresh()) as peer:
        yield peer


@pytest.fixture
def engine(addresses: Addresses) -> Iterator[EngineAlone]:
    with EngineAlone(addresses.fresh()) as engine:
        yield engine


# Starting and ending.


def test_a_taken_port_is_an_error_with_a_cure(addresses: Addresses, peer: Peer) -> None:
    with pytest.raises(DriverError, match="port 5060 is taken") as raised:
        EngineAlone(peer.address, port=5060).calls.open()

    assert "[sip] port" in raised.value.cure


def test_an_address_that_is_not_ours_is_an_error_with_a_cure() -> None:
    with pytest.raises(DriverError, match=r"cannot listen for calls on 192\.0\.2\.77") as raised:
        EngineAlone("192.0.2.77").calls.open()

    assert "[sip] address" in raised.value.cure


def test_certificates_that_cannot_be_read_are_an_error(addresses: Addresses, tmp_path: Path) -> None:
    with pytest.raises(DriverError, match=r"missing\.pem"):
        EngineAlone(addresses.fresh(), ca=tmp_path / "missing.pem").calls.open()


def test_a_line_with_a_bad_address_is_an_error_that_names_it(addresses: Addresses) -> None:
    line = LineConfig(name="home", aor="sip:oma@@", transport="udp")
    with pytest.raises(DriverError, match="the line home"):
        EngineAlone(addresses.fresh(), lines=[line]).calls.open()


def test_it_can_be_opened_again_after_a_failure_and_after_a_close(addresses: Addresses, peer: Peer) -> None:
    with pytest.raises(DriverError):
        EngineAlone(peer.address, port=5060).calls.open()

    for _ in range(2):
        with EngineAlone(addresses.fresh()) as engine:
            assert engine.calls.fresh(1.0)


def test_it_ends_in_time_when_nobody_answers_its_goodbyes(addresses: Addresses, peer: Peer) -> None:
    line = LineConfig(name="home", aor=f"sip:oma@{peer.address}", password="x", transport="udp", srtp="off")
    with EngineAlone(addresses.fresh(), lines=[line]) as engine:
        peer.registers()
        engine.hears(RegistrationChanged)
        engine.talks_with(peer)
        engine.places(peer.uri)
        peer.hears("INVITE")
        began = time.monotonic()
        engine.calls.close()

        assert time.monotonic() - began < SECONDS_TO_CLOSE
    assert peer.hears("BYE")
    assert peer.hears("REGISTER").header("expires") == "0"


def test_it_says_goodbye_and_leaves_its_line(addresses: Addresses, peer: Peer) -> None:
    line = LineConfig(name="home", aor=f"sip:oma@{peer.address}", password="x", transport="udp", srtp="off")
    with EngineAlone(addresses.fresh(), lines=[line]) as engine:
        peer.registers()
        engine.hears(RegistrationChanged)
        call = engine.places(peer.uri)
        peer.answers(peer.hears("INVITE"), "200 OK", body=peer.sdp())
        assert engine.hears(CallAnswered).call == call
        peer.hears("ACK")
        with peer.answering("BYE", "REGISTER"):
            began = time.monotonic()
            engine.calls.close()
            assert time.monotonic() - began < 1.0


def test_an_action_on_a_call_that_is_not_there_does_nothing(engine: EngineAlone, peer: Peer) -> None:
    nothing = CallId("in-99")
    for action in (RingCall, AnswerCall, HangUp, HoldCall, ResumeCall):
        engine.performs(action(nothing))
    engine.performs(RejectCall(nothing, 486))
    engine.performs(SendDtmf(nothing, "1"))

    assert engine.is_called_by(peer)
    assert engine.heard.all() == []


# Calls out.


def test_a_call_that_rings_and_is_answered(engine: EngineAlone, peer: Peer) -> None:
    call = engine.places(peer.uri)
    invite = peer.hears("INVITE")
    peer.answers(invite, "180 Ringing")
    assert engine.hears(CallRinging) == CallRinging(call, early_media=False)
    peer.answers(invite, "200 OK", body=peer.sdp())

    assert engine.hears(CallAnswered) == CallAnswered(call)
    assert engine.hears(MediaChanged) == MediaChanged(call, "pcmu/8000", srtp=False, tls=False)
    assert peer.hears("ACK")
    assert "oma" in invite.header("from")
    assert "m=text" not in invite.body


def test_a_network_that_sends_its_own_tones_is_early_media(engine: EngineAlone, peer: Peer) -> None:
    call = engine.places(peer.uri)
    invite = peer.hears("INVITE")
    peer.answers(invite, "180 Ringing")
    engine.hears(CallRinging)

    peer.answers(invite, "183 Session Progress", body=peer.sdp())

    assert engine.hears(CallRinging) == CallRinging(call, early_media=True)


def test_an_answer_with_several_codecs_is_not_asked_again(engine: EngineAlone, peer: Peer) -> None:
    engine.places(peer.uri)
    several = peer.sdp().replace("RTP/AVP 0 101", "RTP/AVP 8 0 101")
    peer.answers(peer.hears("INVITE"), "200 OK", body=several)
    peer.hears("ACK")

    peer.never_hears("INVITE", for_s=0.5)


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        ("486 Busy Here", Cause.BUSY),
        ("603 Decline", Cause.DECLINED),
        ("404 Not Found", Cause.NOT_FOUND),
        ("480 Temporarily Unavailable", Cause.OFFLINE),
        ("484 Address Incomplete", Cause.NUMBER_INCOMPLETE),
        ("488 Not Acceptable Here", Cause.NO_COMMON_CODEC),
        ("503 Service Unavailable", Cause.SERVER_OVERLOADED),
        ("302 Moved Temporarily", Cause.FAILED),
    ],
)
def test_a_refused_call_ends_with_its_cause(engine: EngineAlone, peer: Peer, status: str, cause: Cause) -> None:
    call = engine.places(peer.uri)

    peer.answers(peer.hears("INVITE"), status)

    assert engine.hears(CallEnded) == CallEnded(call, cause)


def test_a_time_out_after_ringing_means_nobody_answered(engine: EngineAlone, peer: Peer) -> None:
    call = engine.places(peer.uri)
    invite = peer.hears("INVITE")
    peer.answers(invite, "180 Ringing")

    peer.answers(invite, "408 Request Timeout")

    assert engine.hears(CallEnded) == CallEnded(call, Cause.NO_ANSWER)


@pytest.mark.parametrize(
    ("uri", "cause"),
    [
        ("sip:oma@nosuchhost.invalid", Cause.HOST_NOT_FOUND),
        ("sip:oma@127.0.0.1:9;transport=tcp", Cause.UNREACHABLE),
        ("sip:oma@", Cause.NUMBER_INVALID),
        ("tel:+4930123456", Cause.NO_ROUTE),
    ],
)
def test_a_call_that_cannot_leave_ends_with_its_cause(engine: EngineAlone, uri: str, cause: Cause) -> None:
    call = engine.places(uri)

    assert engine.hears(CallEnded) == CallEnded(call, cause)


def test_a_call_through_a_line_that_is_not_there_ends_at_once(engine: EngineAlone, peer: Peer) -> None:
    call = engine.places(peer.uri, line="nosuch")

    assert engine.hears(CallEnded) == CallEnded(call, Cause.NOT_REGISTERED)


def test_hanging_up_is_over_at_once_though_the_far_end_is_silent(engine: EngineAlone, peer: Peer) -> None:
    call = engine.places(peer.uri)
    peer.answers(peer.hears("INVITE"), "180 Ringing")
    engine.hears(CallRinging)

    engine.performs(HangUp(call))

    assert engine.hears(CallEnded, within_s=0.5) == CallEnded(call, Cause.NORMAL)
    assert peer.hears("CANCEL")


def test_encryption_that_is_refused_is_named(addresses: Addresses, peer: Peer) -> None:
    with EngineAlone(addresses.fresh(), srtp="mandatory") as engine:
        call = engine.places(peer.uri)
        invite = peer.hears("INVITE")
        peer.answers(invite, "488 Not Acceptable Here")

        assert "RTP/SAVP" in invite.body
        assert engine.hears(CallEnded) == CallEnded(call, Cause.SRTP_REFUSED)


# Calls in.


def test_a_caller_hears_that_it_rings_when_it_does(engine: EngineAlone, peer: Peer) -> None:
    incoming = engine.is_called_by(peer)

    engine.performs(RingCall(incoming.call))

    assert peer.hears(180)
    assert (incoming.uri, incoming.source, incoming.line) == (peer.uri, peer.address, None)


def test_a_caller_who_gives_up_was_not_answered(engine: EngineAlone, peer: Peer) -> None:
    call = engine.is_called_by(peer).call

    peer.cancels()

    assert engine.hears(CallEnded) == CallEnded(call, Cause.CANCELLED)
    assert peer.hears(487)


def test_a_call_that_another_phone_answered_is_no_missed_one(engine: EngineAlone, peer: Peer) -> None:
    call = engine.is_called_by(peer).call

    peer.cancels(headers='Reason: SIP;cause=200;text="Call completed elsewhere"')

    assert engine.hears(CallEnded) == CallEnded(call, Cause.ANSWERED_ELSEWHERE)


def test_hanging_up_waits_for_the_callers_ack(engine: EngineAlone, peer: Peer) -> None:
    call = engine.is_called_by(peer).call
    engine.performs(AnswerCall(call))
    answer = peer.hears(200, cseq="INVITE")

    engine.performs(HangUp(call))

    peer.never_hears("BYE", for_s=0.3)
    peer.confirms(answer)
    assert peer.hears("BYE")


def test_the_far_end_holds_and_comes_back(engine: EngineAlone, peer: Peer) -> None:
    call = engine.talks_with(peer)
    answer = peer.last_answer
    assert answer

    for number, direction, held in ((2, "sendonly", True), (3, "sendrecv", False)):
        peer.asks_within(answer, "INVITE", cseq=number, body=peer.sdp(f"a={direction}", version=number))
        again = peer.hears(200, cseq="INVITE")
        peer.asks_within(again, "ACK", cseq=number)

        assert engine.hears(CallHeld) == CallHeld(call, held)


def test_holding_is_offered_as_sendonly(engine: EngineAlone, peer: Peer) -> None:
    call = engine.talks_with(peer)

    for action, direction in ((HoldCall(call), "sendonly"), (ResumeCall(call), "sendrecv")):
        engine.performs(action)
        offer = peer.hears("INVITE")
        peer.answers(offer, "200 OK", body=peer.sdp())
        peer.hears("ACK")

        assert offer.direction == direction


def test_a_call_crosses_ipv6() -> None:
    with EngineAlone("::1") as engine, Peer("::1", port=0) as peer:
        engine.places(peer.uri)
        invite = peer.hears("INVITE")
        peer.answers(invite, "200 OK", body=peer.sdp())

        assert engine.hears(CallAnswered)
        assert "[::1]" in invite.header("contact")
        assert "IN IP6 ::1" in invite.body
        assert engine.is_called_by(peer).source == "::1"
