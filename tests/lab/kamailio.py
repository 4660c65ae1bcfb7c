# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Kamailio as registrar and proxy: digest for its users, over UDP, TCP and TLS on one loopback address."""

import json
import socket
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.lab.certificates import Authority
from tests.lab.heard import LabError
from tests.lab.program import Program

PACKAGES = "kamailio kamailio-tls-modules"
TEMPLATE = Path(__file__).parent / "kamailio.cfg"


class Kamailio:
    """The registrar of the domain `address`; `users` are its names and passwords. Runs from `starts` to `stops`."""

    def __init__(self, folder: Path, address: str, users: Mapping[str, str], authority: Authority) -> None:
        self.address = address
        self.users = dict(users)
        self.authority = authority
        self.ca = authority.ca
        self._folder = folder
        self._program: Program | None = None
        certificate = authority.certificate(address)
        (folder / "tls.cfg").write_text(
            "[server:default]\nmethod = TLSv1.2+\nverify_certificate = no\nrequire_certificate = no\n"
            f"private_key = {certificate.key}\ncertificate = {certificate.certificate}\n"
            "[client:default]\nverify_certificate = no\nrequire_certificate = no\n"
        )
        tables = folder / "tables"
        tables.mkdir()
        columns = "id(int,auto) username(string) domain(string) password(string) ha1(string,null) ha1b(string,null)"
        rows = [f"{i}:{user}:{address}:{password}::" for i, (user, password) in enumerate(self.users.items(), start=1)]
        (tables / "subscriber").write_text("\n".join([columns, *rows]) + "\n")
        (tables / "version").write_text("table_name(string) table_version(int)\nsubscriber:7\nlocation:9\nversion:1\n")
        text = TEMPLATE.read_text().replace("ADDRESS", address).replace("FOLDER", str(folder))
        (folder / "kamailio.cfg").write_text(text)

    def __enter__(self) -> Self:
        self.starts()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stops()

    def aor(self, user: str) -> str:
        return f"sip:{user}@{self.address}"

    def starts(self) -> None:
        """Start and wait until it answers; it knows nobody's registration yet."""
        self._program = Program(
            # -DD: stay in the foreground. -m, -M: megabytes of shared and private memory.
            ["kamailio", "-f", "kamailio.cfg", "-DD", "-E", "-m", "32", "-M", "4", "-w", ".", "-Y", "."],
            package=PACKAGES,
            folder=self._folder,
        )
        options = (
            f"OPTIONS sip:{self.address} SIP/2.0\r\nVia: SIP/2.0/UDP LOCAL;rport;branch=z9hG4bKlab\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:lab@LOCAL>;tag=lab\r\nTo: <sip:{self.address}>\r\nCall-ID: lab\r\n"
            "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
        )
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.bind((self.address, 0))
            client.settimeout(0.1)
            for _ in range(100):
                if not self._program.runs:
                    raise LabError(f"kamailio ended:\n{self._program.tail()}")
                client.sendto(
                    options.replace("LOCAL", "{}:{}".format(*client.getsockname())).encode(), (self.address, 5060)
                )
                try:
                    client.recv(2048)
                    return
                except (TimeoutError, ConnectionRefusedError):
                    continue
        raise LabError(f"kamailio does not answer:\n{self._program.tail()}")

    def stops(self) -> None:
        if self._program:
            self._program.close()
            self._program = None

    def contacts(self, user: str) -> list[str]:
        """The contact URIs registered for `user`."""
        found = self._ask("ul.lookup", "location", user)
        return [contact["Contact"]["Address"] for contact in found.get("Contacts", [])]

    def forgets(self, user: str) -> None:
        """Drop what a phone that ended without a word has left registered."""
        self._ask("ul.rm", "location", user)

    def _ask(self, method: str, *parameters: str) -> dict[str, Any]:
        """One JSON-RPC call; an answer 'not found' is an empty one."""
        own = self._folder / "rpc.answer"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
            client.bind(str(own))
            try:
                client.settimeout(5)
                question = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
                client.sendto(json.dumps(question).encode(), str(self._folder / "rpc"))
                answer = json.loads(client.recv(65536))
            finally:
                own.unlink()
        result = answer.get("result")
        return result if isinstance(result, dict) else {}
