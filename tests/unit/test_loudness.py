# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""How loud a volume is."""

import math

from omafon.core.loudness import AMPLIFIED_DB, factor, handset_db, ringer_db
from omafon.core.state import VOLUME_MIN, VOLUME_STEP

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


def test_the_bell_is_never_louder_than_its_loudest():
    assert ringer_db(100) == 0
