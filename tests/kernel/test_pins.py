# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Keys, hook and lamps on lines of a real kernel, through each way to the pins that gpiozero has here."""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from gpiozero import Factory

from omafon.board import BoardProfile
from omafon.core.events import Event, HookLifted, HookReplaced, Key, KeyPressed, KeyReleased
from omafon.core.screen import Lamp, Lamps
from omafon.drivers.keypad import GpioKeypad
from omafon.drivers.keypad.chip import GpioChip
from omafon.interfaces import DriverError
from tests.lab.heard import Heard
from tests.lab.lines import Hand
from tests.lab.waiting import WAYS, keypad

PRESSES = 60
# 15 ms are the driver's own, until it believes the contact; up to 10 more are this kernel's, whose simulated interrupt
# waits for its tick.
MEDIAN_MS = 30.0


class Keys:
    """The driver, opened, with what it tells."""

    def __init__(self, board: BoardProfile, factory: Factory) -> None:
        self._heard: Heard[tuple[float, object]] = Heard()
        self.driver = keypad(board, self._heard, factory)
        self.driver.open()

    def tells(self, event: Event) -> float:
        """When it told this, in monotonic seconds; it tells nothing else before."""
        at, told = self._heard.until(lambda _: True, f"{event} is told")
        assert told == event
        return at

    def tells_a_stroke(self, hand: Hand, legend: str) -> float:
        """Seconds from the contact to the event."""
        began = time.monotonic()
        hand.presses(legend)
        took_s = self.tells(KeyPressed(Key(legend))) - began
        hand.releases(legend)
        self.tells(KeyReleased(Key(legend)))
        return took_s


@pytest.fixture(params=WAYS)
def factory(request: pytest.FixtureRequest) -> Iterator[Factory]:
    with closing(WAYS[request.param]()) as factory:
        yield factory


@pytest.fixture
def keys(board: BoardProfile, hand: Hand, factory: Factory) -> Iterator[Keys]:
    keys = Keys(board, factory)
    yield keys
    keys.driver.close()


def test_every_key_is_told_by_its_name(keys: Keys, hand: Hand, board: BoardProfile) -> None:
    assert board.keypad
    for legend in (*(legend for row in board.keypad.keys for legend in row), *board.keys):
        keys.tells_a_stroke(hand, legend)


def test_two_keys_are_told_apart(keys: Keys, hand: Hand) -> None:
    for moves, event in ((hand.presses, KeyPressed), (hand.releases, KeyReleased)):
        for legend in ("1", "5"):
            moves(legend)
            keys.tells(event(Key(legend)))


def test_the_hook_is_told(keys: Keys, hand: Hand) -> None:
    hand.lifts()
    keys.tells(HookLifted())
    hand.replaces()
    keys.tells(HookReplaced())


def test_lamps_are_lit_and_go_out(keys: Keys, hand: Hand) -> None:
    for lit in ({"message"}, {"ringer", "line"}, set[str]()):
        keys.driver.light(
            Lamps(**{name: Lamp.ON if name in lit else Lamp.OFF for name in ("message", "ringer", "line")})
        )
        # The driver's thread has come to the lamps when it tells what happened after them.
        keys.tells_a_stroke(hand, "mute")

        assert hand.lit() == lit


def test_a_key_is_told_soon(board: BoardProfile, hand: Hand, record_property: Callable[[str, object], None]) -> None:
    with closing(GpioChip()) as factory:
        keys = Keys(board, factory)
        delays_ms = [1000 * keys.tells_a_stroke(hand, "5") for _ in range(PRESSES)]
        keys.driver.close()

    median_ms = statistics.median(delays_ms)
    record_property("key to event", f"{median_ms:.1f} ms, at most {max(delays_ms):.1f} ms, of {PRESSES}")
    assert median_ms <= MEDIAN_MS


@pytest.mark.parametrize("way", WAYS)
def test_waiting_for_a_key_costs_nothing_but_with_lgpio(
    way: str, board_file: Path, record_property: Callable[[str, object], None]
) -> None:
    command = [sys.executable, "-m", "tests.lab.waiting", way, str(board_file)]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=20).stdout
    wakes_a_second, busy_percent = map(float, said.split())

    record_property(f"waiting, {way}", f"{wakes_a_second:.0f} wake-ups a second, {busy_percent:.1f} % of the processor")
    if way == "lgpio":
        # Should it wait as well one day, decision 8 is due.
        assert wakes_a_second > 100
    else:
        assert wakes_a_second == 0
        assert busy_percent < 0.5


def test_a_pin_that_somebody_has_is_named(board: BoardProfile, keys: Keys) -> None:
    second = GpioKeypad(lambda event: None, hook=board.hook)

    with pytest.raises(DriverError, match=f"the pin {board.hook.pin} cannot be had" if board.hook else ""):
        second.open()
