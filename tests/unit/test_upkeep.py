# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What a running phone makes of a configuration that was written anew."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omafon.config import Config, ConfigError
from omafon.core.causes import Cause
from omafon.core.events import CallEnded, CallId, ConfigRefused, Event, IncomingCall, RegistrationChanged, RunsWith
from omafon.core.phone import step
from omafon.core.settings import Settings
from omafon.core.state import Phone
from omafon.upkeep.changes import changes, lines_in_use
from omafon.upkeep.choosing import Choice, Means
from omafon.upkeep.configuration import read_configuration
from omafon.upkeep.last_good import LastGood
from omafon.upkeep.reloading import Upkeep
from omafon.upkeep.starts import Starts

HOME = '[[line]]\nname = "home"\naor = "sip:100@example.org"\npassword = "one"\n'
WORK = '[[line]]\nname = "work"\naor = "sip:200@example.net"\npassword = "two"\n'
OMA = '[[contact]]\nname = "Oma"\nnumber = "+4930123456"\n'
OTHER_PORT = "[sip]\nport = 5070\n"


@dataclass
class Household:
    """A phone with an upkeep, its owner's file, and nothing that could break."""

    folder: Path
    phone: Phone = field(default_factory=Phone)
    configured: list[Config] = field(default_factory=list)
    starts_anew: int = 0
    healthy_after_s: float = 60.0

    def __post_init__(self) -> None:
        self.file = self.folder / "phone.toml"
        self.now = 1000.0
        self.calls = 0
        self.means = Means(
            lambda: read_configuration(self.file),
            Starts(self.folder / "control"),
            LastGood(self.folder),
            self.healthy_after_s,
        )

    def post(self, event: Event) -> None:
        self.phone, _ = step(self.phone, event, self.now)

    def configure(self, config: Config, settings: Settings) -> None:
        self.configured.append(config)

    def restart(self) -> None:
        self.starts_anew += 1

    def writes(self, *parts: str) -> None:
        """The owner writes phone.toml anew: tables of one first, then those that may be several."""
        self.file.write_text("".join(parts))

    def moves_in(self, *parts: str) -> Upkeep:
        self.writes(*parts)
        self.upkeep = Upkeep(Choice(self.means.read()), self.means, self.post)
        self.upkeep.move_in(self)
        return self.upkeep

    def is_called(self, line: str = "home") -> CallId:
        self.calls += 1
        call = CallId(f"in-{self.calls}")
        self.post(IncomingCall(call, "sip:opa@127.0.0.7", "Opa", "127.0.0.7", line))
        self.upkeep.settle()
        return call

    def hangs_up(self, call: CallId) -> None:
        self.post(CallEnded(call, Cause.NORMAL))
        self.upkeep.settle()

    @property
    def config(self) -> dict[str, object]:
        told = self.upkeep.status()["config"]
        assert isinstance(told, dict)
        return told


@pytest.fixture
async def house(tmp_path: Path):
    household = Household(tmp_path)
    yield household
    household.upkeep.close()


async def test_a_contact_is_taken_at_once_and_no_line_is_told_anything_else(house):
    upkeep = house.moves_in(HOME)
    house.is_called()

    house.writes(HOME, OMA)

    assert await upkeep.reload() == {"taken": "now", "generation": None}
    assert [person.name for person in house.phone.settings.contacts] == ["Oma"]
    assert house.configured[-1].line == house.means.read().config.line
    assert len(house.phone.calls) == 1


async def test_a_line_in_use_is_changed_when_its_call_has_ended(house):
    upkeep = house.moves_in(HOME)
    call = house.is_called()

    house.writes(HOME.replace("one", "three"), OMA)

    assert (await upkeep.reload())["taken"] == "when the call has ended"
    assert (house.configured, house.phone.settings.contacts) == ([], ())

    house.hangs_up(call)

    assert house.configured[-1].line[0].password == "three"
    assert len(house.phone.settings.contacts) == 1


