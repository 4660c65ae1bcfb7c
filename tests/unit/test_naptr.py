# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What NAPTR records say about a number (RFC 6116)."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omafon.core import enumservice
from omafon.core.dialplan import E164
from omafon.core.naptr import (
    MOST_NAMES,
    MOST_RECORDS,
    Followed,
    NaptrRecord,
    Reason,
    Service,
    dialable,
    enum_domain,
    evaluate,
    fallback,
    follow,
)
from tests.lab.enum_vectors import Vector, vectors

NUMBER = E164("+441632960083")
NUMBERS = [vector for vector in vectors() if vector.is_number]


def rule(regexp: str, services: str = "E2U+sip", *, order: int = 100, preference: int = 10) -> NaptrRecord:
    return NaptrRecord(order, preference, "u", services, regexp, ".")


def pointer(target: str, *, order: int = 100, preference: int = 10) -> NaptrRecord:
    return NaptrRecord(order, preference, "", "", "", target)


@pytest.mark.parametrize("vector", NUMBERS, ids=lambda vector: vector.id)
def test_every_vector_gives_the_services_it_should(vector: Vector):
    found = evaluate(E164(vector.number), vector.records, name=vector.name, followed=vector.follows())

    assert [[service.service, service.uri] for service in found.services] == vector.wanted["expect"]
    assert not found.follow


@pytest.mark.parametrize("vector", NUMBERS, ids=lambda vector: vector.id)
def test_every_vector_drops_the_records_it_should_and_says_why(vector: Vector):
    found = evaluate(E164(vector.number), vector.records, name=vector.name, followed=vector.follows())

    assert {str(d.index): d.reason for d in found.discards if not d.name} == vector.wanted["discard"]


@pytest.mark.parametrize("vector", [v for v in NUMBERS if "dial" in v.wanted], ids=lambda vector: vector.id)
def test_every_vector_dials_what_it_should(vector: Vector):
    services = evaluate(E164(vector.number), vector.records, name=vector.name).services

    assert dialable(services) == vector.wanted["dial"]


@pytest.mark.parametrize("vector", [v for v in NUMBERS if "fallback" in v.wanted], ids=lambda vector: vector.id)
def test_every_vector_falls_back_to_what_it_should(vector: Vector):
    services = evaluate(E164(vector.number), vector.records, name=vector.name).services
    looked_up = vector.wanted.get("dns") in (None, "NXDOMAIN")

    assert fallback(E164(vector.number), services, looked_up=looked_up) == vector.wanted["fallback"]


@pytest.mark.parametrize("vector", NUMBERS, ids=lambda vector: vector.id)
def test_every_vector_is_asked_for_by_the_name_it_should(vector: Vector):
    assert enum_domain(E164(vector.number), "e164.arpa") == vector.name


@pytest.mark.parametrize("suffix", ["family.example.org", ".family.example.org.", "family.example.org."])
def test_a_suffix_is_taken_with_and_without_its_dots(suffix):
    assert enum_domain(E164("+12"), suffix) == "2.1.family.example.org."


@pytest.mark.parametrize(
    ("regexp", "reason"),
    [
        ("!^.*$!sip:a@e.example!x", Reason.BAD_FLAG),
        ("!^.*$!sip:a@e.example!\\", Reason.BAD_FLAG),
        ("\\^.*$\\sip:a@e.example\\", Reason.BAD_DELIMITER),
        ("é^.*$ésip:a@e.exampleé", Reason.BAD_DELIMITER),
        ("!" + "a" * 255, Reason.TOO_LONG),
        ("!!", Reason.TOO_SHORT),
        ("!^.*$!sip:!", Reason.BAD_SIP),
        ("!^.*$!sip:a@!", Reason.BAD_SIP),
        ("!^.*$!sip:a@300.1.1.1!", Reason.BAD_SIP),
        ("!^.*$!sip:a@e.example:99999!", Reason.BAD_SIP),
        ("!^.*$!sip:a@[::1::2]!", Reason.BAD_SIP),
        ("!^.*$!sip:a@e.example#x!", Reason.NOT_ABSOLUTE),
        (r"!^(.*)$!sip:\0@e.example!", Reason.NOT_ABSOLUTE),
        ("!" + "(" * 41 + "." + ")" * 41 + "!sip:a@e.example!", Reason.TOO_COSTLY),
    ],
)
def test_a_bad_rule_is_dropped_and_the_next_one_used(regexp, reason):
    found = evaluate(NUMBER, [rule(regexp), rule("!^.*$!sip:ok@e.example!", preference=20)])

    assert [discard.reason for discard in found.discards] == [reason]
    assert [service.uri for service in found.services] == ["sip:ok@e.example"]


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("tel:7042", Reason.TEL_WITHOUT_CONTEXT),
        ("tel:+", Reason.BAD_TEL),
        ("tel:", Reason.BAD_TEL),
        ("tel:+44abc", Reason.BAD_TEL),
        ("tel:+44;m-x", Reason.TEL_MANDATORY),
    ],
)
def test_a_bad_tel_uri_is_dropped(uri, reason):
    found = evaluate(NUMBER, [rule(f"!^.*$!{uri}!", "E2U+voice:tel")])

    assert [discard.reason for discard in found.discards] == [reason]


def test_a_discard_tells_a_person_where_to_look():
    found = evaluate(NUMBER, [rule("!^+44!sip:a@e.example!")])

    assert found.discards[0].detail == "repeating an anchor is not defined at character 2"


