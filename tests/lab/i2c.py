# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What goes over an I²C bus of the kernel, by its own trace."""

import re
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

TRACING = Path("/sys/kernel/tracing")
WRITE = re.compile(r"smbus_write: i2c-(\d+) a=(\w+) f=\w+ c=(\w+) I2C_BLOCK_DATA l=\d+ \[(\w\w)-([\w-]+)\]")


class BusTrace:
    """Hears every block written to `address` of bus `port` while its `with` lasts."""

    def __init__(self, port: int, address: int) -> None:
        self._where = (port, address)
        self._event = TRACING / "events/smbus/smbus_write/enable"

    def __enter__(self) -> Self:
        (TRACING / "trace").write_text("")
        self._event.write_text("1")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._event.write_text("0")

    def messages(self) -> Iterator[tuple[int, bytes]]:
        """Control byte and content of each message from the beginning on."""
        for line in (TRACING / "trace").read_text().splitlines():
            if found := WRITE.search(line):
                port, address, control, _, content = found.groups()
                if (int(port), int(address, 16)) == self._where:
                    yield int(control, 16), bytes.fromhex(content.replace("-", ""))
