# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The bell: a card that is opened to ring, closed when it is quiet, and tried again when it fails."""

import logging
from collections.abc import Iterator
from pathlib import Path

from omafon import cards
from omafon.core.events import Driver
from omafon.core.loudness import factor, ringer_db
from omafon.core.ringing import FAMILY
from omafon.core.screen import SoundLevels
from omafon.drivers.sound.output import PERIOD_S, CardError, Output, found
from omafon.drivers.sound.player import Player
from omafon.drivers.sound.troubles import Troubles
from omafon.drivers.sound.tunes import RATE_HZ, Tune, TuneError, family_ring, tune
from omafon.interfaces import Post

log = logging.getLogger("omafon.sound")

# Who has the card is the call engine, which leaves it half a second after a call.
BUSY_RETRY_S = 0.02
BUSY_S = 3.0

RETRY_S = 0.25
RETRY_MAX_S = 2.0
# So long must a card ring before its failures are forgotten.
PROVEN_S = 0.3


class Ringer:
    """Rings on the first of `wanted`, cards by their owner's names, that does.

    `silence_s` is how long the card plays silence before and after what sounds, for an amplifier to be switched in.
    """

    def __init__(
        self,
        post: Post,
        wanted: tuple[str, ...],
        silence_s: tuple[float, float] = (0.0, 0.0),
        root: Path = cards.ROOT,
    ) -> None:
        self._wanted = wanted
        self._lead_s, self._hold_s = silence_s
        self._root = root
        self._troubles = Troubles(post, Driver.RINGER)
        self._bell: tuple[str, Tune] | None = None
        self._tune: tuple[str, Tune] | None = None
        self._ringing = False
        self._player: Player | None = None
        self._card = ""
        self._since = 0.0
        self._quiet_since: float | None = None
        self._distrusted: set[str] = set()
        self._busy_since: float | None = None
        self._retry_at = 0.0
        self._retry_s = RETRY_S

    def settle(self, levels: SoundLevels, now: float) -> float | None:
        """Bring the bell to `levels`; returns in how many seconds to come again, None for not before they change."""
        if levels.ringing != self._ringing:
            self._ringing = levels.ringing
            self._distrusted.clear()
            if self._troubles.of("tune"):
                self._tune = None
            self._busy_since, self._retry_at, self._retry_s = None, now, RETRY_S
        try:
            if levels.ringing:
                return self._ring(levels, now)
            if self._player is not None:
                return self._end(self._player, levels, now)
        except CardError as error:
            return self._failed(self._card, error, now)
        self._tune_for(levels)
        return None

    def watch(self) -> None:
        """Look whether the first card, which is not ringing now, could."""
        if self._player is not None or self._ringing or not self._wanted:
            return
        wanted = self._wanted[0]
        try:
            found(wanted, self._root)
            if self._troubles.of("card"):
                self._try(wanted)
            self._troubles.solve("card")
        except CardError as error:
            self._troubles.tell("card", str(error))

    def probe(self) -> None:
        """Try the first card, so that its owner learns that it fails before somebody calls."""
        if self._wanted:
            try:
                self._try(self._wanted[0])
            except CardError as error:
                self._troubles.tell("card", str(error))

    def close(self) -> None:
        if self._player is not None:
            self._player.close()
            self._player = None

    def _ring(self, levels: SoundLevels, now: float) -> float | None:
        if not self._wanted:
            return None
        if self._player is None:
            if now < self._retry_at:
                return self._retry_at - now
            self._player = self._opened(self._tune_for(levels), now)
            if self._player is None:
                return BUSY_RETRY_S
            self._since, self._quiet_since = now, None
        self._player.play(factor(ringer_db(levels.ringer_volume)))
        if now - self._since >= PROVEN_S:
            self._retry_s = RETRY_S
            if self._card == self._wanted[0]:
                self._troubles.solve("card")
        return PERIOD_S

    def _end(self, player: Player, levels: SoundLevels, now: float) -> float | None:
        if player.end(factor(ringer_db(levels.ringer_volume))):
            self._quiet_since = now if self._quiet_since is None else self._quiet_since
            if now - self._quiet_since >= self._hold_s:
                self.close()
                return None
        return PERIOD_S

    def _opened(self, playing: Tune, now: float) -> Player | None:
        """The first card that can be opened, playing; None while one is still in use. Raises CardError."""
        for card in self._candidates():
            try:
                output = Output(card, playing.rate_hz, playing.channels, self._root)
            except CardError as error:
                if error.busy and self._waits(now):
                    return None
                self._troubles.tell("card", str(error))
                self._distrusted.add(card)
            else:
                self._card, self._busy_since = card, None
                return Player(output, playing, self._lead_s)
        raise CardError(self._troubles.of("card"))

    def _candidates(self) -> Iterator[str]:
        """The cards that have not failed in this ringing; all of them again when each has."""
        if self._distrusted.issuperset(self._wanted):
            self._distrusted.clear()
        yield from [card for card in self._wanted if card not in self._distrusted]

    def _waits(self, now: float) -> bool:
        self._busy_since = now if self._busy_since is None else self._busy_since
        return now - self._busy_since < BUSY_S

    def _failed(self, card: str, error: CardError, now: float) -> float:
        self.close()
        self._troubles.tell("card", str(error))
        self._distrusted.add(card)
        wait_s = 0.0 if self._ringing and not self._distrusted.issuperset(self._wanted) else self._retry_s
        if wait_s:
            self._retry_s = min(2 * self._retry_s, RETRY_MAX_S)
        self._retry_at = now + wait_s
        return wait_s

    def _try(self, wanted: str) -> None:
        """Open the card and leave it. Raises CardError unless it is there, if in use."""
        try:
            Output(wanted, RATE_HZ, 1, self._root).close()
        except CardError as error:
            if not error.busy:
                raise

    def _tune_for(self, levels: SoundLevels) -> Tune:
        """The tune to ring with. The bell, which takes a while to be made, is so before anything rings; a file is
        read when it is first named, and kept until another is."""
        if self._bell is None or self._bell[0] != levels.country:
            self._bell, self._tune = (levels.country, tune("", levels.country)), None
        if not levels.tune:
            if levels.ringing:
                # Told until something rings as it shall, so that its owner sees it after the call too.
                self._troubles.solve("tune")
            return self._bell[1]
        if self._tune is None or self._tune[0] != levels.tune:
            try:
                of_family = levels.tune == FAMILY
                made = family_ring(self._bell[1]) if of_family else tune(levels.tune, levels.country)
                self._tune = levels.tune, made
                self._troubles.solve("tune")
            except TuneError as error:
                # Read anew at the next call: for this one the bell rings.
                self._troubles.tell("tune", str(error))
                self._tune = levels.tune, self._bell[1]
        return self._tune[1]
