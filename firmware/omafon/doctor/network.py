# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The way out: addresses, Wi-Fi, and what listens to the network beside the telephone."""

import os
import re
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

from omafon.config import Config
from omafon.doctor.finding import Finding, note, ok, wrong
from omafon.doctor.machine import Machine

WEAK_DBM, LOST_DBM = -72, -82
"""Below the first a conversation breaks up now and then, below the second there is none."""

SSH = 22
_DHCP = {68, 546}
_MDNS = {5353, 5355}
# Above these numbers the kernel gives out ports by itself, and nobody knows from outside what for.
_REGISTERED = 32_768
_LISTENS, _UNCONNECTED = "0A", "07"


def route(machine: Machine) -> Iterator[Finding]:
    """The default routes that the kernel knows (proc(5), RFC 4861)."""
    four = re.findall(r"^(\S+)\s+00000000\s+(?!00000000)\S+", machine.text("proc/net/route") or "", re.MULTILINE)
    six = re.findall(
        r"^0{32} 00 0{32} 00 (?!0{32})[0-9a-f]{32} .* (\S+)$", machine.text("proc/net/ipv6_route") or "", re.MULTILINE
    )
    found = dict.fromkeys([*four, *six])
    if found:
        yield ok("network", f"the way out is by {', '.join(found)}")
    else:
        cure = "Plug the cable in, or check [[wifi]] in phone.toml; `ip address` shows what there is."
        yield wrong("network", "there is no way out: no router has given an address", cure)


# Wi-Fi.


def wifi(machine: Machine) -> Iterator[Finding]:
    interfaces = {Path(found).parent.name for found in machine.files("sys/class/net/*/phy80211")}
    interfaces |= {Path(found).parent.name for found in machine.files("sys/class/net/*/wireless")}
    for interface in sorted(interfaces):
        if machine.text(f"sys/class/net/{interface}/operstate") == "down":
            continue
        yield from _signal(machine, interface)
        yield from _power_save(machine, interface)


def _signal(machine: Machine, interface: str) -> Iterator[Finding]:
    heard = re.search(
        rf"^\s*{re.escape(interface)}:\s+\S+\s+\S+\s+(-?\d+)", machine.text("proc/net/wireless") or "", re.MULTILINE
    ) or re.search(r"signal:\s*(-?\d+)\s*dBm", machine.says("iw", "dev", interface, "link") or "")
    if heard is None:
        yield note("wifi", f"{interface} hears no access point", "Check the name and the password in [[wifi]].")
        return
    dbm = int(heard[1])
    cure = "Move the phone or the access point, take the phone out of its metal, or lay a cable."
    if dbm < LOST_DBM:
        yield wrong("wifi", f"{interface} hears its access point at {dbm} dBm: too little for a conversation", cure)
    elif dbm < WEAK_DBM:
        yield note("wifi", f"{interface} hears its access point at {dbm} dBm: a conversation may break up", cure)
    else:
        yield ok("wifi", f"{interface} hears its access point at {dbm} dBm")


def _power_save(machine: Machine, interface: str) -> Iterator[Finding]:
    said = (machine.says("iw", "dev", interface, "get", "power_save") or "").lower()
    if said.endswith("off"):
        yield ok("wifi", f"{interface} is always awake")
    elif said.endswith("on"):
        cure = f"Now: iw dev {interface} set power_save off. For good: put the Wi-Fi into [[wifi]] of phone.toml."
        yield wrong("wifi", f"{interface} sleeps to save power: calls ring late, and voices stutter", cure)


# What listens.


def listeners(machine: Machine, config: Config, control: Path) -> Iterator[Finding]:
    """Ports open to the network that are neither the telephone's nor sshd's."""
    ours = _Phone(machine, control)
    strangers: dict[str, None] = {}
    for kind, state in (("tcp", _LISTENS), ("tcp6", _LISTENS), ("udp", _UNCONNECTED), ("udp6", _UNCONNECTED)):
        for line in (machine.text(f"proc/net/{kind}") or "").splitlines()[1:]:
            words = line.split()
            if len(words) < 10 or words[3] != state:
                continue
            address, _, port_hex = words[1].partition(":")
            port, name = int(port_hex, 16), kind.removesuffix("6")
            expected = {SSH, *_DHCP, *_MDNS, config.sip.port, config.sip.port + 1}
            hidden = name == "udp" and port >= _REGISTERED
            if not (port in expected or hidden or _is_loopback(address) or ours.has(int(words[7]), words[9])):
                strangers[f"{port}/{name}"] = None
    if strangers:
        what = f"other programs listen to the network: {', '.join(strangers)}"
        yield note("ports", what, "`ss -lntup`, as root, says which; a telephone needs none of them.")
    else:
        yield ok("ports", "nothing listens to the network but the telephone and SSH")


class _Phone:
    """Which sockets are the phone's: those its process holds open, as far as we may look, and those of its user."""

    def __init__(self, machine: Machine, control: Path) -> None:
        self._uid: int | None = None
        self._inodes: set[str] = set()
        try:
            with socket.socket(socket.AF_UNIX) as asking:
                asking.settimeout(1.0)
                asking.connect(os.fspath(control))
                peer = asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        except OSError:
            return
        pid, uid, _ = struct.unpack("3i", peer)
        # Root runs much more than the telephone.
        self._uid = uid or None
        try:
            for entry in (machine.root / f"proc/{pid}/fd").iterdir():
                if found := re.fullmatch(r"socket:\[(\d+)\]", str(entry.readlink())):
                    self._inodes.add(found[1])
        except OSError:
            return

    def has(self, uid: int, inode: str) -> bool:
        return inode in self._inodes or uid == self._uid


def _is_loopback(address: str) -> bool:
    """Whether a /proc/net address, words of the machine's own byte order in hexadecimal, is this machine only."""
    octets = b"".join(struct.pack("=I", int(address[at : at + 8], 16)) for at in range(0, len(address), 8))
    if len(octets) == 4:
        return octets[0] == 127
    return octets == bytes(15) + b"\1" or octets.startswith(bytes(10) + b"\xff\xff\x7f")
