# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What a phone is called in the network: `omafon-1a2b`, another in every phone, and the same for ever in each."""

import hashlib
import re
from pathlib import Path

from omafon import durable
from omafon.programs import run

# What an image or an installer calls every machine: such a name is nobody's choice.
_NOBODYS = frozenset({"", "localhost", "debian", "omafon", "raspberrypi", "ubuntu"})
_SERIAL = re.compile(r"[0-9a-f]{8,32}")


def own_name(root: Path) -> str:
    """The name by the serial number of the board, or else by the id of the installation, machine-id(5).

    The id is to be told to nobody, so what is taken of it is a digest's.
    """
    serial = _line(root / "proc/device-tree/serial-number").lower()
    if _SERIAL.fullmatch(serial) and set(serial) != {"0"}:
        return f"omafon-{serial[-4:]}"
    digest = hashlib.sha256(f"omafon host name {_line(root / 'etc/machine-id')}".encode()).hexdigest()
    return f"omafon-{digest[:4]}"


def current(root: Path = Path("/")) -> str:
    """The name the machine has, or is about to get."""
    given = _line(root / "etc/hostname")
    return own_name(root) if given in _NOBODYS else given


def settle(root: Path = Path("/"), *, anew: bool = False) -> str:
    """Give the machine its own name, unless it has one that somebody chose and `anew` is not asked; the name it has.

    Raises OSError.
    """
    file = root / "etc/hostname"
    given = _line(file)
    if given not in _NOBODYS and not anew:
        return given
    name = own_name(root)
    if given == name:
        return name
    told = run(["hostnamectl", "set-hostname", name]) if root == Path("/") else None
    if told is None or not told.good:
        file.parent.mkdir(parents=True, exist_ok=True)
        durable.replace(file, f"{name}\n".encode(), 0o644)
    return name


def _line(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip("\0\n\r ")
    except OSError:
        return ""
