# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The telephone tests itself, `*#1#`: part by part, with the person who holds it.

Two keys answer: '#', '1', OK or the call key say yes, '*', '0' or BACK say no, so that a rotary dial can. END leaves,
once it has been tested itself, and so does the handset put down where nobody asked for it. Every part ends by itself
when nothing happens: a telephone whose keys are dead still comes to a verdict.
"""

from dataclasses import replace

from omafon.core.actions import KeepReport
from omafon.core.events import DelayMeasured, Driver, Event, Key, KeyReleased, ReportKept, VoiceHeard
from omafon.core.hardware import Equipment, Finding, Part, Picture, Verdict
from omafon.core.state import Phone, Result, SelfTest

CODE = "*#1#"

KEYS_S = 15.0  # without a key that is new
STUCK_S = 10.0  # a key that is down for so long is stuck
MOVED_S = 30.0  # until then somebody has lifted a handset who was asked to
ANSWER_S = 60.0
DELAY_S = 8.0  # three chirps, and the looking for them
VERDICT_S = 60.0

DIALLED = "150"  # the fewest pulses, some, and the most
PICTURES = tuple(Picture)

SILENT_DB = -60.0
"""A voice at a handset's microphone is 30 dB above this, and the noise of an open input below it."""
DELAY_MAX_MS = 120.0
"""All that people do not notice from mouth to ear. Here it is the way out of the phone and back in, through the call
engine and its buffers as well as the card: what a call takes without a network. `omafon hwtest` measures the card
alone, and allows it half of this (hwtest/senses.py)."""

YES = frozenset({Key.HASH, Key.DIGIT_1, Key.OK, Key.CALL})
NO = frozenset({Key.STAR, Key.DIGIT_0, Key.BACK})
_QUESTIONS = frozenset({Part.LAMPS, Part.EAR, Part.BELL, Part.MICROPHONE})
_BY_EAR = frozenset({Part.EAR, Part.BELL, Part.MICROPHONE, Part.DELAY})
_DRIVERS = {
    Part.KEYS: Driver.KEYPAD,
    Part.HOOK: Driver.KEYPAD,
    Part.DIAL: Driver.KEYPAD,
    Part.LAMPS: Driver.KEYPAD,
    Part.DISPLAY: Driver.DISPLAY,
    Part.MIXER: Driver.MIXER,
    Part.EAR: Driver.VOICE,
    Part.BELL: Driver.RINGER,
    Part.MICROPHONE: Driver.VOICE,
    Part.DELAY: Driver.VOICE,
}


def begun(phone: Phone, now: float) -> Result:
    """The first part; nothing while there is a call, which must not be disturbed."""
    if phone.calls:
        return phone.resting(now), ()
    return _after(phone.resting(now), SelfTest(None, now), now)


def equipped(phone: Phone, equipment: Equipment, now: float) -> Phone:
    """The phone with these parts. A test of others is over."""
    if isinstance(phone.doing, SelfTest) and equipment != phone.equipment:
        phone = phone.resting(now)
    return replace(phone, equipment=equipment)


def key_pressed(phone: Phone, test: SelfTest, key: Key, now: float) -> Result:
    if key is Key.END and (test.part is not Part.KEYS or Key.END in test.pressed):
        return phone.resting(now), ()
    match test.part:
        case Part.KEYS:
            return _with(phone, _pressed(test, key, now)), ()
        case Part.DIAL if key.value.isdigit():
            return _dialled(phone, replace(test, came=test.came + key.value), now)
        case Part.DISPLAY:
            return _looked_at(phone, test, key, now)
        case part if part in _QUESTIONS and key in YES | NO:
            return _answered(phone, test, key in YES, now)
        case None if key in YES:
            return phone.resting(now), ()
        case _:
            return phone, ()


def hook_moved(phone: Phone, test: SelfTest, now: float) -> Result:
    """The handset, which `phone.off_hook` knows by now, was lifted, or put down where that was asked for."""
    if test.part is not Part.HOOK:
        return phone, ()
    test = replace(test, step=test.step - 1, since=now)
    if test.step:
        return _with(phone, test), ()
    return _concluded(phone, test, Verdict.WORKS, now)


def wants_handset_down(test: SelfTest) -> bool:
    """Whether the person was asked to put it down."""
    return test.part is Part.HOOK


