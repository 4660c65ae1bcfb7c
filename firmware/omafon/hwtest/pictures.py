# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What is shown to find dots that are dark, lit, or in another place, on the whole of a glass."""

from PIL import Image

from omafon.board import DisplayProfile
from omafon.core.hardware import Picture
from omafon.render import trial_picture


def picture(wanted: Picture, display: DisplayProfile) -> Image.Image:
    """One-bit, of the glass's size as the person sees it."""
    upright = display.rotate in (0, 180)
    return trial_picture(wanted, (display.width, display.height) if upright else (display.height, display.width))
