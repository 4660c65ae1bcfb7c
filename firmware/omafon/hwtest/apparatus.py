# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Does what the scripts wish, with the telephone's own drivers, and tells what comes of it."""

import os
import queue
from collections.abc import Callable
from pathlib import Path
from typing import Any

from omafon import cards
from omafon.board import BoardProfile, DisplayProfile, SoundProfile
from omafon.config import AudioConfig
from omafon.core import events as core
from omafon.core.hardware import Picture
from omafon.core.screen import Lamp, Lamps, SoundLevels
from omafon.drivers.keypad import GpioKeypad
from omafon.drivers.keypad.pins import Pins
from omafon.drivers.oled import Oled, wire
from omafon.drivers.sound.mixer import Mixer, MixerError
from omafon.drivers.sound.mixers import Mixers
from omafon.drivers.sound.output import CardError, found
from omafon.hwtest.cards import Cards
from omafon.hwtest.copper import Copper
from omafon.hwtest.pictures import picture
from omafon.hwtest.pins import Continuity
from omafon.hwtest.sequence import (
    Contacts,
    Dialled,
    Event,
    Failed,
    Finished,
    Light,
    MeasureDelay,
    Play,
    Record,
    Rest,
    SetMixers,
    Show,
    Sound,
    WatchContacts,
    WatchDial,
    Wish,
)
from omafon.interfaces import DriverError

__all__ = ["Apparatus"]

CHECK_WIRES = "Compare the wires: omafon board NAME lists them."


class Apparatus:
    """The parts of one board. `voice` and `ringer` are cards by their owner's names.

    Events are taken from it by `event`; `wakes` becomes readable when there are any. `factory` (gpiozero's), `connect`
    and `root` are other ways to pins, display and cards than the machine's own.
    """

    def __init__(
        self,
        board: BoardProfile,
        audio: AudioConfig,
        *,
        factory: Any = None,
        connect: Callable[[DisplayProfile], wire.Serial] = wire.connect,
        root: Path = cards.ROOT,
    ) -> None:
        self._board = board
        self._audio = audio
        self._sound = board.sound or SoundProfile()
        self._factory = factory
        self._connect = connect
        self._root = root
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.wakes, self._woken = os.pipe()
        self._pins: Pins | None = None
        self._continuity: Continuity | None = None
        self._contacts: Contacts | None = None
        self._amplifier: Any = None
        self._keypad: GpioKeypad | None = None
        self._oled: Oled | None = None
        self.voice = audio.voice or self._sound.voice
        self.ringer = audio.ringer or self._sound.ringer or self.voice
        self._cards = Cards(self._post, self.voice, self.ringer, root)

    @property
    def watches(self) -> bool:
        """Whether `look` is to be called again and again."""
        return self._continuity is not None

    def look(self) -> None:
        """Tell Contacts when they have changed."""
        if self._continuity is None:
            return
        try:
            contacts = self._continuity.look()
        except OSError as error:
            self._continuity = None
            self._post(Failed(f"the pins do not answer: {error.strerror}", CHECK_WIRES))
            return
        if contacts != self._contacts:
            self._contacts = contacts
            self._post(contacts)

    def event(self) -> Event | None:
        """The oldest event nobody has taken yet; None when there is none."""
        try:
            event = self._events.get_nowait()
        except queue.Empty:
            return None
        os.read(self.wakes, 1)
        return event

    def perform(self, wish: Wish) -> None:
        """Begin what is wished. What cannot be is told as Failed."""
        try:
            self._begin(wish)
        except DriverError as error:
            self._post(Failed(error.what, error.cure))

    def rest(self) -> None:
        """Stop everything, give pins and cards back, and forget what they had to tell."""
        self._cards.rest()
        if self._oled is not None:
            self._oled.close()
            self._oled = None
        self._leave_pins()
        while self.event() is not None:
            pass

    def close(self) -> None:
        """Nothing may be asked of it after that."""
        self.rest()
        os.close(self.wakes)
        os.close(self._woken)

    def _post(self, event: Event) -> None:
        self._events.put(event)
        os.write(self._woken, b".")

    def _begin(self, wish: Wish) -> None:
        match wish:
            case WatchContacts():
                self._leave_pins()
                self._continuity = Continuity(self._take_pins(), Copper(self._board).pins)
                self.look()
            case WatchDial():
                self._leave_pins()
                self._open_keypad(rotary=self._board.rotary)
            case Light(lamp):
                keypad = self._keypad or self._open_keypad(lamps=self._board.lamps)
                keypad.light(Lamps(**{lamp: Lamp.ON}))
            case Show(wanted):
                self._show(wanted)
            case SetMixers():
                self._set_mixers()
            case Play(Sound.TONE):
                self._cards.play_tone()
            case Play(Sound.SWEEP):
                self._wake_amplifier()
                self._cards.play_sweep()
            case Play(Sound.RECORDING):
                self._cards.play_recording()
            case Record():
                self._cards.record()
            case MeasureDelay():
                self._cards.measure()
            case Rest():
                self.rest()

    def _notice(self, event: core.Event) -> None:
        """What a driver tells the house; called on its thread."""
        match event:
            case core.KeyPressed(key):
                self._post(Dialled(key.value))
            case core.DriverFailed(_, reason):
                self._post(Failed(reason, CHECK_WIRES))

    def _take_pins(self) -> Pins:
        if self._pins is None:
            self._pins = Pins(self._factory)
        return self._pins

    def _leave_pins(self) -> None:
        self._continuity = self._contacts = None
        if self._amplifier is not None:
            self._amplifier.state = False
            self._amplifier = None
        if self._keypad is not None:
            self._keypad.close()
            self._keypad = None
        if self._pins is not None:
            self._pins.close()
            self._pins = None

    def _open_keypad(self, **parts: Any) -> GpioKeypad:
        """The telephone's own driver for pins, with these parts of the board only."""
        keypad = GpioKeypad(self._notice, factory=self._factory, **parts)
        keypad.open()
        self._keypad = keypad
        return keypad

    def _wake_amplifier(self) -> None:
        if self._sound.amplifier and self._amplifier is None:
            self._amplifier = self._take_pins().output(self._sound.amplifier)
            self._amplifier.state = True

    def _show(self, wanted: Picture) -> None:
        assert self._board.display is not None
        if self._oled is None:
            oled = Oled(self._notice, self._board.display, connect=self._connect)
            oled.open()
            self._oled = oled
        self._oled.show(picture(wanted, self._board.display))

    def _set_mixers(self) -> None:
        failed: list[str] = []

        def notice(event: core.Event) -> None:
            if isinstance(event, core.DriverFailed):
                failed.append(event.reason)

        for card in {self.voice, self.ringer}:
            try:
                # The mixers themselves pass over a card that is not there.
                with Mixer(cards.control(found(card, self._root))):
                    pass
            except (CardError, MixerError) as error:
                failed.append(str(error))
        mixers = Mixers(notice, self._sound, self._audio, self.voice, self.ringer, self._root)
        mixers.settle(SoundLevels())
        if failed:
            self._post(
                Failed("; ".join(sorted(failed)), "Name the elements as `amixer -c CARD scontrols` does, in [sound].")
            )
        else:
            self._post(Finished())
