# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What U-Boot makes of boot.scr and the counters: an emulated machine starts, fails, and starts the other slot."""

from pathlib import Path

import pytest

from tests.lab.board_start import EmulatedBoard


@pytest.fixture
def board(tmp_path: Path) -> EmulatedBoard:
    return EmulatedBoard(tmp_path)


def counters(a: int, b: int, order: str) -> str:
    return f"BOOT_A_LEFT={a}\nBOOT_B_LEFT={b}\nBOOT_ORDER={order}\n"


def test_a_new_version_that_never_runs_is_tried_three_times_and_left(board: EmulatedBoard):
    board.running_system_does("set-primary", "B")

    assert board.starts(4) == ["B", "B", "B", "A"]
    assert board.counters == counters(2, 0, "B A")


def test_a_version_that_was_found_good_has_three_tries_again(board: EmulatedBoard):
    board.running_system_does("set-primary", "B")
    board.starts(1)
    tried = board.counters
    board.running_system_does("set-state", "B", "good")

    assert (tried, board.counters) == (counters(3, 2, "B A"), counters(3, 3, "B A"))


def test_a_version_that_was_found_bad_is_not_tried_again(board: EmulatedBoard):
    board.running_system_does("set-primary", "B")
    board.starts(1)
    board.running_system_does("set-primary", "A")
    board.running_system_does("set-state", "B", "bad")

    assert board.starts(1) == ["A"]


def test_a_telephone_whose_slots_all_failed_goes_on_trying(board: EmulatedBoard):
    board.holds(counters(0, 0, "A B"))

    assert board.starts(1) == ["A"]
    assert board.counters == counters(2, 3, "A B")


def test_a_slot_without_a_kernel_gives_way_to_the_other(tmp_path: Path):
    board = EmulatedBoard(tmp_path, empty="B")
    board.holds(counters(3, 1, "B A"))

    assert board.starts(1) == ["A"], "it starts anew by itself"
    assert board.counters == counters(2, 0, "B A")


@pytest.mark.parametrize("left", [None, "BOOT_A_LEFT=2\nBOOT_ORD"])
def test_counters_that_a_power_cut_damaged_start_the_first_slot(board: EmulatedBoard, left: str | None):
    board.holds(left)

    assert board.starts(1) == ["A"]
    assert board.counters == counters(2, 3, "A B")
