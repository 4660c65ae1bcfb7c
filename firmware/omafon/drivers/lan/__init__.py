# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What the local network knows: phones that want to become a family, and where members of it are.

`discovery` is the only page that speaks multicast DNS; `pairing` brings two phones together while both want it;
`neighbours` finds members of the family.
"""

from omafon.drivers.lan.neighbours import LanNeighbours
from omafon.drivers.lan.pairing import LanPairing

__all__ = ["LanNeighbours", "LanPairing"]
