# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Two hundred thousand events more than the fast tests try: what must hold of a telephone, holds."""

import pytest

from tests.unit.test_phone_invariants import walk


@pytest.mark.parametrize("seed", range(100, 120))
def test_after_a_long_life_the_phone_is_a_phone(seed: int):
    walk(seed, 10_000)
