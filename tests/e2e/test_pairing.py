# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Two telephones find each other by multicast DNS and become a family; others in the network do not."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from omafon.core.events import PairingFailure
from omafon.drivers.lan import LanPairing
from omafon.identity import identity
from omafon.pairing.protocol import Role
from tests.lab.addresses import Addresses
from tests.lab.pairing import End, Intruder
from tests.lab.phone import Phone, Setup

OMAFON = Path(sys.executable).with_name("omafon")


@pytest.fixture
def ends(tmp_path: Path, addresses: Addresses) -> Iterator[tuple[End, End]]:
    with End(tmp_path, addresses.fresh(), "Oma") as oma, End(tmp_path, addresses.fresh(), "Opa") as opa:
        yield oma, opa


def sockets_at(address: str) -> int:
    """How many TCP sockets listen at an IPv4 address."""
    octets = "".join(f"{octet:02X}" for octet in reversed(socket.inet_aton(address)))
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return sum(line.split()[1].startswith(octets) and line.split()[3] == "0A" for line in lines)


def test_both_show_the_same_digits_and_know_each_other_after_two_yes(ends: tuple[End, End]):
    oma, opa = ends
    for end in ends:
        end.begins()
    assert oma.shows() == opa.shows()
    assert sockets_at(oma.address) == sockets_at(opa.address) == 0, "it listens although the other one is found"

    oma.says_yes()
    opa.says_yes()
    opas, omas = oma.is_paired_with(), opa.is_paired_with()

    for member, end in ((omas, oma), (opas, opa)):
        own = identity(end.state)
        assert (member.id, member.name, member.certificate) == (own.id, end.name, own.fingerprint)
        assert [address.host for address in member.addresses] == [end.address]


def test_one_yes_is_not_enough_and_a_no_is_heard_at_the_other_end(ends: tuple[End, End]):
    oma, opa = ends
    for end in ends:
        end.begins()
    assert oma.shows() == opa.shows()

    oma.says_yes()
    opa.gives_up()

    assert oma.fails() is PairingFailure.REFUSED


def test_after_a_failure_they_try_again_and_have_other_digits(ends: tuple[End, End]):
    oma, opa = ends
    for end in ends:
        end.begins()
    first = oma.shows()
    opa.shows()
    opa.gives_up()
    oma.fails()

    for end in ends:
        end.begins()
    second = oma.shows()

    assert second == opa.shows()
    assert second != first


def test_who_dies_in_the_middle_is_missed(ends: tuple[End, End], tmp_path: Path, addresses: Addresses):
    oma, _ = ends
    oma.begins()

    Intruder(addresses.fresh()).meets(role=Role.CALLER)
    oma.shows()

    assert oma.fails() is PairingFailure.LOST


@pytest.mark.parametrize("roles", [(Role.LISTENER, Role.CALLER), (Role.CALLER, Role.LISTENER)])
def test_who_puts_itself_in_between_makes_the_digits_differ(
    ends: tuple[End, End], addresses: Addresses, roles: tuple[Role, Role]
):
    intruder, shown = Intruder(addresses.fresh()), []
    for end, role in zip(ends, roles, strict=True):
        # Each is met while the other one is not to be found.
        end.begins()
        known = intruder.meets(role=role)
        shown.append(end.shows())
        assert shown[-1] == known

    assert shown[0] != shown[1]
    # Whose digits differ says no, and nobody is told who they are.
    for end in ends:
        end.gives_up()


def test_garbage_and_silence_at_the_door_keep_nobody_from_being_paired(ends: tuple[End, End]):
    oma, opa = ends
    oma.begins()
    threads = threading.active_count()
    door = port_of(oma.address)
    with ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(socket.create_connection((oma.address, door), timeout=5))
        for garbage in (b"GET / HTTP/1.1\r\n\r\n", os.urandom(4000), b"\x00\x01\x01", b"\x00\x21\x03" + bytes(32)):
            rude = stack.enter_context(socket.create_connection((oma.address, door), timeout=5))
            rude.sendall(garbage)
        opa.begins()

        assert oma.shows() == opa.shows()
    assert threading.active_count() <= threads + 1


