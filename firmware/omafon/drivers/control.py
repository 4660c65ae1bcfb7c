# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The control socket: the command line, the terminal panel and the web page press keys and look through it.

A UNIX stream socket, one JSON object a line each way. `subscribe` turns a connection into a stream of events.
"""

import asyncio
import grp
import json
import logging
import os
import socket
import stat
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from omafon.core.events import (
    Event,
    HookLifted,
    HookReplaced,
    Key,
    KeyHeld,
    KeyPressed,
    KeyReleased,
    MemberRemoved,
    NoticeLeft,
    NumberDialled,
    PairingAnswered,
    PairingAsked,
    UpdateStage,
    UpdateTold,
)
from omafon.core.screen import COLUMNS, ROWS
from omafon.interfaces import DriverError, Post

log = logging.getLogger(__name__)

GROUP = "omafon"
LONGEST_LINE = 16_384
MOST_KEYS = 64
LONGEST_NUMBER = 255
LONGEST_VERSION = 80
# As with a key of the keypad (KeyHeld).
HELD_S = 0.8
# Pictures replace each other while a subscriber is slow; errands do not: so many mean that it has stopped reading.
MOST_PENDING = 256

Result = dict[str, object]


class Look(Protocol):
    """What may be seen of the phone, as JSON values."""

    def status(self) -> Result: ...
    def screen(self) -> Result: ...
    def lamps(self) -> Result: ...
    def family(self) -> list[Result]: ...
    async def reload(self, *, at_once: bool) -> Result:
        """Take what the owner wrote. Raises RequestError."""


class RequestError(Exception):
    """A request is refused: `what` is wrong with it and the `cure`, each one sentence; `more` goes into the answer."""

    def __init__(self, what: str, cure: str, **more: object) -> None:
        super().__init__(what)
        self.what = what
        self.cure = cure
        self.more = more


class ControlSocket:
    """Serves the socket at `path` on the running loop: requests become events by `post`, answers come from `look`."""

    def __init__(self, post: Post, look: Look, path: Path) -> None:
        self._post = post
        self._look = look
        self._path = path
        self._socket: socket.socket | None = None
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._subscribers: set[_Subscriber] = set()
        self._down_keys: dict[Key, tuple[asyncio.TimerHandle, asyncio.Task[None] | None]] = {}
        self._methods: dict[str, Callable[[Result], Result | Awaitable[Result] | None]] = {
            "press": self._press,
            "down": self._down,
            "up": self._up,
            "dial": self._dial,
            "answer": self._answer,
            "hangup": self._hang_up,
            "status": self._status,
            "screen": self._screen,
            "reload": self._reload,
            "notice": self._notice,
            "update": self._update,
            "pair": self._pair,
            "pair-answer": self._pair_answer,
            "family": self._family,
        }

    def claim(self) -> None:
        """Listen, and let who comes wait. Raises DriverError when another daemon does, or the path cannot be used."""
        _make_way(self._path)
        self._socket = socket.socket(socket.AF_UNIX)
        before = os.umask(0o117)
        try:
            self._socket.bind(os.fspath(self._path))
        except OSError as error:
            self._socket.close()
            self._socket = None
            what = f"the control socket {self._path} cannot be made: {error.strerror or error}"
            raise DriverError(what, "Name another with --control, in a folder you may write to.") from None
        finally:
            os.umask(before)
        self._socket.listen()
        _give_to_group(self._path)

    async def open(self) -> None:
        """Serve who has come and who comes; after `claim`."""
        self._server = await asyncio.start_unix_server(self._connected, sock=self._socket, limit=LONGEST_LINE)

    async def close(self) -> None:
        """Stop listening, part from everybody, take the socket away."""
        if self._socket is None:
            return
        if self._server is not None:
            self._server.close()
            for connection in self._connections:
                connection.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)
            await self._server.wait_closed()
            self._server = None
        self._socket.close()
        self._socket = None
        self._path.unlink(missing_ok=True)

    def publish(self, event: Result) -> None:
        """Tell every subscriber. Never waits: who reads too slowly misses pictures, and is dropped at last."""
        for subscriber in tuple(self._subscribers):
            subscriber.tell(event)

    def refresh(self) -> None:
        """Look again, and publish the status, the screen and the lamps that changed."""
        if not self._subscribers:
            return
        for name, seen in (
            ("lamps", self._look.lamps()),
            ("screen", self._look.screen()),
            ("status", self._look.status()),
        ):
            for subscriber in tuple(self._subscribers):
                subscriber.see(name, seen)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            # A peer that has gone is the end of its connection, and no fault of ours.
            with suppress(ConnectionError, asyncio.CancelledError):
                await self._serve(reader, writer)
        finally:
            self._connections.discard(task)
            # Who has gone holds nothing down any more.
            for key in [key for key, (_, holder) in self._down_keys.items() if holder is task]:
                self._let_go(key)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                line = await reader.readline()
            except ValueError:
                await _send(
                    writer, _refused(None, f"the line is longer than {LONGEST_LINE} bytes", "Ask for less at once.")
                )
                return
            if not line:
                return
            request, refused = _understood(line)
            if request is None:
                await _send(writer, refused)
            elif request["method"] == "subscribe":
                await self._stream(reader, writer)
                return
            else:
                await _send(writer, await self._answered(request))

    async def _answered(self, request: Result) -> Result:
        """The answer to `request`, given after its errands have run."""
        params = request.get("params") or {}
        try:
            if not isinstance(params, dict):
                raise RequestError("params must be an object", 'Write them as in {"keys": ["1"]}.')
            method = self._methods.get(str(request["method"]))
            if method is None:
                known = ", ".join([*self._methods, "subscribe"])
                raise RequestError(f"there is no method {_quoted(request['method'])}", f"Choose from: {known}.")
            result = method(params)
            if isinstance(result, Awaitable):
                result = await result
        except RequestError as error:
            return _refused(request.get("id"), error.what, error.cure, **error.more)
        return {"id": request.get("id"), "result": await self._outcome() if result is None else result}

    async def _outcome(self) -> Result:
        """What became of a key press. The loop takes posted events in order, so after one turn theirs are done."""
        await asyncio.sleep(0)
        status = self._look.status()
        return {"mode": status["mode"], "hook": status["hook"]}

    async def _stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Speak until the other side goes, or stops listening."""
        subscriber = _Subscriber(
            {"status": self._look.status(), "screen": self._look.screen(), "lamps": self._look.lamps()}
        )
        self._subscribers.add(subscriber)
        speaking = asyncio.create_task(subscriber.speak(writer))
        gone = asyncio.create_task(_ended(reader))
        try:
            await asyncio.wait((speaking, gone, subscriber.dropped), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._subscribers.discard(subscriber)
            for task in (speaking, gone):
                task.cancel()
            await asyncio.gather(speaking, gone, return_exceptions=True)
            # What it has not read by now it will not read.
            writer.transport.abort()

    # The methods: what is asked, or None when something was done.

    def _status(self, params: Result) -> Result:
        _refuse(params)
        return self._look.status()

    def _screen(self, params: Result) -> Result:
        _refuse(params)
        return self._look.screen()

    def _reload(self, params: Result) -> Awaitable[Result]:
        at_once = params.get("now", False)
        if not isinstance(at_once, bool) or not set(params) <= {"now"}:
            raise RequestError("reload wants nothing, or to know whether now", 'Write {"now": true}.')
        return self._look.reload(at_once=at_once)

    def _press(self, params: Result) -> None:
        keys = params.get("keys")
        if not isinstance(keys, list) or set(params) != {"keys"}:
            raise RequestError("press wants a list of keys", 'Write {"keys": ["1", "call"]}.')
        if not 0 < len(keys) <= MOST_KEYS:
            raise RequestError(f"press wants 1 to {MOST_KEYS} keys at once", "Press the others afterwards.")
        # All of them are understood before the first is pressed.
        for event in [event for key in keys for event in _key_events(key)]:
            self._post(event)

    def _down(self, params: Result) -> None:
        key = _one_key(params)
        if key in self._down_keys:
            raise RequestError(f"the key {key.value} is down already", "Let it go first: up.")
        held = asyncio.get_running_loop().call_later(HELD_S, self._post, KeyHeld(key))
        self._down_keys[key] = held, asyncio.current_task()
        self._post(KeyPressed(key))

    def _up(self, params: Result) -> None:
        key = _one_key(params)
        if key not in self._down_keys:
            raise RequestError(f"the key {key.value} is not down", "Press it first: down.")
        self._let_go(key)

    def _let_go(self, key: Key) -> None:
        self._down_keys.pop(key)[0].cancel()
        self._post(KeyReleased(key))

    def _dial(self, params: Result) -> None:
        number = params.get("number")
        if not isinstance(number, str) or set(params) != {"number"}:
            raise RequestError("dial wants a number", 'Write {"number": "+4930123456"}.')
        if not 0 < len(number) <= LONGEST_NUMBER or not number.isprintable():
            raise RequestError("the number is none", "Give digits or a SIP address, as in sip:oma@example.org.")
        status = self._look.status()
        if status["focus"] is not None or self._rings(status):
            raise RequestError("the phone has a call already", "End it first: omafon hangup.")
        self._post(NumberDialled(number))

    def _answer(self, params: Result) -> None:
        _refuse(params)
        status = self._look.status()
        if not self._rings(status):
            raise RequestError("no call is ringing", "Look with: omafon status.")
        self._press({"keys": ["off-hook" if status["hook"] == "on" else Key.FLASH.value]})

    def _hang_up(self, params: Result) -> None:
        _refuse(params)
        status = self._look.status()
        if status["hook"] == "off":
            self._press({"keys": ["on-hook"]})
        elif status["calls"]:
            self._press({"keys": [Key.END.value]})
        else:
            raise RequestError("there is no call", "Look with: omafon status.")

    def _notice(self, params: Result) -> None:
        rows = params.get("rows")
        if not isinstance(rows, list) or set(params) != {"rows"} or not 0 < len(rows) <= ROWS:
            raise RequestError(f"notice wants 1 to {ROWS} rows", 'Write {"rows": ["Welcome", "192.0.2.7"]}.')
        if not all(isinstance(row, str) and len(row) <= COLUMNS and row.isprintable() for row in rows):
            raise RequestError("a row is no line of the display", f"Write at most {COLUMNS} characters in each.")
        self._post(NoticeLeft(tuple(rows)))

    def _update(self, params: Result) -> None:
        stage, version, percent = (params.get(name) for name in ("stage", "version", "percent"))
        stages = [known.value for known in UpdateStage]
        if set(params) != {"stage", "version", "percent"} or stage not in stages:
            raise RequestError("update wants a stage, a version and percents", f"Stages are: {', '.join(stages)}.")
        if not isinstance(version, str) or len(version) > LONGEST_VERSION or not version.isprintable():
            raise RequestError("the version is none", 'Write it as in "0.2.0".')
        if not isinstance(percent, int) or not 0 <= percent <= 100:
            raise RequestError("percent is a number from 0 to 100", "Write 0 where nothing is counted.")
        self._post(UpdateTold(UpdateStage(str(stage)), version, percent))

    async def _pair(self, params: Result) -> Result:
        _refuse(params)
        self._post(PairingAsked())
        await asyncio.sleep(0)
        pairing = self._look.status()["pairing"]
        if not isinstance(pairing, dict) or pairing["stage"] != "searching":
            raise RequestError("the phone is in use, or its family is full", "Look with: omafon status.")
        return pairing

    async def _pair_answer(self, params: Result) -> Result:
        same = params.get("same")
        if not isinstance(same, bool) or set(params) != {"same"}:
            raise RequestError("pair-answer wants to know whether the digits are the same", 'Write {"same": true}.')
        pairing = self._look.status()["pairing"]
        if not isinstance(pairing, dict) or pairing["stage"] != "comparing":
            raise RequestError("there are no digits to compare", "Begin with: omafon pair.")
        self._post(PairingAnswered(same))
        await asyncio.sleep(0)
        return {"pairing": self._look.status()["pairing"]}

    async def _family(self, params: Result) -> Result:
        who = params.get("remove")
        if not set(params) <= {"remove"} or not isinstance(who, str | None):
            raise RequestError("family wants nothing, or whom to remove", 'Write {"remove": "Oma"}.')
        if who is not None:
            found = [member for member in self._look.family() if who in (member["id"], member["name"])]
            if not found:
                raise RequestError(f"nobody in the family is called {_quoted(who)}", "Look with: omafon family.")
            if len(found) > 1:
                ids = " or ".join(str(member["id"]) for member in found)
                raise RequestError(f"{len(found)} in the family are called {_quoted(who)}", f"Say which: {ids}.")
            self._post(MemberRemoved(str(found[0]["id"])))
            await asyncio.sleep(0)
        return {"members": self._look.family()}

    @staticmethod
    def _rings(status: Result) -> bool:
        calls = status["calls"]
        assert isinstance(calls, list)
        return any(call["state"] == "ringing" for call in calls)


class _Subscriber:
    """What one subscriber has still to be told: errands in their order, of pictures only the newest."""

    def __init__(self, seen: dict[str, Result]) -> None:
        self.dropped: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._seen = seen
        self._pending: dict[object, Result] = {"snapshot": {"event": "snapshot", **seen}}
        self._errands = 0
        self._more = asyncio.Event()
        self._more.set()

    def see(self, name: str, seen: Result) -> None:
        """Tell it what `name` looks like, unless it has seen it so."""
        if self._seen[name] != seen:
            self._seen[name] = seen
            self.tell({"event": name, name: seen})

    def tell(self, event: Result) -> None:
        name = event["event"]
        if name == "errand":
            self._errands += 1
            name = self._errands
        # Taken out first: a newer picture stands behind the errand that made it.
        self._pending.pop(name, None)
        self._pending[name] = event
        self._more.set()
        if len(self._pending) > MOST_PENDING and not self.dropped.done():
            log.info("a control subscriber stopped reading and was dropped")
            self.dropped.set_result(None)

    async def speak(self, writer: asyncio.StreamWriter) -> None:
        while True:
            await self._more.wait()
            self._more.clear()
            while self._pending:
                await _send(writer, self._pending.pop(next(iter(self._pending))))


_KEYS = {key.value: key for key in Key}


def _one_key(params: Result) -> Key:
    key = params.get("key")
    if set(params) != {"key"} or not isinstance(key, str) or key not in _KEYS:
        raise RequestError("it wants one key", 'Write {"key": "0"}; off-hook and on-hook are for press.')
    return _KEYS[key]


def _key_events(key: object) -> tuple[Event, ...]:
    match key:
        case "off-hook":
            return (HookLifted(),)
        case "on-hook":
            return (HookReplaced(),)
        case str() if key in _KEYS:
            return KeyPressed(_KEYS[key]), KeyReleased(_KEYS[key])
        case _:
            known = " ".join(["off-hook", "on-hook", *_KEYS])
            raise RequestError(f"there is no key {_quoted(key)}", f"Choose from: {known}.")


def _understood(line: bytes) -> tuple[Result | None, Result]:
    """The request in `line`, or None and the refusal."""
    cure = 'Write one object on one line, as in {"id": 1, "method": "status"}.'
    try:
        request = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):
        return None, _refused(None, "the line is not JSON", cure)
    if not isinstance(request, dict):
        return None, _refused(None, "the line is not an object", cure)
    known = request.get("id")
    if known is not None and (isinstance(known, bool) or not isinstance(known, int | str)):
        return None, _refused(None, "id must be a number or a text", cure)
    if not isinstance(request.get("method"), str):
        return None, _refused(known, "the method is missing", cure)
    return request, {}


