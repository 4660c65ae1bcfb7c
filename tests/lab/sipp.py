# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""sipp plays one side of a call by a scenario: exact messages, for what no real telephone would send."""

import socket
import sys
import threading
import time
from pathlib import Path
from string import Template
from types import TracebackType
from typing import Self

from tests.lab.heard import LabError
from tests.lab.program import Program

PORT = 5060
SCENARIOS = Path(__file__).parent / "scenarios"


class Sipp:
    """Runs `scenarios/<scenario>.xml` once at `address`: it calls `target` ('host:port'), or waits for a call.

    `variables` take the places of $name in the scenario.
    """

    def __init__(
        self, folder: Path, scenario: str, address: str, *, target: str = "", user: str = "sipp", **variables: str
    ) -> None:
        self.address = address
        self.uri = f"sip:{user}@{address}"
        home = folder / f"sipp-{scenario}-{address}"
        home.mkdir()
        # Scenarios name the recordings it comes with by a path beside them.
        (home / "pcap").symlink_to("/usr/share/sip-tester")
        own = home / f"{scenario}.xml"
        own.write_text(Template((SCENARIOS / own.name).read_text()).substitute(variables))
        self.program = Program(
            [
                "sipp",
                *([target] if target else []),
                *("-sf", str(own)),
                *("-i", address, "-p", str(PORT), "-s", user, "-m", "1", "-nostdin", "-trace_err", "-trace_msg"),
                *("-timeout", "20", "-timeout_error"),
            ],
            package="sip-tester",
            folder=home,
            name="sipp",
        )

    def __enter__(self) -> Self:
        self._listens()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.program.close()

    def _listens(self) -> None:
        """sipp says nothing when it is ready; the kernel's table of sockets does."""
        own = f"{int.from_bytes(socket.inet_aton(self.address), sys.byteorder):08X}:{PORT:04X}"
        deadline = time.monotonic() + 5
        while own not in Path("/proc/net/udp").read_text():
            if not self.program.runs or time.monotonic() > deadline:
                raise LabError(f"sipp does not listen:\n{self.program.tail()}")
            threading.Event().wait(0.01)

    def succeeds(self, *, within_s: float = 15.0) -> None:
        """Returns once the scenario was played to its end. Raises LabError with sipp's own words when it was not."""
        status = self.program.ends(within_s=within_s)
        if status != 0:
            errors = "\n".join(path.read_text() for path in self.program.folder.glob("*_errors.log"))
            raise LabError(f"sipp: status {status}\n{errors or self.program.tail()}")

    def messages(self) -> str:
        """Every message sent and received, as sipp has logged them."""
        return "\n".join(path.read_text() for path in self.program.folder.glob("*_messages.log"))
