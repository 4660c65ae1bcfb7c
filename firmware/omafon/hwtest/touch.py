# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The scripts of what is touched: keys, hook switch, dial; and the lamps beside them."""

from collections.abc import Generator, Iterable

from omafon.board import BoardProfile, HookProfile, LampProfile, RotaryProfile
from omafon.core.hardware import Finding, Part, Verdict
from omafon.core.selftest import DIALLED, MOVED_S, STUCK_S
from omafon.hwtest.answers import yes
from omafon.hwtest.copper import Copper
from omafon.hwtest.sequence import (
    Answered,
    Contacts,
    Dialled,
    Event,
    Light,
    Say,
    Script,
    TimePassed,
    Turn,
    WatchContacts,
    WatchDial,
    Wish,
)

SETTLED_S = 0.1
DIALLED_S = 60.0


def keys(board: BoardProfile) -> Script:
    """Press them all, in any order: each is told with its pins, and copper where there should be none at once."""
    copper = Copper(board)
    missing = dict(copper.keys)
    down: frozenset[str] = frozenset()
    found: list[str] = []
    wishes: list[Wish] = [
        Say(f"Press every key for a moment, in any order: {' '.join(missing)}"),
        Say("Enter when one does not answer."),
        WatchContacts(),
    ]
    while missing or down:
        event = yield Turn(tuple(wishes), STUCK_S if down else None)
        wishes = []
        match event:
            case Contacts():
                new_faults = copper.faults(event).difference(found)
                found += sorted(new_faults)
                wishes += [Say(f"  SHORT  {fault}") for fault in sorted(new_faults)]
                before, down = down, copper.down(event)
                for key in sorted(down - before):
                    missing.pop(key, None)
                    wishes.append(Say(f"  {_pressed(copper, key):<34}{_left(missing)}"))
            case TimePassed():
                stuck = [f"the key {key} is stuck: {_pins(copper, key)}" for key in sorted(down)]
                found += [fault for fault in stuck if fault not in found]
                wishes += [Say(f"  STUCK  {fault}") for fault in stuck]
                if not missing:
                    break
            case Answered():
                break
    found += _silent(board, copper, missing)
    if len(missing) < len(copper.keys) and not (yield from yes("Did each key say its own name?")):
        found.append("keys say other keys' names: two wires of rows or columns changed places, or the legends did")
    return Finding(Part.KEYS, Verdict.BROKEN if found else Verdict.WORKS, tuple(found))


def _left(missing: Iterable[str]) -> str:
    left = list(missing)
    return f"left: {' '.join(left)}" if 0 < len(left) <= 8 else f"{len(left)} left" if left else "all there"


def _pressed(copper: Copper, key: str) -> str:
    return f"{key:<6} {_pins(copper, key)}" if key in copper.keys else f"?      {key}: no key of this board"


def _pins(copper: Copper, key: str) -> str:
    return "-".join(copper.keys[key]) if key in copper.keys else key


def _silent(board: BoardProfile, copper: Copper, missing: dict[str, tuple[str, ...]]) -> list[str]:
    """Why the keys `missing` may be silent: a wire where all keys of a line are, and then no more of these."""
    found = []
    left = dict(missing)
    for line in (*board.keypad.rows, *board.keypad.columns) if board.keypad else ():
        of_line = {key for key, pins in copper.keys.items() if line in pins}
        if of_line and of_line <= set(missing) and len(of_line) > 1:
            found.append(f"no key of {copper.name(line)} answers: its wire")
            left = {key: pins for key, pins in left.items() if key not in of_line}
    return found + [f"the key {key} does not answer: {'-'.join(pins)}" for key, pins in left.items()]


