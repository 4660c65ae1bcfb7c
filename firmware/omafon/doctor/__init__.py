# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What is wrong with this phone and what to do about it, in plain words: `omafon doctor`.

Every family of findings has a file: the `phone` itself, `names`, `times`, `network`, `power`, `storage`, `sound`,
`service`. They look all at once, each with a deadline, so that what hangs holds up nobody. `bundle` packs what they
found, and what else a bug report needs, into one file without secrets.
"""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from omafon.doctor import bundle, names, network, phone, power, service, sound, storage, times
from omafon.doctor.finding import Finding, Verdict, note
from omafon.doctor.machine import Machine

__all__ = ["Finding", "Machine", "Verdict", "bundle", "examine"]

DEADLINE_S = 4.5
"""Who has found nothing by then hangs, and that is a finding too."""

Look = tuple[str, Callable[[], Iterator[Finding]]]


def examine(control: Path, machine: Machine | None = None) -> Iterator[Finding]:
    """Every finding about the phone at `control` and the machine under it, in the same order always."""
    machine = machine or Machine()
    ends_at = time.monotonic() + DEADLINE_S
    config = machine.configuration()
    # These need not wait for the phone, which may be as dead as a name server.
    alone: list[Look] = [
        ("network", lambda: network.route(machine)),
        ("wifi", lambda: network.wifi(machine)),
        ("resolver", lambda: names.name_servers(config, machine)),
        ("clock", lambda: times.clock(machine)),
        ("power", lambda: power.power(machine)),
        ("temperature", lambda: power.temperature(machine)),
        ("watchdog", lambda: power.watchdog(machine)),
        ("disk", lambda: storage.disk(machine)),
        ("card errors", lambda: storage.errors(machine)),
        ("card wear", lambda: storage.wear(machine)),
        ("memory", lambda: storage.memory(machine)),
        ("ports", lambda: network.listeners(machine, config, control)),
        ("service", lambda: service.unit(machine)),
        ("version", lambda: service.versions(machine)),
    ]
    begun = [_Looking(part, look) for part, look in alone]
    status, finding = phone.asked(control)
    yield finding
    asked: list[Look] = [
        ("drivers", lambda: phone.drivers(status) if status else iter(())),
        ("lines", lambda: phone.lines(status) if status else iter(())),
        ("family", lambda: phone.family(status) if status else iter(())),
        ("config", lambda: phone.configuration(status, machine)),
        ("cards", lambda: sound.sound(machine, config, asked=status is not None)),
    ]
    for one in [*(_Looking(part, look) for part, look in asked), *begun]:
        yield from one.found(max(0.0, ends_at - time.monotonic()))


class _Looking:
    """One look, on a thread that ends with the program: a dead disk holds whoever touches it."""

    def __init__(self, part: str, look: Callable[[], Iterator[Finding]]) -> None:
        self._part = part
        self._look = look
        self._found: list[Finding] = []
        self._thread = threading.Thread(target=self._run, name=f"doctor: {part}", daemon=True)
        self._thread.start()

    def found(self, within_s: float) -> list[Finding]:
        self._thread.join(within_s)
        if self._thread.is_alive():
            return [*self._found, note(self._part, "did not tell in time", "Ask again; dmesg may say what hangs.")]
        return self._found

    def _run(self) -> None:
        try:
            self._found.extend(self._look())
        except Exception as error:  # noqa: BLE001  # the edge of a thread: one look that fails spoils no other
            what = f"could not be looked at: {type(error).__name__}: {error}"
            self._found.append(note(self._part, what, "Please report it: omafon doctor --bundle."))
