# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Everything on the telephone that a finger touches, and the lamps: pins on one side, events on the other."""

import time
from collections.abc import Callable, Mapping
from typing import Protocol

from gpiozero import Pin

from omafon.board import HookProfile, KeypadProfile, LampProfile, RotaryProfile
from omafon.core.events import Event
from omafon.core.screen import Lamp, Lamps
from omafon.drivers.keypad.amplifier import Amplifier
from omafon.drivers.keypad.debouncer import SCAN_S, Debouncer
from omafon.drivers.keypad.faults import Faults
from omafon.drivers.keypad.hook import HookSwitch
from omafon.drivers.keypad.lamps import is_lit, turns_at
from omafon.drivers.keypad.matrix import KeyPins
from omafon.drivers.keypad.pins import Pins
from omafon.drivers.keypad.rotary import RotaryDial
from omafon.drivers.keypad.strokes import Strokes
from omafon.drivers.keypad.switch import Edge, Switch

Events = tuple[Event, ...]
KEY_EDGE = None
"""An edge among the keys: which one, a scan will find."""
Noticed = Callable[[Edge | None], None]

PINS_DEAD = "the pins do not answer"


class _Timed(Protocol):
    @property
    def deadline(self) -> float | None: ...
    def due(self, now: float) -> Events: ...


class Desk:
    """Joins the pins with what they mean. All of it runs on the keypad's thread but `noticed`, which gpiozero calls.

    Nothing happens between `deadline` and the next edge.
    """

    def __init__(self, pins: Pins, noticed: Noticed, keypad: KeypadProfile | None, keys: Mapping[str, str]) -> None:
        """Take the pins of the keys. Raises DriverError."""
        self._noticed = noticed
        self._pins = pins
        self._faults = Faults()
        self._keys = KeyPins(pins, keypad, keys)
        self._debouncer = Debouncer(*self._keys.shape)
        self._strokes = Strokes(self._faults)
        self._switches: list[Switch] = []
        self._switched: list[_Timed] = []
        self._lamp_pins: dict[str, Pin] = {}
        self._lamps = Lamps()
        self._amplifier: Amplifier | None = None
        self._shone_at = 0.0
        self._scanning = False

    def add_hook(self, hook: HookProfile) -> None:
        """Take the pin of the hook switch. Raises DriverError."""
        lifted_closed = hook.closed == "off-hook"
        switch = HookSwitch()
        self._switched.append(switch)
        self._add_switch(hook.pin, lambda closed, at: switch.edge(closed is lifted_closed, at), not lifted_closed)

    def add_dial(self, rotary: RotaryProfile) -> None:
        """Take the pins of the rotary dial. Raises DriverError."""
        dial = RotaryDial(self._faults, off_normal=bool(rotary.off_normal))
        self._switched.append(dial)
        self._add_switch(rotary.pulse, lambda closed, at: dial.pulse_edge(not closed, at), at_rest=True)
        if rotary.off_normal:
            self._add_switch(rotary.off_normal, dial.off_normal_edge, at_rest=False)

    def add_lamps(self, lamps: LampProfile) -> None:
        """Take the pins of the lamps. Raises DriverError."""
        for lamp in LampProfile.__struct_fields__:
            if name := getattr(lamps, lamp):
                self._lamp_pins[lamp] = self._pins.output(name)

    def add_amplifier(self, name: str) -> None:
        """Take the pin of the loudspeaker's amplifier. Raises DriverError."""
        self._amplifier = Amplifier(self._pins.output(name))
        self._switched.append(self._amplifier)

    @property
    def deadline(self) -> float | None:
        """When `due` is wanted, in monotonic seconds; None: only an edge can tell anything."""
        times = [self._debouncer.deadline, self._strokes.deadline, self._lamps_turn_at]
        times.extend(part.deadline for part in self._switched)
        return min((at for at in times if at is not None), default=None)

    def watch(self) -> None:
        """Have every edge noticed from now on."""
        self._keys.watch(self._key_changed)
        for switch in self._switches:
            switch.watch()

    def start(self, now: float) -> Events:
        """Take everything as it stands now."""
        self._debouncer.reset()
        self._rest(now)
        return (*self._read_switches(now), *self._faults.mended(PINS_DEAD))

    def take(self, edge: Edge | None, now: float) -> Events:
        """What an edge means."""
        if edge is not KEY_EDGE:
            return edge.switch.take(edge)
        if not self._scanning:
            self._scanning = True
            self._debouncer.wake(now)
        return ()

    def due(self, now: float) -> Events:
        """What the time that has passed means."""
        events: list[Event] = []
        if any(_is_due(part.deadline, now) for part in self._switched):
            events.extend(self._read_switches(now))
            for part in self._switched:
                events.extend(part.due(now))
        if _is_due(self._debouncer.deadline, now):
            events.extend(self._scan())
        if _is_due(self._strokes.deadline, now):
            events.extend(self._strokes.due(now))
        if _is_due(self._lamps_turn_at, now):
            self._shine(now)
        return tuple(events)

    def light(self, lamps: Lamps, now: float) -> None:
        """Let the lamps there are shine like this."""
        self._lamps = lamps
        self._shine(now)
        if self._amplifier is not None:
            self._amplifier.want(lamps.amplifier is Lamp.ON, now)

    def dead(self) -> Events:
        """The pins have failed: nothing is pressed any more."""
        return (*self._strokes.let_go(), *self._faults.found(PINS_DEAD))

    def stop(self) -> Events:
        """Nobody touches anything any more: every key is released."""
        return self._strokes.let_go()

    def _add_switch(self, name: str, taken: Callable[[bool, float], Events], at_rest: bool) -> None:
        self._switches.append(Switch(self._pins.input(name), taken, at_rest=at_rest, noticed=self._noticed))

    def _read_switches(self, now: float) -> list[Event]:
        return [event for switch in self._switches for event in switch.read(now)]

    def _key_changed(self, ticks: float, state: int) -> None:  # noqa: ARG002  # gpiozero's signature
        # A scan makes edges of its own; what changes meanwhile, the scan sees.
        if not self._scanning:
            self._noticed(KEY_EDGE)

    def _scan(self) -> Events:
        closed, now = self._keys.scan(), time.monotonic()
        pressed, released = self._debouncer.scan(closed, now)
        events: list[Event] = []
        if pressed or released:
            for contact, key in enumerate(self._keys.keys):
                if released >> contact & 1:
                    events.extend(self._strokes.released(contact))
                elif key is not None and pressed >> contact & 1:
                    events.extend(self._strokes.pressed(contact, key, now))
        if self._debouncer.deadline is None:
            self._rest(now)
        return tuple(events)

    def _rest(self, now: float) -> None:
        """Wait for an edge, unless one has come while nobody looked."""
        self._scanning = False
        if self._keys.rest():
            self._scanning = True
            # Not at once: a contact that only this look sees closed would keep the thread running.
            self._debouncer.wake(now + SCAN_S)

    @property
    def _lamps_turn_at(self) -> float | None:
        times = [turns_at(self._lamp(name), self._shone_at) for name in self._lamp_pins]
        return min((at for at in times if at is not None), default=None)

    def _shine(self, now: float) -> None:
        self._shone_at = now
        for name, pin in self._lamp_pins.items():
            pin.state = is_lit(self._lamp(name), now)

    def _lamp(self, name: str) -> Lamp:
        lamp: Lamp = getattr(self._lamps, name)
        return lamp


def _is_due(deadline: float | None, now: float) -> bool:
    return deadline is not None and now >= deadline
