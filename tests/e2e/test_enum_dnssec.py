# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""DNSSEC against real zones, signed by Knot and spoilt in every way, with Unbound as the second opinion."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import dns.asyncquery
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset
import msgspec
import pytest

from omafon.config import Config, EnumConfig
from omafon.core.dialplan import E164
from omafon.core.events import DnsError, Event
from omafon.core.naptr import NaptrRecord, enum_domain
from omafon.doctor import Machine, names
from omafon.drivers.dns import Clock, DnsResolver, Lookup
from omafon.enum_report import look_up
from tests.lab.addresses import Addresses
from tests.lab.knot import PORT, Knot, Signing, naptr_line
from tests.lab.proxy import Proxy, Rewriting, asks_for, claiming_validity, with_another_target, without_signatures
from tests.lab.signing import DAY, signed
from tests.lab.unbound import Unbound

OMA = NaptrRecord(100, 10, "u", "E2U+sip", "!^.*$!sip:oma@example.net!", ".")
NUMBER = E164("+493023125001")
ABSENT = E164("+493023125009")
SECURE, INSECURE, BOGUS = "secure", "insecure", "bogus"


def name_of(tree: str, number: str = NUMBER) -> str:
    return enum_domain(E164(number), tree)


def numbers(tree: str) -> list[str]:
    """A number that is there, one without NAPTR records, a wildcard for another country, and what lies between."""
    return [
        naptr_line(name_of(tree), OMA),
        f'{name_of(tree, "+493023125002")} TXT "here lives nobody"',
        naptr_line(f"*.8.7.3.4.{tree}.", OMA),
        f'{name_of(tree, "+43781")} TXT "beside the wildcard"',
    ]


@dataclass(frozen=True, slots=True)
class Case:
    """A question, and what a validator makes of the answer."""

    tree: str
    number: str
    status: str
    error: DnsError | None = None

    def __str__(self) -> str:
        return f"{self.tree}{self.number}"


def of_a_tree(tree: str, status: str, absent: str | None = None) -> list[Case]:
    """What a whole tree is asked for: of names that are not there a zone may prove less."""
    absent = absent or status
    return [
        Case(tree, NUMBER, status),
        Case(tree, ABSENT, absent, DnsError.NXDOMAIN),
        Case(tree, "+493023125002", status, DnsError.NODATA),
        Case(tree, "+4930231250", status, DnsError.NODATA),  # only others stand below it
        Case(tree, "+437845", absent),  # out of the wildcard
        Case(tree, "+43781", status, DnsError.NODATA),
    ]


CASES = [
    *of_a_tree("family.lab", SECURE),
    *of_a_tree("public.lab", SECURE),
    *of_a_tree("rsa.lab", SECURE),
    *of_a_tree("below.family.lab", SECURE),
    *of_a_tree("plain.lab", INSECURE),
    *of_a_tree("below.plain.lab", INSECURE),
    *of_a_tree("island.plain.lab", INSECURE),
    *of_a_tree("optout.lab", SECURE, absent=INSECURE),
    *of_a_tree("below.optout.lab", INSECURE),
    *of_a_tree("betrayed.lab", BOGUS),
    *of_a_tree("expired.lab", BOGUS),
    *of_a_tree("early.lab", BOGUS),
    Case("forged.lab", NUMBER, BOGUS),
    Case("forged.lab", ABSENT, SECURE, DnsError.NXDOMAIN),
    Case("stripped.lab", NUMBER, BOGUS),
    Case("stripped.lab", ABSENT, SECURE, DnsError.NXDOMAIN),
    Case("family.lab", "+4411", SECURE),  # an alias inside the zone
    Case("family.lab", "+4412", SECURE),  # to another signed zone
    Case("family.lab", "+4413", INSECURE),  # to one that is not signed
    Case("family.lab", "+4414", BOGUS),  # to one that is broken
    Case("family.lab", "+4415", SECURE, DnsError.NXDOMAIN),  # to nowhere
    Case("moved.family.lab", NUMBER, SECURE),
    Case("moved.family.lab", ABSENT, SECURE, DnsError.NXDOMAIN),
    Case("plain.lab", "+4411", INSECURE),  # an unsigned alias to a signed zone
]


