# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The telephone's root file system, made for this machine's processor, starts in a container; with --trial only.

Same recipe, packages and versions as the image; its kernel is this machine's, and its disk can be written.
"""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.card_image import Root
from tests.lab.nspawn import Machine
from tests.lab.owner import key

pytestmark = pytest.mark.timeout(120)

FIRST = '[phone]\nname = "Oma"\ncountry = "DE"\narea = "30"\nboard = "virtual"\n'
CARD = "/boot/firmware"
# There are no slots in a container, and so nothing to judge.
NO_SLOTS = "[Unit]\nConditionPathExists=/dev/mmcblk0\n"
CABLE = """\
ip link add name cable type veth peer name far
ip address add 192.0.2.2/24 dev cable
ip link set far up
ip link set cable up
ip route add default via 192.0.2.1
"""


@pytest.fixture(scope="module")
def owners_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return key(tmp_path_factory.mktemp("owner"), "owner")


@pytest.fixture(scope="module")
def machine(system: Root, owners_key: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Switched on with the owner's two files on its card."""
    files = {
        f"{CARD}/omafon.toml": (FIRST, 0o600),
        "/etc/systemd/system/omafon-judge.service.d/container.conf": (NO_SLOTS, 0o644),
        f"{CARD}/authorized_keys": (owners_key.with_suffix(".pub").read_text(), 0o600),
    }
    began = time.monotonic()
    with Machine(tmp_path_factory.mktemp("machine"), files, system=system.root) as machine:
        print(f"up after {time.monotonic() - began:.1f} s")
        machine.run("sh", "-ec", CABLE)
        yield machine


def test_the_owners_files_are_taken_over_and_gone(machine: Machine):
    machine.until(lambda: (machine.root / CARD[1:] / "omafon-result.txt").exists(), "the card is read", within_s=60.0)

    assert machine.run("cat", "/etc/omafon/phone.toml") == FIRST
    assert machine.run("ls", CARD).split() == ["omafon-result.txt"]


def test_the_owner_gets_in_by_key_and_applies_a_configuration(machine: Machine, owners_key: Path):
    # It takes over what stood on its card by beginning anew.
    machine.until(lambda: owner(machine, owners_key, "status").returncode == 0, "it answers its owner", within_s=30.0)
    status = owner(machine, owners_key, "status", "--json")
    applied = owner(machine, owners_key, "apply", typed=FIRST.replace("Oma", "Opa"))
    shell = owner(machine, owners_key, "sh", "-c", "id")

    assert json.loads(status.stdout)["config"]["refused"] is None
    assert applied.returncode == 0, applied.stdout + applied.stderr
    assert 'name = "Opa"' in machine.run("cat", "/etc/omafon/phone.toml")
    assert shell.returncode == 2


def test_the_firewall_lets_nothing_in_but_what_it_names(machine: Machine):
    # Whether it knows the telephone by its control group, only a machine with a kernel of its own tells (test_boot.py).
    assert "policy drop" in machine.run("nft", "list", "chain", "inet", "filter", "input")


def test_everything_that_should_run_runs(machine: Machine):
    assert machine.tries("systemctl", "--failed", "--no-legend", "--plain").stdout == ""
    assert machine.tries("systemctl", "is-system-running").stdout.strip() == "running"


def test_it_ends_and_starts_again_as_it_was(machine: Machine, owners_key: Path):
    before = machine.run("cat", "/etc/omafon/phone.toml")

    machine.halts()
    machine.boots()

    assert machine.run("cat", "/etc/omafon/phone.toml") == before
    machine.until(lambda: machine.tries("systemctl", "is-system-running").stdout.strip() == "running", "it is up")
    assert owner(machine, owners_key, "status").returncode == 0


def owner(machine: Machine, owners_key: Path, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    """What `ssh phone@…` answers."""
    options = ("BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR")
    command = [*machine.networked(), "ssh", "-F", "none", "-i", str(owners_key)]
    command += [word for option in options for word in ("-o", option)]
    return subprocess.run(
        [*command, "phone@127.0.0.1", *words], input=typed, capture_output=True, text=True, timeout=60.0, check=False
    )
