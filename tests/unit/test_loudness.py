# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""How loud a volume is."""

import math
from pathlib import Path

from omafon.core.loudness import AMPLIFIED_DB, ear_dba, factor, handset_db, receiving_rlr_db, ringer_db
from omafon.core.state import VOLUME_MIN, VOLUME_STEP

DOCS = Path(__file__).parents[2] / "docs"
STEPS = range(VOLUME_MIN, 101, VOLUME_STEP)


def test_the_handset_has_its_normal_loudness_at_70_and_four_times_the_amplitude_at_100():
    assert handset_db(70) == 0
    assert handset_db(100) == AMPLIFIED_DB
    assert round(factor(AMPLIFIED_DB)) == 4


def test_every_press_of_a_volume_key_is_the_same_step_for_the_ear():
    for db in (handset_db, ringer_db):
        steps = {round(db(volume + VOLUME_STEP) - db(volume), 6) for volume in STEPS[:-1]}
        assert steps == {4.0}


def test_nothing_but_0_is_silence():
    for db in (handset_db, ringer_db):
        assert factor(db(0)) == 0
        assert all(math.isfinite(db(volume)) for volume in STEPS)


def columns(page: str, first: str, last: str) -> list[list[str]]:
    """The cells of the table's rows from the one that begins with `first` to the one that begins with `last`."""
    rows = [line.strip("| ").split(" | ") for line in (DOCS / page).read_text(encoding="utf-8").splitlines()]
    names = [row[0] for row in rows]
    return rows[names.index(first) : names.index(last) + 1]


def signed(db: float) -> str:
    """As the pages write it.

    >>> signed(-24.0), signed(0.0), signed(4.0)
    ('−24', '0', '+4')
    """
    return f"{db:+.0f}".replace("-", "−") if db else "0"


def test_the_page_says_what_is_to_be_heard_at_each_volume():
    table = columns("hardware.md", "10", "100")

    assert [row[:4] for row in table] == [
        [str(volume), signed(handset_db(volume)), f"{ear_dba(volume):.0f}", signed(receiving_rlr_db(volume))]
        for volume in STEPS
    ]


def test_the_page_for_owners_says_the_same():
    volumes, _, handset, bell = columns("provisioning.md", "volume", "bell, dB")

    assert volumes[1:] == [str(volume) for volume in STEPS]
    assert handset[1:] == [signed(handset_db(volume)) for volume in STEPS]
    assert bell[1:] == [signed(ringer_db(volume)) for volume in STEPS]


def test_the_bell_is_never_louder_than_its_loudest():
    assert ringer_db(100) == 0
