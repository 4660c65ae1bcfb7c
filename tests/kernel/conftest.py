# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A telephone on a real kernel: its pins, bus and cards are simulated by the kernel's own drivers, below ours.

These tests run inside that kernel: `tests/kernel/run` starts it with them. Nowhere else are they collected.
"""

from pathlib import Path

import pytest

from omafon.board import BoardProfile, load_board
from tests.lab.lines import CONTACTS, Hand

collect_ignore_glob = [] if CONTACTS.exists() else ["test_*.py"]

BOARDS = Path(__file__).parents[2] / "hw" / "boards"
SOUND = '[sound]\nvoice = "CARD=Handset"\nringer = "CARD=Speaker"\n'


@pytest.fixture(scope="session")
def board_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """mk1 with two loop-back cards in the place of its codec."""
    profile = (BOARDS / "mk1.toml").read_text(encoding="utf-8")
    file = tmp_path_factory.mktemp("board") / "mk1.toml"
    file.write_text(profile.partition("[sound]")[0] + SOUND, encoding="utf-8")
    return file


@pytest.fixture(scope="session")
def board(board_file: Path) -> BoardProfile:
    return load_board(str(board_file))


@pytest.fixture(scope="session")
def hand(board: BoardProfile) -> Hand:
    return Hand(board)
