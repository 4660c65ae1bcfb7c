# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What is measured, in which unit, and what the telephone aims at."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass

Values = dict[str, dict[str, float]]
"""Figure by agent: values["idle_rss_mb"]["baresip"]."""


@dataclass(frozen=True, slots=True)
class Aim:
    """What the telephone's value must not exceed, given everybody's; None when that one was not measured."""

    words: str
    limit: Callable[[dict[str, float]], float | None]


def at_most(limit: float, unit: str) -> Aim:
    return Aim(f"≤ {limit:g} {unit}", lambda _: limit)


def at_most_times(factor: float, agent: str) -> Aim:
    return Aim(f"≤ {factor:g} × {agent}", lambda row: factor * row[agent] if agent in row else None)


@dataclass(frozen=True, slots=True)
class Figure:
    key: str
    words: str
    unit: str
    aim: Aim | None = None


FIGURES = (
    Figure("start_ms", "exec to registered", "ms", at_most(1000, "ms")),
    Figure("key_to_invite_ms", "last key to INVITE", "ms", at_most(5, "ms")),
    Figure("key_to_confirmed_ms", "last key to confirmed", "ms"),
    Figure("idle_rss_mb", "RSS idle", "MB", at_most(64, "MB")),
    Figure("opus_rss_mb", "RSS in a call, Opus", "MB"),
    Figure("pcma_rss_mb", "RSS in a call, PCMA", "MB"),
    Figure("opus_cpu_s", "CPU a minute, Opus", "s", at_most_times(1.15, "pjsua")),
    Figure("pcma_cpu_s", "CPU a minute, PCMA", "s", at_most_times(1.15, "pjsua")),
    Figure("opus_delay_ms", "mouth to ear, Opus", "ms", at_most_times(1, "baresip")),
    Figure("pcma_delay_ms", "mouth to ear, PCMA", "ms", at_most_times(1, "baresip")),
)


def median(values: list[float]) -> float:
    return statistics.median(values)
