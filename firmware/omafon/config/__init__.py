# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""`phone.toml`, the owner's one file, becomes frozen, typed values; every error says file, line, key and cure.

`parts` names the keys, `rules` says what their values must be, `lines` knows where they stand, `checking` compares a
file with all three, and `reading` turns files into a Config.
"""

from omafon.config.checking import ConfigError, Problem
from omafon.config.parts import (
    AllowConfig,
    AudioConfig,
    Config,
    ContactConfig,
    DisplayConfig,
    EnumConfig,
    FamilyConfig,
    IncomingConfig,
    LineConfig,
    OwnNameConfig,
    PhoneConfig,
    PublishConfig,
    QuietConfig,
    SipConfig,
    WifiConfig,
)
from omafon.config.reading import exposed, load, parse, settings

__all__ = [
    "AllowConfig",
    "AudioConfig",
    "Config",
    "ConfigError",
    "ContactConfig",
    "DisplayConfig",
    "EnumConfig",
    "FamilyConfig",
    "IncomingConfig",
    "LineConfig",
    "OwnNameConfig",
    "PhoneConfig",
    "Problem",
    "PublishConfig",
    "QuietConfig",
    "SipConfig",
    "WifiConfig",
    "exposed",
    "load",
    "parse",
    "settings",
]
