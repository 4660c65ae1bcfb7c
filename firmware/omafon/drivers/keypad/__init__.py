# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Keys, hook switch, rotary dial and lamps on the pins of a Raspberry Pi, by gpiozero.

`GpioKeypad` is its face to the house; it runs one thread, which sleeps until a pin has an edge or a time has come. What
edges and times mean is decided in classes that are told both and touch nothing: `debouncer` (keys), `strokes` (held,
repeated, stuck), `hook`, `rotary`, `contact` (bounce), `lamps`. `chip`, `pins`, `matrix` and `switch` are the pins,
and `desk` joins the two.
"""

import logging
import queue
import threading
import time
from collections.abc import Mapping

from gpiozero import Factory

from omafon.board import HookProfile, KeypadProfile, LampProfile, RotaryProfile
from omafon.core.events import Event
from omafon.core.screen import Lamps
from omafon.drivers.keypad.desk import Desk
from omafon.drivers.keypad.pins import Pins
from omafon.drivers.keypad.switch import Edge
from omafon.interfaces import DriverError, Post

__all__ = ["GpioKeypad"]

log = logging.getLogger("omafon.keypad")

RETRY_S = 1.0
JOIN_S = 2.0


class _Stop:
    """The last word in the queue."""


class GpioKeypad:
    """Implements interfaces.Source.

    Takes the parts of the board profile that it has; what is None or empty is not there. `factory` is gpiozero's way to
    the pins, the kernel's chip when it is None.
    """

    def __init__(
        self,
        post: Post,
        keypad: KeypadProfile | None = None,
        hook: HookProfile | None = None,
        rotary: RotaryProfile | None = None,
        keys: Mapping[str, str] | None = None,
        lamps: LampProfile | None = None,
        *,
        amplifier: str = "",
        factory: Factory | None = None,
    ) -> None:
        self._post = post
        self._keypad = keypad
        self._hook = hook
        self._rotary = rotary
        self._keys = keys or {}
        self._lamps = lamps
        self._amplifier = amplifier
        self._factory = factory
        self._words: queue.SimpleQueue[Edge | Lamps | _Stop | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    def open(self) -> None:
        """Take the pins and tell what is pressed and lifted from now on.

        Raises DriverError when a pin cannot be had, or a legend is no key.
        """
        pins = Pins(self._factory)
        self._words = queue.SimpleQueue()
        self._stopping.clear()
        try:
            desk = Desk(pins, self._words.put, self._keypad, self._keys)
            if self._hook is not None:
                desk.add_hook(self._hook)
            if self._rotary is not None:
                desk.add_dial(self._rotary)
            if self._lamps is not None:
                desk.add_lamps(self._lamps)
            if self._amplifier:
                desk.add_amplifier(self._amplifier)
            desk.watch()
        except DriverError:
            pins.close()
            raise
        self._thread = threading.Thread(target=self._run, args=(desk, pins), name="keypad", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Release every key, put the lamps out, give the pins back."""
        if self._thread is None:
            return
        self._stopping.set()
        self._words.put(_Stop())
        self._thread.join(JOIN_S)
        if self._thread.is_alive():
            log.error("the pins hang and are left behind")
        self._thread = None

    def light(self, lamps: Lamps) -> None:
        """Let the lamps there are shine like this."""
        self._words.put(lamps)

    # All below runs on the keypad's thread.

    def _run(self, desk: Desk, pins: Pins) -> None:
        while not self._stopping.is_set():
            try:
                self._serve(desk)
            except Exception as error:  # noqa: BLE001  # the edge of a thread
                log.error("pins: %s", error)
                self._tell(desk.dead())
                self._stopping.wait(RETRY_S)
        self._tell(desk.stop())
        try:
            pins.close()
        except Exception as error:  # noqa: BLE001  # the edge of a thread
            log.error("pins: %s", error)

    def _serve(self, desk: Desk) -> None:
        self._tell(desk.start(time.monotonic()))
        while True:
            try:
                word = self._words.get(timeout=_until(desk.deadline))
            except queue.Empty:
                self._tell(desk.due(time.monotonic()))
                continue
            match word:
                case _Stop():
                    return
                case Lamps():
                    desk.light(word, time.monotonic())
                case _:
                    self._tell(desk.take(word, time.monotonic()))

    def _tell(self, events: tuple[Event, ...]) -> None:
        for event in events:
            self._post(event)


def _until(deadline: float | None) -> float | None:
    return None if deadline is None else max(0.0, deadline - time.monotonic())
