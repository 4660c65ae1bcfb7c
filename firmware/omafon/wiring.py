# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Which drivers make a phone of a board. What the board lacks, a virtual part stands for.

Libraries of the hardware are imported only where the board has it: they are heavy, and a phone without hardware may
not have them.
"""

from functools import partial
from pathlib import Path

from msgspec.structs import replace

from omafon.app import Wiring
from omafon.board import BoardProfile, SoundProfile
from omafon.board.equipment import equipment
from omafon.clock import SystemClock
from omafon.config import AudioConfig, Config, settings
from omafon.core.dialplan import E164
from omafon.core.events import EquipmentKnown
from omafon.core.settings import Settings
from omafon.drivers.dns import DnsResolver, check_enum
from omafon.drivers.lan import LanNeighbours, LanPairing
from omafon.drivers.requests import RequestFiles
from omafon.drivers.sip import SipCalls, check_sip
from omafon.drivers.store import FILE, FileStore
from omafon.drivers.zone.own_name import OwnName
from omafon.hwtest.keeping import ReportFile
from omafon.identity import identity
from omafon.interfaces import Display, Post, Sound, Source
from omafon.outbox import Drivers
from omafon.sim.virtual import NoCalls, NoPairing, NoResolver, VirtualBell, VirtualDisplay, VirtualSource, VirtualStore


def of(board: BoardProfile) -> Wiring:
    """The drivers of `board`, made when the house asks for them."""

    def wire(config: Config, state: Path, post: Post) -> Drivers:
        phone, parts = config.phone, board.sound or SoundProfile()
        audio = replace(config.audio, voice=config.audio.voice or parts.voice)
        post(EquipmentKnown(equipment(board, audio)))
        # What the phone last wrote it did not write tomorrow.
        clock = SystemClock(state / FILE)
        mixed = bool(parts.playback)
        calls = SipCalls(
            post,
            config.sip,
            config.line,
            audio,
            phone.name,
            phone.number,
            mixed=mixed,
            wall_clock=clock,
            family_port=config.family.port,
            certificate=partial(identity, state),
        )
        resolver = DnsResolver(post, config.enum, numbers=_looked_up(settings(config)), wall_clock=clock)

        own_name = OwnName(config.family)

        def configure(config: Config, settings: Settings) -> None:
            own_name.configure(config.family)
            calls.configure(config.line, config.phone.name, config.phone.number)
            resolver.configure(config.enum, numbers=_looked_up(settings))

        return Drivers(
            store=FileStore(post, state),
            sound=_sound(board, audio, post),
            calls=calls,
            resolver=resolver,
            display=_display(board, post),
            source=_source(board, post),
            pairing=LanPairing(post, state, config.sip.address),
            requests=RequestFiles(post),
            reports=ReportFile(post, board, state),
            own_name=own_name,
            neighbours=LanNeighbours(post, state, config.family.port, config.sip.address),
            configure=configure,
        )

    return wire


def safe(board: BoardProfile) -> Wiring:
    """Those with which a phone of `board` tells what is wrong with it: keys and display, and nothing that calls."""

    def wire(_: Config, state: Path, post: Post) -> Drivers:
        return Drivers(
            store=VirtualStore(),
            sound=VirtualBell(),
            calls=NoCalls(post),
            resolver=NoResolver(),
            display=_display(board, post),
            source=_source(board, post),
            pairing=NoPairing(post),
            requests=RequestFiles(post),
            reports=ReportFile(post, board, state),
        )

    return wire


def check(config: Config) -> None:
    """Ask the drivers what only they can know to be wrong. Reads files: not on the loop. Raises DriverError."""
    check_enum(config.enum)
    check_sip(config.sip)


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


def _looked_up(settings: Settings) -> list[E164]:
    """The numbers of the phone book that are called by way of the directory."""
    return [E164(person.number) for person in settings.contacts if person.number and not person.uri]
