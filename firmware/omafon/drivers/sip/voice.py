# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The handset: the voice card, the local tones, and what is joined with what in the engine's conference bridge."""

import math
import re
from enum import IntEnum
from pathlib import Path
from typing import Any

import pjsua2 as pj

from omafon import cards
from omafon.core.causes import Tone
from omafon.core.events import CallId, Driver, DriverFailed, DriverRecovered
from omafon.core.loudness import factor, handset_db
from omafon.core.screen import SoundLevels, VoiceTrial
from omafon.core.tones import cadence, peak
from omafon.drivers.sip.calls import Legs
from omafon.drivers.sip.engine import RATE_HZ, Engine
from omafon.drivers.sip.trial import Trial
from omafon.interfaces import Post

# Long enough to end what the bridge still has in its queue, short enough that no microphone stays open.
LINGER_S = 0.5
# A card that failed is tried again, and one that is missing is looked for in the kernel's list, which costs next to
# nothing. The engine makes its own by opening every PCM: as often only while somebody would hear the card, or while
# cards come and go; else seldom, for a PCM that comes without a card, as a wireless handset's does.
RETRY_S = 1.5
SETTLING_S = 5.0
SEARCH_S = 30.0
# So long must a card sound before its failures are forgotten.
PROVEN_S = 0.3

# What the owner calls being without a card on purpose.
NO_CARD = "null"

# Where the bell has the same card, it is quiet and away within this.
HANDOVER_S = 0.3

# Ends of a join that are not calls; no call has such an id.
CARD, TONE = CallId("card"), CallId("tone")

Join = tuple[CallId, CallId]


class Clock(IntEnum):
    """What drives the bridge, from cheap to dear: nothing, a timer while calls have media, or the card's own clock."""

    NONE = 0
    TIMER = 1
    CARD = 2


