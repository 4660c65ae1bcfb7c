# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Secrets that are looked for wherever a phone leaves traces, after a day with everything in it."""

import base64
import hashlib
import io
import json
import subprocess
import sys
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.lab.addresses import Addresses
from tests.lab.kamailio import Kamailio
from tests.lab.phone import Line, Phone, Setup
from tests.lab.town import Town

SIP = "canary-sip+pass/word"
KEY = base64.b64encode(b"canary of the zone's key").decode()
WIFI = "canary of the wi-fi"
PIN = "4711"
NUMBER = "03023125088"


def forms(secret: str) -> list[bytes]:
    written = [secret, quote(secret, safe=""), json.dumps(secret)[1:-1], secret.encode().hex()]
    written.append(base64.b64encode(secret.encode()).decode().rstrip("="))
    return [form.encode() for form in written]


@dataclass
class Traces:
    """What a phone left where."""

    left: dict[str, bytes] = field(default_factory=dict)

    def hold(self, octets: bytes) -> list[str]:
        """The places where `octets` are found."""
        return [place for place, content in self.left.items() if octets in content]


def ask(phone: Phone, *words: str) -> bytes:
    """What `omafon` prints when it is asked about `phone`."""
    command = [Path(sys.executable).with_name("omafon"), *words, "--control", phone.folder / "control"]
    done = subprocess.run(command, capture_output=True, check=False, cwd=phone.folder)
    return done.stdout + done.stderr


@pytest.fixture
def traces(tmp_path: Path, addresses: Addresses, exchange: Kamailio, town: Town) -> Traces:
    """Of a phone with a line that works and one whose password is wrong, after calls with a PIN and a whole number."""
    lines = [
        Line(exchange.address, "oma", exchange.users["oma"], "udp"),
        Line(exchange.address, "opa", SIP, "udp", name="wrong"),
    ]
    publish = {"zone": "x.org", "server": "127.0.0.1", "key_name": "oma", "uri": "sip:oma@x.org", "key_secret": KEY}
    more = {"phone": {"number": "+4930231250"}, "enum.publish": publish}
    traces = Traces()
    recording = tmp_path / "recording"
    setup = Setup(lines=lines, ca=exchange.ca, more=more)
    phone = Phone(tmp_path, addresses.fresh(), "oma", setup, record=recording, verbose=True)
    config = phone.folder / "phone.toml"
    config.write_text(f'{config.read_text()}\n[[wifi]]\nssid = "home"\npassword = "{WIFI}"\n')
    config.chmod(0o600)
    with phone:
        phone.until(
            lambda status: (
                [(line["registered"], line["status"]) for line in status["lines"]] == [(True, 200), (False, 401)]
            ),
            "registers one line of two",
        )
        bob = town.baresip("bob", line="udp")
        phone.dials(exchange.aor("bob"))
        bob.is_called()
        bob.answers()
        phone.is_in_a_call()
        phone.presses(*PIN)
        assert [bob.hears_dtmf() for _ in PIN] == list(PIN)
        phone.hangs_up()
        phone.is_idle()
        phone.dials(NUMBER)
        phone.until(lambda status: status["mode"] == "failed", "is told that there is no such number")
        phone.hangs_up()
        assert phone.program
        process = Path("/proc", str(phone.program.pid))
        doctor = ("doctor", "--config", str(config), "--state", str(phone.folder / "state"))
        bundle = ask(phone, *doctor, "--bundle", "-")
        with tarfile.open(fileobj=io.BytesIO(bundle)) as archive:
            for member in archive.getmembers():
                packed = archive.extractfile(member)
                assert packed is not None
                traces.left[f"bundle: {member.name}"] = packed.read()
        traces.left |= {
            "command line": (process / "cmdline").read_bytes(),
            "environment": (process / "environ").read_bytes(),
            "status": ask(phone, "status", "--json"),
            "screen": ask(phone, "screen", "--json"),
            "findings": ask(phone, *doctor),
            "findings as JSON": ask(phone, *doctor, "--json"),
            "what the control socket tells": json.dumps([phone.status, phone.ask("screen")]).encode(),
        }
        limits = (process / "limits").read_text()
        filtered = (process / "coredump_filter").read_text()
        phone.stops()
        assert phone.program
        traces.left["log"] = phone.program.log.read_bytes()
    traces.left["recording"] = recording.read_bytes()
    # A credential is where a secret belongs, and nobody but the phone may read it.
    kept = [file for file in (phone.folder / "state").rglob("*") if file.is_file()]
    assert all(file.stat().st_mode & 0o077 == 0 for file in kept)
    traces.left |= {f"state: {file.name}": file.read_bytes() for file in kept if file.parent.name != "credentials"}
    traces.left["errands"] = json.dumps(phone.errands.all()).encode()
    assert next(line for line in limits.splitlines() if line.startswith("Max core file size")).split()[4] == "0"
    assert int(filtered, 16) == 0
    return traces


def test_no_secret_is_left_anywhere_and_no_pin_and_no_whole_number_in_the_log(traces: Traces, exchange: Kamailio):
    for secret in (SIP, KEY, WIFI):
        for form in forms(secret):
            assert traces.hold(form) == []
    for realm in (exchange.address,):
        digest = hashlib.md5(f"opa:{realm}:{SIP}".encode()).hexdigest()
        assert traces.hold(digest.encode()) == []
    # The canaries sing where they may: what was looked through is what was meant.
    assert b"is ready" in traces.left["log"]
    assert b"CallAnswered" in traces.left["recording"]
    assert b'password = "\xe2\x80\xa2' in traces.left["bundle: omafon-report/phone.toml"]

    assert PIN.encode() not in traces.left["log"]
    digits = [json.loads(line).get("key") for line in traces.left["recording"].splitlines()]
    assert "".join(filter(None, digits)).count(PIN) == 0
    for number in (NUMBER, NUMBER[1:], "+49" + NUMBER[1:]):
        assert number.encode() not in traces.left["log"]
        assert not [place for place in traces.hold(number.encode()) if place.startswith("bundle")]


def test_a_call_is_few_lines_in_the_log(traces: Traces):
    lines = traces.left["log"].decode().splitlines()
    lifted = next(number for number, line in enumerate(lines) if "hook lifted" in line)
    replaced = next(number for number, line in enumerate(lines) if "hook replaced" in line)

    # Lifted, dialled, trying, ringing, answered, its voice, and hung up; a line more for each key.
    call = lines[lifted : replaced + 1]
    assert len(call) <= 7 + len(PIN)
    assert sum(map(len, call)) < 1200
