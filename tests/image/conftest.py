# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The image that `./dev image` built last, taken apart once for all tests; or, with --trial, a root directory."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.card_image import CardImage, Root, newest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--trial", type=Path, help="the root directory that image-build/trial has made")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """A trial has no card and no kernel; an image does not start in a container."""
    if collection_path.name in ("conftest.py", "__init__.py", "test_root.py") or collection_path.is_dir():
        return None
    return True if bool(config.getoption("--trial")) != (collection_path.name == "test_trial.py") else None


@pytest.fixture(scope="session")
def image() -> Path:
    return newest()


@pytest.fixture(scope="session")
def card(image: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CardImage]:
    card = CardImage(image, tmp_path_factory.mktemp("card"))
    yield card
    card.close()


@pytest.fixture(scope="session")
def system(request: pytest.FixtureRequest) -> Root:
    """The root file system of a telephone: the trial's, or that of slot A of the image."""
    trial: Path | None = request.config.getoption("--trial")
    if trial:
        return Root(trial)
    card: CardImage = request.getfixturevalue("card")
    return card
