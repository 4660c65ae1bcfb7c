# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The computer around the phone: its wireless networks as NetworkManager reads them, its name, keys, erased files."""

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from omafon.config import Config, ConfigError, WifiConfig, parse
from omafon.core.actions import FactoryReset
from omafon.core.events import Event, NetworkChanged, ResetFailed
from omafon.drivers import network
from omafon.drivers.requests import RequestFiles
from omafon.machine import host_name, keys, wifi
from omafon.machine.card import Card
from omafon.machine.erasing import erase, erase_tree
from omafon.machine.network_settle import settle, settle_file

HOME = WifiConfig("Zu Hause", password="geheim-geheim")
ED25519 = (
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl oma@laptop"  # RFC 8709's shape
)

# Wireless networks


def test_the_networks_follow_the_configuration_forth_and_back(tmp_path: Path):
    folder = tmp_path / wifi.FOLDER
    settle(Config(wifi=(HOME,)), tmp_path)
    first = {file.name: file.read_text() for file in folder.iterdir()}

    there = settle(Config(wifi=(WifiConfig("Zu Hause", password="anders-anders"), WifiConfig("Gast"))), tmp_path)
    back = settle(Config(wifi=(HOME,)), tmp_path)

    assert (len(there.written), len(there.removed)) == (2, 0)
    assert (len(back.written), len(back.removed)) == (1, 1)
    assert {file.name: file.read_text() for file in folder.iterdir()} == first


def test_what_is_as_it_shall_be_is_not_written_again(tmp_path: Path):
    settle(Config(wifi=(HOME,)), tmp_path)

    again = settle(Config(wifi=(HOME,)), tmp_path)

    assert (again.written, again.removed) == ((), ())


def test_only_files_of_ours_are_touched_and_they_are_roots_alone(tmp_path: Path):
    folder = tmp_path / wifi.FOLDER
    folder.mkdir(parents=True)
    (folder / "preconfigured.nmconnection").write_text("[connection]\n")

    settle(Config(wifi=(HOME,)), tmp_path)
    (ours,) = folder.glob("omafon-*")
    mode = ours.stat().st_mode & 0o777
    settle(Config(), tmp_path)

    assert mode == 0o600
    assert [file.name for file in folder.iterdir()] == ["preconfigured.nmconnection"]


def test_a_phone_without_a_configuration_has_no_network_of_ours(tmp_path: Path):
    settled = settle_file(tmp_path / "phone.toml", tmp_path)

    assert settled.networks == ()


def test_the_radio_keeps_the_rules_of_the_phones_country_unless_a_network_names_another():
    assert wifi.country(parse('[phone]\ncountry = "AT"\n[[wifi]]\nssid = "x"')) == "AT"
    assert wifi.country(parse('[[wifi]]\nssid = "x"\ncountry = "CH"')) == "CH"


@pytest.mark.parametrize(
    ("table", "what"),
    [
        ('ssid = ""', "wifi.ssid must be 1 to 32 bytes long"),
        (f'ssid = "{"ü" * 17}"', "wifi.ssid must be 1 to 32 bytes long"),
        ('ssid = "x"\npassword = "kurz123"', "wifi.password is no WPA password"),
        ('ssid = "x"\npassword = "geheimschlüssel"', "wifi.password is no WPA password"),
        (f'ssid = "x"\npassword = "{"a" * 65}"', "wifi.password is no WPA password"),
        ('ssid = "x"\ncountry = "XX"', 'wifi.country "XX" is not a country'),
        ('ssid = "x"\npassword = "12345678"\npassword_credential = "y"', "stands beside `password`"),
        ('ssid = "x"\n[[wifi]]\nssid = "x"', "is the ssid in line"),
        ('ssid = "x"\ncountry = "DE"\n[[wifi]]\nssid = "y"\ncountry = "AT"', "is another than above"),
        ('pasword = "12345678"\nssid = "x"', 'unknown key "pasword"'),
        ('password = "12345678"', "wifi.ssid is missing"),
    ],
)
def test_a_network_that_cannot_be_is_refused_without_its_password(table: str, what: str):
    with pytest.raises(ConfigError) as refused:
        parse(f"[[wifi]]\n{table}")

    assert what in str(refused.value)
    assert "12345678" not in str(refused.value)
    assert "geheim" not in str(refused.value)


