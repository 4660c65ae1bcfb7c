# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""ENUM against a real name server: every vector through the wire, and what zones do besides."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from omafon.config import EnumConfig
from omafon.core.actions import QueryNaptr
from omafon.core.dialplan import E164
from omafon.core.events import DnsError, Event, LookupFailed, LookupId, NaptrReceived
from omafon.core.naptr import NaptrRecord, dialable, enum_domain, evaluate
from omafon.drivers.dns import DnsResolver, Lookup
from omafon.enum_report import look_up
from tests.lab.addresses import Addresses
from tests.lab.enum_vectors import Vector, vectors
from tests.lab.knot import Knot, naptr_line

TREE = "e164.test"
NUMBER = E164("+442079460123")
OMA = NaptrRecord(100, 10, "u", "E2U+sip", "!^.*$!sip:oma@example.net!", ".")
ASKED = [vector for vector in vectors() if vector.is_number and vector.wanted.get("dns") in (None, "NXDOMAIN")]


def tree_of(vector: Vector) -> str:
    """An apex of its own for each vector: many of them are about the same number."""
    return f"{vector.id.replace('.', '-')}.{TREE}"


def at_home(name: str, vector: Vector) -> str:
    """`name` under the apex of the vector: names of the records' own, and those of other people's zones."""
    if name in ("", "."):
        return name
    bare = name.lower().removesuffix(".").removesuffix(".e164.arpa")
    return f"{bare}.{tree_of(vector)}."


def zone_lines(vector: Vector) -> Iterator[str]:
    for name, records in {vector.name: vector.records, **vector.zone}.items():
        for record in records:
            moved = replace(record, replacement=at_home(record.replacement, vector))
            yield naptr_line(at_home(name, vector), moved)


def name_of(number: str, tree: str = TREE) -> str:
    return enum_domain(E164(number), tree)


@pytest.fixture(scope="module")
def knot(tmp_path_factory: pytest.TempPathFactory, addresses: Addresses) -> Iterator[Knot]:
    lines = [line for vector in ASKED for line in zone_lines(vector)]
    lines += [naptr_line(name_of(NUMBER), OMA)]
    lines += [f'{name_of("+442079460124")} TXT "here lives nobody"']
    lines += [naptr_line(name_of("+442079460125"), replace(OMA, preference=i)) for i in range(60)]
    lines += [f"{name_of('+442079460126')} CNAME {name_of(NUMBER)}"]
    lines += [f"moved.{TREE}. DNAME {TREE}."]
    lines += [naptr_line(f"*.9.4.{TREE}.", OMA)]
    with Knot(tmp_path_factory.mktemp("knot"), addresses.fresh(), {TREE: lines}) as knot:
        yield knot


def nobody_listens(event: Event) -> None:
    """Where no house is."""


def ask(knot: Knot, number: str, tree: str = TREE) -> Lookup:
    async def lookup() -> Lookup:
        resolver = DnsResolver(nobody_listens, EnumConfig(servers=(knot.server,)))
        resolver.open()
        return await resolver.lookup(tree, E164(number))

    return asyncio.run(lookup())


@pytest.mark.parametrize("vector", ASKED, ids=lambda vector: vector.id)
def test_every_vector_means_the_same_through_the_wire(knot: Knot, vector: Vector):
    name = enum_domain(E164(vector.number), tree_of(vector))

    said = ask(knot, vector.number, tree_of(vector))
    found = evaluate(E164(vector.number), said.records, name=name, followed=said.followed)

    services = [[service.service, service.uri] for service in found.services]
    wanted = vector.wanted["expect"]
    ties = {(record.order, record.preference) for record in vector.records}
    # A name server may give records of equal ORDER and PREFERENCE in any order.
    assert services == wanted or (len(ties) < len(vector.records) and sorted(services) == sorted(wanted))
    reasons = sorted(discard.reason.value for discard in found.discards if not discard.name)
    assert reasons == sorted(vector.wanted["discard"].values())
    assert said.error == (DnsError.NXDOMAIN if vector.wanted["error"] == "NXDOMAIN" else None)


def test_a_number_without_naptr_records_has_no_data(knot: Knot):
    assert ask(knot, "+442079460124").error is DnsError.NODATA


