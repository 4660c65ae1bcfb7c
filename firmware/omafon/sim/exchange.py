# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The small world of `omafon sim`: a twin pack, a directory that knows both numbers, and a page with both handsets.

Two daemons as they run on a Pi, each with a virtual sound card, call each other over the loopback network: the SIP,
the DNS and the voice are real.
"""

import asyncio
import contextlib
import fcntl
import itertools
import os
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omafon.interfaces import DriverError
from omafon.sim.directory import Directory
from omafon.sim.remote import PhoneOff, Remote
from omafon.sim.soundcard import EarRecorder, Pcm, SoundCard, build, read_wav, tone, write_asound_conf

TREE = "e164.example"
START_S = 15.0


@dataclass(frozen=True, slots=True)
class Plan:
    """A phone of the twin pack. Its number is one of those kept free for stories (Bundesnetzagentur, 030 23125)."""

    key: str
    name: str
    number: str
    dial: str
    voice_hz: int


TWINS = (
    Plan("home", "Zuhause", "+493023125001", "03023125001", 440),
    Plan("oma", "Oma", "+493023125002", "03023125002", 620),
)


@dataclass(frozen=True, slots=True)
class Twin:
    """A running phone: where it is controlled, and its ear (None when it has a card of the machine)."""

    plan: Plan
    control: Path
    remote: Remote
    card: SoundCard | None
    ear: Path | None

    def ear_level_db(self) -> float | None:
        """How loud it is in the ear, in dB of full scale."""
        return self.card.ear_level_db() if self.card is not None else None


class ExchangeError(Exception):
    """The little world does not come up; the message says why and what to do."""


@asynccontextmanager
async def twin_pack(*, mouth: Path | None = None, card: str | None = None) -> AsyncIterator[tuple[Twin, ...]]:
    """Two phones that are ready to call each other, until the block ends.

    `mouth` is a WAV file that both say, in the place of their tones; `card` an ALSA card of the machine, for the first.
    Raises ExchangeError, also when there is no such card.
    """
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="omafon-sim-")))
        ports = {plan.key: _free_port() for plan in TWINS}
        family_ports = {plan.key: _free_port() for plan in TWINS}
        uris = {plan.number: f"sip:{plan.key}@127.0.0.1:{ports[plan.key]}" for plan in TWINS}
        directory = Directory(TREE, uris)
        server = await directory.open()
        stack.callback(directory.close)
        voices = _voices(mouth)
        build()
        heard = _ear_folder(stack)
        cards: dict[str, SoundCard] = {}
        ears: dict[str, Path] = {}
        for plan in TWINS if card is None else TWINS[1:]:
            made = stack.enter_context(SoundCard(f"{plan.key}-{os.getpid()}"))
            made.play_mouth(voices[plan.key])
            cards[plan.key] = made
            ears[plan.key] = heard / f"{plan.key}-ear.wav"
            stack.enter_context(EarRecorder(made, ears[plan.key]))
        twins: list[Twin] = []
        for plan in TWINS:
            config = folder / f"{plan.key}.toml"
            own_ports = ports[plan.key], family_ports[plan.key]
            config.write_text(_config(plan, own_ports, server, cards.get(plan.key), card), encoding="utf-8")
            control = folder / f"{plan.key}.sock"
            remote = Remote(control)
            log = folder / f"{plan.key}.log"
            environment = dict(os.environ)
            if plan.key in cards:
                # Its own card alone: an engine that looks for cards opens each, and keeps the other from its own.
                environment |= write_asound_conf(folder / f"{plan.key}-asound.conf", [cards[plan.key]])
            await stack.enter_async_context(_daemon(config, control, folder / plan.key, log, environment))
            stack.push_async_callback(remote.close)
            twins.append(Twin(plan, control, remote, cards.get(plan.key), ears.get(plan.key)))
        for twin in twins:
            voice = (await _answers(twin, folder / f"{twin.plan.key}.log"))["drivers"]["voice"]
            # Of the machine's card alone: a virtual one that the engine has not found yet, it finds by itself.
            if twin.card is None and voice != "ok":
                raise ExchangeError(f"{voice}\n  Name one that `aplay -L` lists, or leave --card out.")
        yield tuple(twins)


def run(*, demo: bool, mouth: Path | None, card: str | None, port: int) -> int:
    """`omafon sim`, and its `--demo`; the exit code: 0, 1, or 128 and the number of the signal that ended the demo."""
    try:
        if demo:
            from omafon.sim.demo import play

            return asyncio.run(_until_signal(play(mouth)))
        asyncio.run(_until_signal(_serve(mouth, card, port)))
    except DriverError as error:
        print(f"omafon sim: {error.what}\n  {error.cure}", file=sys.stderr)
        return 1
    except (ExchangeError, OSError, ValueError, RuntimeError) as error:
        print(f"omafon sim: {error}", file=sys.stderr)
        return 1
    return 0


async def _until_signal(play: Coroutine[Any, Any, int]) -> int:
    """What `play` returns, or 128 and the number of the signal that ended it: Ctrl-C, kill, a terminal that closed.

    What `play` had opened is closed by then.
    """
    playing = asyncio.create_task(play)
    ended_by: list[int] = []

    def end(number: int) -> None:
        # The first is enough: a second would disturb the clearing up.
        if not ended_by:
            ended_by.append(number)
            playing.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, end, number)
    try:
        return await playing
    except asyncio.CancelledError:
        return 128 + ended_by[0]


async def _serve(mouth: Path | None, card: str | None, port: int) -> int:
    """Show the page until cancelled."""
    from omafon.sim import web

    async with twin_pack(mouth=mouth, card=card) as twins:
        phones = [(twin.plan.name, twin.control) for twin in twins]
        page = await web.serve(phones, port, levels=lambda index: twins[index].ear_level_db())
        try:
            _welcome(page.url, twins)
            await asyncio.Event().wait()
        finally:
            await page.close()
    return 0


def _welcome(url: str, twins: tuple[Twin, ...]) -> None:
    print(f"\n  Two telephones are ready:  {url}\n")
    for twin, other in zip(twins, reversed(twins), strict=True):
        print(f"  {twin.plan.name:<8} lift, dial {other.plan.dial} and # : {other.plan.name} rings.")
    print()
    for twin in twins:
        print(f"  {twin.plan.name:<8} omafon panel --control {twin.control}")
        if twin.ear is not None:
            print(f"  {'':<8} what its ear hears: {twin.ear}")
    print("\n  Ctrl-C ends it.", flush=True)


def _config(plan: Plan, ports: tuple[int, int], server: str, card: SoundCard | None, real: str | None) -> str:
    """The owner's file of a twin, with its port and that for its family.

    Anybody may ring it: it listens on the loopback network alone. Its twin is in its phone book, and not in its family
    until a person pairs them.
    """
    port, family_port = ports
    voice = card.pcm_name if card is not None else real
    other = next(twin for twin in TWINS if twin is not plan)
    return f"""\
