# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The ear of a service manager: what a service tells systemd, one datagram at a time."""

import socket
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.lab.heard import Heard


class ServiceManager:
    """Listens in `folder`. A service started with `env` tells it when it is ready, and that it lives."""

    def __init__(self, folder: Path, *, watchdog_s: float = 2.0) -> None:
        self._path = folder / "notify"
        self.env = {"NOTIFY_SOCKET": str(self._path), "WATCHDOG_USEC": str(int(watchdog_s * 1e6))}
        self.told: Heard[str] = Heard()

    def __enter__(self) -> Self:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self._path))
        # Closing a socket does not wake its reader; a time-out does.
        self._socket.settimeout(0.2)
        self._closing = False
        self._reader = threading.Thread(target=self._read, name="service manager", daemon=True)
        self._reader.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._closing = True
        self._reader.join()
        self._socket.close()

    def hears(self, word: str, *, within_s: float = 10.0) -> None:
        """Returns at the next time, not yet waited for, that the service says `word`."""
        self.told.until(lambda said: said == word, f"the service says {word}", within_s=within_s)

    def _read(self) -> None:
        while not self._closing:
            try:
                said = self._socket.recv(4096).decode()
            except TimeoutError:
                continue
            for word in said.splitlines():
                self.told.add(word)
