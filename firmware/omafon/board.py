# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""`hw/boards/*.toml`, the hardware described once, becomes a BoardProfile.

The package holds the folder as `boards`: a link in a checkout, copies of the files in a wheel.
"""

from pathlib import Path

from omafon.config.checking import ConfigError, Problem
from omafon.config.parts import Part
from omafon.config.reading import read, shaped
from omafon.config.rules import did_you_mean, quoted

BOARDS = Path(__file__).with_name("boards")


class DisplayProfile(Part, frozen=True):
    """The glass, in pixels."""

    width: int
    height: int


class BoardProfile(Part, frozen=True):
    """What a board has. A part that is not named is not there."""

    name: str
    display: DisplayProfile | None = None


def board_names() -> list[str]:
    """The boards that come with Omafon."""
    return sorted(file.stem for file in BOARDS.glob("*.toml"))


def load_board(name_or_path: str) -> BoardProfile:
    """The profile of a board of Omafon's, by its name, or of a builder's own, by its file ("./mine.toml").

    Raises ConfigError.
    """
    if "/" in name_or_path or name_or_path.endswith(".toml"):
        path = Path(name_or_path)
    elif name_or_path in board_names():
        path = BOARDS / f"{name_or_path}.toml"
    else:
        what = f"there is no board {quoted(name_or_path)}"
        raise ConfigError([Problem(what, did_you_mean(name_or_path, board_names()), "hw/boards")])
    return shaped(BoardProfile, read(path), str(path))[0]
