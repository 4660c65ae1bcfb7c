# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A web page with a handset for every phone, on this machine alone: what the terminal panel is, drawn.

The page is given what the control sockets tell, and gives back keys; it has no other powers. Nothing but 127.0.0.1
is listened on, and a page of another site can neither read from it nor press a key: the Host header must name this
machine (else a foreign name could be pointed here) and a WebSocket must come from our own page.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

from omafon.core.tones import TONES
from omafon.interfaces import DriverError
from omafon.sim.remote import PhoneOff, Refused, Remote, Told

ADDRESS = "127.0.0.1"
HOSTS = frozenset({"127.0.0.1", "localhost"})

PAGE = {
    "/": ("index.html", "text/html"),
    "/style.css": ("style.css", "text/css"),
    "/app.js": ("app.js", "text/javascript"),
    "/tones.js": ("tones.js", "text/javascript"),
}

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}

LONGEST_MESSAGE = 4096
MOST_PENDING = 256
LEVEL_PERIOD_S = 0.08

Levels = Callable[[int], float | None]
"""The level in the ear of phone n, in dB below full scale, or None where nothing is measured."""


class Press(msgspec.Struct, forbid_unknown_fields=True):
    """All that a page may ask, one at a time: keys pressed on phone n, one held down, or let go."""

    phone: int
    keys: tuple[str, ...] = ()
    down: str = ""
    up: str = ""


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class WebPanel:
    """The running page at `url`."""

    def __init__(self, phones: Sequence[tuple[str, Path]], levels: Levels | None) -> None:
        self.url = ""
        self._handsets = {
            place: _Handset(place, name, control, self._tell) for place, (name, control) in enumerate(phones)
        }
        self._levels = levels
        self._viewers: set[_Viewer] = set()
        self._watched = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        page = web.Application(middlewares=[_of_this_machine])
        for path, (name, kind) in PAGE.items():
            page.router.add_get(path, _file(name, kind))
        page.router.add_get("/tones.json", _tones)
        page.router.add_get("/live", self._live)
        self._runner = web.AppRunner(page, access_log=None, shutdown_timeout=1.0)

    async def open(self, port: int) -> None:
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, ADDRESS, port).start()
        except OSError as error:
            await self._runner.cleanup()
            what = f"the web page cannot have port {port}: {error.strerror or error}"
            raise DriverError(what, "Choose another one, or 0 for any that is free.") from None
        self.url = f"http://{ADDRESS}:{self._runner.addresses[0][1]}/"
        self._tasks = [asyncio.create_task(handset.follow()) for handset in self._handsets.values()]
        if self._levels is not None:
            self._tasks.append(asyncio.create_task(self._measure(self._levels)))

    async def close(self) -> None:
        """Part from every browser and every phone."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for viewer in tuple(self._viewers):
            await viewer.socket.close(code=WSCloseCode.GOING_AWAY)
        await self._runner.cleanup()
        for handset in self._handsets.values():
            await handset.remote.close()

    async def _live(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Origin") != f"http://{request.host}":
            raise web.HTTPForbidden(text="only the page of this phone may do that\n")
        socket = web.WebSocketResponse(max_msg_size=LONGEST_MESSAGE, heartbeat=20.0, compress=False)
        await socket.prepare(request)
        viewer = _Viewer(socket)
        for handset in self._handsets.values():
            viewer.tell(handset.snapshot)
        self._viewers.add(viewer)
        self._watched.set()
        speaking = asyncio.create_task(viewer.speak())
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await self._pressed(viewer, message.data)
        finally:
            self._viewers.discard(viewer)
            for phone, key in tuple(viewer.down):
                await self._asked(viewer, Press(phone, up=key))
            if not self._viewers:
                self._watched.clear()
            speaking.cancel()
            await asyncio.gather(speaking, return_exceptions=True)
        return socket

    async def _pressed(self, viewer: "_Viewer", text: str) -> None:
        """Press what the page asks for; all else is not from our page."""
        try:
            asked = msgspec.json.decode(text, type=Press)
            if asked.phone not in self._handsets or sum(map(bool, (asked.keys, asked.down, asked.up))) != 1:
                raise msgspec.ValidationError
        except msgspec.DecodeError:
            await viewer.socket.close(code=WSCloseCode.POLICY_VIOLATION)
            return
        await self._asked(viewer, asked)

    async def _asked(self, viewer: "_Viewer", asked: Press) -> None:
        handset = self._handsets[asked.phone]
        try:
            if asked.keys:
                await handset.remote.press(*asked.keys)
            if asked.down:
                await handset.remote.request("down", {"key": asked.down})
                viewer.down.add((asked.phone, asked.down))
            if asked.up and (asked.phone, asked.up) in viewer.down:
                viewer.down.discard((asked.phone, asked.up))
                await handset.remote.request("up", {"key": asked.up})
        except PhoneOff:
            viewer.tell({"phone": handset.place, "event": "off"})
        except Refused as refused:
            viewer.tell({"phone": handset.place, "event": "refused", "what": refused.what, "cure": refused.cure})

    def _tell(self, told: Told) -> None:
        for viewer in tuple(self._viewers):
            viewer.tell(told)

    async def _measure(self, levels: Levels) -> None:
        """Tell the level in each ear while somebody looks."""
        shown: dict[int, float | None] = {}
        while True:
            await self._watched.wait()
            for handset in self._handsets.values():
                level = levels(handset.place)
                level = None if level is None else round(level, 1)
                if shown.get(handset.place) != level:
                    shown[handset.place] = level
                    self._tell({"phone": handset.place, "event": "ear", "level_db": level})
            await asyncio.sleep(LEVEL_PERIOD_S)


class _Handset:
    """One phone: followed once, however many browsers look."""

    def __init__(self, place: int, name: str, control: Path, tell: Callable[[Told], None]) -> None:
        self.place = place
        self.remote = Remote(control)
        self.snapshot: Told = {"phone": place, "event": "off", "name": name}
        self._name = name
        self._tell = tell

    async def follow(self) -> None:
        await self.remote.follow(self._hear)

    def _hear(self, told: Told | None) -> None:
        if told is None:
            told = {"event": "off"}
        if told["event"] in ("off", "snapshot"):
            self.snapshot = {**told, "phone": self.place, "name": self._name}
        elif (part := told["event"]) in told:
            self.snapshot = {**self.snapshot, part: told[part]}
        self._tell({**told, "phone": self.place, "name": self._name})


class _Viewer:
    """One browser, and what it has still to be told."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self.socket = socket
        self.down: set[tuple[int, str]] = set()
        """The keys that are held down here, each with the place of its phone."""
        self._pending: asyncio.Queue[Told] = asyncio.Queue(MOST_PENDING)

    def tell(self, told: Told) -> None:
        """Never waits. A browser that stopped reading loses what it is told; its heartbeat ends it."""
        with contextlib.suppress(asyncio.QueueFull):
            self._pending.put_nowait(told)

    async def speak(self) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                await self.socket.send_json(await self._pending.get())