class Voice:
    """Applies SoundLevels. Everything here runs on the engine's thread."""

    def __init__(
        self, engine: Engine, legs: Legs, wanted: str, post: Post, *, mixed: bool = False, root: Path = cards.ROOT
    ) -> None:
        """`mixed` says that the card's own mixer makes the voice louder and softer; `root` has proc and sys."""
        self._devices = engine.audDevManager()
        self._legs = legs
        self._wanted = wanted
        self._mixed = mixed
        self._root = root
        self._post = post
        self._levels = SoundLevels()
        self._trial = Trial(engine, post)
        self._clock = Clock.NONE
        self._idle_since: float | None = None
        self._plugged: tuple[cards.Card, ...] = ()
        self._settled_at = -math.inf
        self._search_at = 0.0
        self._card: int | None = None
        self._sounds_since: float | None = None
        self._failed = False
        self._retry_at = 0.0
        self._rang_at = -HANDOVER_S
        self._awaited = False
        self._broken = False
        self._generator: Any = None
        self._playing: tuple[Tone, str] | None = None
        self._joined: dict[Join, tuple[int, int]] = {}
        self._dirty = False

    def open(self, now: float) -> None:
        """Look for the card; that there is none is posted."""
        self._devices.setNoDev()
        if self._wanted != NO_CARD:
            # The engine has just made its list.
            self._plugged, self._search_at = cards.cards(self._root), now + SEARCH_S
            self._find_card(now)

    def apply(self, levels: SoundLevels) -> None:
        self._levels = levels
        self._dirty = True

    def media_changed(self) -> None:
        """A leg's voice came, went or was renewed."""
        self._dirty = True

    def card_failed(self) -> None:
        """The open card stopped working: it was pulled out."""
        self._broken = True

    def settle(self, now: float) -> None:
        """Bring card, tone and joins to what the levels say."""
        if self._broken:
            self._broken = False
            self._sounds_since = None
            self._trouble(f"the sound card {self._name} stopped working", now)
            self._devices.setNullDev()
        wanted = self._wanted_clock()
        if wanted >= self._clock:
            self._idle_since = None
            if wanted > self._clock:
                if wanted is Clock.CARD:
                    self._search_at = now
                self._drive(wanted, now)
        elif self._idle_since is None:
            self._idle_since = now
        elif now - self._idle_since >= LINGER_S:
            self._idle_since = None
            self._drive(wanted, now)
        if self._levels.ringing:
            self._rang_at = now
        if self._sounds_since is not None:
            if now - self._sounds_since >= PROVEN_S:
                self._recovered()
        elif self._awaited or (self._failed and now >= self._retry_at):
            self._awaited = False
            self._retry(now)
        if self._dirty:
            self._dirty = False
            self._play()
            self._join()
            self._set_volume()
        self._trial.settle(self._levels.trial, now)

    def close(self) -> None:
        """Leave the card and end the tone generator."""
        self._trial.close()
        if self._generator is not None:
            self._generator.stop()
            self._generator = None
        self._joined.clear()
        self._devices.setNoDev()

    # The card.

    @property
    def _name(self) -> str:
        return repr(self._wanted) if self._wanted else "of this phone"

    def _wanted_clock(self) -> Clock:
        on_trial = self._levels.trial is not VoiceTrial.NONE
        if self._levels.tone is not Tone.OFF or self._levels.voice or on_trial:
            return Clock.CARD
        return Clock.TIMER if any(leg.generation for leg in self._legs.alive) else Clock.NONE

    def _drive(self, clock: Clock, now: float) -> None:
        """Let `clock` drive the bridge, or the timer where the card cannot."""
        self._devices.setNoDev()
        self._clock = clock
        self._sounds_since = None
        if clock is Clock.CARD and self._wanted != NO_CARD and self._find_card(now) and self._open_card(now):
            self._sounds_since = now
        elif clock is not Clock.NONE:
            self._devices.setNullDev()

    def _open_card(self, now: float) -> bool:
        try:
            self._devices.setCaptureDev(self._card)
            self._devices.setPlaybackDev(self._card)
            self._devices.setSndDevMode(0)  # opens both now
        except pj.Error as error:
            self._awaited = now - self._rang_at < HANDOVER_S
            if not self._awaited:
                self._trouble(f"the sound card {self._name} cannot be opened: {error.reason}", now)
            return False
        return True

    def _find_card(self, now: float) -> bool:
        """Whether there is the owner's card, by what its name means now: in its socket there may be another."""
        self._card = None
        plugged = cards.cards(self._root)
        if plugged != self._plugged:
            # udev gives it its rights and its name only now.
            self._plugged, self._settled_at, self._search_at = plugged, now + SETTLING_S, now
        name = cards.named(self._wanted, self._root)
        there = name is not None and cards.there(name, self._root)
        if name is not None and there:
            # Where nothing sounds, only that the engine can open a card that failed says that it works again.
            if not (self._failed and self._clock is Clock.NONE):
                self._card = self._listed(name)
            # While it rings, opening the ringer's card would keep us waiting until that is silent.
            if self._card is None and now >= self._search_at and not self._levels.ringing:
                soon = self._clock is Clock.CARD or now < self._settled_at
                self._search_at = now + (RETRY_S if soon else SEARCH_S)
                self._devices.refreshDevs()
                self._card = self._listed(name)
        if self._card is None:
            self._trouble(self._missing(name if there else None), now)
        return self._card is not None

    def _listed(self, name: str) -> int | None:
        """The place of the card in the engine's list, whole: of one just plugged in, half may have been there."""
        devices = list(self._devices.enumDev2())
        best = best_name(name, tuple(device.name for device in devices if device.outputCount and device.inputCount))
        return next((index for index, device in enumerate(devices) if device.name == best), None)

    def _missing(self, there: str | None) -> str:
        if not self._wanted and there is None:
            return "this phone has no sound card"
        if there is not None and there.startswith("CARD="):
            return f"the sound card {self._name} cannot be opened to listen and to speak"
        return f"there is no sound card {self._name}"

    def _retry(self, now: float) -> None:
        """Try again to find and to open a card that failed."""
        self._retry_at = now + RETRY_S
        if self._levels.ringing or not self._find_card(now):
            return
        if self._clock is Clock.CARD:
            self._drive(Clock.CARD, now)
        elif self._clock is Clock.NONE:
            self._recovered()

    def _trouble(self, reason: str, now: float) -> None:
        self._retry_at = now + RETRY_S
        if not self._failed:
            self._failed = True
            self._post(DriverFailed(Driver.VOICE, reason))

    def _recovered(self) -> None:
        if self._failed:
            self._failed = False
            self._post(DriverRecovered(Driver.VOICE))

    # The bridge.

    def _play(self) -> None:
        wanted = (self._levels.tone, self._levels.country) if self._levels.tone is not Tone.OFF else None
        if wanted == self._playing:
            return
        self._playing = wanted
        if self._generator is None:
            self._generator = pj.ToneGenerator()
            self._generator.createToneGenerator(RATE_HZ)
        self._generator.stop()
        if wanted is not None:
            self._generator.play(tone_descriptions(*wanted), True)

    def _join(self) -> None:
        """Join exactly what should be joined; only differences reach the bridge, so nothing clicks."""
        wanted = self._wanted_joins()
        for join in self._joined.keys() - wanted.keys():
            source, sink = (self._port(end) for end in join)
            # A leg's renewed voice has lost its joins already.
            if source is not None and sink is not None and self._joined[join] == self._generations(join):
                source.stopTransmit(sink)
            del self._joined[join]
        for join, generations in wanted.items():
            if self._joined.get(join) != generations:
                source, sink = (self._port(end) for end in join)
                source.startTransmit(sink)
                self._joined[join] = generations

    def _wanted_joins(self) -> dict[Join, tuple[int, int]]:
        talking = [call for call in self._levels.voice if self._port(call) is not None]
        joins = [(call, CARD) for call in talking]
        joins += [(one, other) for one in talking for other in talking if one != other]
        if not self._levels.muted:
            joins += [(CARD, call) for call in talking]
        if self._playing is not None:
            joins.append((TONE, CARD))
        if self._levels.trial is VoiceTrial.LOOP:
            joins.append((CARD, CARD))
        return {join: self._generations(join) for join in joins}

    def _generations(self, join: Join) -> tuple[int, int]:
        one, other = (self._legs.get(end) for end in join)
        return (one.generation if one else 0, other.generation if other else 0)

    def _port(self, end: CallId) -> Any:
        if end == CARD:
            return self._devices.getPlaybackDevMedia()
        if end == TONE:
            return self._generator
        leg = self._legs.get(end)
        return leg.media if leg else None

    def _set_volume(self) -> None:
        # What the port receives: pjsua2 names directions from the port's side, the engine below from the bridge's.
        gain = 1.0 if self._mixed else factor(handset_db(self._levels.handset_volume))
        self._devices.getPlaybackDevMedia().adjustRxLevel(gain)


