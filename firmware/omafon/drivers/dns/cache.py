# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What was asked once and still holds."""

from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Cache(Generic[K, V]):
    """Keeps at most `room` values, each until its time; the one used longest ago goes first."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._kept: dict[K, tuple[float, V]] = {}

    def get(self, key: K, now: float) -> V | None:
        until, value = self._kept.get(key, (now, None))
        if value is None or until <= now:
            return None
        self._kept[key] = self._kept.pop(key)
        return value

    def keep(self, key: K, value: V, until: float) -> None:
        self._kept.pop(key, None)
        while len(self._kept) >= self._room:
            self._kept.pop(next(iter(self._kept)))
        self._kept[key] = (until, value)

    def left_s(self, key: K, now: float) -> float:
        """How long `key` still holds; 0 when it does not."""
        return max(0.0, self._kept[key][0] - now) if key in self._kept else 0.0

    def clear(self) -> None:
        self._kept.clear()
