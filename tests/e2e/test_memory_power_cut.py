# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What the phone remembers: how often the card is written to, and what is left when it is stopped at any instant."""

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

from omafon.core.causes import Cause
from omafon.core.events import Event
from omafon.core.memory import Direction, HistoryEntry, Memory
from omafon.core.settings import Route
from omafon.drivers.store import FileStore
from tests.lab.powercut import PowerCutDisk
from tests.lab.program import needs

CALLS = 50
CUTS = 150
KEPT_CALLS = 12


def strace(*words: str | Path, out: Path) -> subprocess.CompletedProcess[str]:
    command = [needs("strace", "strace"), "-f", "-o", str(out), *map(str, words)]
    return subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)


def test_a_day_of_fifty_calls_is_fifty_writes(tmp_path):
    state, out = tmp_path / "state", tmp_path / "calls"

    done = strace(
        *("-e", "trace=fsync,fdatasync,sync,syncfs,rename,renameat,renameat2"),
        *(sys.executable, "-m", "tests.lab.day", state, str(CALLS)),
        out=out,
    )

    assert done.returncode == 0, done.stderr
    renamed = re.findall(r"memory\.json\.new.*memory\.json\"", out.read_text())
    synced = re.findall(r"\b(?:fsync|fdatasync|sync|syncfs)\(", out.read_text())
    # Volumes went along with the calls; each write flushes the file, and then its name.
    assert len(renamed) == CALLS
    assert len(synced) == 2 * CALLS
    with Store(state) as store:
        assert len(store.load().history) == CALLS


class Store:
    """One that is open within its `with`, and what it has told."""

    def __init__(self, directory: Path) -> None:
        self.told: list[Event] = []
        self._store = FileStore(self.told.append, directory)

    def __enter__(self) -> FileStore:
        self._store.open()
        return self._store

    def __exit__(self, *_: object) -> None:
        self._store.close()


def memory(calls: int) -> Memory:
    """After so many of them."""
    call = HistoryEntry(Direction.IN, "+4930231250", "sip:oma@x.org", "Oma", Route.ENUM, 1e9, 1.5, True, Cause.NORMAL)
    return Memory((call,) * min(calls, KEPT_CALLS), handset_volume=calls % 101)


ONE_MORE = """
import sys
from collections import Counter
from pathlib import Path
from tests.e2e.test_memory_power_cut import Store, memory

with Store(Path(sys.argv[1])) as store:
    store.load()
    store.keep(memory(KEPT + 1))
print("kept", flush=True)
""".replace("KEPT", str(KEPT_CALLS))


def one_more(state: Path, out: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Keep one more call than before, under strace's eye for what touches the state directory and its files."""
    with Store(state) as store:
        store.keep(memory(KEPT_CALLS))
    touching = [word for name in ("", "memory.json", "memory.json.new") for word in ("-P", state / name)]
    return strace(*touching, *words, sys.executable, "-c", ONE_MORE, state, out=out)


def test_a_phone_killed_at_any_system_call_remembers_the_call_or_not_and_never_half(tmp_path):
    state, out = tmp_path / "state", tmp_path / "calls"
    assert one_more(state, out).returncode == 0
    # strace counts each system call of each thread for itself.
    made = Counter(re.findall(r"^(\d+) +(\w+)\(", out.read_text(), re.MULTILINE))
    most = {name: max(made[key] for key in made if key[1] == name) for _, name in made}

    for name, count in most.items():
        for when in range(1, count + 1):
            done = one_more(state, out, "-e", f"inject={name}:signal=SIGKILL:when={when}")

            assert done.returncode != 0
            survived = Store(state)
            with survived as store:
                found = store.load()
            assert survived.told == []
            assert found == memory(KEPT_CALLS + 1) or ("kept" not in done.stdout and found == memory(KEPT_CALLS))
    # To open, write, flush and close a file, to rename it, and to flush its name.
    assert {"openat", "write", "fsync", "close", "rename"} <= most.keys()


def test_after_a_power_cut_at_any_instant_the_phone_remembers_all_that_was_kept(tmp_path):
    disk = PowerCutDisk(tmp_path)
    with disk:
        state = disk.place / "state"
        state.mkdir()
        with Store(state) as store:
            store.keep(memory(0))
        os.sync()
        disk.mark("0")
        for number in range(1, 12):
            with Store(state) as store:
                store.load()
                store.keep(memory(number))
            disk.mark(str(number))

    for cut in disk.cuts(CUTS, seed=1):
        kept = int(cut.marks[-1])
        with cut.mounted() as place:
            survived = Store(place / "state")
            with survived as store:
                assert store.load() in (memory(kept), memory(kept + 1))
            assert survived.told == []
