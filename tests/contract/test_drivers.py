# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What every driver owes the house, real and simulated alike: one suite over all of them."""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import get_args

import pytest
from PIL import Image

from omafon.board import DisplayProfile, SoundProfile
from omafon.config import AudioConfig, EnumConfig, LineConfig, SipConfig
from omafon.core.actions import AnswerCall, HangUp, HoldCall, QueryNaptr, RejectCall, ResumeCall, RingCall, SendDtmf
from omafon.core.causes import Tone
from omafon.core.dialplan import E164
from omafon.core.events import CallId, Event, LookupFailed, LookupId
from omafon.core.glass import Glass
from omafon.core.memory import Memory
from omafon.core.screen import Lamp, Lamps, SoundLevels
from omafon.drivers.dns import DnsResolver
from omafon.drivers.keypad import GpioKeypad
from omafon.drivers.network import NetworkWatch
from omafon.drivers.oled import Oled
from omafon.drivers.oled.wire import connect
from omafon.drivers.sip import SipCalls
from omafon.drivers.sound import AlsaSound
from omafon.drivers.store import FileStore
from omafon.interfaces import Calls, Display, Driver, Post, Resolver, Sound, Source, Store
from omafon.sim.virtual import VirtualBell, VirtualDisplay, VirtualSource
from tests.lab.glass import Ssd1306
from tests.lab.pins import DIAL, EXTRA, FOUR_BY_FOUR, HOOK, LAMPS, Bench
from tests.lab.wires import I2cBus

AT_ONCE_S = 0.05
NOWHERE = SipConfig(port=0, address="127.0.0.1")
LINE = LineConfig(name="home", aor="sip:100@127.0.0.1:9", transport="udp")


def sip(post: Post, folder: Path) -> Driver:
    return SipCalls(post, NOWHERE, (LINE,), AudioConfig(voice="null"))


def dns(post: Post, folder: Path) -> Driver:
    return DnsResolver(post, EnumConfig(servers=("127.0.0.1:9",), budget_ms=300))


def keypad(post: Post, folder: Path) -> Driver:
    return GpioKeypad(post, FOUR_BY_FOUR, HOOK, DIAL, EXTRA, LAMPS, factory=Bench())


def alsa(post: Post, folder: Path) -> Driver:
    profile = SoundProfile(voice="CARD=NoSuchCard", playback="PCM", bell="PCM")
    return AlsaSound(post, profile, AudioConfig())


def network(post: Post, folder: Path) -> Driver:
    return NetworkWatch(post, asyncio.get_running_loop())


def oled(post: Post, folder: Path) -> Driver:
    return Oled(post, DisplayProfile(128, 64, "ssd1306"), connect=partial(connect, bus=I2cBus(Ssd1306())))


def oled_that_is_missing(post: Post, folder: Path) -> Driver:
    return Oled(post, DisplayProfile(128, 64, "sh1106", port=99))


MAKERS: dict[str, Callable[[Post, Path], Driver]] = {
    "source-virtual": lambda post, folder: VirtualSource(),
    "source-gpiozero": keypad,
    "display-luma": oled,
    "display-missing": oled_that_is_missing,
    "display-virtual": lambda post, folder: VirtualDisplay(),
    "sound-virtual": lambda post, folder: VirtualBell(),
    "sound-alsa": alsa,
    "calls-pjsua2": sip,
    "resolver-dnspython": dns,
    "network-rtnetlink": network,
    "store-file": lambda post, folder: FileStore(post, folder),
}


def uses(driver: Driver, kind: str) -> None:
    """Everything the house may ask of a driver of this kind, also about calls that are not there."""
    match kind.partition("-")[0]:
        case "source":
            source: Source = driver  # type: ignore[assignment]
            source.light(Lamps(ringer=Lamp.BLINK))
        case "display":
            display: Display = driver  # type: ignore[assignment]
            display.show(Image.new("1", (128, 64)))
            display.look(Glass(brightness=30, shift=(1, 0)))
        case "sound":
            sound: Sound = driver  # type: ignore[assignment]
            sound.sound(SoundLevels(ringing=True))
        case "calls":
            calls: Calls = driver  # type: ignore[assignment]
            gone = CallId("out-7")
            for action in (RingCall(gone), AnswerCall(gone), RejectCall(gone, 486), HoldCall(gone), ResumeCall(gone)):
                calls.perform(action)
            calls.perform(SendDtmf(gone, "5"))
            calls.perform(HangUp(gone))
            calls.sound(SoundLevels(tone=Tone.DIAL, voice=(gone,)))
            calls.sound(SoundLevels())
        case "resolver":
            resolver: Resolver = driver  # type: ignore[assignment]
            resolver.perform(QueryNaptr(LookupId(1), "e164.arpa", E164("+493023125001")))
        case "store":
            store: Store = driver  # type: ignore[assignment]
            store.keep(Memory(handset_volume=40))


@pytest.mark.parametrize("kind", MAKERS)
async def test_a_driver_opens_works_closes_and_opens_again(kind: str, tmp_path: Path):
    posted: list[Event] = []
    for _ in range(2):
        driver = MAKERS[kind](posted.append, tmp_path)
        driver.open()

        started = time.monotonic()
        uses(driver, kind)
        took_s = time.monotonic() - started

        driver.close()
        await asyncio.sleep(0)
        assert took_s < AT_ONCE_S, "the loop would wait for this driver"


@pytest.mark.parametrize("kind", MAKERS)
async def test_a_driver_that_never_opened_can_be_closed(kind: str, tmp_path: Path):
    MAKERS[kind](lambda event: None, tmp_path).close()


@pytest.mark.parametrize("kind", MAKERS)
async def test_a_driver_closed_twice_is_closed_once(kind: str, tmp_path: Path):
    driver = MAKERS[kind](lambda event: None, tmp_path)
    driver.open()

    driver.close()
    driver.close()


@pytest.mark.parametrize("kind", MAKERS)
async def test_a_driver_posts_nothing_but_events(kind: str, tmp_path: Path):
    posted: list[Event] = []
    driver = MAKERS[kind](posted.append, tmp_path)
    driver.open()
    uses(driver, kind)

    driver.close()

    assert all(isinstance(event, get_args(Event)) for event in posted)


async def test_a_directory_that_is_not_there_is_answered_for():
    heard: asyncio.Queue[Event] = asyncio.Queue()
    resolver = dns(heard.put_nowait, Path())
    resolver.open()

    uses(resolver, "resolver")
    said = await asyncio.wait_for(heard.get(), 2.0)
    resolver.close()

    assert isinstance(said, LookupFailed)


def test_what_a_store_keeps_the_next_one_loads(tmp_path: Path):
    store = FileStore(lambda event: None, tmp_path)
    store.open()
    store.keep(Memory(handset_volume=40))
    store.close()

    again = FileStore(lambda event: None, tmp_path)
    again.open()
    memory = again.load()
    again.close()

    assert memory == Memory(handset_volume=40)
