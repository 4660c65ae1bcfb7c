# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What others must not read is in nothing that leaves the phone, however it is written."""

import base64
import hashlib
import io
import json
import logging
import re
import subprocess
import sys
import tarfile
from contextlib import redirect_stderr
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omafon import journal, redact
from omafon.config import Config, parse
from omafon.core.events import RegistrationChanged
from omafon.core.memory import Memory
from omafon.core.state import Phone
from omafon.doctor import Machine, bundle
from omafon.doctor.finding import note
from omafon.recording import Recorder
from omafon.redact import MARK, Redactor

SECRET = 's3cret"pass wörd/+'

WRITINGS = {
    "as it is": SECRET,
    "within a URI": quote(SECRET, safe=""),
    "within a path": quote(SECRET),
    "within a form": quote_plus(SECRET),
    "within a URI, in small letters": re.sub("%..", lambda octet: octet[0].lower(), quote(SECRET, safe="")),
    "within JSON": json.dumps(SECRET)[1:-1],
    "within JSON of all letters": json.dumps(SECRET, ensure_ascii=False)[1:-1],
    "within a repr": repr(SECRET)[1:-1],
    "within a repr of bytes": repr(SECRET.encode())[2:-1],
    "in hexadecimal": SECRET.encode().hex(),
    "in base64": base64.b64encode(SECRET.encode()).decode(),
    "behind a name in base64": base64.b64encode(f"oma:{SECRET}".encode()).decode()[6:-2],
    "as a digest": hashlib.md5(SECRET.encode()).hexdigest(),
}


@pytest.mark.parametrize("written", WRITINGS.values(), ids=WRITINGS)
def test_a_secret_is_known_however_it_is_written(written):
    assert written not in Redactor([SECRET])(f"before {written} behind")


def test_what_is_not_secret_stays():
    assert Redactor([SECRET])("line home: registered") == "line home: registered"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('password = "unknown"', f'password = "{MARK}"'),
        ("password='it is \"quoted\"'", f"password='{MARK}'"),
        ('{"key_secret": "c2VjcmV0"}', f'{{"key_secret": "{MARK}"}}'),
        ("psk=geheim12", f"psk={MARK}"),
        ('password = """two\nlines"""', f'password = "{MARK}"'),
        ('Authorization: Digest username="oma", response="0a1b"', f"Authorization: {MARK}"),
        ('response="0a1b2c", uri="sip:x"', f'response="{MARK}", uri="sip:x"'),
        ('password_credential = "line-home"', 'password_credential = "line-home"'),
        ("a stranger asked for the password; refused", "a stranger asked for the password; refused"),
    ],
)
def test_what_stands_where_secrets_stand_is_taken_for_one(text, said):
    assert Redactor()(text) == said


def test_a_short_secret_is_taken_out_where_it_stands_alone():
    assert Redactor(["17"])("17 of 1795, 'password' 17") == f"{MARK} of 1795, 'password' {MARK}"


def test_what_is_left_never_spells_a_secret_again():
    hide = Redactor(["••••", "abcd"])

    assert "••••" not in hide("abcdabcd•")


@pytest.mark.parametrize(
    "number",
    ["030/23 12-50 88", "(030) 23125088", "+49 30 23125088", "0049.30.23125088", "8.8.0.5.2.1.3.2.0.3.9.4.e164.arpa"],
)
def test_a_number_of_the_phone_book_is_cut_however_it_is_written(number):
    left = Redactor(numbers=["030/23 12-50 88"]).for_strangers(f"calls {number} now")

    assert sum(char.isdigit() for char in left) <= 7
    assert "…" in left


@pytest.mark.parametrize("text", ["2026-11-22T18:00:05+00:00", "192.168.178.20", "Linux 6.12.34", "00:00:05.123"])
def test_what_is_no_number_is_not_cut(text):
    assert Redactor(numbers=["+493023125088"]).for_strangers(text) == text


def test_nobody_sees_what_it_knows():
    assert repr(Redactor(["geheim"])) == "Redactor(1 secrets)"


# Every place a secret may be in, and everything that leaves the phone.

TOML = """\
[phone]
number = "+4930231250"

[[line]]
name = "home"
aor = "sip:oma@example.org"
password = {password}

[enum.publish]
zone = "family.example.org"
server = "192.0.2.53"
key_name = "oma"
key_secret = {key}
uri = "sip:oma@example.org"
"""


def the_owner(folder: Path, password: str, key: str) -> Config:
    file = folder / "phone.toml"
    text = TOML.format(
        password=json.dumps(password, ensure_ascii=False).replace("\x7f", "\\u007f"), key=json.dumps(key)
    )
    file.write_text(text)
    return parse(text)


