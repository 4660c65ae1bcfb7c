# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What a telephone is made of, as its test has to know it."""

from omafon.board.profile import BoardProfile, LampProfile, SoundProfile
from omafon.config import AudioConfig
from omafon.core.events import DIALLING_KEYS, Key
from omafon.core.hardware import Equipment

NO_CARD = "null"

# What every panel has that stands for a telephone without hardware.
PANEL_KEYS = (*(key for key in Key if key in DIALLING_KEYS), Key.CALL, Key.END)


def equipment(board: BoardProfile, audio: AudioConfig) -> Equipment:
    """The parts of `board`; sound is there when a card is named, or expected. What a panel shows is there too."""
    sound = board.sound or SoundProfile()
    voice = audio.voice or sound.voice
    ringer = audio.ringer or sound.ringer or voice
    lamps = board.lamps or LampProfile()
    return Equipment(
        keys=_keys(board),
        hook=board.hook.pin if board.hook else "",
        dial=board.rotary is not None,
        lamps=tuple(name for name in LampProfile.__struct_fields__ if getattr(lamps, name)),
        display=board.display is not None,
        mixer=any((sound.playback, sound.capture, sound.sidetone, sound.bell, sound.mixer)),
        voice=voice != NO_CARD,
        bell=ringer != NO_CARD,
    )


def _keys(board: BoardProfile) -> tuple[tuple[str, str], ...]:
    if not (board.keypad or board.keys or board.rotary or board.hook):
        return tuple((key.value, "") for key in PANEL_KEYS)
    matrix = (
        [
            (legend, f"{row}-{column}")
            for row, legends in zip(board.keypad.rows, board.keypad.keys, strict=True)
            for column, legend in zip(board.keypad.columns, legends, strict=True)
            if legend
        ]
        if board.keypad
        else []
    )
    return (*matrix, *board.keys.items())
