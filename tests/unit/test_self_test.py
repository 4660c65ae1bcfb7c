# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The telephone tests itself, *#1#: what it asks, what it does with the answers, and how one gets out of it."""

from dataclasses import replace

import pytest

from omafon.core.actions import Action, KeepReport, RejectCall, RingCall
from omafon.core.causes import Tone
from omafon.core.events import (
    DelayMeasured,
    Driver,
    DriverFailed,
    EquipmentKnown,
    Key,
    KeyPressed,
    KeyReleased,
    ReportKept,
    VoiceHeard,
)
from omafon.core.hardware import Equipment, Finding, Part, Picture, Verdict
from omafon.core.present import lamps, screen, sound
from omafon.core.ringing import FAMILY, SWEEP
from omafon.core.screen import COLUMNS, Lamp, VoiceTrial
from omafon.core.selftest import ANSWER_S, DELAY_S, KEYS_S, MOVED_S, STUCK_S, VERDICT_S
from omafon.core.settings import Settings
from omafon.core.words import LANGUAGES
from tests.unit.world import SETTINGS, World

PAD = (("1", "gpio5-gpio12"), ("*", "gpio6-gpio12"), ("#", "gpio6-gpio16"), ("end", "gpio24"))
EVERYTHING = Equipment(
    keys=PAD, hook="gpio17", lamps=("message", "line"), display=True, mixer=True, voice=True, bell=True
)
ORDER = [Part.KEYS, Part.HOOK, Part.LAMPS, Part.DISPLAY, Part.EAR, Part.BELL, Part.MICROPHONE, Part.DELAY]


class Trying(World):
    """A telephone that tests itself."""

    def __init__(self, equipment: Equipment = EVERYTHING, settings: Settings = SETTINGS) -> None:
        super().__init__(settings)
        self.happens(EquipmentKnown(equipment))
        self.dials("*#1#")

    def taps(self, *keys: str) -> tuple[Action, ...]:
        return self.happens(*(event for key in keys for event in (KeyPressed(Key(key)), KeyReleased(Key(key)))))

    def presses_all(self) -> None:
        self.taps(*(legend for legend, _ in self.phone.equipment.keys))

    def comes_to(self, part: Part) -> "Trying":
        """Everything before `part` is well."""
        for before in ORDER[: ORDER.index(part)]:
            self.passes_well(before)
        return self

    def passes_well(self, part: Part) -> None:
        match part:
            case Part.KEYS:
                self.presses_all()
            case Part.HOOK:
                if not self.phone.off_hook:
                    self.lifts()
                self.replaces()
                self.lifts()
            case Part.LAMPS:
                self.taps(*"#" * len(self.phone.equipment.lamps))
            case Part.DISPLAY:
                self.taps(*"#" * 2 * len(Picture))
            case Part.DELAY:
                self.happens(DelayMeasured(43.2))
            case _:
                self.taps("#")

    @property
    def finding(self) -> dict[Part, Finding]:
        report = next(action for action in reversed(self.actions) if isinstance(action, KeepReport))
        return {finding.part: finding for finding in report.findings}

    @property
    def levels(self) -> tuple[Tone, bool, VoiceTrial]:
        levels = sound(self.phone, self.now)
        return levels.tone, levels.ringing, levels.trial


SILENT = (Tone.OFF, False, VoiceTrial.NONE)


def test_it_begins_with_the_handset_up_or_down():
    down = Trying()
    up = World()
    up.happens(EquipmentKnown(EVERYTHING))
    up.lifts()
    up.dials("*#1#")

    assert down.rows[:2] == ("Tasten            1/9", "Alle drücken")
    assert up.rows == down.rows
    assert up.tone is Tone.OFF


def test_it_does_not_begin_while_there_is_a_call():
    phone = World()
    phone.happens(EquipmentKnown(EVERYTHING))
    phone.talks_to_oma()
    phone.presses("flash")

    phone.dials("*#1#")

    assert phone.mode == "dialing"
    assert phone.phone.held is not None


def test_every_key_is_shown_with_its_pins_and_those_that_are_left():
    phone = Trying()

    phone.taps("*")

    assert phone.rows[1:] == ("*", "gpio6-gpio12", "Noch: 1 # end")


def test_when_the_last_key_comes_up_the_keys_are_done():
    phone = Trying()

    phone.presses_all()

    assert phone.rows[0].startswith("Gabel")


def test_the_last_key_of_the_code_that_comes_up_now_is_not_one_of_the_test():
    phone = Trying(replace(EVERYTHING, keys=()))
    before = phone.phone

    phone.happens(KeyReleased(Key.HASH))

    assert phone.phone == before


def test_keys_that_do_not_come_are_named_with_their_pins():
    phone = Trying().comes_to(Part.KEYS)
    phone.taps("1", "*", "end")
    phone.passes(KEYS_S)
    for part in ORDER[1:]:
        phone.passes_well(part)

    assert phone.finding[Part.KEYS].verdict is Verdict.BROKEN
    assert phone.finding[Part.KEYS].notes == ("the key # does not answer: gpio6-gpio16",)


