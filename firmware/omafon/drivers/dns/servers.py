# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Which name servers are asked: the owner's, or those the system uses now."""

import ipaddress
from dataclasses import dataclass
from pathlib import Path

from omafon.interfaces import DriverError

PORT = 53
TLS_PORT = 853  # RFC 7858 section 3.1
_CURE = 'Write it as in "192.0.2.1:53", or "tls://192.0.2.1#dns.example.net".'


@dataclass(frozen=True, slots=True)
class Server:
    """Where a name server listens. `certified` is the name its certificate must show; None: no TLS."""

    address: str
    port: int = PORT
    certified: str | None = None

    def __str__(self) -> str:
        return f"{self.address} port {self.port}" + (" (TLS)" if self.certified is not None else "")


def parse_server(text: str) -> Server:
    """A server written as 'ADDR[:PORT]' or 'tls://ADDR[:PORT][#NAME]', IPv6 in brackets when a port follows.

    Without a name the certificate must show the address. Raises DriverError.

    >>> parse_server("[2001:db8::1]:5353")
    Server(address='2001:db8::1', port=5353, certified=None)
    >>> parse_server("tls://192.0.2.1#dns.example.net")
    Server(address='192.0.2.1', port=853, certified='dns.example.net')
    """
    place, hash_sign, name = text.partition("#")
    with_tls = place.startswith("tls://")
    host, colon, port = place.removeprefix("tls://").rpartition(":")
    if not colon or (":" in host and not host.endswith("]")):
        host, port = place.removeprefix("tls://"), str(TLS_PORT if with_tls else PORT)
    try:
        address = ipaddress.ip_address(host.removeprefix("[").removesuffix("]") if host.startswith("[") else host)
        if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            raise ValueError(port)
        if hash_sign and not (with_tls and name):
            raise ValueError(name)
    except ValueError as error:
        raise DriverError(f"{text!r} is not an address of a name server", _CURE) from error
    return Server(str(address), int(port), (name or str(address)) if with_tls else None)


class SystemServers:
    """Those of resolv.conf(5), read anew when it changes: a network that comes up later writes it."""

    def __init__(self, resolv_conf: Path) -> None:
        self._resolv_conf = resolv_conf
        self._read_at: int | None = None
        self._servers: tuple[Server, ...] = ()

    def current(self) -> tuple[Server, ...]:
        try:
            written = self._resolv_conf.stat().st_mtime_ns
            if written != self._read_at:
                self._servers = _read(self._resolv_conf)
                self._read_at = written
        except OSError:
            self._servers, self._read_at = (), None
        return self._servers


def _read(resolv_conf: Path) -> tuple[Server, ...]:
    lines = (line.split() for line in resolv_conf.read_text(errors="replace").splitlines())
    addresses = [words[1] for words in lines if len(words) > 1 and words[0] == "nameserver"]
    return tuple(Server(address) for address in addresses if _is_address(address))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
