# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The mixers of both cards, kept as the levels say: also when a card was pulled out, or another program turned them."""

import logging
import math
from pathlib import Path

from omafon import cards
from omafon.board import SoundProfile
from omafon.config import AudioConfig
from omafon.config.rules import SIDETONE_OFF_DB
from omafon.core.events import Driver
from omafon.core.loudness import AMPLIFIED_DB, handset_db
from omafon.core.screen import SoundLevels
from omafon.drivers.sound.mixer import ElementError, Mixer, MixerError, Setting, Way
from omafon.drivers.sound.output import CardError, found
from omafon.drivers.sound.troubles import Troubles
from omafon.interfaces import Post

log = logging.getLogger("omafon.sound")


class Mixers:
    """The elements that the board's profile names, on the cards the owner calls `voice` and `ringer`."""

    def __init__(
        self,
        post: Post,
        sound: SoundProfile,
        audio: AudioConfig,
        voice: str,
        ringer: str,
        root: Path = cards.ROOT,
    ) -> None:
        self._troubles = Troubles(post, Driver.MIXER)
        self._sound = sound
        self._audio = audio
        self._voice = voice
        self._ringer = ringer
        self._root = root
        self._settings: dict[str, list[Setting]] = {}

    def settle(self, levels: SoundLevels) -> None:
        """Turn what `levels` want otherwise than the last ones."""
        wanted = self._wanted(levels)
        for card, settings in wanted.items():
            if settings != self._settings.get(card):
                self._apply(card, settings)
        self._settings = wanted

    def watch(self) -> None:
        """Set everything again that somebody else has changed, were it by plugging a card in."""
        for card, settings in self._settings.items():
            if self._apply(card, settings):
                log.info("the mixer of %r was changed, and is set again", card)

    def _wanted(self, levels: SoundLevels) -> dict[str, list[Setting]]:
        sound, audio = self._sound, self._audio
        ear_db = handset_db(levels.handset_volume) - AMPLIFIED_DB
        own_voice = audio.sidetone_db > SIDETONE_OFF_DB
        handset = [
            # Its loudest is what an ear that hears badly needs.
            Setting(sound.playback, Way.PLAYBACK, ear_db, on=ear_db > -math.inf, below_top=True),
            Setting(sound.capture, Way.CAPTURE, audio.microphone_db, on=not levels.muted),
            Setting(sound.sidetone, Way.PLAYBACK, audio.sidetone_db if own_voice else -math.inf, on=own_voice),
        ]
        # The bell's volume is in its samples; the card must not take away from it.
        bell = [Setting(sound.bell, Way.PLAYBACK, 0.0, on=True)]
        wanted: dict[str, list[Setting]] = {self._voice: [fixed(*setting) for setting in sound.mixer.items()]}
        for card, settings in ((self._voice, handset), (self._ringer, bell)):
            named = [setting for setting in settings if setting.element]
            if named:
                wanted.setdefault(card, []).extend(named)
        return {card: settings for card, settings in wanted.items() if settings}

    def _apply(self, card: str, settings: list[Setting]) -> bool:
        """Whether anything had to be changed. That the card is not there is for others to tell."""
        changed = False
        try:
            with Mixer(cards.control(found(card, self._root))) as mixer:
                for setting in settings:
                    try:
                        changed = mixer.apply(setting) or changed
                        self._troubles.solve(setting.element)
                    except ElementError as error:
                        self._troubles.tell(setting.element, str(error))
        except (CardError, MixerError) as error:
            log.debug("%s", error)
        return changed


def fixed(element: str, value: str) -> Setting:
    """What a board's profile says of an element once and for all, in the words of `amixer sset`.

    >>> fixed("Playback", "100%").percent, fixed("Left Output Mixer PCM", "on").on
    (100, True)
    """
    if value.endswith("%"):
        return Setting(element, Way.PLAYBACK, percent=int(value.removesuffix("%")))
    return Setting(element, Way.PLAYBACK, on=value == "on")
