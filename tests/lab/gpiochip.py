# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A telephone on a GPIO chip that answers as the kernel does: the own way of the driver to the pins, in a process.

`python -m tests.lab.gpiochip FOLDER` is that process: it does what it reads, line by line, and prints what it hears.
"""

import ctypes
import subprocess
import sys
import threading
import time
from pathlib import Path

from omafon.core.events import Event, KeyHeld, KeyPressed, KeyReleased
from omafon.core.screen import Lamp, Lamps
from omafon.drivers.keypad import GpioKeypad
from omafon.drivers.keypad.chip import GpioChip
from omafon.interfaces import DriverError
from tests.lab.pins import DIAL, EXTRA, FOUR_BY_FOUR, GROUND, HOOK, LAMPS
from tests.lab.program import Program

PI_3B = 0xA02082
GROUND_LINE = 54


class ChipPhone(Program):
    """That process, and the hand that joins wires."""

    def __init__(self, folder: Path) -> None:
        library = folder / "chip.so"
        source = Path(__file__).with_suffix(".c")
        subprocess.run(["cc", "-std=gnu11", "-O1", "-Wall", "-shared", "-fPIC", "-o", library, source], check=True)
        (folder / "gpiochip0").touch()
        root = Path(__file__).parents[2]
        env = {"LD_PRELOAD": str(library), "PYTHONPATH": str(root), "PYTHONUNBUFFERED": "1"}
        command = [sys.executable, "-m", "tests.lab.gpiochip", folder]
        super().__init__(command, package="python3", folder=folder, name="phone", env=env, typed=True)

    def joins(self, one: str, other: str = GROUND) -> None:
        self.types(f"wire {one} {other} 1")

    def parts(self, one: str, other: str = GROUND) -> None:
        self.types(f"wire {one} {other} 0")


class _Chip(GpioChip):
    """A machine without a device tree: the chip of a Raspberry Pi 3 is on it all the same."""

    def _get_revision(self) -> int:
        return PI_3B


def _line(name: str) -> int:
    return GROUND_LINE if name == GROUND else int(name.removeprefix("gpio"))


def _tell(event: Event) -> None:
    key = f" {event.key}" if isinstance(event, KeyPressed | KeyHeld | KeyReleased) else ""
    print(f"{type(event).__name__}{key}")


def _wakes() -> int:
    """How often the threads of the driver have slept and woken."""
    threads = [thread for thread in threading.enumerate() if thread.name in ("keypad", "edges")]
    status = [Path(f"/proc/self/task/{thread.native_id}/status").read_text() for thread in threads]
    return sum(int(line.split()[1]) for text in status for line in text.splitlines() if line.startswith("voluntary"))


def _serve(folder: Path) -> None:
    wires = ctypes.CDLL(None)
    chip = _Chip(folder)
    phone = GpioKeypad(_tell, FOUR_BY_FOUR, HOOK, DIAL, EXTRA, LAMPS, factory=chip)
    wires.chip_join(_line(HOOK.pin), GROUND_LINE, 1)
    phone.open()
    print("open")
    for line in sys.stdin:
        match line.split():
            case ["wire", one, other, closed]:
                wires.chip_join(_line(one), _line(other), int(closed))
            case ["light", lamp]:
                phone.light(Lamps(**{lamp: Lamp.ON}))
            case ["level", name]:
                print(f"{name} is {wires.chip_level(_line(name))}")
            case ["idle", seconds]:
                before = _wakes()
                time.sleep(float(seconds))
                print(f"woke {_wakes() - before} times")
            case ["second"]:
                try:
                    GpioKeypad(_tell, hook=HOOK, factory=_Chip(folder)).open()
                except DriverError as error:
                    print(f"refused: {error.what}")
            case _:
                break
    phone.close()
    chip.close()
    print(f"closed, with {threading.active_count()} thread")


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
