# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Unbound as a resolver of the lab's zones: one that validates (a second opinion), or one that only passes on."""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.lab.knot import PORT, Knot
from tests.lab.program import Program

_CONFIGURATION = """\
server:
    interface: {address}@{port}
{tls}    access-control: 127.0.0.0/8 allow
    outgoing-interface: {address}
    do-ip6: no
    do-daemonize: no
    chroot: ""
    username: ""
    directory: "{folder}"
    pidfile: "{folder}/unbound.pid"
    use-syslog: no
    logfile: ""
    verbosity: 1
    num-threads: 1
    module-config: "{modules}"
    do-not-query-localhost: no
    qname-minimisation: no
    disable-dnssec-lame-check: yes
    trust-anchor-signaling: no
    root-key-sentinel: no
remote-control:
    control-enable: no
"""
_TLS = """\
    interface: {address}@{tls_port}
    tls-port: {tls_port}
    tls-service-key: "{key}"
    tls-service-pem: "{certificate}"
"""
TLS_PORT = 8853


class Unbound:
    """Resolves the zones of `knot`; validates when there are `anchors`, zone to DS record. Runs while entered."""

    def __init__(
        self,
        folder: Path,
        address: str,
        knot: Knot,
        *,
        anchors: Mapping[str, str] | None = None,
        key: Path | None = None,
        certificate: Path | None = None,
    ) -> None:
        self.address = address
        self.server = f"{address}:{PORT}"
        self.tls = f"tls://{address}:{TLS_PORT}"
        self._folder = folder
        self._program: Program | None = None
        configuration = _CONFIGURATION.format(
            folder=folder,
            address=address,
            port=PORT,
            tls=_TLS.format(address=address, tls_port=TLS_PORT, key=key, certificate=certificate) if key else "",
            modules="validator iterator" if anchors else "iterator",
        )
        for zone, ds in (anchors or {}).items():
            configuration = configuration.replace(
                "remote-control:", f'    trust-anchor: "{zone} DS {ds}"\nremote-control:'
            )
        for zone in knot.zones:
            configuration += f'stub-zone:\n    name: "{zone}"\n    stub-addr: {knot.address}@{PORT}\n'
        (folder / "unbound.conf").write_text(configuration)

    def __enter__(self) -> Self:
        self._program = Program(["unbound", "-d", "-c", "unbound.conf"], package="unbound", folder=self._folder)
        self._program.until_says("start of service")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._program is not None:
            self._program.close()
