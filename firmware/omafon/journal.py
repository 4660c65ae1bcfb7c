# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Log records go to the journal or to stderr by a thread of their own: a slow journal never holds up a call."""

import logging
import os
import queue
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from logging.handlers import QueueHandler, QueueListener
from pathlib import Path

from omafon import pages

JOURNAL = Path("/run/systemd/journal/socket")

# What syslog(3) calls them.
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


class _ToJournal(logging.Handler):
    """One datagram a record, in journald's own protocol: so a line can have a page in its catalog."""

    def __init__(self, journal: socket.socket) -> None:
        super().__init__()
        self._journal = journal

    def close(self) -> None:
        self._journal.close()
        super().close()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._journal.send(entry(record))
        except OSError as error:
            # What systemd has put behind stderr is the journal too.
            sys.stderr.write(f"{record.getMessage()}\n(the journal does not take it: {error.strerror})\n")


def entry(record: logging.LogRecord) -> bytes:
    """A record as journald takes it (systemd.io/JOURNAL_NATIVE_PROTOCOL); a warning or an error names its page."""
    fields = {
        "MESSAGE": record.getMessage(),
        "PRIORITY": str(_PRIORITIES.get(record.levelno, 6)),
        "SYSLOG_IDENTIFIER": "omafon",
        "LOGGER": record.name,
    }
    if record.levelno >= logging.WARNING:
        fields["MESSAGE_ID"] = str(getattr(record, "page", "")) or pages.of_room(record.name)
    # The long form, the length in 64 bits before each value: a value may have many lines.
    values = ((name.encode(), value.encode("utf-8", "replace")) for name, value in fields.items())
    return b"".join(name + b"\n" + len(value).to_bytes(8, "little") + value + b"\n" for name, value in values)


class _Hiding(logging.Filter):
    """Takes out of every record, as the last step, what others must not read."""

    def __init__(self, hide: Callable[[str], str]) -> None:
        super().__init__()
        self._hide = hide

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = self._hide(record.getMessage()), None
        return True


def _output(journal: Path) -> logging.Handler:
    """To the journal, where stderr leads there (systemd.exec(5), $JOURNAL_STREAM); for a person otherwise."""
    if _is_journal():
        taker = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        try:
            taker.connect(str(journal))
        except OSError:
            taker.close()
        else:
            return _ToJournal(taker)
    output = logging.StreamHandler(sys.stderr)
    output.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S"))
    return output


def _is_journal() -> bool:
    try:
        stderr = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{stderr.st_dev}:{stderr.st_ino}"


@contextmanager
def to_stderr(*, verbose: bool = False, journal: Path = JOURNAL, hide: Callable[[str], str] = str) -> Iterator[None]:
    """Every logger writes to stderr, or to the journal where stderr leads there, while this lasts.

    What is written is what `hide` leaves of it. At the end all that was logged is written.
    """
    output = _output(journal)
    output.addFilter(_Hiding(hide))
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
        output.close()
        ours.setLevel(before)
