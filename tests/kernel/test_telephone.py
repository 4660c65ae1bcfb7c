# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The whole telephone on a real kernel: a call that a finger dials on pins, its voice, bell, lamps and display."""

import base64
import re
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import accumulate
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from omafon.board import BoardProfile
from omafon.sim.soundcard import RATE_HZ
from tests.lab.addresses import Addresses
from tests.lab.glass import Ssd1306, feed, shows
from tests.lab.heard import LabError
from tests.lab.i2c import BusTrace
from tests.lab.lines import Hand
from tests.lab.loopback import LoopbackCard
from tests.lab.phone import Json, Phone, Setup
from tests.lab.voice import Card, Measurement, Saying, recorded

NUMBER = "030123456"
LOUD = 300
# One processor, half as fast as the machine's, and cards that move on every 10 ms only: how soon and how whole is
# measured strictly outside, here it shall be right, once in a few times where the machine does something else beside.
TRIES = 3
MAX_DELAY_MS, MAX_GAPS_MS = 400, 80
BELL_BEGINS_MS, BELL_ENDS_MS = 600, 500
PAUSE = threading.Event()


@pytest.fixture(scope="module")
def addresses() -> Addresses:
    return Addresses()


@pytest.fixture(scope="module")
def handset() -> Iterator[LoopbackCard]:
    with LoopbackCard("Handset", 0) as card:
        yield card


@pytest.fixture(scope="module")
def speaker() -> Iterator[LoopbackCard]:
    with LoopbackCard("Speaker", 1) as card:
        yield card


@pytest.fixture(scope="module")
def bus(board: BoardProfile) -> Iterator[BusTrace]:
    """The display's, listened to from before the telephone starts."""
    assert board.display
    with BusTrace(board.display.controller, board.display.address) as bus:
        yield bus


@pytest.fixture(scope="module")
def the_opa(tmp_path_factory: pytest.TempPathFactory, addresses: Addresses) -> Iterator[Phone]:
    with Phone(tmp_path_factory.mktemp("opa"), addresses.fresh(), "opa") as phone:
        yield phone


@pytest.fixture(scope="module")
def the_oma(
    tmp_path_factory: pytest.TempPathFactory,
    addresses: Addresses,
    board_file: Path,
    hand: Hand,
    bus: BusTrace,
    handset: LoopbackCard,
    speaker: LoopbackCard,
    the_opa: Phone,
) -> Iterator[Phone]:
    contacts = [{"name": "Opa", "number": "+4930123456", "uri": the_opa.uri}]
    setup = Setup(contacts=contacts, has_card=False, board=board_file, more={"audio": {"voice": ""}})
    with Phone(tmp_path_factory.mktemp("oma"), addresses.fresh(), "oma", setup) as phone:
        yield phone


@pytest.fixture
def opa(the_opa: Phone) -> Iterator[Phone]:
    """The far end: a telephone on the virtual board."""
    yield the_opa
    the_opa.replaces()
    the_opa.is_idle()


@pytest.fixture
def oma(the_oma: Phone, hand: Hand) -> Iterator[Phone]:
    """The telephone on the kernel's pins, bus and cards. Opa is in its phone book."""
    yield the_oma
    hand.replaces()
    the_oma.is_idle()


def types(hand: Hand, oma: Phone, digits: str) -> None:
    """Hold each key until the telephone shows its digit; no digit may follow itself."""
    for shown in accumulate(digits):
        with hand.holds(shown[-1]):
            oma.until(partial(shows_digits, shown), f"shows {shown}")


def shows_digits(digits: str, status: Json) -> bool:
    return digits in re.sub(r"\D", "", status["screen"][1])


def until(happens: Callable[[], bool], what: str, *, within_s: float = 5.0) -> None:
    deadline = time.monotonic() + within_s
    while not happens():
        if time.monotonic() > deadline:
            raise LabError(f"not within {within_s:g} s: {what}")
        PAUSE.wait(0.01)


def talk(hand: Hand, oma: Phone, opa: Phone) -> None:
    """Oma lifts and calls Opa, who answers."""
    hand.lifts()
    oma.is_("dialing")
    types(hand, oma, NUMBER)
    with hand.holds("#"):
        opa.is_called()
    opa.lifts()
    oma.is_in_a_call()
    opa.is_in_a_call()