def port_of(address: str) -> int:
    octets = "".join(f"{octet:02X}" for octet in reversed(socket.inet_aton(address)))
    deadline = threading.Event()
    for _ in range(500):
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            words = line.split()
            if words[1].startswith(octets) and words[3] == "0A":
                return int(words[1].partition(":")[2], 16)
        deadline.wait(0.01)
    raise AssertionError(f"nobody listens at {address}")


def test_a_phone_that_wants_nothing_listens_to_nobody(tmp_path: Path, addresses: Addresses):
    address = addresses.fresh()
    driver = LanPairing(lambda _: None, tmp_path, address)
    driver.open()

    assert sockets_at(address) == 0
    assert not (tmp_path / "identity").exists()
    driver.close()


def test_without_a_network_it_says_so(tmp_path: Path):
    script = (
        "import sys, queue; from pathlib import Path; from omafon.drivers.lan import LanPairing;"
        "from omafon.core.screen import PairingWish; said = queue.Queue();"
        "driver = LanPairing(said.put, Path(sys.argv[1])); driver.pair(PairingWish(1, 'Oma', ''));"
        "print(said.get(timeout=10).failure); driver.close()"
    )
    lonely = ["unshare", "--net", sys.executable, "-c", script, str(tmp_path)]

    ended = subprocess.run(lonely, capture_output=True, text=True, timeout=20, check=True)

    assert ended.stdout == "no-network\n"


# Whole telephones.


def omafon(*words: object, answer: str = "") -> subprocess.CompletedProcess[str]:
    asked = [str(word) for word in (OMAFON, *words)]
    return subprocess.run(asked, input=answer, capture_output=True, text=True, timeout=20, check=False)