def best_name(wanted: str, names: tuple[str, ...]) -> str | None:
    """The ALSA PCM to open for the owner's `wanted`: that very PCM, or the one of that card that converts rates.

    Empty means the first real card. None when there is no such PCM.

    >>> best_name("CARD=Handset", ("hw:CARD=Handset,DEV=0", "plughw:CARD=Handset,DEV=0"))
    'plughw:CARD=Handset,DEV=0'
    """
    if wanted in names:
        return wanted
    card = re.escape(wanted if wanted.startswith("CARD=") else f"CARD={wanted}") if wanted else "CARD="
    fitting = [name for name in names if re.search(rf"(?:^|:){card}" + (r"(?:,|$)" if wanted else ""), name)]
    plug = [name for name in fitting if name.startswith("plughw:")]
    return next(iter(plug or fitting), None)


def tone_descriptions(tone: Tone, country: str) -> Any:
    """`tone` as the engine's generator wants it. It halves each of two frequencies that sound at once."""
    descriptions = pj.ToneDescVector()
    for burst in cadence(tone, country):
        description = pj.ToneDesc()
        frequencies = burst.frequencies_hz
        description.freq1, description.freq2 = frequencies[0], frequencies[1] if len(frequencies) > 1 else 0
        description.on_msec, description.off_msec = burst.on_ms, burst.off_ms
        description.volume = peak(tone, len(frequencies)) * len(frequencies)
        descriptions.append(description)
    return descriptions
