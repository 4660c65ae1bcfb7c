# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The agents under measurement, behind one face: Omafon, PJSIP's pjsua, baresip, linphone.

Each has a virtual sound card of its own, and its defaults but for what would make the others incomparable: no echo
canceller, no silence suppression, one codec first in order.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from omafon.sim.soundcard import SoundCard
from tests.lab.baresip import Baresip
from tests.lab.linphone import Linphone
from tests.lab.phone import Line, Phone, Setup
from tests.lab.pjsua import Pjsua

NUMBER = "030123456"
NUMBER_E164 = "+4930123456"


@dataclass(frozen=True, slots=True)
class Place:
    """Where an agent lives: its folder, its address, and the registrar it is to register with, if any."""

    folder: Path
    address: str
    user: str
    codec: str = "opus"
    registrar: str = ""
    password: str = ""
    far_end: str = ""  # whom it is going to call


class Agent(Protocol):
    """Ready when entered: registered when its place has a registrar."""

    card: SoundCard
    uri: str
    pid: int

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None: ...

    def dials(self) -> None:
        """All that comes before the last key of a call to the far end."""

    def presses_the_last_key(self) -> None: ...

    def takes_the_call(self) -> None: ...
    def is_in_a_call(self) -> None: ...
    def hangs_up(self) -> None: ...


class OmafonAgent:
    """The telephone, used by its keys. Its number for the far end is in its phone book."""

    def __init__(self, place: Place) -> None:
        line = [Line(place.registrar, place.user, place.password)] if place.registrar else []
        others = [codec for codec in ("opus", "pcma") if codec != place.codec]
        contacts = [{"name": "Far end", "number": NUMBER_E164, "uri": place.far_end}] if place.far_end else []
        alike = {"audio": {"echo": "off"}}
        setup = Setup(lines=line, codecs=[place.codec, *others], contacts=contacts, more=alike)
        self._phone = Phone(place.folder, place.address, place.user, setup)
        self._registers = bool(place.registrar)
        assert self._phone.card
        self.card = self._phone.card
        self.uri = self._phone.uri
        self.pid = 0

    def __enter__(self) -> Self:
        self._phone.__enter__()
        assert self._phone.program
        self.pid = self._phone.program.pid
        if self._registers:
            self._phone.is_registered()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._phone.close()

    def dials(self) -> None:
        self._phone.lifts()
        self._phone.presses(*NUMBER)
        self._phone.is_("dialing")

    def presses_the_last_key(self) -> None:
        self._phone.presses("#")

    def takes_the_call(self) -> None:
        self._phone.is_called()
        self._phone.lifts()
        self._phone.is_in_a_call()

    def is_in_a_call(self) -> None:
        self._phone.is_in_a_call()

    def hangs_up(self) -> None:
        self._phone.replaces()
        self._phone.is_idle()


class PjsuaAgent(Pjsua):
    """PJSIP's C agent, by its menu."""

    def __init__(self, place: Place) -> None:
        super().__init__(
            *(place.folder, place.address, place.user),
            codec=place.codec,
            registrar=place.registrar or None,
            password=place.password,
        )
        self.pid = self.program.pid
        self._far_end = place.far_end

    def dials(self) -> None:
        self.opens_the_menu()

    def presses_the_last_key(self) -> None:
        self.calls(self._far_end)

    def takes_the_call(self) -> None:
        self.is_in_a_call()


class BaresipAgent(Baresip):
    """baresip, by its control socket."""

    def __init__(self, place: Place) -> None:
        super().__init__(
            *(place.folder, place.address, place.user),
            registrar=place.registrar or None,
            password=place.password,
            codecs=(place.codec,),
            answers="auto",
        )
        self.pid = self.program.pid
        self._far_end = place.far_end

    def dials(self) -> None:
        pass

    def presses_the_last_key(self) -> None:
        self.calls(self._far_end)

    def takes_the_call(self) -> None:
        self.is_in_a_call()


class LinphoneAgent(Linphone):
    """linphone-daemon, by its socket."""

    def __init__(self, place: Place) -> None:
        super().__init__(
            *(place.folder, place.address, place.user),
            registrar=place.registrar or None,
            password=place.password,
            codecs=(place.codec,),
            answers="auto",
        )
        self.pid = self.program.pid
        self._far_end = place.far_end

    def dials(self) -> None:
        pass

    def presses_the_last_key(self) -> None:
        self.calls(self._far_end)

    def takes_the_call(self) -> None:
        self.is_in_a_call()


AGENTS: dict[str, Callable[[Place], Agent]] = {
    "omafon": OmafonAgent,
    "pjsua": PjsuaAgent,
    "baresip": BaresipAgent,
    "linphone": LinphoneAgent,
}
