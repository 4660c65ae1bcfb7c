# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What a change of the configuration promises: checked, switched, looked at, and kept or taken back."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from omafon.client import Json, NoDaemon
from omafon.config import ConfigError, load
from omafon.provision.generations import KEPT, Busy
from omafon.provision.report import Outcome
from omafon.provision.transaction import Refusal
from omafon.provision.waiting import waiting
from tests.lab.faraway import DEAF, REFUSED, SECOND_LOGIN, SILENT, WRONG, FarAway, text


@pytest.fixture
def phone(tmp_path: Path) -> Iterator[FarAway]:
    """A phone that runs with generation 1, called Oma."""
    phone = FarAway(tmp_path)
    phone.transaction().apply(text("Oma"), "phone.toml", offline=True)
    phone.starts()
    yield phone
    phone.close()


def name(phone: FarAway) -> str:
    return load(phone.file).phone.name


def outcomes(phone: FarAway) -> dict[int, str]:
    return {number: phone.generations.meta(number).outcome for number in phone.generations.numbers()}


def test_a_good_change_is_in_force_and_the_phone_has_it(phone):
    report = phone.transaction().apply(text("Opa"), "phone.toml")

    assert (report.outcome, report.generation, report.previous) == (Outcome.APPLIED, 2, 1)
    assert [str(check) for check in report.checks] == [
        "the configuration: good",
        "line home: good",
        "voice: good",
        "display: good",
        "SSH: good",
    ]
    assert (name(phone), phone.config.phone.name) == ("Opa", "Opa")
    assert waiting(phone.generations) is None


def test_the_same_again_changes_nothing(phone):
    report = phone.transaction().apply(text("Oma").replace("\n", "\r\n"), "phone.toml")

    assert report.outcome is Outcome.UNCHANGED
    assert phone.generations.numbers() == [1]


def test_only_another_password_is_a_change(phone):
    assert phone.transaction().apply(text("Oma", "neu"), "phone.toml").outcome is Outcome.APPLIED
    assert load(phone.file).line[0].password == "neu"


@pytest.mark.parametrize(
    ("change", "why", "seconds"),
    [
        (text("Opa", WRONG), "line home: not registered (403 Forbidden)", 5),
        (text("Opa", host=SILENT), "line home: not registered (no answer yet)", 62),
        (text("Opa", voice=DEAF), "voice: no such card", 62),
        (text(REFUSED), "the configuration: the board has no such pins", 2),
        (text("no-ssh"), "SSH: the server does not greet any more", 62),
    ],
)
def test_a_change_that_does_harm_is_taken_back(phone, change, why, seconds):
    before = phone.boottime()

    report = phone.transaction().apply(change, "phone.toml")

    assert report.outcome is Outcome.FAILED
    assert report.what == f"generation 2 is gone ({why}); generation 1 is in force again"
    assert report.cure == "Correct the file, and apply it again."
    assert "it is not well with it, and goes back: a minute at most" in phone.told
    assert all(check.good for check in report.checks)
    assert (name(phone), phone.config.phone.name) == ("Oma", "Oma")
    assert (phone.generations.meta(2).outcome, phone.generations.meta(2).reason) == ("rolled back", why)
    assert phone.boottime() - before < seconds


def test_a_line_that_was_not_registered_before_need_not_be_if_it_stays_as_it_was(tmp_path):
    phone = FarAway(tmp_path)
    phone.transaction().apply(text("Oma", WRONG), "phone.toml", offline=True)
    phone.starts()

    assert phone.transaction().apply(text("Opa", WRONG), "phone.toml").outcome is Outcome.APPLIED


def test_a_phone_that_was_deaf_may_stay_so(tmp_path):
    phone = FarAway(tmp_path)
    phone.transaction().apply(text("Oma", voice=DEAF), "phone.toml", offline=True)
    phone.starts()

    assert phone.transaction().apply(text("Opa", voice=DEAF), "phone.toml").outcome is Outcome.APPLIED


def test_a_disk_that_fails_half_way_has_the_old_configuration_in_force_again(phone):
    # A file is written beside its place first: there it cannot be any more, while the phone takes the change.
    phone.in_(0.1, (phone.folder / "unconfirmed.json.new").mkdir)

    report = phone.transaction().apply(text("Opa"), "phone.toml", confirm_within_s=60.0)

    assert report.outcome is Outcome.FAILED
    assert "Is a directory" in report.what
    assert (name(phone), phone.config.phone.name) == ("Oma", "Oma")
    assert waiting(phone.generations) is None


def test_a_change_that_breaks_what_cannot_come_back_says_so(phone):
    phone.in_(30, lambda: setattr(phone, "runs", False))

    report = phone.transaction().apply(text("Opa", host=SILENT), "phone.toml")

    assert (report.outcome, report.no_phone) == (Outcome.STUCK, True)
    assert report.what.endswith("generation 1 is in force again, but no phone answers at control")
    assert name(phone) == "Oma"


