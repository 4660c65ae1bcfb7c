# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Who has the telephone's pins and cards: the telephone itself, when it runs."""

import socket
import struct
from pathlib import Path

ANSWER_S = 2.0


def phone_at(control: Path) -> str:
    """The program that listens at this control socket, 'omafon, process 812'; empty when there is none."""
    with socket.socket(socket.AF_UNIX) as ours:
        ours.settimeout(ANSWER_S)
        try:
            ours.connect(str(control))
        except PermissionError:
            return "a telephone of another user"
        except OSError:
            return ""
        pid, _, _ = struct.unpack("3i", ours.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    try:
        name = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return f"process {pid}"
    return f"{name}, process {pid}"
