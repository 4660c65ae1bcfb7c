# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Any history of changes, confirmations, ways back, boots and power cuts leaves one whole configuration."""

import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from omafon.client import NoDaemon
from omafon.config import load
from omafon.provision.generations import KEPT
from omafon.provision.report import Outcome, Report
from omafon.provision.transaction import Refusal
from omafon.provision.waiting import waiting
from tests.lab.faraway import OWNER, REFUSED, SECOND_LOGIN, SILENT, WRONG, FarAway, text

CHANGES = ("open", "os.rename", "os.symlink", "os.remove", "os.mkdir", "os.rmdir")


class PowerCut(BaseException):
    """The program ends here, whatever it was about to do."""


class Power:
    """Goes before the `left`-th thing that is done to a file."""

    def __init__(self) -> None:
        self.left: int | None = None
        sys.addaudithook(self._look)

    def _look(self, event: str, _: tuple[Any, ...]) -> None:
        if self.left is None or event not in CHANGES:
            return
        self.left -= 1
        if self.left <= 0:
            self.left = None
            raise PowerCut


POWER = Power()


def version(phone: FarAway) -> str:
    """What is in force. Text and secret are of one generation, so the password belongs to the name."""
    config = load(phone.file)
    password = config.line[0].password
    assert password in (f"of-{config.phone.name}", WRONG)
    return config.phone.name


class Histories(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        # In memory: what the disk makes of it is tested with one that loses power.
        self.folder = Path(tempfile.mkdtemp(dir="/dev/shm"))
        self.phone = FarAway(self.folder)
        self.kept = "first"
        self.waits: str | None = None
        self.next = 0

    @initialize()
    def begins(self) -> None:
        self.phone.transaction().apply(text("first", "of-first"), "phone.toml", offline=True)
        self.phone.starts()

    def teardown(self) -> None:
        self.phone.close()
        shutil.rmtree(self.folder)

    def fresh(self) -> str:
        self.next += 1
        return f"v{self.next}"

    def change(self, act: Callable[[], Report]) -> Report | None:
        """What became of it; None when it was refused, and then nothing has changed."""
        before = (version(self.phone), waiting(self.phone.generations) is None)
        try:
            return act()
        except (Refusal, NoDaemon):
            after = (version(self.phone), waiting(self.phone.generations) is None)
            assert after == before or self.waits is None
            return None

    @rule(confirm=st.sampled_from([None, 60.0, 600.0]))
    def a_good_one_is_applied(self, confirm: float | None) -> None:
        name = self.fresh()
        report = self.change(
            lambda: self.phone.transaction().apply(text(name, f"of-{name}"), "phone.toml", confirm_within_s=confirm)
        )
        if report is None:
            return
        assert report.outcome is (Outcome.UNCONFIRMED if confirm else Outcome.APPLIED)
        self.kept, self.waits = (self.kept, name) if confirm else (name, None)

    @rule(how=st.sampled_from([WRONG, SILENT, REFUSED]), confirm=st.sampled_from([None, 60.0]))
    def a_bad_one_is_applied(self, how: str, confirm: float | None) -> None:
        name = REFUSED if how == REFUSED else self.fresh()
        password = WRONG if how == WRONG else f"of-{name}"
        host = SILENT if how == SILENT else "example.org"
        report = self.change(
            lambda: self.phone.transaction().apply(
                text(name, password, host=host), "phone.toml", confirm_within_s=confirm
            )
        )
        assert report is None or report.outcome is Outcome.FAILED

    @rule()
    def the_same_is_applied(self) -> None:
        report = self.change(lambda: self.phone.transaction().apply(text(self.kept, f"of-{self.kept}"), "phone.toml"))
        assert report is None or report.outcome is Outcome.UNCHANGED

    @rule(session=st.sampled_from([OWNER, SECOND_LOGIN]))
    def somebody_confirms(self, session: Any) -> None:
        report = self.change(lambda: self.phone.transaction(session).confirm())
        assert (report is not None) == (self.waits is not None and session is SECOND_LOGIN)
        if report is not None and self.waits is not None:
            self.kept, self.waits = self.waits, None

    @rule()
    def the_owner_goes_back(self) -> None:
        report = self.change(lambda: self.phone.transaction().rollback())
        if report is not None:
            assert report.outcome is Outcome.ROLLED_BACK
            if self.waits is None:
                self.kept = version(self.phone)
            self.waits = None

    @rule(seconds=st.sampled_from([1.0, 30.0, 700.0]))
    def time_passes(self, seconds: float) -> None:
        self.phone.time_passes(seconds)
        if waiting(self.phone.generations) is None:
            self.waits = None

    @rule()
    def the_machine_is_started_anew(self) -> None:
        self.phone.power_goes_and_comes()
        self.waits = None

    @precondition(lambda self: self.waits is None)
    @rule(after=st.integers(1, 60), confirm=st.sampled_from([None, 60.0]), good=st.booleans())
    def the_power_goes_while_one_is_applied(self, after: int, confirm: float | None, good: bool) -> None:
        name = self.fresh()
        new = text(name, f"of-{name}" if good else WRONG)
        self.cut(after, lambda: self.phone.transaction().apply(new, "phone.toml", confirm_within_s=confirm))
        assert version(self.phone) in ({self.kept, name} if good and confirm is None else {self.kept})
        self.kept = version(self.phone)

    @precondition(lambda self: self.waits is not None)
    @rule(after=st.integers(1, 20))
    def the_power_goes_while_one_is_confirmed(self, after: int) -> None:
        acknowledged = self.cut(after, lambda: self.phone.transaction(SECOND_LOGIN).confirm())
        assert version(self.phone) in ({self.waits} if acknowledged else {self.kept, self.waits})
        self.kept, self.waits = version(self.phone), None

    @precondition(lambda self: self.waits is not None)
    @rule(after=st.integers(1, 20))
    def the_power_goes_while_one_is_taken_back(self, after: int) -> None:
        self.cut(after, lambda: self.phone.transaction().rollback())
        assert version(self.phone) == self.kept
        self.waits = None

    def cut(self, after: int, act: Callable[[], Report]) -> bool:
        """Do `act` until the power goes, and boot; whether it had come to its end."""
        POWER.left = after
        try:
            act()
            done = True
        except PowerCut:
            done = False
        finally:
            POWER.left = None
        self.phone.power_goes_and_comes()
        return done

    @invariant()
    def one_whole_configuration_is_in_force(self) -> None:
        expected = self.waits or self.kept
        assert version(self.phone) == expected
        assert (waiting(self.phone.generations) is None) == (self.waits is None)

    @invariant()
    def the_phone_runs_with_it(self) -> None:
        assert self.phone.config is not None
        assert self.phone.config.phone.name == (self.waits or self.kept)
        assert self.phone.taken == self.phone.generations.current()

    @invariant()
    def few_generations_are_kept(self) -> None:
        # Beside those that held, the newest that did not; and what waits, or what was staged when the power went.
        assert len(self.phone.generations.numbers()) <= KEPT + 2


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
