# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The image starts in an emulated computer, from U-Boot on, and is set up by what its owner put on the card."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.emulated import Emulated
from tests.lab.heard import LabError

pytestmark = pytest.mark.timeout(900)

# The owner's first configuration: nothing but what the phone is.
FIRST = """\
[phone]
name = "Oma"
country = "DE"
area = "30"
board = "virtual"
"""


@pytest.fixture(scope="module")
def computer(image: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulated]:
    """Switched on with the owner's two files on its card, up, and through with them."""
    computer = Emulated(tmp_path_factory.mktemp("computer"), image, {"omafon.toml": FIRST})
    computer.puts_on_card("authorized_keys", computer.public_key)
    with computer:
        computer.says(r"omafon: slot A")
        ssh_s = computer.answers_by_ssh()
        computer.until(lambda: _state(computer) not in ("initializing", "starting", ""), "the system is up")
        print(f"SSH after {ssh_s:.0f} s, all of it after {computer.up_s:.0f} s")
        yield computer


def test_everything_that_should_run_runs(computer: Emulated):
    assert computer.tries("systemctl --failed --no-legend --plain")[1] == ""
    assert _state(computer) == "running"
    assert "ordering cycle" not in computer.root("journalctl -b -o cat --no-pager _PID=1")


def test_the_owners_files_are_taken_over_and_gone(computer: Emulated):
    status = _status(computer)

    assert status["config"]["refused"] is None
    assert computer.root("cat /etc/omafon/phone.toml") == FIRST.strip()
    left = computer.root("ls /boot/firmware").split()
    assert "omafon-result.txt" in left
    assert not {"omafon.toml", "authorized_keys"} & set(left)


def test_the_owner_gets_in_by_key_and_only_to_the_telephone(computer: Emulated):
    assert computer.owner("status").returncode == 0
    assert computer.owner("sh", "-c", "id").returncode == 2


def test_a_configuration_is_applied_by_ssh(computer: Emulated):
    applied = computer.owner("apply", given=FIRST.replace("Oma", "Opa"))

    assert applied.returncode == 0, applied.stdout + applied.stderr
    assert 'name = "Opa"' in computer.root("cat /etc/omafon/phone.toml")


def test_nothing_listens_but_the_telephone_ssh_and_the_name_service(computer: Emulated):
    sockets = computer.root("ss -tulnpH")

    programs = set(re.findall(r'users:\(\("([\w-]+)"', sockets))
    # The clock asks, and hears its answers: its socket is no door.
    assert programs <= {"omafon", "sshd", "avahi-daemon", "systemd-timesyn"}
    assert {line.split()[4].rpartition(":")[2] for line in sockets.splitlines() if line.startswith("tcp")} <= {
        "22",
        "5060",
    }


def test_the_firewall_knows_the_telephone_by_its_service(computer: Emulated):
    assert '"system.slice/omafon.service"' in computer.root("nft list set inet filter omafon")
    assert "policy drop" in computer.root("nft list chain inet filter input")


def test_the_root_cannot_be_written_and_the_card_is_used_to_its_end(computer: Emulated):
    code, said = computer.tries("touch /usr/bin/mine")

    assert code != 0
    assert "Read-only file system" in said
    data_mb = int(computer.root("df --output=size --block-size=1M /data | tail -n 1"))
    assert data_mb > 1500, "a card of 4 GB leaves more than 1.5 GB"


def test_the_telephone_has_its_own_name_key_and_number(computer: Emulated):
    assert re.fullmatch(r"omafon-[0-9a-f]{4}", computer.root("hostname"))
    assert computer.root("cat /data/etc/hostname") == computer.root("hostname")
    assert computer.root("cat /data/etc/machine-id") == computer.root("cat /etc/machine-id")
    assert computer.root("ls /data/ssh").split() == ["ssh_host_ed25519_key", "ssh_host_ed25519_key.pub"]


def test_after_a_power_cut_it_is_what_it_was(computer: Emulated):
    before = {
        file: computer.root(f"cat {file}") for file in ("/etc/machine-id", "/etc/hostname", "/etc/omafon/phone.toml")
    }
    keys = computer.root("cat /etc/ssh/ssh_host_ed25519_key.pub")
    computer.root("sync")

    computer.cut()
    slots = computer.on_card("slots.txt")
    computer.starts()
    computer.answers_by_ssh()
    computer.until(lambda: _state(computer) == "running", "the system is up again")

    assert slots is not None
    assert slots.startswith("BOOT_A_LEFT=")
    assert {file: computer.root(f"cat {file}") for file in before} == before
    assert computer.root("cat /etc/ssh/ssh_host_ed25519_key.pub") == keys
    assert computer.owner("status").returncode == 0


def _status(computer: Emulated) -> dict[str, Any]:
    return json.loads(computer.owner("status", "--json").stdout)


def _state(computer: Emulated) -> str:
    """What systemd says of the whole; empty while nobody answers."""
    try:
        return computer.tries("systemctl is-system-running")[1].strip()
    except (OSError, LabError):
        return ""
