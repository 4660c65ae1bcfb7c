# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The boards that Omafon knows, and a builder's own."""

import pytest

from omafon.board import BoardProfile, DisplayProfile, board_names, load_board
from omafon.config import ConfigError


def test_the_virtual_board_has_a_display_and_no_pins():
    assert load_board("virtual") == BoardProfile("virtual", DisplayProfile(128, 64))


@pytest.mark.parametrize("name", board_names())
def test_every_board_can_be_loaded_by_its_own_name(name):
    assert load_board(name).name == name


def test_a_builders_own_board_is_a_file(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('name = "mine"\n')

    assert load_board(str(file)) == BoardProfile("mine")


def test_a_board_nobody_knows_is_an_error_with_a_suggestion():
    with pytest.raises(ConfigError, match='there is no board "virtaul"\n  Did you mean "virtual"\\?'):
        load_board("virtaul")


def test_an_error_in_a_board_has_its_line(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('name = "mine"\n[display]\nwidth = 128\nhieght = 64\n')

    with pytest.raises(ConfigError) as refused:
        load_board(str(file))

    assert [(problem.line, problem.key) for problem in refused.value.problems] == [
        (2, "display.height"),
        (4, "display.hieght"),
    ]
