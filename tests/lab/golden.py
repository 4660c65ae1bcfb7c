# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Pictures of the display that somebody looked at and approved, compared bit for bit."""

from pathlib import Path

import pytest
from PIL import Image, ImageChops

from omafon.render import picture

GOLDEN = Path(__file__).parents[1] / "golden"
SCALE = 6


def looks_as_approved(image: Image.Image, name: str, folder: Path, config: pytest.Config) -> None:
    """Fails when `image` is not tests/golden/<name>.png, and puts both, enlarged, into `folder`.

    With --update-golden the picture becomes the approved one: look at it.
    """
    golden = GOLDEN / f"{name}.png"
    if config.getoption("--update-golden"):
        golden.parent.mkdir(exist_ok=True)
        image.save(golden, optimize=True)
    with Image.open(golden) as approved:
        if approved.mode == image.mode and approved.tobytes() == image.tobytes():
            return
        seen = folder / golden.name
        _beside(image, approved.convert("1")).save(seen)
    pytest.fail(f"{name} looks different: see {seen} (now, approved, difference)")


def _beside(image: Image.Image, approved: Image.Image) -> Image.Image:
    shown = [picture(each, SCALE) for each in (image, approved, ImageChops.logical_xor(image, approved))]
    sheet = Image.new("RGB", (shown[0].width, sum(each.height for each in shown)))
    for place, each in enumerate(shown):
        sheet.paste(each, (0, place * each.height))
    return sheet
