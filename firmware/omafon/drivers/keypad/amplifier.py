# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The pin that wakes the loudspeaker's amplifier, switched while its card plays silence: then nothing clicks."""

from gpiozero import Pin

from omafon.core.events import Event

# The sound driver opens the bell's card with 60 ms of silence, and after the last that sounds, at most 70 ms later, it
# keeps it open for 120 ms. Both drivers are told at the same moment.
WAKE_S = 0.03
SLEEP_S = 0.1


class Amplifier:
    """Follows what is wanted, a moment later."""

    def __init__(self, pin: Pin) -> None:
        self._pin = pin
        self._wanted = False
        self.deadline: float | None = None

    def want(self, awake: bool, now: float) -> None:
        if awake != self._wanted:
            self._wanted = awake
            self.deadline = now + (WAKE_S if awake else SLEEP_S)

    def due(self, now: float) -> tuple[Event, ...]:
        if self.deadline is not None and now >= self.deadline:
            self.deadline = None
            self._pin.state = self._wanted
        return ()
