# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What a phone publishes of itself, and how its owner says so."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omafon.config import ConfigError, load, parse
from omafon.core.dialplan import E164
from omafon.core.publication import PublicationError, reads_as, records

NUMBER = E164("+4930123456")
GOOD = """
[phone]
number = "+49 30 123456"
[enum.publish]
zone = "family.example.org"
server = "192.0.2.53"
key_name = "oma-phone"
key_secret = "c2VjcmV0IG9mIG9tYQ=="
uri = "sip:oma@example.org"
"""
SECRET = "c2VjcmV0IG9mIG9tYQ=="


def test_what_is_published_is_what_a_client_reads():
    offers = {"sip": "sip:oma@example.org", "email:mailto": "mailto:oma@example.org", "web:https": "https://e.org/!x"}

    assert reads_as(NUMBER, records(offers)) == offers


def test_records_are_as_every_client_expects_them():
    first, second = records({"sip": "sip:oma@example.org", "web:https": "https://e.org/!x"})

    assert (first.order, first.preference, first.flags, first.services) == (100, 10, "u", "E2U+sip")
    assert (first.regexp, first.replacement) == ("!^.*$!sip:oma@example.org!", ".")
    assert (second.order, second.preference, second.regexp) == (100, 20, "|^.*$|https://e.org/!x|")


@given(service=st.sampled_from(["sip", "web:https", "x-new"]), tail=st.text(max_size=60))
def test_whatever_can_be_published_is_read_as_it_was_meant(service: str, tail: str):
    target = {"sip": "sip:a@", "web:https": "https://"}.get(service, "") + tail
    try:
        published = records({service: target})
    except PublicationError:
        return

    assert reads_as(NUMBER, published) == {service: target}


def problems(text: str) -> list[tuple[str, int | None]]:
    with pytest.raises(ConfigError) as refused:
        parse(text)
    return [(problem.what, problem.line) for problem in refused.value.problems]


@pytest.mark.parametrize(
    ("old", "new", "what", "line"),
    [
        ('number = "+49 30 123456"', "", "enum.publish has no number to publish", 4),
        ('"192.0.2.53"', '"ns.example.org"', 'enum.publish.server "ns.example.org" is not an address', 6),
        (f'key_secret = "{SECRET}"', "", "enum.publish has no key", 4),
        (SECRET, "my secret", "enum.publish.key_secret is not base 64", 8),
        ('"oma-phone"', '"oma phone"', "enum.publish.key_name is not the name of a key", 7),
        ('"sip:oma', '"oma', "enum.publish.uri is not a URI", 9),
        ('"sip:oma', '"mailto:oma', "enum.publish.uri is not a URI for sip", 9),
        ("oma@example", "o" * 250 + "@example", "enum.publish.uri is longer than a record can hold", 9),
        ("zone =", 'tree = "e164.arpa"\nzone =', "enum.publish.zone does not hold 6.5.4.3.2.1.0.3.9.4.e164.arpa", 6),
        ("zone =", "ttl_s = 5\nzone =", "enum.publish.ttl_s is out of range", 5),
        ("zone =", 'key_algorithm = "hmac-md5"\nzone =', 'enum.publish.key_algorithm "hmac-md5" is not known', 5),
        ("zone =", 'key_credential = "dns"\nzone =', "enum.publish.key_credential stands beside `key_secret`", 5),
        ("[phone]", '[phone]\ndigit_map = "(1|"', "phone.digit_map is not a digit map: an alternative without", 3),
    ],
)
def test_what_cannot_be_published_is_told_with_its_line(old: str, new: str, what: str, line: int):
    told = problems(GOOD.replace(old, new, 1))

    assert any(what in said and at == line for said, at in told), told
    assert not any(SECRET in said or "my secret" in said for said, _ in told)


@pytest.mark.parametrize(
    ("service", "uri", "what"),
    [
        ("sip", "sip:b@example.org", "is told by `uri` already"),
        ("email", "x", "is not a URI"),
        ("Email:mailto", "mailto:a@example.org", "is not an Enumservice"),
        ("p-x", "mailto:a@example.org", "in a private network only"),
        ("email:mailto", "https://example.org", "is not a URI for email:mailto"),
        ("email:mailto", "a b", "is not a URI"),
    ],
)
def test_what_is_no_service_is_told_with_its_line(service: str, uri: str, what: str):
    told = problems(f'{GOOD}[enum.publish.services]\n"{service}" = "{uri}"\n')

    assert any(what in said and at == 11 for said, at in told), told


def test_a_zone_may_be_a_part_of_the_tree_or_the_tree_a_part_of_the_zone():
    assert parse(GOOD.replace("zone =", 'tree = "enum.family.example.org"\nzone ='))
    assert parse(GOOD.replace('zone = "family.example.org"', 'tree = "e164.arpa."\nzone = "3.9.4.e164.arpa"'))


def test_an_unknown_key_beside_the_table_is_told_where_it_belongs():
    assert problems('[enum]\nkey_name = "x"\n') == [('unknown key "key_name"', 2)]


def test_the_key_is_read_from_the_credentials_of_the_service(tmp_path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "dns").write_text(SECRET + "\n")
    (tmp_path / "phone.toml").write_text(GOOD.replace(f'key_secret = "{SECRET}"', 'key_credential = "dns"'))
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))

    publish = load(tmp_path / "phone.toml").enum.publish

    assert publish is not None
    assert publish.key_secret == SECRET
    assert SECRET not in repr(publish)


@pytest.mark.parametrize(("content", "what"), [("no base 64!", "is not base 64"), (None, "not among the credentials")])
def test_a_credential_that_is_no_key_is_an_error(tmp_path, monkeypatch: pytest.MonkeyPatch, content, what):
    if content:
        (tmp_path / "dns").write_text(content)
    (tmp_path / "phone.toml").write_text(GOOD.replace(f'key_secret = "{SECRET}"', 'key_credential = "dns"'))
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))

    with pytest.raises(ConfigError, match=what) as refused:
        load(tmp_path / "phone.toml")

    assert refused.value.problems[0].line == 8
    assert "no base" not in str(refused.value)
