# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The hardware test without a terminal: what a person is asked and told, part by part."""

import random
from array import array
from pathlib import Path

import pytest

from omafon.board import BoardProfile, HookProfile, KeypadProfile, LampProfile, RotaryProfile, SoundProfile, load_board
from omafon.config import AudioConfig
from omafon.core import chirp
from omafon.core.hardware import Part, Picture, Verdict
from omafon.drivers.keypad.pins import Pins
from omafon.hwtest import report
from omafon.hwtest.copper import Copper
from omafon.hwtest.course import steps
from omafon.hwtest.pictures import picture
from omafon.hwtest.pins import Continuity
from omafon.hwtest.sequence import (
    Answered,
    Contacts,
    Dialled,
    Event,
    Failed,
    Finished,
    Heard,
    Left,
    Light,
    Measured,
    Play,
    Record,
    Rest,
    Say,
    Session,
    Show,
    Sound,
    TimePassed,
    Turn,
    WatchContacts,
    Wish,
)
from tests.lab.pins import Bench

PAD = KeypadProfile(rows=("gpio5", "gpio6"), columns=("gpio12", "gpio16"), keys=(("1", "2"), ("4", "")))
KEYS = BoardProfile(name="keys", keypad=PAD, keys={"mute": "gpio24"})
HOOK = BoardProfile(name="hook", hook=HookProfile("gpio17", closed="on-hook"))
DIAL = BoardProfile(name="dial", rotary=RotaryProfile("gpio22", "gpio23"))
LAMPS = BoardProfile(name="lamps", lamps=LampProfile(message="gpio26", line="gpio27"))
SOUND = BoardProfile(name="sound", sound=SoundProfile(voice="CARD=Handset"))
DISPLAY = BoardProfile(name="display", display=load_board("mk1").display)

NOTHING = Contacts()
LYING = Contacts(grounded=frozenset({"gpio17"}))


def joined(*pairs: tuple[str, str]) -> Contacts:
    return Contacts(joined=frozenset(map(frozenset, pairs)))


ONE, TWO, FOUR = joined(("gpio5", "gpio12")), joined(("gpio5", "gpio16")), joined(("gpio6", "gpio12"))
MUTE = Contacts(grounded=frozenset({"gpio24"}))


class Course:
    """A hardware test that is under way, and all it has said and wished."""

    def __init__(self, board: BoardProfile, audio: AudioConfig | None = None) -> None:
        self.session = Session(steps(board, audio or AudioConfig()))
        self.said: list[str] = []
        self.wishes: list[Wish] = []
        self.wait_s: float | None = None
        self._turn(self.session.begin())

    def take(self, *events: Event) -> "Course":
        for event in events:
            self._turn(self.session.take(event))
        return self

    def answers(self, *words: str) -> "Course":
        return self.take(*map(Answered, words))

    def verdict(self, part: Part) -> Verdict:
        return self.session.findings[part].verdict

    def notes(self, part: Part) -> str:
        return "\n".join(self.session.findings[part].notes)

    def _turn(self, turn: Turn) -> None:
        self.said += [wish.line for wish in turn.wishes if isinstance(wish, Say)]
        self.wishes += [wish for wish in turn.wishes if not isinstance(wish, Say)]
        self.wait_s = turn.wait_s


def press_all(course: Course) -> Course:
    return course.take(NOTHING, ONE, NOTHING, TWO, NOTHING, FOUR, NOTHING, MUTE, NOTHING)


def test_each_key_is_told_with_its_pins_and_those_that_are_left():
    course = Course(KEYS).take(NOTHING, FOUR)

    assert course.said[-1].split() == ["4", "gpio6-gpio12", "left:", "1", "2", "mute"]


def test_a_keypad_works_when_every_key_came_and_said_its_name():
    course = press_all(Course(KEYS)).answers("y")

    assert course.verdict(Part.KEYS) is Verdict.WORKS
    assert course.session.over


def test_keys_that_say_other_names_are_a_fault():
    course = press_all(Course(KEYS)).answers("n")

    assert course.verdict(Part.KEYS) is Verdict.BROKEN
    assert "changed places" in course.notes(Part.KEYS)


def test_a_key_that_never_came_is_named_with_its_pins():
    course = Course(KEYS).take(NOTHING, ONE, NOTHING, FOUR, NOTHING, MUTE, NOTHING).answers("", "y")

    assert course.notes(Part.KEYS) == "the key 2 does not answer: gpio5-gpio16"


def test_when_a_whole_row_is_silent_its_wire_is_named():
    course = Course(KEYS).take(NOTHING, FOUR, NOTHING, MUTE, NOTHING).answers("", "y")

    assert course.notes(Part.KEYS) == "no key of gpio5 (row 1) answers: its wire"


