# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Every cause, route and trouble has its words, in every language, and they fit on the display."""

import re

import pytest

from omafon.core import words
from omafon.core.causes import CAUSE_TONES, Cause, Tone
from omafon.core.events import Driver
from omafon.core.screen import COLUMNS
from omafon.core.settings import Route
from omafon.core.words import LANGUAGES, cause_words, route_words, trouble_words, word


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("cause", Cause)
def test_every_cause_says_what_happened_within_a_line(cause: Cause, language: str):
    what, cure = cause_words(cause, language)

    assert what
    assert len(what) <= COLUMNS
    assert len(cure) <= COLUMNS
    assert not re.search(r"\d", what + cure), "codes are for the log"


@pytest.mark.parametrize("cause", set(Cause) - {Cause.NORMAL, Cause.CANCELLED, Cause.ANSWERED_ELSEWHERE})
def test_every_failure_says_what_to_do(cause: Cause):
    assert all(cause_words(cause, language)[1] for language in LANGUAGES)


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_is_heard(cause: Cause):
    assert CAUSE_TONES[cause] is not Tone.OFF


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_route_and_every_trouble_has_its_words(language: str):
    said = [route_words(route, language) for route in Route] + [trouble_words(d, language) for d in Driver]

    assert all(0 < len(text) <= COLUMNS for text in said)


@pytest.mark.parametrize("key", words._WORDS)
def test_every_word_exists_in_every_language_and_fits(key: str):
    fillings = {"n": 9, "of": 9, "name": "Oma", "version": "0.1.0", "digit": 5, "ms": 43, "parts": "A, B"}
    fillings |= {"keys": "1 2 3", "pins": "gpio12-gpio16", "time": "07:00", "at": "14:05"}

    for language in LANGUAGES:
        assert 0 < len(word(key, language, **fillings)) <= COLUMNS
