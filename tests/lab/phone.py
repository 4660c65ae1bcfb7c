# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""An Omafon telephone as its own process, used as a person uses it: keys, hook, screen; through the control socket."""

import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from omafon.sim.soundcard import SoundCard, write_asound_conf
from omafon.upkeep.configuration import read_configuration
from omafon.upkeep.last_good import LastGood
from tests.lab.heard import Heard, LabError
from tests.lab.program import Program

Json = dict[str, Any]
Srtp = Literal["mandatory", "optional", "off"]


@dataclass(frozen=True, slots=True)
class Line:
    """A registration at `registrar` (host or host:port)."""

    registrar: str
    user: str
    password: str
    transport: Literal["udp", "tcp", "tls"] = "udp"
    srtp: Srtp = "off"
    name: str = "home"

    def table(self) -> Json:
        return {
            "name": self.name,
            "aor": f"sip:{self.user}@{self.registrar}",
            "auth_user": self.user,
            "password": self.password,
            "transport": self.transport,
            "srtp": self.srtp,
        }


@dataclass(frozen=True, slots=True)
class Setup:
    """What is in a phone's `phone.toml`; `more` adds keys to tables, as {"enum": {"servers": [...]}}.

    Without more, it asks no directory, and everybody may call it. With another `board` than the virtual one it sees
    the sound cards of the machine. `inside` is a command that runs it elsewhere, as in a network of its own.
    """

    lines: Sequence[Line] = ()
    codecs: Sequence[str] = ("opus", "g722", "pcma", "pcmu")
    srtp: Srtp = "off"
    accept: Sequence[str] = ("lines", "family", "anyone")
    contacts: Sequence[Json] = ()
    ca: Path | None = None
    has_card: bool = True
    board: str | Path = "virtual"
    env: Mapping[str, str] = field(default_factory=dict)
    inside: Sequence[str] = ()
    more: Mapping[str, Json] = field(default_factory=dict)

    def toml(self, name: str, address: str, voice: str) -> str:
        tables: dict[str, Json] = {
            "phone": {"name": name, "language": "en", "country": "DE", "area": "30"},
            "sip": {"address": address, "srtp": self.srtp, **({"ca": str(self.ca)} if self.ca else {})},
            "enum": {"trees": []},
            "incoming": {"accept": list(self.accept), "strangers_per_hour": 3600},
            "audio": {"voice": voice, "codecs": list(self.codecs)},
        }
        for table, keys in self.more.items():
            tables.setdefault(table, {}).update(keys)
        parts = [(f"[{table}]", keys) for table, keys in tables.items()]
        parts += [("[[line]]", line.table()) for line in self.lines]
        parts += [("[[contact]]", contact) for contact in self.contacts]
        # A JSON value is a TOML value.
        return "\n".join(
            "\n".join([head, *(f"{k} = {json.dumps(v)}" for k, v in keys.items()), ""]) for head, keys in parts
        )


