# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Two agents of a kind talk to each other: memory, processor, and the voice's delay."""

import subprocess
import threading
from contextlib import ExitStack
from pathlib import Path

from bench.agents import AGENTS, Place
from bench.process import cpu_s, resident_mb
from omafon.sim.soundcard import Pcm, read_wav
from tests.lab.addresses import Addresses
from tests.lab.program import needs
from tests.lab.voice import Saying

WORDS = "Hello, this is Oma speaking. The weather is fine today, and the cake is in the oven. When will you come?"


def speech(folder: Path) -> Pcm:
    """A voice that says a few sentences."""
    path = folder / "speech.wav"
    subprocess.run([needs("espeak-ng", "espeak-ng"), "-w", path, WORDS], check=True)
    return read_wav(path)


def measure(name: str, folder: Path, addresses: Addresses, codec: str, words: Pcm, window_s: float) -> dict[str, float]:
    """Both sides speak all the time; CPU is the mean of the two over `window_s`, scaled to a minute.

    The delay is the mean of both directions: a pair's two ways differ by what their cards happen to have buffered.
    """
    with ExitStack() as stack:
        called = stack.enter_context(AGENTS[name](Place(folder, addresses.fresh(), "opa", codec)))
        place = Place(folder, addresses.fresh(), "oma", codec, far_end=called.uri)
        caller = stack.enter_context(AGENTS[name](place))
        both = (caller, called)
        # What was only needed to start is given back, or not, in the first moments.
        threading.Event().wait(1)
        idle_mb = [resident_mb(agent.pid) for agent in both]
        caller.dials()
        caller.presses_the_last_key()
        called.takes_the_call()
        caller.is_in_a_call()
        threading.Event().wait(1)
        there, back = Saying(caller.card, 1000), Saying(called.card, 440)
        delays = [there.heard_by(called.card).delay_ms, back.heard_by(caller.card).delay_ms]
        for agent in both:
            agent.card.play_mouth(words)
        before = [cpu_s(agent.pid) for agent in both]
        threading.Event().wait(window_s)
        used = [cpu_s(agent.pid) - start for agent, start in zip(both, before, strict=True)]
        talking_mb = [resident_mb(agent.pid) for agent in both]
        caller.hangs_up()
    return {
        "idle_rss_mb": sum(idle_mb) / 2,
        f"{codec}_rss_mb": sum(talking_mb) / 2,
        f"{codec}_cpu_s": sum(used) / 2 * 60 / window_s,
        f"{codec}_delay_ms": sum(delays) / 2,
    }
