# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What became of a change, for people and for programs."""

from dataclasses import dataclass
from enum import Enum

from omafon.provision.health import Finding


class Outcome(Enum):
    """How a change ended."""

    APPLIED = "applied"
    UNCHANGED = "unchanged"
    UNCONFIRMED = "unconfirmed"
    CONFIRMED = "confirmed"
    ROLLED_BACK = "rolled-back"  # as was asked for, or because nobody confirmed
    FAILED = "failed"  # it was not good, and is gone again
    STUCK = "stuck"  # gone again, and yet not all is as it was
    REFUSED = "refused"
    NOTHING = "nothing"  # there was nothing to do


_GOOD = (Outcome.APPLIED, Outcome.UNCHANGED, Outcome.UNCONFIRMED, Outcome.CONFIRMED, Outcome.ROLLED_BACK)


@dataclass(frozen=True, slots=True)
class Report:
    """`generation` is in force now, `previous` was; `what` is the sentence, `cure` what the owner may do.

    `checks` are those of the generation in force; `confirm_by` is Unix time.
    """

    outcome: Outcome
    what: str
    cure: str = ""
    generation: int | None = None
    previous: int | None = None
    checks: tuple[Finding, ...] = ()
    confirm_by: float | None = None
    unchecked: tuple[str, ...] = ()
    no_phone: bool = False

    @property
    def good(self) -> bool:
        return self.outcome in _GOOD or self.outcome is Outcome.NOTHING

    def as_text(self) -> str:
        lines = [self.what, *(f"  {check}" for check in self.checks)]
        lines += [f"  not checked: {what}" for what in self.unchecked]
        return "\n".join([*lines, *([f"  {self.cure}"] if self.cure else [])])

    def as_json(self) -> dict[str, object]:
        checks = [{"what": check.what, "good": check.good, "why": check.why} for check in self.checks]
        return {
            "outcome": self.outcome.value,
            "what": self.what,
            "cure": self.cure,
            "generation": self.generation,
            "previous": self.previous,
            "checks": checks,
            "unchecked": list(self.unchecked),
            "confirm_by": self.confirm_by,
        }
