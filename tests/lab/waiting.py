# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What it costs to wait for a key: `python -m tests.lab.waiting WAY BOARD` opens the keypad on the kernel's lines.

One process for each way to the pins, since what a library once has started goes on for as long as its process lives.
"""

import sys
import threading
import time
from collections.abc import Callable
from contextlib import chdir, closing
from importlib.util import find_spec
from pathlib import Path

from gpiozero import Factory

from omafon.board import BoardProfile, load_board
from omafon.core.events import KeyReleased
from omafon.drivers.keypad import GpioKeypad
from omafon.drivers.keypad.chip import GpioChip
from tests.lab.heard import Heard
from tests.lab.lines import Hand

IDLE_S = 2.0
# The driver looks at a key that was let go a few times more.
QUIET_S = 0.3


def _lgpio() -> Factory:
    # It leaves a pipe in the folder it is first loaded in, and takes the whole process there.
    with chdir("/tmp"):
        from gpiozero.pins.lgpio import LGPIOFactory

    return LGPIOFactory(chip=0)


WAYS: dict[str, Callable[[], Factory]] = {"omafon": GpioChip}
if find_spec("lgpio"):
    # It has no wheel for every Python.
    WAYS["lgpio"] = _lgpio


def keypad(board: BoardProfile, heard: Heard[tuple[float, object]], factory: Factory) -> GpioKeypad:
    """The driver, which adds to `heard` what it tells and when."""
    parts = (board.keypad, board.hook, board.rotary, board.keys, board.lamps)
    return GpioKeypad(lambda event: heard.add((time.monotonic(), event)), *parts, factory=factory)


def _wakes() -> int:
    """How often threads of this process have slept and woken, whoever made them, but for this one."""
    own = str(threading.get_native_id())
    tasks = [task for task in Path("/proc/self/task").iterdir() if task.name != own]
    lines = [line for task in tasks for line in (task / "status").read_text().splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith("voluntary"))


def _wait(way: str, board: BoardProfile) -> None:
    heard: Heard[tuple[float, object]] = Heard()
    hand = Hand(board)
    with closing(WAYS[way]()) as factory:
        driver = keypad(board, heard, factory)
        driver.open()
        hand.presses("5")
        heard.until(lambda said: True, "a key is pressed")
        hand.releases("5")
        heard.until(lambda said: isinstance(said[1], KeyReleased), "it is released")
        time.sleep(QUIET_S)
        wakes, busy_s = _wakes(), time.process_time()
        time.sleep(IDLE_S)
        wakes, busy_s = _wakes() - wakes, time.process_time() - busy_s
        driver.close()
    print(f"{wakes / IDLE_S:.1f} {100 * busy_s / IDLE_S:.2f}")


if __name__ == "__main__":
    _wait(sys.argv[1], load_board(sys.argv[2]))