# The name


def test_a_raspberry_pi_is_called_by_its_serial_number(tmp_path: Path):
    serial = tmp_path / "proc/device-tree/serial-number"
    serial.parent.mkdir(parents=True)
    serial.write_bytes(b"10000000f2a91A2B\0")

    assert host_name.settle(tmp_path) == "omafon-1a2b"
    assert (tmp_path / "etc/hostname").read_text() == "omafon-1a2b\n"


@given(serial=st.binary(max_size=40), machine=st.binary(max_size=40), given_name=st.binary(max_size=20))
def test_whatever_the_machine_says_of_itself_it_gets_a_name(
    tmp_path_factory: pytest.TempPathFactory, serial: bytes, machine: bytes, given_name: bytes
):
    root = tmp_path_factory.mktemp("root")
    (root / "proc/device-tree").mkdir(parents=True)
    (root / "etc").mkdir()
    (root / "proc/device-tree/serial-number").write_bytes(serial)
    (root / "etc/machine-id").write_bytes(machine)
    (root / "etc/hostname").write_bytes(given_name)

    name = host_name.own_name(root)

    assert name.startswith("omafon-")
    assert len(name) == 11
    assert name.removeprefix("omafon-").isalnum()


def test_a_name_that_somebody_chose_stays_until_everything_is_forgotten(tmp_path: Path):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/hostname").write_text("kueche\n")

    assert host_name.settle(tmp_path) == "kueche"
    assert host_name.settle(tmp_path, anew=True).startswith("omafon-")


# Keys


def made_key(folder: Path, *words: str) -> str:
    subprocess.run(["ssh-keygen", "-q", "-N", "", "-f", str(folder / "key"), *words], check=True)
    return (folder / "key.pub").read_text()


def refusal(content: bytes) -> str:
    with pytest.raises(ConfigError) as refused:
        keys.read(content, "authorized_keys")
    return str(refused.value)


def test_keys_are_taken_from_any_editor(tmp_path: Path):
    key = made_key(tmp_path, "-t", "ed25519", "-C", "Großmutter").strip()

    read = keys.read(f"\ufeff# meine\r\n\r\n  {key}  \r\n{key}\r\n".encode(), "authorized_keys")

    assert read.text == f"{key}\n"
    assert read.fingerprints[0].startswith("SHA256:")
    assert read.fingerprints[0].endswith("(ED25519)")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "holds no key"),
        (b"# nothing\n", "holds no key"),
        (b"hello\n", "line 1: is no SSH key"),
        (b"\nssh-ed25519\n", "line 2: is no whole key"),
        (b"ssh-ed25519 AAAA\n", "line 1: is no whole key"),
        (f"{ED25519}\n{ED25519[:60]}\n".encode(), "line 2: is no whole key"),
        (f'command="sh" {ED25519}\n'.encode(), "has options in front of the key"),
        (f"cert-authority {ED25519}\n".encode(), "has options in front of the key"),
        (b"ssh-dss AAAAB3NzaC1kc3M=\n", "is a DSA key"),
        (b"-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n", "it still lies on the card"),
        (b"PuTTY-User-Key-File-3: ssh-ed25519\n", "this is a private key"),
        (b"---- BEGIN SSH2 PUBLIC KEY ----\nabc\n", "PuTTY's format"),
        (b"\xff\xfes\0s\0h\0", "not UTF-8"),
        (b"x" * 70_000, "too large"),
    ],
)
def test_what_is_no_key_is_refused_with_its_line(content: bytes, what: str):
    assert what in refusal(content)


