# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The image that `./dev image` built last, taken apart once for all tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.card_image import CardImage, newest


@pytest.fixture(scope="session")
def image() -> Path:
    return newest()


@pytest.fixture(scope="session")
def card(image: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CardImage]:
    card = CardImage(image, tmp_path_factory.mktemp("card"))
    yield card
    card.close()
