# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The root file system of a slot: who may what, what starts, what is in it and what is not."""

import re
import stat
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.lab.card_image import Root

REPOSITORY = Path(__file__).parents[2]
PYTHON = "usr/lib/omafon/python"
# What starts beside what systemd itself and systemd/MANIFEST do.
STARTS = {
    "NetworkManager.service",
    "avahi-daemon.service",
    "avahi-daemon.socket",
    "fstrim.timer",
    "nftables.service",
    "ssh.service",
    "systemd-timesyncd.service",
    "wpa_supplicant.service",
}
TOOLS = (
    "apt",
    "cc",
    "gcc",
    "g++",
    "make",
    "ld",
    "as",
    "git",
    "pip",
    "pip3",
    "curl",
    "wget",
    "sudo",
    "gdb",
    "man",
    "i2cset",
)


def test_nobody_has_a_password(system: Root):
    for line in system.text("etc/shadow").splitlines():
        name, password, *_ = line.split(":")
        assert password.startswith(("!", "*")), name


def test_root_and_the_owner_alone_have_a_shell(system: Root):
    accounts = [line.split(":") for line in system.text("etc/passwd").splitlines()]

    able = {name for name, *_, shell in accounts if not shell.endswith(("nologin", "false", "sync"))}
    assert able == {"root", "phone"}


def test_the_accounts_have_numbers_that_outlive_an_update(system: Root):
    accounts = {line.split(":")[0]: line.split(":")[2:4] for line in system.text("etc/passwd").splitlines()}

    assert (accounts["omafon"], accounts["phone"]) == (["970", "970"], ["971", "971"])


def test_what_is_installed_for_systemd_is_there(system: Root):
    for line in (REPOSITORY / "systemd/MANIFEST").read_text().splitlines():
        match line.split():
            case ["link", link, "->", target]:
                assert (system.root / link[1:]).readlink() == Path(target)
            case [mode, path] if not mode.startswith("#"):
                status = (system.root / path[1:]).stat()
                assert (f"{stat.S_IMODE(status.st_mode):04o}", status.st_uid, status.st_gid) == (mode, 0, 0), path


def test_nothing_starts_but_what_a_telephone_needs(system: Root):
    manifest = set(re.findall(r"([\w-]+\.(?:service|path|timer)) ->", (REPOSITORY / "systemd/MANIFEST").read_text()))
    enabled = {link.name for link in (system.root / "etc/systemd/system").glob("*.wants/*")}

    assert enabled == STARTS | manifest
    assert (system.root / "etc/systemd/system/default.target").readlink().name == "multi-user.target"
    for masked in ("getty@.service", "serial-getty@.service"):
        assert (system.root / "etc/systemd/system" / masked).readlink() == Path("/dev/null")


def test_no_file_makes_its_user_somebody_else_or_is_everybodys(system: Root):
    for file in system.files():
        mode = file.lstat().st_mode
        assert not mode & (stat.S_ISUID | stat.S_ISGID), file
        assert not mode & stat.S_IWOTH, file


def test_what_the_owner_keeps_secret_is_closed_to_others(system: Root):
    for directory, most in (
        ("etc/omafon", 0o750),
        ("etc/credstore.encrypted", 0o700),
        ("etc/NetworkManager/system-connections", 0o700),
    ):
        assert stat.S_IMODE((system.root / directory).stat().st_mode) == most, directory
    assert stat.S_IMODE((system.root / "etc/shadow").stat().st_mode) & 0o007 == 0


def test_there_is_no_secret_and_nothing_of_one_telephone_alone(system: Root):
    assert system.text("etc/machine-id") == ""
    assert list((system.root / "etc/ssh").glob("ssh_host_*")) == []
    assert list((system.root / "etc/omafon").iterdir()) == []
    assert not (system.root / "var/lib/systemd/random-seed").exists()
    for file in system.files():
        assert file.name != "authorized_keys", file
        if file.stat().st_size < 65_536:
            assert not re.search(rb"^-----BEGIN [A-Z ]*PRIVATE KEY-----", file.read_bytes(), re.MULTILINE), file


def test_nothing_is_there_that_builds_downloads_or_explains(system: Root):
    for place in ("usr/bin", "usr/sbin", "usr/local/bin"):
        assert not [tool for tool in TOOLS if (system.root / place / tool).exists()]
    assert list((system.root / "usr/share/man").rglob("*.gz")) == []
    assert not (system.root / ".native").exists()
    assert list((system.root / "usr").rglob("*.foreign")) == []


def test_the_python_packages_are_those_that_are_locked(system: Root):
    locked = dict(
        re.findall(
            r"^([\w.-]+)==(\S+) --hash", (REPOSITORY / "image-build/requirements.lock").read_text(), re.MULTILINE
        )
    )
    there = {}
    for metadata in (system.root / PYTHON).glob("*.dist-info/METADATA"):
        fields = dict(re.findall(r"^(Name|Version): (\S+)$", metadata.read_text(encoding="utf-8"), re.MULTILINE))
        there[re.sub(r"[-_.]+", "-", fields["Name"]).lower()] = fields["Version"]

    ours = {name: there.pop(name) for name in ("omafon", "pjsua2")}
    assert there == locked
    assert ours["pjsua2"].startswith("2.")


def test_every_module_is_compiled_since_nothing_can_be_later(system: Root):
    for module in (system.root / PYTHON).rglob("*.py"):
        compiled = module.parent / "__pycache__" / f"{module.stem}.cpython-313.pyc"
        assert compiled.is_file(), module
        # PEP 552: by digest, and never looked at again.
        assert compiled.read_bytes()[4:8] == b"\x01\x00\x00\x00", module


def test_the_root_is_not_written_to_and_the_data_is_no_place_for_programs(system: Root):
    places = {
        line.split()[1]: line.split()[3].split(",")
        for line in system.text("etc/fstab").splitlines()
        if line[:1] not in "#"
    }

    assert {"nodev", "nosuid", "noexec"} <= set(places["/data"])
    assert "umask=0077" in places["/boot/firmware"]
    assert "/" not in places


def test_whatever_a_python_package_asks_for_is_there(system: Root):
    environment = {"python_version": "3.13", "platform_machine": "aarch64", "extra": ""}
    asked, there = set(), set()
    for metadata in (system.root / PYTHON).glob("*.dist-info/METADATA"):
        text = metadata.read_text(encoding="utf-8")
        there.add(canonicalize_name(re.findall(r"^Name: (\S+)$", text, re.MULTILINE)[0]))
        extras = ("", "pi") if metadata.parent.name.startswith("omafon-") else ("",)
        for line in re.findall(r"^Requires-Dist: (.+)$", text, re.MULTILINE):
            one = Requirement(line)
            if one.marker is None or any(one.marker.evaluate({**environment, "extra": extra}) for extra in extras):
                asked.add(canonicalize_name(one.name))

    # Of Debian: there is no wheel of it.
    assert asked - there == {"pyalsaaudio"}
    assert (system.root / "usr/share/doc/python3-alsaaudio").is_dir()