def owners(*phones: Phone, answers: tuple[str, ...] = ("yes\n", "yes\n"), options: tuple[str, ...] = ()):
    """What `omafon pair` says to the owner of each, who begin at the same time."""
    ended: dict[str, subprocess.CompletedProcess[str]] = {}

    def ask(phone: Phone, answer: str) -> None:
        ended[phone.name] = omafon("pair", *options, "--control", phone.folder / "control", answer=answer)

    threads = [threading.Thread(target=ask, args=pair) for pair in zip(phones, answers, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return tuple(ended[phone.name] for phone in phones)


def family(phone: Phone) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(
        omafon("family", "--json", "--control", phone.folder / "control").stdout
    )
    return found


@pytest.fixture
def phones(tmp_path: Path, addresses: Addresses) -> Iterator[tuple[Phone, Phone]]:
    with (
        Phone(tmp_path, addresses.fresh(), "Oma", Setup(has_card=False)) as oma,
        Phone(tmp_path, addresses.fresh(), "Opa", Setup(has_card=False)) as opa,
    ):
        yield oma, opa


def test_owners_pair_two_phones_from_afar_and_part_them_again(phones: tuple[Phone, Phone]):
    oma, opa = phones

    first, second = owners(oma, opa)

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert first.stderr == second.stderr, "they were shown different digits"
    assert "Paired with Opa." in first.stdout
    assert [member["name"] for member in family(oma)] == ["Opa"]
    assert [member["name"] for member in family(opa)] == ["Oma"]

    parted = omafon("family", "remove", "Opa", "--control", oma.folder / "control")
    assert parted.returncode == 0
    assert family(oma) == []
    assert omafon("family", "remove", "Opa", "--control", oma.folder / "control").returncode == 1


def test_a_no_at_one_of_them_and_neither_knows_the_other(phones: tuple[Phone, Phone]):
    oma, opa = phones

    first, second = owners(oma, opa, answers=("yes\n", "no\n"))

    assert (first.returncode, second.returncode) == (1, 1)
    assert "the other phone stopped" in first.stderr
    assert "were not the same" in second.stderr
    assert family(oma) == family(opa) == []


def test_keys_pair_two_phones_and_the_family_outlives_a_restart(phones: tuple[Phone, Phone]):
    oma, opa = phones
    for phone in phones:
        phone.presses(*"*#3#")
    for phone in phones:
        phone.until(lambda s: (s["pairing"] or {}).get("stage") == "comparing", "shows digits")
    assert oma.screen().splitlines()[1] == opa.screen().splitlines()[1]

    for phone in phones:
        phone.presses("#")
    for phone in phones:
        phone.until(lambda s: (s["pairing"] or {}).get("stage") == "done", "is paired")
    assert "Paired with" in oma.screen()
    oma.stops()
    oma.close()
    oma.starts()

    assert [member["name"] for member in family(oma)] == ["Opa"]


def test_two_cards_are_a_pair_before_they_are_first_switched_on(tmp_path: Path):
    for name, number in (("Oma", "+4930123456"), ("Opa", "+4930654321")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "phone.toml").write_text(f'[phone]\nname = "{name}"\nnumber = "{number}"\n')

    made = omafon("pair", "--offline", tmp_path / "Oma", tmp_path / "Opa", "--json")

    assert made.returncode == 0, made.stderr
    remembered = json.loads((tmp_path / "Oma" / "memory.json").read_text())["family"][0]
    own = identity(tmp_path / "Opa")
    assert remembered["certificate"] == own.fingerprint
    assert (remembered["id"], remembered["name"], remembered["number"]) == (own.id, "Opa", "+4930654321")
    assert omafon("pair", "--offline", tmp_path / "Oma", tmp_path / "Oma").returncode == 2


# A cable from one phone to the other, and nothing else: both have only the addresses they made themselves.
CABLE = """
    trap 'kill $(jobs -p)' EXIT
    ip link set lo up
    unshare --net sleep 60 & far=$!
    until [ "$(readlink /proc/$far/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do read -t 0.05 _ <> <(:) || :; done
    ip link add here type veth peer name there netns $far
    ip link set here up
    there() { nsenter --net=/proc/$far/ns/net "$@"; }
    there ip link set lo up
    there ip link set there up
    until ! ip -6 addr show dev here tentative | grep -q fe80; do read -t 0.05 _ <> <(:) || :; done
    until ip -6 addr show dev here | grep -q fe80; do read -t 0.05 _ <> <(:) || :; done
    until ! there ip -6 addr show dev there tentative | grep -q fe80; do read -t 0.05 _ <> <(:) || :; done
    OMAFON run --board virtual --config oma.toml --state oma --control oma.control 2> oma.log &
    oma=$!
    nsenter --net=/proc/$far/ns/net \\
        OMAFON run --board virtual --config opa.toml --state opa --control opa.control 2> opa.log &
    opa=$!
    for phone in oma opa; do
        until grep -q "is ready" $phone.log; do kill -0 $oma $opa || exit 3; read -t 0.05 _ <> <(:) || :; done
    done
    OMAFON pair --yes --control oma.control & pairing=$!
    OMAFON pair --yes --control opa.control
    wait $pairing
    OMAFON family --control oma.control
    OMAFON family --control opa.control
"""


def test_a_cable_between_two_phones_is_network_enough(tmp_path: Path):
    for name in ("Oma", "Opa"):
        config = f'[phone]\nname = "{name}"\n[sip]\nport = 0\n[audio]\nvoice = "null"\n'
        (tmp_path / f"{name.lower()}.toml").write_text(config)

    ended = subprocess.run(
        ["unshare", "--net", "bash", "-c", CABLE.replace("OMAFON", str(OMAFON))],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count("1 phone in the family") == 2, ended.stdout + ended.stderr
    for name in ("Oma", "Opa"):
        assert f"Paired with {name}." in ended.stdout