def test_a_tree_of_somebody_else_is_a_failure_of_the_server(knot: Knot):
    said = ask(knot, NUMBER, "family.example.org")

    assert said.error is DnsError.SERVFAIL
    assert "REFUSED" in said.detail


def test_sixty_records_come_by_tcp(knot: Knot):
    assert len(ask(knot, "+442079460125").records) == 60


@pytest.mark.parametrize(
    ("number", "tree"), [("+442079460126", TREE), (NUMBER, f"moved.{TREE}"), ("+4930123456", TREE)]
)
def test_aliases_and_wildcards_lead_to_the_records(knot: Knot, number: str, tree: str):
    assert ask(knot, number, tree).records == (OMA,)


async def test_trees_are_asked_at_the_same_time(knot: Knot):
    told: asyncio.Queue[Event] = asyncio.Queue()
    resolver = DnsResolver(told.put_nowait, EnumConfig(servers=(knot.server,)))
    resolver.open()

    resolver.perform(QueryNaptr(LookupId(1), TREE, NUMBER))
    resolver.perform(QueryNaptr(LookupId(1), f"none.{TREE}", NUMBER))

    async with asyncio.timeout(5):
        said = [await told.get(), await told.get()]
    assert NaptrReceived(LookupId(1), TREE, (OMA,), False) in said
    assert LookupFailed(LookupId(1), f"none.{TREE}", DnsError.NXDOMAIN) in said


def test_what_was_looked_up_once_is_known_when_the_server_is_gone(tmp_path: Path, addresses: Addresses):
    async def twice() -> list[Lookup]:
        with Knot(tmp_path, addresses.fresh(), {TREE: [naptr_line(name_of(NUMBER), OMA)]}) as knot:
            resolver = DnsResolver(nobody_listens, EnumConfig(servers=(knot.server,)))
            resolver.open()
            first = await resolver.lookup(TREE, NUMBER)
        return [first, await resolver.lookup(TREE, NUMBER)]

    first, second = asyncio.run(twice())

    assert first.records == (OMA,)
    assert second.records == first.records
    assert second.cached
    assert 59 < second.ttl_s < 60


def test_the_report_holds_what_the_contract_says(knot: Knot):
    report = look_up(NUMBER, EnumConfig(trees=(f"none.{TREE}", TREE), servers=(knot.server,)))

    said = json.loads(json.dumps(report.as_json()))

    assert said["number"] == NUMBER
    assert said["name"] == name_of(NUMBER)
    assert said["tree"] == TREE
    assert said["secure"] is False
    assert said["services"] == [
        {"service": "sip", "uri": "sip:oma@example.net", "order": 100, "preference": 10},
    ]
    assert said["discarded"] == []
    assert said["error"] is None
    assert said["dial"] == "sip:oma@example.net"
    assert [tree["error"] for tree in said["trees"]] == ["NXDOMAIN", None]


@pytest.mark.parametrize("vector", [v for v in ASKED if "dial" in v.wanted], ids=lambda vector: vector.id)
def test_the_report_dials_what_the_phone_would(knot: Knot, vector: Vector):
    report = look_up(vector.number, EnumConfig(trees=(tree_of(vector),), servers=(knot.server,)))

    targets = [uri for service, uri in vector.wanted["expect"] if service in ("sip", "pstn:sip")]
    assert report.as_json()["dial"] == vector.wanted["dial"] or len(targets) > 1
    assert report.best.dial == dialable(report.best.found.services)


def test_the_report_tells_a_person_why_a_record_was_not_used(knot: Knot):
    vector = next(vector for vector in ASKED if vector.id == "rfc5483-2.4-bad")

    report = look_up(vector.number, EnumConfig(trees=(tree_of(vector),), servers=(knot.server,)))

    assert report.as_json()["error"] == "no-usable-record"
    assert report.as_json()["discarded"][0]["reason"] == "bad-ere"
    assert "record 0 not used, not a POSIX extended regular expression: repeating an anchor" in report.as_text()


def test_a_tree_that_must_be_proven_shows_its_records_and_dials_nobody(knot: Knot):
    report = look_up(NUMBER, EnumConfig(trees=(TREE,), servers=(knot.server,), dnssec={TREE: "require"}))

    assert report.as_json()["error"] == "UNPROVEN"
    assert report.as_json()["dial"] is None
    assert len(report.as_json()["services"]) == 1
