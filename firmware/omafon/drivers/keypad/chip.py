# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The pins of a Raspberry Pi for gpiozero, straight from the kernel's GPIO character device (linux/gpio.h, version 2).

gpiozero's own ways to the pins cost too much for a telephone that waits all day: lgpio looks for edges 1700 times a
second, 4 % of a core where it was measured, and others need a daemon or are gone with newer kernels. Here one thread
sleeps until the kernel has an edge. It also needs no library beside Python's.
"""

import os
import select
import struct
import threading
import time
from collections.abc import Callable
from fcntl import ioctl
from pathlib import Path

from gpiozero.exc import PinFixedPull, PinSetInput
from gpiozero.pins.local import get_pi_revision
from gpiozero.pins.pi import PiFactory, PiPin

# The chip that the header's pins belong to, on the Zero to 3, on the 4, and on the 5.
LABELS = frozenset({"pinctrl-bcm2835", "pinctrl-bcm2711", "pinctrl-rp1"})
CONSUMER = b"omafon"

_CHIP_INFO = struct.Struct("32s32sI")
# Flags, number of attributes, and the one attribute used here: the value of an output.
_CONFIG = struct.Struct("=QI20xI4xQQ216x")
_REQUEST_HEAD, _REQUEST_TAIL = struct.Struct("=I252x32s"), struct.Struct("=II20xi")
_VALUES = struct.Struct("=QQ")
_EVENT = struct.Struct("=QII32x")

_GET_CHIP_INFO = 0x8044B401
_GET_LINE = 0xC250B407
_SET_CONFIG = 0xC110B40D
_GET_VALUES = 0xC010B40E
_SET_VALUES = 0xC010B40F

_INPUT, _OUTPUT, _RISING, _FALLING = 1 << 2, 1 << 3, 1 << 4, 1 << 5
_PULLS = {"up": 1 << 8, "down": 1 << 9, "floating": 1 << 10}
_EDGES = {"both": _RISING | _FALLING, "rising": _RISING, "falling": _FALLING, "none": 0}
_OUTPUT_VALUES = 2
_RISEN = 1


class GpioChip(PiFactory):  # type: ignore[misc]
    """A factory of gpiozero pins."""

    def __init__(self, devices: Path = Path("/dev")) -> None:
        """Open the chip. Raises FileNotFoundError when this machine has none, PermissionError when it is not ours."""
        super().__init__()
        self.pin_class = LinePin
        self.fd = _open_chip(devices)
        self._ears = _Ears()

    def close(self) -> None:
        super().close()
        self._ears.close()
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def listen(self, fd: int, heard: Callable[[], None]) -> None:
        """Call `heard` on the chip's thread whenever `fd` can be read."""
        self._ears.listen(fd, heard)

    def forget(self, fd: int) -> None:
        """Call it no more; it is not being called when this returns."""
        self._ears.forget(fd)

    def _get_revision(self) -> int:
        revision: int = get_pi_revision()
        return revision

    @staticmethod
    def ticks() -> float:
        """Monotonic seconds, the clock by which the kernel stamps edges."""
        return time.monotonic()

    @staticmethod
    def ticks_diff(later: float, earlier: float) -> float:
        return later - earlier


