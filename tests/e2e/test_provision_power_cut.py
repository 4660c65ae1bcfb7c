# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The power goes while the configuration is changed: what the disk holds then is the old one or the new one, whole."""

import os
from pathlib import Path

from omafon.config import load
from omafon.provision.waiting import waiting
from tests.lab.faraway import SECOND_LOGIN, WRONG, FarAway, text
from tests.lab.powercut import PowerCutDisk

CUTS = 150
CHANGES = 6


def in_force(phone: FarAway) -> int:
    """The number of the change in force. Its text and its secret are of one generation."""
    config = load(phone.file)
    assert config.line[0].password == f"of-{config.phone.name}"
    return int(config.phone.name)


def changes(phone: FarAway, disk: PowerCutDisk) -> None:
    """Good ones, bad ones, and some that are confirmed; what was acknowledged is marked."""
    disk.mark("done 0")
    for number in range(1, CHANGES):
        disk.mark(f"begun {number}")
        if number % 3 == 1:
            phone.transaction().apply(text("9", WRONG), "phone.toml")
        confirm = 60.0 if number % 2 else None
        phone.transaction().apply(text(str(number), f"of-{number}"), "phone.toml", confirm_within_s=confirm)
        if confirm:
            phone.transaction(SECOND_LOGIN).confirm()
        phone.open.close()
        disk.mark(f"done {number}")


def test_after_a_power_cut_at_any_instant_the_old_or_the_new_configuration_is_in_force(tmp_path):
    disk = PowerCutDisk(tmp_path)
    with disk:
        phone = FarAway(disk.place / "omafon")
        phone.folder.mkdir()
        phone.transaction().apply(text("0", "of-0"), "phone.toml", offline=True)
        os.sync()
        phone.starts()
        changes(phone, disk)

    for cut in disk.cuts(CUTS, seed=1):
        acknowledged = max(int(mark.split()[1]) for mark in cut.marks if mark.startswith("done"))
        begun = max([0, *(int(mark.split()[1]) for mark in cut.marks if mark.startswith("begun"))])
        with cut.mounted() as place:
            phone = FarAway(place / "omafon", boot=2)
            phone.power_goes_and_comes()

            assert in_force(phone) in (acknowledged, begun)
            assert waiting(phone.generations) is None
            # And the next change goes as any other.
            phone.transaction().apply(text("8", "of-8"), "phone.toml")
            assert in_force(phone) == 8


def test_the_disk_that_loses_power_tells_a_change_that_was_not_flushed(tmp_path):
    def careless(file: Path, content: str) -> None:
        new = file.with_suffix(".new")
        new.write_text(content)
        new.replace(file)

    disk = PowerCutDisk(tmp_path)
    with disk:
        for number in range(5):
            careless(disk.place / "phone.toml", f"{number}\n" * 200)
            disk.mark(f"done {number}")

    lost = 0
    for cut in disk.cuts(20, seed=1):
        with cut.mounted() as place:
            file = place / "phone.toml"
            lost += not file.exists() or file.read_text()[:1] != cut.marks[-1].split()[1]

    assert lost > 0
