# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The corridor that every errand walks: in from any thread, through the core, out to the drivers that changed."""

import asyncio
import signal
import threading
from pathlib import Path

import pytest
from PIL.Image import Image

from omafon.app import House, Place, live
from omafon.config import Config
from omafon.core.actions import Action, PlaceCall, QueryNaptr
from omafon.core.causes import Tone
from omafon.core.events import (
    ClockChanged,
    ConfigApplied,
    Event,
    HookLifted,
    Key,
    KeyPressed,
    NumberDialled,
    PairingAsked,
    PairingId,
    RegistrationChanged,
)
from omafon.core.glass import Glass
from omafon.core.memory import Memory
from omafon.core.screen import Lamps, PairingWish, SoundLevels
from omafon.drivers.control import ControlSocket
from omafon.inbox import Inbox
from omafon.interfaces import Post
from omafon.outbox import Drivers
from omafon.story import tell
from omafon.upkeep.choosing import Choice, Means
from omafon.upkeep.configuration import read_configuration
from omafon.upkeep.image import SIGNALS
from omafon.upkeep.last_good import LastGood
from omafon.upkeep.starts import Count, Starts
from tests.unit.world import SETTINGS


class Told:
    """Every driver at once; keeps what it was told."""

    def __init__(self) -> None:
        self.sounds: list[SoundLevels] = []
        self.frames: list[Image] = []
        self.lamps: list[Lamps] = []
        self.memories: list[Memory] = []
        self.actions: list[Action] = []
        self.wishes: list[PairingWish | None] = []

    def open(self) -> None: ...

    def close(self) -> None: ...

    def load(self) -> Memory:
        return Memory()

    def keep(self, memory: Memory) -> None:
        self.memories.append(memory)

    def pair(self, wish: PairingWish | None) -> None:
        self.wishes.append(wish)

    def sound(self, levels: SoundLevels) -> None:
        self.sounds.append(levels)

    def show(self, frame: Image) -> None:
        self.frames.append(frame)

    def look(self, glass: Glass) -> None: ...

    def light(self, lamps: Lamps) -> None:
        self.lamps.append(lamps)

    def perform(self, action: Action) -> None:
        self.actions.append(action)

    def fresh(self, within_s: float) -> bool:
        return True

    @property
    def bad_packets(self) -> int:
        return 0


class OtherCalls(Told):
    """The call engine and the bell are both told the sound: so they are two."""


@pytest.fixture
async def house(tmp_path: Path):
    house = House(asyncio.get_running_loop())
    told, bell = Told(), OtherCalls()
    drivers = Drivers(
        store=told,
        sound=bell,
        calls=told,
        resolver=told,
        display=told,
        source=told,
        pairing=told,
        requests=told,
        reports=told,
    )
    house.furnish(drivers, Memory(), ControlSocket(house.inbox.post, house, tmp_path / "control"), None)
    house.inbox.post(ConfigApplied(SETTINGS))
    await asyncio.sleep(0)
    yield house, told, bell
    house.close()


async def test_a_level_is_told_once_and_to_everybody_concerned(house):
    phone, told, bell = house
    before = len(told.sounds)

    phone.inbox.post(HookLifted())
    phone.inbox.post(HookLifted())
    await asyncio.sleep(0)

    assert [levels.tone for levels in told.sounds[before:]] == [Tone.DIAL]
    assert bell.sounds[-1] == told.sounds[-1]


async def test_a_picture_goes_to_the_display_when_it_changed_and_not_before(house):
    phone, told, _ = house
    phone.inbox.post(HookLifted())
    await asyncio.sleep(0)
    before = len(told.frames)

    phone.inbox.post(KeyPressed(Key.MUTE))
    phone.inbox.post(KeyPressed(Key.DIGIT_1))
    await asyncio.sleep(0)

    assert len(told.frames) == before + 1


async def test_another_phone_is_looked_for_until_the_person_gives_up(house):
    phone, told, _ = house

    phone.inbox.post(PairingAsked())
    phone.inbox.post(KeyPressed(Key.VOLUME_UP))
    phone.inbox.post(KeyPressed(Key.END))
    await asyncio.sleep(0)

    assert told.wishes == [PairingWish(PairingId(1), SETTINGS.name, ""), None]


async def test_a_question_goes_to_the_directory_and_a_call_to_the_engine(house):
    phone, told, _ = house

    for key in "03023125002#":
        phone.inbox.post(KeyPressed(Key(key)))
    phone.inbox.post(HookLifted())
    await asyncio.sleep(0)

    assert [type(action) for action in told.actions] == [QueryNaptr]


async def test_what_a_driver_says_while_it_is_closed_is_nobodys(house):
    phone, told, _ = house
    before = phone.phone

    phone.close()
    phone.inbox.post(HookLifted())
    await asyncio.sleep(0)

    assert phone.phone == before
    assert told.actions == []


