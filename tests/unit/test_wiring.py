# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A board says which drivers make the phone; what it lacks, a virtual part stands for."""

from pathlib import Path

import pytest

from omafon import wiring
from omafon.board import load_board
from omafon.config import AudioConfig, Config
from omafon.drivers.keypad import GpioKeypad
from omafon.drivers.oled import Oled
from omafon.drivers.sound import AlsaSound
from omafon.outbox import Drivers
from omafon.sim.virtual import VirtualBell, VirtualDisplay, VirtualSource


def made(board: str, folder: Path, config: Config | None = None) -> Drivers:
    return wiring.of(load_board(board))(config or Config(), folder, lambda event: None)


def test_a_phone_without_hardware_has_virtual_parts(tmp_path: Path):
    drivers = made("virtual", tmp_path)

    assert isinstance(drivers.source, VirtualSource)
    assert isinstance(drivers.display, VirtualDisplay)
    assert isinstance(drivers.sound, VirtualBell)


@pytest.mark.parametrize("board", ["mk1", "usb", "rotary"])
def test_a_board_with_pins_display_and_sound_has_their_drivers(board: str, tmp_path: Path):
    drivers = made(board, tmp_path)

    assert isinstance(drivers.source, GpioKeypad)
    assert isinstance(drivers.display, Oled)
    assert isinstance(drivers.sound, AlsaSound)


def test_a_bell_can_be_given_to_a_phone_without_hardware(tmp_path: Path):
    drivers = made("virtual", tmp_path, Config(audio=AudioConfig(ringer="CARD=Speaker")))

    assert isinstance(drivers.sound, AlsaSound)
