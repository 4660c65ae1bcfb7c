# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A change is killed before each of its system calls: what is left is the old configuration or the new one, whole."""

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from omafon.config import load
from omafon.provision.waiting import waiting
from tests.lab.faraway import FarAway, text
from tests.lab.killing import Killing

# Those that change nothing outside the process. Before the next other call, the world is as it is before them.
QUIET = (
    *("brk", "clock_gettime", "close", "fcntl", "fstat", "futex", "getdents64", "getegid", "geteuid", "getpid"),
    *("getppid", "getrandom", "getsid", "getuid", "ioctl", "lseek", "madvise", "mmap", "mprotect", "mremap", "munmap"),
    *("newfstatat", "pread64", "read", "readlink", "rt_sigaction", "rt_sigprocmask", "sched_yield", "stat", "statx"),
)


@pytest.fixture(scope="module")
def killing() -> Iterator[Killing]:
    with TemporaryDirectory() as folder, Killing(Path(folder)) as killing:
        yield killing


@pytest.fixture
def folder() -> Iterator[Path]:
    # In memory: what the disk makes of it is tested with one that loses power.
    with TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


def a_phone(folder: Path) -> FarAway:
    """With an old configuration in force, and another before that."""
    phone = FarAway(folder)
    for name in ("oldest", "old"):
        phone.transaction().apply(text(name, f"of-{name}"), "phone.toml", offline=True)
    phone.starts()
    return phone


def in_force(phone: FarAway) -> str:
    """Text and secret are of one generation."""
    config = load(phone.file)
    assert config.line[0].password == f"of-{config.phone.name}"
    return config.phone.name


def one_that_is_tried(phone: FarAway) -> None:
    phone.transaction().apply(text("new", "of-new"), "phone.toml", confirm_within_s=60)
    phone.close()


@pytest.mark.parametrize(
    ("words", "tried", "lead_to"),
    [
        (("apply", text("new", "of-new")), False, {"old", "new"}),
        (("confirm",), True, {"old", "new"}),
        (("rollback",), False, {"oldest", "old"}),
        (("rollback",), True, {"old"}),
        (("boot",), True, {"old"}),
    ],
    ids=["a change", "a confirmation", "a way back", "a way back from what is tried", "a boot"],
)
def test_killed_before_any_system_call_the_old_or_the_new_is_left(killing, folder, words, tried, lead_to):
    (folder / "made").mkdir()
    phone = a_phone(folder / "made")
    if tried:
        one_that_is_tried(phone)
    shutil.copytree(phone.folder, folder / "whole", symlinks=True)
    whole = killing.runs(folder / "whole", *words)
    assert whole.code == 0
    seen: Counter[str] = Counter()
    left = set()
    for number, call in enumerate(whole.calls):
        seen[call] += 1
        if call in QUIET:
            continue
        place = folder / f"killed-{number}"
        shutil.copytree(phone.folder, place, symlinks=True)

        run = killing.runs(place, *words, killed_before=(call, seen[call]))

        assert run.code is None or call == "exit_group"
        after = FarAway(place, boot=2)
        assert in_force(after) in lead_to | ({"new"} if tried else set())
        after.power_goes_and_comes()
        assert in_force(after) in lead_to
        assert waiting(after.generations) is None
        left.add(in_force(after))
        shutil.rmtree(place)
    assert left == lead_to
