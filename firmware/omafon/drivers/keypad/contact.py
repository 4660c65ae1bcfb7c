# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""One contact without its bounce."""

SETTLED_S = 0.012
"""A contact is believed when it was quiet for so long: it bounces for up to 10 ms, and the shortest pulse of a rotary
dial lasts 27 ms."""


class Contact:
    """Follows a contact from edge to edge, and says when it has really changed.

    `closed` is what is believed, `raw` what the last edge said, `since` the time of the first edge of the last train:
    when it has changed, it did so then. `deadline` is when `settle` wants to be called, in monotonic seconds; None
    while it is quiet.
    """

    __slots__ = ("closed", "deadline", "raw", "since")

    def __init__(self, closed: bool) -> None:
        self.closed = closed
        self.raw = closed
        self.since = 0.0
        self.deadline: float | None = None

    def edge(self, closed: bool, now: float) -> None:
        """Take an edge to `closed`. Call `settle` first: a deadline may have passed since."""
        if self.deadline is None:
            self.since = now
        self.raw = closed
        self.deadline = now + SETTLED_S

    def settle(self, now: float) -> bool:
        """True when the contact has changed: it stayed long enough where the last edge left it."""
        if self.deadline is None or now < self.deadline:
            return False
        self.deadline = None
        changed = self.raw != self.closed
        self.closed = self.raw
        return changed