def voices(one: Card, other: Card) -> tuple[Measurement, Measurement]:
    """What comes of a voice of 1000 Hz from one end to the other, and of one of 440 Hz back."""
    for _ in range(TRIES):
        high, low = Saying(one, 1000), Saying(other, 440)
        there, back = high.heard_by(other), low.heard_by(one)
        if is_right(there, 1000) and is_right(back, 440):
            break
    return there, back


def is_right(voice: Measurement, frequency_hz: int) -> bool:
    return (
        abs(voice.frequency_hz - frequency_hz) <= 2
        and abs(voice.level_db) <= 3
        and voice.gaps_ms <= MAX_GAPS_MS
        and 20 < voice.delay_ms < MAX_DELAY_MS
    )


def test_a_number_dialled_on_the_pins_is_called_and_voices_cross_both_ways(
    oma: Phone, opa: Phone, hand: Hand, handset: LoopbackCard, record_property: Callable[[str, object], None]
) -> None:
    assert set(oma.status["drivers"].values()) == {"ok"}
    talk(hand, oma, opa)
    assert opa.card
    assert hand.lit() == {"line"}

    said, answered = voices(handset, opa.card)

    record_property("voice, 1000 Hz", str(said))
    record_property("voice, 440 Hz", str(answered))
    assert is_right(said, 1000), said
    assert is_right(answered, 440), answered


def test_the_bell_rings_on_its_own_card_with_its_lamp_and_lifting_silences_it(
    oma: Phone, opa: Phone, hand: Hand, speaker: LoopbackCard, record_property: Callable[[str, object], None]
) -> None:
    opa.dials(oma.uri)
    oma.is_called()
    before = speaker.now() - RATE_HZ // 10
    loud = np.abs(recorded(speaker, before, RATE_HZ)) > LOUD
    assert loud.any()
    until(lambda: "ringer" in hand.lit(), "the bell's lamp is lit")
    until(lambda: "ringer" not in hand.lit(), "it goes out, for it blinks")

    lifted = speaker.now()
    hand.lifts()
    oma.is_in_a_call()

    began_ms = int(np.argmax(loud)) * 1000 / RATE_HZ - 100
    after = np.flatnonzero(np.abs(recorded(speaker, lifted, RATE_HZ)) > LOUD)
    ended_ms = int(after[-1]) * 1000 / RATE_HZ if len(after) else 0
    record_property("bell", f"{began_ms:.0f} ms after the call, silent {ended_ms:.0f} ms after lifting")
    assert began_ms <= BELL_BEGINS_MS
    assert ended_ms <= BELL_ENDS_MS
    assert hand.lit() == {"line"}


def test_what_goes_over_the_bus_makes_the_picture_the_telephone_shows(bus: BusTrace, oma: Phone, hand: Hand) -> None:
    hand.lifts()
    oma.is_("dialing")
    types(hand, oma, NUMBER)

    until(lambda: shows(glass(bus), frame(oma)), "the glass shows what the telephone shows")


def test_a_card_pulled_out_in_a_call_is_told_and_comes_back_with_the_voice(
    oma: Phone, opa: Phone, hand: Hand, handset: LoopbackCard, record_property: Callable[[str, object], None]
) -> None:
    talk(hand, oma, opa)
    assert opa.card

    handset.unplug()
    oma.until(lambda status: status["drivers"]["voice"] != "ok", "says that the card is gone")
    handset.plug()

    plugged = time.monotonic()
    status = oma.until(lambda status: status["drivers"]["voice"] == "ok", "has its card again")
    record_property("card back", f"{time.monotonic() - plugged:.1f} s after it was plugged in")
    assert [call["state"] for call in status["calls"]] == ["in_call"]
    said, answered = voices(handset, opa.card)
    assert is_right(said, 1000), said
    assert is_right(answered, 440), answered


def glass(bus: BusTrace) -> Ssd1306:
    """A display that was sent all that went over the bus."""
    chip = Ssd1306()
    for control, content in bus.messages():
        feed(chip, control, content)
    return chip


def frame(phone: Phone) -> Image.Image:
    screen = phone.ask("screen")
    return Image.frombytes("1", (screen["width"], screen["height"]), base64.b64decode(screen["frame"]))
