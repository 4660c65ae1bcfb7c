# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The keypad on its pins: how soon a key is told, and what waiting for one costs, beside scanning all the time.

The pins are mock pins wired as a matrix whose contacts bounce: most of what scanning costs is the wires of the bench.
"""

import queue
import random
import threading
import time
from pathlib import Path

from bench.figures import Figure, Values, at_most, median
from omafon.core.events import Event, KeyPressed
from omafon.drivers.keypad.debouncer import SCAN_S
from omafon.drivers.keypad.matrix import KeyPins
from omafon.drivers.keypad.pins import Pins
from tests.lab.edges import moves
from tests.lab.heard import LabError
from tests.lab.pins import FOUR_BY_FOUR, Bench, Handset

AGENTS = ["omafon", "scanning"]
FIGURES = (
    Figure("key_ms", "press to event", "ms"),
    Figure("key_p99_ms", "the same, 99th percentile", "ms", at_most(30, "ms")),
    Figure("keypad_idle_percent", "CPU, no key down", "%", at_most(0.5, "%")),
    Figure("keypad_idle_wakes", "wake-ups a second", "/s", at_most(1, "/s")),
)
LONGEST_S = 2.0


def measure(times: int, window_s: float) -> Values:
    """Every figure; `times` hundred presses, and the cost over `window_s` seconds. Raises LabError."""
    with Handset() as phone:
        took = sorted(_press_ms(phone, random.Random(index)) for index in range(100 * times))
        idle = _cost("keypad", window_s)
    scanning = _scanning(window_s)
    return {
        "key_ms": {"omafon": median(took)},
        "key_p99_ms": {"omafon": took[len(took) * 99 // 100]},
        "keypad_idle_percent": {"omafon": idle[0], "scanning": scanning[0]},
        "keypad_idle_wakes": {"omafon": idle[1], "scanning": scanning[1]},
    }


def _press_ms(phone: Handset, chance: random.Random) -> float:
    """From the first touch to the event, of a contact that bounces for up to 10 ms."""
    key = chance.choice(FOUR_BY_FOUR.keys[chance.randrange(4)])
    began = time.monotonic()
    for at, closed in moves(began, True, chance):
        time.sleep(max(0.0, at - time.monotonic()))
        (phone.presses if closed else phone.lets_go)(key)
    said = _next(phone)
    took_ms = (time.monotonic() - began) * 1000
    phone.lets_go(key)
    _next(phone)
    if not isinstance(said, KeyPressed):
        raise LabError(f"{key} was pressed, and told as {said}")
    return took_ms


def _next(phone: Handset) -> Event:
    try:
        return phone.hears(within_s=LONGEST_S)[0]
    except queue.Empty:
        raise LabError(f"no event within {LONGEST_S} s of a touch") from None


def _scanning(window_s: float) -> tuple[float, float]:
    """What it costs to scan the same matrix without end, as keypad libraries do."""
    pins = Pins(Bench())
    keys = KeyPins(pins, FOUR_BY_FOUR, {})
    stop = threading.Event()

    def scan() -> None:
        while not stop.wait(SCAN_S):
            keys.scan()

    thread = threading.Thread(target=scan, name="scanning")
    thread.start()
    try:
        return _cost("scanning", window_s)
    finally:
        stop.set()
        thread.join()
        pins.close()


def _cost(name: str, window_s: float) -> tuple[float, float]:
    """Percent of a core that the thread `name` takes, and how often a second it wakes."""
    thread = next(thread for thread in threading.enumerate() if thread.name == name)
    clock = time.pthread_getcpuclockid(thread.ident or 0)
    status = Path(f"/proc/self/task/{thread.native_id}/status")
    cpu_s, wakes = time.clock_gettime(clock), _switches(status)
    time.sleep(window_s)
    return (time.clock_gettime(clock) - cpu_s) / window_s * 100, (_switches(status) - wakes) / window_s


def _switches(status: Path) -> int:
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return int(lines["voluntary_ctxt_switches"])