@pytest.fixture(scope="module")
def knot(tmp_path_factory: pytest.TempPathFactory, addresses: Addresses) -> Iterator[Knot]:
    trees = (
        *("family.lab", "public.lab", "rsa.lab", "below.family.lab", "plain.lab", "below.plain.lab"),
        *("island.plain.lab", "optout.lab", "below.optout.lab", "betrayed.lab", "old.lab", "rounds.lab"),
    )
    zones: dict[str, object] = {".": [], "lab": [], **{tree: numbers(tree) for tree in trees}}
    zones["family.lab"] = [
        *numbers("family.lab"),
        f"{name_of('family.lab', '+4411')} CNAME {name_of('family.lab')}",
        f"{name_of('family.lab', '+4412')} CNAME {name_of('public.lab')}",
        f"{name_of('family.lab', '+4413')} CNAME {name_of('plain.lab')}",
        f"{name_of('family.lab', '+4414')} CNAME {name_of('betrayed.lab')}",
        f"{name_of('family.lab', '+4415')} CNAME {name_of('public.lab', ABSENT)}",
        "moved.family.lab. DNAME family.lab.",
    ]
    zones["plain.lab"] = [
        *numbers("plain.lab"),
        f"{name_of('plain.lab', '+4411')} CNAME {name_of('family.lab')}",
    ]
    expired = signed("expired.lab.", numbers("expired.lab"), begins=-9 * DAY, ends=-2 * DAY)
    early = signed("early.lab.", numbers("early.lab"), begins=2 * DAY, ends=9 * DAY)
    forged = signed("forged.lab.", numbers("forged.lab")).forge(name_of("forged.lab"), "oma@", "thief@")
    stripped = signed("stripped.lab.", numbers("stripped.lab")).strip(name_of("stripped.lab"), dns.rdatatype.NAPTR)
    zones["expired.lab"], zones["early.lab"] = expired.presigned, early.presigned
    zones["forged.lab"], zones["stripped.lab"] = forged.presigned, stripped.presigned
    signing = {
        ".": Signing(),
        "lab": Signing("rsasha256", denial="nsec3"),
        "family.lab": Signing("ed25519"),
        "public.lab": Signing("ecdsap384sha384", denial="nsec3", iterations=5),
        "rsa.lab": Signing("rsasha512", denial="nsec3"),
        "below.family.lab": Signing(denial="nsec3"),
        "island.plain.lab": Signing(),
        "optout.lab": Signing(denial="opt-out"),
        "betrayed.lab": Signing(betrayed=True),
        "old.lab": Signing("rsasha1"),
        "rounds.lab": Signing(denial="nsec3", iterations=60),
    }
    with Knot(tmp_path_factory.mktemp("knot"), addresses.fresh(), zones, signed=signing) as knot:
        yield knot


@pytest.fixture(scope="module")
def resolver_of_the_house(
    tmp_path_factory: pytest.TempPathFactory, addresses: Addresses, knot: Knot
) -> Iterator[Unbound]:
    """What a router is: it passes on, and proves nothing."""
    with Unbound(tmp_path_factory.mktemp("forwarder"), addresses.fresh(), knot) as unbound:
        yield unbound


@pytest.fixture(scope="module")
def second_opinion(tmp_path_factory: pytest.TempPathFactory, addresses: Addresses, knot: Knot) -> Iterator[Unbound]:
    anchors = {".": knot.anchor(".")}
    with Unbound(tmp_path_factory.mktemp("validator"), addresses.fresh(), knot, anchors=anchors) as unbound:
        yield unbound


def nobody_listens(event: Event) -> None:
    """Where no house is."""