def test_two_columns_that_touch_are_told_at_once_and_remembered():
    course = Course(KEYS).take(joined(("gpio12", "gpio16")))

    assert course.said[-1] == "  SHORT  gpio12 (column 1) and gpio16 (column 2) are joined"
    assert press_all(course).answers("y").verdict(Part.KEYS) is Verdict.BROKEN


def test_a_row_on_ground_is_a_fault_and_no_key():
    course = Course(KEYS).take(Contacts(grounded=frozenset({"gpio5"})))

    assert course.said[-1] == "  SHORT  gpio5 (row 1) is joined with ground"


def test_a_key_that_stays_down_is_stuck():
    course = Course(KEYS).take(ONE)

    assert course.wait_s is not None
    assert course.take(TimePassed()).said[-1] == "  STUCK  the key 1 is stuck: gpio5-gpio12"


def test_a_contact_where_the_board_names_no_key_is_shown():
    course = Course(KEYS).take(joined(("gpio6", "gpio16")))

    assert "gpio6-gpio16: no key of this board" in course.said[-1]


def test_two_keys_at_once_are_two_keys():
    assert Copper(KEYS).down(joined(("gpio5", "gpio12"), ("gpio5", "gpio16"), ("gpio12", "gpio16"))) == {"1", "2"}


@pytest.mark.parametrize(("lying", "lifted", "learned"), [(LYING, NOTHING, "on-hook"), (NOTHING, LYING, "off-hook")])
def test_the_hook_switch_shows_how_it_is_built(lying, lifted, learned):
    course = Course(HOOK).take(lying).answers("").take(lifted, TimePassed(), lying, TimePassed())

    finding = course.session.findings[Part.HOOK]
    assert finding.facts == {"closed": learned}
    assert finding.verdict is (Verdict.WORKS if learned == "on-hook" else Verdict.BROKEN)
    assert f'closed = "{learned}"' in course.notes(Part.HOOK)


def test_a_hook_switch_that_bounces_is_waited_for():
    course = Course(HOOK).take(LYING).answers("").take(NOTHING, LYING, NOTHING)

    assert course.said[-1] == "Lift it."
    assert course.take(TimePassed()).said[-1] == "Lay it down again."


def test_a_hook_switch_that_does_not_move_is_told_with_its_pin():
    course = Course(HOOK).take(NOTHING).answers("").take(TimePassed())

    assert course.verdict(Part.HOOK) is Verdict.BROKEN
    assert "gpio17 stays open" in course.notes(Part.HOOK)


AT_REST = Contacts(grounded=frozenset({"gpio22"}))


def test_a_dial_works_when_the_digits_come_that_were_dialled():
    course = Course(DIAL).take(AT_REST, Dialled("1"), Dialled("5"), Dialled("0"))

    assert course.verdict(Part.DIAL) is Verdict.WORKS


def test_a_dial_that_counts_one_pulse_too_few_does_not_work():
    course = Course(DIAL).take(AT_REST, Dialled("1"), Dialled("4"), Dialled("0"))

    assert "5 was dialled, and 4 came" in course.notes(Part.DIAL)


def test_contacts_of_a_dial_that_changed_places_are_seen_before_it_is_turned():
    course = Course(DIAL).take(Contacts(grounded=frozenset({"gpio23"})))

    assert "changed places" in course.notes(Part.DIAL)


def test_each_lamp_there_is_shines_alone():
    course = Course(LAMPS).answers("y", "n")

    assert [wish for wish in course.wishes if isinstance(wish, Light)] == [Light("message"), Light("line")]
    assert "gpio27" in course.notes(Part.LAMPS)


def test_the_display_shows_four_pictures_and_the_person_judges():
    course = Course(DISPLAY).answers("y", "what?", "y", "n", "y")

    assert [wish.picture for wish in course.wishes if isinstance(wish, Show)] == list(Picture)
    assert course.notes(Part.DISPLAY) == "the picture is shifted or torn: another driver?"


def test_the_microphone_is_shown_and_played_back():
    course = Course(SOUND).answers("y", "y", "").take(Heard(-40.0), Heard(-20.0), Finished()).answers("y")

    assert [wish for wish in course.wishes if isinstance(wish, Record | Play)] == [
        Play(Sound.TONE),
        Play(Sound.SWEEP),
        Record(),
        Play(Sound.RECORDING),
    ]
    assert course.session.findings[Part.MICROPHONE].facts == {"peak_db": -20.0}
    assert "   -20 dB  ####################" in course.said


def test_a_dead_microphone_is_not_played_back():
    course = Course(SOUND).answers("y", "y", "").take(Heard(-90.0), Finished())

    assert course.verdict(Part.MICROPHONE) is Verdict.BROKEN
    assert Play(Sound.RECORDING) not in course.wishes