PASSWORDS = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_categories=["Cc", "Cs", "Zs"]), min_size=6, max_size=30
).filter(lambda text: not set(text) <= set('",:{}[]\\'))
KEYS = st.binary(min_size=16, max_size=32).map(lambda octets: base64.b64encode(octets).decode())


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(PASSWORDS, KEYS, st.binary(max_size=3))
def test_no_secret_is_in_a_bundle_wherever_it_was(tmp_path_factory, password, key, before):
    folder = tmp_path_factory.mktemp("phone")
    the_owner(folder, password, key)
    secrets = (password, key)
    (folder / "credentials").mkdir()
    (folder / "credentials/wifi").write_text(password[::-1] + "\n")
    whole = base64.b64encode(before + password.encode() + b"end").decode()
    places = " ".join([password, key, quote(password, safe=""), repr(password), whole, password[::-1]])
    (folder / "generations/1").mkdir(parents=True)
    (folder / "generations/1/meta.json").write_text(json.dumps({"number": 1, "reason": places}))
    (folder / "hwtest.json").write_text(places)
    tools = folder / "tools"
    tools.mkdir()
    (tools / "said").write_text(f"mmc0: {places}\n")
    for tool in ("journalctl", "vcgencmd", "dmesg"):
        (tools / tool).write_text(f"#!/bin/sh\nexec /bin/cat {tools}/said\n")
        (tools / tool).chmod(0o755)
    machine = Machine(folder / "phone.toml", folder, folder, str(tools))

    packed = bundle.pack([note("phone", places)], folder / "control", machine)

    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        files = [archive.extractfile(member) for member in archive.getmembers()]
        text = "\n".join(file.read().decode() for file in files if file is not None)
    for secret in (*secrets, password[::-1]):
        assert secret not in text
        assert quote(secret, safe="") not in text
        assert json.dumps(secret)[1:-1] not in text
        assert base64.b64encode(secret.encode()).decode().rstrip("=") not in text


def test_the_same_facts_make_the_same_bundle(tmp_path):
    the_owner(tmp_path, "geheim", "c2VjcmV0IGtleSBvZiBvbWE=")
    machine = Machine(tmp_path / "phone.toml", tmp_path, tmp_path, "")
    findings = [note("phone", "is well")]

    first = bundle.pack(findings, tmp_path / "control", machine)
    # What the machine says of its load is a fact of its own.
    again = bundle.pack(findings, tmp_path / "control", machine)

    with tarfile.open(fileobj=io.BytesIO(first)) as one, tarfile.open(fileobj=io.BytesIO(again)) as other:
        assert one.getnames() == other.getnames() == sorted(one.getnames())
        assert {member.mtime for member in one.getmembers()} == {0}


def test_a_configuration_that_is_broken_keeps_its_secrets_too(tmp_path):
    (tmp_path / "phone.toml").write_text('[[line]\npassword = "geheim77"\nport = geheim77\n')
    machine = Machine(tmp_path / "phone.toml", tmp_path, tmp_path, "")

    packed = bundle.pack([note("config", "geheim77 is not understood")], tmp_path / "control", machine)

    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        files = [archive.extractfile(member) for member in archive.getmembers()]
        assert b"geheim77" not in b"".join(file.read() for file in files if file is not None)


@given(PASSWORDS, KEYS)
def test_no_repr_shows_a_secret(password, key):
    config = parse(TOML.format(password=json.dumps(password), key=json.dumps(key)))

    shown = repr(config) + str(config) + repr(redact.of(config, Path("/nowhere/phone.toml")))

    # A repr holds names too: those may be what a password is.
    assert key not in shown
    assert password not in shown or password in repr(parse(TOML.format(password='"x"', key=json.dumps(key))))


@given(PASSWORDS)
def test_no_log_line_shows_a_secret(password):
    stderr = io.StringIO()

    with redirect_stderr(stderr), journal.to_stderr(verbose=True, hide=Redactor([password]).for_strangers):
        logging.getLogger("omafon.test").warning("a provider echoes %s and %r", password, password)

    assert password not in stderr.getvalue()


def test_no_log_line_shows_a_whole_number_at_any_level():
    stderr = io.StringIO()

    with redirect_stderr(stderr), journal.to_stderr(verbose=True, hide=Redactor().for_strangers):
        log = logging.getLogger("omafon.test")
        log.debug("INVITE sip:+493023125088@example.org SIP/2.0")
        log.info("nothing proves 8.8.0.5.2.1.3.2.0.3.9.4.e164.arpa")

    assert "23125088" not in stderr.getvalue()
    assert "8.8.0.5.2.1.3" not in stderr.getvalue()


@given(PASSWORDS)
def test_no_recording_shows_a_secret(password):
    file = io.StringIO()
    recorder = Recorder(file, Memory(), Redactor([password]))

    recorder.record(RegistrationChanged("home", False, 403, f"not {password}", 0, None), 1.0, Phone())

    assert password not in file.getvalue()


CRASHES = """
import os, resource, sys
from omafon import redact

_, most = resource.getrlimit(resource.RLIMIT_CORE)
resource.setrlimit(resource.RLIMIT_CORE, (most, most))
os.chdir(sys.argv[1])
redact.keep_out_of_core_files()
secret = "".join(["canary", "-in-a-core"])
os.abort()
"""


def test_a_crash_leaves_no_memory_behind(tmp_path):
    subprocess.run([sys.executable, "-c", CRASHES, str(tmp_path)], check=False)

    assert list(tmp_path.iterdir()) == []