def config(server: str, knot: Knot, tree: str, policy: str = "prefer", *, budget_ms: int = 5000) -> EnumConfig:
    anchors = {".": knot.anchor(".")}
    return EnumConfig(trees=(tree,), servers=(server,), budget_ms=budget_ms, dnssec={tree: policy}, anchors=anchors)


def ask(enum: EnumConfig, number: str = NUMBER, clock: Clock | None = None) -> Lookup:
    async def lookup() -> Lookup:
        wall_clock = (lambda: clock) if clock else (lambda: Clock(time.time()))
        resolver = DnsResolver(nobody_listens, enum, wall_clock=wall_clock)
        resolver.open()
        try:
            return await resolver.lookup(enum.trees[0], E164(number))
        finally:
            resolver.close()

    return asyncio.run(lookup())


def status_of(said: Lookup) -> str:
    return BOGUS if said.error is DnsError.BOGUS else SECURE if said.secure else INSECURE


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_answer_is_judged_as_another_validator_judges_it(
    knot: Knot, resolver_of_the_house: Unbound, second_opinion: Unbound, case: Case
):
    said = ask(config(resolver_of_the_house.server, knot, case.tree), case.number)

    assert status_of(said) == case.status, said.why
    assert case.status == BOGUS or said.error == case.error
    assert case.status == BOGUS or case.error or said.records == (OMA,)
    assert opinion(second_opinion, name_of(case.tree, case.number)) == case.status


def opinion(validator: Unbound, name: str) -> str:
    query = dns.message.make_query(name, "NAPTR", want_dnssec=True)
    query.flags |= dns.flags.AD
    answer = asyncio.run(dns.asyncquery.tcp(query, validator.address, port=PORT, timeout=10))
    if answer.rcode() == dns.rcode.SERVFAIL:
        return BOGUS
    return SECURE if answer.flags & dns.flags.AD else INSECURE


@pytest.mark.parametrize("case", [case for case in CASES if not case.number.startswith("+441")], ids=str)
def test_the_authority_itself_may_be_asked(knot: Knot, case: Case):
    assert status_of(ask(config(knot.server, knot, case.tree), case.number)) == case.status


def test_sha_1_proves_nothing_any_more(knot: Knot):
    said = ask(config(knot.server, knot, "old.lab"))

    assert (said.records, said.secure) == ((OMA,), False)
    assert said.why == "old.lab. is signed in a way that proves nothing here"


def test_a_zone_that_hashes_too_often_proves_what_is_there_and_not_what_is_absent(knot: Knot):
    enum = config(knot.server, knot, "rounds.lab")

    assert ask(enum).secure is True
    absent = ask(enum, ABSENT)
    assert (absent.error, absent.secure) == (DnsError.NXDOMAIN, False)
    assert absent.why == "rounds.lab. hashes its names more often than we follow"


# What the owner wants.


@pytest.mark.parametrize(
    ("tree", "policy", "secure", "error"),
    [
        ("family.lab", "require", True, None),
        ("family.lab", "prefer", True, None),
        ("family.lab", "off", None, None),
        ("plain.lab", "require", False, DnsError.UNPROVEN),
        ("plain.lab", "prefer", False, None),
        ("plain.lab", "off", None, None),
        ("forged.lab", "require", False, DnsError.BOGUS),
        ("forged.lab", "prefer", False, DnsError.BOGUS),
        ("forged.lab", "off", None, None),
    ],
)
def test_the_policy_of_a_tree_decides_what_its_answers_are_worth(
    knot: Knot, tree: str, policy: str, secure: bool | None, error: DnsError | None
):
    said = ask(config(knot.server, knot, tree, policy))

    assert (said.secure, said.error) == (secure, error)


def test_a_forged_answer_gives_no_records_at_all(knot: Knot):
    said = ask(config(knot.server, knot, "forged.lab"))

    assert said.records == ()
    assert said.why == f"the signature over the NAPTR of {name_of('forged.lab')} is broken"


