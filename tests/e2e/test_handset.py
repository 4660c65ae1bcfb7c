# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The handset: what the call engine plays into a real ALSA card, how soon, and for how long it holds the card."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from omafon.core.actions import HangUp
from omafon.core.causes import Tone
from omafon.core.events import CallAnswered, CallId, Driver, DriverFailed, DriverRecovered
from omafon.core.screen import SoundLevels
from omafon.drivers.sip.voice import RETRY_S
from omafon.sim.soundcard import RATE_HZ, SoundCard, level_db
from tests.lab.addresses import Addresses
from tests.lab.engine import EngineAlone
from tests.lab.heard import LabError
from tests.lab.peer import Peer
from tests.lab.sockets import Sockets
from tests.lab.voice import recorded

LOUD = 300
TONE_WITHIN_MS = 150
CLOSED_WITHIN_S = 1.0
BACK_WITHIN_S = 3.0
PAUSE = threading.Event()


@pytest.fixture
def peer(addresses: Addresses) -> Iterator[Peer]:
    with Peer(addresses.fresh()) as peer:
        yield peer


def until(happens: Callable[[], bool], what: str, *, within_s: float) -> float:
    """Seconds until `happens`."""
    began = time.monotonic()
    while not happens():
        if time.monotonic() - began > within_s:
            raise LabError(f"not within {within_s:g} s: {what}")
        # One period of a card: there is nothing new to see before.
        PAUSE.wait(0.01)
    return time.monotonic() - began


def frequencies_hz(card: SoundCard, start: int, seconds: float) -> set[int]:
    """The frequencies that sound, to 5 Hz, of those within 10 dB of the strongest."""
    frames = recorded(card, start, int(seconds * RATE_HZ))
    spectrum = np.abs(np.fft.rfft(frames * np.hanning(len(frames)), RATE_HZ))
    strong = spectrum > spectrum.max() / 3
    peaks = [hz for hz in range(50, 4000) if strong[hz] and spectrum[hz] == spectrum[hz - 4 : hz + 5].max()]
    return {round(hz / 5) * 5 for hz in peaks}


