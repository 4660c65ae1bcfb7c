# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Loopback addresses that no other test run on this machine uses."""

import os


class Addresses:
    """Gives out 127.x.y.1, .2, …: x and y are made of the process id, so parallel runs never meet.

    `network` is what all of them begin with.
    """

    def __init__(self) -> None:
        # 127.0 to 127.99 are left to people; four runs that begin at the same time are told apart.
        pid = os.getpid()
        self._third = pid % 4 * 64
        self.network = f"127.{100 + (pid >> 2) % 156}."
        self._given = 0

    def fresh(self) -> str:
        third, last = divmod(self._given, 254)
        self._given += 1
        assert third < 64, "the run has used up its 16,256 loopback addresses"
        return f"{self.network}{self._third + third}.{last + 1}"
