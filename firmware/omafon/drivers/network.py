# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Which addresses the phone has, told by the kernel the moment they change (rtnetlink(7))."""

import asyncio
import socket
from contextlib import suppress
from pathlib import Path

from omafon.core.events import NetworkChanged
from omafon.interfaces import Post

_RTMGRP_LINK = 0x1
_RTMGRP_IPV4_IFADDR, _RTMGRP_IPV6_IFADDR = 0x10, 0x100
_RTMGRP_IPV4_ROUTE, _RTMGRP_IPV6_ROUTE = 0x40, 0x400

# Addresses for documentation (RFC 5737, 3849): connecting a UDP socket sends nothing, but asks the routing table.
_FAR_AWAY = ((socket.AF_INET, ("192.0.2.1", 9)), (socket.AF_INET6, ("2001:db8::1", 9)))


class NetworkWatch:
    """Posts NetworkChanged at the start and whenever the kernel speaks of links, addresses or routes."""

    def __init__(self, post: Post, loop: asyncio.AbstractEventLoop) -> None:
        self._post = post
        self._loop = loop
        self._socket: socket.socket | None = None
        self._addresses: tuple[str, ...] | None = None

    def open(self) -> None:
        groups = _RTMGRP_LINK | _RTMGRP_IPV4_IFADDR | _RTMGRP_IPV6_IFADDR | _RTMGRP_IPV4_ROUTE | _RTMGRP_IPV6_ROUTE
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.NETLINK_ROUTE)
        self._socket.bind((0, groups))
        self._loop.add_reader(self._socket.fileno(), self._spoken)
        self._tell()

    def close(self) -> None:
        if self._socket is not None:
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket = None

    def _spoken(self) -> None:
        assert self._socket is not None
        # What the kernel says is not parsed: that it spoke is enough to look. ENOBUFS means it said much.
        with suppress(OSError):
            while self._socket.recv(65536):
                pass
        self._tell()

    def _tell(self) -> None:
        addresses = source_addresses()
        if addresses != self._addresses:
            self._addresses = addresses
            self._post(NetworkChanged(addresses, _host_name()))


def source_addresses() -> tuple[str, ...]:
    """The addresses that packets to the world leave from, IPv4 first; none without a network."""
    return tuple(address for family, far in _FAR_AWAY if (address := _source_address(family, far)))


def _host_name() -> str:
    """As the machine is called from now on: a service may be kept from seeing that its name was changed."""
    with suppress(OSError, UnicodeDecodeError):
        return Path("/etc/hostname").read_text(encoding="ascii").strip()
    return socket.gethostname()


def _source_address(family: socket.AddressFamily, far: tuple[str, int]) -> str:
    """The address a packet to `far` would leave from; empty when there is no way out."""
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect(far)
            return str(probe.getsockname()[0])
    except OSError:
        return ""
