# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What keeps the machine alive: its power supply, its temperature, its watchdog."""

from collections.abc import Iterator
from pathlib import Path

from omafon.doctor.finding import Finding, note, ok, wrong
from omafon.doctor.machine import Machine

HOT_C, TOO_HOT_C = 70, 80
"""At 80 degrees a Raspberry Pi begins to slow down."""

_FIRMWARE = "sys/devices/platform/soc/soc:firmware/get_throttled"
_UNDER_VOLTAGE, _CAPPED, _THROTTLED, _SOFT_LIMIT = 1, 2, 4, 8
_HAPPENED = 16

_SUPPLY = "Use the power supply made for this Pi and a short, thick cable: a weak one also spoils the memory card."
_COOL = "Let air in, or put a heat sink on."


def power(machine: Machine) -> Iterator[Finding]:
    """What the firmware of a Pi has counted since it was switched on; a Debian kernel tells of its voltage alone."""
    flags = _throttled(machine)
    if flags is not None:
        yield from _told(flags)
        return
    for name in machine.files("sys/class/hwmon/hwmon*/name"):
        if machine.text(name) != "rpi_volt":
            continue
        if machine.number(str(Path(name).parent / "in0_lcrit_alarm")):
            yield wrong("power", "the voltage is too low, or was", _SUPPLY)
        else:
            yield ok("power", "the voltage is high enough")


def _throttled(machine: Machine) -> int | None:
    text = machine.text(_FIRMWARE)
    if text is None:
        text = (machine.says("vcgencmd", "get_throttled") or "").partition("=")[2]
    try:
        return int(text, 16)
    except ValueError:
        return None


def _told(flags: int) -> Iterator[Finding]:
    if flags & _UNDER_VOLTAGE:
        yield wrong("power", "the voltage is too low now", _SUPPLY)
    elif flags & _UNDER_VOLTAGE << _HAPPENED:
        yield wrong("power", "the voltage was too low since the phone was switched on", _SUPPLY)
    else:
        yield ok("power", "the voltage was always high enough")
    slow = _CAPPED | _THROTTLED | _SOFT_LIMIT
    if flags & slow:
        yield wrong("throttling", "the processor is slowed down now: voices may stutter", f"{_COOL} {_SUPPLY}")
    elif flags & slow << _HAPPENED:
        yield note("throttling", "the processor was slowed down since the phone was switched on", f"{_COOL} {_SUPPLY}")


def temperature(machine: Machine) -> Iterator[Finding]:
    millis = (machine.number(zone) for zone in machine.files("sys/class/thermal/thermal_zone*/temp"))
    degrees = [milli / 1000 for milli in millis if milli is not None]
    if not degrees:
        return
    hottest = round(max(degrees))
    if hottest >= TOO_HOT_C:
        yield wrong("temperature", f"{hottest} °C: the processor slows down", _COOL)
    elif hottest >= HOT_C:
        yield note("temperature", f"{hottest} °C: it is warm in there", _COOL)
    else:
        yield ok("temperature", f"{hottest} °C")


def watchdog(machine: Machine) -> Iterator[Finding]:
    """The hardware that starts the machine anew when nobody feeds it any more."""
    cure = "RuntimeWatchdogSec=14 in /etc/systemd/system.conf.d/omafon.conf, and restart."
    for place in machine.files("sys/class/watchdog/watchdog[0-9]*"):
        timeout_s = machine.number(f"{place}/timeout")
        if machine.text(f"{place}/state") == "active":
            after = f"after {timeout_s} s " if timeout_s else ""
            yield ok("watchdog", f"a machine that hangs starts anew {after}by itself")
            return
    if machine.files("sys/class/watchdog/watchdog[0-9]*"):
        yield note("watchdog", "there is one, and nobody feeds it: a machine that hangs stays so", cure)
    elif machine.model:
        yield note("watchdog", "this machine has none: one that hangs stays so", "dtparam=watchdog=on in config.txt.")
