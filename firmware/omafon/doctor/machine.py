# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The machine that a phone runs on: its files and its programs, wherever a test has put them."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from omafon.clock import WallClock, system_clock
from omafon.config import Config, ConfigError, load, parse
from omafon.config.reading import read
from omafon.programs import run

# Where a distribution keeps what its users rarely type.
_PROGRAMS = "/usr/sbin:/sbin:/usr/bin:/bin"


@dataclass(frozen=True, slots=True)
class Machine:
    """`config` and `state` are the phone's own; `root` is where /proc, /sys, /etc and /run stand.

    `programs` are the directories that commands are looked for in, one behind the other with colons between.
    """

    config: Path = Path("/etc/omafon/phone.toml")
    state: Path = Path("/var/lib/omafon")
    root: Path = Path("/")
    programs: str = field(default_factory=lambda: f"{os.environ.get('PATH', '')}:{_PROGRAMS}")
    clock: WallClock = system_clock

    def configuration(self) -> Config:
        """The owner's, as far as the one who asks may read it; an empty one where the file says nothing usable."""
        try:
            return load(self.config)
        except ConfigError:
            pass
        try:
            # The credentials may be for the phone's eyes only.
            return parse(read(self.config), str(self.config))
        except ConfigError:
            return Config()

    def text(self, path: str) -> str | None:
        """The file `path` under the root; None when it cannot be read."""
        try:
            return (self.root / path).read_text(encoding="utf-8", errors="replace").strip("\0\n ")
        except OSError:
            return None

    def number(self, path: str) -> int | None:
        """The number in the file `path` under the root; None when there is none."""
        text = self.text(path)
        try:
            return int(text) if text is not None else None
        except ValueError:
            return None

    def files(self, pattern: str) -> list[str]:
        """Those under the root that fit `pattern`, by their paths from there."""
        return sorted(str(found.relative_to(self.root)) for found in self.root.glob(pattern))

    def says(self, *command: str, within_s: float = 2.0) -> str | None:
        """What a program prints; None when it is not there, fails or takes too long."""
        ran = run(command, timeout_s=within_s, path=self.programs)
        return ran.out.strip() if ran is not None and ran.good else None

    @property
    def model(self) -> str:
        """Which Raspberry Pi it is; empty for another machine."""
        return self.text("proc/device-tree/model") or ""
