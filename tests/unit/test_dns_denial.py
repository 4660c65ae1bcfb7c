# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What NSEC and NSEC3 records prove, compared with small zones whose every name is known."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import dns.dnssec
import dns.name
import pytest
from dns.rdatatype import RdataType
from dns.rdtypes.ANY.NSEC import NSEC, Bitmap
from dns.rdtypes.ANY.NSEC3 import NSEC3
from dns.rdtypes.ANY.NSEC3 import Bitmap as Bitmap3
from hypothesis import given, settings
from hypothesis import strategies as st

from omafon.drivers.dns.denial import Denial, Denied, Nsec3Denial, NsecDenial, denied, expanded

APEX = dns.name.from_text("z.")
NAPTR, NS, DS, SOA, CNAME, DNAME = (
    RdataType.NAPTR,
    RdataType.NS,
    RdataType.DS,
    RdataType.SOA,
    RdataType.CNAME,
    RdataType.DNAME,
)
Types = frozenset[RdataType]
KINDS: list[Types] = [
    frozenset({NAPTR}),
    frozenset({CNAME}),
    frozenset({NS}),
    frozenset({NS, DS}),
    frozenset({RdataType.TXT}),
]


@dataclass(frozen=True)
class World:
    """A zone: names and the types at them. Nothing stands below a delegation."""

    names: Mapping[dns.name.Name, Types]

    @classmethod
    def of(cls, drawn: Mapping[str, Types]) -> "World":
        names = {dns.name.from_text(text, APEX): types for text, types in drawn.items()}
        cuts = [name for name, types in names.items() if NS in types]
        below = {name for name in names for cut in cuts if name != cut and name.is_subdomain(cut)}
        kept = {name: types for name, types in names.items() if name not in below}
        return cls({**kept, APEX: frozenset({NS, SOA})})

    def types_at(self, name: dns.name.Name) -> Types | None:
        """None: the name is not there, not even empty."""
        if name in self.names:
            return self.names[name]
        return frozenset() if any(other.is_subdomain(name) for other in self.names) else None

    def truth(self, name: dns.name.Name, rdtype: RdataType) -> Denied:
        """What an honest zone that hides nothing may deny; NOTHING where it has something to say."""
        types = self.types_at(name)
        if types is None:
            above = name
            while self.types_at(above) is None:
                above = above.parent()
            wildcard = dns.name.from_text("*", above)
            if self.types_at(wildcard) is None:  # an empty one counts too (RFC 4592 section 2.2.2)
                return Denied.NAME
            return Denied.TYPE if self._denies(wildcard, rdtype) is Denied.TYPE else Denied.NOTHING
        return self._denies(name, rdtype)

    def _denies(self, name: dns.name.Name, rdtype: RdataType) -> Denied:
        types = self.types_at(name)
        assert types is not None
        if rdtype in types or CNAME in types:
            return Denied.NOTHING
        if NS in types and name != APEX:
            return Denied.DELEGATED if rdtype == DS else Denied.NOTHING
        return Denied.NOTHING if rdtype == DS and name == APEX else Denied.TYPE

    def is_below_a_cut(self, name: dns.name.Name) -> bool:
        return any(
            NS in types and cut != APEX and cut != name and name.is_subdomain(cut) for cut, types in self.names.items()
        )


def nsec(world: World) -> list[tuple[dns.name.Name, NSEC]]:
    """The chain of RFC 4034 section 4."""
    names = sorted(world.names)
    return [
        (name, NSEC("IN", "NSEC", following, Bitmap.from_rdtypes([*world.names[name], RdataType.RRSIG])))
        for name, following in pairwise([*names, names[0]])
    ]


def nsec3(world: World, *, opt_out: bool = False, iterations: int = 1) -> list[tuple[dns.name.Name, NSEC3]]:
    """The chain of RFC 5155 section 7.1, names between included; with opt-out unsigned delegations are left out."""
    salt = b"\xab\xcd"
    there = {
        above
        for name, types in world.names.items()
        if not (opt_out and NS in types and not types & {DS, SOA})
        for above in _up_to(name, APEX)
    }
    hashes = sorted((_hash(name, salt, iterations), name) for name in there)
    made = []
    for (hashed, name), (following, _) in pairwise([*hashes, hashes[0]]):
        types = world.names.get(name, frozenset())
        record = NSEC3("IN", "NSEC3", 1, int(opt_out), iterations, salt, following, Bitmap3.from_rdtypes(list(types)))
        made.append((dns.name.from_text(base64.b32hexencode(hashed).decode(), APEX), record))
    return made


def _up_to(name: dns.name.Name, apex: dns.name.Name) -> list[dns.name.Name]:
    return [name] if name == apex else [name, *_up_to(name.parent(), apex)]


def _hash(name: dns.name.Name, salt: bytes, iterations: int) -> bytes:
    return base64.b32hexdecode(dns.dnssec.nsec3_hash(name, salt, iterations, 1))


LABELS = st.lists(st.sampled_from(["1", "2", "3", "*", "a"]), min_size=1, max_size=4).map(".".join)
WORLDS = st.dictionaries(LABELS, st.sampled_from(KINDS), max_size=7).map(World.of)
QUESTIONS = st.lists(st.sampled_from(["1", "2", "3", "a", "b"]), min_size=1, max_size=5).map(".".join)


