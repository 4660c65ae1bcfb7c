# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Wires between a driver and the model of a display: they count what they carry, and can be pulled."""

import errno
import threading
from collections.abc import Callable, Sequence
from typing import Any

from PIL.Image import Image

from tests.lab.glass import Chip, feed, shows

PATIENCE_S = 5.0
# Nine bits a byte, and about one each for start and stop, at 400 kHz.
BYTE_MS = 9 / 400
MESSAGE_MS = 2 / 400


class Wire:
    """What both kinds of wire have: a chip at the end, and somebody who watches its glass."""

    def __init__(self, chip: Chip) -> None:
        self.chip = chip
        self.change = threading.Condition(threading.RLock())
        self.attempts = 0
        self._fault: OSError | None = None
        self._left: int | None = None
        self._once = False
        self._open = threading.Event()
        self._open.set()

    def pulled(self, number: int = errno.EREMOTEIO, *, after: int = 0) -> None:
        """Out of the plug, once `after` more bytes have passed."""
        with self.change:
            self._fault, self._left = OSError(number, "pulled"), after

    def sparks(self) -> None:
        """The next message fails, and only that."""
        with self.change:
            self.pulled()
            self._once = True

    @property
    def is_pulled(self) -> bool:
        return self._fault is not None

    def plugged(self) -> None:
        with self.change:
            self._fault = self._left = None

    def hangs(self) -> None:
        """The next message waits for `goes_on`."""
        self._open.clear()

    def goes_on(self) -> None:
        self._open.set()

    def shows(self, frame: Image) -> None:
        self.sees(lambda: shows(self.chip, frame))

    def sees(self, true: Callable[[], bool]) -> None:
        """Fails when it does not become true soon."""
        with self.change:
            assert self.change.wait_for(true, PATIENCE_S)

    def _carry(self, content: Sequence[int], take: Callable[[Sequence[int]], None]) -> None:
        self._open.wait(PATIENCE_S)
        with self.change:
            self.attempts += 1
            passing = len(content) if self._left is None else min(self._left, len(content))
            take(content[:passing])
            self.change.notify_all()
            if self._left is not None and self._fault is not None:
                self._left -= passing
                if passing < len(content):
                    fault = self._fault
                    if self._once:
                        self._once = False
                        self.plugged()
                    raise fault


class I2cBus(Wire):
    """An SMBus, as smbus2 has it, with one display at `address`; the address byte is not part of `after`."""

    def __init__(self, chip: Chip, address: int = 0x3C) -> None:
        super().__init__(chip)
        self.address = address
        self.messages = self.bytes = 0
        self.opened = 0
        self.found_ms: float | None = None
        self._wanted: Callable[[], bool] | None = None

    def __call__(self, port: int) -> "I2cBus":
        """In the place of smbus2.SMBus."""
        self.opened += 1
        return self

    def close(self) -> None:
        self.opened -= 1

    def write_i2c_block_data(self, address: int, register: int, content: list[int]) -> None:
        assert len(content) <= 32
        if address != self.address:
            self.attempts += 1
            raise OSError(errno.EREMOTEIO, "nobody acknowledges")
        self._carry(content, lambda passed: self._take(register, passed, whole=len(content)))

    def _take(self, control: int, passed: Sequence[int], *, whole: int) -> None:
        feed(self.chip, control, passed)
        self.messages += 1
        self.bytes += 2 + whole
        if self._wanted is not None and self._wanted():
            self.found_ms, self._wanted = self.time_ms, None

    def looks_for(self, true: Callable[[], bool]) -> None:
        """After each message, until `true`: `found_ms` is what `time_ms` was then."""
        self.found_ms, self._wanted = None, true

    @property
    def time_ms(self) -> float:
        """How long the bus was busy."""
        return self.bytes * BYTE_MS + self.messages * MESSAGE_MS


class SpiBus(Wire):
    """A SpiDev and the module RPi.GPIO in one; D/C says what a byte is, RES resets the chip while it is low."""

    OUT, LOW, HIGH, BCM = "out", 0, 1, "bcm"

    def __init__(self, chip: Any, data_command: int = 24, reset: int = 25) -> None:
        super().__init__(chip)
        self.levels: dict[int, int] = {}
        self.place: tuple[int, int] | None = None
        self.max_speed_hz = 0
        self.resets = 0
        self._pins = (data_command, reset)

    def open(self, port: int, device: int) -> None:
        if self._fault is not None:
            raise self._fault
        self.place = (port, device)

    def close(self) -> None:
        self.place = None

    def setmode(self, numbers: str) -> None:
        assert numbers == self.BCM

    def setup(self, pin: int, direction: str) -> None:
        assert direction == self.OUT
        self.levels[pin] = self.LOW

    def output(self, pin: int, level: int) -> None:
        self.levels[pin] = level
        if pin == self._pins[1] and not level:
            self.chip.resets()
            self.resets += 1

    def cleanup(self, pins: list[int]) -> None:
        for pin in pins:
            del self.levels[pin]

    def writebytes(self, content: list[int]) -> None:
        assert self.place is not None
        assert self.levels[self._pins[1]], "the chip is held in reset"
        self._carry(content, self._take)

    def _take(self, passed: Sequence[int]) -> None:
        data = self.levels[self._pins[0]]
        for byte in passed:
            (self.chip.data if data else self.chip.command)(byte)
