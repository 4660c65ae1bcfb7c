# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What a resolver works with, read and checked as a whole before any of it is used."""

import ssl
from dataclasses import dataclass

import dns.exception
import dns.name

from omafon.config import EnumConfig
from omafon.core.dialplan import E164
from omafon.core.naptr import enum_domain
from omafon.drivers.dns.anchors import Anchors, load_anchors
from omafon.drivers.dns.servers import Server, parse_server
from omafon.drivers.dns.tls import tls_context
from omafon.interfaces import DriverError


@dataclass(frozen=True, slots=True)
class Prepared:
    """The owner's name servers (none: the system's), the keys that are trusted, and TLS where a server asks for it."""

    servers: tuple[Server, ...]
    anchors: Anchors
    context: ssl.SSLContext | None


def prepared(enum: EnumConfig) -> Prepared:
    """All that `enum` names. Reads files: not on a loop that serves anybody.

    Raises DriverError when a tree is no domain name, a server no address, an anchor no key, or a file cannot be read.
    """
    servers = tuple(parse_server(server) for server in enum.servers)
    for tree in enum.trees:
        try:
            dns.name.from_text(enum_domain(E164("+" + 15 * "9"), tree))
        except dns.exception.DNSException as error:
            raise DriverError(f"the ENUM tree {tree!r} is not a domain name", "Write it as in e164.arpa.") from error
    with_tls = any(server.certified is not None for server in servers)
    return Prepared(servers, load_anchors(enum.anchors), tls_context(enum.ca) if with_tls else None)


def check_enum(enum: EnumConfig) -> None:
    """Raises DriverError when `prepared` would."""
    prepared(enum)
