# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What a changed `phone.toml` costs a telephone that runs: one line, a phone book of a thousand people.

The telephone is this module as a program of its own, so that its loop can be watched from the inside.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

from bench.figures import Figure, Values, at_most, median
from omafon import wiring
from omafon.app import Place, live
from omafon.journal import hush_jack
from omafon.upkeep.choosing import Choice, Means
from omafon.upkeep.configuration import read_configuration
from omafon.upkeep.last_good import LastGood
from omafon.upkeep.starts import Starts

AGENTS = ["omafon"]
FIGURES = (
    Figure("reload_ms", "1000 contacts, reloaded", "ms"),
    Figure("reload_pause_ms", "longest pause meanwhile", "ms", at_most(10, "ms")),
)
PEOPLE = 1000
TICK_S = 0.0005
HEAD = """\
[sip]
port = 0
address = "127.0.0.1"
[enum]
trees = []
[audio]
voice = "null"
[[line]]
name = "home"
aor = "sip:oma@127.0.0.1:9"
transport = "udp"
"""


def measure(folder: Path, times: int) -> Values:
    """Raises subprocess.CalledProcessError when the telephone does not run."""
    command = [sys.executable, "-m", "bench.reloading", str(folder), str(times)]
    told = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout
    return {key: {"omafon": value} for key, value in json.loads(told).items()}


def phone_book(first: int) -> str:
    """As many people as fit on a telephone's card; `first` makes one file differ from the next."""
    return HEAD + "".join(
        f'[[contact]]\nname = "Person {number}"\nnumber = "+4930{1_000_000 + number}"\n'
        for number in range(first, first + PEOPLE)
    )


async def telephone(folder: Path, times: int) -> dict[str, float]:
    """Be a telephone, and reload `times` times; the median of both figures."""
    file = folder / "phone.toml"
    file.write_text(phone_book(0))
    read = partial(read_configuration, file, None, wiring.check)
    place = Place(folder, folder / "control")
    found = read()
    means = Means(read, Starts(place.control), LastGood(place.state))
    runs = asyncio.create_task(live(Choice(found), wiring.of(found.board), means, place))
    while not place.control.exists():
        await asyncio.sleep(0.01)
    reader, writer = await asyncio.open_unix_connection(place.control)
    taken: list[float] = []
    pauses: list[float] = []
    for turn in range(1, times + 1):
        file.write_text(phone_book(turn))
        longest = asyncio.create_task(_longest_pause_s())
        # One turn, so that it looks on from the beginning.
        await asyncio.sleep(0)
        began = asyncio.get_running_loop().time()
        writer.write(b'{"id": 1, "method": "reload"}\n')
        answer = json.loads(await reader.readline())
        assert answer["result"]["taken"] == "now", answer
        taken.append(asyncio.get_running_loop().time() - began)
        longest.cancel()
        pauses.append(await longest)
    writer.close()
    os.kill(os.getpid(), signal.SIGTERM)
    await runs
    return {"reload_ms": median(taken) * 1000, "reload_pause_ms": median(pauses) * 1000}


async def _longest_pause_s() -> float:
    """How long the loop left anybody waiting at most, until cancelled."""
    longest = 0.0
    try:
        while True:
            before = asyncio.get_running_loop().time()
            await asyncio.sleep(TICK_S)
            longest = max(longest, asyncio.get_running_loop().time() - before - TICK_S)
    except asyncio.CancelledError:
        return longest


if __name__ == "__main__":
    hush_jack()
    print(json.dumps(asyncio.run(telephone(Path(sys.argv[1]), int(sys.argv[2])))))
