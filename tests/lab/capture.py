# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Listens to the SIP messages on the loopback interface, with the kernel's time stamps."""

import re
import socket
import struct
import threading
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from tests.lab.heard import Heard, LabError

ETH_P_ALL = 3
PACKET_OUTGOING = 4
SO_TIMESTAMPNS = 35
SIP_START = re.compile(
    rb"(?:SIP/2\.0 (?P<status>\d{3}) (?P<reason>[^\r]*)|(?P<method>[A-Z]+) (?P<uri>\S+) SIP/2\.0)\r\n"
)
COMPACT = {
    "v": "via",
    "f": "from",
    "t": "to",
    "i": "call-id",
    "m": "contact",
    "c": "content-type",
    "l": "content-length",
}


@dataclass(frozen=True, slots=True)
class SipMessage:
    """A request (`method`, `uri`) or a response (`status`, `reason`); header names are in lower case.

    `at` is Unix time in seconds, `source` and `target` are 'address:port'.
    """

    at: float
    source: str
    target: str
    transport: str
    method: str = ""
    uri: str = ""
    status: int = 0
    reason: str = ""
    headers: dict[str, list[str]] = field(default_factory=dict)
    body: str = ""

    def __str__(self) -> str:
        first = f"{self.method} {self.uri}" if self.method else f"{self.status} {self.reason} ({self.cseq})"
        return f"{self.at:.4f} {self.transport} {self.source} > {self.target} {first}"

    def header(self, name: str) -> str:
        """The first value of a header, '' when there is none."""
        return self.headers.get(name.lower(), [""])[0]

    @property
    def cseq(self) -> str:
        """The method the transaction is about."""
        return self.header("cseq").rpartition(" ")[2]

    @property
    def direction(self) -> str:
        """Which way the offered or answered voice goes: sendrecv, sendonly, recvonly or inactive (RFC 3264)."""
        found = re.search(r"^a=(sendrecv|sendonly|recvonly|inactive)\r?$", self.body, re.MULTILINE)
        return found[1] if found else "sendrecv"


class Capture:
    """Hears every SIP message over UDP and TCP that is sent from or to an address that begins with `network`."""

    def __init__(self, network: str = "127.") -> None:
        self.network = network
        self.messages: Heard[SipMessage] = Heard()

    def __enter__(self) -> Self:
        try:
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        except PermissionError:
            raise LabError("listening on the loopback interface needs root: run the tests as root") from None
        self._socket.bind(("lo", ETH_P_ALL))
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._closing = False
        # Closing a packet socket does not wake its reader; a time-out does.
        self._socket.settimeout(0.2)
        self._reader = threading.Thread(target=self._read, name="capture", daemon=True)
        self._reader.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._closing = True
        self._reader.join()
        self._socket.close()

    def request(self, method: str, *, within_s: float = 5.0, source: str = "", target: str = "") -> SipMessage:
        """The next request of this method, from and to addresses that begin as given."""
        return self.messages.until(
            lambda m: m.method == method and m.source.startswith(source) and m.target.startswith(target),
            f"{method} {source}>{target} on the wire",
            within_s=within_s,
        )

    def response(
        self, status: int, cseq: str, *, within_s: float = 5.0, source: str = "", target: str = ""
    ) -> SipMessage:
        """The next response of this status to a request of method `cseq`."""
        return self.messages.until(
            lambda m: (
                (m.status, m.cseq) == (status, cseq) and m.source.startswith(source) and m.target.startswith(target)
            ),
            f"{status} to {cseq} {source}>{target} on the wire",
            within_s=within_s,
        )

    def _read(self) -> None:
        while not self._closing:
            try:
                packet, ancillary, _, address = self._socket.recvmsg(65535, 64)
            except TimeoutError:
                continue
            # Loopback shows every packet twice, as it goes out and as it comes in.
            if address[2] == PACKET_OUTGOING:
                continue
            seconds, nanoseconds = struct.unpack("qq", ancillary[0][2])
            message = parse_packet(packet, seconds + nanoseconds / 1e9)
            if message and (message.source.startswith(self.network) or message.target.startswith(self.network)):
                self.messages.add(message)


class Datagrams:
    """The sizes of all UDP datagrams between two loopback addresses, both ways, in bytes."""

    def __init__(self, one: str, other: str) -> None:
        self.sizes: list[int] = []
        self._ends = {socket.inet_aton(one), socket.inet_aton(other)}

    def __enter__(self) -> Self:
        try:
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        except PermissionError:
            raise LabError("listening on the loopback interface needs root: run the tests as root") from None
        self._socket.bind(("lo", ETH_P_ALL))
        self._socket.settimeout(0.2)
        self._closing = False
        self._reader = threading.Thread(target=self._read, name="datagrams", daemon=True)
        self._reader.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._closing = True
        self._reader.join()
        self._socket.close()

    def _read(self) -> None:
        while not self._closing:
            try:
                packet, address = self._socket.recvfrom(2048)
            except TimeoutError:
                continue
            is_ours = len(packet) >= 28 and {packet[12:16], packet[16:20]} == self._ends
            if is_ours and packet[9] == socket.IPPROTO_UDP and address[2] != PACKET_OUTGOING:
                self.sizes.append(len(packet) - 28)


def parse_packet(packet: bytes, at: float) -> SipMessage | None:
    """The SIP message in an IPv4 packet, when it begins one. Loopback is wide enough for a whole message."""
    if len(packet) < 28 or packet[0] >> 4 != 4:
        return None
    header_bytes = (packet[0] & 15) * 4
    if packet[9] == socket.IPPROTO_UDP:
        transport, payload_at = "udp", header_bytes + 8
    elif packet[9] == socket.IPPROTO_TCP:
        transport, payload_at = "tcp", header_bytes + (packet[header_bytes + 12] >> 4) * 4
    else:
        return None
    source_port, target_port = struct.unpack_from("!HH", packet, header_bytes)
    source = f"{socket.inet_ntoa(packet[12:16])}:{source_port}"
    target = f"{socket.inet_ntoa(packet[16:20])}:{target_port}"
    return parse_message(packet[payload_at:], at, source, target, transport)


def parse_message(data: bytes, at: float, source: str, target: str, transport: str) -> SipMessage | None:
    start = SIP_START.match(data)
    if not start:
        return None
    head, _, body = data[start.end() :].partition(b"\r\n\r\n")
    headers: dict[str, list[str]] = {}
    for line in re.sub(r"\r\n[ \t]+", " ", head.decode("utf-8", "replace")).split("\r\n"):
        name, _, value = line.partition(":")
        name = name.strip().lower()
        headers.setdefault(COMPACT.get(name, name), []).append(value.strip())
    found = {name: value.decode("utf-8", "replace") for name, value in start.groupdict(b"").items()}
    status = int(found.pop("status") or 0)
    text = body.decode("utf-8", "replace")
    return SipMessage(at, source, target, transport, status=status, headers=headers, body=text, **found)
