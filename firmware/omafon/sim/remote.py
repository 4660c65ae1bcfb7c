# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A running phone seen from outside, through its control socket: what the panels watch and press."""

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from pathlib import Path
from typing import Any

from PIL import Image

Told = Mapping[str, Any]
"""One line of the stream: {"event": "screen", "screen": …}, or snapshot, status, lamps, errand alike."""

LINE_LIMIT = 1 << 20
ANSWER_S = 5.0
RETRY_S = 0.3


class PhoneOff(Exception):
    """No daemon answers at the control socket, or it went away."""


class Refused(Exception):
    """The daemon would not do it: `what` and `cure`, each one sentence."""

    def __init__(self, what: str, cure: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.cure = cure


class Remote:
    """One phone, by the path of its control socket.

    The stream has a connection of its own for each reader; requests share another one, which is opened when first
    needed and again after the daemon was restarted.
    """

    def __init__(self, control: Path) -> None:
        self.control = control
        self._turn = asyncio.Lock()
        self._asked = 0
        self._wire: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def stream(self) -> AsyncGenerator[Told]:
        """The phone's events, a snapshot first, until the daemon goes away.

        Raises PhoneOff when there is none, or when it says something that is not the control protocol.
        """
        reader, writer = await self._connect()
        try:
            writer.write(b'{"id": 0, "method": "subscribe"}\n')
            while line := await _line(reader):
                told = _decoded(line)
                if "event" in told:
                    yield told
        finally:
            await _closed(writer)

    async def follow(self, hear: Callable[[Told | None], None]) -> None:
        """Hand every event to `hear`, and None whenever the phone is off; returns only when cancelled."""
        while True:
            with contextlib.suppress(PhoneOff):
                async with contextlib.aclosing(self.stream()) as events:
                    async for told in events:
                        hear(told)
            hear(None)
            await asyncio.sleep(RETRY_S)

    async def press(self, *keys: str) -> None:
        """Keys as a person presses them, 'off-hook' and 'on-hook' among them; done when the phone has taken them.

        Raises PhoneOff, or Refused when the phone knows no such key.
        """
        await self.request("press", {"keys": list(keys)})

    async def request(self, method: str, params: Mapping[str, Any]) -> Any:
        """The result of one method of the control socket.

        Raises PhoneOff when nobody answers within ANSWER_S, Refused when the daemon says no.
        """
        async with self._turn:
            self._asked += 1
            try:
                async with asyncio.timeout(ANSWER_S):
                    answer = await self._exchange({"id": self._asked, "method": method, "params": params})
            except TimeoutError as error:
                await self._hang_up()
                raise PhoneOff(f"{self.control} does not answer") from error
            except PhoneOff:
                await self._hang_up()
                raise
        if "error" in answer:
            raise Refused(answer["error"].get("what", "refused"), answer["error"].get("cure", ""))
        return answer.get("result")

    async def close(self) -> None:
        async with self._turn:
            await self._hang_up()

    async def _exchange(self, question: Mapping[str, Any]) -> Told:
        if self._wire is not None and self._wire[0].at_eof():
            await self._hang_up()
        if self._wire is None:
            self._wire = await self._connect()
        reader, writer = self._wire
        writer.write(json.dumps(question).encode() + b"\n")
        line = await _line(reader)
        if not line:
            raise PhoneOff(f"{self.control} hung up")
        return _decoded(line)

    async def _hang_up(self) -> None:
        wire, self._wire = self._wire, None
        if wire is not None:
            await _closed(wire[1])

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        try:
            return await asyncio.open_unix_connection(self.control, limit=LINE_LIMIT)
        except OSError as error:
            raise PhoneOff(f"no phone answers at {self.control}") from error


def frame(screen: Told) -> Image.Image:
    """The one-bit picture in a screen event's `screen`."""
    return Image.frombytes("1", (screen["width"], screen["height"]), base64.b64decode(screen["frame"]))


async def _line(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readline()
    except OSError as error:
        raise PhoneOff(str(error)) from error
    except ValueError as error:  # longer than LINE_LIMIT
        raise PhoneOff("it does not speak the control protocol") from error


def _decoded(line: bytes) -> Told:
    try:
        told = json.loads(line)
    except ValueError as error:
        raise PhoneOff("it does not speak the control protocol") from error
    if not isinstance(told, dict):
        raise PhoneOff("it does not speak the control protocol")
    return told


async def _closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
