# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Omafon: a desk telephone out of a Raspberry Pi, a keypad, a hook switch, a display and a handset."""

__version__ = "0.1.0"
