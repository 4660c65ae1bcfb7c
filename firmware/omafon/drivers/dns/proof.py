# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What DNSSEC says about an answer, and why (RFC 4033 section 5)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum

FOREVER_S = 86_400.0


class Status(IntEnum):
    """The worse, the greater."""

    SECURE = 0  # signed, up to a key that the phone trusts
    INSECURE = 1  # proven not to be signed
    CLOCK = 2  # signed, but whether the signatures still hold a clock would have to say
    UNPROVEN = 3  # the proof could not be had
    BOGUS = 4  # forged, or broken


@dataclass(frozen=True, slots=True)
class Proof:
    """A status, the reason in words, and how long both hold. `zones` signed it, each proven by the next one."""

    status: Status
    why: str
    ttl_s: float = FOREVER_S
    zones: tuple[str, ...] = ()


def worst(proofs: Iterable[Proof]) -> Proof:
    """The proof of a whole: that of its weakest part, for the time of the shortest. There must be one."""
    parts = list(proofs)
    weakest = max(parts, key=lambda proof: proof.status)
    return replace(weakest, ttl_s=min(proof.ttl_s for proof in parts))