def test_without_a_phone_nothing_is_changed(phone):
    phone.runs = False

    with pytest.raises(NoDaemon):
        phone.transaction().apply(text("Opa"), "phone.toml")

    assert (name(phone), phone.generations.numbers()) == ("Oma", [1])


def test_before_there_is_a_phone_a_change_says_what_was_not_checked(tmp_path):
    phone = FarAway(tmp_path, runs=False)

    report = phone.transaction().apply(text("Oma"), "omafon.toml", offline=True)

    assert (report.outcome, report.unchecked[0]) == (Outcome.APPLIED, "whether the lines register")
    assert waiting(phone.generations) is None


def test_the_first_configuration_of_all_is_gone_again_if_it_does_harm(tmp_path):
    phone = FarAway(tmp_path)
    phone.starts()

    report = phone.transaction().apply(text("Oma", WRONG), "phone.toml")

    assert report.what.endswith("no configuration is in force again, but not all is as it was")
    assert not phone.file.is_symlink()


def test_every_error_is_told_before_anything_changes(phone):
    with pytest.raises(ConfigError) as refused:
        phone.transaction().apply('[phone]\nnam = "Opa"\n[sip]\nport = "x"\n', "phone.toml")

    assert [problem.line for problem in refused.value.problems] == [2, 4]
    assert phone.generations.numbers() == [1]


def test_a_call_that_the_change_would_cut_off_is_waited_for(phone):
    phone.in_call = True
    phone.in_(1200, phone.hangs_up)

    report = phone.transaction().apply(text("Opa"), "phone.toml")

    assert report.outcome is Outcome.APPLIED
    assert phone.told == ["a call goes on; the phone takes it when that has ended (--now would not wait)"]
    assert phone.boottime() > 2200


def test_who_waits_is_told_what_for_and_only_when_that_is_something_else(phone):
    phone.transaction().apply(text("Opa", host=SILENT), "phone.toml")

    assert phone.told == [
        "waiting for line home: not registered (no answer yet)",
        "it is not well with it, and goes back: a minute at most",
    ]


def test_now_does_not_wait_for_the_end_of_a_call(phone):
    phone.in_call = True

    assert phone.transaction().apply(text("Opa"), "phone.toml", now=True).outcome is Outcome.APPLIED
    assert phone.boottime() < 1010


def test_after_the_call_the_phone_has_a_minute_to_get_well(phone):
    phone.in_call = True
    phone.in_(1200, phone.hangs_up)

    assert phone.transaction().apply(text("Opa", host=SILENT), "phone.toml").outcome is Outcome.FAILED
    assert 2260 < phone.boottime() < 2270


# Confirming.


def test_what_nobody_confirms_goes_back(phone):
    report = phone.transaction().apply(text("Opa"), "phone.toml", confirm_within_s=120)

    assert (report.outcome, phone.watchers, name(phone)) == (Outcome.UNCONFIRMED, 1, "Opa")
    assert report.confirm_by == pytest.approx(phone.unix() + 120, abs=1)
    phone.time_passes(121)

    assert (name(phone), phone.config.phone.name) == ("Oma", "Oma")
    assert outcomes(phone) == {1: "not checked", 2: "rolled back"}


def test_another_login_confirms(phone):
    phone.transaction().apply(text("Opa"), "phone.toml", confirm_within_s=120)
    phone.time_passes(119)

    assert phone.transaction(SECOND_LOGIN).confirm().outcome is Outcome.CONFIRMED
    phone.time_passes(5)

    assert (name(phone), outcomes(phone)[2]) == ("Opa", "confirmed")


def test_the_login_that_applied_cannot_confirm(phone):
    phone.transaction().apply(text("Opa"), "phone.toml", confirm_within_s=120)

    with pytest.raises(Refusal, match="this login applied it, and cannot show that another one succeeds"):
        phone.transaction().confirm()


def test_too_late_is_too_late(phone):
    phone.transaction().apply(text("Opa"), "phone.toml", confirm_within_s=120)
    phone.sleep(121)

    with pytest.raises(Refusal, match="it is too late: generation 2 is going back"):
        phone.transaction(SECOND_LOGIN).confirm()


def test_a_boot_takes_back_what_was_not_confirmed(phone):
    phone.transaction().apply(text("Opa"), "phone.toml", confirm_within_s=86_400)

    phone.power_goes_and_comes()

    assert (name(phone), waiting(phone.generations)) == ("Oma", None)


def test_a_restart_of_the_service_is_no_boot(phone):
    phone.transaction().apply(text("Opa"), "phone.toml", confirm_within_s=86_400)

    assert phone.transaction().roll_back_at_boot().outcome is Outcome.NOTHING
    assert name(phone) == "Opa"


