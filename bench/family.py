# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""How long two phones take to become a family, and from a key to the other's ring: by the family's TLS, by plain SIP.

The handset is up and any key calls the other phone. Beside it: the same two phones by SIP over UDP with nothing proven
or encrypted, and two baresips so.
"""

import time
from pathlib import Path

from bench.figures import Figure, Values, at_most, median
from tests.lab.addresses import Addresses
from tests.lab.baresip import Baresip
from tests.lab.phone import Phone, Setup
from tests.lab.village import family_of, pairs

AGENTS = ["omafon", "plain SIP", "baresip"]
FIGURES = (
    Figure("family_pairing_ms", "two phones paired", "ms", at_most(5000, "ms")),
    Figure("family_first_ring_ms", "key to ring, unconnected", "ms", at_most(500, "ms")),
    Figure("family_ring_ms", "key to ring", "ms", at_most(150, "ms")),
)
BEN = "+493012345602"


def measure(folder: Path, times: int) -> Values:
    """Pair so many times, and call so many times each way."""
    addresses = Addresses()
    values: Values = {figure.key: {} for figure in FIGURES}
    paired, first = [], []
    here, there = _phones(folder / "family", addresses, family=True)
    with here, there:
        for _ in range(times):
            for phone in (here, there):
                for member in family_of(phone):
                    phone.ask("family", remove=member["id"])
            paired.append(pairs(here, there) * 1000)
            # They have just met, and no connection is there yet.
            first.append(_ring_ms(here, there))
        values["family_pairing_ms"]["omafon"] = median(paired)
        values["family_first_ring_ms"]["omafon"] = median(first)
        values["family_ring_ms"]["omafon"] = median([_ring_ms(here, there) for _ in range(times)])
    here, there = _phones(folder / "plain", addresses, family=False)
    with here, there:
        plain = [_ring_ms(here, there) for _ in range(times + 1)]
        values["family_first_ring_ms"]["plain SIP"] = plain[0]
        values["family_ring_ms"]["plain SIP"] = median(plain[1:])
    values["family_ring_ms"]["baresip"] = median(_baresips(folder, addresses, times))
    return values


def _phones(folder: Path, addresses: Addresses, *, family: bool) -> tuple[Phone, Phone]:
    """One that calls the other by any key; that one is in its phone book, and perhaps soon in its family."""
    folder.mkdir()
    at, to = addresses.fresh(), addresses.fresh()
    ben = {"name": "Ben", "number": BEN, **({} if family else {"uri": f"sip:ben@{to}"})}
    own = {"phone": {"any_key": "Ben", "number": "+493012345601"}}
    caller = Setup(contacts=[ben], more=own, has_card=False)
    called = Setup(more={"phone": {"number": BEN}}, has_card=False)
    return Phone(folder, at, "oma", caller), Phone(folder, to, "ben", called)


def _ring_ms(here: Phone, there: Phone) -> float:
    here.lifts()
    began = time.monotonic()
    here.presses("5")
    there.is_called()
    took_ms = (time.monotonic() - began) * 1000
    here.replaces()
    for phone in (here, there):
        phone.is_idle()
    return took_ms


def _baresips(folder: Path, addresses: Addresses, times: int) -> list[float]:
    taken: list[float] = []
    with Baresip(folder, addresses.fresh(), "here") as here, Baresip(folder, addresses.fresh(), "there") as there:
        for _ in range(times):
            began = time.monotonic()
            here.calls(there.uri)
            there.is_called()
            taken.append((time.monotonic() - began) * 1000)
            here.hangs_up()
            there.is_left()
    return taken
