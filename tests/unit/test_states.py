# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The diagram in the documentation is the phone's own."""

from pathlib import Path

import pytest

from tests.unit.states import document, ways

PAGE = Path(__file__).parents[2] / "docs" / "states.md"


def test_the_page_of_states_shows_the_phone_as_it_is(request: pytest.FixtureRequest):
    drawn = document()
    if request.config.getoption("--update-golden"):
        PAGE.write_text(drawn, encoding="utf-8")

    assert PAGE.read_text(encoding="utf-8") == drawn


def test_replacing_the_handset_leads_home_from_everywhere():
    found = ways()
    states = {here for here, _, _ in found} | {there for _, _, there in found}
    home = {here: there for here, said, there in found if said == "handset replaced"}

    stuck = {
        state
        for state in states
        if home.get(state, state) not in {"idle", "ringing, handset down"} and "handset down" not in state
    }

    assert stuck == set()
