# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The root file system of a slot: who may what, what starts, what is in it and what is not."""

import json
import re
import stat
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.lab.card_image import BUILT, CardImage

REPOSITORY = Path(__file__).parents[2]
PYTHON = "usr/lib/omafon/python"
LARGEST_DOWNLOAD = 400_000_000
AARCH64, X86_64 = 183, 62
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
NOT_FREE = {"firmware-brcm80211", "raspi-firmware"}
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


def test_nobody_has_a_password(card: CardImage):
    for line in card.text("etc/shadow").splitlines():
        name, password, *_ = line.split(":")
        assert password.startswith(("!", "*")), name


def test_root_and_the_owner_alone_have_a_shell(card: CardImage):
    accounts = [line.split(":") for line in card.text("etc/passwd").splitlines()]

    able = {name for name, *_, shell in accounts if not shell.endswith(("nologin", "false", "sync"))}
    assert able == {"root", "phone"}


def test_the_accounts_have_numbers_that_outlive_an_update(card: CardImage):
    accounts = {line.split(":")[0]: line.split(":")[2:4] for line in card.text("etc/passwd").splitlines()}

    assert (accounts["omafon"], accounts["phone"]) == (["970", "970"], ["971", "971"])


def test_what_is_installed_for_systemd_is_there(card: CardImage):
    for line in (REPOSITORY / "systemd/MANIFEST").read_text().splitlines():
        match line.split():
            case ["link", link, "->", target]:
                assert (card.root / link[1:]).readlink() == Path(target)
            case [mode, path] if not mode.startswith("#"):
                status = (card.root / path[1:]).stat()
                assert (f"{stat.S_IMODE(status.st_mode):04o}", status.st_uid, status.st_gid) == (mode, 0, 0), path


def test_nothing_starts_but_what_a_telephone_needs(card: CardImage):
    manifest = set(re.findall(r"([\w-]+\.(?:service|path|timer)) ->", (REPOSITORY / "systemd/MANIFEST").read_text()))
    enabled = {link.name for link in (card.root / "etc/systemd/system").glob("*.wants/*")}

    assert enabled == STARTS | manifest
    assert (card.root / "etc/systemd/system/default.target").readlink().name == "multi-user.target"
    for masked in ("getty@.service", "serial-getty@.service"):
        assert (card.root / "etc/systemd/system" / masked).readlink() == Path("/dev/null")


def test_no_file_makes_its_user_somebody_else_or_is_everybodys(card: CardImage):
    for file in card.files():
        mode = file.lstat().st_mode
        assert not mode & (stat.S_ISUID | stat.S_ISGID), file
        assert not mode & stat.S_IWOTH, file


def test_what_the_owner_keeps_secret_is_closed_to_others(card: CardImage):
    for directory, most in (
        ("etc/omafon", 0o750),
        ("etc/credstore.encrypted", 0o700),
        ("etc/NetworkManager/system-connections", 0o700),
    ):
        assert stat.S_IMODE((card.root / directory).stat().st_mode) == most, directory
    assert stat.S_IMODE((card.root / "etc/shadow").stat().st_mode) & 0o007 == 0


def test_there_is_no_secret_and_nothing_of_one_telephone_alone(card: CardImage):
    assert card.text("etc/machine-id") == ""
    assert list((card.root / "etc/ssh").glob("ssh_host_*")) == []
    assert list((card.root / "etc/omafon").iterdir()) == []
    assert not (card.root / "var/lib/systemd/random-seed").exists()
    for file in card.files():
        assert file.name != "authorized_keys", file
        if file.stat().st_size < 65_536:
            assert not re.search(rb"^-----BEGIN [A-Z ]*PRIVATE KEY-----", file.read_bytes(), re.MULTILINE), file
    for name in ("omafon.toml", "authorized_keys", "omafon-result.txt"):
        assert not (card.boot / name).exists()


def test_every_program_is_for_the_telephones_processor(card: CardImage, tmp_path: Path):
    found = 0
    for file in [
        *card.files(),
        *(one for one in card.unpacked_initrd(tmp_path / "initrd").rglob("*") if one.is_file()),
    ]:
        with file.open("rb") as program:
            head = program.read(20)
        if head[:4] == b"\x7fELF":
            machine = int.from_bytes(head[18:20], "little")
            assert machine == AARCH64, f"{file}: {'x86-64' if machine == X86_64 else machine}"
            found += 1
    assert found > 500


