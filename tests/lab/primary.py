# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Knot DNS as the primary of zones that a phone may write into."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from omafon.drivers.zone import Key
from tests.lab.knot import Knot, Signing

_WRITERS = """\
key:
  - id: {key.name}
    algorithm: {key.algorithm}
    secret: {key.secret}
acl:
  - id: writers
    action: update
    key: {key.name}
    update-type: [NAPTR, A, AAAA]
    update-owner: name
    update-owner-match: equal
    update-owner-name: [{names}]
"""


@dataclass(frozen=True, slots=True)
class Writer:
    """Who may change records of `names`, absolute: whoever has `key`."""

    key: Key
    names: tuple[str, ...]


class KnotPrimary(Knot):
    """Knot, whose zones `writer` may change."""

    def __init__(
        self,
        folder: Path,
        address: str,
        zones: Mapping[str, Iterable[str]],
        *,
        writer: Writer,
        signed: Mapping[str, Signing] | None = None,
    ) -> None:
        self._writer = writer
        super().__init__(folder, address, zones, signed=signed)

    def _write_configuration(self) -> None:
        super()._write_configuration()
        path = self._folder / "knot.conf"
        writers = _WRITERS.format(key=self._writer.key, names=", ".join(self._writer.names))
        default = "template:\n  - id: default\n"
        path.write_text(path.read_text().replace(default, f"{writers}{default}    acl: writers\n"))
