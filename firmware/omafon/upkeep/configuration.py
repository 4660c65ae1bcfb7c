# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A configuration as it was found on the disk: read, checked, and ready to be taken."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

from msgspec.structs import replace

from omafon.board import BoardProfile, load_board
from omafon.config import Config, ConfigError, PhoneConfig, Problem, load, settings
from omafon.config.reading import read, resolved, spelled
from omafon.core.settings import Settings
from omafon.interfaces import DriverError


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a phone runs with.

    `file` is as the owner calls it, `generation` the number of its directory (`generations/N/`) or None, `content` what
    stands in it and `secrets` the credentials it names. In `config` passwords are what they are, wherever they came
    from: a line whose password only moved has not changed.
    """

    config: Config
    board: BoardProfile
    settings: Settings
    file: Path
    generation: int | None
    content: bytes = field(repr=False)
    secrets: dict[str, str] = field(repr=False)

    @property
    def sha256(self) -> str:
        """Of the file's content, in hexadecimal; empty where there is none."""
        return hashlib.sha256(self.content).hexdigest() if self.content else ""


Read = Callable[[], Configuration]
"""Reads what the owner wrote last. May take seconds: not on the loop. Raises ConfigError."""

Check = Callable[[Config], None]
"""Asks the drivers what only they know to be wrong. Raises DriverError."""


def read_configuration(file: Path, board: str | None = None, check: Check | None = None) -> Configuration:
    """The configuration in `file`; `board` is used instead of the one it names. Raises ConfigError.

    A link is followed once: all of it is of one generation, whatever is switched meanwhile.
    """
    found = resolved(file) if file.is_symlink() else file
    content = _content(found)
    config = load(found)
    if board is not None:
        config = replace(config, phone=replace(config.phone, board=board))
    profile = load_board(config.phone.board)
    if check is not None:
        try:
            check(config)
        except DriverError as error:
            raise ConfigError([Problem(error.what, error.cure, str(file))]) from None
    secrets = {line.password_credential: line.password for line in config.line if line.password_credential}
    secrets |= {wifi.password_credential: wifi.password for wifi in config.wifi if wifi.password_credential}
    publish = config.enum.publish
    if publish is not None and publish.key_credential:
        secrets[publish.key_credential] = publish.key_secret
    update = config.family.update
    if update is not None and update.key_credential:
        secrets[update.key_credential] = update.key_secret
    config = replace(config, line=tuple(replace(line, password_credential="") for line in config.line))
    return Configuration(config, profile, settings(config), file, generation_of(found), content, secrets)


def generation_of(found: Path) -> int | None:
    """
    >>> generation_of(Path("/etc/omafon/generations/12/phone.toml"))
    12
    >>> generation_of(Path("/home/oma/phone.toml"))
    """
    number = found.parent.name
    return int(number) if found.parent.parent.name == "generations" and re.fullmatch("[0-9]{1,9}", number) else None


def salvaged(file: Path, board: str | None = None) -> Configuration:
    """A phone without lines that has the display and the language of a file in which something else is wrong.

    Never raises: what cannot be made out is that of a phone without hardware.
    """
    try:
        text = read(file)
    except ConfigError:
        text = ""
    language = "en" if spelled("language", text) == "en" else "de"
    phone = PhoneConfig(
        board=board or spelled("board", text) or "virtual", language=cast(Literal["de", "en"], language)
    )
    try:
        profile = load_board(phone.board)
    except ConfigError:
        phone = replace(phone, board="virtual")
        profile = load_board(phone.board)
    config = Config(phone=phone)
    config = replace(config, enum=replace(config.enum, trees=()))
    return Configuration(config, profile, settings(config), file, None, b"", {})


def _content(file: Path) -> bytes:
    """As `load` will read it, unless somebody writes into it just now. Empty when `load` will say why not."""
    try:
        return file.read_bytes()
    except (OSError, ValueError):
        return b""
