# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""`omafon network-settle`: wireless networks, their country and the name of the machine as the configuration has them.

It is a level: run at every start and after every change of the configuration, it changes only what is different, so
the networks follow a configuration that is applied, and one that is taken back.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from omafon import durable
from omafon.config import Config, load
from omafon.machine import host_name, wifi
from omafon.machine.erasing import erase
from omafon.programs import Ran, run


@dataclass(frozen=True, slots=True)
class Settled:
    """The `networks` by name, the keyfiles `written` and `removed`, and what did not work, as sentences."""

    host: str
    networks: tuple[str, ...] = ()
    country: str = ""
    written: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    troubles: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        return {
            "host": self.host,
            "networks": list(self.networks),
            "country": self.country,
            "written": list(self.written),
            "removed": list(self.removed),
            "troubles": list(self.troubles),
        }

    def as_text(self) -> str:
        networks = ", ".join(self.networks) or "no wireless network"
        lines = [f"{self.host}: {networks}" + (f", channels of {self.country}" if self.networks else "")]
        lines += [f"  written  {name}" for name in self.written]
        lines += [f"  removed  {name}" for name in self.removed]
        return "\n".join([*lines, *(f"  trouble  {trouble}" for trouble in self.troubles)])


def settle_file(file: Path, root: Path = Path("/")) -> Settled:
    """`settle` with what stands in `file`, or without networks where there is none. Raises ConfigError, OSError."""
    return settle(load(file) if file.exists() else Config(), root)


def settle(config: Config, root: Path = Path("/")) -> Settled:
    """Bring keyfiles, radio and host name to what `config` says. Raises OSError.

    With another `root` only its files are touched, and no program of this machine is asked.
    """
    folder = root / wifi.FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone(folder):
        written, removed = _files(wifi.keyfiles(config), folder)
    networks, country = tuple(network.ssid for network in config.wifi), wifi.country(config)
    troubles: list[str] = []
    host = host_name.current(root)
    try:
        host_name.settle(root)
    except OSError as error:
        troubles.append(f"the machine cannot be called {host}: {error.strerror}")
    if root == Path("/"):
        if networks:
            troubles += _radio(country)
        if written or removed:
            troubles += _reloaded(config, written)
        troubles += _awake(root)
    return Settled(host, networks, country, written, removed, tuple(troubles))


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """A change of the configuration and a start may both want this at the same instant: one after the other."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _files(wanted: dict[str, str], folder: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Make our keyfiles in `folder` exactly these; the names of those written and of those removed."""
    there = {file.name: file for file in folder.glob(wifi.PATTERN)}
    written = [name for name, content in wanted.items() if _read(folder / name) != content]
    removed = sorted(there.keys() - wanted.keys())
    for name in written:
        # NetworkManager reads only what is root's alone.
        durable.replace(folder / name, wanted[name].encode(), 0o600)
    for name in removed:
        erase(there[name])
    return tuple(written), tuple(removed)


def _read(file: Path) -> str | None:
    try:
        mode = file.stat().st_mode & 0o777
        return file.read_text(encoding="utf-8") if mode == 0o600 else None
    except (OSError, ValueError):
        return None


def _radio(country: str) -> list[str]:
    """Let the radio send, by the rules of `country`: some systems keep it silent until they know one."""
    told = (run(["iw", "reg", "set", country]), run(["nmcli", "radio", "wifi", "on"]))
    return [ran.err for ran in told if ran is not None and not ran.good and ran.err]


def _reloaded(config: Config, written: tuple[str, ...]) -> list[str]:
    """Let NetworkManager read what changed, and use it: a connection that is up keeps its old password otherwise."""
    ran = run(["nmcli", "connection", "reload"])
    if ran is None:
        return ["there is no NetworkManager here: the networks wait for one"]
    if not ran.good:
        return [ran.err]
    up = run(["nmcli", "--terse", "--fields", "UUID", "connection", "show", "--active"]) or Ran(False)
    active = up.out.split()
    ours = {wifi.file_name(network): str(wifi.identity(network)) for network in config.wifi}
    anew = [ours[name] for name in written if ours[name] in active]
    told = [run(["nmcli", "--wait", "0", "connection", "up", "uuid", name]) for name in anew]
    return [ran.err for ran in told if ran is not None and not ran.good]


def _awake(root: Path) -> list[str]:
    """Forbid the radio to sleep, whoever set its connection up, and see that it obeys."""
    troubles: list[str] = []
    for device in sorted(folder.parent.name for folder in (root / "sys/class/net").glob("*/wireless")):
        run(["iw", "dev", device, "set", "power_save", "off"])
        seen = run(["iw", "dev", device, "get", "power_save"])
        if seen is not None and seen.good and not seen.out.strip().endswith("off"):
            troubles.append(f"{device} saves power: calls may come late")
    return troubles
