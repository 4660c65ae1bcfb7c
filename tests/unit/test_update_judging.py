# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Whether another version may stay: it is judged by the telephone, not by having started."""

from pathlib import Path

import pytest

from omafon.provision.health import Good
from omafon.update.judging import WITHIN_S, Judgement, judge
from omafon.update.record import Pending
from tests.lab.renewed import NEW, OLD, Renewed, well

ALL = Good(lines=("home",), drivers=("voice", "ringer", "display", "keypad"), ssh=True)
UNDER_WAY = Pending(str(NEW), str(OLD), "A", "B", ALL, 7, written=True)


@pytest.fixture
def updated(tmp_path: Path) -> Renewed:
    """NEW is written into B, and has just started from it."""
    desk = Renewed(tmp_path, order=["B", "A"], left={"A": 3, "B": 3})
    desk.record.begin(UNDER_WAY)
    desk.boots()
    return desk


def judged(desk: Renewed) -> Judgement:
    return judge(desk.world())


def outcome(desk: Renewed) -> tuple[str, str]:
    last = desk.record.last()
    assert last is not None
    return last.stage, last.why


def test_a_version_in_which_all_is_as_before_stays(updated: Renewed):
    judgement = judged(updated)

    assert judgement.stay
    assert updated.left == {"A": 3, "B": 3}, "the tries are counted anew"
    assert outcome(updated) == ("good", "")
    assert updated.record.pending() is None
    assert [stage for stage, _ in updated.stages] == ["judging", "good"]
    assert updated.restarts == 0


def test_a_line_that_registers_after_two_minutes_is_in_time(updated: Renewed):
    updated.status_of["B"] = well(home=False)
    updated.in_(120.0, lambda: updated.status_of.update(B=well()))

    assert judged(updated).stay


@pytest.mark.parametrize(
    ("now", "why"),
    [
        (well(home=False), "line home: not registered (503 Busy)"),
        (well(voice="no such card"), "voice: no such card"),
        (well(generation=6), "the configuration: the phone has not taken it yet"),
        ({**well(), "config": {**well()["config"], "safe_mode": True}}, "the configuration: the phone is in safe mode"),
        ({**well(), "lines": []}, "line home: the phone does not know it"),
    ],
)
def test_a_version_in_which_something_is_worse_is_left_after_three_minutes(updated: Renewed, now: dict, why: str):
    updated.status_of["B"] = now
    began = updated.hours

    judgement = judged(updated)

    assert not judgement.stay
    assert updated.hours - began == WITHIN_S == 180.0
    assert (updated.order[0], updated.left["B"]) == ("A", 0)
    assert updated.restarts == 1
    updated.boots()
    judged(updated)
    assert updated.slot == "A"
    assert outcome(updated) == ("back", why)
    assert updated.stages[-1] == ("back", 0)


def test_a_version_without_a_telephone_is_left(updated: Renewed):
    updated.runs = False

    assert not judged(updated).stay
    assert updated.restarts == 1


def test_a_machine_that_cannot_be_reached_by_ssh_any_more_is_left(updated: Renewed):
    updated.ssh = False

    assert not judged(updated).stay


def test_what_was_not_well_before_need_not_be_now(updated: Renewed):
    updated.record.begin(Pending(str(NEW), str(OLD), "A", "B", Good(drivers=("display",)), None, False, written=True))
    updated.status_of["B"] = {**well(home=False, voice="no such card"), "config": {"safe_mode": True}}

    assert judged(updated).stay


def test_what_is_good_for_a_moment_only_is_not_good(updated: Renewed):
    updated.in_(3.0, lambda: updated.status_of.update(B=well(voice="no such card")))

    assert not judged(updated).stay


def test_who_speaks_when_it_goes_back_speaks_to_the_end(updated: Renewed):
    updated.status_of["B"] = well(home=False)
    updated.in_call = True
    updated.in_(WITHIN_S + 60.0, lambda: setattr(updated, "in_call", False))
    restarted_at = []
    updated.in_(WITHIN_S + 59.0, lambda: restarted_at.append(updated.restarts))

    judged(updated)

    assert restarted_at == [0]
    assert updated.restarts == 1


def test_a_version_that_never_starts_is_told_as_such(updated: Renewed):
    for _ in range(3):
        updated.boots()

    judged(updated)

    assert updated.slot == "A"
    assert outcome(updated) == ("back", f"{NEW} did not start")
    assert (updated.order, updated.left) == (["A", "B"], {"A": 3, "B": 0})


def test_a_power_cut_while_it_is_judged_only_costs_a_try(updated: Renewed):
    updated.boots()

    assert judged(updated).stay
    assert updated.left["B"] == 3


def test_a_power_cut_between_the_verdict_and_its_marks_is_no_way_out(updated: Renewed):
    """The reason is on the disk first: what starts next, the reason is told there."""
    updated.record.begin(Pending(str(NEW), str(OLD), "A", "B", ALL, 7, written=True, bad="line home: gone"))
    updated.slot = "A"

    judged(updated)

    assert outcome(updated) == ("back", "line home: gone")


def test_a_power_cut_while_it_was_written_is_told_and_has_changed_nothing(tmp_path: Path):
    desk = Renewed(tmp_path)
    desk.record.begin(Pending(str(NEW), str(OLD), "A", "B", ALL, 7))
    desk.boots()

    judgement = judged(desk)

    assert judgement.stay
    assert outcome(desk) == ("failed", "the power went while it was written")
    assert (desk.order[0], desk.left) == ("A", {"A": 3, "B": 0})


def test_an_ordinary_start_is_good_as_soon_as_the_telephone_answers(tmp_path: Path):
    desk = Renewed(tmp_path, status_of={"A": well(home=False, voice="no such card")})
    desk.boots()

    assert judged(desk).stay
    assert desk.left["A"] == 3
    assert (desk.stages, desk.record.last()) == ([], None)


def test_three_starts_without_a_telephone_try_the_other_slot(tmp_path: Path):
    desk = Renewed(tmp_path, runs=False, left={"A": 3, "B": 3})
    for _ in range(3):
        desk.boots()
        judged(desk)

    desk.boots()

    assert desk.slot == "B"
    assert desk.restarts == 0, "it is not restarted for that: the owner may be looking"