def happened(phone: Phone, event: Event, now: float) -> Result:
    """What drivers tell of the test. Anything that belongs to another part came too late, and is nobody's."""
    test = phone.doing
    if not isinstance(test, SelfTest):
        return phone, ()
    match event, test.part:
        case KeyReleased(key), Part.KEYS:
            return _released(phone, test, key, now)
        case VoiceHeard(level_db), Part.MICROPHONE:
            return _with(phone, replace(test, heard_db=level_db, peak_db=max(test.peak_db, level_db))), ()
        case DelayMeasured(delay_ms), Part.DELAY:
            return _measured(phone, test, delay_ms, now)
        case ReportKept(name), None:
            return _with(phone, replace(test, report=name)), ()
        case _:
            return phone, ()


def until(test: SelfTest) -> float:
    """When the part ends though nothing happens, or a key that is down counts as stuck."""
    match test.part:
        case Part.KEYS:
            stuck_at = [since + STUCK_S for key, since in test.down if key not in test.stuck]
            return min([test.since + KEYS_S, *stuck_at])
        case Part.HOOK:
            return test.since + MOVED_S
        case Part.DELAY:
            return test.since + DELAY_S
        case None:
            return test.since + VERDICT_S
        case _:
            return test.since + ANSWER_S


def time_passed(phone: Phone, test: SelfTest, now: float) -> Result:
    """What `until` named has come."""
    match test.part:
        case Part.KEYS:
            stuck = tuple(key for key, since in test.down if now >= since + STUCK_S)
            test = replace(test, stuck=tuple(dict.fromkeys((*test.stuck, *stuck))))
            if now < test.since + KEYS_S:
                return _with(phone, test), ()
            return _keys_over(phone, test, now)
        case Part.HOOK:
            where = f": {phone.equipment.hook}, its wire or the contact" if phone.equipment.hook else ""
            down = "down" if phone.off_hook else "up"
            return _concluded(phone, test, Verdict.BROKEN, now, f"nobody saw the handset go {down}{where}")
        case Part.DIAL:
            note = f"{DIALLED} was asked for, {test.came or 'nothing'} came"
            return _concluded(phone, test, Verdict.BROKEN, now, note)
        case None:
            return phone.resting(now), ()
        case _:
            return _concluded(phone, test, Verdict.UNTESTED, now, "nobody answered")


def faults(test: SelfTest) -> tuple[Part, ...]:
    """What does not work, as far as is known by now."""
    return tuple(finding.part for finding in test.found if finding.verdict is Verdict.BROKEN)


def pins(phone: Phone, key: Key) -> str:
    """What the key `key` joins; empty where it has no pins."""
    return dict(phone.equipment.keys).get(key.value, "")


def missing(phone: Phone, test: SelfTest) -> tuple[str, ...]:
    """The keys that did not come yet."""
    return tuple(legend for legend, _ in phone.equipment.keys if legend not in test.pressed)


# The parts.


def _pressed(test: SelfTest, key: Key, now: float) -> SelfTest:
    down = (*(pair for pair in test.down if pair[0] is not key), (key, now))
    if key in test.pressed:
        return replace(test, down=down, shown=key)
    return replace(test, down=down, shown=key, pressed=(*test.pressed, key), since=now)


def _released(phone: Phone, test: SelfTest, key: Key, now: float) -> Result:
    down = tuple(pair for pair in test.down if pair[0] is not key)
    if len(down) == len(test.down):
        # The last key of the code comes up only now.
        return phone, ()
    test = replace(test, down=down)
    if down or missing(phone, test):
        return _with(phone, test), ()
    return _keys_over(phone, test, now)


def _keys_over(phone: Phone, test: SelfTest, now: float) -> Result:
    stuck = dict.fromkeys((*test.stuck, *(key for key, _ in test.down)))
    notes = [f"the key {key} is stuck{_by_pins(phone, key)}" for key in stuck]
    notes += [f"the key {legend} does not answer{_by_pins(phone, Key(legend))}" for legend in missing(phone, test)]
    return _concluded(phone, test, Verdict.BROKEN if notes else Verdict.WORKS, now, *notes)


def _by_pins(phone: Phone, key: Key) -> str:
    return f": {pins(phone, key)}" if pins(phone, key) else ""


def _dialled(phone: Phone, test: SelfTest, now: float) -> Result:
    if len(test.came) < len(DIALLED):
        return _with(phone, replace(test, since=now)), ()
    facts = {"asked": DIALLED, "came": test.came}
    if test.came == DIALLED:
        return _concluded(phone, test, Verdict.WORKS, now, **facts)
    note = f"{DIALLED} was asked for, {test.came} came: the pulse contact is dirty, or its speed is off"
    return _concluded(phone, test, Verdict.BROKEN, now, note, **facts)


