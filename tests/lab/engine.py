# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The call engine alone, in the process of the test, without a telephone around it: actions in, events out."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, TypeVar

from omafon.cards import ROOT
from omafon.config import AudioConfig, LineConfig, SipConfig
from omafon.core.actions import Action, AnswerCall, PlaceCall
from omafon.core.dialplan import SipUri
from omafon.core.events import CallAnswered, CallId, Event, IncomingCall
from omafon.core.settings import Route
from omafon.drivers.sip import SipCalls
from tests.lab.heard import Heard
from tests.lab.peer import Peer

Srtp = Literal["mandatory", "optional", "off"]
Some = TypeVar("Some", bound=Event)


class EngineAlone:
    """A SipCalls that listens at `address`; there can be one at a time. It runs inside its `with`."""

    def __init__(
        self,
        address: str,
        *,
        lines: Sequence[LineConfig] = (),
        srtp: Srtp = "off",
        voice: str = "null",
        ca: Path | None = None,
        port: int = 0,
        root: Path = ROOT,
    ) -> None:
        self.address = address
        self.heard: Heard[Event] = Heard()
        self._count = itertools.count(1)
        self.calls = SipCalls(
            self.heard.add,
            SipConfig(port=port, address=address, srtp=srtp, ca=str(ca or "")),
            tuple(lines),
            AudioConfig(voice=voice),
            name="Oma",
            root=root,
        )

    def __enter__(self) -> Self:
        self.calls.open()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.calls.close()

    @property
    def at(self) -> tuple[str, int]:
        return self.address, self.calls.port

    def uri(self, user: str = "oma") -> str:
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"sip:{user}@{host}:{self.calls.port}"

    def performs(self, action: Action) -> None:
        self.calls.perform(action)

    def places(self, uri: str, line: str | None = None) -> CallId:
        """Call `uri`; returns the id of the call."""
        call = CallId(f"out-{next(self._count)}")
        self.performs(PlaceCall(call, SipUri(uri), line, Route.DIRECT))
        return call

    def hears(self, kind: type[Some], *, within_s: float = 5.0) -> Some:
        """The next event of this kind."""
        event = self.heard.until(lambda event: isinstance(event, kind), kind.__name__, within_s=within_s)
        assert isinstance(event, kind)
        return event

    def is_called_by(self, peer: Peer, *, user: str = "oma", headers: str = "") -> IncomingCall:
        peer.asks("INVITE", self.uri(user), self.at, headers=headers, body=peer.sdp())
        return self.hears(IncomingCall)

    def talks_with(self, peer: Peer, *, user: str = "oma") -> CallId:
        """Answer a call from `peer`; returns its id."""
        call = self.is_called_by(peer, user=user).call
        self.performs(AnswerCall(call))
        peer.confirms(peer.hears(200, cseq="INVITE"))
        self.hears(CallAnswered)
        return call
