# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Phones that were paired once: each with a certificate of its own, and the others in its memory."""

import shutil
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from omafon.core.family import reach_of
from omafon.core.memory import Address, Member, Memory
from omafon.drivers.store import FILE
from omafon.identity import Identity, identity
from tests.lab.addresses import Addresses
from tests.lab.phone import Phone, Setup
from tests.lab.street import House

PORT = 5061


@dataclass
class Kin:
    """Who `phone` is to its family. To be made before the phone starts: it writes what the phone would remember."""

    phone: Phone
    number: str
    port: int = PORT
    tells_state: bool = False

    def __post_init__(self) -> None:
        self.state = self.phone.folder / "state"
        self.state.mkdir(exist_ok=True)
        self.identity: Identity = identity(self.state)

    def as_member(self, *, at: Iterable[Address] | None = None) -> Member:
        """As another phone remembers it: at its address, or `at` others."""
        own = Address(self.phone.address, self.port, reach_of(self.phone.address))
        addresses = tuple(at) if at is not None else (own,)
        return Member(
            self.identity.id,
            self.phone.name,
            self.number,
            self.identity.fingerprint,
            addresses,
            tells_state=self.tells_state,
            told_state=self.tells_state,
        )

    def knows(self, *members: Member) -> None:
        """Its family is these, and it remembers nothing else."""
        (self.state / FILE).write_bytes(msgspec.json.encode(Memory(family=members)))

    def remembers(self) -> Memory:
        return msgspec.json.decode((self.state / FILE).read_bytes(), type=Memory)


def related(*kin: Kin) -> None:
    """All of them are one family."""
    for one in kin:
        one.knows(*(other.as_member() for other in kin if other is not one))


class Household:
    """Phones that may become one family, each at an address of its own. It ends them at the end of its `with`."""

    def __init__(self, folder: Path, addresses: Addresses) -> None:
        self._folder = folder
        self._addresses = addresses
        self._running = ExitStack()
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._running.close()

    def of(
        self,
        name: str,
        *,
        number: str | None = None,
        at: str | None = None,
        port: int = PORT,
        codecs: Sequence[str] = ("opus", "pcma"),
        house: House | None = None,
    ) -> Kin:
        """A phone called `name`, which does not run yet; in a `house` it listens at all addresses, `at` one of them."""
        self._count += 1
        number = f"+493012345{self._count:02d}" if number is None else number
        return self._made(name, at or self._addresses.fresh(), number, port, codecs, self._folder, house)

    def starts(self, *kin: Kin) -> None:
        for one in kin:
            self._running.enter_context(one.phone)

    def moves(self, kin: Kin) -> Kin:
        """The same phone with the same memory at another address; it is stopped, and does not run there yet."""
        kin.phone.close()
        elsewhere = self._folder / "elsewhere"
        moved = self._made(kin.phone.name, self._addresses.fresh(), kin.number, kin.port, ("opus",), elsewhere)
        shutil.rmtree(moved.state)
        shutil.copytree(kin.state, moved.state)
        return Kin(moved.phone, kin.number, kin.port)

    def _made(
        self,
        name: str,
        at: str,
        number: str,
        port: int,
        codecs: Sequence[str],
        folder: Path,
        house: House | None = None,
    ) -> Kin:
        sip: dict[str, object] = {"port": 0} if ":" in at else {}
        sip |= {"address": ""} if house is not None else {}
        more = {"phone": {"number": number}, "family": {"port": port}, "sip": sip}
        # Nobody is there who could look a name up, and no line: a family needs neither.
        setup = Setup(accept=("family",), codecs=codecs, more=more, inside=house.inside if house is not None else ())
        return Kin(Phone(folder, at, name, setup), number, port)