def hook(profile: HookProfile) -> Script:
    """Lay it down, lift it, lay it down: how the contact moves is how the switch is built."""
    closed = False
    answered = False
    wishes: tuple[Wish, ...] = (Say("Lay the handset down, then press Enter."), WatchContacts())
    while not answered:
        event = yield Turn(wishes)
        wishes = ()
        match event:
            case Contacts(grounded):
                closed = profile.pin in grounded
            case Answered():
                answered = True
    lies_closed = closed
    told: tuple[Wish, ...] = ()
    for request, done in (("Lift it.", "lifted"), ("Lay it down again.", "laid down")):
        if not (yield from _moves(profile.pin, closed, (*told, Say(request)))):
            state = "closed" if closed else "open"
            what = f"{profile.pin} stays {state}: the wire, the contact, or another pin"
            return Finding(Part.HOOK, Verdict.BROKEN, (what,))
        closed = not closed
        told = (Say(f"  {done}: {profile.pin} is {'closed' if closed else 'open'}"),)
    learned = "on-hook" if lies_closed else "off-hook"
    facts = {"closed": learned}
    if learned == profile.closed:
        return Finding(Part.HOOK, Verdict.WORKS, (f'closed = "{learned}", as the board\'s file says',), facts)
    when = "lies" if lies_closed else "is lifted"
    what = f"it is closed while the handset {when}, and the board's file says otherwise"
    cure = f'Write under [hook] of the board\'s file: closed = "{learned}"'
    return Finding(Part.HOOK, Verdict.BROKEN, (what, cure), facts)


def _moves(pin: str, closed: bool, wishes: tuple[Wish, ...]) -> Generator[Turn, Event, bool]:
    """Whether the contact at `pin` leaves `closed` and stays away; not when Enter is pressed, or nothing happens."""
    moved = False
    while True:
        event = yield Turn(wishes, SETTLED_S if moved else MOVED_S)
        wishes = ()
        match event:
            case Contacts(grounded):
                moved = (pin in grounded) is not closed
            case Answered() | TimePassed():
                return moved


def dial(profile: RotaryProfile) -> Script:
    """One pulse, five, ten: the digits that come must be those that were asked for."""
    at_rest: Contacts | None = None
    wishes: tuple[Wish, ...] = (WatchContacts(),)
    while at_rest is None:
        event = yield Turn(wishes)
        wishes = ()
        at_rest = event if isinstance(event, Contacts) else None
    notes = []
    if profile.pulse not in at_rest.grounded:
        notes.append(f"{profile.pulse} (pulse) is open at rest and must be closed")
    if profile.off_normal in at_rest.grounded:
        notes.append(f"{profile.off_normal} (off-normal) is closed at rest and must be open")
    if notes:
        return Finding(Part.DIAL, Verdict.BROKEN, (*notes, "A wire is off, or pulse and off_normal changed places."))
    lines: tuple[Wish, ...] = (WatchDial(),)
    came = ""
    for digit in DIALLED:
        event = yield Turn((*lines, Say(f"Dial {digit}.")), DIALLED_S)
        if not isinstance(event, Dialled):
            notes.append(f"no digit came when {digit} was dialled")
            break
        came += event.digit
        lines = (Say(f"  {event.digit}"),)
        if event.digit != digit:
            notes.append(
                f"{digit} was dialled, and {event.digit} came: the pulse contact is dirty, or its speed is off"
            )
    return Finding(
        Part.DIAL, Verdict.BROKEN if notes else Verdict.WORKS, tuple(notes), {"asked": DIALLED, "came": came}
    )


def lamps(profile: LampProfile) -> Script:
    """One after the other; the person says which does not shine."""
    there = {"message": profile.message, "ringer": profile.ringer, "line": profile.line}
    dark = []
    for lamp, pin in there.items():
        if pin and not (yield from yes(f"Does the {lamp} lamp shine, and no other?", Light(lamp))):
            dark.append(f"the {lamp} lamp does not shine alone: {pin}, its resistor, or the LED is the wrong way round")
    return Finding(Part.LAMPS, Verdict.BROKEN if dark else Verdict.WORKS, tuple(dark))
