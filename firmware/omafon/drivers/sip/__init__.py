# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The call engine: SIP, RTP and the voice card, by pjsua2.

`SipCalls` is its face to the house. One thread owns the engine; behind it, `engine` sets it up, `accounts` says who we
are to others, `calls` holds the legs, `voice` the handset, and `callback` is the edge to C++. Nothing of pjsua2 leaves
that thread, and no Python is on the way of the voice.
"""

import gc
import logging
import os
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from omafon import cards
from omafon.clock import WallClock, system_clock
from omafon.config import AudioConfig, LineConfig, SipConfig
from omafon.core.actions import Action, AskMember, CallMember, GreetMember, HangUp, MoveCalls, PlaceCall, QueryNaptr
from omafon.core.dialplan import SipUri
from omafon.core.events import CallId
from omafon.core.family import Family
from omafon.core.screen import SoundLevels
from omafon.core.settings import Route
from omafon.drivers.sip.accounts import Account, Accounts, Identity
from omafon.drivers.sip.callback import describe
from omafon.drivers.sip.calls import Legs
from omafon.drivers.sip.engine import Doorbell, Engine, check_sip
from omafon.drivers.sip.family import FamilyWay
from omafon.drivers.sip.voice import Voice
from omafon.identity import Identity as Certificate
from omafon.identity import IdentityBroken
from omafon.interfaces import DriverError, Post

__all__ = ["SipCalls", "check_sip"]

log = logging.getLogger("omafon.sip")

# The doorbell wakes the thread for everything we ask; this is for what its own C threads have left for it (DTMF).
ROUND_MS = 50
FAREWELL_S = 1.5
JOIN_S = 2.5


def _no_certificate() -> Certificate:
    raise IdentityBroken("this phone has none")


class SipCalls:
    """Implements interfaces.Calls.

    `port` is where it listens, by UDP and TCP, once it is open; `family_port` where it does for the family, by TLS,
    while there is one. `certificate` reads the own certificate, when it is needed first.
    """

    def __init__(
        self,
        post: Post,
        sip: SipConfig,
        lines: tuple[LineConfig, ...],
        audio: AudioConfig,
        name: str = "",
        number: str = "",
        *,
        mixed: bool = False,
        wall_clock: WallClock = system_clock,
        family_port: int = 5061,
        certificate: Callable[[], Certificate] = _no_certificate,
        root: Path = cards.ROOT,
    ) -> None:
        self.port = 0
        self.bad_packets = 0
        self._family_port = family_port
        self._certificate = certificate
        self._wall_clock = wall_clock
        self._post = post
        self._sip = sip
        self._identity = Identity(lines, name, number)
        self._audio = audio
        self._mixed = mixed
        self._root = root
        self._doorbell: Doorbell | None = None
        self._thread: threading.Thread | None = None
        self._actions: deque[Action | Identity | Family] = deque()
        self._levels: deque[SoundLevels] = deque(maxlen=1)
        self._stop = threading.Event()
        self._round_at = 0.0

    def open(self) -> None:
        """Start the engine and listen. Raises DriverError when the port is taken or certificates cannot be read."""
        # The engine looks names up on its own thread, with the C library: a dead name server must not hold it for
        # the 30 s that the library would wait.
        os.environ.setdefault("RES_OPTIONS", "timeout:1 attempts:2")
        started: queue.SimpleQueue[DriverError | None] = queue.SimpleQueue()
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, args=(started,), name="sip", daemon=True)
        self._thread.start()
        error = started.get()
        if error is not None:
            self._thread.join()
            self._thread = None
            raise error

    def close(self) -> None:
        """Hang up every call, un-REGISTER every line, end the thread; within 2.5 s even when nobody answers."""
        if self._thread is None:
            return
        self._stop.set()
        self._wake()
        self._thread.join(JOIN_S)
        if self._thread.is_alive():
            log.error("the call engine hangs and is left behind")
        self._thread = None

    def perform(self, action: Action) -> None:
        """Do one of the call actions; others, and those on calls that are gone, do nothing."""
        if not isinstance(action, QueryNaptr):
            self._actions.append(action)
            self._wake()

    def configure(self, lines: tuple[LineConfig, ...], name: str = "", number: str = "") -> None:
        """Be reachable by these lines and called so from now on.

        A line that stays as it is stays registered, and keeps its calls. Those of one that is other or no more are hung
        up, and it un-REGISTERs; a new one registers.
        """
        self._actions.append(Identity(lines, name, number))
        self._wake()

    def family(self, family: Family) -> None:
        """Let these members in and nobody else, and tell them where we are."""
        self._actions.append(family)
        self._wake()

    def sound(self, levels: SoundLevels) -> None:
        """Join `levels.voice` with the handset and play `levels.tone` into it; the newest levels win."""
        self._levels.append(levels)
        self._wake()

    def fresh(self, within_s: float) -> bool:
        """Whether the engine's thread went round in the last `within_s` seconds."""
        return time.monotonic() - self._round_at <= within_s

    def _wake(self) -> None:
        doorbell = self._doorbell
        if doorbell is not None:
            doorbell.ring()

    # All below runs on the engine's thread.

    def _run(self, started: "queue.SimpleQueue[DriverError | None]") -> None:
        room = _EngineRoom(
            self._post,
            self._sip,
            self._audio,
            self._identity,
            self._wall_clock,
            self._family_port,
            self._certificate,
            mixed=self._mixed,
            root=self._root,
        )
        what = cure = ""
        try:
            self.port = room.open(self._identity)
        except DriverError as error:
            what, cure = error.what, error.cure
        except Exception as error:  # noqa: BLE001  # the edge of a thread
            what, cure = f"the call engine does not start: {describe(error)}", "Look into the log."
        if not what:
            self._doorbell = doorbell = Doorbell(self._sip.address, self.port)
            self._round_at = time.monotonic()
            started.put(None)
            self._go_round_and_round(room)
            self._doorbell = None
            doorbell.close()
        room.close()
        # On this thread, and before anybody opens another: a second endpoint in a process ends it.
        del room
        gc.collect()
        if what:
            # A new one: the traceback of the first would take the engine along to another thread.
            started.put(DriverError(what, cure))

    def _go_round_and_round(self, room: "_EngineRoom") -> None:
        while not self._stop.is_set():
            try:
                room.listen(ROUND_MS)
                self._hand_over(room)
                room.settle(time.monotonic())
                self.bad_packets = room.bad_packets
            except Exception as error:  # noqa: BLE001  # the edge of a thread
                log.error("call engine: %s", describe(error))
            self._round_at = time.monotonic()
        self._hand_over(room)

    def _hand_over(self, room: "_EngineRoom") -> None:
        """Pass on what the house has asked for meanwhile."""
        while self._actions:
            match self._actions.popleft():
                case Identity() as identity:
                    room.be(identity)
                case Family() as family:
                    room.family.be(family, time.monotonic())
                case action:
                    room.perform(action)
        while self._levels:
            room.voice.apply(self._levels.popleft())


