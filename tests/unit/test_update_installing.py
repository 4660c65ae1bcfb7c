# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Root's part of an update: when it writes, what it remembers before, and that nobody is cut off."""

import json
import os
import stat
from pathlib import Path

import pytest

from omafon.programs import Ran
from omafon.provision.health import Good
from omafon.update import bundle as bundles
from omafon.update.bundle import Rauc
from omafon.update.installing import install
from omafon.update.judging import judge
from omafon.update.record import Pending
from omafon.update.version import Version, running
from tests.lab.one_block import BUNDLE, ROOT, SALT
from tests.lab.renewed import NEW, OLD, Renewed, well


class Describing(Rauc):
    """RAUC that knows one bundle: of `version`, of one block."""

    def __init__(self, version: str) -> None:
        super().__init__((version,))

    def asked(self, *words: str) -> Ran:
        if "--output-format=json" in words:
            facts = {"compatible": bundles.COMPATIBLE, "version": self.options[0], "build": None}
            return Ran(True, json.dumps(facts))
        return Ran(True, f"Verity Salt: '{SALT}'\nVerity Hash: '{ROOT}'\nVerity Size: 4096\n")


@pytest.fixture
def desk(tmp_path: Path) -> Renewed:
    """NEW was left by the owner's account."""
    desk = Renewed(tmp_path, rauc=Describing(str(NEW)))
    desk.record.incoming.write_bytes(BUNDLE)
    return desk


def test_an_idle_telephone_is_updated_at_once(desk: Renewed):
    told = install(desk.world(), OLD, now=False)

    assert (told.stage, told.version) == ("restarting", str(NEW))
    assert desk.stages == [*(("installing", far) for far in (0, 20, 60, 100)), ("restarting", 100)]
    assert desk.order[0] == "B"
    assert desk.restarts == 1


def test_what_was_good_before_is_remembered_over_the_restart(desk: Renewed):
    desk.status_of["A"] = {**well(voice="no such card"), "lines": [*well()["lines"], *well(home=False)["lines"]]}

    install(desk.world(), OLD, now=False)

    pending = desk.record.pending()
    before = Good(("home",), ("ringer", "display", "keypad"), True)
    assert pending == Pending(str(NEW), str(OLD), "A", "B", before, 7, written=True)


def test_who_speaks_is_waited_for_before_it_is_written(desk: Renewed):
    desk.in_call = True
    desk.in_(600.0, lambda: setattr(desk, "in_call", False))
    began = desk.hours

    install(desk.world(), OLD, now=False)

    assert desk.hours - began >= 600.0
    assert desk.stages[0] == ("waiting", 0)


def test_who_begins_to_speak_meanwhile_speaks_to_the_end(desk: Renewed):
    def is_called(bundle: Path) -> None:
        desk.in_call = True
        desk.in_(90.0, lambda: setattr(desk, "in_call", False))

    desk.while_writing = is_called
    restarts: list[int] = []
    desk.in_(80.0, lambda: restarts.append(desk.restarts))

    install(desk.world(), OLD, now=False)

    assert restarts == [0]
    assert ("waiting", 100) in desk.stages
    assert desk.restarts == 1


def test_now_waits_for_nobody(desk: Renewed):
    desk.in_call = True

    told = install(desk.world(), OLD, now=True)

    assert told.stage == "restarting"


def test_a_telephone_that_does_not_run_can_be_updated(desk: Renewed):
    desk.runs = False

    assert install(desk.world(), OLD, now=False).stage == "restarting"
    desk.boots()
    desk.runs = True
    assert judge(desk.world()).stay


def test_what_cannot_be_written_is_told_and_leaves_what_runs(desk: Renewed):
    desk.writes = Ran(False, err="Input/output error")

    told = install(desk.world(), OLD, now=False)

    assert (told.stage, told.why) == ("failed", "it could not be written: Input/output error")
    assert desk.stages[-1] == ("failed", 0)
    assert desk.record.pending() is None
    assert desk.record.last() == told
    desk.boots()
    assert desk.slot == "A"


@pytest.mark.parametrize(
    ("runs", "why"),
    [("0.3.0", "the bundle is older than what runs"), (str(NEW), "runs already")],
)
def test_root_looks_itself_whether_it_may_be_installed(desk: Renewed, runs: str, why: str):
    told = install(desk.world(), Version.read(runs), now=False)

    assert told.stage == "failed"
    assert why in told.why
    assert desk.left == {"A": 3, "B": 0}, "nothing was written"


def test_what_was_altered_is_not_written(desk: Renewed):
    content = bytearray(BUNDLE)
    content[77] ^= 1
    desk.record.incoming.write_bytes(content)

    assert install(desk.world(), OLD, now=False).why == "the bundle was altered after it was signed"


def test_a_version_that_is_not_judged_yet_is_not_followed_by_another(desk: Renewed):
    desk.record.begin(Pending(str(NEW), str(OLD), "A", "B", written=True))

    told = install(desk.world(), OLD, now=False)

    assert told.why == f"the update to {NEW} is not through yet"


def test_an_update_that_was_interrupted_can_be_begun_anew(desk: Renewed):
    desk.record.begin(Pending(str(NEW), str(OLD), "A", "B"))

    assert install(desk.world(), OLD, now=False).stage == "restarting"


def test_root_takes_the_bundle_away_from_the_account_that_left_it(desk: Renewed):
    seen: list[os.stat_result] = []

    def looks(bundle: Path) -> None:
        seen.append(bundle.stat())
        assert not desk.record.incoming.exists()

    desk.while_writing = looks
    desk.record.incoming.chmod(0o666)

    install(desk.world(), OLD, now=False)

    assert (stat.S_IMODE(seen[0].st_mode), seen[0].st_uid) == (0o600, os.geteuid())
    assert not desk.record.bundle.exists(), "the card needs the room"


def test_a_link_is_no_bundle(desk: Renewed):
    desk.record.incoming.unlink()
    desk.record.incoming.symlink_to("/etc/shadow")

    assert install(desk.world(), OLD, now=False).why == "there is no bundle to install"


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("0.9.0", "0.10.0"),
        ("0.2.0", "0.2.0+20261122.1845.abcdef0"),
        ("0.2.0+20261122.1845.fffffff", "0.2.0+20261122.1846.0000000"),
        ("0.2.0+20261231.2359", "0.2.1+20260101.0000"),
        ("1.0.0", "1.0.0.1"),
    ],
)
def test_versions_have_an_order(older: str, newer: str):
    assert Version.read(older) < Version.read(newer)


@pytest.mark.parametrize("text", ["", "new", "1.0-rc1", "1..0", "1.0+yesterday", "1.0\n", "1" * 40])
def test_what_is_no_version_is_refused(text: str):
    with pytest.raises(ValueError, match="no version"):
        Version.read(text)


def test_a_system_knows_its_version(tmp_path: Path):
    file = tmp_path / "usr/lib/os-release"
    file.parent.mkdir(parents=True)
    file.write_text(f"ID=debian\nIMAGE_ID=omafon\nIMAGE_VERSION={NEW}.dirty\n")

    assert running(tmp_path).text == f"{NEW}.dirty"
