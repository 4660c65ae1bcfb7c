# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What systemd wants to hear of a service: sd_notify(3), one datagram to $NOTIFY_SOCKET."""

import os
import socket

# As long as omafon.service lets a start take. A new image in the same process is one to us, and none to systemd.
_START_US = 180_000_000


def notify(state: str) -> None:
    """Tell systemd `state`, "READY=1" or "STATUS=…"; nothing happens where no systemd listens."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if path[:1] not in ("/", "@"):
        return
    # A leading @ means Linux's abstract names, which begin with a zero byte.
    address = "\0" + path[1:] if path.startswith("@") else path
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC) as sender:
        try:
            sender.sendto(state.encode(), address)
        except OSError:
            # systemd away or its queue full: the next WATCHDOG=1 comes soon, and the phone is not to end for this one.
            return


def watchdog_interval_s() -> float | None:
    """How long systemd waits for WATCHDOG=1 before it restarts the phone; None where it does not watch us."""
    watched = os.environ.get("WATCHDOG_PID", str(os.getpid()))
    interval_us = os.environ.get("WATCHDOG_USEC", "")
    if not interval_us.isdecimal() or int(interval_us) == 0 or watched != str(os.getpid()):
        return None
    return int(interval_us) / 1_000_000


def let_it_start() -> None:
    """The watchdog waits for a whole start, once."""
    if watchdog_interval_s() is not None:
        notify(f"WATCHDOG_USEC={_START_US}")


def has_started() -> None:
    """The watchdog is as the unit says again."""
    if (interval_s := watchdog_interval_s()) is not None:
        notify(f"WATCHDOG_USEC={round(interval_s * 1_000_000)}")
