# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The phone book's numbers are looked up before they are called, quietly: a call finds its answer there already."""

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Iterable

from omafon.core.dialplan import E164

PACE_S = 10.0
"""Six lookups a minute, whatever the size of the phone book."""

SOONEST_S, LATEST_S = 300.0, 3600.0
"""A number is asked for again within these bounds, whatever its zone says."""

Refresh = Callable[[str, E164], Awaitable[float]]
"""Looks a number up in a tree past the cache; returns for how many seconds the answer holds."""


async def prefetch(refresh: Refresh, wanted: Iterable[tuple[str, E164]], *, pace_s: float = PACE_S) -> None:
    """Keep the answers for `wanted`, pairs of tree and number, in the cache. Runs until it is cancelled."""
    loop = asyncio.get_running_loop()
    due = [(loop.time() + pace_s * (1 + place), tree, number) for place, (tree, number) in enumerate(wanted)]
    while due:
        at, tree, number = heapq.heappop(due)
        await asyncio.sleep(max(at - loop.time(), pace_s))
        holds_s = await refresh(tree, number)
        # A little before it runs out.
        heapq.heappush(due, (loop.time() + min(max(holds_s * 0.9, SOONEST_S), LATEST_S), tree, number))
