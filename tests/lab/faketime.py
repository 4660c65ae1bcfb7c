# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A clock for one process, set by the test: libfaketime between it and the kernel."""

from collections.abc import Mapping
from pathlib import Path

from tests.lab.heard import LabError


class FakeTime:
    """The time of day of whoever runs with `env`; its monotonic clock goes on, and its files keep their dates."""

    def __init__(self, folder: Path, begins: str) -> None:
        library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
        if library is None:
            raise LabError("libfaketime is missing: apt install faketime")
        self._file = folder / "time"
        self.env: Mapping[str, str] = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }
        self.is_(begins)

    def is_(self, time: str) -> None:
        """From now on it is `time`: '@1970-01-01 00:01:00', or '+0' for what it really is (faketime(1))."""
        new = self._file.with_name("time.new")
        new.write_text(f"{time}\n")
        new.replace(self._file)