def test_a_name_that_records_point_to_must_be_proven_too(tmp_path: Path, addresses: Addresses):
    pointing = replace(OMA, flags="", services="", regexp="", replacement="provider.family.lab.")
    astray = replace(pointing, preference=20, replacement="provider.plain.lab.")
    zones = {
        ".": [],
        "family.lab": [naptr_line(name_of("family.lab"), record) for record in (pointing, astray)]
        + [naptr_line("provider.family.lab.", OMA)],
        "plain.lab": [naptr_line("provider.plain.lab.", OMA)],
    }
    signing = {".": Signing(), "family.lab": Signing()}
    with Knot(tmp_path, addresses.fresh(), zones, signed=signing) as knot:
        required = ask(config(knot.server, knot, "family.lab", "require"))
        preferred = ask(config(knot.server, knot, "family.lab", "prefer"))

    assert required.secure is True
    assert dict(required.followed) == {"provider.family.lab.": (OMA,), "provider.plain.lab.": None}
    assert preferred.secure is False
    assert dict(preferred.followed) == {"provider.family.lab.": (OMA,), "provider.plain.lab.": (OMA,)}


# Anchors.


def test_a_private_tree_is_proven_from_its_own_anchor_alone(knot: Knot):
    enum = config(knot.server, knot, "island.plain.lab", "require")
    anchored = msgspec.structs.replace(enum, anchors={"island.plain.lab": knot.anchor("island.plain.lab")})

    assert ask(enum).error is DnsError.UNPROVEN
    assert ask(anchored).secure is True


def test_below_an_anchor_an_unsigned_zone_above_excuses_nothing(knot: Knot):
    wrong = knot.anchor("family.lab")
    enum = config(knot.server, knot, "island.plain.lab")

    said = ask(msgspec.structs.replace(enum, anchors={**enum.anchors, "island.plain.lab": wrong}))

    assert said.error is DnsError.BOGUS
    assert said.why == "the anchor of island.plain.lab. names none of its keys"


def test_an_anchor_may_be_the_key_itself_or_a_file(knot: Knot, tmp_path: Path):
    (tmp_path / "anchor").write_text(f"; of the family\nfamily.lab. 3600 IN DS {knot.anchor('family.lab')}\n")
    key = dns.query.udp(dns.message.make_query("family.lab.", "DNSKEY"), knot.address, port=PORT, timeout=5).answer[0]
    enum = config(knot.server, knot, "family.lab", "require")

    for anchor in (str(tmp_path / "anchor"), f"DNSKEY {key[0]}", f"family.lab. IN DNSKEY {key[0]}"):
        assert ask(msgspec.structs.replace(enum, anchors={"family.lab": anchor})).secure is True


def test_without_the_right_root_nothing_is_proven(knot: Knot):
    enum = msgspec.structs.replace(config(knot.server, knot, "family.lab"), anchors={})

    said = ask(enum)

    assert said.error is DnsError.BOGUS
    assert said.why == "the anchor of . names none of its keys"


# The time of day.


@pytest.mark.parametrize("tree", ["family.lab", "public.lab", "optout.lab"])
def test_a_clock_that_was_never_set_makes_nobody_a_liar(knot: Knot, tree: str):
    unset = Clock(0.0, is_set=False, is_kept=False)

    assert ask(config(knot.server, knot, tree, "require"), clock=unset).error is DnsError.CLOCK
    preferred = ask(config(knot.server, knot, tree, "prefer"), clock=unset)
    assert (preferred.records, preferred.secure) == ((OMA,), False)
    assert "the clock is not set" in preferred.why


def test_a_forgery_is_one_without_a_clock_too(knot: Knot):
    unset = Clock(0.0, is_set=False, is_kept=False)

    assert ask(config(knot.server, knot, "forged.lab"), clock=unset).error is DnsError.BOGUS


