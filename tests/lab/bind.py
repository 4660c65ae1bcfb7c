# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""BIND 9 as the primary of one zone that a phone may write into."""

import socket
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.lab.heard import LabError
from tests.lab.primary import Writer
from tests.lab.program import Program

_CONFIGURATION = """\
options {{
    directory "{folder}";
    pid-file none;
    session-keyfile none;
    managed-keys-directory "{folder}";
    listen-on port {port} {{ 127.0.0.1; }};
    listen-on-v6 {{ none; }};
    recursion no;
    dnssec-validation no;
    notify no;
}};
controls {{ }};
key "{writer.key.name}" {{
    algorithm {writer.key.algorithm};
    secret "{writer.key.secret}";
}};
zone "{zone}" {{
    type primary;
    file "{zone}.zone";
    update-policy {{ {grants} }};
}};
"""


class Bind:
    """Serves `zone` with `lines` of a master file beside SOA and NS; `writer` may change it. Runs while entered.

    It listens only on addresses that an interface has, so on 127.0.0.1 and a port of its own.
    """

    def __init__(self, folder: Path, zone: str, lines: Iterable[str], *, writer: Writer, ttl_s: int = 60) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.server = f"127.0.0.1:{port}"
        self._folder = folder
        head = [f"$ORIGIN {zone}.", f"$TTL {ttl_s}", f"@ SOA ns host 1 3600 600 86400 {ttl_s}", "@ NS ns"]
        (folder / f"{zone}.zone").write_text("\n".join([*head, "ns A 127.0.0.1", *lines]) + "\n")
        grants = " ".join(f"grant {writer.key.name} name {name} NAPTR;" for name in writer.names)
        text = _CONFIGURATION.format(folder=folder, port=port, zone=zone, writer=writer, grants=grants)
        (folder / "named.conf").write_text(text)
        self._program: Program | None = None

    def __enter__(self) -> Self:
        # -g: in the foreground, its words to stderr. -n: of threads, one.
        self._program = Program(["named", "-g", "-n", "1", "-c", "named.conf"], package="bind9", folder=self._folder)
        try:
            self._program.until_says("[0-9] running$")
        except LabError:
            self._program.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._program is not None:
            self._program.close()
