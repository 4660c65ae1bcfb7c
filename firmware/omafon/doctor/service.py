# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The phone as a service of the system, and what it is made of."""

import platform
import ssl
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from omafon.doctor.finding import Finding, note, ok, wrong
from omafon.doctor.machine import Machine

UNIT = "omafon.service"


def unit(machine: Machine) -> Iterator[Finding]:
    """What systemd knows of the phone; nothing where it is no service."""
    wanted = ("LoadState", "ActiveState", "SubState", "Result", "NRestarts", "UnitFileState")
    told = machine.says("systemctl", "show", UNIT, f"--property={','.join(wanted)}")
    facts = dict(line.split("=", 1) for line in (told or "").splitlines() if "=" in line)
    if facts.get("LoadState") != "loaded":
        return
    restarts = int(facts.get("NRestarts") or 0)
    if facts["ActiveState"] == "active":
        if facts.get("UnitFileState") == "disabled":
            yield note("service", "runs, but not after the next start of the machine", f"systemctl enable {UNIT}")
        elif not restarts:
            yield ok("service", "runs, and never had to be started anew")
    elif facts["ActiveState"] in ("activating", "deactivating", "reloading"):
        yield note("service", f"is {facts['ActiveState']}")
    else:
        state = f"{facts['ActiveState']} ({facts.get('Result', '')})"
        yield wrong("service", f"does not run: {state}", "journalctl -u omafon -n 50 says why; systemctl start omafon.")
    if restarts:
        times = "once" if restarts == 1 else f"{restarts} times"
        yield note("service", f"had to be started anew {times}", "journalctl -u omafon -p warning says why.")


def versions(machine: Machine) -> Iterator[Finding]:
    parts = [f"omafon {version('omafon')}", f"Python {platform.python_version()}", ssl.OPENSSL_VERSION]
    parts += [f"Linux {platform.release()}", machine.model or platform.machine()]
    yield ok("version", ", ".join(parts))
    try:
        yield ok("engine", f"pjsua2 {version('pjsua2')}")
    except PackageNotFoundError:
        cure = "Install the wheel that image-build/engine/build prints; ./dev does it by itself."
        yield wrong("engine", "the call engine is not installed", cure)
