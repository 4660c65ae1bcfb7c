# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""An emulated telephone registers, is in a call with voice, loses its power in the middle of things, and forgets all.

Its voice goes through a loop-back sound card of its kernel, its calls over a cable to a registrar and a peer here.
"""

import base64
import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from omafon.sim.soundcard import RATE_HZ, tone
from tests.lab import loop_card
from tests.lab.baresip import Baresip
from tests.lab.cable import MAC, Cable
from tests.lab.certificates import Authority
from tests.lab.emulated import DATA_AT, Emulated
from tests.lab.heard import LabError
from tests.lab.kamailio import Kamailio

pytestmark = pytest.mark.timeout(1800)

# By cable, which is the way to everybody: the telephone names this address to others, not that of QEMU's network.
NETWORK = """\
[connection]
id=cable
type=ethernet
[ethernet]
mac-address={mac}
[ipv4]
method=manual
address1={there}/{prefix},{here}
route-metric=50
[ipv6]
method=disabled
"""
CONNECTIONS = "/etc/NetworkManager/system-connections"
OWN_HZ, FRIENDS_HZ = 440, 620
TOLERANCE_HZ = 10.0
SPOKEN_S = 12.0
REGISTERED_WITHIN_S = 180.0


@dataclass
class House:
    """The telephone of Oma in an emulated computer; the registrar and Opa are here."""

    computer: Emulated
    exchange: Kamailio
    friend: Baresip
    cable: Cable

    def configuration(self, name: str) -> str:
        """What the owner applies; `name` is shown on the display."""
        line = {"name": "home", "aor": self.exchange.aor("oma"), "auth_user": "oma", "password": "omapw"}
        line |= {"transport": "udp", "srtp": "off"}
        tables = {
            "phone": {"name": name, "language": "en", "board": "virtual"},
            "sip": {"srtp": "off"},
            "enum": {"trees": []},
            "audio": {"voice": loop_card.VOICE, "codecs": ["pcma"]},
        }
        text = "".join(
            f"[{table}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items())
            for table, keys in tables.items()
        )
        return text + "[[line]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in line.items())

    def status(self) -> dict[str, Any]:
        """What the telephone says of itself; nothing while it does not answer."""
        with suppress(LabError, OSError, subprocess.TimeoutExpired, ValueError):
            answer: dict[str, Any] = json.loads(self.computer.root("omafon status --json"))
            return answer
        return {}

    def is_registered(self) -> None:
        self.computer.until(
            lambda: any(line["registered"] for line in self.status().get("lines", ())),
            "the line is registered",
            within_s=REGISTERED_WITHIN_S,
        )

    def calls(self) -> None:
        """Oma calls Opa, who answers."""
        self.computer.root(f"omafon dial {self.friend.uri}")
        self.friend.is_in_a_call(within_s=60.0)
        self.computer.until(lambda: self.status().get("mode") == "in_call", "Oma is in the call", within_s=60.0)

    def starts(self) -> None:
        """On with the power, until it is whole: every service runs, nothing waits for anybody."""
        computer, cable = self.computer, self.cable
        computer.starts()
        computer.says("omafon: slot A")
        # Before the network and the telephone are: sound card and cable are plugged in.
        computer.until(lambda: answers(computer), "the lab is in")
        loop_card.fit(computer)
        network = NETWORK.format(mac=MAC, there=cable.there, prefix=cable.prefix, here=cable.here[0])
        text = base64.b64encode(network.encode()).decode()
        computer.root(f"umask 077; echo {text} | base64 -d > {CONNECTIONS}/cable.nmconnection")
        seconds = computer.answers_by_ssh()
        computer.until(lambda: state(computer) not in ("initializing", "starting", ""), "the system is up")
        print(f"SSH after {seconds:.0f} s, all of it after {computer.up_s:.0f} s")


def answers(computer: Emulated) -> bool:
    """Whether somebody is behind the lab's way in."""
    with suppress(LabError, OSError):
        return computer.tries("true")[0] == 0
    return False


def state(computer: Emulated) -> str:
    """What systemd says of the whole; empty while nobody answers."""
    with suppress(LabError, OSError):
        return computer.tries("systemctl is-system-running")[1].strip()
    return ""