@pytest.mark.parametrize(
    ("delay_ms", "verdict"), [(12.3, Verdict.WORKS), (180.0, Verdict.BROKEN), (None, Verdict.UNTESTED)]
)
def test_the_delay_of_the_card_is_judged(delay_ms, verdict):
    course = Course(SOUND).answers("y", "y", "s", "").take(Measured(delay_ms))

    assert course.verdict(Part.DELAY) is verdict


def test_a_part_that_cannot_be_used_says_why_and_can_be_done_again():
    course = Course(HOOK).take(Failed("the pin gpio17 cannot be had", "Something else uses it."))

    assert course.notes(Part.HOOK) == "the pin gpio17 cannot be had\nSomething else uses it."
    assert course.wishes == [WatchContacts(), Rest()]
    assert course.answers("r").wishes[-1] == WatchContacts()
    assert course.verdict(Part.HOOK) is Verdict.UNTESTED


def test_every_part_can_be_skipped_and_rests_then():
    course = Course(load_board("mk1"))

    while not course.session.over:
        course.answers("s")

    assert {finding.verdict for finding in course.session.findings.values()} == {Verdict.UNTESTED, Verdict.ABSENT}
    assert course.wishes[-1] == Rest()


def test_who_leaves_keeps_what_was_found():
    course = Course(LAMPS).answers("y", "n").take(Left())

    assert course.session.over
    assert course.verdict(Part.LAMPS) is Verdict.BROKEN


def test_what_comes_when_all_is_over_changes_nothing():
    course = Course(LAMPS).answers("y", "y", "y").take(Failed("late"))

    assert course.verdict(Part.LAMPS) is Verdict.WORKS


def test_a_phone_without_hardware_has_only_the_sound_that_its_owner_names():
    def there(audio: AudioConfig) -> list[Part]:
        return [step.part for step in steps(load_board("virtual"), audio) if step.script]

    assert there(AudioConfig()) == []
    assert there(AudioConfig(voice="null")) == []
    assert there(AudioConfig(voice="omafon_oma")) == [Part.EAR, Part.BELL, Part.MICROPHONE, Part.DELAY]


def test_the_report_tells_the_verdicts_and_the_machine_but_not_its_name(tmp_path: Path):
    model = tmp_path / report.MODEL
    model.parent.mkdir(parents=True)
    model.write_text("Raspberry Pi Zero 2 W Rev 1.0\0")
    course = Course(HOOK).take(Left())

    told = report.facts(HOOK, course.session.findings.values(), tmp_path)

    assert told["machine"]["model"] == "Raspberry Pi Zero 2 W Rev 1.0"
    assert told["parts"][1] == {"part": "hook switch", "verdict": "not tested", "notes": [], "facts": {}}
    assert sorted(told) == ["board", "cards", "machine", "omafon", "parts"]


def test_a_meter_at_the_pins_sees_every_contact_and_burns_none():
    bench = Bench()
    pins = Pins(bench)
    continuity = Continuity(pins, Copper(KEYS).pins)

    bench.join("gpio5", "gpio12")
    bench.join("gpio24")
    seen = continuity.look()
    bench.part("gpio5", "gpio12")

    assert seen == Contacts(frozenset({"gpio24"}), frozenset({frozenset({"gpio5", "gpio12"})}))
    assert continuity.look() == MUTE
    assert bench.fights == 0
    pins.close()


def test_pictures_fill_the_glass_as_it_is_mounted():
    display = load_board("mk1").display
    assert display is not None

    assert picture(Picture.ALL_ON, display).tobytes() == b"\xff" * 1024
    assert picture(Picture.CHESSBOARD, display).tobytes()[:4] == b"\x00\xff\x00\xff"
    assert picture(Picture.TEXT, display).getpixel((127, 63))
    assert picture(Picture.TEXT, display).size == (128, 64)


def test_a_chirp_is_found_in_a_noise_as_loud_as_itself_whichever_way_the_wires_are():
    wanted = chirp.chirp()
    rms = 32768 * 10 ** (chirp.level_db(wanted) / 20)
    noise = random.Random(1)
    heard = array("h", (round(noise.gauss(0, rms)) for _ in range(5000)))
    for i, frame in enumerate(wanted):
        heard[700 + i] -= frame

    assert chirp.find(wanted, heard) == pytest.approx(700, abs=1)


def test_a_chirp_is_not_found_where_there_is_none():
    noise = random.Random(2)

    assert chirp.find(chirp.chirp(), array("h", (noise.randint(-9000, 9000) for _ in range(4000)))) is None
    assert chirp.find(chirp.chirp(), array("h", bytes(18000))) is None
    assert chirp.find(chirp.chirp(), array("h")) is None