def test_a_clock_that_stood_still_while_the_phone_was_off_is_no_forgery(knot: Knot):
    behind = time.time() - timedelta(days=20).total_seconds()

    not_yet = ask(config(knot.server, knot, "family.lab", "require"), clock=Clock(behind, is_kept=False))
    wrong = ask(config(knot.server, knot, "family.lab", "require"), clock=Clock(behind, is_kept=True))

    assert not_yet.error is DnsError.CLOCK
    assert wrong.error is DnsError.BOGUS


def test_an_expired_signature_says_since_when(knot: Knot):
    said = ask(config(knot.server, knot, "expired.lab"))

    assert said.error is DnsError.BOGUS
    assert said.why == "the signature over the DNSKEY of expired.lab. expired 2 days ago"


# Who lies on the way.


def ask_through(
    knot: Knot, rewriting: Rewriting, policy: str, number: str = NUMBER, *, budget_ms: int = 5000
) -> Lookup:
    async def lookup() -> Lookup:
        async with Proxy(knot.address, PORT, rewriting) as proxy:
            enum = config(proxy.server, knot, "family.lab", policy, budget_ms=budget_ms)
            resolver = DnsResolver(nobody_listens, enum)
            resolver.open()
            try:
                return await resolver.lookup("family.lab", E164(number))
            finally:
                resolver.close()

    return asyncio.run(lookup())


def test_a_word_of_the_name_server_proves_nothing(knot: Knot):
    """The AD bit."""

    def boasting(answer: dns.message.Message) -> dns.message.Message:
        return claiming_validity(without_signatures(answer))

    assert ask_through(knot, claiming_validity, "require").secure is True
    assert ask_through(knot, boasting, "require").error is DnsError.UNPROVEN


@pytest.mark.parametrize("policy", ["require", "prefer"])
def test_a_rewritten_answer_is_never_dialled(knot: Knot, policy: str):
    said = ask_through(knot, with_another_target, policy)

    assert (said.error, said.records) == (DnsError.BOGUS, ())


@pytest.mark.parametrize("policy", ["require", "prefer"])
def test_an_answer_whose_signatures_were_taken_away_is_never_dialled(knot: Knot, policy: str):
    def thief(answer: dns.message.Message) -> dns.message.Message:
        return with_another_target(without_signatures(answer)) if asks_for(answer, "NAPTR") else answer

    said = ask_through(knot, thief, policy)

    assert (said.error, said.records) == (DnsError.BOGUS, ())
    assert said.why == f"the NAPTR of {name_of('family.lab')} is not signed, and family.lab. is"


def test_a_number_that_is_hidden_is_not_believed_to_be_absent(knot: Knot):
    def hiding(answer: dns.message.Message) -> dns.message.Message:
        if asks_for(answer, "NAPTR"):
            answer.set_rcode(dns.rcode.NXDOMAIN)
            answer.answer.clear()
        return answer

    assert ask_through(knot, hiding, "require").error is DnsError.BOGUS


def test_a_denial_of_another_number_is_no_denial(knot: Knot):
    other: list[dns.message.Message] = []

    def replaying(answer: dns.message.Message) -> dns.message.Message:
        if not asks_for(answer, "NAPTR"):
            return answer
        if answer.question[0].name.to_text() == name_of("family.lab", ABSENT):
            other.append(answer)
        elif other:
            answer.set_rcode(dns.rcode.NXDOMAIN)
            answer.answer.clear()
            answer.authority[:] = other[0].authority
        return answer

    assert ask_through(knot, replaying, "require", ABSENT).secure is True
    assert ask_through(knot, replaying, "require", "+437845").error is DnsError.BOGUS


