# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What the image is made of: its programs, its parts with their licences, its version, its size."""

import json
import re
from pathlib import Path

from tests.lab.card_image import BUILT, CardImage

LARGEST_DOWNLOAD = 400_000_000
AARCH64, X86_64 = 183, 62
NOT_FREE = {"firmware-brcm80211", "raspi-firmware"}


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


def test_it_says_which_version_it_is(card: CardImage, image: Path):
    release = dict(line.split("=", 1) for line in card.text("usr/lib/os-release").splitlines())

    assert (release["IMAGE_ID"], release["IMAGE_VERSION"]) == (
        "omafon",
        image.name.removeprefix("omafon-").removesuffix(".img"),
    )


def test_the_download_is_small_enough(image: Path):
    compressed = image.with_name(f"{image.name}.xz")

    assert compressed.stat().st_size <= LARGEST_DOWNLOAD


def test_nothing_of_an_owner_lies_on_the_boot_partition(card: CardImage):
    assert not {"omafon.toml", "authorized_keys", "omafon-result.txt"} & {file.name for file in card.boot.iterdir()}