class Leaving(OtherCalls):
    """A call engine that is told of its farewell from the registrar while it is closed; asks to end when opened."""

    def __init__(self, post: Post) -> None:
        super().__init__()
        self._post = post

    def open(self) -> None:
        signal.raise_signal(signal.SIGTERM)

    def close(self) -> None:
        self._post(RegistrationChanged("home", False, 200, "OK", 0, None))


async def test_a_recorded_phone_with_a_line_ends_in_peace(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    def wiring(config: Config, state: Path, post: Post) -> Drivers:
        told = Told()
        return Drivers(
            store=told,
            sound=told,
            calls=Leaving(post),
            resolver=told,
            display=told,
            source=told,
            pairing=told,
            requests=told,
            reports=told,
        )

    file = tmp_path / "phone.toml"
    file.write_text("")
    place = Place(tmp_path, tmp_path / "control", tmp_path / "recording")
    means = Means(lambda: read_configuration(file), Starts(place.control), LastGood(place.state))
    async with asyncio.timeout(5.0):
        begins_anew = await live(Choice(read_configuration(file)), wiring, means, place)
    await asyncio.sleep(0)

    assert [record.getMessage() for record in caplog.records if record.name == "asyncio"] == []
    assert not begins_anew
    assert "StopRequested" in (tmp_path / "recording").read_text()
    assert not (tmp_path / "control").exists()


class Reloading(OtherCalls):
    """A call engine that is opened while the owner's file changes, and, where `told_to_end`, closed by a SIGTERM."""

    def __init__(self, *, told_to_end: bool) -> None:
        super().__init__()
        self._told_to_end = told_to_end

    def open(self) -> None:
        signal.raise_signal(signal.SIGHUP)

    def close(self) -> None:
        if self._told_to_end:
            signal.raise_signal(signal.SIGTERM)


@pytest.mark.parametrize("told_to_end", [False, True])
async def test_a_phone_that_begins_anew_still_ends_when_it_is_told_to(tmp_path: Path, told_to_end: bool):
    def wiring(config: Config, state: Path, post: Post) -> Drivers:
        told, calls = Told(), Reloading(told_to_end=told_to_end)
        return Drivers(
            store=told,
            sound=told,
            calls=calls,
            resolver=told,
            display=told,
            source=told,
            pairing=told,
            requests=told,
            reports=told,
        )

    file = tmp_path / "phone.toml"
    file.write_text("")
    place = Place(tmp_path, tmp_path / "control")
    means = Means(lambda: read_configuration(file), Starts(place.control), LastGood(place.state))
    choice = Choice(read_configuration(file))
    file.write_text("[sip]\nport = 5070\n")
    async with asyncio.timeout(5.0):
        begins_anew = await live(choice, wiring, means, place)
    held = signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)

    assert begins_anew is not told_to_end
    assert (signal.SIGTERM in held) is begins_anew
    assert means.starts.count == (Count() if told_to_end else Count(begun=1))


async def test_a_deadline_wakes_the_core_by_itself(house):
    phone, told, _ = house
    settings = SETTINGS.__class__(**{f: getattr(SETTINGS, f) for f in SETTINGS.__slots__} | {"dial_timeout_s": 0.05})
    phone.inbox.post(ConfigApplied(settings))
    phone.inbox.post(HookLifted())
    phone.inbox.post(KeyPressed(Key.DIGIT_2))

    async with asyncio.timeout(2.0):
        while not any(isinstance(action, PlaceCall) for action in told.actions):
            await asyncio.sleep(0.005)


async def test_events_of_other_threads_arrive_in_their_order():
    taken: list[Event] = []
    inbox = Inbox(asyncio.get_running_loop(), lambda event, now: taken.append(event))
    wanted = [KeyPressed(Key(str(i % 10))) for i in range(200)]

    thread = threading.Thread(target=lambda: [inbox.post(event) for event in wanted])
    thread.start()
    async with asyncio.timeout(2.0):
        while len(taken) < len(wanted) + 1:
            await asyncio.sleep(0.001)
    thread.join()

    assert isinstance(taken[0], ClockChanged)
    assert taken[1:] == wanted


async def test_an_event_after_the_end_is_nobodys():
    loop = asyncio.new_event_loop()
    inbox = Inbox(loop, lambda event, now: None)
    loop.close()

    inbox.post(HookLifted())


@pytest.mark.parametrize(
    ("word", "line"),
    [
        (KeyPressed(Key.DIGIT_4), "key pressed: a digit"),
        (KeyPressed(Key.CALL), "key pressed: call"),
        (HookLifted(), "hook lifted"),
        (NumberDialled("(030)23125-002"), "number dialled: 030…02"),
        (NumberDialled("12345"), "number dialled: 1…5"),
    ],
)
def test_the_log_tells_the_story_without_what_was_dialled(word: Event, line: str):
    assert tell(word) == line