class Phone:
    """A telephone called `name` that listens at `address`; it runs inside its `with`."""

    def __init__(
        self,
        folder: Path,
        address: str,
        name: str,
        setup: Setup = Setup(),
        *,
        record: Path | None = None,
        verbose: bool = False,
    ) -> None:
        self.name = name
        self.address = address
        self.uri = f"sip:{name}@{address}"
        self.errands: Heard[Json] = Heard()
        self.card: SoundCard | None = SoundCard(name) if setup.has_card else None
        home = folder / f"phone-{name}"
        home.mkdir(parents=True)
        self.folder = home
        cards = [self.card] if self.card else []
        env = write_asound_conf(home / "asound.conf", cards) if setup.board == "virtual" else {}
        self._config = home / "phone.toml"
        self._config.write_text(setup.toml(name, address, self.card.pcm_name if self.card else "null"))
        self._socket_path = home / "control"
        self._env = {**env, **setup.env}
        self._board = setup.board
        self._inside = setup.inside
        self._record = record
        self._verbose = verbose
        self._statuses: list[Json] = []
        self._changed = threading.Condition()
        self._ended = ""
        self._reader: threading.Thread | None = None
        self.program: Program | None = None

    def __enter__(self) -> Self:
        try:
            self.starts()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def starts(self) -> None:
        self.program = self._process()
        self._meet()

    def fails_to_start(self) -> int:
        """The exit status of a start that comes to nothing."""
        with self._process() as program:
            return program.ends()

    def _process(self) -> Program:
        return Program(
            [
                *self._inside,
                *(Path(sys.executable).with_name("omafon"), "run", "--config", self._config, "--board", self._board),
                *("--state", self.folder / "state", "--control", self._socket_path),
                *(("--record", self._record) if self._record else ()),
                *(("--verbose",) if self._verbose else ()),
            ],
            package="nothing: run ./dev test",
            folder=self.folder.parent,
            name=f"phone-{self.name}",
            env=self._env,
        )

    def begins_anew(self) -> None:
        """Wait until the same process is a telephone again."""
        self._disconnect()
        self._meet()

    def _meet(self) -> None:
        assert self.program
        self.program.until_says("is ready")
        self._statuses.clear()
        self._asking = _connected(self._socket_path)
        self._answers = self._asking.makefile("rb")
        self._stream = _connected(self._socket_path)
        self._stream.settimeout(None)
        self._reader = threading.Thread(target=self._read, name=f"status of {self.name}", daemon=True)
        self._reader.start()
        self._until_changed(lambda: bool(self._statuses), "sends its snapshot", 5.0)

    def stops(self, *, within_s: float = 5.0) -> int:
        """Ask it to end, as systemd does; returns the exit status."""
        assert self.program
        self.program.terminate()
        status = self.program.ends(within_s=within_s)
        self._disconnect()
        return status

    # Verbs of the owner.

    def is_written(self, setup: Setup | str) -> None:
        """Its phone.toml is another from now on, or holds just this text."""
        voice = self.card.pcm_name if self.card else "null"
        text = setup if isinstance(setup, str) else setup.toml(self.name, self.address, voice)
        self._config.write_text(text)

    def came_up_with(self, setup: Setup) -> None:
        """It ran with this once, long enough to keep it."""
        self.is_written(setup)
        state = self.folder / "state"
        state.mkdir()
        LastGood(state).keep(read_configuration(self._config))

    def reloads(self, *, now: bool = False) -> str:
        """Let it take its phone.toml; returns when it does."""
        return str(self.ask("reload", now=now)["taken"])

    def close(self) -> None:
        if self.program:
            if self.program.runs:
                self.program.terminate()
            self.program.close()
            self._disconnect()
            self.program = None
        if self.card:
            self.card.close()

    # Verbs of the person.

    def lifts(self) -> None:
        self.presses("off-hook")

    def replaces(self) -> None:
        self.presses("on-hook")

    def presses(self, *keys: str) -> None:
        self.ask("press", keys=list(keys))

    def holds(self, key: str) -> None:
        """Press a key down, until `lets_go`."""
        self.ask("down", key=key)

    def lets_go(self, key: str) -> None:
        self.ask("up", key=key)

    def dials(self, number: str) -> None:
        """Lift the handset, if it is not up, and call a number or a SIP URI."""
        self.lifts()
        self.ask("dial", number=number)

    def answers(self) -> None:
        self.ask("answer")
        self.is_in_a_call()

    def hangs_up(self) -> None:
        self.ask("hangup")

    # What the person sees.

    @property
    def status(self) -> Json:
        """As the phone last told it, unasked."""
        with self._changed:
            return self._statuses[-1]

    def until(self, holds: Callable[[Json], object], what: str, *, within_s: float = 5.0) -> Json:
        """The first status, from the present one on, of which `holds` is true."""
        found: list[Json] = []
        looked_at = len(self._statuses) - 1

        def look() -> bool:
            nonlocal looked_at
            fresh = self._statuses[looked_at:]
            looked_at = len(self._statuses)
            found.extend(status for status in fresh if holds(status))
            return bool(found)

        self._until_changed(look, what, within_s)
        return found[0]

    def is_(self, mode: str, *, within_s: float = 5.0) -> Json:
        """The status once the phone is idle, dialing, resolving, calling, ringing, in_call, failed or in its menu."""
        return self.until(lambda status: status["mode"] == mode, f"is {mode}", within_s=within_s)

    def is_idle(self) -> Json:
        return self.until(lambda s: (s["mode"], s["hook"], s["calls"]) == ("idle", "on", []), "is idle")

    def is_registered(self, *, within_s: float = 5.0) -> Json:
        return self.until(
            lambda status: all(line["registered"] for line in status["lines"]), "is registered", within_s=within_s
        )

    def is_called(self) -> Json:
        return self.until(lambda status: status["ringing"], "rings")

    def is_in_a_call(self, *, within_s: float = 5.0) -> Json:
        """The call that has the handset, once its voice has a codec."""
        status = self.until(lambda status: bool(_talking(status)), "is in a call", within_s=within_s)
        return _talking(status)

    def is_held_by_the_far_end(self, held: bool = True) -> Json:
        return self.until(lambda status: _talking(status).get("far_hold") is held, f"far hold is {held}")

    def is_left(self, *, within_s: float = 5.0) -> Json:
        """The status once the far end has ended the only call, and the handset has not been put down yet."""
        return self.until(lambda status: not status["calls"], "has no call any more", within_s=within_s)

    def screen(self) -> str:
        """The four rows of the display."""
        rows = self.ask("screen")["rows"]
        return "\n".join(rows)

    def memory_kb(self) -> dict[str, int]:
        """Rss, Pss and their like of the process, and its threads, from the kernel."""
        assert self.program
        text = Path(f"/proc/{self.program.pid}/smaps_rollup").read_text()
        return {line.split(":")[0]: int(line.split()[1]) for line in text.splitlines()[1:]}

    # The wire.

    def ask(self, method: str, **params: object) -> Json:
        """The result of one method of the control socket. Raises LabError with what and cure."""
        self._asking.sendall(json.dumps({"id": 1, "method": method, "params": params}).encode() + b"\n")
        line = self._answers.readline()
        if not line:
            raise LabError(f"{self.name} has ended:\n{self.program.tail() if self.program else ''}")
        answer = json.loads(line)
        if "error" in answer:
            raise LabError(f"{self.name} refuses {method}: {answer['error']}")
        result = answer["result"]
        return result if isinstance(result, dict) else {}

    def _until_changed(self, holds: Callable[[], bool], what: str, within_s: float) -> None:
        deadline = time.monotonic() + within_s
        with self._changed:
            while not holds():
                left = deadline - time.monotonic()
                if self._ended:
                    raise LabError(f"{self.name} {what}: {self._ended}")
                if left <= 0:
                    last = json.dumps(self._statuses[-1], indent=1) if self._statuses else "none"
                    assert self.program
                    raise LabError(f"{self.name} {what}: not within {within_s:g} s.\n{last}\n{self.program.tail()}")
                self._changed.wait(left)

    def _read(self) -> None:
        self._stream.sendall(b'{"id": 1, "method": "subscribe"}\n')
        with self._stream.makefile("rb") as lines:
            for line in lines:
                message = json.loads(line)
                with self._changed:
                    if "status" in message:
                        self._statuses.append(message["status"])
                    self._changed.notify_all()
                if message.get("event") == "errand":
                    self.errands.add(message)
        with self._changed:
            self._ended = "the phone has ended"
            self._changed.notify_all()

    def _disconnect(self) -> None:
        if self._reader:
            self._reader.join(5)
            self._reader = None
            self._stream.close()
            self._answers.close()
            self._asking.close()
            self._ended = ""


def _talking(status: Json) -> Json:
    """The conversation that has the handset, or an empty one."""
    return next(
        (call for call in status["calls"] if call["state"] == "in_call" and call["codec"]),
        {},
    )


def _connected(path: Path) -> socket.socket:
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(5)
    client.connect(str(path))
    return client
