# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Digit maps: when a number is complete, what is waited for, and what is dialled in its place."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omafon.core.digitmap import (
    LONG_S,
    LONGEST_DIALLED,
    LONGEST_MAP,
    SHORT_S,
    DigitMapError,
    Outcome,
    Verdict,
    compile_digit_map,
)

RFC_3435 = "(0T|00T|[1-7]xxx|8xxxxxxx|#xxxxxxx|*xx|91xxxxxxxxxx|9011x.T)"
OFFICE = "(112S0|1[02]|<9:>,0x.|<:030>[1-9]xxxx.|00!|0190x.!|*xx|P5<:112>)"


def match(text: str, digits: str) -> Outcome:
    return compile_digit_map(text).match(digits)


@pytest.mark.parametrize(
    ("digits", "verdict", "wait_s"),
    [
        ("", Verdict.MORE, LONG_S),
        ("0", Verdict.COMPLETE, SHORT_S),
        ("00", Verdict.COMPLETE, SHORT_S),
        ("000", Verdict.IMPOSSIBLE, 0.0),
        ("1", Verdict.MORE, LONG_S),
        ("1234", Verdict.COMPLETE, 0.0),
        ("12345", Verdict.IMPOSSIBLE, 0.0),
        ("*67", Verdict.COMPLETE, 0.0),
        ("#1234567", Verdict.COMPLETE, 0.0),
        ("9", Verdict.MORE, LONG_S),
        ("912125550123", Verdict.COMPLETE, 0.0),
        ("9011", Verdict.COMPLETE, SHORT_S),
        ("9011442079460123", Verdict.COMPLETE, SHORT_S),
    ],
)
def test_the_map_of_rfc_3435_tells_what_its_text_says(digits: str, verdict: Verdict, wait_s: float):
    assert match(RFC_3435, digits) == Outcome(verdict, digits, wait_s)


@pytest.mark.parametrize(
    ("digits", "outcome"),
    [
        ("", Outcome(Verdict.COMPLETE, "112", 5.0)),
        ("9", Outcome(Verdict.MORE, "9", LONG_S, dial_tone=True)),
        ("90", Outcome(Verdict.COMPLETE, "0", SHORT_S)),
        ("9030123", Outcome(Verdict.COMPLETE, "030123", SHORT_S)),
        ("234", Outcome(Verdict.MORE, "234", LONG_S)),
        ("2345", Outcome(Verdict.COMPLETE, "0302345", SHORT_S)),
        ("10", Outcome(Verdict.COMPLETE, "10", SHORT_S)),
        ("112", Outcome(Verdict.COMPLETE, "112", 0.0)),
        ("00", Outcome(Verdict.BARRED, "00", 0.0)),
        ("0190", Outcome(Verdict.BARRED, "0190", SHORT_S)),
        ("0190123", Outcome(Verdict.BARRED, "0190123", SHORT_S)),
        ("*1", Outcome(Verdict.MORE, "*1", LONG_S)),
        ("#", Outcome(Verdict.IMPOSSIBLE, "#")),
        ("01", Outcome(Verdict.MORE, "01", LONG_S)),
    ],
)
def test_a_map_with_all_that_telephones_have_added_tells_it_too(digits: str, outcome: Outcome):
    assert match(OFFICE, digits) == outcome


@pytest.mark.parametrize(
    ("text", "digits", "dialled"),
    [
        ("<8:0049>xxx", "8123", "0049123"),
        ("<[1-3]:>x", "25", "5"),
        ("<x.:0>#", "123#", "0#"),
        ("x<:->", "", ""),
        ("1<2:9>3", "123", "193"),
        ("xx<:#>", "12", "12#"),
        ("<:+49>x.", "30", "+4930"),
        ("x.<1:2>", "111", "112"),
        ("[*#]x.", "*7", "*7"),
        ("A[b-d]", "aC", "aC"),
    ],
)
def test_what_is_dialled_is_what_the_map_passes_on(text: str, digits: str, dialled: str):
    if "->" in text:
        with pytest.raises(DigitMapError):
            compile_digit_map(text)
    else:
        assert match(text, digits).digits == dialled


def test_timers_of_all_and_of_one_alternative():
    text = "L:20, S:2, ( 1x | 1xx | 2xS7 | 3xxL1 | 5xxxL40 | 5xx )"

    waits = {digits: match(text, digits).wait_s for digits in ("1", "12", "123", "22", "3", "5", "51")}

    assert waits == {"1": 20.0, "12": 2.0, "123": 0.0, "22": 7.0, "3": 1.0, "5": 40.0, "51": 40.0}


def test_a_hot_line_dials_at_once_or_after_its_pause():
    assert match("(S0<:030123>)", "") == Outcome(Verdict.COMPLETE, "030123", 0.0)
    assert match("(P3<:030123>|x.)", "") == Outcome(Verdict.COMPLETE, "030123", 3.0)
    assert match("(P3<:030123>|x.)", "7") == Outcome(Verdict.COMPLETE, "7", SHORT_S)


def test_nothing_dialled_is_no_number_though_any_number_of_digits_would_be():
    assert match("x.", "").verdict is Verdict.MORE


