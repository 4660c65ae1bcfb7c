# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""An emulated telephone is updated over the network by its owner, and leaves a version that does not do."""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.emulated import Emulated
from tests.lab.heard import LabError
from tests.lab.next_version import bundle, offered, version_of

pytestmark = pytest.mark.timeout(3600)

CONFIG = '[phone]\nname = "Oma"\nboard = "virtual"\n'
GOOD, BROKEN = "99.0.0", "99.1.0"
BROKEN_FILES = {
    "usr/lib/systemd/system/omafon.service.d/zz-broken.conf": "[Service]\nExecStart=\nExecStart=/usr/bin/false\n"
}
HOST = "10.0.2.2"
WRITTEN_WITHIN_S = 1500.0
JUDGED_WITHIN_S = 600.0


@pytest.fixture(scope="module")
def offers(image: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("offers")
    bundle(folder, image, GOOD)
    bundle(folder, image, BROKEN, BROKEN_FILES)
    with offered(folder) as port:
        yield port


@pytest.fixture(scope="module")
def computer(image: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulated]:
    computer = Emulated(tmp_path_factory.mktemp("computer"), image, {"omafon.toml": CONFIG})
    computer.puts_on_card("authorized_keys", computer.public_key)
    with computer:
        computer.answers_by_ssh()
        is_judged(computer)
        yield computer


def told(computer: Emulated) -> dict[str, Any]:
    """What `omafon update` says; nothing while nobody answers."""
    try:
        answer = computer.owner("update", "--json")
        return json.loads(answer.stdout) if answer.returncode == 0 else {}
    except (subprocess.TimeoutExpired, OSError, LabError):
        return {}


def is_judged(computer: Emulated) -> None:
    """It is up, the owner can log in, and this start was found good."""
    computer.until(lambda: "A_LEFT=3" in computer.tries("cat /boot/firmware/slots.txt")[1], "this start is judged")
    computer.until(lambda: bool(told(computer)), "the owner gets in")


def updates(computer: Emulated, port: int, version: str) -> str:
    """Let the owner install it; what their terminal says."""
    words = ["ssh", "-i", computer.key, "-p", str(computer.ssh_port), "-o", "StrictHostKeyChecking=no"]
    words += ["-o", f"UserKnownHostsFile={computer.folder / 'known'}", "-o", "LogLevel=ERROR", "phone@127.0.0.1"]
    words += ["update", f"http://{HOST}:{port}/omafon-{version}.raucb"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=WRITTEN_WITHIN_S, check=False)
    return f"{done.returncode}\n{done.stdout}{done.stderr}"


def test_an_update_runs_is_judged_and_stays(computer: Emulated, offers: int, image: Path):
    began = time.monotonic()

    said = updates(computer, offers, GOOD)

    print(said)
    print(f"installed after {time.monotonic() - began:.0f} s")
    assert f"{GOOD} follows {version_of(image)}" in said
    assert "the phone starts anew with it" in said
    computer.says("omafon: slot B")
    computer.until(
        lambda: (told(computer).get("last") or {}).get("stage") == "good", "it is good", within_s=JUDGED_WITHIN_S
    )
    print(f"good after {time.monotonic() - began:.0f} s")
    assert told(computer)["runs"] == GOOD
    assert computer.root("cat /boot/firmware/slots.txt") == "BOOT_A_LEFT=3\nBOOT_B_LEFT=3\nBOOT_ORDER=B A"
    assert 'name = "Oma"' in computer.root("cat /etc/omafon/phone.toml"), "what is the owner's came along"


def test_a_version_without_a_telephone_is_left_by_itself(computer: Emulated, offers: int):
    said = updates(computer, offers, BROKEN)

    assert "the phone starts anew with it" in said
    computer.says("omafon: slot A")
    computer.says("omafon: slot B", within_s=JUDGED_WITHIN_S)
    computer.until(
        lambda: (told(computer).get("last") or {}).get("stage") == "back", "it is back", within_s=JUDGED_WITHIN_S
    )
    last = told(computer)
    assert last["runs"] == GOOD
    assert last["last"]["version"] == BROKEN
    assert "no phone answers" in last["last"]["why"]


def test_an_older_version_is_refused(computer: Emulated, offers: int, image: Path, tmp_path: Path):
    older = bundle(tmp_path, image, "0.0.1")
    with offered(older.parent) as port:
        said = updates(computer, port, "0.0.1")

    assert said.startswith("1\n")
    assert f"the bundle is older than what runs: 0.0.1, and here is {GOOD}" in said
