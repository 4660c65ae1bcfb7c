# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What differs between the configuration that runs and the one that shall, and when that can be taken."""

from dataclasses import dataclass
from enum import Enum, auto

from omafon.core.calls import Held, Resolving
from omafon.core.state import Idle, Phone
from omafon.upkeep.configuration import Configuration

UNTOUCHED_S = 60.0
"""A handset that lies beside its hook, and that nobody touches for so long, holds up no change."""


class Take(Enum):
    """How a configuration is taken: while everything goes on, by starting anew, or later."""

    LIVE = auto()
    RESTART = auto()
    LATER = auto()


@dataclass(frozen=True, slots=True)
class Changes:
    """`lines` are the names of those that run and shall run otherwise or not at all."""

    restart: bool
    lines: frozenset[str]


def changes(runs: Configuration, shall: Configuration) -> Changes:
    """What is different. The engine, the cards and the pins are opened once: only a restart gives them other values."""
    restart = _opened_once(runs) != _opened_once(shall)
    wanted = {line.name: line for line in shall.config.line}
    return Changes(restart, frozenset(line.name for line in runs.config.line if wanted.get(line.name) != line))


def _opened_once(configuration: Configuration) -> tuple[object, ...]:
    config = configuration.config
    return config.sip, config.audio, config.family.port, configuration.board


def when(change: Changes, phone: Phone, now: float, *, at_once: bool = False) -> Take:
    """When `change` can be taken without cutting off anybody; `at_once`: whoever is cut off."""
    if change.restart:
        return Take.RESTART if at_once or resting(phone, now) else Take.LATER
    return Take.LIVE if at_once or not change.lines & lines_in_use(phone) else Take.LATER


def resting(phone: Phone, now: float) -> bool:
    """Whether nobody would notice that the phone is away for a second."""
    untouched = now - phone.touched >= UNTOUCHED_S
    return not phone.calls and (untouched or (not phone.off_hook and isinstance(phone.doing, Idle)))


def lines_in_use(phone: Phone) -> frozenset[str]:
    """The lines that carry a call."""
    talks = [call.talk if isinstance(call, Held) else call for call in phone.calls]
    return frozenset(talk.line for talk in talks if not isinstance(talk, Resolving) and talk.line is not None)