async def test_a_line_in_use_is_changed_at_once_when_the_owner_says_now(house):
    upkeep = house.moves_in(HOME)
    house.is_called()

    house.writes(HOME.replace("one", "three"))

    assert (await upkeep.reload(at_once=True))["taken"] == "now"
    assert house.configured[-1].line[0].password == "three"


async def test_a_line_is_added_beside_a_call_on_another(house):
    upkeep = house.moves_in(HOME)
    house.is_called()

    house.writes(HOME, WORK)

    assert (await upkeep.reload())["taken"] == "now"
    assert [line.name for line in house.phone.lines] == ["home", "work"]


async def test_what_a_changed_line_was_registered_as_is_forgotten_at_once(house):
    upkeep = house.moves_in(HOME, WORK)
    for line in ("home", "work"):
        house.post(RegistrationChanged(line, True, 200, "OK", 300, None))

    house.writes(HOME.replace("one", "three"), WORK)
    await upkeep.reload()

    assert [line.registered for line in house.phone.lines] == [False, True]


async def test_a_password_that_only_moved_into_a_credential_changes_no_line(house):
    upkeep = house.moves_in(HOME)
    house.post(RegistrationChanged("home", True, 200, "OK", 300, None))
    house.is_called()
    credentials = house.folder / "credentials"
    credentials.mkdir()
    (credentials / "line-home").write_text("one\n")

    house.writes(HOME.replace("password =", "password_credential =").replace("one", "line-home"))

    assert (await upkeep.reload())["taken"] == "now"
    assert house.phone.lines[0].registered
    assert len(house.phone.calls) == 1


async def test_another_port_starts_the_phone_anew_when_nobody_would_notice(house):
    upkeep = house.moves_in(HOME)
    call = house.is_called()

    house.writes(OTHER_PORT, HOME)

    assert (await upkeep.reload())["taken"] == "when the call has ended"
    assert house.config["pending_restart"] is True
    assert house.starts_anew == 0

    house.hangs_up(call)

    assert house.starts_anew == 1


async def test_an_idle_phone_starts_anew_at_once(house):
    upkeep = house.moves_in()
    house.writes(OTHER_PORT)

    assert (await upkeep.reload())["taken"] == "restarting"
    assert house.starts_anew == 1


async def test_what_waited_is_dropped_when_the_owner_takes_it_back(house):
    upkeep = house.moves_in(HOME)
    call = house.is_called()
    house.writes(OTHER_PORT, HOME)
    await upkeep.reload()

    house.writes(HOME)

    assert (await upkeep.reload())["taken"] == "now"
    assert house.config["pending_restart"] is False
    house.hangs_up(call)
    assert house.starts_anew == 0


async def test_a_configuration_that_is_wrong_changes_nothing_but_is_told(house):
    upkeep = house.moves_in(HOME)
    call = house.is_called()
    before = (house.phone.settings, house.phone.calls, house.config["sha256"])

    house.writes("[phone]\nnaem = 1\n", HOME)

    with pytest.raises(ConfigError) as refused:
        await upkeep.reload()
    assert len(refused.value.problems) == 1
    assert (house.phone.settings, house.phone.calls, house.config["sha256"]) == before
    assert "naem" in str(house.config["refused"])
    assert house.phone.refusal == ConfigRefused(RunsWith.PREVIOUS, 2)
    house.hangs_up(call)
    assert house.configured == []


async def test_a_configuration_that_is_right_again_takes_the_refusal_back(house):
    upkeep = house.moves_in(HOME)
    house.writes("nonsense")
    with pytest.raises(ConfigError):
        await upkeep.reload()

    house.writes(HOME)
    await upkeep.reload()

    assert house.config["refused"] is None
    assert house.phone.refusal is None


async def test_what_waited_is_dropped_when_the_file_is_wrong_by_then(house):
    upkeep = house.moves_in(HOME)
    call = house.is_called()
    house.writes(OTHER_PORT, HOME)
    await upkeep.reload()

    house.writes("nonsense")
    with pytest.raises(ConfigError):
        await upkeep.reload()
    house.hangs_up(call)

    assert house.starts_anew == 0


