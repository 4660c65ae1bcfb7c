# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A network cable between this machine and an emulated one: a tap device with addresses of its own."""

import os
import subprocess
from types import TracebackType
from typing import Self

from tests.lab.heard import LabError
from tests.lab.program import needs

MAC = "52:54:00:6f:6d:61"
_PREFIX = 28


class Cable:
    """Plugged in inside its `with`; needs root.

    This side has the addresses `here`, of which two programs may each have one; the other is to take `there`, of a
    network of `prefix` bits.
    """

    def __init__(self) -> None:
        # Runs at the same time have networks of their own: 10.64.0.0/10 has room for all process ids there are.
        pid = os.getpid()
        network = f"10.{64 + pid // 4096 % 64}.{pid // 16 % 256}"
        first = pid % 16 * 16
        self.device = f"omafon{pid}"[:15]
        self.here = (f"{network}.{first + 1}", f"{network}.{first + 2}")
        self.there = f"{network}.{first + 3}"
        self.prefix = _PREFIX

    def __enter__(self) -> Self:
        if os.geteuid() != 0:
            raise LabError("this test needs root, for a network device: run it as root")
        self._ip("tuntap", "add", "mode", "tap", "name", self.device)
        for address in self.here:
            self._ip("address", "add", f"{address}/{_PREFIX}", "dev", self.device)
        self._ip("link", "set", self.device, "up")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ip("link", "delete", self.device)

    def _ip(self, *words: str) -> None:
        subprocess.run([needs("ip", "iproute2"), *words], check=True)
