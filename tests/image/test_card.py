# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The memory card: its partitions, and what a Raspberry Pi's firmware and U-Boot find on it."""

import re
import subprocess
from pathlib import Path

import pytest

from omafon.board import board_names
from tests.lab.card_image import CardImage

REPOSITORY = Path(__file__).parents[2]
WIRED = [name for name in board_names() if name != "virtual"]
MODELS = ["bcm2837-rpi-3-b", "bcm2837-rpi-3-b-plus", "bcm2837-rpi-3-a-plus", "bcm2837-rpi-zero-2-w", "bcm2711-rpi-4-b"]
FAT, LINUX = 0x0C, 0x83
MEGABYTE = 1 << 20


def test_the_card_has_a_boot_partition_two_slots_and_the_data(card: CardImage):
    boot, a, b, data = card.partitions

    assert [part.kind for part in card.partitions] == [FAT, LINUX, LINUX, LINUX]
    assert [part.bootable for part in card.partitions] == [True, False, False, False]
    assert boot.size == 256 * MEGABYTE
    assert a.size == b.size == 960 * MEGABYTE
    assert data.size >= 192 * MEGABYTE
    for before, after in zip(card.partitions, card.partitions[1:], strict=False):
        assert before.start + before.size <= after.start
        assert after.start % (4 * MEGABYTE) == 0
    assert data.start + data.size <= card.image.stat().st_size <= 3_900_000_000, "a card of 4 GB holds it"


def test_the_second_slot_is_empty_and_nobody_tries_it(card: CardImage, tmp_path: Path):
    slot = tmp_path / "b"
    card.copy(card.partitions[2], slot)

    assert slot.stat().st_blocks == 0
    assert (card.boot / "slots.txt").read_text() == "BOOT_A_LEFT=3\nBOOT_B_LEFT=0\nBOOT_ORDER=A B\n"


def test_the_data_partition_is_an_empty_file_system_that_is_whole(card: CardImage, tmp_path: Path):
    data = tmp_path / "data"
    card.copy(card.partitions[3], data)

    subprocess.run(["e2fsck", "-fn", data], check=True, capture_output=True)
    listed = subprocess.run(["debugfs", "-R", "ls -p /", data], check=True, capture_output=True, text=True).stdout
    assert {line.split("/")[5] for line in listed.splitlines() if line} == {".", "..", "lost+found"}


def test_a_slot_has_a_tenth_to_spare(card: CardImage):
    figures = dict(re.findall(r"^(Block count|Free blocks|Block size): +(\d+)$", card.summary, re.MULTILINE))

    assert int(figures["Free blocks"]) > int(figures["Block count"]) / 10


def test_everybody_means_the_same_disk(card: CardImage):
    word = f"{card.disk_id:08x}"

    script = (card.boot / "boot.scr").read_bytes().decode("latin-1")
    assert f"setenv disk_id {word}" in script
    assert set(re.findall(r"PARTUUID=(\w+)-", card.text("etc/fstab"))) == {word}
    assert set(re.findall(r"by-partuuid/(\w+)-", card.text("etc/rauc/system.conf"))) == {word}
    assert f"DISK_ID={word}\n" in card.text("etc/initramfs-tools/scripts/local-bottom/omafon")


def test_what_config_txt_names_is_there(card: CardImage):
    config = (card.boot / "config.txt").read_text()
    included = re.findall(r"^include (\S+)$", config, re.MULTILINE)
    names = [*included, *re.findall(r"^kernel=(\S+)$", config, re.MULTILINE)]

    assert included == ["board-usb.txt"]
    assert all((card.boot / name).is_file() for name in names)
    # Below 17 MB for the graphics the firmware takes its small self.
    assert "gpu_mem=16\n" in config
    for name in ("bootcode.bin", "start_cd.elf", "fixup_cd.dat", "start4cd.elf", "fixup4cd.dat"):
        assert (card.boot / name).is_file(), name


@pytest.mark.parametrize("board", WIRED)
def test_each_board_is_one_line_of_config_txt_away(card: CardImage, board: str):
    lines = (card.boot / f"board-{board}.txt").read_text()

    assert lines == (REPOSITORY / "hw/boot" / f"{board}.txt").read_text()
    for overlay in re.findall(r"^dtoverlay=([\w-]+)", lines, re.MULTILINE):
        assert (card.boot / "overlays" / f"{overlay}.dtbo").is_file()


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("board", WIRED)
def test_the_overlay_of_each_board_fits_the_tree_of_each_model(card: CardImage, tmp_path: Path, board: str, model: str):
    merged = tmp_path / "merged.dtb"

    overlay = card.boot / "overlays" / f"omafon-{board}.dtbo"
    subprocess.run(["fdtoverlay", "-i", card.boot / f"{model}.dtb", "-o", merged, overlay], check=True)

    bus = _value(merged, "/__symbols__", "i2c1")
    assert _value(merged, bus, "status") == "okay"
    assert _value(merged, bus, "clock-frequency") == "400000"
    if board != "usb":
        sound = _value(merged, "/__symbols__", "i2s")
        assert _value(merged, sound, "status") == "okay"


def test_the_kernel_is_started_with_a_root_that_cannot_be_written(card: CardImage):
    script = (card.boot / "boot.scr").read_bytes().decode("latin-1")

    arguments = re.search(r'setenv bootargs "(.*)"', script)
    assert arguments is not None
    words = arguments[1].split()
    assert {"ro", "rootwait", "panic=10", "rauc.slot=${slot}"} <= set(words)
    assert "rw" not in words
    for name in ("vmlinuz", "initrd.img"):
        assert f"/boot/{name}" in script
        assert (card.root / "boot" / name).is_file()


def _value(tree: Path, node: str, key: str) -> str:
    return subprocess.run(["fdtget", tree, node, key], check=True, capture_output=True, text=True).stdout.strip()
