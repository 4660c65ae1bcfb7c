# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What the phone knows of the time of day, and how it notices that somebody has set it."""

import asyncio
import os
import time
from dataclasses import replace

import pytest

from omafon.clock import Clock, SystemClock
from omafon.config import EnumConfig
from omafon.core.dialplan import E164
from omafon.core.events import DnsError
from omafon.core.present import screen
from omafon.core.settings import DnssecPolicy, Settings, Tree
from omafon.core.state import Clock as PhoneClock
from omafon.core.state import Phone
from omafon.drivers.dns import DnsResolver
from omafon.drivers.timekeeper import LOOK_S, Timekeeper


def nobody_keeps_it() -> bool:
    return False


def a_server_keeps_it() -> bool:
    return True


@pytest.mark.parametrize(
    ("written_in_s", "keeps", "is_set"),
    [
        (-60.0, nobody_keeps_it, True),
        (+3600.0, nobody_keeps_it, False),
        (+3600.0, a_server_keeps_it, True),
    ],
    ids=["written before", "written later than now", "written by a clock that was wrong"],
)
def test_the_time_is_not_before_the_phone_last_wrote(tmp_path, written_in_s, keeps, is_set):
    memory = tmp_path / "memory.json"
    memory.write_text("{}")
    os.utime(memory, (0, time.time() + written_in_s))

    assert SystemClock(memory, keeps)().is_set is is_set


def test_a_phone_that_has_written_nothing_yet_believes_a_clock_of_its_time(tmp_path):
    assert SystemClock(tmp_path / "nothing", nobody_keeps_it)().is_set


class SlowClock:
    """Set at the third look."""

    def __init__(self) -> None:
        self.looks = 0

    def __call__(self) -> Clock:
        self.looks += 1
        return Clock(0.0, is_set=self.looks > 2)


async def test_a_clock_that_is_not_set_is_looked_at_until_it_is():
    clock, looked = SlowClock(), asyncio.Queue[float]()
    loop = asyncio.get_running_loop()
    keeper = Timekeeper(loop, lambda: looked.put_nowait(loop.time()), clock)

    keeper.open()
    first, second, third = [await asyncio.wait_for(looked.get(), 5) for _ in range(3)]
    keeper.close()

    assert second - first == pytest.approx(LOOK_S, abs=0.5)
    assert third - second == pytest.approx(LOOK_S, abs=0.5)
    assert clock.looks == 3


async def test_name_servers_by_tls_are_not_asked_before_the_clock_is_set():
    enum = EnumConfig(trees=("e164.arpa",), servers=("tls://127.0.0.1",), dnssec={"e164.arpa": "off"})
    resolver = DnsResolver(lambda event: None, enum, wall_clock=lambda: Clock(0.0, is_set=False))
    resolver.open()

    found = await resolver.lookup("e164.arpa", E164("+442079460123"))
    resolver.close()

    assert found.error is DnsError.CLOCK
    assert "the clock is not set" in found.detail


@pytest.mark.parametrize(("language", "note"), [("de", "Uhr nicht gestellt"), ("en", "Clock is not set")])
def test_who_must_prove_numbers_sees_why_none_is_dialled(language, note):
    trees = (Tree("family.example.org", DnssecPolicy.REQUIRE),)
    phone = Phone(settings=Settings(language=language, trees=trees))

    assert screen(phone, 0.0).note == note
    assert screen(replace(phone, clock=PhoneClock(1.8e9, 0, True)), 0.0).note != note