@settings(max_examples=400, deadline=None)
@given(world=WORLDS, asked=QUESTIONS, rdtype=st.sampled_from([NAPTR, DS]))
def test_a_whole_chain_denies_what_is_not_there_and_nothing_else(world: World, asked: str, rdtype: RdataType):
    name = dns.name.from_text(asked, APEX)
    if world.is_below_a_cut(name):
        return

    for denial in (NsecDenial(APEX, nsec(world)), Nsec3Denial(APEX, nsec3(world))):
        assert denied(name, rdtype, denial) is world.truth(name, rdtype)


@settings(max_examples=400, deadline=None)
@given(world=WORLDS, asked=QUESTIONS, rdtype=st.sampled_from([NAPTR, DS]), left=st.data())
def test_a_part_of_a_chain_never_denies_what_is_there(world: World, asked: str, rdtype: RdataType, left: st.DataObject):
    name = dns.name.from_text(asked, APEX)
    everything: list[Sequence[tuple[dns.name.Name, object]]] = [nsec(world), nsec3(world)]

    for records, kind in zip(everything, (NsecDenial, Nsec3Denial), strict=True):
        some = left.draw(st.lists(st.sampled_from(list(records)), unique_by=lambda record: record[0]))
        said = denied(name, rdtype, kind(APEX, some))
        truth = Denied.NOTHING if world.is_below_a_cut(name) else world.truth(name, rdtype)
        assert said in (Denied.NOTHING, truth)


@settings(max_examples=300, deadline=None)
@given(world=WORLDS, asked=QUESTIONS)
def test_with_opt_out_a_missing_name_may_always_be_an_unsigned_delegation(world: World, asked: str):
    name = dns.name.from_text(asked, APEX)
    if world.is_below_a_cut(name):
        return

    said = denied(name, DS, Nsec3Denial(APEX, nsec3(world, opt_out=True)))

    types = world.types_at(name)
    if types is not None and NS in types and DS not in types and name != APEX:
        assert said in (Denied.OPTED_OUT, Denied.DELEGATED)
    else:
        assert said in (Denied.OPTED_OUT, world.truth(name, DS))


@settings(max_examples=300, deadline=None)
@given(world=WORLDS, asked=QUESTIONS, labels=st.integers(1, 5))
def test_a_wildcard_answers_only_where_nothing_is_closer(world: World, asked: str, labels: int):
    name = dns.name.from_text(asked, APEX)
    if world.is_below_a_cut(name) or labels >= len(name) - 1:
        return
    closer = name.split(labels + 2)[1]

    for denial in (NsecDenial(APEX, nsec(world)), Nsec3Denial(APEX, nsec3(world))):
        assert (expanded(name, labels, denial) is Denied.NAME) is (world.types_at(closer) is None)


def denial_of(*records: tuple[str, str, list[RdataType]]) -> Denial:
    return NsecDenial(
        APEX,
        [
            (
                dns.name.from_text(owner, APEX),
                NSEC("IN", "NSEC", dns.name.from_text(following, APEX), Bitmap.from_rdtypes(types)),
            )
            for owner, following, types in records
        ],
    )


@pytest.mark.parametrize(
    ("asked", "records"),
    [
        # RFC 6840 section 4.1: the zone above has no say below a delegation, nor below an alias of a whole subtree.
        ("x.1", [("1", "2", [NS, DS])]),
        ("x.1", [("1", "2", [DNAME])]),
        ("1", [("1", "2", [NS])]),
    ],
)
def test_the_upper_side_of_a_cut_denies_nothing_below_it(asked: str, records: list[tuple[str, str, list[RdataType]]]):
    assert denied(dns.name.from_text(asked, APEX), NAPTR, denial_of(*records)) is Denied.NOTHING


def test_the_lower_side_of_a_cut_knows_nothing_of_its_own_key():
    own = NsecDenial(APEX, [(APEX, NSEC("IN", "NSEC", APEX, Bitmap.from_rdtypes([NS, SOA])))])

    assert denied(APEX, DS, own) is Denied.NOTHING


def test_records_of_another_zone_count_for_nothing():
    foreign = [(dns.name.from_text("0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.y."), record) for _, record in nsec3(World.of({}))]

    assert denied(dns.name.from_text("1", APEX), NAPTR, Nsec3Denial(APEX, foreign)) is Denied.NOTHING


def test_an_owner_that_is_no_hash_counts_for_nothing():
    (_, record), *_ = nsec3(World.of({}))

    for label in (b"short", b"!" * 32, b"w" * 32):
        owner = dns.name.Name((label, *APEX.labels))
        assert denied(dns.name.from_text("1", APEX), NAPTR, Nsec3Denial(APEX, [(owner, record)])) is Denied.NOTHING


def test_names_hashed_too_often_prove_nothing():
    """RFC 9276 section 3.2."""
    world = World.of({"1": frozenset({NAPTR})})

    assert (
        denied(dns.name.from_text("2", APEX), NAPTR, Nsec3Denial(APEX, nsec3(world, iterations=51))) is Denied.NOTHING
    )
    assert denied(dns.name.from_text("2", APEX), NAPTR, Nsec3Denial(APEX, nsec3(world, iterations=50))) is Denied.NAME
