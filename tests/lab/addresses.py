# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Loopback addresses that no other test run on this machine uses."""

import os


class Addresses:
    """Gives out 127.x.y.1, .2, …: x and y are made of the process id, so parallel runs never meet."""

    def __init__(self) -> None:
        pid = os.getpid()
        # Every pid below 2**15 has its own; 127.0 to 127.99 are left to people.
        self.network = f"127.{100 + (pid >> 8) % 128}.{pid & 255}."
        self._last = 0

    def fresh(self) -> str:
        self._last += 1
        if self._last > 254:
            raise AssertionError("the run has used up its 254 loopback addresses")
        return f"{self.network}{self._last}"
