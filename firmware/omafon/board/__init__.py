# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""`hw/boards/*.toml`, the hardware described once, becomes a BoardProfile; every error says file, line, key and cure.

`profile` names the keys, `header` knows the 40 pins, `claims` says which pin is used for what, `checking` refuses a
board that cannot work. From a good one `wires` derives what is soldered to what, `diagram` draws it, and `boot` writes
what the Raspberry Pi's firmware and kernel have to know.

The package `omafon` holds the folder as `boards`: a link in a checkout, copies of the files in a wheel.
"""

import json
from pathlib import Path

import msgspec

from omafon.board.checking import together
from omafon.board.profile import (
    BoardProfile,
    DisplayProfile,
    HookProfile,
    KeypadProfile,
    LampProfile,
    RotaryProfile,
    SoundProfile,
)
from omafon.config.checking import ConfigError, Problem
from omafon.config.reading import read, shaped
from omafon.config.rules import did_you_mean, quoted

__all__ = [
    "BOARDS",
    "BoardProfile",
    "DisplayProfile",
    "HookProfile",
    "KeypadProfile",
    "LampProfile",
    "RotaryProfile",
    "SoundProfile",
    "board_names",
    "load_board",
    "parse_board",
    "schema",
]

BOARDS = Path(__file__).parent.with_name("boards")


def board_names() -> list[str]:
    """The boards that come with Omafon."""
    return sorted(file.stem for file in BOARDS.glob("*.toml"))


def load_board(name_or_path: str) -> BoardProfile:
    """The profile of a board of Omafon's, by its name, or of a builder's own, by its file ("./mine.toml").

    Raises ConfigError.
    """
    if "/" in name_or_path or name_or_path.endswith(".toml"):
        path = Path(name_or_path)
        if not path.exists():
            cure = f"Copy the board that is nearest to yours and change it: hw/boards/{board_names()[0]}.toml."
            raise ConfigError([Problem("there is no such file", cure, name_or_path)])
    elif name_or_path in board_names():
        path = BOARDS / f"{name_or_path}.toml"
    else:
        what = f"there is no board {quoted(name_or_path)}"
        raise ConfigError([Problem(what, did_you_mean(name_or_path, board_names()), "hw/boards")])
    return parse_board(read(path), str(path))


def parse_board(text: str, path: str = "board.toml") -> BoardProfile:
    """The board that `text` describes; `path` is what errors call it. Raises ConfigError.

    >>> parse_board('name = "mine"\\n[hook]\\npin = "gpio17"').hook
    HookProfile(pin='gpio17', closed='on-hook')
    """
    return shaped(BoardProfile, text, path, together)[0]


def schema() -> str:
    """The JSON schema (draft 2020-12) of a board's file, for editors that complete and check TOML."""
    shape = {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(BoardProfile)}
    return json.dumps(shape, ensure_ascii=False, indent=2) + "\n"
