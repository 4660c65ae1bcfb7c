# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A bench with pins and wires: gpiozero's mock pins, joined by contacts as copper joins them."""

import queue
import threading
from collections.abc import Iterator, Mapping
from typing import Self

from gpiozero.pins.mock import MockFactory, MockPin

from omafon.board import HookProfile, KeypadProfile, LampProfile, RotaryProfile
from omafon.core.events import Event
from omafon.drivers.keypad import GpioKeypad

GROUND = "ground"

FOUR_BY_FOUR = KeypadProfile(
    rows=("gpio5", "gpio6", "gpio13", "gpio19"),
    columns=("gpio12", "gpio16", "gpio20", "gpio21"),
    keys=(("1", "2", "3", "call"), ("4", "5", "6", "end"), ("7", "8", "9", "up"), ("*", "0", "#", "down")),
)
HOOK = HookProfile(pin="gpio17")
DIAL = RotaryProfile(pulse="gpio22", off_normal="gpio23")
EXTRA = {"vol+": "gpio24", "vol-": "gpio25"}
LAMPS = LampProfile(message="gpio26", line="gpio27")


class WiredPin(MockPin):  # type: ignore[misc]
    """A pin whose level is what its wire has: what drives it, what pulls it, what a contact joins it with."""

    def _set_function(self, value: str) -> None:
        with self.factory.lock:
            super()._set_function(value)
            if value == "output":
                # As the kernel hands an output out.
                self._change_state(False)
            self.factory.settle()

    def _set_state(self, value: bool) -> None:
        with self.factory.lock:
            super()._set_state(value)
            self.factory.settle()

    def _set_pull(self, value: str) -> None:
        with self.factory.lock:
            self._pull = value
            self.factory.settle()

    def fails(self) -> None:
        """From now on nothing can be read of this pin."""
        self._get_state = _dead

    def works(self) -> None:
        """It can be read again."""
        del self._get_state


class Bench(MockFactory):  # type: ignore[misc]
    """Pins of a Raspberry Pi 3 and the contacts between them. A contact joins two pins, or a pin and ground.

    `fights` counts how often one pin drove a wire high that another drove low.
    """

    def __init__(self) -> None:
        super().__init__(pin_class=WiredPin)
        self.lock = threading.RLock()
        self.fights = 0
        self._closed: set[tuple[str, str]] = set()

    def join(self, one: str, other: str = GROUND) -> None:
        """Close the contact between two pins, 'gpio17', or between a pin and ground."""
        with self.lock:
            self._closed.add((one, other))
            self.settle()

    def part(self, one: str, other: str = GROUND) -> None:
        """Open that contact."""
        with self.lock:
            self._closed.discard((one, other))
            self.settle()

    def bounce(self, one: str, other: str = GROUND, times: int = 7) -> None:
        """Close and open the contact in no time."""
        for _ in range(times):
            self.join(one, other)
            self.part(one, other)

    def level(self, name: str) -> bool:
        """What a meter shows at a pin: True is 3.3 V."""
        return bool(self.pin(name.upper()).state)

    def settle(self) -> None:
        """Bring every wire to its level; pins that listen are told."""
        pins = {pin.info.name.lower(): pin for pin in self.pins.values()}
        for wire in self._wires(set(pins)):
            members = [pins[name] for name in wire if name != GROUND]
            driven = {bool(pin._state) for pin in members if pin._function == "output"}
            if GROUND in wire:
                driven.add(False)
            self.fights += driven == {False, True}
            pulled = {pin._pull for pin in members if pin._function == "input"}
            if driven:
                level = min(driven)
            elif pulled & {"up", "down"}:
                level = "up" in pulled
            else:
                continue
            for pin in members:
                if pin._function == "input":
                    (pin.drive_high if level else pin.drive_low)()

    def _wires(self, names: set[str]) -> Iterator[set[str]]:
        """Everything that closed contacts join, as sets."""
        left = names | {GROUND} | {end for contact in self._closed for end in contact}
        while left:
            wire, reached = set(), {left.pop()}
            while reached:
                wire |= reached
                near = {end for contact in self._closed if wire & set(contact) for end in contact}
                reached = near - wire
            left -= wire
            yield wire & (names | {GROUND})


def _dead(*_: object) -> None:
    raise OSError("the wire has come off")


class Handset:
    """A telephone on the bench, as its board profile says, and the hand that uses it."""

    def __init__(
        self,
        keypad: KeypadProfile = FOUR_BY_FOUR,
        hook: HookProfile = HOOK,
        rotary: RotaryProfile = DIAL,
        keys: Mapping[str, str] = EXTRA,
        lamps: LampProfile = LAMPS,
    ) -> None:
        self.bench = Bench()
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._hook = hook
        self._rotary = rotary
        self._contacts = {key: (pin, GROUND) for key, pin in keys.items()}
        for row, legends in zip(keypad.rows, keypad.keys, strict=True):
            self._contacts |= {key: (row, column) for key, column in zip(legends, keypad.columns, strict=True)}
        self.driver = GpioKeypad(self.events.put, keypad, hook, rotary, keys, lamps, factory=self.bench)
        self.replaces()

    def __enter__(self) -> Self:
        self.driver.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.driver.close()

    def presses(self, key: str) -> None:
        self.bench.join(*self._contacts[key])

    def lets_go(self, key: str) -> None:
        self.bench.part(*self._contacts[key])

    def bounces(self, key: str) -> None:
        self.bench.bounce(*self._contacts[key])

    def lifts(self) -> None:
        self._hook_contact(closed=self._hook.closed == "off-hook")

    def replaces(self) -> None:
        self._hook_contact(closed=self._hook.closed == "on-hook")

    def winds(self) -> None:
        """The dial leaves its rest: both its contacts are closed now."""
        self.bench.join(self._rotary.pulse)
        self.bench.join(self._rotary.off_normal)

    def breaks(self) -> None:
        self.bench.part(self._rotary.pulse)

    def makes(self) -> None:
        self.bench.join(self._rotary.pulse)

    def returns(self) -> None:
        """The dial is back at rest."""
        self.bench.part(self._rotary.off_normal)

    def hears(self, count: int = 1, within_s: float = 2.0) -> list[Event]:
        """The next `count` events of the driver. Raises queue.Empty when they do not come."""
        return [self.events.get(timeout=within_s) for _ in range(count)]

    def hears_nothing(self, for_s: float) -> bool:
        """Whether that long passed without an event."""
        try:
            self.events.get(timeout=for_s)
        except queue.Empty:
            return True
        return False

    def heard(self) -> list[Event]:
        """All events that nobody has asked for yet."""
        return [self.events.get_nowait() for _ in range(self.events.qsize())]

    def _hook_contact(self, *, closed: bool) -> None:
        (self.bench.join if closed else self.bench.part)(self._hook.pin)
