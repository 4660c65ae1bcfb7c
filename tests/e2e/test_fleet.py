# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Many phones: the Ansible collection against real telephones, each with a system and an sshd of its own."""

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.lab.heard import LabError
from tests.lab.nspawn import REPOSITORY, Machine
from tests.lab.owner import Owner, ended
from tests.lab.program import needs

COLLECTION = REPOSITORY / "systemd/ansible/ansible_collections/omafon/phone"
NAMES = ("reception", "kitchen", "workshop")
CANARY = "kaNaRienvogel-7431"

HAND_WRITTEN = """\
[phone]
board = "virtual"
language = "en"
[sip]
address = "127.0.0.1"
[enum]
trees = []
[audio]
voice = "null"
"""

TEMPLATE = """\
[phone]
name = {{ phone_name | to_json }}
board = "virtual"
language = "en"
number = "+4930123456"
country = {{ phone_country | default('DE') | to_json }}
[sip]
address = "127.0.0.1"
[enum]
trees = []
servers = ["127.0.0.1"]
[enum.publish]
zone = "example.org"
server = "127.0.0.1"
key_name = "phone"
key_secret = {{ vault_secrets[inventory_hostname] | b64encode | to_json }}
uri = "sip:phone@example.org"
[audio]
voice = "null"
"""


class Fleet:
    """Phones by name, and the controller from which Ansible reaches them."""

    def __init__(self, folder: Path, owners: dict[str, Owner]) -> None:
        self.folder = folder
        self.owners = owners
        (folder / "templates").mkdir()
        (folder / "templates" / "phone.toml.j2").write_text(TEMPLATE)
        (folder / "vault-password").write_text("a password of the vault\n")
        self._encrypts({"vault_secrets": {name: f"{CANARY}-{name}" for name in owners}})
        self.is_wanted({})

    def is_wanted(self, variables: dict[str, dict[str, str]]) -> None:
        """Write the inventory, in which each phone has these variables besides its address."""
        hosts = {
            name: {
                # Each phone is the one 127.0.0.1 of its own network; the connections that Ansible keeps need names.
                "ansible_host": f"127.0.0.{number}",
                "ansible_ssh_executable": str(self._ssh(name)),
                "ansible_ssh_private_key_file": str(owner.key),
                "phone_name": name,
                **variables.get(name, {}),
            }
            for number, (name, owner) in enumerate(self.owners.items(), start=1)
        }
        common = {"ansible_user": "phone", "ansible_ssh_common_args": "-F none -o LogLevel=ERROR"}
        phones = {"phones": {"hosts": hosts, "vars": common}}
        # JSON is YAML.
        (self.folder / "inventory.yml").write_text(json.dumps(phones))

    def plays(self, *options: str, playbook: str = "omafon.phone.apply") -> subprocess.CompletedProcess[str]:
        program = Path(sys.executable).with_name("ansible-playbook")
        if not program.exists():
            raise LabError("ansible-core is missing: run ./dev test")
        environment = {
            "HOME": str(self.folder),
            "PATH": f"{program.parent}:/usr/bin:/bin:/usr/sbin",
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_HOME": str(self.folder / "ansible"),
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTION.parents[2]),
            "ANSIBLE_VAULT_PASSWORD_FILE": str(self.folder / "vault-password"),
            "ANSIBLE_SSH_RETRIES": "0",
        }
        command = [str(program), "-i", "inventory.yml", "-e", "@vault.yml", *options, playbook]
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=100, check=False
        )

    def names(self) -> dict[str, str]:
        """What the phones call themselves."""
        return {name: owner.learns("status")["name"] for name, owner in self.owners.items()}

    def history(self, name: str) -> dict[str, Any]:
        told: dict[str, Any] = self.owners[name].learns("history")
        return told

    def _ssh(self, name: str) -> Path:
        owner = self.owners[name]
        hosts = ["-o", f"UserKnownHostsFile={owner.known_hosts}", "-o", "HostKeyAlias=127.0.0.1"]
        script = self.folder / f"ssh-{name}"
        words = shlex.join([*owner.machine.networked(), needs("ssh", "openssh-client"), *hosts])
        script.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
        script.chmod(0o755)
        return script

    def _encrypts(self, variables: dict[str, Any]) -> None:
        (self.folder / "vault.yml").write_text(json.dumps(variables))
        vault = Path(sys.executable).with_name("ansible-vault")
        subprocess.run(
            [vault, "encrypt", "--vault-password-file", "vault-password", "vault.yml"],
            cwd=self.folder,
            env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin", "HOME": str(self.folder)},
            check=True,
            capture_output=True,
        )


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with ExitStack() as running:
        owners = {}
        for name in NAMES:
            folder = tmp_path_factory.mktemp(name)
            phone = {"/etc/omafon/phone.toml": (HAND_WRITTEN, 0o644)}
            owners[name] = Owner(running.enter_context(Machine(folder, phone, name)), folder)
        yield Fleet(tmp_path_factory.mktemp("controller"), owners)


def test_check_mode_tells_the_difference_and_changes_nothing(fleet: Fleet):
    before = fleet.names()

    played = fleet.plays("--check", "--diff")

    assert played.returncode == 0, played.stdout + played.stderr
    assert '+name = "workshop"' in played.stdout
    assert played.stdout.count("changed=1") == 3
    assert fleet.names() == before
    assert fleet.history("reception")["generations"] == []
    assert CANARY not in played.stdout + played.stderr


def test_a_phone_that_refuses_its_file_stops_the_roll_out_before_the_next_one(fleet: Fleet):
    fleet.is_wanted({"kitchen": {"phone_country": "Atlantis"}})

    played = fleet.plays()

    assert played.returncode != 0
    assert "country" in played.stdout
    assert fleet.names() == {"reception": "reception", "kitchen": "", "workshop": ""}
    assert [meta["outcome"] for meta in fleet.history("reception")["generations"]][-1] == "confirmed"
    assert fleet.history("reception")["waiting"] is None
    assert fleet.history("workshop")["generations"] == []
    assert CANARY not in played.stdout + played.stderr


def test_all_phones_take_their_files_one_after_the_other(fleet: Fleet):
    fleet.is_wanted({})

    played = fleet.plays("-vvv")

    assert played.returncode == 0, played.stdout + played.stderr
    assert fleet.names() == {name: name for name in NAMES}
    assert fleet.history("workshop")["waiting"] is None
    # Even at Ansible's most talkative no secret is told.
    assert CANARY not in played.stdout + played.stderr


def test_what_is_in_force_already_is_not_applied_again(fleet: Fleet):
    fleet.plays()

    again = fleet.plays()

    assert again.stdout.count("changed=0") == 3
    assert "changed=1" not in again.stdout


def test_a_phone_that_is_away_stops_the_roll_out(fleet: Fleet):
    before = fleet.names()
    changed = {name: {"phone_name": f"new {name}"} for name in NAMES}
    # Nobody listens there.
    changed["reception"]["ansible_port"] = "9"
    fleet.is_wanted(changed)

    played = fleet.plays()

    assert played.returncode != 0
    assert "Connection refused" in played.stdout
    assert fleet.names() == before


def test_the_documentation_is_there_for_ansible(fleet: Fleet):
    words = [str(Path(sys.executable).with_name("ansible-doc")), "omafon.phone.apply", "omafon.phone.status"]

    told = ended(["env", f"ANSIBLE_COLLECTIONS_PATH={COLLECTION.parents[2]}", "LC_ALL=C.UTF-8", *words])

    assert told.returncode == 0, told.stderr
    assert "confirm_within" in told.stdout
