# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What `[audio] echo` takes away from the echo of a loudspeaker in a living room, and what it costs in a call.

`python -m bench.echo` prints the table.
"""

import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from bench import table, talking
from bench.figures import Figure, Values, at_most
from bench.process import cpu_s
from omafon.sim.soundcard import RATE_HZ, Pcm
from tests.lab.acoustics import SPEAKER, Acoustics
from tests.lab.addresses import Addresses
from tests.lab.phone import Phone, Setup
from tests.lab.voice import Signal, recorded

AGENTS = ["off", "handset", "speaker"]
FIGURES = (
    Figure("echo_heard_db", "echo, after 3 s", "dB", at_most(-25, "dB")),
    Figure("echo_cpu_s", "CPU a minute, G.722", "s"),
)
LEARNING_S = 3


def measure(folder: Path, window_s: float) -> Values:
    """The echo in a caller's ear, against what the called one's microphone picks up, and the called phone's CPU."""
    addresses, words = Addresses(), talking.speech(folder)
    values: Values = {}
    for setting in AGENTS:
        (place := folder / setting).mkdir()
        for key, value in _call(place, addresses, setting, words, window_s).items():
            values.setdefault(key, {})[setting] = value
    return values


def _call(folder: Path, addresses: Addresses, setting: str, words: Pcm, window_s: float) -> dict[str, float]:
    with ExitStack() as stack:
        far, near = (
            stack.enter_context(Phone(folder, addresses.fresh(), name, Setup(codecs=["g722"], more={"audio": audio})))
            for name, audio in (("opa", {"echo": "off"}), ("oma", {"echo": setting}))
        )
        assert far.card
        assert near.card
        assert near.program
        far.dials(near.uri)
        near.is_called()
        near.lifts()
        far.is_in_a_call()
        with Acoustics(near.card, SPEAKER) as acoustics:
            far.card.play_mouth(words)
            threading.Event().wait(LEARNING_S)
            start, before = far.card.now(), cpu_s(near.program.pid)
            came_back = recorded(far.card, start, round(window_s * RATE_HZ)) / 32768
            used_s = cpu_s(near.program.pid) - before
        begin = start - acoustics.start
        picked_up = acoustics.mouth[begin : begin + len(came_back)]
    return {"echo_heard_db": _db(came_back) - _db(picked_up), "echo_cpu_s": used_s * 60 / window_s}


def _db(signal: Signal) -> float:
    return float(10 * np.log10(np.mean(signal**2) + 1e-12))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="omafon-bench-") as work:
        print(table.text(measure(Path(work), 20.0), AGENTS, FIGURES))
