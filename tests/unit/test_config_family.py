# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What the owner writes about the family: its port, the phone's own name, who keeps it, and a STUN server."""

import pytest

from omafon.config import ConfigError, parse, settings

UPDATE = """
[family]
name = "{name}"
[family.update]
zone = "example.org"
server = "192.0.2.53"
key_name = "oma"
{key}
"""
KEY = 'key_secret = "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0"'


def refusal(text: str) -> tuple[str, str]:
    with pytest.raises(ConfigError) as refused:
        parse(text)
    (problem,) = refused.value.problems
    return problem.what, problem.cure


def test_the_port_and_the_name_reach_the_telephone():
    made = settings(parse('[family]\nport = 5071\nname = "Oma.Example.org"'))

    assert (made.family_port, made.family_name) == (5071, "oma.example.org")


def test_nothing_written_is_the_usual_port_and_no_name():
    made = settings(parse(""))

    assert (made.family_port, made.family_name) == (5061, "")


@pytest.mark.parametrize("port", [0, -1, 65_536])
def test_a_port_that_is_none_is_refused(port: int):
    what, _ = refusal(f"[family]\nport = {port}")

    assert "family.port" in what


@pytest.mark.parametrize("name", ["oma example.org", "-.example.org", "oma..example.org"])
def test_a_name_that_is_none_is_refused(name: str):
    what, _ = refusal(f'[family]\nname = "{name}"')

    assert "family.name" in what


def test_an_update_with_all_it_needs_is_taken():
    config = parse(UPDATE.format(name="oma.example.org", key=KEY))

    assert config.family.update is not None
    assert config.family.update.zone == "example.org"


@pytest.mark.parametrize(
    ("name", "key", "what", "cure"),
    [
        ("oma.example.org", "", "has no key", "key_secret"),
        ("oma.example.org", f'{KEY}\nkey_credential = "oma-key"', "stands beside `key_secret`", "Keep one of the two."),
        ("", KEY, "has no name to update", 'name = "oma.example.org"'),
        ("oma.example.net", KEY, "does not hold oma.example.net", "Name the zone that does."),
    ],
)
def test_an_update_that_cannot_be_is_refused_with_what_is_missing(name: str, key: str, what: str, cure: str):
    said, cured = refusal(UPDATE.format(name=name, key=key))

    assert what in said
    assert cure in cured


@pytest.mark.parametrize(
    "server", ["", "stun.example.org", "stun.example.org:3478", "192.0.2.1:3478", "[2001:db8::1]:3478"]
)
def test_a_stun_server_is_a_host_with_or_without_a_port(server: str):
    assert parse(f'[sip]\nstun = "{server}"').sip.stun == server


@pytest.mark.parametrize(
    "server", ["stun:stun.example.org", "stun.example.org:0", "stun.example.org:70000", "stun example.org"]
)
def test_what_is_no_stun_server_is_refused_with_an_example(server: str):
    what, cure = refusal(f'[sip]\nstun = "{server}"')

    assert "is not a STUN server" in what
    assert '"stun.example.org:3478"' in cure
