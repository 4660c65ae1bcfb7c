# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Counts the starts of the phone: those that failed one after the other decide what it starts with next."""

import json
import logging
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Count:
    """`begun` since the phone was last ended in order, `failed` of them in a row; `why` the last did, if it said so."""

    begun: int = 0
    failed: int = 0
    why: str = ""


class Starts:
    """Keeps the count in a file beside the control socket: in memory, where it wears no card and ends with power."""

    def __init__(self, control: Path) -> None:
        self._file = control.with_name(f"{control.name}.starts")
        self.count = self._read()

    def begin(self) -> None:
        """One more. It has failed until it is known to have not."""
        self._write(replace(self.count, begun=self.count.begun + 1, failed=self.count.failed + 1))

    def failed_because(self, why: str) -> None:
        self._write(replace(self.count, why=why))

    def succeeded(self) -> None:
        """The phone has come up, or is about to begin anew on purpose."""
        if self.count.failed or self.count.why:
            self._write(replace(self.count, failed=0, why=""))

    def ended(self) -> None:
        """The phone was asked to end, and does: nothing is counted any more."""
        self.count = Count()
        with suppress(OSError):
            self._file.unlink(missing_ok=True)

    def _read(self) -> Count:
        try:
            count = Count(**json.loads(self._file.read_text(encoding="utf-8")))
            return Count(int(count.begun), int(count.failed), str(count.why))
        except (OSError, ValueError, TypeError, RecursionError):
            return Count()

    def _write(self, count: Count) -> None:
        self.count = count
        new = self._file.with_name(f"{self._file.name}.new")
        try:
            new.write_text(json.dumps(asdict(count)), encoding="utf-8")
            new.replace(self._file)
        except OSError as error:
            log.warning("the starts of the phone are not counted: %s", error)
