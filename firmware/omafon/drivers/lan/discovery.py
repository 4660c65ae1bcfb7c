# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Services of the local network, announced and found by multicast DNS (RFC 6762, RFC 6763)."""

import asyncio
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from types import TracebackType

import ifaddr
from zeroconf import IPVersion, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

ASK_MS = 2000
"""For so long somebody who was announced is asked where it is."""


@dataclass(frozen=True, slots=True)
class Found:
    """Somebody offers the service under the instance `name`, at these IP addresses (`fe80::1%eth0`) and this port."""

    name: str
    hosts: tuple[str, ...]
    port: int
    properties: Mapping[str, str]


class Discovery:
    """Announces `name`, listening at `port`, as one who offers `service` ("_omafon._tcp"), and finds the others.

    `address` is the one address to do so at; empty: all of this machine. While it is entered, each that is found or
    has moved comes out of `found`. Entering raises OSError when there is no network.
    """

    def __init__(
        self, service: str, name: str, port: int, address: str = "", properties: Mapping[str, str] | None = None
    ) -> None:
        self._type = f"{service}.local."
        self._name = name
        self._hosts = (address,) if address else own_hosts()
        self._info = AsyncServiceInfo(
            self._type,
            f"{name}.{self._type}",
            port=port,
            parsed_addresses=list(self._hosts),
            server=f"{name}.local.",
            properties=dict(properties or {}),
        )
        self._address = address
        self._asking: set[asyncio.Task[None]] = set()
        self.found: asyncio.Queue[Found] = asyncio.Queue()

    async def __aenter__(self) -> "Discovery":
        if not self._hosts:
            raise OSError("there is no network")
        self._zeroconf = self._opened()
        # The name is by chance, or the phone's alone: nobody needs to be asked whether it is taken.
        await self._zeroconf.async_register_service(self._info, cooperating_responders=True)
        self._browser = AsyncServiceBrowser(self._zeroconf.zeroconf, self._type, handlers=[self._changed])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._asking:
            task.cancel()
        await asyncio.gather(*self._asking, return_exceptions=True)
        await self._browser.async_cancel()
        # Says goodbye to everybody who has heard of us.
        await self._zeroconf.async_close()

    def _opened(self) -> AsyncZeroconf:
        six = [":" in host for host in self._hosts]
        version = IPVersion.V6Only if all(six) else IPVersion.All if any(six) else IPVersion.V4Only
        return AsyncZeroconf(interfaces=list(self._hosts), ip_version=version)

    def _changed(self, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
        if state_change is ServiceStateChange.Removed or name == self._info.name:
            return
        task = asyncio.get_running_loop().create_task(self._ask(zeroconf, service_type, name))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def _ask(self, zeroconf: Zeroconf, service_type: str, name: str) -> None:
        info = AsyncServiceInfo(service_type, name)
        if not await info.async_request(zeroconf, ASK_MS) or info.port is None:
            return
        hosts = tuple(info.parsed_scoped_addresses(IPVersion.All))
        said = {key: value for key, value in info.decoded_properties.items() if value is not None}
        self.found.put_nowait(Found(name.removesuffix(f".{service_type}"), hosts, info.port, said))


def own_hosts() -> tuple[str, ...]:
    """The IP addresses of this machine that others may reach it at, link-local ones last; none without a network."""
    hosts = {ip.ip if isinstance(ip.ip, str) else ip.ip[0] for adapter in ifaddr.get_adapters() for ip in adapter.ips}
    useful = [host for host in hosts if not ip_address(host).is_loopback]
    return tuple(sorted(useful, key=lambda host: (ip_address(host).is_link_local, ":" in host, host)))


def listening(address: str) -> socket.socket:
    """A TCP socket that listens at a port of the system's choice: at `address`, or everywhere, by IPv6 and IPv4.

    Raises OSError.
    """
    if address:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return socket.create_server((address, 0), family=family)
    if socket.has_dualstack_ipv6():
        return socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    return socket.create_server(("0.0.0.0", 0))
