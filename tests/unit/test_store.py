# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What survives a power cut."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omafon.core.causes import Cause
from omafon.core.events import Driver, DriverFailed, DriverRecovered, Event
from omafon.core.memory import HISTORY_LENGTH, Address, Direction, HistoryEntry, Member, Memory, Reach
from omafon.core.settings import Route
from omafon.drivers.store import FileStore
from omafon.interfaces import DriverError

OMA = HistoryEntry(Direction.IN, "+4930123456", "sip:oma@example.net", "Oma", Route.ENUM, 1e9, 12.4, True, Cause.NORMAL)
LOUD = Memory((OMA,), handset_volume=100)


class House:
    """Hears what a store posts."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._more = threading.Condition()

    def post(self, event: Event) -> None:
        with self._more:
            self.events.append(event)
            self._more.notify()

    def hears(self, kind: type[Event]) -> Event:
        with self._more:
            assert self._more.wait_for(lambda: any(isinstance(event, kind) for event in self.events), 5)
        return next(event for event in self.events if isinstance(event, kind))


@contextmanager
def a_store(directory: Path, house: House | None = None) -> Iterator[FileStore]:
    store = FileStore((house or House()).post, directory)
    store.open()
    try:
        yield store
    finally:
        store.close()


def test_a_new_phone_remembers_nothing(tmp_path):
    house = House()

    with a_store(tmp_path / "state", house) as store:
        assert store.load() == Memory()

    assert house.events == []


def test_two_phones_never_keep_their_memory_in_the_same_place(tmp_path):
    with a_store(tmp_path / "state"):
        second = FileStore(House().post, tmp_path / "state")
        with pytest.raises(DriverError, match="another phone keeps its memory in") as refused:
            second.open()
        second.close()

    assert "--state" in refused.value.cure
    with a_store(tmp_path / "state") as store:
        assert store.load() == Memory()


def test_what_was_kept_is_there_after_a_restart(tmp_path):
    with a_store(tmp_path) as store:
        store.keep(LOUD)

    with a_store(tmp_path) as store:
        assert store.load() == LOUD


def test_of_many_memories_in_a_hurry_the_newest_is_kept(tmp_path):
    with a_store(tmp_path) as store:
        for volume in range(101):
            store.keep(Memory(handset_volume=volume))

    with a_store(tmp_path) as store:
        assert store.load().handset_volume == 100


def test_a_memory_just_loaded_is_not_written_again(tmp_path):
    with a_store(tmp_path) as store:
        store.keep(LOUD)
    written = (tmp_path / "memory.json").stat()

    with a_store(tmp_path) as store:
        store.keep(store.load())

    assert (tmp_path / "memory.json").stat().st_ino == written.st_ino


def test_the_history_is_for_the_phone_alone(tmp_path):
    with a_store(tmp_path) as store:
        store.keep(LOUD)

    assert (tmp_path / "memory.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"{", b'{"handset_volume": 900}', b"[" * 100_000, b'{"history": [{}]}'])
def test_a_broken_memory_is_set_aside_and_told(tmp_path, content):
    (tmp_path / "memory.json").write_bytes(content)
    house = House()

    with a_store(tmp_path, house) as store:
        assert store.load() == Memory()
        store.keep(LOUD)

    assert (tmp_path / "memory.json.broken").read_bytes() == content
    assert house.events == [
        DriverFailed(Driver.STORE, "the memory was broken and begins anew"),
        DriverRecovered(Driver.STORE),
    ]
    with a_store(tmp_path) as store:
        assert store.load() == LOUD


def test_a_disk_that_takes_nothing_is_told_and_so_is_its_recovery(tmp_path):
    house = House()
    with a_store(tmp_path, house) as store:
        obstacle = tmp_path / "memory.json.new"
        obstacle.mkdir()
        store.keep(LOUD)
        failed = house.hears(DriverFailed)

        obstacle.rmdir()
        store.keep(Memory(handset_volume=20))
        house.hears(DriverRecovered)

    assert failed == DriverFailed(Driver.STORE, "the memory cannot be written: Is a directory")
    with a_store(tmp_path) as store:
        assert store.load().handset_volume == 20


def test_a_directory_that_cannot_be_made_is_an_error_with_a_cure(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(DriverError, match="cannot be made") as refused:
        FileStore(House().post, tmp_path / "file" / "state").open()
    assert "--state" in refused.value.cure


ENTRIES = st.builds(HistoryEntry, at=st.floats(0, 1e10), duration_s=st.floats(0, 1e6))
MEMORIES = st.builds(
    Memory,
    st.lists(ENTRIES, max_size=5).map(tuple),
    handset_volume=st.integers(0, 100),
    ringer_volume=st.integers(0, 100),
)


@given(MEMORIES)
def test_any_memory_comes_back_as_it_was(tmp_path_factory, memory):
    directory = tmp_path_factory.mktemp("state")

    with a_store(directory) as store:
        store.keep(memory)

    with a_store(directory) as store:
        assert store.load() == memory


@given(st.binary())
def test_any_bytes_on_the_disk_leave_a_phone_that_starts(tmp_path_factory, content):
    directory = tmp_path_factory.mktemp("state")
    (directory / "memory.json").write_bytes(content)

    with a_store(directory) as store:
        assert isinstance(store.load(), Memory)


def test_a_long_history_is_cut_to_its_newest_calls(tmp_path):
    with a_store(tmp_path) as store:
        store.keep(Memory((OMA,) * (HISTORY_LENGTH + 20)))

    with a_store(tmp_path) as store:
        assert len(store.load().history) == HISTORY_LENGTH


WRITER = """
import sys
from pathlib import Path
from omafon.core.memory import Memory
from omafon.drivers.store import FileStore

