# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What edges and time mean to the keypad: bounce, flash, pulses, long presses, told without a pin or a clock."""

import random
from functools import partial

import pytest

from omafon.core.events import (
    Driver,
    DriverFailed,
    DriverRecovered,
    Event,
    HookLifted,
    HookReplaced,
    Key,
    KeyHeld,
    KeyPressed,
    KeyReleased,
)
from omafon.core.screen import Lamp
from omafon.drivers.keypad.debouncer import LYING_S, LYING_SCAN_S, SCAN_S, STILL_S, STILL_SCAN_S, Debouncer
from omafon.drivers.keypad.faults import Faults
from omafon.drivers.keypad.hook import HookSwitch
from omafon.drivers.keypad.lamps import is_lit, turns_at
from omafon.drivers.keypad.rotary import RotaryDial
from omafon.drivers.keypad.strokes import Strokes
from tests.lab.edges import Told, Train, moves, played

FLASH = [KeyPressed(Key.FLASH), KeyReleased(Key.FLASH)]

# The hook.


def hooked(*trains: Train) -> Told:
    """What the switch says of these movements; closed is lifted."""
    switch = HookSwitch()
    edges = [(at, partial(switch.edge, lifted)) for train in trains for at, lifted in train]
    return played(switch, edges)


def words(said: Told) -> list[Event]:
    return [event for _, event in said]


def test_lifting_is_told_as_soon_as_the_contact_is_quiet():
    [(at, event)] = hooked(moves(1.0, True))

    assert event == HookLifted()
    assert at == pytest.approx(1.012)


def test_replacing_is_told_half_a_second_later_for_it_may_become_a_flash():
    (_, (at, event)) = hooked(moves(1.0, True), moves(2.0, False))

    assert event == HookReplaced()
    assert at == pytest.approx(2.5)


@pytest.mark.parametrize(
    ("down_ms", "told"),
    [
        (5, []),
        (40, []),
        (79, []),
        (81, FLASH),
        (250, FLASH),
        (499, FLASH),
        (501, [HookReplaced(), HookLifted()]),
        (2000, [HookReplaced(), HookLifted()]),
    ],
)
@pytest.mark.parametrize("seed", [None, 1, 2, 3])
def test_how_long_the_hook_is_down_says_what_it_means(down_ms: int, told: list[Event], seed: int | None):
    chance = None if seed is None else random.Random(seed)
    up = 2.0 + down_ms / 1000
    bounces_s = min(0.01, down_ms / 4000)

    said = hooked(moves(1.0, True, chance), moves(2.0, False, chance, bounces_s), moves(up, True, chance))

    assert words(said) == [HookLifted(), *told]


def test_a_hook_that_only_rattles_is_nothing():
    assert hooked([(1 + index / 500, index % 2 == 0) for index in range(100)]) == []


# The rotary dial.


def dialled(pulses: int, *, hz: float = 10, broken: float = 0.6, chance: random.Random | None = None) -> Train:
    """The pulse contact of a dial that was wound up and let go at 1 s, as (time, broken)."""
    period = 1 / hz
    starts = [1.0 + index * period for index in range(pulses)]
    return [edge for at in starts for edge in moves(at, True, chance) + moves(at + broken * period, False, chance)]


def heard(train: Train, *, off_normal: bool, rests_at: float) -> list[Event]:
    dial = RotaryDial(Faults(), off_normal=off_normal)
    edges = [(at, partial(dial.pulse_edge, broken)) for at, broken in train]
    if off_normal:
        edges += [(0.5, partial(dial.off_normal_edge, True)), (rests_at, partial(dial.off_normal_edge, False))]
    return words(played(dial, sorted(edges, key=lambda edge: edge[0])))


