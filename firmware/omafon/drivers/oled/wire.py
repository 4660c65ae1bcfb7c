# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The way to the glass: I²C or SPI, by luma.core."""

import errno
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from luma.core.error import DeviceNotFoundError, DevicePermissionError
from luma.core.interface.serial import bitbang, i2c, spi
from smbus2 import SMBus

from omafon.board import DisplayProfile

# The controllers ask for 3 µs to 100 µs of reset, and as much before the first command.
RESET_S = 0.001


class Serial(Protocol):
    """What luma speaks to."""

    def command(self, *command: int) -> None: ...
    def data(self, data: Sequence[int]) -> None: ...
    def cleanup(self) -> None: ...


class _I2c(i2c):  # type: ignore[misc]
    """luma's way through SMBus blocks of 32 bytes: every adapter has them, also those that can nothing else."""

    def __init__(self, bus: Any, address: int, reset: Any) -> None:
        super().__init__(bus=bus, address=address)
        self._reset = reset

    def cleanup(self) -> None:
        self._bus.close()
        if self._reset is not None:
            self._reset.cleanup()


def connect(
    display: DisplayProfile, *, bus: Callable[[int], Any] = SMBus, spidev: Any = None, gpio: Any = None
) -> Serial:
    """Open the bus of `display`, and pulse its reset pin if it has one. May raise anything: `reason` knows the words.

    `bus` opens an I²C bus by its number; `spidev` and `gpio` stand for the modules spidev and RPi.GPIO when None.
    """
    reset = _number(display.reset)
    if display.bus == "i2c":
        opened = bus(display.controller)
        try:
            resetting = None if reset is None else bitbang(gpio, 0, RESET_S, RESET_S, RST=reset)
        except BaseException:
            opened.close()
            raise
        return _I2c(opened, display.address, resetting)
    wire: Serial = spi(
        spidev,
        gpio,
        port=display.controller,
        device=display.select,
        gpio_DC=_number(display.data_command),
        gpio_RST=reset,
        reset_hold_time=RESET_S,
        reset_release_time=RESET_S,
    )
    return wire


def reason(error: Exception, display: DisplayProfile) -> str:
    """Why the display does not work, in the owner's words."""
    i2c = display.bus == "i2c"
    node = f"/dev/i2c-{display.controller}" if i2c else f"/dev/spidev{display.controller}.{display.select}"
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.ENOENT or (not i2c and isinstance(error, DeviceNotFoundError)):
        return f"there is no {node}: {'I²C' if i2c else 'SPI'} is not switched on"
    if number in (errno.EACCES, errno.EPERM) or isinstance(error, DevicePermissionError):
        return f"{node} may not be used"
    if isinstance(error, DeviceNotFoundError) or number in (errno.EREMOTEIO, errno.ENXIO, errno.EIO):
        return f"no display answers at {display.address:#04x} of {node}"
    if number == errno.ETIMEDOUT:
        return f"{node} hangs"
    return f"the display fails: {error.strerror if isinstance(error, OSError) else error}"


def _number(pin: str) -> int | None:
    """17 of 'gpio17'; None where there is no pin."""
    return int(pin.removeprefix("gpio")) if pin else None