def test_a_weak_key_is_refused(tmp_path: Path):
    weak = made_key(tmp_path, "-t", "rsa", "-b", "1024")

    assert "RSA key of 1024 bits, which is too weak" in refusal(weak.encode())


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
@example(f"{ED25519}\0".encode())
@example(f"{ED25519}\rssh-ed25519 x".encode())
def test_no_content_is_taken_for_a_key_or_breaks_the_reader(content: bytes):
    try:
        read = keys.read(content, "authorized_keys")
    except ConfigError:
        return

    assert all(line.isprintable() and line.startswith(("ssh-", "ecdsa-", "sk-")) for line in read.lines)


def test_the_keys_belong_to_whom_the_folder_does(tmp_path: Path):
    read = keys.read(ED25519.encode(), "authorized_keys")

    keys.install(read, tmp_path / "authorized_keys")

    assert (tmp_path / "authorized_keys").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "authorized_keys").read_text() == f"{ED25519}\n"


# The card


def test_names_of_any_case_and_hidden_ends_are_found(tmp_path: Path):
    for name in ("omafon.toml", "OMAFON.TOML", "Omafon.toml.txt"):
        (tmp_path / name).write_text("")
        found = Card(tmp_path).find("omafon.toml")
        (tmp_path / name).unlink()

        assert found == tmp_path / name


def test_two_files_that_could_be_meant_are_refused(tmp_path: Path):
    for name in ("omafon.toml", "omafon.toml.txt"):
        (tmp_path / name).write_text("")

    with pytest.raises(ConfigError, match="are both there"):
        Card(tmp_path).find("omafon.toml")


def test_what_a_power_cut_left_half_erased_is_nobodys_configuration(tmp_path: Path):
    (tmp_path / "omafon.toml.erasing").write_bytes(b"\0\0\0\0ssword = geheim")
    card = Card(tmp_path)

    card.tidy()

    assert list(tmp_path.iterdir()) == []


# Erasing


def test_what_stood_in_an_erased_file_is_written_over(tmp_path: Path):
    file = tmp_path / "secret"
    file.write_bytes(b"geheim" * 20_000)
    with file.open("rb") as still_open:
        erase(file)

        assert still_open.read() == bytes(120_000)
    assert not file.exists()


def test_a_link_is_taken_away_and_what_it_leads_to_stays(tmp_path: Path):
    (tmp_path / "tree").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "kept").write_text("kept")
    (tmp_path / "elsewhere/kept").write_text("kept")
    (tmp_path / "tree/file").symlink_to(tmp_path / "kept")
    (tmp_path / "tree/folder").symlink_to(tmp_path / "elsewhere")
    os.mkfifo(tmp_path / "tree/pipe")

    erase_tree(tmp_path / "tree")

    assert list((tmp_path / "tree").iterdir()) == []
    assert (tmp_path / "kept").read_text() == (tmp_path / "elsewhere/kept").read_text() == "kept"


# What the phone asks for


def test_a_request_is_a_file(tmp_path: Path):
    events: list[Event] = []
    requests = RequestFiles(events.append, tmp_path)
    requests.open()

    requests.perform(FactoryReset())
    requests.close()

    assert [file.name for file in tmp_path.iterdir()] == ["factory-reset"]
    assert events == []


def test_a_request_that_nobody_hears_has_failed(tmp_path: Path):
    events: list[Event] = []

    RequestFiles(events.append, tmp_path / "nowhere").perform(FactoryReset())

    assert isinstance(events[0], ResetFailed)


async def test_the_network_is_told_with_the_name_of_the_machine():
    import asyncio

    events: list[Event] = []
    watch = network.NetworkWatch(events.append, asyncio.get_running_loop())

    watch.open()
    watch.close()

    assert isinstance(events[0], NetworkChanged)
    assert events[0].addresses == network.source_addresses()
    assert events[0].host
