# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Millions of edges of worn contacts: no key is lost, doubled or made up, and no hook or dial is misread."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from heapq import merge

import pytest

from omafon.core.events import Event, HookLifted, HookReplaced, Key, KeyPressed, KeyReleased
from omafon.drivers.keypad.debouncer import SCAN_S, Debouncer
from omafon.drivers.keypad.faults import Faults
from omafon.drivers.keypad.hook import FLASH_MAX_S, FLASH_MIN_S, HookSwitch
from omafon.drivers.keypad.rotary import RotaryDial
from tests.lab.edges import BOUNCE_S, Train, moves, played

ROWS = COLUMNS = 4
ROW_S = 0.0002
"""A scan reads the rows one after the other."""
SLOWEST_S = BOUNCE_S + 3 * (SCAN_S + ROWS * ROW_S)


@dataclass
class Stroke:
    """A finger on a key, and what was told of it."""

    key: int
    down: float
    up: float
    alone: bool
    pressed: list[float] = field(default_factory=list)
    released: list[float] = field(default_factory=list)


@cache
def as_read(closed: int) -> tuple[int, ...]:
    """What each row shows of the contacts that are closed: current also flows by way of other rows."""
    rows = [closed >> row * COLUMNS & 15 for row in range(ROWS)]
    shown = []
    for row in rows:
        reached, before = row, -1
        while reached != before:
            before = reached
            for other in rows:
                if other & reached:
                    reached |= other
        shown.append(reached)
    return tuple(shown)


def strokes(chance: random.Random, count: int) -> Iterator[list[Stroke]]:
    """Hands at work: one, two or three keys that overlap, then all are let go."""
    at = 1.0
    while count > 0:
        keys = chance.sample(range(ROWS * COLUMNS), chance.choice((1, 1, 1, 2, 2, 3)))
        cornered = len(keys) == 3 and any(
            {key // COLUMNS for key in keys if key != corner} & {corner // COLUMNS}
            and {key % COLUMNS for key in keys if key != corner} & {corner % COLUMNS}
            for corner in keys
        )
        downs = [at + chance.random() * 0.05 for _ in keys]
        ups = [down + 0.04 + chance.random() * 0.08 for down in downs]
        yield [Stroke(*stroke, alone=not cornered) for stroke in zip(keys, downs, ups, strict=True)]
        count -= len(keys)
        at += 0.25


def touched(stroke: Stroke, chance: random.Random) -> Train:
    return moves(stroke.down, True, chance) + moves(stroke.up, False, chance)


def scanned(hand: list[Stroke], chance: random.Random, debouncer: Debouncer) -> int:
    """Let a hand press its keys while the debouncer looks; the number of edges there were."""
    trains = ([(at, 1 << stroke.key, closes) for at, closes in touched(stroke, chance)] for stroke in hand)
    edges = list(merge(*trains))
    by_key = {stroke.key: stroke for stroke in hand}
    closed, index = 0, 0
    while index < len(edges) or debouncer.deadline is not None:
        if debouncer.deadline is None:
            # Every row is driven: the next edge wakes the scanner.
            debouncer.wake(edges[index][0])
        assert debouncer.deadline is not None
        now, read = debouncer.deadline, 0
        for row in range(ROWS):
            while index < len(edges) and edges[index][0] <= now + row * ROW_S:
                _, bit, closes = edges[index]
                closed = closed | bit if closes else closed & ~bit
                index += 1
            read |= as_read(closed)[row] << row * COLUMNS
        pressed, released = debouncer.scan(read, now + ROWS * ROW_S)
        if debouncer.deadline is None and closed:
            # It closed while other rows were read: driving every row again shows it.
            debouncer.wake(now + SCAN_S)
        while pressed | released:
            bit = (pressed | released) & -(pressed | released)
            stroke = by_key[bit.bit_length() - 1]
            (stroke.pressed if pressed & bit else stroke.released).append(now)
            pressed, released = pressed & ~bit, released & ~bit
    return len(edges)


@pytest.mark.parametrize("seed", [1, 2])
def test_no_key_is_lost_doubled_or_made_up(seed: int):
    chance = random.Random(seed)
    debouncer = Debouncer(ROWS, COLUMNS)
    edges, latest_s = 0, 0.0

    for hand in strokes(chance, 100_000):
        edges += scanned(hand, chance, debouncer)
        for stroke in hand:
            assert len(stroke.pressed) == len(stroke.released) <= 1, stroke
            if stroke.alone:
                # A key the debouncer may doubt is told late, or not at all; every other is told at once.
                [pressed], [released] = stroke.pressed, stroke.released
                assert stroke.down < pressed < released, stroke
                latest_s = max(latest_s, pressed - stroke.down, released - stroke.up)
            elif stroke.pressed:
                assert stroke.down < stroke.pressed[0] < stroke.up + SLOWEST_S, stroke

    assert edges > 900_000
    assert latest_s <= SLOWEST_S


def test_no_flash_is_taken_for_hanging_up_nor_the_other_way():
    chance = random.Random(3)
    switch = HookSwitch()
    lifted = played(switch, [(1.0, partial(switch.edge, True))])
    edges, at = 0, 2.0

    for _ in range(80_000):
        down_s = chance.choice((0.03, 0.07, 0.09, 0.3, 0.48, 0.52, 0.7))
        train = moves(at, False, chance) + moves(at + down_s, True, chance)
        edges += len(train)

        said = [event for _, event in played(switch, [(when, partial(switch.edge, up)) for when, up in train])]

        assert said == hook_down_for(down_s), (at, down_s)
        at += down_s + 0.1 + chance.random()
    assert [event for _, event in lifted] == [HookLifted()]
    assert edges > 900_000


def hook_down_for(down_s: float) -> list[Event]:
    if down_s < FLASH_MIN_S:
        return []
    if down_s <= FLASH_MAX_S:
        return [KeyPressed(Key.FLASH), KeyReleased(Key.FLASH)]
    return [HookReplaced(), HookLifted()]


@pytest.mark.parametrize("off_normal", [True, False])
def test_no_digit_of_a_rotary_dial_is_misread(off_normal: bool):
    chance = random.Random(4)
    dial = RotaryDial(Faults(), off_normal=off_normal)
    edges, at = 0, 1.0

    for _ in range(15_000):
        pulses, period_s, broken = chance.randint(1, 10), 1 / chance.uniform(8, 12), chance.uniform(0.33, 0.67)
        starts = [at + 0.2 + index * period_s for index in range(pulses)]
        rests_at = starts[-1] + period_s + 0.02
        train = [
            (when, partial(dial.pulse_edge, open_))
            for start in starts
            for when, open_ in moves(start, True, chance) + moves(start + broken * period_s, False, chance)
        ]
        if off_normal:
            away = moves(at, True, chance) + moves(rests_at, False, chance)
            train = sorted(
                train + [(when, partial(dial.off_normal_edge, is_away)) for when, is_away in away], key=first
            )
        edges += len(train)

        said = [event for _, event in played(dial, train)]

        key = Key(str(pulses % 10))
        assert said == [KeyPressed(key), KeyReleased(key)], (at, pulses, period_s, broken)
        at = rests_at + 0.5
    assert edges > 900_000


def first(edge: tuple[float, object]) -> float:
    return edge[0]
