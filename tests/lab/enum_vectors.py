# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The ENUM vectors of tests/vectors/enum.json: record sets, and what RFC 6116 and the policy in `meta` make of them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omafon.core.naptr import Followed, NaptrRecord, follow

PATH = Path(__file__).parent.parent / "vectors" / "enum.json"


@dataclass(frozen=True)
class Vector:
    """One case. `zone` holds the records of other names; `wanted` is the case as it stands in the file."""

    id: str
    number: str
    name: str
    records: tuple[NaptrRecord, ...]
    zone: Mapping[str, tuple[NaptrRecord, ...]]
    wanted: Mapping[str, Any]

    @property
    def is_number(self) -> bool:
        return bool(self.wanted["error"] != "not-e164")

    def follows(self) -> Followed:
        """What the zone says at the names that records point to."""
        followed: Followed = ()
        while names := follow(self.records, name=self.name, followed=followed):
            followed += tuple((name, self.zone.get(name)) for name in names)
        return followed


def vectors() -> list[Vector]:
    return [_vector(case) for case in json.loads(PATH.read_text())["vectors"]]


def _vector(case: Mapping[str, Any]) -> Vector:
    zone = {name: tuple(map(_record, records)) for name, records in case.get("zone", {}).items()}
    records = tuple(map(_record, case["records"]))
    return Vector(case["id"], case["number"], case["qname"] or "", records, zone, case)


def _record(fields: Mapping[str, Any]) -> NaptrRecord:
    return NaptrRecord(
        fields["order"],
        fields["pref"],
        fields["flags"],
        fields["services"],
        fields["regexp"],
        fields["replacement"],
    )