async def test_the_generation_is_that_of_the_directory_the_link_leads_to(house):
    upkeep = house.moves_in(HOME)
    for number, text in ((6, HOME), (7, HOME + OMA)):
        generation = house.folder / "generations" / str(number)
        generation.mkdir(parents=True)
        (generation / "phone.toml").write_text(text)

    house.file.unlink()
    house.file.symlink_to("generations/7/phone.toml")

    assert await upkeep.reload() == {"taken": "now", "generation": 7}
    assert house.config["generation"] == 7


async def test_a_phone_in_safe_mode_starts_anew_with_what_is_right(house):
    house.writes(HOME)
    choice = Choice(house.means.read(), ConfigRefused(RunsWith.NOTHING, 3), "line 3 is wrong")
    house.upkeep = Upkeep(choice, house.means, house.post)
    house.upkeep.move_in(house)

    assert (await house.upkeep.reload())["taken"] == "restarting"
    assert house.starts_anew == 1


async def test_a_phone_in_safe_mode_tries_anew_after_a_while(house):
    house.writes(HOME)
    choice = Choice(house.means.read(), ConfigRefused(RunsWith.NOTHING), "it did not start")
    means = replace(house.means, safe_for_s=0.01)
    house.upkeep = Upkeep(choice, means, house.post)
    house.upkeep.move_in(house)
    house.upkeep.ready()

    await until(lambda: house.starts_anew == 1)

    assert means.starts.count.failed == 0


async def test_a_configuration_the_phone_came_up_with_is_kept(tmp_path: Path):
    house = Household(tmp_path, healthy_after_s=0.01)
    house.moves_in(HOME).ready()

    await until((tmp_path / "last-good" / "phone.toml").exists)
    house.upkeep.close()

    assert house.means.starts.count.failed == 0
    assert (tmp_path / "last-good" / "phone.toml").read_text() == HOME


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(5.0):
        while not holds():
            await asyncio.sleep(0.005)


PORTS = ("", OTHER_PORT)
LINES = ("", HOME, HOME.replace("one", "three"), WORK)
BROKEN = "[phone]\nnaem = 1\n"


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_whatever_is_written_and_whenever_no_call_is_cut_off_and_nothing_is_mixed(seed, tmp_path_factory):
    asyncio.run(_some_weeks(random.Random(seed), tmp_path_factory.mktemp("house")))


async def _some_weeks(chance: random.Random, folder: Path) -> None:
    """An owner who writes what comes to mind, and a phone that is used meanwhile."""
    house = Household(folder)
    accepts = '[incoming]\naccept = ["anyone"]\n'
    upkeep = house.moves_in(accepts, HOME)
    runs = house.means.read()
    for _ in range(60):
        in_use = lines_in_use(house.phone)
        configured, restarted = len(house.configured), house.starts_anew
        if chance.random() < 0.3:
            house.writes(chance.choice((*PORTS, BROKEN)), accepts, *chance.sample(LINES, chance.randrange(3)))
            try:
                await upkeep.reload()
            except ConfigError:
                assert (len(house.configured), house.starts_anew) == (configured, restarted)
        elif chance.random() < 0.5:
            house.is_called(chance.choice(("home", "work")))
        elif house.phone.calls:
            house.hangs_up(chance.choice(house.phone.calls).id)
        in_use &= lines_in_use(house.phone)

        told = house.config
        if house.starts_anew > restarted:
            assert not house.phone.calls
        elif len(house.configured) > configured:
            taken = house.configured[-1]
            difference = changes(runs, replace(runs, config=taken))
            assert not difference.restart
            assert not difference.lines & in_use
            runs = replace(runs, config=taken)
        assert [line.name for line in house.phone.settings.lines] == [line.name for line in runs.config.line]
        assert told["safe_mode"] is False
    upkeep.close()
