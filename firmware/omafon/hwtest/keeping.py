# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The report of a telephone that has tested itself, as a file."""

import logging
import threading
from pathlib import Path

from omafon import cards
from omafon.board import BoardProfile
from omafon.core.actions import KeepReport
from omafon.core.events import ReportKept
from omafon.hwtest import report
from omafon.interfaces import Post

log = logging.getLogger("omafon.hwtest")

FILE = "hwtest.json"
JOIN_S = 5.0


class ReportFile:
    """Implements interfaces.Reports: each report replaces the one before in `directory`, on a thread of its own."""

    def __init__(self, post: Post, board: BoardProfile, directory: Path, root: Path = cards.ROOT) -> None:
        self._post = post
        self._board = board
        self._path = directory / FILE
        self._root = root
        self._thread: threading.Thread | None = None

    def open(self) -> None: ...

    def close(self) -> None:
        """Returns when what was to be written is."""
        if self._thread is not None:
            self._thread.join(JOIN_S)
            self._thread = None

    def perform(self, action: KeepReport) -> None:
        """Write the findings soon."""
        self.close()
        self._thread = threading.Thread(target=self._write, args=(action,), name="report", daemon=True)
        self._thread.start()

    def _write(self, action: KeepReport) -> None:
        new = self._path.with_suffix(".new")
        try:
            report.write(new, report.facts(self._board, action.findings, self._root))
            new.replace(self._path)
        except OSError as error:
            log.warning("the report %s cannot be written: %s", self._path, error.strerror)
        else:
            self._post(ReportKept(self._path.name))
