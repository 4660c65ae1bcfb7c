# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The pins, by gpiozero: why one cannot be had, in the owner's words."""

from collections.abc import Callable

from gpiozero import Factory, Pin
from gpiozero.exc import GPIOZeroError, PinInvalidPin

from omafon.drivers.keypad.chip import GpioChip
from omafon.interfaces import DriverError


class Pins:
    """Every pin of the board that keys, hook, dial and lamps hang on.

    They are asked of the kernel, and of nothing else: gpiozero itself would fall back from one library to another.
    A different `factory` may be given.
    """

    def __init__(self, factory: Factory | None = None) -> None:
        self._factory = factory
        self._ours = factory is None
        self._taken: list[Pin] = []

    def input(self, name: str) -> Pin:
        """The pin `name` ("gpio17") as an input pulled up: what hangs on it joins it with ground.

        Raises DriverError.
        """
        return self._take(name, lambda pin: pin.input_with_pull("up"))

    def output(self, name: str) -> Pin:
        """The pin `name` as an output that is low. Raises DriverError."""
        return self._take(name, lambda pin: pin.output_with_state(False))

    def close(self) -> None:
        """Give every pin back, as an input."""
        for pin in self._taken:
            pin.when_changed = None
            pin.close()
        self._taken.clear()
        if self._ours and self._factory is not None:
            self._factory.close()
            self._factory = None

    def _take(self, name: str, prepare: Callable[[Pin], None]) -> Pin:
        if self._factory is None:
            self._factory = _chip()
        try:
            pin = self._factory.pin(name.upper())
            prepare(pin)
        except PinInvalidPin as error:
            raise DriverError(f"this board has no pin {name}", "Name another in the board profile.") from error
        except (GPIOZeroError, OSError) as error:
            what = f"the pin {name} cannot be had: {error}"
            raise DriverError(what, "Something else uses it: `gpioinfo` says what.") from error
        self._taken.append(pin)
        return pin


def watch(pin: Pin, changed: Callable[[float, int], None]) -> None:
    """Call `changed(at, state)` at every edge, on the library's thread, until the pin is closed.

    gpiozero keeps no reference to `changed`: the caller must.
    """
    pin.edges = "both"
    pin.when_changed = changed


def _chip() -> GpioChip:
    try:
        return GpioChip()
    except FileNotFoundError as error:
        raise DriverError("this is no Raspberry Pi", "A phone without pins is `--board virtual`.") from error
    except OSError as error:
        what = f"the pins of this Raspberry Pi cannot be opened: {error.strerror}"
        raise DriverError(what, "The user that runs Omafon must be in the group gpio.") from error
