# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The computer around the telephone, by its own units: a card sets it up, and a factory reset makes it forget."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from omafon.client import Client
from tests.lab.nspawn import OMAFON, Machine
from tests.lab.owner import key

CARD = "/boot/firmware"
NETWORKS = "/etc/NetworkManager/system-connections"
PASSWORD = "kanarienvogel-4417"
GOOD = f"""\
[phone]
name = "Canary Street"
board = "virtual"
language = "en"
[audio]
voice = "null"
[enum]
trees = []
[[contact]]
name = "Neighbour Canary"
number = "+4930990441"
[[wifi]]
ssid = "Canary-Net"
password = "{PASSWORD}"
"""
BROKEN = GOOD.replace("[audio]", "[adio]")
CANARIES = (PASSWORD, "+4930990441", "Canary Street", "Neighbour Canary", "Canary-Net")

# The machine has no network: this is one, with nobody in it.
CABLE = """\
[Service]
ExecStartPre=+ip address replace 192.0.2.7/24 dev lo
ExecStartPre=+ip route replace default dev lo src 192.0.2.7
"""
PLUGGED_IN = {"/etc/systemd/system/omafon.service.d/cable.conf": (CABLE, 0o644)}


def looked_at_the_card(machine: Machine) -> None:
    """Back when the phone is done with it: that goes on when everything has started."""
    unit = "omafon-first-boot.service"
    machine.until(
        lambda: machine.property(unit, "ActiveState") in ("inactive", "failed"), "the card is done with", within_s=30.0
    )


def shows(machine: Machine) -> list[str]:
    with Client(machine.root / "run/omafon/control") as phone:
        rows: list[str] = phone.ask("screen")["rows"]
    return rows


def on_the_card(machine: Machine) -> list[str]:
    return machine.run("ls", CARD).split()


def read_result(machine: Machine) -> str:
    return machine.run("cat", f"{CARD}/omafon-result.txt")


def test_a_broken_card_is_refused_with_its_line_and_a_corrected_one_makes_a_phone(tmp_path: Path):
    public = key(tmp_path, "owner").with_suffix(".pub").read_text()
    card = {f"{CARD}/omafon.toml": (BROKEN, 0o644), f"{CARD}/authorized_keys": (public, 0o644)}
    with Machine(tmp_path, {**card, **PLUGGED_IN}) as machine:
        looked_at_the_card(machine)
        told = read_result(machine)

        assert "line 5: unknown" in told
        assert 'Did you mean "audio"?' in told
        assert PASSWORD not in told
        assert shows(machine)[:3] == ["Card refused", "Error in line 5", "omafon.toml"]
        assert on_the_card(machine) == ["omafon-result.txt", "omafon.toml"]
        assert machine.run("runuser", "--user=phone", "--", "cat", "/etc/omafon/authorized_keys") == public

        machine.run("tee", f"{CARD}/omafon.toml", typed=GOOD.replace("\n", "\r\n"))
        machine.halts()
        machine.boots()
        looked_at_the_card(machine)

        assert "taken over" in read_result(machine)
        assert on_the_card(machine) == ["omafon-result.txt"]
        assert shows(machine)[0] == "Set up"
        assert PASSWORD not in machine.run("cat", "/etc/omafon/phone.toml")
        assert PASSWORD in machine.run("sh", "-c", f"cat {NETWORKS}/omafon-*.nmconnection")
        assert PASSWORD not in machine.run("journalctl", "--no-pager", "--all")


@pytest.fixture
def owned(tmp_path: Path) -> Iterator[Machine]:
    """A machine that somebody has made theirs."""
    with Machine(tmp_path, PLUGGED_IN) as machine:
        machine.run("mkdir", "-p", CARD)
        machine.run("runuser", "--user=phone", "--", OMAFON, "apply", "--offline", "-", typed=GOOD)
        machine.run("systemctl", "restart", "omafon.service")
        machine.until(lambda: "omafon-" in machine.run("ls", NETWORKS), "the network is set up")
        yield machine


# The keypad asks as the daemon, which may ask and no more; from afar its owner does.
AT_THE_KEYPAD = ("omafon", "touch", "/run/omafon-requests/factory-reset")
FROM_AFAR = ("phone", OMAFON, "factory-reset", "--yes")


@pytest.mark.parametrize("way", [AT_THE_KEYPAD, FROM_AFAR], ids=["at the keypad", "from afar"])
def test_a_factory_reset_leaves_nothing_of_the_owners_and_a_phone_that_works(owned: Machine, way: tuple[str, ...]):
    user, *command = way
    before = owned.run("cat", "/etc/ssh/ssh_host_ed25519_key.pub")

    owned.run("runuser", f"--user={user}", "--", *command)
    owned.reboots_itself()

    places = ["/etc/omafon", NETWORKS, "/var/lib/omafon", "/var/log/journal", "/run/log/journal", CARD]
    patterns = [word for canary in CANARIES for word in ("-e", canary)]
    assert owned.tries("grep", "-r", "-l", "-a", "-F", *patterns, *places).stdout == ""
    assert owned.run("cat", "/etc/ssh/ssh_host_ed25519_key.pub") != before
    assert not (owned.root / "var/lib/omafon-reset").exists()
    with Client(owned.root / "run/omafon/control") as phone:
        assert phone.ask("status")["name"] != "Canary Street"
