# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The identity of a telephone: made once, kept for its life, and nobody else's."""

import ssl
import stat
import subprocess
from pathlib import Path

import pytest

from omafon.identity import ID, IdentityBroken, fingerprint, identity


def test_a_phone_is_the_same_one_every_day(tmp_path: Path):
    first = identity(tmp_path)

    assert identity(tmp_path) == first
    assert ID.fullmatch(first.id)
    assert first.fingerprint == fingerprint(first.certificate)


def test_no_two_phones_are_the_same(tmp_path: Path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    a, b = identity(tmp_path / "a"), identity(tmp_path / "b")

    assert a.id != b.id
    assert a.fingerprint != b.fingerprint


def test_nobody_but_the_phone_reads_its_key(tmp_path: Path):
    file = identity(tmp_path).file

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_its_certificate_names_it_and_holds_for_a_hundred_years(tmp_path: Path):
    own = identity(tmp_path)
    asked = ["openssl", "x509", "-in", str(own.file), "-noout", "-subject", "-dates", "-text"]

    said = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=10).stdout

    assert own.id in said.splitlines()[0]
    assert "2020" in said
    assert "2120" in said
    assert "prime256v1" in said


def test_tls_takes_key_and_certificate_from_the_one_file(tmp_path: Path):
    file = identity(tmp_path).file

    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(file)


@pytest.mark.parametrize("content", [b"", b"omafon-0123456789abcdef\n", b"\xff\xfe", b"somebody\n-----BEGIN"])
def test_a_file_that_holds_no_identity_is_said_and_left_alone(tmp_path: Path, content: bytes):
    file = identity(tmp_path).file
    file.write_bytes(content)

    with pytest.raises(IdentityBroken, match="holds no identity"):
        identity(tmp_path)

    assert file.read_bytes() == content
