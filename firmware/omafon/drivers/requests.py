# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What the phone may not do itself it asks for: a file in a directory that systemd watches, and a unit does it.

The daemon has no right to erase anything but its own; the unit that has takes no word from it but the file's name.
"""

import os
from pathlib import Path

from omafon.core.actions import FactoryReset
from omafon.core.events import ResetFailed
from omafon.interfaces import DriverError, Post

DIRECTORY = Path("/run/omafon-requests")
FACTORY_RESET = "factory-reset"
UPDATE, UPDATE_NOW = "update", "update-now"
_NAMES = {FactoryReset: FACTORY_RESET}


class RequestFiles:
    """Leaves requests in `directory`, which is memory and not a disk: nothing here waits."""

    def __init__(self, post: Post, directory: Path = DIRECTORY) -> None:
        self._post = post
        self._directory = directory

    def open(self) -> None:
        """Nothing yet: a phone that runs by hand has nobody to ask, and needs nobody until it does."""

    def close(self) -> None:
        """Nothing: what was asked for is asked for."""

    def perform(self, action: FactoryReset) -> None:
        try:
            ask(_NAMES[type(action)], self._directory)
        except DriverError as error:
            self._post(ResetFailed(error.what))


def ask(name: str, directory: Path = DIRECTORY) -> None:
    """Leave the request `name`. Raises DriverError when nobody would hear it."""
    try:
        os.close(os.open(directory / name, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o660))
    except FileNotFoundError:
        what = f"there is no {directory}, where the system takes requests"
        raise DriverError(what, "Install the units of Omafon, or run as root: omafon factory-reset --now") from None
    except OSError as error:
        what = f"the request cannot be left in {directory}: {error.strerror}"
        raise DriverError(what, "Ask as the user phone, or as root.") from None
