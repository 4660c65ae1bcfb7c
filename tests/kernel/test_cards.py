# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Sound cards of a real kernel, as the telephone finds them and turns their mixers."""

import subprocess

from omafon import cards
from omafon.drivers.sound.mixer import Mixer, Setting, Way

DEVICE = "hw:CARD=Mixer"


def amixer(*words: str) -> str:
    return subprocess.run(["amixer", "-D", DEVICE, *words], check=True, capture_output=True, text=True).stdout


def test_cards_are_known_by_their_ids() -> None:
    assert [card.id for card in cards.cards()] == ["Handset", "Speaker", "Mixer"]


def test_an_element_is_turned_in_decibels_and_again_only_when_somebody_else_has_turned_it() -> None:
    wanted = Setting("Master", Way.PLAYBACK, -12.0)
    with Mixer(DEVICE) as mixer:
        mixer.apply(wanted)
        assert amixer("sget", "Master").count("[-12.00dB]") == 2
        assert not mixer.apply(wanted)
    amixer("sset", "Master", "0%")

    with Mixer(DEVICE) as mixer:
        assert mixer.apply(wanted)
    assert amixer("sget", "Master").count("[-12.00dB]") == 2