@pytest.mark.parametrize("off_normal", [True, False])
@pytest.mark.parametrize("hz", [8, 10, 12])
@pytest.mark.parametrize("broken", [0.33, 0.6, 0.67])
@pytest.mark.parametrize("seed", [None, 4])
def test_every_digit_is_counted_at_every_speed(off_normal: bool, hz: float, broken: float, seed: int | None):
    chance = None if seed is None else random.Random(seed)
    for pulses in range(1, 11):
        train = dialled(pulses, hz=hz, broken=broken, chance=chance)

        key = Key(str(pulses % 10))
        assert heard(train, off_normal=off_normal, rests_at=train[-1][0] + 0.02) == [KeyPressed(key), KeyReleased(key)]


@pytest.mark.parametrize("off_normal", [True, False])
def test_eleven_pulses_are_no_digit(off_normal: bool):
    train = dialled(11)

    assert heard(train, off_normal=off_normal, rests_at=3.0) == []


def test_a_dial_that_is_wound_and_returned_without_a_pulse_dials_nothing():
    assert heard([], off_normal=True, rests_at=1.0) == []


def test_what_the_pulse_contact_does_while_the_dial_rests_is_nothing():
    assert heard(dialled(3), off_normal=True, rests_at=0.9) == []


def test_a_contact_that_stays_broken_is_no_pulse():
    assert heard([(1.0, True), (1.4, False)], off_normal=False, rests_at=0) == []


def test_two_digits_without_an_off_normal_contact_are_told_apart_by_the_gap_between_them():
    first = dialled(2)
    second = [(at + 0.6, broken) for at, broken in dialled(3)]

    pressed = [
        event.key for event in heard(first + second, off_normal=False, rests_at=0) if isinstance(event, KeyPressed)
    ]

    assert pressed == [Key.DIGIT_2, Key.DIGIT_3]


def test_a_dial_that_does_not_come_back_is_a_fault_until_it_does():
    assert heard([], off_normal=True, rests_at=40.0) == [
        DriverFailed(Driver.KEYPAD, "the dial is stuck"),
        DriverRecovered(Driver.KEYPAD),
    ]


# Keys that are down.


def test_a_key_that_is_stuck_is_released_and_told_and_recovers_when_it_comes_loose():
    strokes = Strokes(Faults())
    pressed = strokes.pressed(5, Key.DIGIT_5, 0.0)

    told = words(played(strokes, []))
    loose = strokes.released(5)

    assert pressed == (KeyPressed(Key.DIGIT_5),)
    assert told == [
        KeyHeld(Key.DIGIT_5),
        KeyReleased(Key.DIGIT_5),
        DriverFailed(Driver.KEYPAD, "key 5 is stuck"),
    ]
    assert loose == (DriverRecovered(Driver.KEYPAD),)


def test_two_faults_are_told_one_after_the_other():
    strokes = Strokes(Faults())
    strokes.pressed(1, Key.CALL, 0.0)
    strokes.pressed(2, Key.END, 1.0)
    played(strokes, [])

    assert strokes.released(2) == (DriverFailed(Driver.KEYPAD, "key call is stuck"),)
    assert strokes.released(1) == (DriverRecovered(Driver.KEYPAD),)


def test_repeats_begin_after_half_a_second_and_come_seven_times_a_second():
    strokes = Strokes(Faults())
    strokes.pressed(0, Key.UP, 0.0)

    times = [at for at, event in played(strokes, []) if isinstance(event, KeyPressed)]

    assert times[:3] == pytest.approx([0.5, 0.65, 0.8])


def test_every_press_has_its_release_when_all_is_let_go():
    strokes = Strokes(Faults())
    for contact, key in enumerate(Key):
        strokes.pressed(contact, key, 0.0)

    assert strokes.let_go() == tuple(KeyReleased(key) for key in Key)
    assert strokes.let_go() == ()


# Scans.


def test_a_key_is_believed_when_three_scans_agree():
    debouncer = Debouncer(1, 1)

    assert [debouncer.scan(1, scan * SCAN_S) for scan in range(3)] == [(0, 0), (0, 0), (1, 0)]
    assert [debouncer.scan(0, 1 + scan * SCAN_S) for scan in range(3)] == [(0, 0), (0, 0), (0, 1)]