@pytest.fixture(scope="module")
def house(image: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    with ExitStack() as open_:
        cable = open_.enter_context(Cable())
        registrar, friends = cable.here
        (folder / "exchange").mkdir()
        authority = Authority(folder)
        users = {"oma": "omapw", "opa": "opapw"}
        exchange = open_.enter_context(Kamailio(folder / "exchange", registrar, users, authority))
        friend = open_.enter_context(
            Baresip(folder, friends, "opa", registrar=registrar, password="opapw", answers="auto", codecs=("pcma",))
        )
        computer = Emulated(folder, image, cable=cable)
        house = House(computer, exchange, friend, cable)
        computer.puts_on_card("omafon.toml", house.configuration("Oma"))
        computer.puts_on_card("authorized_keys", computer.public_key)
        open_.callback(computer.cut)
        house.starts()
        yield house


def test_with_what_stood_on_its_card_it_registers(house: House):
    house.is_registered()

    assert house.exchange.contacts("oma") != []
    assert state(house.computer) == "running"


def test_both_hear_each_other(house: House):
    house.is_registered()
    house.calls()
    house.friend.card.play_mouth(tone(FRIENDS_HZ))

    heard_by_oma = loop_card.says_and_hears(house.computer, OWN_HZ, SPOKEN_S)
    end = house.friend.card.now()
    heard_by_opa = house.friend.card.ear(end - 3 * RATE_HZ, 2 * RATE_HZ)

    for pcm, rate_hz, expected in (
        (heard_by_oma, loop_card.RATE_HZ, FRIENDS_HZ),
        (heard_by_opa, RATE_HZ, OWN_HZ),
    ):
        found, lost = loop_card.frequency_hz(pcm, rate_hz), loop_card.gaps(pcm, rate_hz)
        print(f"{expected} Hz said, {found:.1f} Hz heard, {lost:.0%} of it silent")
        assert found == pytest.approx(expected, abs=TOLERANCE_HZ)
    house.computer.root("omafon hangup")
    house.friend.is_left(within_s=30.0)


def test_without_power_in_a_call_it_comes_back_whole(house: House):
    before = house.computer.root("cat /etc/omafon/phone.toml")
    house.calls()

    house.computer.cut()
    house.starts()

    assert house.computer.tries("systemctl --failed --no-legend --plain")[1] == ""
    assert house.computer.root("cat /etc/omafon/phone.toml") == before
    assert "ERROR" not in house.computer.root("cat /run/initramfs/fsck-data.log")
    house.is_registered()


def test_without_power_while_a_configuration_waits_it_goes_back_to_the_one_before(house: House):
    before = house.status()["config"]["generation"]
    applied = house.computer.owner("apply", "--confirm-within", "3600", given=house.configuration("Opa"))
    assert applied.returncode == 0, applied.stdout + applied.stderr
    assert 'name = "Opa"' in house.computer.root("cat /etc/omafon/phone.toml")

    house.computer.cut()
    house.starts()

    house.is_registered()
    assert house.computer.tries("test -e /etc/omafon/unconfirmed.json")[0] == 1
    assert 'name = "Oma"' in house.computer.root("cat /etc/omafon/phone.toml")
    assert house.status()["config"]["refused"] is None
    assert house.status()["config"]["generation"] >= before


def test_what_it_is_told_to_forget_is_gone_from_the_card(house: House, tmp_path: Path):
    keys = house.computer.root("cat /etc/ssh/ssh_host_ed25519_key.pub")
    house.computer.root("omafon factory-reset --yes > /dev/null 2>&1 &")

    house.computer.says("omafon: slot A")
    house.computer.answers_by_ssh()
    house.computer.until(lambda: state(house.computer) == "running", "it is up again")

    assert house.computer.root("cat /etc/ssh/ssh_host_ed25519_key.pub") != keys
    assert house.computer.tries("test -e /etc/omafon/authorized_keys")[0] == 1
    assert "line" not in house.computer.root("cat /etc/omafon/phone.toml")
    house.computer.root("sync")
    house.computer.cut()
    subprocess.run(
        ["debugfs", "-R", f"rdump / {tmp_path}", f"{house.computer.card}?offset={DATA_AT}"],
        check=True,
        capture_output=True,
    )
    kept = [file for file in tmp_path.rglob("*") if file.is_file() and not file.is_symlink()]
    assert any(file.name == "machine-id" for file in kept)
    assert [file for file in kept if b"omapw" in file.read_bytes()] == []
