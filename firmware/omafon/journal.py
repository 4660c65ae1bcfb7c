# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Log records go to stderr by a thread of their own: a slow journal never holds up a call."""

import logging
import os
import queue
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from logging.handlers import QueueHandler, QueueListener
from pathlib import Path

# sd-daemon(3): the priority of a line, for the journal.
_PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}


_SYSTEM_ALSA = Path("/usr/share/alsa/alsa.conf")
_OUR_ALSA = Path(__file__).with_name("alsa")


def hush_jack() -> None:
    """Keep the JACK library out, which ALSA loads where it is installed: it writes to stderr what it likes.

    Before ALSA is used; an environment that names an ALSA configuration of its own is left alone.
    """
    if _SYSTEM_ALSA.exists() and "ALSA_CONFIG_PATH" not in os.environ:
        os.environ["OMAFON_ALSA"] = str(_OUR_ALSA)
        os.environ["ALSA_CONFIG_PATH"] = str(_OUR_ALSA / "phone.conf")


class _JournalFormatter(logging.Formatter):
    """Lines as journald takes them: it knows the time, and learns the priority from <N> before each line."""

    def format(self, record: logging.LogRecord) -> str:
        priority = f"<{_PRIORITIES.get(record.levelno, 6)}>"
        return "\n".join(priority + line for line in super().format(record).split("\n"))


@contextmanager
def to_stderr(*, verbose: bool = False) -> Iterator[None]:
    """Every logger writes to stderr while this lasts; at the end all that was logged is written."""
    output = logging.StreamHandler(sys.stderr)
    if "JOURNAL_STREAM" in os.environ:
        output.setFormatter(_JournalFormatter("%(message)s"))
    else:
        output.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S"))
    records: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    handler = QueueHandler(records)
    # Not the root's level but ours alone: libraries say too much.
    root, ours = logging.getLogger(), logging.getLogger("omafon")
    before = ours.level
    ours.setLevel(logging.DEBUG if verbose else logging.INFO)
    root.addHandler(handler)
    listener = QueueListener(records, output)
    listener.start()
    try:
        yield
    finally:
        listener.stop()
        root.removeHandler(handler)
        ours.setLevel(before)
