# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The 40 pins of every Raspberry Pi since the B+, and which of them a bus takes when it is in use."""

from typing import Final

GROUND, V3, V5 = "GND", "3V3", "5V"

# By pin number, the odd ones left, the even ones right, as the board is looked at with the memory card at the top.
_NAMES = """
3V3     5V
gpio2   5V
gpio3   GND
gpio4   gpio14
GND     gpio15
gpio17  gpio18
gpio27  GND
gpio22  gpio23
3V3     gpio24
gpio10  GND
gpio9   gpio25
gpio11  gpio8
GND     gpio7
gpio0   gpio1
gpio5   GND
gpio6   gpio12
gpio13  GND
gpio19  gpio16
gpio26  gpio20
GND     gpio21
"""
HEADER: Final[dict[int, str]] = dict(enumerate(_NAMES.split(), start=1))
"""What is on each pin, by the number that is printed beside it."""

NUMBERS: Final[dict[str, int]] = {name: number for number, name in HEADER.items() if name.startswith("gpio")}
"""The header's number of each GPIO."""

EEPROM: Final = {"gpio0": "the data line of the HAT's EEPROM", "gpio1": "the clock of the HAT's EEPROM"}
"""Taken always: the firmware reads them at every start."""

I2C: Final = {"gpio2": "SDA", "gpio3": "SCL"}
SPI: Final = {"gpio10": "MOSI", "gpio9": "MISO", "gpio11": "SCLK", "gpio8": "CE0", "gpio7": "CE1"}
I2S: Final = {"gpio18": "BCLK", "gpio19": "LRCLK", "gpio20": "DIN", "gpio21": "DOUT"}
SERIAL: Final = {"gpio14": "TXD", "gpio15": "RXD"}

USABLE: Final = tuple(f"gpio{number}" for number in range(2, 28))
