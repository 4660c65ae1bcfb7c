# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What wakes the call engine out of its wait for packets."""

import socket

import pytest

from omafon.drivers.sip.engine import Doorbell


@pytest.mark.parametrize(("listens_at", "reached_at"), [("", "127.0.0.1"), ("127.0.7.9", "127.0.7.9")])
def test_the_doorbell_rings_from_the_own_address_and_opens_the_door_to_nobody(listens_at: str, reached_at: str) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as engine:
        engine.bind((listens_at, 0))
        engine.settimeout(5)
        doorbell = Doorbell(listens_at, engine.getsockname()[1])

        doorbell.ring()
        rung, (host, port) = engine.recvfrom(16)

        assert (rung, host) == (b"\r\n\r\n", reached_at)
        with socket.socket(type=socket.SOCK_DGRAM) as stranger:
            stranger.connect((reached_at, port))
            stranger.send(b"hello")
            with pytest.raises(ConnectionRefusedError):
                stranger.send(b"anybody there?")
        doorbell.close()


def test_a_doorbell_without_an_address_stays_silent() -> None:
    doorbell = Doorbell("192.0.2.7", 5060)

    doorbell.ring()

    doorbell.close()