def _refuse(params: Result) -> None:
    if params:
        raise RequestError("the method has no params", "Leave them out.")


def _refused(known: object, what: str, cure: str, **more: object) -> Result:
    return {"id": known, "error": {"what": what, "cure": cure, **more}}


def _quoted(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:39]}…"


async def _send(writer: asyncio.StreamWriter, message: Result) -> None:
    writer.write(json.dumps(message).encode() + b"\n")
    await writer.drain()


async def _ended(reader: asyncio.StreamReader) -> None:
    """Returns when the other side has closed; what it still says is not heard."""
    with suppress(ConnectionError):
        while await reader.read(LONGEST_LINE):
            pass


def _make_way(path: Path) -> None:
    """Take away a socket that a daemon left behind. Raises DriverError when one still listens there."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return
    if not stat.S_ISSOCK(mode):
        raise DriverError(f"{path} is there, and is not a socket", "Name another path with --control.")
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(os.fspath(path))
        except (ConnectionRefusedError, FileNotFoundError):
            path.unlink(missing_ok=True)
            return
        except OSError as error:
            cure = "Name another path with --control."
            raise DriverError(f"the control socket {path} does not answer: {error}", cure) from None
    raise DriverError(f"a phone is already running at {path}", "Stop it, or name another socket with --control.")


def _give_to_group(path: Path) -> None:
    """Let the group omafon use the socket, where there is such a group."""
    try:
        group = grp.getgrnam(GROUP).gr_gid
        # As a service it is in the group, and may not change owners.
        if path.stat().st_gid != group:
            os.chown(path, -1, group)
    except KeyError:
        return
    except PermissionError:
        log.warning("only its owner may use the control socket: the phone does not run in the group %s", GROUP)
