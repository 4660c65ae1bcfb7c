# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The person at a terminal of any kind: lines out, lines in."""

import os
import select
import textwrap
import time
from collections.abc import Callable

from omafon.hwtest.apparatus import Apparatus
from omafon.hwtest.sequence import Answered, Event, Left, Say, Session, TimePassed, Turn

LOOK_S = 0.02
"""A key that is tapped is down for 50 ms."""


WIDTH = 79


def wrapped(line: str) -> str:
    """`line` as lines that fit into a terminal of 80 columns, as far indented as it is itself.

    >>> wrapped("  " + 9 * "twelve chars ").splitlines()[1]
    '  twelve chars twelve chars twelve chars'
    """
    indent = line[: len(line) - len(line.lstrip())]
    return "\n".join(textwrap.wrap(line, WIDTH, subsequent_indent=indent)) if len(line) > WIDTH else line


class Terminal:
    """Leads a person through a Session. `keyboard` is a file descriptor, `say` shows a line."""

    def __init__(self, session: Session, apparatus: Apparatus, keyboard: int, say: Callable[[str], None]) -> None:
        self._session = session
        self._apparatus = apparatus
        self._keyboard = keyboard
        self._say = say
        self._typed = b""
        self._deadline: float | None = None

    def run(self) -> None:
        """Until all parts were tested, or the person has had enough: Ctrl-C, or the end of the terminal."""
        try:
            self._perform(self._session.begin())
            while not self._session.over:
                self._take(self._next())
        except KeyboardInterrupt:
            self._take(Left())

    def _take(self, event: Event) -> None:
        self._perform(self._session.take(event))

    def _perform(self, turn: Turn) -> None:
        self._deadline = None if turn.wait_s is None else time.monotonic() + turn.wait_s
        for wish in turn.wishes:
            if isinstance(wish, Say):
                self._say(wrapped(wish.line))
            else:
                self._apparatus.perform(wish)

    def _next(self) -> Event:
        while True:
            # The apparatus first: what it has told was on the screen before this was typed.
            if (event := self._apparatus.event()) is not None:
                return event
            if (line := self._line()) is not None:
                return Answered(line)
            if self._deadline is not None and time.monotonic() >= self._deadline:
                self._deadline = None
                return TimePassed()
            ready, _, _ = select.select([self._keyboard, self._apparatus.wakes], [], [], self._patience_s())
            if self._keyboard in ready and not self._read():
                return Left()
            self._apparatus.look()

    def _patience_s(self) -> float | None:
        times = [LOOK_S] if self._apparatus.watches else []
        if self._deadline is not None:
            times.append(max(self._deadline - time.monotonic(), 0.0))
        return min(times, default=None)

    def _read(self) -> bool:
        """Take what was typed; False at its end."""
        try:
            typed = os.read(self._keyboard, 1024)
        except OSError:
            # A terminal whose other end is gone.
            return False
        self._typed += typed
        return bool(typed)

    def _line(self) -> str | None:
        line, newline, rest = self._typed.partition(b"\n")
        if not newline:
            return None
        self._typed = rest
        return line.decode(errors="replace").strip().lower()
