# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Where a phone keeps what, unless it is told otherwise."""

from pathlib import Path

CONFIG = Path("/etc/omafon/phone.toml")
STATE = Path("/var/lib/omafon")
CONTROL = Path("/run/omafon/control")
BOOT = Path("/boot/firmware")
REQUESTS = Path("/run/omafon-requests")
