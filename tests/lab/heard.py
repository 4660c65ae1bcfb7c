# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What came in from a peer, for tests to wait for."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class LabError(AssertionError):
    """Something did not happen in the lab that a test relies on."""


class Heard(Generic[Item]):
    """Items that one thread adds and another waits for; each is given out once."""

    def __init__(self) -> None:
        self._items: list[Item] = []
        self._changed = threading.Condition()
        self._end = ""

    def add(self, item: Item) -> None:
        with self._changed:
            self._items.append(item)
            self._changed.notify_all()

    def end(self, why: str) -> None:
        """Nothing more will come: whoever waits is told why, at once."""
        with self._changed:
            self._end = self._end or why
            self._changed.notify_all()

    def until(self, wanted: Callable[[Item], bool], what: str, *, within_s: float = 5.0) -> Item:
        """The first item that is `wanted`, taken out. Raises LabError naming `what` when it does not come."""
        deadline = time.monotonic() + within_s
        with self._changed:
            looked_at = 0
            while True:
                for index in range(looked_at, len(self._items)):
                    if wanted(self._items[index]):
                        return self._items.pop(index)
                looked_at = len(self._items)
                left = deadline - time.monotonic()
                if self._end:
                    raise LabError(f"{what}: {self._end}")
                if left <= 0:
                    newest = "\n  ".join(map(str, self._items[-8:])) or "nothing"
                    raise LabError(f"not within {within_s:g} s: {what}; last heard:\n  {newest}")
                self._changed.wait(left)

    def all(self) -> list[Item]:
        """What came and was not taken out."""
        with self._changed:
            return list(self._items)

    def forget(self, unwanted: Callable[[Item], bool] = lambda _: True) -> None:
        """Drop what came until now and is `unwanted`: everything, when not said otherwise."""
        with self._changed:
            self._items = [item for item in self._items if not unwanted(item)]
