# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Which of two versions is the older one."""

import re
from dataclasses import dataclass, field
from pathlib import Path

_FORM = re.compile(r"(\d{1,9}(?:\.\d{1,9}){0,3})(?:\+(\d{8})\.(\d{4})(?:\.[0-9a-z.]+)?)?", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A release, and when the image of it was made; of one release the later image is the newer.

    >>> Version.read("0.9.0") < Version.read("0.10.0+20261122.1845.abcdef0") < Version.read("0.10.0+20261123.0700")
    True
    """

    release: tuple[int, ...]
    made: tuple[int, ...] = ()
    text: str = field(default="", compare=False)

    @classmethod
    def read(cls, text: str) -> "Version":
        """The version that `text` says. Raises ValueError."""
        found = _FORM.fullmatch(text)
        if found is None:
            raise ValueError(f'"{text[:40]}" is no version')
        made = tuple(int(part) for part in found.groups()[1:] if part)
        return cls(tuple(int(part) for part in found[1].split(".")), made, text)

    def __str__(self) -> str:
        return self.text


def running(root: Path) -> Version:
    """That of the system below `root`, by os-release(5). Raises ValueError where it is none of our images."""
    for line in (root / "usr/lib/os-release").read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition("=")
        if key == "IMAGE_VERSION":
            return Version.read(value.strip('"'))
    raise ValueError("this system was not made as an image")
