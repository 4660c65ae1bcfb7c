# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Services of the local network, announced and found by multicast DNS (RFC 6762, RFC 6763)."""

import asyncio
import logging
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from types import TracebackType

import ifaddr
from zeroconf import DNSQuestionType, IPVersion, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

# A network that has gone is told with a traceback for each address it had; we see it as OSError or as silence.
logging.getLogger("zeroconf").setLevel(logging.CRITICAL)

ASK_MS = 2000
"""For so long somebody who was announced is asked where it is."""

MOST_ASKED = 64
"""So many at the same time: somebody could announce thousands."""


@dataclass(frozen=True, slots=True)
class Found:
    """Somebody offers the service under the instance `name`, at these IP addresses (`fe80::1%eth0`) and this port."""

    name: str
    hosts: tuple[str, ...]
    port: int
    properties: Mapping[str, str]


class Announcement:
    """Announces `name`, listening at `port`, as one who offers `service` ("_omafon._tcp"), while it is entered.

    `address` is the one address to do so at; empty: all of this machine. Entering raises OSError when there is no
    network.
    """

    def __init__(self, service: str, name: str, port: int, address: str = "") -> None:
        self._hosts = _hosts(address)
        self._info = AsyncServiceInfo(
            f"{service}.local.",
            f"{name}.{service}.local.",
            port=port,
            parsed_addresses=list(self._hosts),
            server=f"{name}.local.",
            properties={},
        )

    async def __aenter__(self) -> AsyncZeroconf:
        zeroconf = _opened(self._hosts)
        # The name is by chance, or the phone's alone: nobody needs to be asked whether it is taken.
        await zeroconf.async_register_service(self._info, cooperating_responders=True)
        self._zeroconf = zeroconf
        return zeroconf

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Says goodbye to everybody who has heard of us.
        await self._zeroconf.async_close()


class Search:
    """Looks for those who offer `service`. While it is entered, each that is found or has moved comes out of `found`.

    It knows nothing from before, so nobody is found where they were; `address` as in Announcement.
    """

    def __init__(self, service: str, address: str = "") -> None:
        self._hosts = _hosts(address)
        self._listener = _Listener(service)
        self.found = self._listener.found

    async def __aenter__(self) -> "Search":
        self._zeroconf = _opened(self._hosts)
        # Answers to all, not to this socket alone: where another program listens at the port, it would get them.
        self._listener.begin(self._zeroconf, DNSQuestionType.QM)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._listener.end()
        await self._zeroconf.async_close()


class Discovery:
    """Announcement and Search at once, by the same sockets; one does not find oneself."""

    def __init__(self, service: str, name: str, port: int, address: str = "") -> None:
        self._announcement = Announcement(service, name, port, address)
        self._listener = _Listener(service, name)
        self.found = self._listener.found

    async def __aenter__(self) -> "Discovery":
        self._listener.begin(await self._announcement.__aenter__())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._listener.end()
        await self._announcement.__aexit__(kind, error, trace)


class _Listener:
    """Asks who is there, and each who answers where it is."""

    def __init__(self, service: str, own_name: str = "") -> None:
        self._type = f"{service}.local."
        self._own = f"{own_name}.{self._type}"
        self._asking: set[asyncio.Task[None]] = set()
        self._kind: DNSQuestionType | None = None
        self.found: asyncio.Queue[Found] = asyncio.Queue()

    def begin(self, zeroconf: AsyncZeroconf, kind: DNSQuestionType | None = None) -> None:
        self._kind = kind
        self._browser = AsyncServiceBrowser(zeroconf.zeroconf, self._type, [self._changed], question_type=kind)

    async def end(self) -> None:
        for task in self._asking:
            task.cancel()
        await asyncio.gather(*self._asking, return_exceptions=True)
        await self._browser.async_cancel()

    def _changed(self, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
        if state_change is ServiceStateChange.Removed or name == self._own or len(self._asking) >= MOST_ASKED:
            return
        task = asyncio.get_running_loop().create_task(self._ask(zeroconf, service_type, name))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def _ask(self, zeroconf: Zeroconf, service_type: str, name: str) -> None:
        info = AsyncServiceInfo(service_type, name)
        if not await info.async_request(zeroconf, ASK_MS, self._kind) or info.port is None:
            return
        hosts = tuple(info.parsed_scoped_addresses(IPVersion.All))
        said = {key: value for key, value in info.decoded_properties.items() if value is not None}
        self.found.put_nowait(Found(name.removesuffix(f".{service_type}"), hosts, info.port, said))


def _hosts(address: str) -> tuple[str, ...]:
    return (address,) if address else own_hosts()


def _opened(hosts: tuple[str, ...]) -> AsyncZeroconf:
    """Raises OSError when there is no network."""
    if not hosts:
        raise OSError("there is no network")
    six = [":" in host for host in hosts]
    version = IPVersion.V6Only if all(six) else IPVersion.All if any(six) else IPVersion.V4Only
    return AsyncZeroconf(interfaces=list(hosts), ip_version=version)


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
