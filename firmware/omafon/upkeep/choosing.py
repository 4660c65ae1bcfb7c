# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What a phone starts with: what the owner wrote, what it last came up with, or next to nothing."""

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass

from omafon.config import ConfigError
from omafon.core.events import ConfigRefused, RunsWith
from omafon.pages import Page
from omafon.upkeep.configuration import Configuration, Read
from omafon.upkeep.last_good import LastGood
from omafon.upkeep.starts import Starts

log = logging.getLogger(__name__)

HEALTHY_AFTER_S = 10.0
"""A phone that has been ready for so long has come up."""

SAFE_FOR_S = 600.0
"""A phone in safe mode tries anew after so long: what kept it from starting may have gone by itself."""

FAILED_BEFORE_LAST_GOOD = 3
FAILED_BEFORE_SAFE_MODE = 6


@dataclass(frozen=True, slots=True)
class Means:
    """How the owner's file is read, and what the phone itself keeps."""

    read: Read
    starts: Starts
    last_good: LastGood
    healthy_after_s: float = HEALTHY_AFTER_S
    safe_for_s: float = SAFE_FOR_S


@dataclass(frozen=True, slots=True)
class Choice:
    """`refusal` is what the person is told where it is not the owner's configuration, `refused` why, for the owner."""

    configuration: Configuration
    refusal: ConfigRefused | None = None
    refused: str | None = None

    @property
    def safe_mode(self) -> bool:
        return self.refusal is not None and self.refusal.runs_with is RunsWith.NOTHING


def supervised() -> bool:
    """Whether somebody starts the phone anew when it ends: then it starts with something, whatever is wrong."""
    return "NOTIFY_SOCKET" in os.environ


def choose(means: Means, salvage: Callable[[], Configuration]) -> Choice:
    """What to start with. Starts that failed count only where somebody starts the phone anew.

    Raises ConfigError when nobody does, the owner's file is wrong, and no configuration was good before.
    """
    count = means.starts.count
    failed = count.failed if supervised() else 0
    line, why = None, f"the phone did not start {failed} times in a row"
    if count.why:
        why += f": {count.why}"
    if failed < FAILED_BEFORE_SAFE_MODE:
        try:
            owners = means.read()
        except ConfigError as error:
            line, why = error.problems[0].line or 0, str(error)
            if (good := means.last_good.load()) is None and not supervised():
                raise
        else:
            good = means.last_good.load() if failed >= FAILED_BEFORE_LAST_GOOD else None
            # With nothing better to go back to, what can be read is tried on.
            if good is None:
                return Choice(owners)
        if good is not None:
            log.error("the phone starts with the last good configuration: %s", why)
            return Choice(good, ConfigRefused(RunsWith.LAST_GOOD, line), why)
    log.error("the phone starts in safe mode: %s", why, extra=Page.SAFE_MODE.mark)
    return Choice(salvage(), ConfigRefused(RunsWith.NOTHING, line), why)
