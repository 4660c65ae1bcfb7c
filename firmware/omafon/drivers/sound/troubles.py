# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What does not work of a driver, told once when it begins and once when it is over."""

from omafon.core.events import Driver, DriverFailed, DriverRecovered
from omafon.interfaces import Post


class Troubles:
    def __init__(self, post: Post, driver: Driver) -> None:
        self._post = post
        self._driver = driver
        self._reasons: dict[str, str] = {}

    def of(self, part: str) -> str:
        """What is wrong with `part`; empty when nothing is."""
        return self._reasons.get(part, "")

    def tell(self, part: str, reason: str) -> None:
        if self._reasons.get(part) != reason:
            self._reasons[part] = reason
            self._post(DriverFailed(self._driver, reason))

    def solve(self, part: str) -> None:
        if self._reasons.pop(part, None) is None:
            return
        if self._reasons:
            self._post(DriverFailed(self._driver, next(iter(self._reasons.values()))))
        else:
            self._post(DriverRecovered(self._driver))
