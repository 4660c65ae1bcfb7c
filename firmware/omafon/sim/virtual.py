# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The parts a phone without hardware has in the place of hardware: the control socket is its keypad and its glass."""

from PIL.Image import Image

from omafon.core.glass import Glass
from omafon.core.screen import Lamps, SoundLevels


class VirtualSource:
    """No keys and no lamps: the control socket presses keys and shows lamps."""

    def open(self) -> None: ...

    def close(self) -> None: ...

    def light(self, lamps: Lamps) -> None: ...


class VirtualDisplay:
    """No glass: the control socket shows every frame."""

    def open(self) -> None: ...

    def close(self) -> None: ...

    def show(self, frame: Image) -> None: ...

    def look(self, glass: Glass) -> None: ...


class VirtualBell:
    """No bell and no mixers: the control socket tells when it rings."""

    def open(self) -> None: ...

    def close(self) -> None: ...

    def sound(self, levels: SoundLevels) -> None: ...
