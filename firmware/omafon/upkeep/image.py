# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""One process, several lives: what cannot be changed in a running phone is changed by a new image in its place.

The process keeps its id, its environment and its credentials, so for systemd the service goes on.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from omafon.drivers import systemd

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

# Holds the id of the process that set it: in any other, a child's say, it means nothing.
GOES_ON = "OMAFON_GOES_ON"


@contextmanager
def signals_held() -> Iterator[None]:
    """What the process is told while nobody listens is heard by who unblocks SIGNALS, in this image or the next."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def begin_anew() -> None:
    """Does not return: the same command line from its beginning, in the same process."""
    os.environ[GOES_ON] = str(os.getpid())
    # The new image has all of its time to come up: on a busy Zero 2 W its imports alone may outlast the watchdog.
    systemd.notify("WATCHDOG=1")
    systemd.let_it_start()
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def goes_on() -> bool:
    """Whether this process was a telephone before, and only its image is new."""
    return os.environ.get(GOES_ON) == str(os.getpid())
