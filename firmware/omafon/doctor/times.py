# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The time of day: whether the clock was set, who keeps it, and whether the machine has a battery for it."""

import time
from collections.abc import Iterator

from omafon.doctor.finding import Finding, note, ok, wrong
from omafon.doctor.machine import Machine

_SET = "Let the phone reach a time server: timedatectl set-ntp true. Lines by TLS and DNSSEC go on by themselves then."


def clock(machine: Machine) -> Iterator[Finding]:
    now = machine.clock()
    battery = bool(machine.files("sys/class/rtc/rtc[0-9]*"))
    if not now.is_set:
        year = time.gmtime(max(0.0, now.unix)).tm_year
        yield wrong("clock", f"the clock says {year}: it was never set, and no certificate can be judged", _SET)
    elif not now.is_kept:
        cure = "It may be right all the same; timedatectl timesync-status says more."
        yield note("clock", "no time server keeps the clock", cure)
    else:
        yield ok("clock", "set, and kept by a time server")
    if battery:
        yield ok("rtc", "a battery keeps the time when the phone is off")
    else:
        yield ok("rtc", "none: after a power cut the clock is wrong until a time server has set it")
