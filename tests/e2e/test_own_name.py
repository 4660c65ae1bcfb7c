# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The phone's own DNS name follows its addresses, at a real name server."""

import base64
import secrets
import threading
from collections.abc import Iterator
from pathlib import Path

import dns.message
import dns.query
import dns.rdatatype
import pytest

from omafon.config import FamilyConfig, OwnNameConfig, rules
from omafon.core.family import Family, reach_of
from omafon.core.memory import Address
from omafon.drivers.zone import Key
from omafon.drivers.zone.own_name import OwnName
from tests.lab.addresses import Addresses
from tests.lab.primary import KnotPrimary, Writer

ZONE, NAME = "family.test", "oma.family.test"
KEY = Key("oma-phone", "hmac-sha256", base64.b64encode(secrets.token_bytes(32)).decode())
DEADLINE_S = 10.0


@pytest.fixture
def server(tmp_path: Path, addresses: Addresses) -> Iterator[str]:
    writer = Writer(KEY, (f"{NAME}.",))
    with KnotPrimary(tmp_path, addresses.fresh(), {ZONE: []}, writer=writer) as knot:
        yield knot.server


def config(server: str, secret: str = KEY.secret) -> FamilyConfig:
    update = OwnNameConfig(zone=ZONE, server=server, key_name=KEY.name, key_secret=secret)
    return FamilyConfig(name=NAME, update=update)


def at(*hosts: str) -> Family:
    return Family((), tuple(Address(host, 5061, reach_of(host)) for host in hosts))


def leads_to(server: str) -> set[str]:
    host, port = rules.endpoint(server)
    answers = [
        dns.query.tcp(dns.message.make_query(f"{NAME}.", kind), host, timeout=5, port=port)
        for kind in (dns.rdatatype.A, dns.rdatatype.AAAA)
    ]
    return {str(item) for answer in answers for rrset in answer.answer for item in rrset}


def comes_to_lead_to(server: str, hosts: set[str]) -> bool:
    ticks = threading.Event()
    for _ in range(int(DEADLINE_S / 0.1)):
        if leads_to(server) == hosts:
            return True
        ticks.wait(0.1)
    return False


def test_the_name_follows_the_phone_and_prefers_addresses_of_the_whole_world(server: str) -> None:
    own_name = OwnName(config(server))
    own_name.open()
    try:
        own_name.family(at("192.168.0.7"))
        assert comes_to_lead_to(server, {"192.168.0.7"})

        own_name.family(at("192.168.0.7", "2001:4860::7", "93.184.216.34", "elsewhere.example"))

        assert comes_to_lead_to(server, {"2001:4860::7", "93.184.216.34"})
    finally:
        own_name.close()


def test_a_refusal_is_tried_again_and_a_right_key_helps(server: str) -> None:
    wrong = base64.b64encode(b"x" * 32).decode()
    own_name = OwnName(config(server, wrong), retry_s=0.1)
    own_name.open()
    try:
        own_name.family(at("192.168.0.7"))

        own_name.configure(config(server))

        assert comes_to_lead_to(server, {"192.168.0.7"})
    finally:
        own_name.close()


def test_without_a_key_nothing_runs() -> None:
    before = threading.active_count()
    own_name = OwnName(FamilyConfig(name=NAME))
    own_name.open()
    own_name.family(at("192.168.0.7"))

    assert threading.active_count() == before
    own_name.close()
