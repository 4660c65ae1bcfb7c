# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Speaks to a running phone through its control socket, one question at a time."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

ANSWER_S = 5.0

Json = dict[str, Any]


class NoDaemon(Exception):
    """Nobody answers at the control socket; the message says where, `cure` what to do."""

    cure = "Ask why: omafon doctor. By hand a phone is started with omafon run; --control names another one's socket."


class Refused(Exception):
    """The phone would not: `what` and `cure`, each one sentence; `misconfigured` when its configuration is wrong."""

    def __init__(self, what: str, cure: str, *, misconfigured: bool = False) -> None:
        super().__init__(what)
        self.what = what
        self.cure = cure
        self.misconfigured = misconfigured


class Client:
    """A connection to the phone whose control socket is at `path`. Raises NoDaemon, here and later."""

    def __init__(self, path: Path, *, answer_s: float = ANSWER_S) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(answer_s)
        try:
            self._socket.connect(str(path))
        except OSError as error:
            self._socket.close()
            raise self._gone(error) from None
        self._lines = self._socket.makefile("rb")

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lines.close()
        self._socket.close()

    def ask(self, method: str, **params: object) -> Json:
        """The result of `method`. Raises Refused when the phone would not."""
        self._say({"id": 1, "method": method, "params": params})
        answer = self._heard()
        if "error" in answer:
            error = answer["error"]
            misconfigured = bool(error.get("problems"))
            raise Refused(str(error.get("what")), str(error.get("cure", "")), misconfigured=misconfigured)
        result = answer.get("result")
        return result if isinstance(result, dict) else {}

    def events(self) -> Iterator[Json]:
        """What happens in the phone, from now until it ends; the first is a snapshot."""
        self._say({"id": 1, "method": "subscribe"})
        while True:
            yield self._heard()
            # The first came in time; how long nothing happens in a telephone is nobody's fault.
            self._socket.settimeout(None)

    def _say(self, request: Json) -> None:
        try:
            self._socket.sendall(json.dumps(request).encode() + b"\n")
        except OSError as error:
            raise self._gone(error) from None

    def _heard(self) -> Json:
        try:
            line = self._lines.readline()
            answer = json.loads(line) if line else None
        except (OSError, ValueError) as error:
            raise self._gone(error) from None
        if not isinstance(answer, dict):
            raise NoDaemon(f"the phone at {self._path} has ended")
        return answer

    def _gone(self, error: Exception) -> NoDaemon:
        match error:
            case PermissionError():
                gone = NoDaemon(f"the phone at {self._path} may not be used by you")
                gone.cure = "It is another user's: ask as that user, or run a phone of your own."
                return gone
            case TimeoutError():
                return NoDaemon(f"the phone at {self._path} does not answer")
            case _:
                return NoDaemon(f"no phone answers at {self._path}")
