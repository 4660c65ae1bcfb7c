# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What other programs make of the phone's files: NetworkManager of keyfiles, a FAT partition of names and results."""

import subprocess
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from omafon.config import WifiConfig
from omafon.machine import wifi
from omafon.machine.card import RESULT, Card

ssids = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=32).filter(
    lambda name: len(name.encode()) <= 32 and name.isprintable()
)
passphrases = st.text([chr(code) for code in range(32, 127)], min_size=8, max_size=63)


def read_by_network_manager(keyfile: str) -> dict[str, dict[str, str]]:
    """The groups of `keyfile` as NetworkManager's own reader understood, and wrote them again."""
    words = ["nmcli", "--offline", "connection", "modify", "connection.autoconnect", "yes"]
    done = subprocess.run(words, input=keyfile.encode(), capture_output=True, check=True)
    assert done.stderr == b""
    groups: dict[str, dict[str, str]] = {}
    for line in done.stdout.decode().split("\n"):
        if line.startswith("["):
            keys = groups.setdefault(line.strip("[]"), {})
        elif line:
            key, _, value = line.partition("=")
            keys[key] = value
    return groups


def unescaped(value: str) -> str:
    """A text of a GKeyFile."""
    signs = {"s": " ", "t": "\t", "n": "\n", "r": "\r", "\\": "\\"}
    out, rest = "", iter(value)
    for sign in rest:
        out += signs[next(rest)] if sign == "\\" else sign
    return out


def ssid_of(value: str) -> str:
    """As NetworkManager writes a name: as text where it can, as bytes elsewhere."""
    numbers = value.rstrip(";").split(";")
    if value.endswith(";") and all(number.isdecimal() and int(number) < 256 for number in numbers):
        return bytes(map(int, numbers)).decode()
    return unescaped(value.replace("\\\\;", ";"))


@settings(max_examples=25, deadline=None)
@given(ssids, passphrases)
@example(" Zu\\hause;ü # ", ' a\\b;c#d"= x ')
@example("1;2;3;", "12345678")
@example("[x]", "\\s\\t\\n\\\\")
@example("A", "~" * 63)
def test_network_manager_reads_the_name_and_the_password_that_were_written(name: str, password: str):
    read = read_by_network_manager(wifi.keyfile(WifiConfig(name, password=password)))

    assert ssid_of(read["wifi"]["ssid"]) == name
    assert unescaped(read["wifi-security"]["psk"]) == password


def test_network_manager_reads_what_else_a_phone_needs():
    read = read_by_network_manager(wifi.keyfile(WifiConfig("Garten", password="x" * 64, hidden=True), priority=3))

    assert read["wifi"]["powersave"] == "2"
    assert read["wifi"]["hidden"] == "true"
    assert (read["connection"]["autoconnect-priority"], read["connection"]["autoconnect-retries"]) == ("3", "0")
    assert read["wifi-security"]["key-mgmt"] == "wpa-psk"


def test_a_network_without_a_password_is_an_open_one():
    read = read_by_network_manager(wifi.keyfile(WifiConfig("Gast")))

    assert "wifi-security" not in read


def test_names_survive_a_real_fat_partition(tmp_path: Path):
    image, back = tmp_path / "card.img", tmp_path / "back"
    back.mkdir()
    (tmp_path / "omafon.toml.txt").write_bytes(b'[phone]\r\nname = "Oma"\r\n')
    subprocess.run(["mkfs.vfat", "-C", str(image), "1440"], check=True, capture_output=True)
    subprocess.run(["mcopy", "-i", str(image), str(tmp_path / "omafon.toml.txt"), "::OMAFON.TOML.TXT"], check=True)
    card = Card(tmp_path)
    card.tell("Omafon: done\n")
    subprocess.run(["mcopy", "-i", str(image), str(tmp_path / RESULT), "::"], check=True)

    subprocess.run(["mcopy", "-i", str(image), "-n", "::*", str(back)], check=True)

    assert Card(back).find("omafon.toml") is not None
    assert (back / RESULT).read_bytes() == b"\xef\xbb\xbfOmafon: done\r\n"
