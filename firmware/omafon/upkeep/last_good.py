# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The configuration the phone last came up with, kept by the phone itself."""

import shutil
from pathlib import Path

from omafon import durable
from omafon.config import ConfigError
from omafon.config.reading import CREDENTIALS
from omafon.upkeep.configuration import Configuration, read_configuration


class LastGood:
    """`STATE/last-good/`: `phone.toml`, and beside it `credentials/` with one secret in each file, all mode 0600.

    `board` is used instead of the one it names.
    """

    def __init__(self, state: Path, board: str | None = None) -> None:
        self._state = state
        self._board = board
        self._place = state / "last-good"
        self._before = state / "last-good.old"

    def load(self) -> Configuration | None:
        """None when there is none, or it is none any more."""
        # A power cut may come between the two renames of `keep`.
        place = self._place if self._place.exists() else self._before
        try:
            return read_configuration(place / "phone.toml", self._board)
        except ConfigError:
            return None

    def keep(self, good: Configuration) -> None:
        """Write `good`, unless it is there already: a power cut leaves the old or the new one whole. Raises OSError."""
        if self._holds(good):
            return
        new = self._state / "last-good.new"
        shutil.rmtree(new, ignore_errors=True)
        for folder in (new, new / CREDENTIALS):
            folder.mkdir(mode=0o700)
        durable.write(new / "phone.toml", good.content)
        for name, secret in good.secrets.items():
            durable.write(new / CREDENTIALS / name, secret.encode())
        durable.sync(new / CREDENTIALS)
        durable.sync(new)
        shutil.rmtree(self._before, ignore_errors=True)
        if self._place.exists():
            self._place.rename(self._before)
        new.rename(self._place)
        durable.sync(self._state)
        shutil.rmtree(self._before, ignore_errors=True)

    def _holds(self, good: Configuration) -> bool:
        try:
            kept = (self._place / "phone.toml").read_bytes()
            secrets = {file.name: file.read_bytes().decode() for file in (self._place / CREDENTIALS).iterdir()}
        except (OSError, ValueError):
            return False
        return (kept, secrets) == (good.content, good.secrets)