[phone]
name = "{plan.name}"
number = "{plan.number}"
country = "DE"
area = "30"

[sip]
address = "127.0.0.1"
port = {port}

[family]
port = {family_port}

[enum]
trees = ["{TREE}"]
servers = ["{server}"]

[incoming]
accept = ["family", "anyone"]
strangers_per_hour = 3600

[audio]
voice = "{voice}"

[[contact]]
name = "{other.name}"
number = "{other.number}"
speed_dial = 1
"""


@asynccontextmanager
async def _daemon(config: Path, control: Path, state: Path, log: Path, env: dict[str, str]) -> AsyncIterator[None]:
    state.mkdir()
    words = ["run", "--board", "virtual", "--config", config, "--state", state, "--control", control]
    with log.open("wb") as output:
        # A session of its own: Ctrl-C in the terminal is for us, and we end the phones in order. Where we cannot,
        # because somebody killed us, the kernel does it.
        daemon = await asyncio.create_subprocess_exec(
            *("setpriv", "--pdeathsig", "TERM", sys.executable, "-m", "omafon.cli", *map(str, words)),
            env=env,
            stderr=output,
            start_new_session=True,
        )
        try:
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                daemon.terminate()
            try:
                await asyncio.wait_for(daemon.wait(), 5.0)
            except TimeoutError:
                daemon.kill()
                await daemon.wait()


async def _answers(twin: Twin, log: Path) -> Any:
    """The phone's status, as soon as it answers at its control socket."""
    try:
        async with asyncio.timeout(START_S):
            while True:
                try:
                    return await twin.remote.request("status", {})
                except PhoneOff:
                    await asyncio.sleep(0.02)
    except TimeoutError:
        said = log.read_text(encoding="utf-8", errors="replace").strip()[-2000:]
        raise ExchangeError(f"the phone {twin.plan.name!r} did not start within {START_S:.0f} s:\n{said}") from None


def _voices(mouth: Path | None) -> dict[str, Pcm]:
    if mouth is not None:
        said = read_wav(mouth)
        return {plan.key: said for plan in TWINS}
    return {plan.key: tone(plan.voice_hz) for plan in TWINS}


def _ear_folder(stack: ExitStack | AsyncExitStack) -> Path:
    """Where to keep what is heard, for us alone until `stack` is closed: 'sim', or 'sim-2' beside another simulator."""
    home = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state")
    for number in itertools.count(1):
        folder = home / "omafon" / ("sim" if number == 1 else f"sim-{number}")
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        stack.callback(os.close, descriptor)
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return folder
    raise AssertionError("numbers do not end")


def _free_port() -> int:
    """A port of 127.0.0.1 that nobody uses just now, neither by UDP nor by TCP."""
    while True:
        with socket.socket(type=socket.SOCK_DGRAM) as datagrams, socket.socket() as streams:
            datagrams.bind(("127.0.0.1", 0))
            port = int(datagrams.getsockname()[1])
            with contextlib.suppress(OSError):
                streams.bind(("127.0.0.1", port))
                return port