def test_while_one_change_waits_there_is_no_other(phone):
    phone.transaction().apply(text("Opa"), "phone.toml", confirm_within_s=120)

    with pytest.raises(Refusal, match="generation 2 waits for its confirmation") as refused:
        phone.transaction(SECOND_LOGIN).apply(text("Tante"), "phone.toml")

    assert refused.value.busy


def test_the_owner_may_take_back_what_waits(phone):
    phone.transaction().apply(text("Opa"), "phone.toml", confirm_within_s=120)

    assert phone.transaction().rollback().outcome is Outcome.ROLLED_BACK
    assert (name(phone), waiting(phone.generations)) == ("Oma", None)


def test_without_anybody_who_would_take_it_back_nothing_waits(phone):
    phone.watchers_come = False

    report = phone.transaction().apply(text("Opa"), "phone.toml", confirm_within_s=120)

    assert report.outcome is Outcome.FAILED
    assert "nobody is there who would take it back" in report.what
    assert name(phone) == "Oma"


def test_a_note_of_what_waits_that_says_nothing_leads_back(phone):
    phone.transaction().apply(text("Opa"), "phone.toml")
    (phone.folder / "unconfirmed.json").write_text("{")

    phone.power_goes_and_comes()

    assert name(phone) == "Oma"


# Going back.


def test_rollback_goes_to_the_one_before_or_to_any_that_is_kept(phone):
    phone.transaction().apply(text("Opa"), "phone.toml")
    phone.transaction().apply(text("Tante"), "phone.toml")

    assert phone.transaction().rollback().generation == 2
    assert phone.transaction().rollback(1).generation == 1
    assert phone.transaction().rollback(3).generation == 3
    assert (name(phone), phone.config.phone.name) == ("Tante", "Tante")


def test_there_is_no_way_back_from_the_first(phone):
    with pytest.raises(Refusal, match="there is no generation to go back to"):
        phone.transaction().rollback()
    with pytest.raises(Refusal, match="there is no generation 9"):
        phone.transaction().rollback(9)


def test_a_rollback_stays_even_if_it_is_not_well(phone):
    phone.transaction().apply(text("Opa", WRONG), "phone.toml", offline=True)
    phone.starts()
    phone.transaction().apply(text("Tante"), "phone.toml")

    report = phone.transaction().rollback()

    assert (report.outcome, report.generation, name(phone)) == (Outcome.STUCK, 2, "Opa")
    assert "line home: not registered (403 Forbidden)" in report.as_text()


def test_five_generations_that_held_are_kept_and_the_newest_that_did_not(phone):
    for number in range(2, 10):
        phone.transaction().apply(text(f"Phone {number}"), "phone.toml")
        phone.transaction().apply(text(f"Phone {number}", WRONG), "phone.toml")

    assert len([number for number, outcome in outcomes(phone).items() if outcome != "rolled back"]) == KEPT
    assert list(outcomes(phone).values()).count("rolled back") == 1
    assert len(list((phone.folder / "generations").iterdir())) == KEPT + 1


# The owner's files.


def test_a_file_written_by_hand_is_kept_as_a_generation(tmp_path):
    phone = FarAway(tmp_path)
    phone.file.write_text(text("Oma", "handwritten"))
    phone.starts()

    phone.transaction().apply(text("Opa"), "phone.toml")

    assert outcomes(phone) == {1: "found", 2: "applied"}
    assert "handwritten" not in phone.generations.text(1)
    assert phone.transaction().rollback().generation == 1
    assert load(phone.file).line[0].password == "handwritten"


def test_an_editor_that_replaces_the_link_loses_no_password(phone):
    edited = phone.file.read_text().replace("Oma", "Edith")
    phone.file.unlink()
    phone.file.write_text(edited)

    report = phone.transaction().apply(edited, "phone.toml")

    assert report.outcome is Outcome.UNCHANGED
    assert outcomes(phone) == {1: "not checked", 2: "found"}
    assert (load(phone.file).line[0].password, phone.config.phone.name) == ("geheim", "Edith")


def test_a_note_that_says_nothing_leaves_a_file_written_by_hand(tmp_path):
    phone = FarAway(tmp_path)
    phone.file.write_text(text("Oma"))
    (phone.folder / "unconfirmed.json").write_text("{")

    phone.power_goes_and_comes()

    assert name(phone) == "Oma"


def test_what_was_edited_within_a_generation_is_one_of_its_own(phone):
    phone.file.write_text(phone.file.read_text().replace("Oma", "Edith"))

    phone.transaction().apply(text("Opa"), "phone.toml")

    assert {number: phone.generations.text(number).split('"')[1] for number in (2, 3)} == {2: "Edith", 3: "Opa"}
    assert phone.generations.secrets(2) == {"line-home": "geheim"}


