# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The time zones of the system's database (TZif, RFC 9636), read with the configuration: the core looks nothing up."""

import struct
import time
import zoneinfo
from functools import lru_cache
from importlib import resources
from pathlib import Path

from omafon.core.whereabouts import every_zone
from omafon.core.zone import Zone

_HEADER = struct.Struct(">4sc15x6l")
_LARGEST = 65_536


@lru_cache(maxsize=1024)
def zone(name: str) -> Zone | None:
    """The zone of this name, or None when no database has it. What is over when it is read is not in it."""
    content = _file(name)
    return _parsed(name, content) if content is not None else None


@lru_cache(maxsize=2)
def zones(more: tuple[str, ...] = ()) -> tuple[Zone, ...]:
    """All zones that telephone numbers are at home in, and `more`."""
    return tuple(found for name in sorted(every_zone().union(more)) if (found := zone(name)) is not None)


def names() -> list[str]:
    """What may be written as a zone, to tell an owner what was meant."""
    return sorted(zoneinfo.available_timezones())


def _file(name: str) -> bytes | None:
    parts = name.split("/")
    if not all(part and part.replace("_", "").replace("-", "").replace("+", "").isalnum() for part in parts):
        return None
    for root in zoneinfo.TZPATH:
        try:
            with Path(root, *parts).open("rb") as file:
                return file.read(_LARGEST)
        except OSError:
            continue
    try:
        return resources.files("tzdata").joinpath("zoneinfo", *parts).read_bytes()
    except (ModuleNotFoundError, OSError):
        return None


def _parsed(name: str, content: bytes) -> Zone | None:
    """The rule at the end of a TZif file, and the changes to come that it does not tell."""
    if content[:4] != b"TZif" or content[4:5] < b"2":
        return None
    try:
        counts = _HEADER.unpack_from(content)[2:]
        # A first block with times of 32 bits stands before the one that counts.
        second = _HEADER.size + _length(counts, 4)
        _, _, utc, standard, leaps, changes, types, letters = _HEADER.unpack_from(content, second)
        start = second + _HEADER.size
        times = struct.unpack_from(f">{changes}q", content, start)
        kinds = struct.unpack_from(f">{changes}B", content, start + 8 * changes)
        offsets = [struct.unpack_from(">l", content, start + 9 * changes + 6 * kind)[0] for kind in range(types)]
        end = start + _length((utc, standard, leaps, changes, types, letters), 8)
        rule = content[end:].strip(b"\n").decode("ascii")
    except (struct.error, UnicodeDecodeError):
        return None
    by_rule = Zone(name, rule)
    to_come = [(at, offsets[kind]) for at, kind in zip(times, kinds, strict=True) if at > time.time() - 366 * 86_400]
    if all(by_rule.offset_s(at) == offset_s for at, offset_s in to_come):
        return by_rule
    return Zone(name, rule, tuple(to_come))


def _length(counts: tuple[int, ...], time_bytes: int) -> int:
    """How many bytes the data behind a header are."""
    utc, standard, leaps, changes, types, letters = counts
    return changes * (time_bytes + 1) + types * 6 + letters + leaps * (time_bytes + 4) + standard + utc