class LinePin(PiPin):  # type: ignore[misc]
    """A gpiozero pin that is one line of the chip; it is asked of the kernel once and set anew by one call each."""

    def __init__(self, factory: GpioChip, info: object) -> None:
        super().__init__(factory, info)
        self._flags = _INPUT
        self._listening = False
        self._edge_flags = _EDGES["both"]
        self._fd = _request(factory.fd, self._number, self._flags)

    def close(self) -> None:
        """Give the line back: the kernel leaves it an input."""
        if self._fd >= 0:
            self.when_changed = None
            os.close(self._fd)
            self._fd = -1

    def output_with_state(self, state: float) -> None:
        self._set_flags(_OUTPUT, state=bool(state))

    def input_with_pull(self, pull: str) -> None:
        if self.info.pull not in (pull, ""):
            raise PinFixedPull(f"{self!r} has a resistor that pulls it {self.info.pull}")
        self._set_flags(_INPUT | _PULLS[pull])

    def _get_function(self) -> str:
        return "output" if self._flags & _OUTPUT else "input"

    def _set_function(self, value: str) -> None:
        # Without a pull it keeps the one it has.
        self._set_flags({"input": _INPUT, "output": _OUTPUT}[value])

    def _get_state(self) -> int:
        bits: int = _VALUES.unpack(ioctl(self._fd, _GET_VALUES, _VALUES.pack(0, 1)))[0]
        return bits

    def _set_state(self, value: float) -> None:
        if not self._flags & _OUTPUT:
            raise PinSetInput(f"cannot set state of pin {self!r}")
        ioctl(self._fd, _SET_VALUES, _VALUES.pack(bool(value), 1))

    def _get_pull(self) -> str:
        return next((pull for pull, flag in _PULLS.items() if self._flags & flag), "floating")

    def _set_pull(self, value: str) -> None:
        self.input_with_pull(value)

    def _get_edges(self) -> str:
        return next(edges for edges, flags in _EDGES.items() if self._edge_flags == flags)

    def _set_edges(self, value: str) -> None:
        self._edge_flags = _EDGES[value]
        self._set_flags(self._flags)

    def _enable_event_detect(self) -> None:
        self._listening = True
        self._set_flags(self._flags)
        self.factory.listen(self._fd, self._heard)

    def _disable_event_detect(self) -> None:
        self.factory.forget(self._fd)
        self._listening = False
        self._set_flags(self._flags)

    def _set_flags(self, flags: int, *, state: bool = False) -> None:
        self._flags = flags
        edges = self._edge_flags if self._listening and flags & _INPUT else 0
        ioctl(self._fd, _SET_CONFIG, _config(flags | edges, state=state))

    def _heard(self) -> None:
        events = os.read(self._fd, 16 * _EVENT.size)
        for nanoseconds, kind, _ in _EVENT.iter_unpack(events):
            self._call_when_changed(nanoseconds / 1e9, int(kind == _RISEN))


class _Ears:
    """One thread that sleeps until a file can be read."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._heard: dict[int, Callable[[], None]] = {}
        self._poll = select.epoll()
        self._bell = os.eventfd(0, os.EFD_CLOEXEC)
        self._poll.register(self._bell, select.EPOLLIN)
        self._thread: threading.Thread | None = None

    def listen(self, fd: int, heard: Callable[[], None]) -> None:
        with self._lock:
            self._heard[fd] = heard
            self._poll.register(fd, select.EPOLLIN)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="edges", daemon=True)
            self._thread.start()

    def forget(self, fd: int) -> None:
        with self._lock:
            if self._heard.pop(fd, None) is not None:
                self._poll.unregister(fd)

    def close(self) -> None:
        if self._poll.closed:
            return
        if self._thread is not None:
            os.eventfd_write(self._bell, 1)
            self._thread.join()
        self._poll.close()
        os.close(self._bell)

    def _run(self) -> None:
        while True:
            for fd, _ in self._poll.poll():
                if fd == self._bell:
                    return
                with self._lock:
                    if heard := self._heard.get(fd):
                        heard()


def _open_chip(devices: Path) -> int:
    refused: PermissionError | None = None
    for device in sorted(devices.glob("gpiochip*")):
        try:
            fd = os.open(device, os.O_RDWR | os.O_CLOEXEC)
        except PermissionError as error:
            refused = error
            continue
        label = _CHIP_INFO.unpack(ioctl(fd, _GET_CHIP_INFO, bytes(_CHIP_INFO.size)))[1]
        if label.rstrip(b"\0").decode() in LABELS:
            return fd
        os.close(fd)
    raise refused or FileNotFoundError(f"{devices} has no pins of a Raspberry Pi")


def _request(chip: int, line: int, flags: int) -> int:
    """Ask the kernel for one line; the file it is worked by. Raises OSError, with EBUSY when somebody else has it."""
    request = _REQUEST_HEAD.pack(line, CONSUMER) + _config(flags) + _REQUEST_TAIL.pack(1, 0, 0)
    fd: int = _REQUEST_TAIL.unpack(ioctl(chip, _GET_LINE, request)[-_REQUEST_TAIL.size :])[2]
    return fd


def _config(flags: int, *, state: bool = False) -> bytes:
    # The kernel refuses whatever stands in the place of an attribute that is not announced.
    return _CONFIG.pack(flags, 1, _OUTPUT_VALUES, int(state), 1) if flags & _OUTPUT else _CONFIG.pack(flags, 0, 0, 0, 0)