class _EngineRoom:
    """The engine and what is built around it, for the one thread that may touch them."""

    def __init__(
        self,
        post: Post,
        sip: SipConfig,
        audio: AudioConfig,
        identity: Identity,
        wall_clock: WallClock,
        family_port: int,
        certificate: Callable[[], Certificate],
        *,
        mixed: bool,
        root: Path,
    ) -> None:
        self._engine = engine = Engine(sip, audio)
        self._srtp: dict[str | None, str] = {None: sip.srtp}
        self._legs = Legs(post, lambda line: self._srtp.get(line) == "mandatory")
        self._accounts = Accounts(engine, post, self._legs.arrive, sip, identity, wall_clock)
        self._accounts.in_use = self._legs.uses
        self.family = FamilyWay(
            engine,
            post,
            self._legs.arrive,
            sip,
            family_port,
            certificate,
            self._accounts.family_configuration,
            self._place,
        )
        self._accounts.family_account = self.family.select
        self._legs.certificate = self.family.certificate
        self._legs.heard, self._legs.gone = self.family.heard, self.family.call_ended
        self.voice = Voice(engine, self._legs, audio.voice, post, mixed=mixed, root=root)
        self._legs.media_changed = self.voice.media_changed
        engine.card_failed = self.voice.card_failed

    def open(self, identity: Identity) -> int:
        """Start; returns the port. Raises DriverError, and the engine's own errors when that is broken."""
        self._engine.start()
        self._srtp |= {line.name: line.srtp for line in identity.lines}
        now = time.monotonic()
        self._accounts.open(identity.lines, now)
        self.voice.open(now)
        return self._engine.port

    @property
    def bad_packets(self) -> int:
        return self._engine.bad_packets

    def listen(self, for_ms: int) -> None:
        """Handle what comes from the network, and the engine's own timers."""
        self._engine.libHandleEvents(for_ms)
        self._legs.announce()

    def be(self, identity: Identity) -> None:
        """Become who `identity` says; calls of lines that are given up end."""
        for account in self._accounts.change(identity, time.monotonic()):
            self._legs.hang_up(account)
        self._srtp |= {line.name: line.srtp for line in identity.lines}

    def perform(self, action: Action) -> None:
        match action:
            case PlaceCall():
                account, uri = self._accounts.by_line(action.line), self._accounts.own_uri(action.line, action.uri)
                self._legs.place(action, account, uri)
            case CallMember():
                self.family.call(action, time.monotonic())
            case AskMember():
                self.family.ask(action)
            case GreetMember():
                self.family.greet(action, time.monotonic())
            case MoveCalls():
                self.family.leave_dead_connections()
                self._legs.move()
            case HangUp(call) if self.family.give_up(call):
                pass
            case _:
                self._legs.perform(action)

    def _place(self, call: CallId, uri: str, account: Account, own_uri: str) -> None:
        self._legs.place(PlaceCall(call, SipUri(uri), None, Route.FAMILY), account, own_uri)

    def settle(self, now: float) -> None:
        self._accounts.settle(now)
        self.family.settle(now)
        self._legs.settle(now)
        self.voice.settle(now)

    def close(self) -> None:
        """Say goodbye to everybody, wait for their answers no longer than FAREWELL_S, and end the engine.

        Also an engine that was opened in part, or not at all.
        """
        self._legs.hang_up_all()
        self._accounts.leave()
        until = time.monotonic() + FAREWELL_S
        while (now := time.monotonic()) < until and (self._accounts.leaving or not self._legs.all_gone):
            self._engine.libHandleEvents(10)
            self._accounts.see_off(now)
        # In this order: the engine counts on each being gone before the next.
        self.voice.close()
        self._legs.clear()
        self.family.close()
        self._accounts.close()
        gc.collect()
        self._engine.destroy()
