# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The display: a small OLED on I²C or SPI, by luma.oled.

`Oled` is its face to the house, and its thread. `link` is one display from being plugged in to its first fault,
`panel` what the controllers differ in, `regions` which parts of a picture to send, `wire` the bus.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from omafon.board import DisplayProfile
from omafon.core.events import Driver, DriverFailed, DriverRecovered
from omafon.core.glass import Glass
from omafon.drivers.oled import wire
from omafon.drivers.oled.link import Link, upright
from omafon.drivers.oled.panel import Panel, panel
from omafon.interfaces import DriverError, Post
from omafon.render import HEIGHT, WIDTH

__all__ = ["Oled"]

log = logging.getLogger("omafon.oled")


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: from a fault to the next attempt, from one renewal of the whole picture to the next, and at the end."""

    retry_s: float = 30.0
    renew_s: float = 60.0
    leave_s: float = 2.0


class Oled:
    """Implements interfaces.Display. `connect` opens the bus, luma's way to I²C or SPI when it is not given."""

    def __init__(
        self,
        post: Post,
        display: DisplayProfile,
        *,
        connect: Callable[[DisplayProfile], wire.Serial] = wire.connect,
        patience: Patience | None = None,
    ) -> None:
        self._post = post
        self._display = display
        self._connect = connect
        self._patience = patience or Patience()
        self._change = threading.Condition()
        self._frame = Image.new("1", (WIDTH, HEIGHT))
        self._glass = Glass()
        self._news = False
        self._closing = False
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        """Begin to show frames, on a thread of its own; whether there is a display turns out later.

        Raises DriverError when the board's display is none that could ever show one.
        """
        made = panel(self._display)
        width, height = upright(made, self._display)
        if width < WIDTH or height < HEIGHT:
            what = f"a glass of {width} × {height} pixels is too small"
            raise DriverError(what, f"A telephone needs one of {WIDTH} × {HEIGHT} at least.")
        self._closing = False
        self._news = True
        self._thread = threading.Thread(target=self._run, args=(made,), name="oled", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Leave the glass dark."""
        if self._thread is None:
            return
        with self._change:
            self._closing = True
            self._change.notify()
        self._thread.join(self._patience.leave_s)
        if self._thread.is_alive():
            log.error("the display's bus hangs and is left behind")
        self._thread = None

    def show(self, frame: Image.Image) -> None:
        """Show a one-bit picture of 128 × 64; an older one not yet on the glass is dropped."""
        with self._change:
            self._frame = frame
            self._news = True
            self._change.notify()

    def look(self, glass: Glass) -> None:
        """Shine like this from now on."""
        with self._change:
            self._glass = glass
            self._news = True
            self._change.notify()

    # All below runs on the display's thread.

    def _run(self, made: Panel) -> None:
        link: Link | None = None
        works = True
        due = time.monotonic() + self._patience.renew_s
        while (news := self._waits(due, for_news=works)) is not None:
            worked, link = works, self._shows(made, link, again=not news, quiet=not works)
            works = link is not None
            if works and not worked:
                log.info("the display works again")
                self._post(DriverRecovered(Driver.DISPLAY))
            if not (news and works):
                due = time.monotonic() + (self._patience.renew_s if works else self._patience.retry_s)
        if link is not None:
            self._leaves(link)

    def _waits(self, due: float, *, for_news: bool) -> bool | None:
        """True when there is something new to show, False when `due` has come before that, None at the end."""
        timeout_s = max(0.0, due - time.monotonic())
        with self._change:
            self._change.wait_for(lambda: self._closing or (for_news and self._news), timeout_s)
            if self._closing:
                return None
            news, self._news = for_news and self._news, False
            return news

    def _shows(self, made: Panel, link: Link | None, *, again: bool, quiet: bool) -> Link | None:
        """Bring the newest frame to the glass, by `link` or by a new one; None when there is no way.

        One fault of the bus may be nothing but a spark: only the second in a row is told, unless `quiet`.
        """
        with self._change:
            frame, glass = self._frame, self._glass
        for last in (False, True):
            try:
                if link is None:
                    link, again = Link(made, self._display, self._connect(self._display)), False
                if again:
                    link.renew(frame, glass)
                else:
                    link.show(frame, glass)
            except Exception as error:  # noqa: BLE001  # the edge of a thread
                if link is not None:
                    self._cuts(link)
                link = None
                if last and not quiet:
                    reason = wire.reason(error, self._display)
                    self._post(DriverFailed(Driver.DISPLAY, reason))
            else:
                break
        return link

    def _leaves(self, link: Link) -> None:
        try:
            link.end()
        except Exception as error:  # noqa: BLE001  # the edge of a thread
            log.warning("the display could not be turned off: %s", error)
        self._cuts(link)

    def _cuts(self, link: Link) -> None:
        try:
            link.cut()
        except Exception as error:  # noqa: BLE001  # the edge of a thread
            log.debug("the display's bus could not be closed: %s", error)
