# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What the call engine gives to somebody it does not know: nothing that could be used against its owner."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from omafon.config import LineConfig
from omafon.core.actions import AnswerCall, HangUp, RejectCall, RingCall
from omafon.core.causes import Cause
from omafon.core.events import CallEnded, MessagesWaiting, RegistrationChanged
from tests.lab.addresses import Addresses
from tests.lab.engine import EngineAlone
from tests.lab.peer import Peer
from tests.lab.phone import Phone, Setup

PASSWORD = "correct horse battery staple"
PAUSE = threading.Event()


@pytest.fixture
def stranger(addresses: Addresses) -> Iterator[Peer]:
    with Peer(addresses.fresh()) as peer:
        yield peer


@pytest.fixture
def registrar(addresses: Addresses) -> Iterator[Peer]:
    with Peer(addresses.fresh()) as peer:
        yield peer


@pytest.fixture
def engine(addresses: Addresses) -> Iterator[EngineAlone]:
    with EngineAlone(addresses.fresh()) as engine:
        yield engine


@pytest.fixture
def registered(addresses: Addresses, registrar: Peer) -> Iterator[EngineAlone]:
    """An engine whose line 'home' is registered with `registrar`, and leaves it in peace at the end."""
    line = LineConfig(name="home", aor=f"sip:oma@{registrar.address}", password=PASSWORD, transport="udp", srtp="off")
    with EngineAlone(addresses.fresh(), lines=[line]) as engine:
        proven = registrar.registers()
        assert "response=" in proven.header("authorization")
        assert engine.hears(RegistrationChanged).registered
        yield engine
        with registrar.answering("REGISTER"):
            engine.calls.close()


# Nobody but the line's own registrar gets a digest (RFC 3261 section 22; "SIP digest leak").


def test_a_caller_that_challenges_our_bye_gets_no_digest(registered: EngineAlone, stranger: Peer) -> None:
    call = registered.talks_with(stranger)

    registered.performs(HangUp(call))
    bye = stranger.hears("BYE")
    stranger.challenges(bye)

    stranger.never_hears("BYE", for_s=0.5)
    assert not bye.header("authorization")
    assert not bye.header("proxy-authorization")


def test_a_caller_through_the_line_whose_bye_goes_straight_to_him_gets_no_digest(
    registered: EngineAlone, registrar: Peer, stranger: Peer
) -> None:
    registrar.uri = stranger.uri  # the Contact that the registrar passes on
    call = registered.talks_with(registrar)

    registered.performs(HangUp(call))
    stranger.challenges(stranger.hears("BYE"))

    stranger.never_hears("BYE", for_s=0.5)


def test_a_called_stranger_that_challenges_gets_no_digest(registered: EngineAlone, stranger: Peer) -> None:
    registered.places(stranger.uri)
    stranger.challenges(stranger.hears("INVITE"))

    assert registered.hears(CallEnded).cause is Cause.FORBIDDEN
    stranger.never_hears("INVITE", for_s=0.5)


def test_the_registrar_that_challenges_a_call_gets_its_digest(registered: EngineAlone, registrar: Peer) -> None:
    registered.places(f"sip:opa@{registrar.address}", line="home")
    registrar.challenges(registrar.hears("INVITE"))

    assert "response=" in registrar.hears("INVITE").header("proxy-authorization")


def test_a_wrong_password_is_not_offered_for_ever(addresses: Addresses, registrar: Peer) -> None:
    line = LineConfig(name="home", aor=f"sip:oma@{registrar.address}", password="no", transport="udp", srtp="off")
    with EngineAlone(addresses.fresh(), lines=[line]) as engine:
        registrar.challenges(registrar.hears("REGISTER"), status="401 Unauthorized")
        registrar.challenges(registrar.hears("REGISTER"), status="401 Unauthorized")

        assert engine.hears(RegistrationChanged).cause is Cause.WRONG_PASSWORD
        registrar.never_hears("REGISTER", for_s=1.0)


# What is refused is counted, and told nobody but the owner.


def test_who_is_refused_and_what_is_no_sip_is_counted(tmp_path: Path, addresses: Addresses, stranger: Peer) -> None:
    with Phone(tmp_path, addresses.fresh(), "oma", Setup(accept=("lines",))) as oma:
        place = (oma.address, 5060)
        assert counted(oma) == (0, 0)

        stranger.asks("INVITE", f"sip:oma@{oma.address}", place, body=stranger.sdp())
        stranger.hears(403)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as noise:
            noise.bind((stranger.address, 0))
            noise.sendto(b"INVITE sip:oma SIP/2.0\r\nVia: SIP/2.0/UDP x\r\nCSeq: what\r\n\r\n", place)
            noise.sendto(bytes(range(256)), place)

        # Nobody is told of them unasked.
        deadline = time.monotonic() + 5
        while counted(oma) != (1, 2):
            assert time.monotonic() < deadline, counted(oma)
            PAUSE.wait(0.02)


