# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What the kernel knows of a process."""

import re
from contextlib import suppress
from pathlib import Path


def cpu_s(pid: int) -> float:
    """Seconds of processor the process's threads have used, to the nanosecond: ticks are too coarse for 20 s."""
    total_ns = 0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        # A thread may end while we look.
        with suppress(FileNotFoundError, ProcessLookupError):
            total_ns += int((thread / "schedstat").read_text().split()[0])
    return total_ns / 1e9


def resident_mb(pid: int) -> float:
    """Resident memory, without the virtual sound cards: those stand for hardware."""
    total_kb, counts = 0, True
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            counts = "/dev/shm/omafon-" not in line
        elif counts and line.startswith("Rss:"):
            total_kb += int(line.split()[1])
    return total_kb / 1024
