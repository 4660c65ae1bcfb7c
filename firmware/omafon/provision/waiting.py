# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""`unconfirmed.json`: what is in force but may go back, until when, and what takes it back at any price.

It is on the disk before the switch and goes when the change is good, so whatever ends between, the way back is known.
"""

import fcntl

import msgspec

from omafon import durable
from omafon.provision.generations import FILE_MODE, Busy, Generations
from omafon.provision.health import Good
from omafon.provision.session import Session
from omafon.provision.world import Clock

NAME = "unconfirmed.json"
_WATCH = "watch"


class Waiting(msgspec.Struct, frozen=True):
    """Generation `generation` is in force and goes back to `previous` at `deadline`, and when another boot finds it.

    `deadline` is of the boot's clock, `deadline_unix` for people; `good` is what was before. `wants` is "health" while
    the one who applies looks whether all is well, and "confirmation" afterwards, if one was asked for.
    """

    generation: int
    previous: int | None
    boot_id: str
    deadline: float
    deadline_unix: float
    session: Session
    good: Good = Good()
    wants: str = "health"  # health | confirmation

    def due_in(self, clock: Clock) -> float:
        """Seconds until it goes back; 0 or less when it is time."""
        return self.deadline - clock.boottime() if self.boot_id == clock.boot_id() else 0.0

    def until(self, clock: Clock, seconds: float, wants: str) -> "Waiting":
        """The same, for `seconds` from now."""
        return msgspec.structs.replace(
            self, deadline=clock.boottime() + seconds, deadline_unix=clock.unix() + seconds, wants=wants
        )


def waiting(generations: Generations) -> Waiting | None:
    """What waits, if anything does. Raises OSError.

    A file that says nothing is one as well: somebody's hand was in it, and the generation before is the way back.
    """
    try:
        content = (generations.directory / NAME).read_bytes()
    except FileNotFoundError:
        return None
    try:
        return msgspec.json.decode(content, type=Waiting)
    except msgspec.MsgspecError:
        current = generations.current()
        previous = None if current is None else generations.before(current)
        return Waiting(current or 0, previous, "", 0.0, 0.0, Session(by=""))


def wait(generations: Generations, what: Waiting) -> None:
    durable.replace(generations.directory / NAME, msgspec.json.encode(what), FILE_MODE)


def done(generations: Generations) -> None:
    """Nothing waits any more: what is in force stays."""
    durable.remove(generations.directory / NAME)


def is_due(what: Waiting, generations: Generations, clock: Clock) -> bool:
    """Whether it is time to go back: its own is over, or who went back came no further than the disk."""
    # With none in force it may be a file that somebody has written by hand meanwhile: that one keeps its time.
    return what.due_in(clock) <= 0 or generations.current() not in (None, what.generation)


# Whether somebody is there who would take it back.


def watched(generations: Generations) -> bool:
    try:
        # Many may watch, so they share the lock: who gets it alone is alone.
        with generations.claimed(_WATCH, fcntl.LOCK_EX | fcntl.LOCK_NB):
            return False
    except Busy:
        return True


def watch(generations: Generations, clock: Clock) -> Waiting | None:
    """Returns what is to be taken back as soon as that is so, or None as soon as nothing waits.

    While a change is just being made that may be too early: who has the lock looks again.
    """
    with generations.claimed(_WATCH, fcntl.LOCK_SH):
        while (found := waiting(generations)) is not None:
            if is_due(found, generations, clock):
                return found
            # Not in one piece: it is confirmed meanwhile, or its time is set anew.
            clock.sleep(max(0.0, min(found.due_in(clock), 0.5)))
    return None