def counted(phone: Phone) -> tuple[int, int]:
    counters = phone.ask("status")["counters"]
    return counters["refused_strangers"], counters["bad_packets"]


# Who a call comes from.


def test_a_call_from_the_registrar_came_by_the_line(registered: EngineAlone, registrar: Peer) -> None:
    assert registered.is_called_by(registrar).line == "home"


def test_a_call_to_the_lines_user_from_elsewhere_did_not(registered: EngineAlone, stranger: Peer) -> None:
    incoming = registered.is_called_by(stranger)

    assert (incoming.line, incoming.source) == (None, stranger.address)


def test_ids_of_calls_never_repeat(engine: EngineAlone, stranger: Peer) -> None:
    ids = []
    for _ in range(3):
        call = engine.is_called_by(stranger).call
        engine.performs(RejectCall(call, 486))
        stranger.hears(486)
        ids.append(call)

    assert len(set(ids)) == 3


# What is refused.


def test_a_refused_caller_never_hears_that_it_rings(engine: EngineAlone, stranger: Peer) -> None:
    call = engine.is_called_by(stranger).call

    engine.performs(RejectCall(call, 403))
    engine.performs(RingCall(call))
    engine.performs(AnswerCall(call))

    heard = [stranger.hears(100).status, stranger.hears(403).status]
    assert heard == [100, 403]


def test_a_caller_in_quiet_hours_is_told_why_and_when_to_call_again(engine: EngineAlone, stranger: Peer) -> None:
    call = engine.is_called_by(stranger).call

    engine.performs(RejectCall(call, 480, "Quiet Hours", 1800))

    refused = stranger.hears(480)
    assert refused.reason == "Quiet Hours"
    assert refused.header("retry-after") == "1800"


@pytest.mark.parametrize(
    ("method", "headers", "kind"),
    [
        ("MESSAGE", "", "text/plain"),
        ("SUBSCRIBE", "Event: presence\r\nExpires: 600", ""),
        ("SUBSCRIBE", "Event: dialog\r\nExpires: 600", ""),
        ("PUBLISH", "Event: presence\r\nExpires: 600", ""),
        ("REFER", "Refer-To: <sip:premium@example.org>", ""),
    ],
)
def test_a_stranger_is_refused_everything_but_a_call(
    engine: EngineAlone, stranger: Peer, method: str, headers: str, kind: str
) -> None:
    stranger.asks(method, engine.uri(), engine.at, headers=headers, body="hello" if kind else "", kind=kind)
    stranger.asks("OPTIONS", engine.uri(), engine.at)

    # SIP answers in its own time; the OPTIONS that came after it marks the end of our patience.
    answered = [stranger.hears(200)]
    assert answered[0].cseq == "OPTIONS"
    assert answered[0].header("user-agent") in ("", "Omafon")
    stranger.never_hears("NOTIFY", for_s=0.3)


def test_a_caller_cannot_transfer_us(engine: EngineAlone, stranger: Peer) -> None:
    engine.talks_with(stranger)
    answer = stranger.last_answer
    assert answer

    stranger.asks_within(answer, "REFER", headers=f"Refer-To: <sip:premium@{stranger.address}>")

    assert stranger.hears(603, cseq="REFER")
    stranger.never_hears("INVITE", for_s=0.3)


def test_a_stranger_cannot_take_over_a_call(engine: EngineAlone, stranger: Peer, registrar: Peer) -> None:
    engine.talks_with(stranger)
    answer = stranger.last_answer
    assert answer
    ours = answer.header("to").partition(";tag=")[2]
    replaces = f"Replaces: {answer.header('call-id')};to-tag={ours};from-tag=peer"

    registrar.asks("INVITE", engine.uri(), engine.at, headers=replaces, body=registrar.sdp())

    assert registrar.hears(603, cseq="INVITE")
    stranger.never_hears("BYE", for_s=0.3)


def test_waiting_messages_are_believed_from_the_registrar_alone(
    registered: EngineAlone, registrar: Peer, stranger: Peer
) -> None:
    for peer, new in ((stranger, 7), (registrar, 2)):
        peer.asks(
            "NOTIFY",
            registered.uri(),
            registered.at,
            headers="Event: message-summary\r\nSubscription-State: active",
            body=f"Messages-Waiting: yes\r\nVoice-Message: {new}/0\r\n",
            kind="application/simple-message-summary",
        )

    assert registered.hears(MessagesWaiting).new == 2


def test_an_offer_in_the_clear_does_not_ring_where_voice_must_be_encrypted(
    addresses: Addresses, stranger: Peer
) -> None:
    with EngineAlone(addresses.fresh(), srtp="mandatory") as engine:
        stranger.asks("INVITE", engine.uri(), engine.at, body=stranger.sdp())

        assert stranger.hears(488, cseq="INVITE")
        assert not engine.heard.all()