def bursts_ms(card: SoundCard, start: int, seconds: float) -> list[tuple[bool, int]]:
    """Sound (True) and silence in turn with their lengths, to 10 ms, the first and the last left out."""
    frames = recorded(card, start, int(seconds * RATE_HZ))
    loud = np.abs(frames).reshape(-1, RATE_HZ // 100).max(axis=1) > LOUD
    edges = np.flatnonzero(np.diff(loud.astype(int))) + 1
    lengths = np.diff(edges)
    return [(bool(loud[edge]), int(length) * 10) for edge, length in zip(edges, lengths, strict=False)]


@pytest.mark.parametrize(
    ("country", "frequencies"), [("DE", {425}), ("GB", {350, 440}), ("US", {350, 440}), ("FR", {425})]
)
def test_the_dial_tone_is_there_at_once_and_the_countrys(
    engine: EngineAlone, card: SoundCard, country: str, frequencies: set[int]
) -> None:
    lifted = card.now()
    engine.calls.sound(SoundLevels(tone=Tone.DIAL, country=country))

    frames = np.abs(recorded(card, lifted, RATE_HZ // 2))
    first = int(np.argmax(frames > LOUD))
    assert frames.max() > LOUD
    assert first * 1000 / RATE_HZ <= TONE_WITHIN_MS
    assert frequencies_hz(card, lifted + RATE_HZ // 2, 0.5) == frequencies


@pytest.mark.parametrize(
    ("tone", "pair"),
    [
        (Tone.BUSY, [(True, 480), (False, 480)]),
        (Tone.CONGESTION, [(True, 240), (False, 240)]),
        (Tone.RINGBACK, [(False, 4000)]),
        (Tone.WAITING, [(True, 200), (False, 200)]),
        (Tone.ERROR, [(True, 990), (False, 1000)]),
    ],
)
def test_a_tone_has_its_cadence(engine: EngineAlone, card: SoundCard, tone: Tone, pair: list[tuple[bool, int]]) -> None:
    start = card.now()
    engine.calls.sound(SoundLevels(tone=tone, country="DE"))

    heard = bursts_ms(card, start, max(3.2, 1.5 + sum(ms for _, ms in pair) / 1000))

    for loud, expected in pair:
        assert any(was is loud and abs(ms - expected) <= 30 for was, ms in heard), heard


def test_a_tone_that_goes_on_is_not_begun_again(engine: EngineAlone, card: SoundCard) -> None:
    engine.calls.sound(SoundLevels(tone=Tone.BUSY))
    start = card.now()
    for volume in range(70, 60, -1):
        recorded(card, card.now(), RATE_HZ // 10)
        engine.calls.sound(SoundLevels(tone=Tone.BUSY, handset_volume=volume))

    assert all(abs(ms - 480) <= 30 for _, ms in bursts_ms(card, start, 3.0))


def test_the_card_is_open_only_while_something_sounds(engine: EngineAlone, card: SoundCard) -> None:
    assert not card.played(card.now() - RATE_HZ // 10, RATE_HZ // 20)

    engine.calls.sound(SoundLevels(tone=Tone.DIAL))
    until(lambda: card.played(card.now() - 960, 960), "the card is played", within_s=1)
    engine.calls.sound(SoundLevels())

    took_s = until(lambda: not card.played(card.now() - 960, 960), "the card is left", within_s=3)
    assert took_s <= CLOSED_WITHIN_S


def test_the_volume_is_heard(engine: EngineAlone, card: SoundCard) -> None:
    levels = []
    for volume in (70, 40):
        engine.calls.sound(SoundLevels(tone=Tone.DIAL, handset_volume=volume))
        start = card.now() + RATE_HZ // 2
        levels.append(level_db(card.ear(start, len(recorded(card, start, RATE_HZ // 2)))))

    assert levels[0] - levels[1] == pytest.approx(12.0, abs=0.5)


def test_a_call_waits_over_the_voice(engine: EngineAlone, card: SoundCard, peer: Peer) -> None:
    call = engine.talks_with(peer)
    engine.calls.sound(SoundLevels(voice=(call,), tone=Tone.WAITING))

    start = card.now()
    assert [loud for loud, ms in bursts_ms(card, start, 2.0) if abs(ms - 200) <= 30]


def test_the_microphone_is_closed_after_a_call(engine: EngineAlone, card: SoundCard, peer: Peer) -> None:
    call = engine.talks_with(peer)
    engine.calls.sound(SoundLevels(voice=(call,)))
    until(lambda: card.played(card.now() - 960, 960), "the card is played", within_s=1)

    engine.performs(HangUp(call))
    engine.calls.sound(SoundLevels())

    assert until(lambda: not card.played(card.now() - 960, 960), "it is left", within_s=3) <= CLOSED_WITHIN_S


# A card that is not there.


@pytest.mark.parametrize(
    ("voice", "reason"),
    [
        ("CARD=Handset", "there is no sound card 'CARD=Handset'"),
        ("omafon_other", "there is no sound card 'omafon_other'"),
        ("", "this phone has no sound card"),
    ],
)
def test_a_phone_without_its_card_says_so_and_still_calls(
    addresses: Addresses, card: SoundCard, peer: Peer, voice: str, reason: str
) -> None:
    with EngineAlone(addresses.fresh(), voice=voice) as engine:
        assert engine.hears(DriverFailed) == DriverFailed(Driver.VOICE, reason)

        call = engine.places(peer.uri)
        peer.answers(peer.hears("INVITE"), "200 OK", body=peer.sdp())
        assert engine.hears(CallAnswered) == CallAnswered(call)
        engine.calls.sound(SoundLevels(voice=(call,)))


def test_a_phone_without_a_card_on_purpose_says_nothing(addresses: Addresses, peer: Peer) -> None:
    with EngineAlone(addresses.fresh(), voice="null") as engine:
        engine.talks_with(peer)
        engine.calls.sound(SoundLevels(tone=Tone.DIAL, voice=(CallId("in-1"),)))

        with pytest.raises(LabError):
            engine.hears(DriverFailed, within_s=0.3)


def test_a_card_that_is_pulled_out_in_a_call_comes_back(engine: EngineAlone, card: SoundCard, peer: Peer) -> None:
    call = engine.talks_with(peer)
    engine.calls.sound(SoundLevels(voice=(call,)))
    until(lambda: card.played(card.now() - 960, 960), "the card is played", within_s=1)

    card.unplug()

    assert "stopped working" in engine.hears(DriverFailed).reason

    plugged = time.monotonic()
    card.plug()

    assert engine.hears(DriverRecovered) == DriverRecovered(Driver.VOICE)
    until(lambda: card.played(card.now() - 960, 960), "the card is played again", within_s=1)
    assert time.monotonic() - plugged <= BACK_WITHIN_S
    assert engine.calls.fresh(1.0)


def test_a_card_that_comes_too_late_for_ever_is_told_and_costs_next_to_nothing(
    engine: EngineAlone, card: SoundCard, peer: Peer
) -> None:
    call = engine.talks_with(peer)
    engine.calls.sound(SoundLevels(voice=(call,)))
    until(lambda: card.played(card.now() - 960, 960), "the card is played", within_s=1)

    card.lose_pace()

    assert "stopped working" in engine.hears(DriverFailed).reason
    began, used = time.monotonic(), time.process_time()
    PAUSE.wait(2 * RETRY_S + 0.5)
    assert (time.process_time() - used) / (time.monotonic() - began) < 0.1
    # It was opened twice meanwhile, and each time worked no longer than before.
    told = [event for event in engine.heard.all() if isinstance(event, DriverFailed | DriverRecovered)]
    assert told == []

    card.find_pace()

    until(lambda: card.played(card.now() - 960, 960), "the card is played again", within_s=BACK_WITHIN_S)
    assert engine.hears(DriverRecovered) == DriverRecovered(Driver.VOICE)


def test_a_card_that_was_missing_is_found_when_it_is_wanted(engine: EngineAlone, card: SoundCard) -> None:
    card.unplug()
    engine.calls.sound(SoundLevels(tone=Tone.DIAL))
    assert "cannot be opened" in engine.hears(DriverFailed).reason

    card.plug()

    assert engine.hears(DriverRecovered, within_s=5)
    until(lambda: card.played(card.now() - 960, 960), "the card is played", within_s=1)


# A handset known by the USB socket it is in.

SOCKET = "1-1.2"


@pytest.fixture
def sockets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sockets]:
    with SoundCard("one") as one, SoundCard("two") as two:
        yield Sockets(tmp_path, monkeypatch, {"Device": one, "Device_1": two})


@pytest.fixture
def by_socket(addresses: Addresses, sockets: Sockets) -> Iterator[Callable[[], EngineAlone]]:
    with ExitStack() as engines:
        yield lambda: engines.enter_context(EngineAlone(addresses.fresh(), voice=f"USB={SOCKET}", root=sockets.root))


def is_played(card: SoundCard, *, within_s: float) -> None:
    until(lambda: card.played(card.now() - 960, 960), "the card is played", within_s=within_s)


def test_a_handset_pulled_out_in_a_call_and_called_otherwise_by_the_kernel_is_heard_again(
    sockets: Sockets, by_socket: Callable[[], EngineAlone], peer: Peer
) -> None:
    before = sockets.plug("Device", SOCKET)
    engine = by_socket()
    engine.calls.sound(SoundLevels(voice=(engine.talks_with(peer),)))
    is_played(before, within_s=1)

    sockets.empty()

    assert "stopped working" in engine.hears(DriverFailed).reason

    after = sockets.plug("Device_1", SOCKET)

    is_played(after, within_s=BACK_WITHIN_S)
    assert engine.hears(DriverRecovered) == DriverRecovered(Driver.VOICE)


def test_a_handset_plugged_in_during_a_call_is_heard_soon(
    sockets: Sockets, by_socket: Callable[[], EngineAlone], peer: Peer
) -> None:
    engine = by_socket()
    assert engine.hears(DriverFailed) == DriverFailed(Driver.VOICE, f"there is no sound card 'USB={SOCKET}'")
    engine.calls.sound(SoundLevels(voice=(engine.talks_with(peer),)))
    PAUSE.wait(2 * RETRY_S)

    plugged = sockets.plug("Device", SOCKET)

    is_played(plugged, within_s=BACK_WITHIN_S)
    assert engine.hears(DriverRecovered) == DriverRecovered(Driver.VOICE)


def test_handsets_that_have_changed_places_while_nobody_called_are_told_apart(
    sockets: Sockets, by_socket: Callable[[], EngineAlone]
) -> None:
    before = sockets.plug("Device", SOCKET)
    engine = by_socket()
    engine.calls.sound(SoundLevels(tone=Tone.DIAL))
    is_played(before, within_s=1)
    engine.calls.sound(SoundLevels())
    until(lambda: not before.played(before.now() - 960, 960), "it is left", within_s=CLOSED_WITHIN_S)

    after = sockets.plug("Device_1", SOCKET)
    engine.calls.sound(SoundLevels(tone=Tone.DIAL))

    is_played(after, within_s=1)
    assert engine.heard.all() == []


def test_a_handset_that_is_back_while_nobody_calls_is_told(
    sockets: Sockets, by_socket: Callable[[], EngineAlone]
) -> None:
    engine = by_socket()
    engine.hears(DriverFailed)

    sockets.plug("Device", SOCKET)

    assert engine.hears(DriverRecovered, within_s=BACK_WITHIN_S) == DriverRecovered(Driver.VOICE)