async def serve(phones: Sequence[tuple[str, Path]], port: int = 0, levels: Levels | None = None) -> WebPanel:
    """Serve the page for these phones, each a name and its control socket, until `close`.

    Raises DriverError when the port is taken.
    """
    panel = WebPanel(phones, levels)
    await panel.open(port)
    return panel


@web.middleware
async def _of_this_machine(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse who came by another name than this machine's, whatever address that name has (DNS rebinding)."""
    if request.host.rpartition(":")[0] not in HOSTS and request.host not in HOSTS:
        raise web.HTTPForbidden(text="this page is at 127.0.0.1 alone\n")
    return await handler(request)


def _file(name: str, kind: str) -> Handler:
    body = (files("omafon.sim.web") / name).read_bytes()

    async def handler(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body, content_type=kind, charset="utf-8", headers=HEADERS)

    return handler


async def _tones(_: web.Request) -> web.StreamResponse:
    """What the tones are: {country: {tone: [[[frequency in Hz, …], on in ms, off in ms], …]}}."""
    table: Mapping[str, Any] = {
        country: {
            tone.value: [[list(burst.frequencies_hz), burst.on_ms, burst.off_ms] for burst in cadence]
            for tone, cadence in tones.items()
        }
        for country, tones in TONES.items()
    }
    return web.json_response(table, headers=HEADERS)
