# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Whole telephones in houses of their own, which people make a family by the keys."""

import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.lab.phone import Line, Phone, Setup
from tests.lab.program import Program
from tests.lab.street import House

PORT = 5061

Tables = Mapping[str, dict[str, Any]]


class Village:
    """Phones that were never set up but for a name and a number; ended at the end of its `with`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running = ExitStack()
        self._phones = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._running.close()

    def phone(
        self,
        house: House,
        name: str,
        number: str,
        *,
        codecs: Sequence[str] = ("pcma",),
        has_card: bool = True,
    ) -> Phone:
        """A phone that does not run yet; it listens at all addresses of its house."""
        self._phones += 1
        tables = {"phone": {"name": name, "number": number}, "sip": {"address": ""}}
        setup = Setup(accept=("family",), codecs=codecs, has_card=has_card, more=tables, inside=house.inside)
        return Phone(self._folder, "", f"{name}{self._phones}", setup)

    def local(self, address: str, name: str, number: str, *, lines: Sequence[Line], more: Tables) -> Phone:
        """A phone at a loopback address, where all servers of the lab are."""
        self._phones += 1
        setup = Setup(lines, has_card=False, more={"phone": {"name": name, "number": number}, **more})
        return Phone(self._folder, address, f"{name}{self._phones}", setup)

    def starts(self, *phones: Phone) -> None:
        """All at once: most of it is waiting for one another."""
        with ThreadPoolExecutor(len(phones)) as hands:
            for started in [hands.submit(phone.starts) for phone in phones]:
                started.result()
        for phone in phones:
            self._running.callback(phone.close)

    def attacker(self, *words: object, house: House) -> Program:
        """Somebody in a house of the street, or of two, who runs `python -m tests.lab.between` with these words."""
        return self._running.enter_context(
            Program(
                [*house.inside, sys.executable, "-m", "tests.lab.between", *map(str, words)],
                package="nothing: run ./dev test",
                folder=self._folder,
                name=f"between-{words[0]}",
                env={"PYTHONPATH": str(Path(__file__).parents[2])},
            )
        )


def begins_pairing(*phones: Phone) -> None:
    for phone in phones:
        phone.presses("end", *"*#3#")


def compares(*phones: Phone) -> list[str]:
    """The digits that each shows."""
    statuses = [phone.until(lambda s: _stage(s) == "comparing", "shows digits", within_s=15) for phone in phones]
    return [str(status["pairing"]["digits"]) for status in statuses]


def says_yes(*phones: Phone) -> None:
    for phone in phones:
        phone.presses("#")
    for phone in phones:
        phone.until(lambda s: _stage(s) == "done", "is paired")
        phone.presses("end")


def pairs(one: Phone, other: Phone) -> float:
    """Make them a family as two people do, by code and keys; returns the seconds it took."""
    began = time.monotonic()
    begins_pairing(one, other)
    mine, theirs = compares(one, other)
    assert mine == theirs
    says_yes(one, other)
    return time.monotonic() - began


def family_of(phone: Phone) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = phone.ask("family")["members"]
    return found


def _stage(status: dict[str, Any]) -> str:
    return str((status["pairing"] or {}).get("stage", ""))
