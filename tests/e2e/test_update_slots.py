# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The real RAUC writes a slot, and our script counts: whenever the power goes, one slot is whole and starts."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from omafon.update.bundle import Rauc
from omafon.update.world import RaucEngine
from tests.lab.slots import Maker, Slots

NEW = "0.3.0+20261122.1845.bbbbbbb"


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> Maker:
    return Maker(tmp_path_factory.mktemp("maker"))


@pytest.fixture(scope="module")
def bundle(maker: Maker) -> Path:
    return maker.makes_plain(NEW)


@pytest.fixture
def slots(maker: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Slots]:
    with Slots(tmp_path, maker.certificate) as slots:
        for name, value in slots.environment.items():
            monkeypatch.setenv(name, value)
        yield slots


def engine(slots: Slots) -> RaucEngine:
    return RaucEngine(Rauc((f"--conf={slots.conf}",)))


def test_what_is_written_is_the_next_to_start(slots: Slots, bundle: Path, maker: Maker):
    percents: list[int] = []

    ran = engine(slots).install(bundle, percents.append)

    assert ran.good, ran.err
    assert percents == sorted(percents)
    assert percents[-1] == 100
    assert slots.counters.read_text() == "BOOT_A_LEFT=3\nBOOT_B_LEFT=3\nBOOT_ORDER=B A\n"
    written = (slots.folder / "b").read_bytes()[: maker.slot.stat().st_size]
    assert written == maker.slot.read_bytes()


def test_a_slot_that_cannot_be_written_is_never_started(slots: Slots, bundle: Path):
    (slots.folder / "b").unlink()

    ran = engine(slots).install(bundle, lambda _: None)

    assert not ran.good
    assert "slot" in ran.err or "No such file" in ran.err
    assert slots.asks("get-primary") == "A"
    assert slots.asks("get-state", "B") == "bad"


def test_the_power_goes_while_it_is_written_and_the_old_one_starts(slots: Slots, bundle: Path):
    assert slots.service
    service = slots.service
    given_up = threading.Event()

    def power_goes() -> None:
        # With the first block that is written.
        while not given_up.wait(0.001):
            if (slots.folder / "b").stat().st_blocks:
                os.kill(service.pid, signal.SIGKILL)
                return

    cutting = threading.Thread(target=power_goes)
    cutting.start()
    ran = engine(slots).install(bundle, lambda _: None)
    given_up.set()
    cutting.join()

    assert not ran.good
    assert service.ends() == -signal.SIGKILL
    assert slots.asks("get-primary") == "A"
    assert slots.counters.read_text() == "BOOT_A_LEFT=3\nBOOT_B_LEFT=0\nBOOT_ORDER=A B\n"

    service.close()
    slots.loses_power()
    slots.serves()
    assert engine(slots).install(bundle, lambda _: None).good, "the next one succeeds"


def test_the_marks_of_the_judge_are_the_counters_of_the_start(slots: Slots):
    marks = [engine(slots).mark(*mark) for mark in (("active", "other"), ("bad", "booted"), ("good", "other"))]

    assert all(mark.good for mark in marks)
    assert slots.counters.read_text() == "BOOT_A_LEFT=0\nBOOT_B_LEFT=3\nBOOT_ORDER=B A\n"


def test_the_counters_are_written_in_their_place(slots: Slots):
    before = slots.counters.stat()

    slots.asks("set-state", "A", "bad")

    after = slots.counters.stat()
    assert (after.st_ino, after.st_size) == (before.st_ino, before.st_size), "one sector, which is old or new"


@pytest.mark.parametrize("left", ["", "BOOT_A_LEFT=", "BOOT_A_LEFT=2\nBOOT_ORDER=B", "\0" * 43, "BOOT_ORDER=C D\n"])
def test_damaged_counters_are_none(slots: Slots, left: str):
    slots.counters.write_text(left)

    assert slots.asks("get-primary") == "A"
    slots.asks("set-primary", "B")
    assert slots.counters.read_text() == "BOOT_A_LEFT=3\nBOOT_B_LEFT=3\nBOOT_ORDER=B A\n"