def test_names_to_follow_are_told_once_each():
    records = [pointer("b.example."), pointer("B.example."), pointer("c.example.")]

    assert follow(records) == ("b.example.", "c.example.")
    assert evaluate(NUMBER, records).follow == ("b.example.", "c.example.")


def test_six_records_one_behind_the_other_are_a_loop():
    followed: Followed = tuple((f"n{i}.example.", (pointer(f"n{i + 1}.example."),)) for i in range(1, 6))

    found = evaluate(NUMBER, [pointer("n1.example.")], followed=followed)

    assert [(d.name, d.reason) for d in found.discards] == [("n5.example.", Reason.LOOP)]
    assert not found.follow


def test_a_record_that_points_to_many_names_is_followed_to_some():
    found = evaluate(NUMBER, [pointer(f"n{i}.example.") for i in range(MOST_NAMES + 3)])

    assert len(found.follow) == MOST_NAMES
    assert [discard.reason for discard in found.discards] == [Reason.TOO_MANY] * 3


def test_records_that_point_to_each_other_over_and_over_come_to_an_end():
    fan = tuple(pointer(f"n{i}.example.") for i in range(MOST_NAMES))

    found = evaluate(NUMBER, fan, followed=tuple((f"n{i}.example.", fan) for i in range(MOST_NAMES)))

    assert found.services == ()
    assert {discard.reason for discard in found.discards} == {Reason.LOOP, Reason.TOO_MANY}


def test_more_records_than_anybody_needs_are_not_looked_at():
    found = evaluate(NUMBER, [rule("!^.*$!sip:a@e.example!")] * (MOST_RECORDS + 2))

    assert len(found.services) == MOST_RECORDS
    assert [discard.reason for discard in found.discards] == [Reason.TOO_MANY] * 2


def test_costly_rules_share_one_budget():
    found = evaluate(NUMBER, [rule("!" + ".*" * 110 + "!sip:a@e.example!")] * 9)

    assert Reason.TOO_COSTLY in {discard.reason for discard in found.discards}
    assert found.services


@pytest.mark.parametrize(
    ("uri", "dialled"),
    [
        ("sip:a@e.example?Subject=x", "sip:a@e.example"),
        ("sip:a@e.example;method=REFER?Replaces=x", "sip:a@e.example"),
        ("sip:a@e.example;METHOD=BYE;transport=tls", "sip:a@e.example;transport=tls"),
        ("SIPS:A@E.Example", "sips:A@E.Example"),
        ("sip:a@[2001:db8::1]:5070;transport=tcp", "sip:a@[2001:db8::1]:5070;transport=tcp"),
        ("sip:e.example", "sip:e.example"),
    ],
)
def test_what_is_dialled_holds_nothing_that_would_write_our_request(uri, dialled):
    assert dialable([Service("sip", uri, 1, 1)]) == dialled


def test_mailboxes_and_unknown_services_are_not_dialled():
    records = [
        rule("!^.*$!sip:box@e.example!", "E2U+voicemsg:sip"),
        rule("!^.*$!sip:x@e.example!", "E2U+x-new:sip", preference=20),
        rule("!^.*$!mailto:a@e.example!", "E2U+email:mailto", preference=30),
    ]

    found = evaluate(NUMBER, records)

    assert len(found.services) == 3
    assert dialable(found.services) is None


def test_the_registry_holds_the_rows_of_its_date():
    assert len(enumservice.REGISTRY) == 41
    assert enumservice.REGISTRY["sip"] == {"sip", "sips"}


FIELDS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["u", "U", "", "s", "E2U+sip", "e2u+email:mailto+sip", "sip+E2U", "E2U+web:http", "E2U+P-x"]),
)
RULES = st.builds(
    lambda delimiter, ere, replacement, flag: f"{delimiter}{ere}{delimiter}{replacement}{delimiter}{flag}",
    st.sampled_from("!/z+0i\\"),
    st.one_of(st.sampled_from(["^.*$", "^(.*)$", r"^\+(44)?(.*)$", ".*" * 90, "44"]), st.text(max_size=30)),
    st.one_of(
        st.sampled_from(
            ["sip:\\1@e.example", "sip:a@h;method=BYE?x=y", "http://e.example/", "tel:\\1", "sip:a@b\r\nX: y"]
        ),
        st.text(max_size=40),
    ),
    st.sampled_from(["", "i", "x"]),
)
RECORDS = st.builds(
    NaptrRecord,
    order=st.integers(0, 65535),
    preference=st.integers(0, 65535),
    flags=FIELDS,
    services=FIELDS,
    regexp=st.one_of(FIELDS, RULES),
    replacement=st.sampled_from([".", "", "a.example.", "b.example.", "3.8.example."]),
)
SETS = st.lists(RECORDS, max_size=12).map(tuple)


@given(records=SETS, other=SETS)
def test_no_record_set_raises_or_yields_a_uri_outside_the_policy(records, other):
    found = evaluate(NUMBER, records, name="3.8.example.", followed=(("a.example.", other), ("b.example.", None)))
    dialled = dialable(found.services)

    for service in found.services:
        assert re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:[!$&-;=?-Z_a-z~%\[\]]*", service.uri)
        assert enumservice.fits(service.service, service.uri.partition(":")[0].lower())
        assert not enumservice.is_private(service.service)
    if dialled is not None:
        assert re.fullmatch(r"sips?:[^?#<>\"\s\\]+", dialled)
        assert ";method" not in dialled.lower()
    assert found.follow == ()