def test_a_key_that_stays_down_is_shown_as_stuck_with_its_pins():
    phone = Trying()
    phone.happens(KeyPressed(Key.DIGIT_1))

    phone.passes(STUCK_S)

    assert phone.rows[1:3] == ("1", "Klemmt: gpio5-gpio12")
    assert screen(phone.phone, phone.now).alert


def test_the_keypad_that_fails_says_why_in_the_report():
    phone = Trying()
    phone.happens(DriverFailed(Driver.KEYPAD, "the pins do not answer"))
    phone.passes(KEYS_S)
    for part in ORDER[1:]:
        phone.passes_well(part)

    assert phone.finding[Part.KEYS].notes[-1] == "the pins do not answer"


def test_lifting_and_replacing_is_asked_for_in_turn():
    phone = Trying().comes_to(Part.HOOK)

    asked = [phone.rows[1]]
    for move in (phone.lifts, phone.replaces):
        move()
        asked.append(phone.rows[1])

    assert asked == ["Bitte abheben", "Bitte auflegen", "Bitte abheben"]
    phone.lifts()
    assert phone.rows[0].startswith("Lampen")


def test_a_hook_switch_that_never_moves_is_named_and_nothing_is_asked_of_the_ear():
    phone = Trying().comes_to(Part.HOOK)
    phone.passes(MOVED_S)
    phone.passes_well(Part.LAMPS)
    phone.passes_well(Part.DISPLAY)

    assert phone.finding[Part.HOOK].verdict is Verdict.BROKEN
    assert "gpio17" in phone.finding[Part.HOOK].notes[0]
    assert phone.finding[Part.EAR].verdict is Verdict.UNTESTED


def test_each_lamp_shines_alone():
    phone = Trying().comes_to(Part.LAMPS)
    first = lamps(phone.phone)
    phone.taps("*")
    second = lamps(phone.phone)
    phone.taps("#")

    assert (first.message, first.line) == (Lamp.ON, Lamp.OFF)
    assert (second.message, second.line) == (Lamp.OFF, Lamp.ON)
    assert lamps(phone.phone).line is Lamp.OFF


def test_each_picture_is_announced_and_then_stands_alone_until_it_was_judged():
    phone = Trying().comes_to(Part.DISPLAY)
    shown = []
    for answer in "#*##":
        assert screen(phone.phone, phone.now).picture is None
        phone.taps("#")
        shown.append(screen(phone.phone, phone.now).picture)
        phone.taps(answer)
    for part in ORDER[4:]:
        phone.passes_well(part)

    assert shown == list(Picture)
    assert phone.finding[Part.DISPLAY].notes == ("the picture 'all off' is not as it should be",)


def test_what_is_heard_follows_the_part_and_ends_with_it():
    phone = Trying().comes_to(Part.EAR)
    heard = [phone.levels]
    for part in ORDER[4:]:
        phone.passes_well(part)
        heard.append(phone.levels)

    assert heard == [
        (Tone.DIAL, False, VoiceTrial.NONE),
        (Tone.OFF, True, VoiceTrial.NONE),
        (Tone.OFF, False, VoiceTrial.LOOP),
        (Tone.OFF, False, VoiceTrial.DELAY),
        SILENT,
    ]


def test_the_bell_sweeps_and_its_amplifier_is_awake():
    phone = Trying().comes_to(Part.BELL)

    assert sound(phone.phone, phone.now).tune == SWEEP
    assert lamps(phone.phone).amplifier is Lamp.ON


def test_the_voice_is_shown_as_it_is_heard():
    phone = Trying().comes_to(Part.MICROPHONE)

    phone.happens(VoiceHeard(-30.0))

    assert screen(phone.phone, phone.now).bar == 50
    phone.happens(VoiceHeard(-70.0))
    assert screen(phone.phone, phone.now).bar == 0


def test_a_silent_microphone_is_said_to_be_silent():
    phone = Trying().comes_to(Part.MICROPHONE)
    phone.happens(VoiceHeard(-80.0))
    phone.taps("*")
    phone.passes_well(Part.DELAY)

    assert phone.finding[Part.MICROPHONE].notes == ("nothing came from the microphone",)
    assert phone.finding[Part.MICROPHONE].facts == {"peak_db": -80.0}


@pytest.mark.parametrize(
    ("delay_ms", "verdict"), [(43.2, Verdict.WORKS), (300.0, Verdict.BROKEN), (None, Verdict.UNTESTED)]
)
def test_the_delay_decides_by_itself(delay_ms: float | None, verdict: Verdict):
    phone = Trying().comes_to(Part.DELAY)

    phone.happens(DelayMeasured(delay_ms))

    assert phone.finding[Part.DELAY].verdict is verdict


def test_a_delay_that_comes_too_late_is_nobodys():
    phone = Trying().comes_to(Part.DELAY)
    phone.passes(DELAY_S)
    before = phone.phone

    assert phone.happens(DelayMeasured(43.2)) == ()
    assert phone.phone == before