def test_a_scan_that_disagrees_starts_the_count_anew():
    debouncer = Debouncer(1, 1)

    assert [debouncer.scan(closed, 0.0) for closed in (1, 1, 0, 1, 1)] == [(0, 0)] * 5


@pytest.mark.parametrize("closed", [0b0011_0011, 0b1001_1001, 0b1111_1111])
def test_a_rectangle_presses_nothing(closed: int):
    debouncer = Debouncer(2, 4)

    assert [debouncer.scan(closed, 0.0) for _ in range(9)] == [(0, 0)] * 9


def test_the_corner_between_two_keys_is_not_believed_while_the_fourth_bounces():
    debouncer = Debouncer(2, 4)

    assert [debouncer.scan(0b0001_0011, 0.0) for _ in range(3)][-1] == (0b0001_0010, 0)


def test_a_key_that_was_down_before_the_rectangle_is_released_as_soon_as_it_reads_open():
    debouncer = Debouncer(2, 4)
    for closed in (0b0001, 0b0001, 0b0001, 0b0011_0011, 0b0011_0011, 0b0011_0011):
        debouncer.scan(closed, 0.0)

    assert [debouncer.scan(0b0001_0010, 0.0) for _ in range(3)][-1] == (0b0001_0010, 0b0001)


@pytest.mark.parametrize("closed", [0b1111, 0b0001_0001_0001, 0b0001_0010_0100_1000])
def test_keys_in_one_row_one_column_or_a_diagonal_are_all_believed(closed: int):
    debouncer = Debouncer(4, 4)

    assert [debouncer.scan(closed, 0.0) for _ in range(3)][-1] == (closed, 0)


def test_extra_keys_are_in_no_rectangle():
    debouncer = Debouncer(1, 2)

    assert [debouncer.scan(0b1111, 0.0) for _ in range(3)][-1] == (0b1111, 0)


def test_the_longer_nothing_moves_the_rarer_is_the_look():
    debouncer = Debouncer(1, 1)
    waits = []
    now = 0.0
    for _ in range(2000):
        debouncer.scan(1, now)
        assert debouncer.deadline is not None
        waits.append((now, debouncer.deadline - now))
        now = debouncer.deadline

    assert {round(wait, 3) for at, wait in waits if at < STILL_S} == {SCAN_S}
    assert {round(wait, 3) for at, wait in waits if STILL_S < at < LYING_S} == {STILL_SCAN_S}
    assert {round(wait, 3) for at, wait in waits if at > LYING_S} == {LYING_SCAN_S}


def test_a_book_on_the_keys_is_looked_at_rarely_too():
    debouncer = Debouncer(2, 2)
    debouncer.scan(0b1111, 0.0)

    debouncer.scan(0b1111, 60.0)

    assert debouncer.deadline == pytest.approx(60.0 + LYING_SCAN_S)


def test_nothing_is_looked_at_while_nothing_is_down():
    debouncer = Debouncer(2, 2)

    debouncer.scan(0, 0.0)

    assert debouncer.deadline is None


# Lamps.


@pytest.mark.parametrize(("lamp", "half_s"), [(Lamp.BLINK, 0.3), (Lamp.BREATHE, 1.5)])
def test_a_lamp_with_a_rhythm_is_lit_half_of_the_time(lamp: Lamp, half_s: float):
    now = 1000.0
    for _ in range(20):
        turns = turns_at(lamp, now)
        assert turns is not None
        assert now < turns <= now + half_s
        assert is_lit(lamp, turns + 1e-6) is not is_lit(lamp, turns - 1e-6)
        now = turns + 1e-6


def test_a_lamp_without_a_rhythm_never_wakes_anybody():
    assert turns_at(Lamp.ON, 5.0) is None
    assert turns_at(Lamp.OFF, 5.0) is None
    assert is_lit(Lamp.ON, 5.0)
    assert not is_lit(Lamp.OFF, 5.0)
