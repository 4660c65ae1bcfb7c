# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""From the last key to the INVITE, and to the ACK that confirms the call; the far end is always the same baresip."""

import time
from pathlib import Path

from bench.agents import AGENTS, Place
from bench.figures import median
from tests.lab.addresses import Addresses
from tests.lab.baresip import Baresip
from tests.lab.capture import Capture
from tests.lab.kamailio import Kamailio


def measure(name: str, folder: Path, addresses: Addresses, exchange: Kamailio, times: int) -> dict[str, float]:
    invites: list[float] = []
    confirmed: list[float] = []
    with Baresip(folder, addresses.fresh(), "far", answers="auto") as far_end:
        # The call goes straight. Registered it is all the same: linphone offers ::1 when it is not.
        place = Place(
            *(folder, addresses.fresh(), "oma"),
            registrar=exchange.address,
            password=exchange.users["oma"],
            far_end=far_end.uri,
        )
        with AGENTS[name](place) as agent, Capture(place.address) as wire:
            for _ in range(times):
                agent.dials()
                pressed = time.time()
                agent.presses_the_last_key()
                # The first of its dialog: some agents send another to settle on a codec (RFC 3261 section 14).
                invite = wire.messages.until(
                    lambda m: m.method == "INVITE" and "tag=" not in m.header("to"), "the call's INVITE"
                )
                call = invite.header("call-id")
                ack = wire.messages.until(
                    lambda m: (m.method, m.header("call-id")) == ("ACK", call),  # noqa: B023
                    "the call's ACK",
                )
                invites.append((invite.at - pressed) * 1000)
                confirmed.append((ack.at - pressed) * 1000)
                agent.is_in_a_call()
                agent.hangs_up()
                far_end.is_left()
    return {"key_to_invite_ms": median(invites), "key_to_confirmed_ms": median(confirmed)}