def test_a_wildcard_does_not_answer_for_a_name_that_is_there(knot: Knot):
    wild: list[dns.message.Message] = []

    def replaying(answer: dns.message.Message) -> dns.message.Message:
        if not asks_for(answer, "NAPTR"):
            return answer
        if answer.question[0].name.to_text() == name_of("family.lab", "+437845"):
            wild.append(answer)
        elif wild:
            name = answer.question[0].name
            answer.set_rcode(dns.rcode.NOERROR)
            answer.answer[:] = [dns.rrset.from_rdata_list(name, rrset.ttl, list(rrset)) for rrset in wild[0].answer]
            answer.authority[:] = wild[0].authority
        return answer

    assert ask_through(knot, replaying, "require", "+437845").secure is True
    assert ask_through(knot, replaying, "require", "+43781").error is DnsError.BOGUS


def test_a_name_server_that_knows_nothing_of_dnssec_does_for_those_who_only_prefer_it(knot: Knot):
    preferred = ask_through(knot, without_signatures, "prefer")

    assert (preferred.records, preferred.secure) == ((OMA,), False)
    assert preferred.why == "the name server gives no signed keys of ."
    assert ask_through(knot, without_signatures, "require").error is DnsError.UNPROVEN


def test_keys_that_do_not_come_are_no_forgery(knot: Knot):
    def losing_keys(answer: dns.message.Message) -> dns.message.Message | None:
        return None if asks_for(answer, "DNSKEY") else answer

    said = ask_through(knot, losing_keys, "require", budget_ms=300)

    assert (said.error, said.detail) == (DnsError.UNPROVEN, "its proof did not come in time")
    assert len(said.records) == 1


# What a person is told.


def test_the_report_says_what_is_proven_and_why(knot: Knot):
    enum = msgspec.structs.replace(
        config(knot.server, knot, "family.lab"), trees=("family.lab", "plain.lab", "forged.lab")
    )

    said = look_up(NUMBER, enum)

    assert [tree.secure for tree in said.trees] == [True, False, False]
    assert [tree.why for tree in said.trees] == [
        "signed by family.lab. < lab. < .",
        "lab. delegates plain.lab. without a key",
        f"the signature over the NAPTR of {name_of('forged.lab')} is broken",
    ]
    assert "proven by DNSSEC" in said.as_text()
    assert "holds for 60 s" in said.as_text()
    assert said.as_json()["trees"][2]["dial"] is None


def test_what_waited_for_the_clock_is_proven_the_moment_it_is_set(knot: Knot, resolver_of_the_house: Unbound):
    clocks = [Clock(0.0, is_set=False)]

    async def twice() -> tuple[Lookup, Lookup]:
        enum = config(resolver_of_the_house.server, knot, "family.lab", "require")
        resolver = DnsResolver(nobody_listens, enum, wall_clock=lambda: clocks[-1])
        resolver.open()
        try:
            waits = await resolver.lookup("family.lab", E164(NUMBER))
            clocks.append(Clock(time.time()))
            return waits, await resolver.lookup("family.lab", E164(NUMBER))
        finally:
            resolver.close()

    waits, goes_on = asyncio.run(twice())

    assert waits.error is DnsError.CLOCK
    assert (goes_on.error, goes_on.secure) == (None, True)


@pytest.mark.parametrize(
    ("tree", "policy", "said"),
    [
        ("family.lab", "require", "ok: family.lab is signed and proven"),
        ("plain.lab", "prefer", "ok: plain.lab is not signed, and need not be"),
        ("plain.lab", "require", "wrong: plain.lab must be proven and is not: "),
        ("betrayed.lab", "prefer", "wrong: what the name servers say of betrayed.lab is not true: "),
    ],
)
def test_the_doctor_says_what_is_proven(
    tmp_path: Path, knot: Knot, resolver_of_the_house: Unbound, tree: str, policy: str, said: str
):
    enum = config(resolver_of_the_house.server, knot, tree, policy)
    machine = Machine(tmp_path / "phone.toml", tmp_path, tmp_path, "", lambda: Clock(time.time()))

    resolver, finding = names.name_servers(Config(enum=enum), machine)

    assert resolver.what.endswith(", with signatures")
    assert f"{finding.verdict}: {finding.what}".startswith(said)
