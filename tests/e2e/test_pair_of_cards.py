# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Two memory cards are a twin pack before anybody has switched a telephone on."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from omafon.core.memory import Member
from omafon.drivers.store import FileStore
from omafon.identity import identity
from tests.lab.program import needs

PAIR = Path(__file__).parents[2] / "image-build" / "pair"
CARD_CFG = PAIR.with_name("card.cfg")
MIB = 1 << 20
BOOT_AT_MIB, DATA_AT_MIB, DATA_MIB = 4, 2180, 16
OMAFON_USER = 970


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A card with nothing on it but its first and its last partition's file systems."""
    card = tmp_path / "card.img"
    with card.open("wb") as file:
        file.truncate((DATA_AT_MIB + DATA_MIB) * MIB)
    subprocess.run([needs("mformat", "mtools"), "-i", f"{card}@@{BOOT_AT_MIB}M", "-T", "65536", "::"], check=True)
    made = [needs("mke2fs", "e2fsprogs"), "-q", "-t", "ext4", "-E", f"offset={DATA_AT_MIB * MIB}", card, f"{DATA_MIB}M"]
    subprocess.run(made, check=True, capture_output=True)
    return card


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    home, oma = tmp_path / "home.toml", tmp_path / "oma.toml"
    home.write_text('[phone]\nname = "Zuhause"\nnumber = "+493023125001"\n')
    oma.write_text('[phone]\nname = "Oma"\nnumber = "+493023125002"\n')
    return home, oma


def paired(image: Path, first: Path, second: Path) -> subprocess.CompletedProcess[str]:
    # The omafon of these tests.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    words = [PAIR, image, first, second, image.parent]
    return subprocess.run(words, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False)


def test_two_cards_know_each_other_before_they_are_first_switched_on(
    image: Path, files: tuple[Path, Path], tmp_path: Path
) -> None:
    before = beginning(image)

    done = paired(image, *files)

    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(tmp_path / "home.img"), str(tmp_path / "oma.img")]
    assert beginning(image) == before
    home, oma = (taken_out(tmp_path / f"{name}.img", tmp_path / name) for name in ("home", "oma"))
    assert knows(home) == (identity(oma).id, "Oma", identity(oma).fingerprint)
    assert knows(oma) == (identity(home).id, "Zuhause", identity(home).fingerprint)


def test_each_card_holds_its_owners_file_and_a_state_that_only_the_telephone_reads(
    image: Path, files: tuple[Path, Path], tmp_path: Path
) -> None:
    paired(image, *files)

    card = tmp_path / "oma.img"
    on_boot = subprocess.run(
        ["mtype", "-i", f"{card}@@{BOOT_AT_MIB}M", "::omafon.toml"], capture_output=True, text=True, check=True
    )
    assert 'name = "Oma"' in on_boot.stdout
    data = data_of(card, tmp_path / "data")
    for path, mode in (("", "0700"), ("/memory.json", "0600"), ("/identity", "0700"), ("/identity/phone.pem", "0600")):
        told = debugfs(data, f"stat /var/lib/omafon{path}")
        assert re.search(r"Mode:\s+(\d+)", told)[1] == mode, path  # type: ignore[index]
        assert re.search(r"User:\s+(\d+)", told)[1] == str(OMAFON_USER), path  # type: ignore[index]
    assert not (tmp_path / "oma.img").stat().st_mode & 0o077


def test_a_file_with_an_error_makes_no_card(image: Path, files: tuple[Path, Path], tmp_path: Path) -> None:
    files[1].write_text('[phone]\nnmae = "Oma"\n')

    done = paired(image, *files)

    assert done.returncode == 78
    assert 'Did you mean "name"?' in done.stderr
    assert not list(tmp_path.glob("[ho]*.img"))


def test_the_partitions_lie_where_the_recipe_puts_them() -> None:
    recipe = CARD_CFG.read_text()

    offsets = dict(re.findall(r"partition (\w+) \{[^}]*?offset = (\d+)M", recipe))
    assert (offsets["boot"], offsets["data"]) == (str(BOOT_AT_MIB), str(DATA_AT_MIB))


def beginning(card: Path) -> bytes:
    with card.open("rb") as file:
        return file.read((BOOT_AT_MIB + 40) * MIB)


def data_of(card: Path, copy: Path) -> Path:
    with card.open("rb") as file:
        file.seek(DATA_AT_MIB * MIB)
        copy.write_bytes(file.read())
    return copy


def taken_out(card: Path, folder: Path) -> Path:
    """The telephone's state on `card`, in a folder of its own."""
    folder.mkdir()
    debugfs(data_of(card, folder / "data"), f"rdump /var/lib/omafon {folder}")
    return folder / "omafon"


def debugfs(data: Path, request: str) -> str:
    words = [needs("debugfs", "e2fsprogs"), "-R", request, data]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def knows(state: Path) -> tuple[str, str, str]:
    """Id, name and certificate of the one member the telephone knows."""
    store = FileStore(print, state)
    store.open()
    try:
        (member,) = store.load().family
    finally:
        store.close()
    assert isinstance(member, Member)
    return member.id, member.name, member.certificate