def test_nothing_is_there_that_builds_downloads_or_explains(card: CardImage):
    for place in ("usr/bin", "usr/sbin", "usr/local/bin"):
        assert not [tool for tool in TOOLS if (card.root / place / tool).exists()]
    assert list((card.root / "usr/share/man").rglob("*.gz")) == []
    assert not (card.root / ".native").exists()
    assert list((card.root / "usr").rglob("*.foreign")) == []


def test_the_python_packages_are_those_that_are_locked(card: CardImage):
    locked = dict(
        re.findall(
            r"^([\w.-]+)==(\S+) --hash", (REPOSITORY / "image-build/requirements.lock").read_text(), re.MULTILINE
        )
    )
    there = {}
    for metadata in (card.root / PYTHON).glob("*.dist-info/METADATA"):
        fields = dict(re.findall(r"^(Name|Version): (\S+)$", metadata.read_text(encoding="utf-8"), re.MULTILINE))
        there[re.sub(r"[-_.]+", "-", fields["Name"]).lower()] = fields["Version"]

    ours = {name: there.pop(name) for name in ("omafon", "pjsua2")}
    assert there == locked
    assert ours["pjsua2"].startswith("2.")


def test_whatever_a_python_package_asks_for_is_there(card: CardImage):
    environment = {"python_version": "3.13", "platform_machine": "aarch64", "extra": ""}
    asked, there = set(), set()
    for metadata in (card.root / PYTHON).glob("*.dist-info/METADATA"):
        text = metadata.read_text(encoding="utf-8")
        there.add(canonicalize_name(re.findall(r"^Name: (\S+)$", text, re.MULTILINE)[0]))
        extras = ("", "pi") if metadata.parent.name.startswith("omafon-") else ("",)
        for line in re.findall(r"^Requires-Dist: (.+)$", text, re.MULTILINE):
            one = Requirement(line)
            if one.marker is None or any(one.marker.evaluate({**environment, "extra": extra}) for extra in extras):
                asked.add(canonicalize_name(one.name))

    # Of Debian: there is no wheel of it.
    assert asked - there == {"pyalsaaudio"}
    assert (card.root / "usr/share/doc/python3-alsaaudio").is_dir()


def test_every_module_is_compiled_since_nothing_can_be_later(card: CardImage):
    for module in (card.root / PYTHON).rglob("*.py"):
        compiled = module.parent / "__pycache__" / f"{module.stem}.cpython-313.pyc"
        assert compiled.is_file(), module
        # PEP 552: by digest, and never looked at again.
        assert compiled.read_bytes()[4:8] == b"\x01\x00\x00\x00", module


def test_every_part_is_listed_and_its_licence_is_with_it(card: CardImage):
    bill = json.loads(next(BUILT.glob("*.cdx.json")).read_text(encoding="utf-8"))
    listed = {part["name"] for part in bill["components"]}

    packages = re.findall(r"^Package: (\S+)$", card.text("var/lib/dpkg/status"), re.MULTILINE)
    assert set(packages) <= listed
    for package in packages:
        assert (card.root / "usr/share/doc" / package / "copyright").exists(), package
    for part in bill["components"]:
        if part["purl"].startswith("pkg:pypi/"):
            assert part["licenses"] or part["name"] == "pjsua2", part["name"]
    assert "GNU GENERAL PUBLIC LICENSE" in card.text("usr/share/doc/omafon/copyright")


def test_only_the_firmware_of_the_hardware_is_not_free(card: CardImage):
    paragraphs = card.text("var/lib/dpkg/status").split("\n\n")
    not_free = {
        one.split("\n")[0].removeprefix("Package: ")
        for one in paragraphs
        if re.search(r"^Section: non-free", one, re.MULTILINE)
    }

    assert not_free == NOT_FREE


def test_the_root_is_not_written_to_and_the_data_is_no_place_for_programs(card: CardImage):
    places = {
        line.split()[1]: line.split()[3].split(",")
        for line in card.text("etc/fstab").splitlines()
        if line[:1] not in "#"
    }

    assert {"nodev", "nosuid", "noexec"} <= set(places["/data"])
    assert "umask=0077" in places["/boot/firmware"]
    assert "/" not in places


def test_it_says_which_version_it_is(card: CardImage, image: Path):
    release = dict(line.split("=", 1) for line in card.text("usr/lib/os-release").splitlines())

    assert (release["IMAGE_ID"], release["IMAGE_VERSION"]) == (
        "omafon",
        image.name.removeprefix("omafon-").removesuffix(".img"),
    )


def test_the_download_is_small_enough(image: Path):
    compressed = image.with_name(f"{image.name}.xz")

    assert compressed.stat().st_size <= LARGEST_DOWNLOAD
