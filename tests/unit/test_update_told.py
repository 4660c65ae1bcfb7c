# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What the display says of another version while it is written, judged, kept or left."""

import pytest

from omafon.core.events import UpdateStage, UpdateTold
from omafon.pages import Page, of_event
from omafon.status import status
from omafon.story import tell
from tests.unit.world import World

VERSION = "0.2.0+20261122.1845.1a2b3c4"


def test_who_looks_sees_how_far_it_is():
    phone = World()

    phone.happens(UpdateTold(UpdateStage.INSTALLING, VERSION, 40))
    before = phone.rows
    phone.happens(UpdateTold(UpdateStage.INSTALLING, VERSION, 45))

    assert before == ("Neue Version", "0.2.0", "Schreibe … 40 %", "Nicht ausschalten")
    assert phone.rows[2] == "Schreibe … 45 %"


@pytest.mark.parametrize(
    ("stage", "rows"),
    [
        (UpdateStage.RESTARTING, ("Neue Version", "0.2.0", "Neustart …", "Nicht ausschalten")),
        (UpdateStage.JUDGING, ("Neue Version", "0.2.0", "Wird geprüft …", "Nicht ausschalten")),
        (UpdateStage.GOOD, ("Neue Version", "0.2.0", "Läuft", "")),
        (UpdateStage.BACK, ("Neue Version", "0.2.0", "Lief nicht gut", "Alles wie vorher")),
        (UpdateStage.FAILED, ("Neue Version", "0.2.0", "Nicht übernommen", "Alles wie vorher")),
    ],
)
def test_every_step_has_its_words(stage: UpdateStage, rows: tuple[str, ...]):
    phone = World()

    phone.happens(UpdateTold(stage, VERSION))

    assert phone.rows == rows


def test_while_it_waits_for_the_end_of_a_call_the_display_shows_the_call():
    phone = World()
    phone.is_called()
    before = phone.rows

    phone.happens(UpdateTold(UpdateStage.WAITING, VERSION))
    phone.happens(UpdateTold(UpdateStage.INSTALLING, VERSION, 10))

    assert phone.rows == before


def test_a_key_takes_it_away_and_calls_as_ever():
    phone = World(registered=True)
    phone.happens(UpdateTold(UpdateStage.INSTALLING, VERSION, 10))

    phone.lifts()

    assert phone.mode == "dialing"


def test_the_status_says_it_too():
    phone = World()
    none = status(phone.phone, phone.now)["update"]

    phone.happens(UpdateTold(UpdateStage.INSTALLING, VERSION, 40))

    assert none is None
    assert status(phone.phone, phone.now)["update"] == {"stage": "installing", "version": VERSION, "percent": 40}


@pytest.mark.parametrize("stage", UpdateStage)
def test_the_journal_explains_what_went_wrong(stage: UpdateStage):
    wrong = stage in (UpdateStage.BACK, UpdateStage.FAILED)

    assert of_event(UpdateTold(stage, VERSION)) == (Page.UPDATE if wrong else None)


def test_the_log_has_the_whole_version():
    assert tell(UpdateTold(UpdateStage.INSTALLING, VERSION, 40)) == f"update told: {VERSION} installing 40 %"