def test_the_first_alternative_that_is_complete_decides_and_a_bar_before_all():
    assert match("(1x|<1:9>x)", "12").digits == "12"
    assert match("(<1:9>x|1x)", "12").digits == "92"
    assert match("(x.|12!)", "12").verdict is Verdict.BARRED


def test_blanks_and_case_mean_nothing():
    assert compile_digit_map(" ( 0 X . | [ 1 - 3 ] x t ) ") == compile_digit_map("(0x.|[1-3]xT)")


@pytest.mark.parametrize(
    ("text", "what", "at"),
    [
        ("", "an alternative without digits", 1),
        ("()", "an alternative without digits", 2),
        ("1||2", "an alternative without digits", 3),
        ("(1", "'(' without ')'", 3),
        ("(1)2", "'2' behind the end", 4),
        ("1)", "')' behind the end", 2),
        ("[12", "'[' without ']'", 1),
        ("[1-", "'[' without ']'", 1),
        ("[]", "'[]' holds no key", 1),
        ("[3-1]", "the range 3-1 is empty", 1),
        ("[x]", "'x' is no key", 2),
        (".", "'.' has nothing to repeat", 1),
        ("x..", "'.' has nothing to repeat", 3),
        ("<1>", "'<' without ':'", 1),
        ("<1:2", "'<' without '>'", 1),
        ("<1:x>", "'x' in what is passed on", 4),
        ("1T2", "'2' behind 'T'", 3),
        ("1!2", "'2' behind '!'", 3),
        ("1S", "'S' without its seconds", 3),
        ("1S601", "'S' without its seconds", 3),
        ("1S9999", "'S' without its seconds", 3),
        ("1P5", "'P' beside digits", 2),
        ("L:9(x)", "a timer without a comma", 4),
        ("n", "'n' means nothing here", 1),
        ("1é", "this character means nothing", 2),
        ("1\n\n?", "'?' means nothing here", 4),
    ],
)
def test_a_text_that_is_no_map_is_refused_with_the_place_and_a_cure(text: str, what: str, at: int):
    with pytest.raises(DigitMapError) as refusal:
        compile_digit_map(text)

    assert what in refusal.value.what
    assert refusal.value.what.endswith(f"at character {at}")
    assert refusal.value.cure


def test_a_map_beyond_all_sense_is_refused():
    with pytest.raises(DigitMapError, match="longer than"):
        compile_digit_map("1" * (LONGEST_MAP + 1))


def test_no_map_is_slow():
    slow = compile_digit_map("(" + "|".join(["x." * 100] * 20) + ")")

    began = time.process_time()
    assert slow.match("1" * LONGEST_DIALLED).verdict is Verdict.COMPLETE

    assert time.process_time() - began < 0.1


def test_more_digits_than_anybody_dials_are_impossible():
    assert match("x.", "1" * (LONGEST_DIALLED + 1)).verdict is Verdict.IMPOSSIBLE


@given(text=st.text(alphabet="0123xX.T[]-|()<>:,!SLP #*é", max_size=24), digits=st.text(max_size=8))
def test_any_text_is_a_map_or_a_sentence(text: str, digits: str):
    try:
        found = compile_digit_map(text)
    except DigitMapError:
        return

    assert found.match(digits).wait_s >= 0


POSITIONS = st.sampled_from(["1", "2", "x", "[1-2]", "[2*]", "#", "1.", "x.", "[12]."])
ALTERNATIVES = st.lists(st.lists(POSITIONS, min_size=1, max_size=4), min_size=1, max_size=4)
DIALLED = st.text(alphabet="12*#", min_size=1, max_size=5)


def spelled(position: str) -> str:
    """A position in the language of `re`."""
    return position.replace(".", "*").replace("x", "[0-9]")


def beginnings(positions: list[str]) -> str:
    """A pattern for all beginnings of what `positions` match."""
    pattern = ""
    for position in reversed(positions):
        one = spelled(position)
        pattern = one + pattern if position.endswith(".") else f"(?:{one}{pattern})?"
    return pattern


@given(alternatives=ALTERNATIVES, digits=DIALLED)
def test_a_verdict_is_what_regular_expressions_of_the_alternatives_say(alternatives: list[list[str]], digits: str):
    text = "(" + "|".join(map("".join, alternatives)) + ")"
    whole = any(re.fullmatch("".join(map(spelled, positions)), digits) for positions in alternatives)
    begun = any(re.fullmatch(beginnings(positions), digits) for positions in alternatives)

    found = match(text, digits)

    expected = Verdict.COMPLETE if whole else Verdict.MORE if begun else Verdict.IMPOSSIBLE
    assert (found.verdict, found.digits) == (expected, digits)


@given(alternatives=ALTERNATIVES, digits=DIALLED)
def test_what_is_impossible_stays_so_and_what_came_before_a_number_was_possible(
    alternatives: list[list[str]], digits: str
):
    dialled = compile_digit_map("(" + "|".join(map("".join, alternatives)) + ")")
    verdicts = [dialled.match(digits[:length]).verdict for length in range(1, len(digits) + 1)]

    assert Verdict.IMPOSSIBLE not in verdicts[: len(verdicts) - verdicts[::-1].count(Verdict.IMPOSSIBLE)]
    if dialled.match(digits).verdict is not Verdict.IMPOSSIBLE:
        assert all(dialled.match(digits[:length]).wait_s > 0 for length in range(1, len(digits)))
