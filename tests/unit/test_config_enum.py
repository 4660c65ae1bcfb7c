# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Name servers and anchors in `phone.toml`, and what the driver makes of them."""

from pathlib import Path

import dns.name
import pytest

from omafon import config
from omafon.config import ConfigError
from omafon.drivers.dns.anchors import ROOT, load_anchors
from omafon.interfaces import DriverError

SHA256 = "0123456789ABCDEF" * 4
DS = f"12345 13 2 {SHA256}"
KEY = "257 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4="  # RFC 8080 section 6.1
KEYS_DS = "3613 15 2 3aa5ab37efce57f737fc1627013fee07bdf241bd10f3b1964ab55c78e79a304b"


def problem_of(text: str) -> str:
    with pytest.raises(ConfigError) as refusal:
        config.parse(text)
    assert len(refusal.value.problems) == 1
    return str(refusal.value.problems[0])


@pytest.mark.parametrize(
    "server",
    [
        "192.0.2.1",
        "[2001:db8::1]:5353",
        "tls://192.0.2.1",
        "tls://192.0.2.1:8853#dns.example.net",
        "tls://[2001:db8::1]:853#dns.example.net",
        "tls://2001:db8::1#dns.example.net",
    ],
)
def test_a_name_server_is_reached_by_its_address_with_or_without_tls(server: str):
    assert config.parse(f'[enum]\nservers = ["{server}"]').enum.servers == (server,)


@pytest.mark.parametrize(
    "server",
    [
        "dns.example.net",
        "tls://dns.example.net",
        "tls://192.0.2.1#",
        "192.0.2.1#dns.example.net",
        "https://192.0.2.1/",
        "",
    ],
)
def test_a_name_server_without_an_address_is_refused_with_the_cure(server: str):
    assert "tls://192.0.2.1#dns.example.net" in problem_of(f'[enum]\nservers = ["{server}"]')


def test_servers_with_and_without_tls_are_not_mixed():
    said = problem_of('[enum]\nservers = ["192.0.2.1", "tls://192.0.2.1"]')

    assert said == "phone.toml, line 2: enum.servers mixes servers with and without TLS\n  Keep one kind."


@pytest.mark.parametrize(
    "anchor",
    [
        DS,
        f"DS {DS}",
        f"family.example.org. 3600 IN DS {DS}",
        f"12345 13 2 {SHA256[:32]} {SHA256[32:]}",
        f"; two of them\n{DS}\n{DS.replace('12345', '54321')}  ; the next one\n",
        f"DNSKEY {KEY}",
        f"family.example.org. IN DNSKEY {KEY}",
    ],
)
def test_an_anchor_is_written_as_zone_files_write_it(anchor: str):
    text = f"[enum]\ntrees = ['family.example.org']\n[enum.anchors]\n'family.example.org' = '''{anchor}'''"

    anchors = load_anchors(config.parse(text).enum.anchors)

    assert dns.name.from_text("family.example.org") in anchors


@pytest.mark.parametrize(
    "anchor", ["", "; nothing", "12345", "12345 13 2 0123", f"12345 13 9 {SHA256}", KEY, "family.key"]
)
def test_what_is_no_anchor_is_refused_with_the_cure(anchor: str):
    said = problem_of(f"[enum]\ntrees = ['family.example.org']\n[enum.anchors]\n'family.example.org' = '{anchor}'")

    assert 'enum.anchors."family.example.org" is not a DS record' in said
    assert "keymgr" in said


def test_an_anchor_belongs_to_a_tree_or_to_a_zone_above_it():
    anchors = "\n".join(f'"{zone}" = "{DS}"' for zone in (".", "org", "Family.Example.org."))
    config.parse(f'[enum]\ntrees = ["family.example.org"]\n[enum.anchors]\n{anchors}')

    said = problem_of(f'[enum]\ntrees = ["family.example.org"]\n[enum.anchors]\n"famly.example.org" = "{DS}"')

    assert 'is no zone of the trees\n  Did you mean "family.example.org"?' in said


def test_the_root_is_trusted_from_the_start_and_the_owner_may_name_another():
    ours, theirs = load_anchors({}), load_anchors({".": DS})

    assert [ds.to_text().upper() for ds in ours[dns.name.root]] == list(ROOT)
    assert [ds.key_tag for ds in theirs[dns.name.root]] == [12345]


def test_a_key_is_known_by_its_digest():
    (ds,) = load_anchors({"example.com": f"DNSKEY {KEY}"})[dns.name.from_text("example.com")]

    assert ds.to_text() == KEYS_DS


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("nothing", "No such file"),
        ("; empty\n", "is empty"),
        ("12345 13 2 zz\n", "is not understood"),
        (f"other.example. DS {DS}\n", "belongs to other.example."),
    ],
)
def test_a_file_that_holds_no_anchor_is_a_trouble_with_a_cure(tmp_path: Path, written: str, reason: str):
    path = tmp_path / "anchor"
    if written != "nothing":
        path.write_text(written)

    with pytest.raises(DriverError) as refusal:
        load_anchors({"family.example.org": str(path)})

    assert reason in refusal.value.what
    assert "DS record" in refusal.value.cure
