# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What a phone starts with when its configuration, or its start, went wrong."""

import stat
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from omafon.config import ConfigError
from omafon.core.events import RunsWith
from omafon.interfaces import DriverError
from omafon.upkeep.choosing import Choice, Means, choose
from omafon.upkeep.configuration import read_configuration, salvaged
from omafon.upkeep.last_good import LastGood
from omafon.upkeep.starts import Count, Starts

GOOD = '[phone]\nname = "Oma"\n'
WRONG = '[phone]\nboard = "mk1"\nlanguage = "en"\nnaem = "Oma"\n'
LINE = '[[line]]\nname = "home"\naor = "sip:100@example.org"\npassword_credential = "sip-home"\n'
SECRET = "canary of the line"


class Machine:
    """Where a phone starts: the owner's file, what the phone kept, and whether a service manager looks after it."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "phone.toml"
        self.control = folder / "control"
        self.state = folder / "state"
        self.state.mkdir()

    @property
    def means(self) -> Means:
        return Means(partial(read_configuration, self.file), Starts(self.control), LastGood(self.state))

    def kept(self, text: str) -> None:
        """The phone came up with `text` once."""
        file = self.state.parent / "good.toml"
        file.write_text(text)
        LastGood(self.state).keep(read_configuration(file))

    def failed(self, times: int, why: str = "") -> None:
        starts = Starts(self.control)
        for _ in range(times):
            starts.begin()
        starts.failed_because(why)

    def starts(self) -> Choice:
        return choose(self.means, partial(salvaged, self.file))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture
def service(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setenv("NOTIFY_SOCKET", "/nobody/there")
    return machine


def test_a_phone_starts_with_what_its_owner_wrote(service):
    service.file.write_text(GOOD)
    service.kept('[phone]\nname = "Opa"\n')

    choice = service.starts()

    assert (choice.configuration.config.phone.name, choice.refusal, choice.safe_mode) == ("Oma", None, False)


def test_a_file_that_is_wrong_is_replaced_by_the_last_good_one(service):
    service.file.write_text(WRONG)
    service.kept(GOOD)

    choice = service.starts()

    assert choice.configuration.config.phone.name == "Oma"
    assert choice.refusal is not None
    assert (choice.refusal.runs_with, choice.refusal.line) == (RunsWith.LAST_GOOD, 4)
    assert "naem" in str(choice.refused)


def test_a_file_that_is_wrong_with_nothing_good_before_is_safe_mode(service):
    service.file.write_text(WRONG)

    choice = service.starts()

    assert choice.safe_mode
    assert choice.configuration.config.line == ()
    assert (choice.configuration.config.phone.board, choice.configuration.settings.language) == ("mk1", "en")


def test_by_hand_a_file_that_is_wrong_is_an_error(machine, monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    machine.file.write_text(WRONG)

    with pytest.raises(ConfigError):
        machine.starts()


def test_three_starts_that_failed_are_enough_for_the_last_good_one(service):
    service.file.write_text(GOOD.replace("Oma", "Opa"))
    service.kept(GOOD)

    service.failed(2)
    assert service.starts().configuration.config.phone.name == "Opa"

    service.failed(1, "port 5060 is taken")
    choice = service.starts()
    assert choice.configuration.config.phone.name == "Oma"
    assert choice.refused == "the phone did not start 3 times in a row: port 5060 is taken"


def test_with_nothing_to_go_back_to_a_file_that_can_be_read_is_tried_on(service):
    service.file.write_text(GOOD)
    service.failed(5)
    assert service.starts().refusal is None

    service.failed(1)
    assert service.starts().safe_mode


def test_six_starts_that_failed_are_safe_mode_whatever_was_good(service):
    service.file.write_text(GOOD)
    service.kept(GOOD)
    service.failed(6)

    choice = service.starts()

    assert choice.safe_mode
    assert choice.refusal is not None
    assert choice.refusal.line is None


def test_by_hand_no_start_is_held_against_the_phone(machine, monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    machine.file.write_text(GOOD)
    machine.failed(9)

    assert machine.starts().refusal is None


def test_a_start_that_succeeded_begins_the_count_anew_but_the_phone_knows_how_often_it_began(machine):
    machine.failed(3)

    starts = Starts(machine.control)
    starts.begin()
    starts.succeeded()

    assert Starts(machine.control).count == Count(begun=4)


def test_a_phone_that_ended_in_order_leaves_no_count(machine):
    starts = Starts(machine.control)
    starts.begin()

    starts.ended()

    assert Starts(machine.control).count == Count()
    assert list(machine.control.parent.glob("control*")) == []


@pytest.mark.parametrize("text", ["", "{}[", '{"begun": "x"}', '{"more": 1}', "[]", "\x00"])
def test_a_count_that_cannot_be_read_counts_nothing(machine, text):
    machine.control.with_name("control.starts").write_text(text)

    assert Starts(machine.control).count == Count()


def test_the_last_good_configuration_comes_with_its_secrets_which_nobody_else_may_read(machine, tmp_path, monkeypatch):
    credentials = tmp_path / "systemd"
    credentials.mkdir()
    (credentials / "sip-home").write_text(SECRET)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    machine.kept(LINE)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")

    good = LastGood(machine.state).load()

    assert good is not None
    assert good.config.line[0].password == SECRET
    assert SECRET not in repr(good)
    for path in (machine.state / "last-good").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_the_last_good_configuration_is_written_when_it_is_another_and_not_before(machine):
    machine.kept(GOOD)
    place = machine.state / "last-good"
    before = place.stat().st_ino

    machine.kept(GOOD)
    assert place.stat().st_ino == before

    machine.kept(WRONG.replace("naem", "name"))
    assert place.stat().st_ino != before
    assert sorted(path.name for path in machine.state.iterdir()) == ["last-good"]


def test_a_power_cut_between_two_renames_loses_nothing(machine):
    machine.kept(GOOD)
    (machine.state / "last-good").rename(machine.state / "last-good.old")

    good = LastGood(machine.state).load()

    assert good is not None
    assert good.config.phone.name == "Oma"


def test_what_only_a_driver_knows_to_be_wrong_refuses_the_configuration_too(machine):
    machine.file.write_text(GOOD)

    def check(_: object) -> None:
        raise DriverError("no certificates there", "Write them.")

    with pytest.raises(ConfigError, match="no certificates there"):
        read_configuration(machine.file, None, check)


Break = Callable[[Path], None]


@pytest.mark.parametrize(
    "breaks",
    [
        lambda file: None,
        lambda file: file.write_bytes(b"\xff\xfe\x00"),
        lambda file: file.write_text('[phone]\nboard = "no such board"\n'),
        lambda file: file.mkdir(),
        lambda file: file.symlink_to(file.name),
    ],
    ids=["missing", "not text", "unknown board", "a directory", "a loop"],
)
def test_whatever_the_file_is_there_is_a_phone_to_tell_it(service, breaks: Break):
    breaks(service.file)

    choice = service.starts()

    assert choice.safe_mode
    assert choice.configuration.config.phone.board == "virtual"
