# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Which drivers make a phone of a board. What the board lacks, a virtual part stands for.

Libraries of the hardware are imported only where the board has it: they are heavy, and a phone without hardware may
not have them.
"""

from pathlib import Path

from msgspec.structs import replace

from omafon.app import Wiring
from omafon.board import BoardProfile, SoundProfile
from omafon.config import AudioConfig, Config, settings
from omafon.core.dialplan import E164
from omafon.drivers.dns import DnsResolver
from omafon.drivers.sip import SipCalls
from omafon.drivers.store import FileStore
from omafon.interfaces import Display, Post, Sound, Source
from omafon.outbox import Drivers
from omafon.sim.virtual import VirtualBell, VirtualDisplay, VirtualSource


def of(board: BoardProfile) -> Wiring:
    """The drivers of `board`, made when the house asks for them."""

    def wire(config: Config, state: Path, post: Post) -> Drivers:
        phone, parts = config.phone, board.sound or SoundProfile()
        audio = replace(config.audio, voice=config.audio.voice or parts.voice)
        calls = SipCalls(post, config.sip, config.line, audio, phone.name, phone.number, mixed=bool(parts.playback))
        return Drivers(
            store=FileStore(post, state),
            sound=_sound(board, audio, post),
            calls=calls,
            resolver=DnsResolver(post, config.enum, numbers=_looked_up(config)),
            display=_display(board, post),
            source=_source(board, post),
        )

    return wire


def _sound(board: BoardProfile, audio: AudioConfig, post: Post) -> Sound:
    if board.sound is None and not audio.ringer:
        return VirtualBell()
    from omafon.drivers.sound import AlsaSound

    return AlsaSound(post, board.sound or SoundProfile(), audio)


def _display(board: BoardProfile, post: Post) -> Display:
    if board.display is None or not board.display.driver:
        return VirtualDisplay()
    from omafon.drivers.oled import Oled

    return Oled(post, board.display)


def _source(board: BoardProfile, post: Post) -> Source:
    amplifier = board.sound.amplifier if board.sound else ""
    if not (board.keypad or board.hook or board.rotary or board.keys or board.lamps or amplifier):
        return VirtualSource()
    from omafon.drivers.keypad import GpioKeypad

    return GpioKeypad(post, board.keypad, board.hook, board.rotary, board.keys, board.lamps, amplifier=amplifier)


def _looked_up(config: Config) -> list[E164]:
    """The numbers of the phone book that are called by way of the directory."""
    return [E164(person.number) for person in settings(config).contacts if person.number and not person.uri]
