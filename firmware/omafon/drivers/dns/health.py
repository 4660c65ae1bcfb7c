# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Which trees are alive: a dead one must not cost every call its patience."""

import logging

DEAD_AFTER = 3
"""Lookups in a row without an answer."""

SKIPPED_S = 600.0
SILENCE_SKIPPED_S = 30.0
"""When nobody answered anything the trees are not to blame, but the network: it may be back any moment."""

log = logging.getLogger(__name__)


class Health:
    """Counts the failures of each tree, by times that the caller gives."""

    def __init__(self) -> None:
        self._failures: dict[str, int] = {}
        self._since: dict[str, float] = {}
        self._skipped_until: dict[str, float] = {}

    def skipped_s(self, tree: str, now: float) -> float:
        """How long `tree` is not to be asked any more; 0 when it is."""
        return max(0.0, self._skipped_until.get(tree, now) - now)

    def answered(self, tree: str) -> None:
        if self._failures.pop(tree, 0) >= DEAD_AFTER:
            log.info("the tree %s answers again", tree)
        self._skipped_until.pop(tree, None)

    def failed(self, tree: str, began: float, now: float) -> bool:
        """A lookup that `began` then got no answer. True when it was one too many, and the tree is skipped now."""
        if tree not in self._failures:
            self._since[tree] = began
        self._failures[tree] = self._failures.get(tree, 0) + 1
        if self._failures[tree] < DEAD_AFTER:
            return False
        self._skipped_until[tree] = now + SILENCE_SKIPPED_S
        return True

    def blame(self, tree: str, now: float, *, heard_at: float) -> None:
        """Name servers `heard_at` that time, and so `tree` itself is dead when its lookups failed around it."""
        failures = self._failures.get(tree, 0)
        if failures < DEAD_AFTER:
            return  # it answered meanwhile
        dead = heard_at > self._since[tree]
        if dead:
            self._skipped_until[tree] = now + SKIPPED_S
        if failures == DEAD_AFTER:
            what = f"the tree {tree} did not answer" if dead else "no name server answered"
            skipped_s = SKIPPED_S if dead else SILENCE_SKIPPED_S
            log.info("%s %d times: %s is skipped for %d s", what, DEAD_AFTER, tree, skipped_s)

    def forget(self) -> None:
        """Begin anew: other name servers are asked now."""
        self._failures.clear()
        self._skipped_until.clear()