def test_a_file_that_is_no_toml_is_kept_too(tmp_path):
    phone = FarAway(tmp_path)
    phone.file.write_text("name = [\n")
    phone.starts()

    phone.transaction().apply(text("Opa"), "phone.toml")

    assert phone.generations.text(1) == "name = [\n"


def test_a_file_without_its_passwords_keeps_those_that_were(phone):
    without = phone.file.read_text().replace("Oma", "Opa")

    assert phone.transaction().apply(without, "phone.toml").outcome is Outcome.APPLIED
    assert load(phone.file).line[0].password == "geheim"


def test_a_credential_that_is_not_there_is_an_error_with_its_line_where_nobody_can_be_asked(tmp_path):
    phone = FarAway(tmp_path, runs=False)
    unknown = text("Oma").replace('password = "geheim"', 'password_credential = "of-the-service"')

    with pytest.raises(ConfigError, match=r'phone\.toml, line 8: the credential "of-the-service" is not here'):
        phone.transaction().apply(unknown, "phone.toml", offline=True)


def test_secrets_are_for_the_phone_and_its_owner_only(phone):
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (phone.folder / "generations").rglob("*") if path.is_file()}
    folders = {stat.S_IMODE(path.stat().st_mode) for path in (phone.folder / "generations").rglob("*") if path.is_dir()}

    assert (modes, folders) == ({0o640}, {0o750})


def test_no_secret_is_in_anything_but_its_own_file(phone):
    phone.transaction().apply(text("Opa", "canary"), "phone.toml", confirm_within_s=120)

    holders = [path for path in phone.folder.rglob("*") if path.is_file() and b"canary" in path.read_bytes()]

    assert [path.relative_to(phone.folder) for path in holders] == [Path("generations/2/credentials/line-home")]


# Who else is there.


def test_one_changes_at_a_time(phone):
    with phone.generations.locked(), pytest.raises(Busy):
        phone.transaction().apply(text("Opa"), "phone.toml")


def test_what_somebody_left_half_way_is_taken_back_by_the_next(phone):
    phone.transaction().apply(text("Opa"), "phone.toml", confirm_within_s=120)
    note = phone.folder / "unconfirmed.json"
    left = json.loads(note.read_text())
    note.write_text(json.dumps({**left, "wants": "health"}))

    report = phone.transaction().apply(text("Tante"), "phone.toml")

    assert (report.outcome, report.previous) == (Outcome.APPLIED, 1)
    assert phone.generations.meta(2).reason == "nobody looked at it to the end"


def test_what_is_stopped_by_its_owner_goes_back(phone):
    def interrupts() -> None:
        raise KeyboardInterrupt

    phone.in_(0.5, interrupts)

    report = phone.transaction().apply(text("Opa"), "phone.toml")

    assert report.what == "generation 2 is gone (it was interrupted); generation 1 is in force again"


class Ended(FarAway):
    """Who goes back is ended in the instant between the disk and the phone."""

    def reload(self, *, now: bool) -> Json:
        if self.generations.current() == 1 and not self.at:
            self.at = [(0.0, self.clear)]
            raise KeyboardInterrupt
        return super().reload(now=now)

    def clear(self) -> None:
        """The second time nobody ends it."""


@pytest.fixture
def ended(tmp_path: Path) -> Iterator[FarAway]:
    phone = Ended(tmp_path)
    phone.transaction().apply(text("Oma"), "phone.toml", offline=True)
    phone.starts()
    yield phone
    phone.close()


def test_who_is_ended_between_disk_and_phone_leaves_it_to_who_watches_and_that_one_does_not_wait(ended):
    with pytest.raises(KeyboardInterrupt):
        ended.transaction().apply(text("Opa", WRONG), "phone.toml")
    assert (name(ended), ended.config.phone.name) == ("Oma", "Opa")
    before = ended.boottime()

    ended.transaction().roll_back_when_due()

    assert (name(ended), ended.config.phone.name) == ("Oma", "Oma")
    assert waiting(ended.generations) is None
    assert ended.generations.meta(2).reason == "line home: not registered (403 Forbidden)"
    assert ended.boottime() - before < 5


def test_what_is_half_taken_back_cannot_be_confirmed_any_more(ended):
    ended.transaction().apply(text("Opa"), "phone.toml", confirm_within_s=600.0)
    with pytest.raises(KeyboardInterrupt):
        ended.transaction().rollback()

    with pytest.raises(Refusal, match="it is too late: generation 2 is going back"):
        ended.transaction(SECOND_LOGIN).confirm()


def test_a_phone_that_does_not_run_with_what_is_in_force_is_asked_to(phone):
    phone.taken = None

    assert phone.transaction().apply(text("Oma"), "phone.toml").outcome is Outcome.UNCHANGED
    assert phone.taken == 1