store = FileStore(print, Path(sys.argv[1]), settle_s=0.0)
store.open()
memory = store.load()
print("begins", flush=True)
while True:
    volume = (memory.handset_volume + 1) % 101
    memory = Memory(memory.history, handset_volume=volume, ringer_volume=100 - volume)
    store.keep(memory)
"""


def test_a_writer_killed_at_any_moment_leaves_a_whole_memory(tmp_path):
    with a_store(tmp_path) as store:
        store.keep(Memory((OMA,) * HISTORY_LENGTH, handset_volume=0, ringer_volume=100))
    file = tmp_path / "memory.json"

    for _ in range(5):
        before = file.stat().st_ino
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"begins\n"
        while file.stat().st_ino == before:
            assert writer.poll() is None
        writer.kill()
        writer.communicate()

        house = House()
        with a_store(tmp_path, house) as store:
            memory = store.load()
        assert house.events == []
        assert memory.handset_volume + memory.ringer_volume == 100
        assert memory.history == (OMA,) * HISTORY_LENGTH


def test_a_member_of_the_family_is_on_the_disk_at_once_and_gone_at_once(tmp_path):
    store = FileStore(lambda _: None, tmp_path, settle_s=1000.0)
    store.open()
    store.keep(Memory(family=(MEMBER,)))
    joined = until_kept(tmp_path, "omafon-00112233aabbccdd")
    store.keep(Memory())
    parted = until_kept(tmp_path, '"family":[]')
    store.close()

    assert joined.family == (MEMBER,)
    assert parted.family == ()


MEMBER = Member(
    "omafon-00112233aabbccdd", "Oma", "+4930123456", "ab" * 32, (Address("192.168.0.7", 5061, Reach.LAN),), 1.7e9
)


def until_kept(directory: Path, text: str) -> Memory:
    """What is on the disk once it holds `text`."""
    pause, kept = threading.Event(), ""
    for _ in range(500):
        kept = (directory / "memory.json").read_text() if (directory / "memory.json").exists() else ""
        if text in kept:
            return msgspec.json.decode(kept, type=Memory)
        pause.wait(0.01)
    raise AssertionError(f"never kept; at last: {kept}")
