# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A town for one test: phones and far ends with addresses of their own, on one exchange; all ended with the test."""

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from tests.lab.addresses import Addresses
from tests.lab.baresip import Baresip
from tests.lab.kamailio import Kamailio
from tests.lab.linphone import Linphone
from tests.lab.phone import Line, Phone, Setup
from tests.lab.sipp import Sipp

Transport = Literal["udp", "tcp", "tls"]
Srtp = Literal["mandatory", "optional", "off"]


class Town:
    """Everybody called `name` below is a user of the exchange; `line` names the transport of a registration."""

    def __init__(self, folder: Path, addresses: Addresses, exchange: Kamailio) -> None:
        self.exchange = exchange
        self._folder = folder
        self._addresses = addresses
        self._people = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._people.close()

    def phone(self, name: str = "oma", *, line: Transport | None = None, srtp: Srtp = "off", **setup: Any) -> Phone:
        """An Omafon telephone, registered when it has a `line`; `setup` as Setup has it."""
        lines = []
        if line:
            lines.append(Line(self.exchange.address, name, self.exchange.users[name], line, srtp))
        made = Setup(lines=lines, srtp=srtp, ca=self.exchange.ca, **setup)
        phone = self._people.enter_context(Phone(self._folder, self._addresses.fresh(), name, made))
        if line:
            phone.is_registered()
        return phone

    def baresip(self, name: str = "bob", *, line: Transport | None = None, **more: Any) -> Baresip:
        address = self._addresses.fresh()
        if line == "tls":
            # The exchange does not use its connection to reach it, but opens one: there it must be a TLS server.
            more["certificate"] = self.exchange.authority.certificate(address)
        return self._people.enter_context(Baresip(self._folder, address, name, **self._account(name, line), **more))

    def linphone(self, name: str = "dave", *, line: Transport | None = None, **more: Any) -> Linphone:
        return self._people.enter_context(
            Linphone(self._folder, self._addresses.fresh(), name, **self._account(name, line), **more)
        )

    def sipp(self, scenario: str, *, target: str = "", **more: str) -> Sipp:
        return self._people.enter_context(Sipp(self._folder, scenario, self._addresses.fresh(), target=target, **more))

    def _account(self, name: str, line: Transport | None) -> dict[str, Any]:
        if line is None:
            return {}
        return {
            "registrar": self.exchange.address,
            "password": self.exchange.users[name],
            "transport": line,
            "ca": self.exchange.ca,
        }
