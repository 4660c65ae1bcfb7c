# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A STUN server (RFC 8489): tells whoever asks which address they were seen at. `python -m tests.lab.stun ADDRESS`."""

import socket
import struct
import sys
from ipaddress import IPv4Address

PORT = 3478
COOKIE = 0x2112A442
REQUEST, ANSWER = 0x0001, 0x0101
XOR_MAPPED_ADDRESS, IPV4 = 0x0020, 0x01
HEADER = struct.Struct("!HHI12s")


def answer(request: bytes, host: str, port: int) -> bytes:
    """What is said to a request that came from there; nothing to what is none.

    >>> answer(HEADER.pack(REQUEST, 0, COOKIE, bytes(12)), "192.0.2.1", 32853)[-8:].hex()
    '0001a147e112a643'
    """
    if len(request) < HEADER.size:
        return b""
    kind, _, cookie, transaction = HEADER.unpack_from(request)
    if (kind, cookie) != (REQUEST, COOKIE):
        return b""
    seen = struct.pack("!BBHI", 0, IPV4, port ^ COOKIE >> 16, int(IPv4Address(host)) ^ COOKIE)
    attribute = struct.pack("!HH", XOR_MAPPED_ADDRESS, len(seen)) + seen
    return HEADER.pack(ANSWER, len(attribute), COOKIE, transaction) + attribute


def serve(address: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((address, PORT))
        print("ready", flush=True)
        while True:
            request, (host, port) = server.recvfrom(2048)
            if said := answer(request, host, port):
                server.sendto(said, (host, port))


if __name__ == "__main__":
    serve(sys.argv[1])
