# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""From exec to the registrar's 200: the moment the telephone can be called."""

import time
from pathlib import Path

from bench.agents import AGENTS, Place
from bench.figures import median
from tests.lab.addresses import Addresses
from tests.lab.capture import Capture
from tests.lab.kamailio import Kamailio


def measure(name: str, folder: Path, addresses: Addresses, exchange: Kamailio, times: int) -> dict[str, float]:
    taken: list[float] = []
    for turn in range(times):
        place = Place(
            *(folder / f"start-{turn}", addresses.fresh(), "oma"),
            registrar=exchange.address,
            password=exchange.users["oma"],
        )
        place.folder.mkdir()
        with Capture(place.address) as wire:
            began = time.time()
            with AGENTS[name](place):
                registered = wire.messages.until(
                    lambda m: (m.status, m.cseq) == (200, "REGISTER"), "registered", within_s=15
                )
                taken.append((registered.at - began) * 1000)
        exchange.forgets("oma")
    return {"start_ms": median(taken)}
