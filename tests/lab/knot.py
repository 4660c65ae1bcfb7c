# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Knot DNS as the authority of zones that a test writes, on one loopback address."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from omafon.core.naptr import NaptrRecord
from tests.lab.program import Program

PORT = 5353  # one that takes no privilege
_CONFIGURATION = """\
server:
    rundir: "{folder}"
    listen: {address}@{port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
log:
  - target: stderr
    any: info
database:
    storage: "{folder}"
template:
  - id: default
    storage: "{folder}"
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: none
zone:
"""


class Knot:
    """Serves `zones`, domain to lines of a master file; the SOA and NS records are added. Runs while entered."""

    def __init__(self, folder: Path, address: str, zones: Mapping[str, Iterable[str]], *, ttl_s: int = 60) -> None:
        self.address = address
        self.server = f"{address}:{PORT}"
        self._folder = folder
        self._zones = [zone.strip(".") for zone in zones]
        configuration = _CONFIGURATION.format(folder=folder, address=address, port=PORT)
        for zone, lines in zones.items():
            name = zone.strip(".")
            head = [f"$ORIGIN {name}.", f"$TTL {ttl_s}", f"@ SOA ns host 1 3600 600 86400 {ttl_s}", "@ NS ns"]
            (folder / f"{name}.zone").write_text("\n".join([*head, f"ns A {address}", *lines]) + "\n")
            configuration += f"  - domain: {name}\n    file: {name}.zone\n"
        (folder / "knot.conf").write_text(configuration)
        self._program: Program | None = None

    def __enter__(self) -> Self:
        self._program = Program(["knotd", "-c", "knot.conf"], package="knot", folder=self._folder)
        for _ in self._zones:
            self._program.until_says(r"\[.*\] loaded, serial")
        self._program.until_says("server started")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._program is not None:
            self._program.close()


def naptr_line(name: str, record: NaptrRecord) -> str:
    """`record` as a line of a master file (RFC 1035 section 5.1), every octet that could mean something escaped."""
    strings = " ".join(f'"{_escaped(text)}"' for text in (record.flags, record.services, record.regexp))
    return f"{name} NAPTR {record.order} {record.preference} {strings} {record.replacement or '.'}"


def _escaped(text: str) -> str:
    plain = "".join(map(chr, range(0x20, 0x7F))).translate({ord('"'): None, ord("\\"): None})
    return "".join(chr(octet) if chr(octet) in plain else f"\\{octet:03d}" for octet in text.encode())
