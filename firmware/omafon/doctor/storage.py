# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The memory card and the memory: room, errors, wear."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

from omafon.doctor.finding import Finding, note, ok, wrong
from omafon.doctor.machine import Machine

LEAST_FREE_MB = 64
LEAST_MEMORY_MB = 32
WORN_TENTHS, WORN_OUT = 9, 11
"""A card's own estimate (JEDEC eMMC 5.0 EXT_CSD 268): tenths of its life, 11 for beyond its end."""

_REPLACE = "Save /etc/omafon, write a new card, and apply the configuration there."


def disk(machine: Machine) -> Iterator[Finding]:
    place = next(folder for folder in (machine.state, *machine.state.parents) if folder.exists())
    room = os.statvfs(place)
    free_mb = room.f_bavail * room.f_frsize // 1_000_000
    mounted, options = _mount(machine, place)
    if "ro" in options:
        cure = f"The kernel does so when a card fails: dmesg | grep -i error. {_REPLACE}"
        yield wrong("disk", f"{mounted}, where the phone keeps its memory, cannot be written to", cure)
    elif free_mb < LEAST_FREE_MB:
        yield wrong("disk", f"{free_mb} MB are free under {place}", "Make room: journalctl --vacuum-size=50M.")
    else:
        yield ok("disk", f"{free_mb} MB are free under {place}")


def _mount(machine: Machine, place: Path) -> tuple[str, list[str]]:
    """The mount point that `place` lies under, and its options (proc(5))."""
    mounts = [line.split() for line in (machine.text("proc/mounts") or "").splitlines()]
    around = [
        (words[1], words[3].split(","))
        for words in mounts
        if len(words) > 3 and place.absolute().is_relative_to(words[1])
    ]
    return max(around, key=lambda mount: len(mount[0]), default=("/", []))


def errors(machine: Machine) -> Iterator[Finding]:
    """What ext4 has noted down in the file system itself, since it was made or last checked."""
    for counter in machine.files("sys/fs/ext4/*/errors_count"):
        if count := machine.number(counter):
            device = Path(counter).parent.name
            last = machine.number(str(Path(counter).with_name("last_error_time"))) or 0
            day = time.strftime(", the last on %Y-%m-%d", time.gmtime(last)) if last else ""
            cure = f"Have it checked at the next start: fsck.mode=force in cmdline.txt. If it comes again: {_REPLACE}"
            yield wrong("card errors", f"the file system on {device} counts {count} errors{day}", cure)


def wear(machine: Machine) -> Iterator[Finding]:
    """Cards that tell it: eMMC, and the few SD cards that do."""
    for estimate in machine.files("sys/block/mmcblk*/device/life_time"):
        words = (machine.text(estimate) or "").split()
        try:
            tenths = max(int(word, 16) for word in words)
        except ValueError:
            continue
        card = estimate.split("/")[2]
        if tenths >= WORN_OUT:
            yield wrong("card wear", f"{card} is worn out", _REPLACE)
        elif tenths >= WORN_TENTHS:
            yield note("card wear", f"{card} has used {10 * tenths} % of its life", _REPLACE)
        elif tenths:
            yield ok("card wear", f"{card} has used {10 * tenths} % of its life at most")


def memory(machine: Machine) -> Iterator[Finding]:
    fields = dict(line.split(":", 1) for line in (machine.text("proc/meminfo") or "").splitlines() if ":" in line)
    try:
        free_mb = int(fields["MemAvailable"].split()[0]) // 1024
    except (KeyError, ValueError, IndexError):
        return
    killed = next(
        (
            int(line.split()[1])
            for line in (machine.text("proc/vmstat") or "").splitlines()
            if line.startswith("oom_kill ")
        ),
        0,
    )
    if free_mb < LEAST_MEMORY_MB:
        cure = "Restart the phone, and look who takes it: systemctl status, ps aux --sort=-rss."
        yield wrong("memory", f"{free_mb} MB are left", cure)
    elif killed:
        what = f"{free_mb} MB are left, but the kernel has ended {killed} programs for want of it since the start"
        yield note("memory", what, "journalctl -k -g oom names them.")
    else:
        yield ok("memory", f"{free_mb} MB are left")
