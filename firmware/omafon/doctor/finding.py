# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What a doctor says of one part of the phone."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    OK = "ok"
    NOTE = "note"  # the owner may want to know
    WRONG = "wrong"  # the phone suffers


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found at one part of the phone, and the cure where there is something to cure."""

    part: str
    verdict: Verdict
    what: str
    cure: str = ""

    def __str__(self) -> str:
        line = f"{self.verdict:<6} {self.part:<12} {self.what}"
        return f"{line}\n{'':20}{self.cure}" if self.cure else line

    def plain(self) -> dict[str, str]:
        return {"part": self.part, "verdict": self.verdict.value, "what": self.what, "cure": self.cure}


def ok(part: str, what: str) -> Finding:
    return Finding(part, Verdict.OK, what)


def note(part: str, what: str, cure: str = "") -> Finding:
    return Finding(part, Verdict.NOTE, what, cure)


def wrong(part: str, what: str, cure: str) -> Finding:
    return Finding(part, Verdict.WRONG, what, cure)
