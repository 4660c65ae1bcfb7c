# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""One file for a bug report: what somebody needs who was not there, and nothing that is only the owner's."""

import gzip
import io
import json
import os
import platform
import re
import tarfile
from collections.abc import Iterable, Iterator
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import msgspec

from omafon import redact
from omafon.board import load_board
from omafon.client import Client, NoDaemon, Refused
from omafon.config import Config, ConfigError
from omafon.config.reading import read
from omafon.core.memory import Memory
from omafon.doctor.finding import Finding
from omafon.doctor.machine import Machine
from omafon.doctor.phone import ANSWER_S

NAME = "omafon-report"
LOG_LINES, KERNEL_LINES = 2000, 500
MEMORY = "memory.json"

# What of the kernel's messages a telephone may suffer from.
_MATTERS = re.compile(
    r"(?i)mmc|ext4|i/o error|voltage|throttl|usb|snd|asoc|wm8960|i2c|gpio|oom|out of memory|killed|watchdog|brcm"
    r"|wlan|eth\d|\bend\d|link|rtc|clock|segfault|call trace|omafon"
)

_README = """\
This is what `omafon doctor --bundle` has gathered about a telephone, for a bug report.

Passwords, keys and whatever can be made of them are taken out wherever they stood, and shown as {mark}. Telephone
numbers are cut to their beginning and end. Names of people in the phone book, addresses and host names are left as
they are: have a look before you give it away.
"""


def pack(findings: Iterable[Finding], control: Path, machine: Machine) -> bytes:
    """The bundle, a .tar.gz; of the same facts it is the same, bit for bit."""
    config = machine.configuration()
    hide = redactor(machine, config)
    parts: dict[str, str] = {"README": _README.format(mark=redact.MARK)}
    parts |= {name: hide.for_strangers(text) for name, text in _told(list(findings), control, machine, config)}
    parts |= {name: hide(text) for name, text in _read(machine)}
    packed = io.BytesIO()
    # No times and no names of files: gzip and tar would write down who packed it and when.
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0) as squeezed,
        tarfile.open(fileobj=squeezed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name in sorted(parts):
            content = parts[name].encode("utf-8", "replace")
            entry = tarfile.TarInfo(f"{NAME}/{name}")
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def redactor(machine: Machine, config: Config) -> redact.Redactor:
    """Knows everything that this phone could tell."""
    try:
        memory = msgspec.json.decode((machine.state / MEMORY).read_bytes(), type=Memory)
    except (OSError, ValueError, RecursionError):
        memory = None
    hide = redact.of(config, machine.config, memory)
    # What the phone keeps of the configuration that worked last.
    hide.learn(redact.secrets_beside(machine.state / "last-good" / "phone.toml"))
    return hide


def _told(findings: list[Finding], control: Path, machine: Machine, config: Config) -> Iterator[tuple[str, str]]:
    """What may hold telephone numbers."""
    yield "findings.txt", "\n".join(map(str, findings)) + "\n"
    yield "findings.json", _json([finding.plain() for finding in findings])
    yield "status.json", _json(_status(control))
    try:
        yield "phone.toml", read(machine.config)
    except ConfigError as error:
        yield "phone.toml", f"# {error}\n"
    yield "history.json", _json(list(_generations(machine.config)))
    log = machine.says("journalctl", "-u", "omafon", "-n", str(LOG_LINES), "--no-pager", "-o", "short-iso-precise")
    yield "log.txt", f"{log if log is not None else 'there is no journal, or it may not be read'}\n"
    for report in (Path("omafon-hwtest.json"), machine.state / "hwtest.json"):
        if report.is_file():
            yield "hwtest.json", report.read_text(encoding="utf-8", errors="replace")
            break
    try:
        yield "board.json", _json(msgspec.to_builtins(load_board(config.phone.board)))
    except ConfigError as error:
        yield "board.json", _json({"error": str(error)})


def _read(machine: Machine) -> Iterator[tuple[str, str]]:
    """What tells of the machine alone: its figures are no telephone numbers."""
    kernel = (
        machine.says("journalctl", "-k", "-b", "--no-pager", "-o", "short-monotonic") or machine.says("dmesg") or ""
    )
    lines = [line for line in kernel.splitlines() if _MATTERS.search(line)]
    yield "kernel.txt", "\n".join(lines[-KERNEL_LINES:]) + "\n"
    yield "versions.json", _json(_versions(machine))
    for name in ("boot/firmware/config.txt", "boot/config.txt"):
        if (text := machine.text(name)) is not None:
            yield "config.txt", f"{text}\n"
            break


def _status(control: Path) -> dict[str, Any]:
    try:
        with Client(control, answer_s=ANSWER_S) as phone:
            return phone.ask("status")
    except NoDaemon as error:
        return {"error": str(error)}
    except Refused as error:
        return {"error": error.what}


def _generations(config: Path) -> Iterator[dict[str, Any]]:
    """What became of each generation of the configuration, the oldest first."""
    files = config.parent.glob("generations/*/meta.json")
    for meta in sorted(files, key=lambda file: (len(file.parent.name), file.parent.name)):
        try:
            yield json.loads(meta.read_bytes())
        except (OSError, ValueError, RecursionError):
            yield {"number": meta.parent.name, "error": "cannot be read"}


def _versions(machine: Machine) -> dict[str, Any]:
    return {
        "model": machine.model or "no Raspberry Pi",
        "kernel": platform.release(),
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "system": machine.text("etc/os-release") or "",
        "image": machine.text("etc/omafon-image") or "",
        "packages": dict(sorted((found.metadata["Name"], found.version) for found in distributions())),
        "firmware": machine.says("vcgencmd", "version") or "",
        "command line": machine.text("proc/cmdline") or "",
        "up for": (machine.text("proc/uptime") or "").partition(" ")[0],
        "load": " ".join(map(str, os.getloadavg())),
    }


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"