def _looked_at(phone: Phone, test: SelfTest, key: Key, now: float) -> Result:
    """Each picture is announced, then shown alone until it was judged."""
    if key not in YES | NO:
        return phone, ()
    test = replace(test, since=now)
    if test.picture is None:
        return (_with(phone, replace(test, picture=PICTURES[test.step])) if key in YES else phone), ()
    if key in NO:
        test = replace(test, wrong=(*test.wrong, test.picture.value))
    test = replace(test, picture=None, step=test.step + 1)
    if test.step < len(PICTURES):
        return _with(phone, test), ()
    notes = [f"the picture '{name}' is not as it should be" for name in test.wrong]
    return _concluded(phone, test, Verdict.BROKEN if notes else Verdict.WORKS, now, *notes)


def _answered(phone: Phone, test: SelfTest, yes: bool, now: float) -> Result:
    if test.part is Part.LAMPS:
        lamps = phone.equipment.lamps
        wrong = test.wrong if yes else (*test.wrong, f"the {lamps[test.step]} lamp does not shine alone")
        test = replace(test, wrong=wrong, step=test.step + 1, since=now)
        if test.step < len(lamps):
            return _with(phone, test), ()
        return _concluded(phone, test, Verdict.BROKEN if wrong else Verdict.WORKS, now, *wrong)
    if test.part is Part.MICROPHONE:
        silent = test.peak_db < SILENT_DB
        notes = ("nothing came from the microphone",) if silent else () if yes else ("the voice is not heard well",)
        return _concluded(
            phone, test, Verdict.WORKS if yes else Verdict.BROKEN, now, *notes, peak_db=round(test.peak_db, 1)
        )
    return _concluded(phone, test, Verdict.WORKS if yes else Verdict.BROKEN, now, *(() if yes else ("not heard",)))


def _measured(phone: Phone, test: SelfTest, delay_ms: float | None, now: float) -> Result:
    if delay_ms is None:
        note = "the chirps did not come back to the microphone: too quiet, or the room too loud"
        return _concluded(phone, test, Verdict.UNTESTED, now, note)
    verdict = Verdict.WORKS if delay_ms <= DELAY_MAX_MS else Verdict.BROKEN
    return _concluded(
        phone, test, verdict, now, f"{delay_ms:.0f} ms from ear to microphone", delay_ms=round(delay_ms, 1)
    )


# From part to part.


def _concluded(phone: Phone, test: SelfTest, verdict: Verdict, now: float, *notes: str, **facts: str | float) -> Result:
    assert test.part is not None
    if verdict is not Verdict.WORKS and (trouble := _trouble(phone, test.part)):
        notes = (*notes, trouble)
    found = (*test.found, Finding(test.part, verdict, notes, facts))
    return _after(phone, SelfTest(test.part, now, found=found), now)


def _after(phone: Phone, test: SelfTest, now: float) -> Result:
    """The next part that can be tested; behind the last one, the verdict."""
    parts = list(Part)
    first = 0 if test.part is None else parts.index(test.part) + 1
    found = list(test.found)
    for part in parts[first:]:
        if part not in phone.equipment.parts:
            found.append(Finding(part, Verdict.ABSENT))
        elif part is Part.MIXER:
            # Mixers are kept as they shall be all the time: what fails at that has been told.
            trouble = _trouble(phone, part)
            found.append(Finding(part, Verdict.BROKEN if trouble else Verdict.WORKS, (trouble,) if trouble else ()))
        elif part in _BY_EAR and not phone.off_hook:
            found.append(Finding(part, Verdict.UNTESTED, ("the handset is not lifted",)))
        else:
            # Down, and up again: where it lies, it must come up before.
            moves = 2 if phone.off_hook else 3
            step = moves if part is Part.HOOK else 0
            return _with(phone, SelfTest(part, now, step=step, found=tuple(found))), ()
    over = SelfTest(None, now, found=tuple(found))
    return _with(phone, over), (KeepReport(over.found),)


def _trouble(phone: Phone, part: Part) -> str:
    return dict(phone.troubles).get(_DRIVERS[part], "")


def _with(phone: Phone, test: SelfTest) -> Phone:
    return replace(phone, doing=test)
