# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What the test of the telephone by itself shows and sounds, derived from how far it is."""

from omafon.core.causes import Tone
from omafon.core.hardware import Part, Verdict
from omafon.core.screen import COLUMNS, Lamp, Lamps, Screen, VoiceTrial
from omafon.core.selftest import DIALLED, PICTURES, SILENT_DB, faults, missing, pins
from omafon.core.state import Phone, SelfTest
from omafon.core.words import lamp_words, part_words, picture_words, word


def screen(phone: Phone, test: SelfTest) -> Screen:
    """Instructions and questions; a test picture stands alone."""
    language = phone.settings.language
    if test.part is None:
        return _verdict(phone, test)
    if test.picture is not None:
        return Screen(picture=test.picture)
    there = phone.equipment.parts
    title = part_words(test.part, language)
    corner = f"{there.index(test.part) + 1}/{len(there)}"
    hint = word("answer_hint", language)
    match test.part:
        case Part.KEYS:
            return _keys(phone, test, title, corner)
        case Part.HOOK:
            asked = word("test_replace" if phone.off_hook else "test_lift", language)
            return Screen(title=title, corner=corner, main=asked, note=phone.equipment.hook)
        case Part.DIAL:
            asked = word("test_dial", language, digit=DIALLED[len(test.came)])
            return Screen(title=title, corner=corner, main=asked, note=test.came)
        case Part.LAMPS:
            lamp = lamp_words(phone.equipment.lamps[test.step], language)
            return Screen(title=title, corner=corner, main=lamp, note=word("test_lamp", language), hint=hint)
        case Part.DISPLAY:
            coming = picture_words(PICTURES[test.step], language)
            note, hint = word("test_judge", language), word("test_show", language)
            return Screen(title=title, corner=corner, main=coming, note=note, hint=hint)
        case Part.EAR:
            return Screen(title=title, corner=corner, main=word("test_ear", language), hint=hint)
        case Part.BELL:
            note = word("test_bell_note", language)
            return Screen(title=title, corner=corner, main=word("test_bell", language), note=note, hint=hint)
        case Part.MICROPHONE:
            loud = round(100 * min(max(1 - test.heard_db / SILENT_DB, 0.0), 1.0))
            note = word("test_voice", language)
            return Screen(title=title, corner=corner, note=note, hint=hint, bar=loud)
        case _:
            note = word("test_delay_note", language)
            return Screen(title=title, corner=corner, main=word("test_delay", language), note=note)


def tone(test: SelfTest) -> Tone:
    """In the ear."""
    return Tone.DIAL if test.part is Part.EAR else Tone.OFF


def rings(test: SelfTest) -> bool:
    """Whether the bell sweeps from low to high."""
    return test.part is Part.BELL


def trial(test: SelfTest) -> VoiceTrial:
    """What the handset is joined with."""
    match test.part:
        case Part.MICROPHONE:
            return VoiceTrial.LOOP
        case Part.DELAY:
            return VoiceTrial.DELAY
        case _:
            return VoiceTrial.NONE


def lamps(phone: Phone, test: SelfTest) -> Lamps:
    """The one that is asked for."""
    lit = {phone.equipment.lamps[test.step]: Lamp.ON} if test.part is Part.LAMPS else {}
    return Lamps(**lit, amplifier=Lamp.ON if rings(test) else Lamp.OFF)


def _keys(phone: Phone, test: SelfTest, title: str, corner: str) -> Screen:
    language = phone.settings.language
    left = missing(phone, test)
    stuck = next((key for key, _ in test.down if key in test.stuck), None)
    if stuck is not None:
        note = word("test_stuck", language, pins=pins(phone, stuck) or stuck.value)
        return Screen(title=title, corner=corner, main=stuck.value, note=note, alert=True)
    hint = word("test_left", language, keys=" ".join(left)) if left else ""
    if len(hint) > COLUMNS:
        hint = f"{hint[: COLUMNS - 2].rsplit(' ', 1)[0]} …"
    if test.shown is None:
        return Screen(title=title, corner=corner, main=word("test_press", language), hint=hint)
    return Screen(title=title, corner=corner, main=test.shown.value, note=pins(phone, test.shown), hint=hint)


def _verdict(phone: Phone, test: SelfTest) -> Screen:
    language = phone.settings.language
    broken = faults(test)
    hint = word("test_report", language, name=test.report) if test.report else ""
    title = word("test_result", language)
    if broken:
        main = word("test_fault" if len(broken) == 1 else "test_faults", language, n=len(broken))
        named = ", ".join(part_words(part, language) for part in broken)
        return Screen(title=title, main=main, note=_cut(named), hint=hint, alert=True)
    left = [part_words(finding.part, language) for finding in test.found if finding.verdict is Verdict.UNTESTED]
    if left:
        note = _cut(word("test_untested", language, parts=", ".join(left)))
        return Screen(title=title, main=word("test_no_fault", language), note=note, hint=hint)
    delay = next((finding.facts.get("delay_ms") for finding in test.found if finding.part is Part.DELAY), None)
    note = word("test_delay_was", language, ms=round(float(delay))) if delay is not None else ""
    return Screen(title=title, main=word("test_good", language), note=note, hint=hint)


def _cut(text: str) -> str:
    return text if len(text) <= COLUMNS else text[: COLUMNS - 1] + "…"