def test_the_verdict_names_the_report_and_the_delay():
    phone = Trying().comes_to(Part.DELAY)
    phone.passes_well(Part.DELAY)
    phone.happens(ReportKept("hwtest.json"))

    assert phone.rows == ("Ergebnis", "Alles gut", "Laufzeit 43 ms", "Bericht: hwtest.json")
    assert {finding.verdict for finding in phone.finding.values()} == {Verdict.WORKS, Verdict.ABSENT}
    assert phone.levels == SILENT


def test_the_verdict_counts_and_names_the_faults():
    phone = Trying().comes_to(Part.EAR)
    phone.taps("*", "*", "#")
    phone.happens(DelayMeasured(None))

    assert phone.rows == ("Ergebnis", "2 Fehler", "Hörer, Klingel", "")


def test_mixers_that_fail_have_told_so_before():
    phone = Trying()
    phone.happens(DriverFailed(Driver.MIXER, "no element 'Master'"))
    for part in ORDER:
        phone.passes_well(part)

    assert phone.finding[Part.MIXER].notes == ("no element 'Master'",)
    assert "Lautstärke" in phone.rows[2]


def test_a_telephone_that_nobody_answers_comes_to_a_verdict_and_then_rests():
    phone = Trying()

    phone.passes(KEYS_S + MOVED_S + 4 * ANSWER_S)
    assert phone.finding[Part.KEYS].verdict is Verdict.BROKEN

    phone.passes(VERDICT_S)
    assert phone.mode == "idle"


def test_a_dial_is_asked_for_its_fewest_some_and_its_most_pulses():
    phone = Trying(Equipment(dial=True))
    phone.passes_well(Part.HOOK)
    asked = []
    for digit in "150":
        asked.append(phone.rows[1])
        phone.taps(digit)

    assert asked == ["1 wählen", "5 wählen", "0 wählen"]
    assert phone.finding[Part.DIAL].verdict is Verdict.WORKS


def test_a_dial_that_says_other_digits_is_a_fault():
    phone = Trying(Equipment(dial=True))
    phone.passes_well(Part.HOOK)
    phone.taps("1", "4", "0")

    assert phone.finding[Part.DIAL].facts == {"asked": "150", "came": "140"}
    assert phone.finding[Part.DIAL].verdict is Verdict.BROKEN


# The ways out.


@pytest.mark.parametrize("part", [part for part in ORDER if part is not Part.KEYS])
def test_the_end_key_leaves_it_from_everywhere(part: Part):
    phone = Trying().comes_to(part)

    phone.presses("end")

    assert phone.mode == ("dialing" if phone.phone.off_hook else "idle")
    assert phone.levels[1:] == (False, VoiceTrial.NONE)


def test_among_the_keys_the_end_key_is_tested_before_it_leaves():
    phone = Trying()

    phone.taps("end")
    assert phone.mode == "menu"

    phone.taps("end")
    assert phone.mode == "idle"


@pytest.mark.parametrize("part", [part for part in ORDER if part is not Part.HOOK])
def test_putting_the_handset_down_leaves_it_where_that_was_not_asked_for(part: Part):
    phone = Trying()
    phone.lifts()
    phone.comes_to(part)

    phone.replaces()

    assert phone.mode == "idle"
    assert phone.levels == SILENT


@pytest.mark.parametrize("part", ORDER)
def test_a_call_ends_it_and_rings(part: Part):
    phone = Trying().comes_to(part)

    actions = phone.is_called()

    assert actions == (RingCall(phone.phone.calls[0].id),)
    assert phone.phone.ringing is not None
    if phone.phone.off_hook:
        assert phone.tone is Tone.WAITING
    else:
        assert phone.rings
    assert sound(phone.phone, phone.now).tune == FAMILY


def test_a_telephone_that_is_told_of_other_parts_begins_no_test_of_them():
    phone = Trying().comes_to(Part.LAMPS)

    phone.happens(EquipmentKnown(Equipment()))

    assert phone.mode == "dialing"


def test_a_call_that_is_refused_does_not_disturb_it():
    phone = Trying().comes_to(Part.EAR)

    actions = phone.is_called(source="203.0.113.9")

    assert actions == (RejectCall(actions[0].call, 403),)
    assert phone.mode == "menu"


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_it_says_fits_on_the_display(language: str):
    every = tuple((key.value, "gpio13-gpio20") for key in Key)
    phone = Trying(replace(EVERYTHING, keys=every, dial=True), replace(SETTINGS, language=language))
    seen = [phone.rows]

    for key in Key:
        phone.taps(key.value)
        seen.append(phone.rows)
    phone.lifts()
    phone.replaces()
    phone.lifts()
    for digit in "150":
        phone.taps(digit)
        seen.append(phone.rows)
    while phone.mode == "menu" and len(seen) < 80:
        phone.taps("*", "#") if screen(phone.phone, phone.now).picture is None else phone.taps("*")
        phone.happens(DelayMeasured(119.0), ReportKept("hwtest.json"))
        seen.append(phone.rows)

    assert len(seen) < 80
    assert all(len(row) <= COLUMNS for rows in seen for row in rows)
