# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Somebody who hears all that passes in a street, keeps it, and makes of it what can be made."""

import socket
import struct
import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tests.lab.capture import ETH_P_ALL
from tests.lab.heard import LabError
from tests.lab.street import Street

RATE_HZ = 8000
RTP_HEADER = 12
MDNS = 5353


@dataclass(frozen=True, slots=True)
class Packet:
    """What one IP packet carried; `place` counts the octets of a TCP stream."""

    protocol: int
    source: tuple[str, int]
    target: tuple[str, int]
    place: int
    payload: bytes


class Wiretap:
    """Keeps every packet of the street while it is entered."""

    def __init__(self, street: Street) -> None:
        self._street = street
        self._packets: list[Packet] = []

    def __enter__(self) -> Self:
        try:
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        except PermissionError:
            raise LabError("listening in a street needs root: run the tests as root") from None
        self._socket.bind((self._street.name, ETH_P_ALL))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self._socket.settimeout(0.2)
        self._closing = False
        self._reader = threading.Thread(target=self._read, name="wiretap", daemon=True)
        self._reader.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._closing = True
        self._reader.join()
        self._socket.close()

    def now(self) -> int:
        """How much has been heard, for `since`."""
        return len(self._packets)

    def datagrams(self, since: int = 0) -> list[bytes]:
        """What was sent by UDP, but for multicast DNS."""
        return [p.payload for p in self._packets[since:] if p.protocol == socket.IPPROTO_UDP and p.target[1] != MDNS]

    def said(self, since: int = 0) -> bytes:
        """Everything that was sent, but for multicast DNS."""
        return b"".join(packet.payload for packet in self._packets[since:] if packet.target[1] != MDNS)

    def streams(self, host: str = "", port: int = 0) -> list[bytes]:
        """What was sent by each TCP connection in one direction, if that was to this host and port."""
        pieces: dict[object, dict[int, bytes]] = {}
        for packet in self._packets:
            wanted = host in ("", packet.target[0]) and port in (0, packet.target[1])
            if packet.protocol == socket.IPPROTO_TCP and packet.payload and wanted:
                pieces.setdefault((packet.source, packet.target), {})[packet.place] = packet.payload
        return [b"".join(sent[at] for at in sorted(sent)) for sent in pieces.values()]

    def _read(self) -> None:
        while not self._closing:
            try:
                octets = self._socket.recv(1 << 17)
            except TimeoutError:
                continue
            packet = parsed(octets)
            if packet is not None:
                self._packets.append(packet)


def parsed(octets: bytes) -> Packet | None:
    """What an IPv4 or IPv6 packet without options carries by UDP or TCP."""
    if len(octets) >= 20 and octets[0] >> 4 == 4:
        version, header, protocol, hosts = socket.AF_INET, (octets[0] & 15) * 4, octets[9], octets[12:20]
        end = int.from_bytes(octets[2:4]) or len(octets)
    elif len(octets) >= 40 and octets[0] >> 4 == 6:
        version, header, protocol, hosts = socket.AF_INET6, 40, octets[6], octets[8:40]
        end = 40 + int.from_bytes(octets[4:6]) if any(octets[4:6]) else len(octets)
    else:
        return None
    if protocol not in (socket.IPPROTO_UDP, socket.IPPROTO_TCP) or len(octets) < header + 8:
        return None
    half = len(hosts) // 2
    source, target = struct.unpack_from("!HH", octets, header)
    place, begin = 0, header + 8
    if protocol == socket.IPPROTO_TCP:
        place, begin = int.from_bytes(octets[header + 4 : header + 8]), header + (octets[header + 12] >> 4) * 4
    return Packet(
        protocol,
        (socket.inet_ntop(version, hosts[:half]), source),
        (socket.inet_ntop(version, hosts[half:]), target),
        place,
        octets[begin:end],
    )


def share_of_tone(datagrams: list[bytes], frequency_hz: int) -> float:
    """Which part of what is heard is this tone, if the datagrams are taken for plain RTP with PCMA: 0 to 1."""
    voice = b"".join(octets[RTP_HEADER : RTP_HEADER + 160] for octets in datagrams if len(octets) > 150)
    heard = _A_LAW[np.frombuffer(voice, np.uint8)]
    power = np.abs(np.fft.rfft(heard * np.hanning(len(heard)))) ** 2
    near = slice((frequency_hz - 20) * len(heard) // RATE_HZ, (frequency_hz + 20) * len(heard) // RATE_HZ)
    return float(power[near].sum() / power.sum())


def in_the_clear(frequency_hz: int, seconds: float) -> list[bytes]:
    """A tone as plain RTP with PCMA carries it."""
    wave = 16000 * np.sin(2 * np.pi * frequency_hz * np.arange(int(seconds * RATE_HZ)) / RATE_HZ)
    coded = np.abs(wave[:, None] - _A_LAW[None, :]).argmin(axis=1).astype(np.uint8).tobytes()
    return [bytes(RTP_HEADER) + coded[at : at + 160] for at in range(0, len(coded), 160)]


def _a_law() -> NDArray[np.float64]:
    """The 256 values of G.711 A-law."""
    code = np.arange(256) ^ 0x55
    exponent, mantissa = (code >> 4) & 7, (code & 15) * 2 + 1
    magnitude = np.where(exponent == 0, mantissa * 8, (mantissa * 8 + 256) << np.maximum(exponent - 1, 0))
    values: NDArray[np.float64] = np.where(code & 0x80, magnitude, -magnitude).astype(float)
    return values


_A_LAW = _a_law()
