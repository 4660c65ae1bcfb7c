# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The boot partition as another computer left it: FAT, so names have no case, and no rights protect them."""

import os
from pathlib import Path

from omafon import durable
from omafon.config import ConfigError, Problem
from omafon.machine.erasing import erase

CONFIG = "omafon.toml"
KEYS = "authorized_keys"
RESULT = "omafon-result.txt"

# What an editor that hides the ends of names makes of them.
_HIDDEN_END = ".txt"
# A file that was taken over is called so until it is gone: one half erased is nobody's configuration.
_GOING = ".erasing"


class Card:
    """The folder `place`. All raise OSError."""

    def __init__(self, place: Path) -> None:
        self._place = place

    def find(self, name: str) -> Path | None:
        """The file that is meant by `name`. Raises ConfigError when two are."""
        meant = (name, name + _HIDDEN_END)
        found = [file for file in sorted(self._place.iterdir()) if file.name.lower() in meant and file.is_file()]
        if len(found) > 1:
            both = " and ".join(file.name for file in found)
            raise ConfigError([Problem(f"{both} are both there", "Delete one of the two.", found[0].name)])
        return found[0] if found else None

    def forget(self, file: Path) -> None:
        """Take `file` away, written over; a power cut in between is made good by `tidy`."""
        going = file.with_name(file.name + _GOING)
        file.rename(going)
        durable.sync(self._place)
        erase(going)

    def tidy(self) -> None:
        """Erase what a power cut left half erased."""
        for file in sorted(self._place.glob(f"*{_GOING}")):
            erase(file)

    def told(self) -> str:
        """The result that was last left here; empty where there is none."""
        try:
            return (self._place / RESULT).read_bytes().decode("utf-8", errors="replace")
        except FileNotFoundError:
            return ""

    def tell(self, text: str) -> None:
        """Leave `text` for whom puts the card into another computer: with the line ends that all of them show."""
        new = self._place / f"{RESULT}.new"
        # Nothing of `durable`: FAT knows no owners.
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        with os.fdopen(descriptor, "wb") as output:
            output.write(text.replace("\n", "\r\n").encode("utf-8-sig"))
            output.flush()
            os.fsync(descriptor)
        new.replace(self._place / RESULT)
        durable.sync(self._place)
