# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Houses in a street: each a network namespace with addresses of its own, joined by one cable; routers join streets."""

import itertools
import os
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.lab.heard import LabError
from tests.lab.program import needs

ETC = Path("/etc/netns")

# The kernel takes its time to clear a namespace away: no name is used twice.
_streets = itertools.count()
_cables = itertools.count()


class Street:
    """A bridge, and namespaces on it. Needs root. Everything is gone at the end of its `with`."""

    def __init__(self) -> None:
        self.name = f"om{os.getpid() % 100_000}{next(_streets):x}"
        self._houses: list[str] = []
        self._cables: list[str] = []

    def __enter__(self) -> Self:
        _ip("link", "add", self.name, "type", "bridge")
        # Whoever listens at the bridge sees all that passes.
        _ip("link", "set", self.name, "promisc", "on", "up")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        # A namespace lingers for a while after its end, and its cable with it; a router's other street may be gone.
        for cable in self._cables:
            subprocess.run(["ip", "link", "del", cable], capture_output=True, check=False)
        for house in self._houses:
            _ip("netns", "del", house)
            shutil.rmtree(ETC / house)
        _ip("link", "del", self.name)

    def house(self, *addresses: str) -> "House":
        """A house with these addresses, as in '10.9.0.2/24', and no way out of the street."""
        name = f"{self.name}-{len(self._houses)}"
        _ip("netns", "add", name)
        self._houses.append(name)
        # What is here stands in the place of the machine's (ip-netns(8)): a name server that is no more.
        (ETC / name).mkdir(parents=True)
        (ETC / name / "resolv.conf").write_text("nameserver 192.0.2.53\n")
        (ETC / name / "hosts").write_text("127.0.0.1 localhost\n")
        house = House(name)
        house.ip("link", "set", "lo", "up")
        self.reaches(house)
        for address in addresses:
            house.gets(address)
        return house

    def reaches(self, house: "House", end: str = "eth0") -> None:
        """Lay a cable from the street to the house; `end` is what it is called there."""
        cable = f"{self.name}.{next(_cables)}"
        _ip("link", "add", cable, "type", "veth", "peer", "name", end, "netns", house.name)
        self._cables.append(cable)
        _ip("link", "set", cable, "master", self.name, "up")
        house.ip("link", "set", end, "up")
        house.cables[end] = (self, cable)

    def leaves(self, house: "House", end: str = "eth0") -> None:
        """Take that cable away."""
        street, cable = house.cables.pop(end)
        street._cables.remove(cable)
        _ip("link", "del", cable)

    def is_cut(self) -> None:
        """Nothing passes any more, and no house can see that."""
        _ip("link", "set", self.name, "down")

    def is_mended(self) -> None:
        _ip("link", "set", self.name, "up")


class House:
    """A namespace; `inside` is what runs a command in it."""

    def __init__(self, name: str) -> None:
        self.inside = ("ip", "netns", "exec", name)
        self.name = name
        self.cables: dict[str, tuple[Street, str]] = {}

    def gets(self, address: str, at: str = "eth0") -> None:
        # At once, and not after IPv6 has asked whether somebody else has it.
        self.ip("address", "add", address, "dev", at, *(("nodad",) if ":" in address else ()))
        if at == "eth0":
            version = "-6" if ":" in address else "-4"
            self.ip(version, "route", "replace", "default", "dev", at)

    def loses(self, address: str, at: str = "eth0") -> None:
        self.ip("address", "del", address, "dev", at)

    def goes_by(self, router: str) -> None:
        """All that leaves the street goes by the router of this address."""
        self.ip("route", "replace", "default", "via", router)

    def moves(self, street: Street, address: str) -> None:
        """Be in another street, under this one address."""
        street.leaves(self)
        street.reaches(self)
        self.gets(address)

    def ip(self, *words: str) -> None:
        _ip("-n", self.name, *words)


class Router(House):
    """Between two streets: who is `inside` is hidden behind its address `outside`. Needs nft.

    What comes from outside gets in only by a port that was opened, or as an answer.
    """

    def __init__(self, inside: tuple[Street, str], outside: tuple[Street, str]) -> None:
        (private, gateway), (public, self.address) = inside, outside
        house = public.house()
        super().__init__(house.name)
        private.reaches(house, "eth1")
        self.gets(self.address)
        self.gets(gateway, "eth1")
        self._opened: list[str] = []
        self._set_up()

    def opens(self, port: int, to: str) -> None:
        """What comes from outside to this TCP port goes to that address inside."""
        self._opened.append(f"iifname eth0 tcp dport {port} dnat to {to}")
        self._set_up()

    def is_reconnected(self, address: str) -> None:
        """The line goes down for a moment and comes up with another address, as a DSL line does at night."""
        self.loses(self.address)
        self.gets(address)
        self.address = address

    def _set_up(self) -> None:
        rules = f"""
            flush ruleset
            table ip router {{
                chain hides {{ type nat hook postrouting priority srcnat
                    oifname eth0 masquerade
                }}
                chain opens {{ type nat hook prerouting priority dstnat
                    {"; ".join(self._opened)}
                }}
                chain guards {{ type filter hook input priority filter
                    iifname eth0 ct state new drop
                }}
                chain closes {{ type filter hook forward priority filter; policy drop
                    iifname eth1 accept
                    ct state established,related accept
                    ct status dnat accept
                }}
            }}
        """
        nft = [*self.inside, needs("nft", "nftables"), "-f", "-"]
        done = subprocess.run(nft, input=rules, capture_output=True, text=True, check=False)
        if done.returncode:
            raise LabError(f"nft: {done.stderr.strip()}")
        self.run("sysctl", "-qw", "net.ipv4.ip_forward=1")

    def run(self, *words: str) -> None:
        subprocess.run([*self.inside, *words], check=True)


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(f"ip {' '.join(words)}: {done.stderr.strip()} (network namespaces need root)")
