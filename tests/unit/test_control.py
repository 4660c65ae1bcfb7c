# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The control socket, over a real socket."""

import asyncio
import json
import socket
import stat
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
)
from omafon.drivers.control import LONGEST_LINE, MOST_PENDING, ControlSocket, RequestError
from omafon.interfaces import DriverError

IDLE = {"mode": "idle", "hook": "on", "calls": [], "focus": None, "pairing": None}
SEARCHING = {"id": 1, "stage": "searching", "digits": "", "name": "", "failure": None}
COMPARING = {**SEARCHING, "stage": "comparing", "digits": "123456"}
RINGING = {"mode": "ringing", "hook": "on", "calls": [{"state": "ringing"}], "focus": None}
WAITING = {"mode": "in_call", "hook": "off", "calls": [{"state": "in_call"}, {"state": "ringing"}], "focus": "out-1"}


class Far:
    """Somebody at the other end of the socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def says(self, line: bytes | str) -> None:
        self.writer.write((line.encode() if isinstance(line, str) else line) + b"\n")
        await self.writer.drain()

    async def hears(self) -> dict:
        return json.loads(await asyncio.wait_for(self.reader.readline(), 5))

    async def asks(self, method: str, **params: object) -> dict:
        await self.says(json.dumps({"id": 7, "method": method, "params": params}))
        answer = await self.hears()
        assert answer.pop("id") == 7
        return answer


class World:
    """A control socket, the phone behind it that takes each posted event on the loop, and people at the far end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.events: list[Event] = []
        self.state = dict(IDLE)
        self.pictures = 0
        self.refuses = False
        self.members: list[dict] = []
        self.control = ControlSocket(self.post, self, path)
        self._writers: list[asyncio.StreamWriter] = []
        self._happened = asyncio.Event()

    def post(self, event: Event) -> None:
        asyncio.get_running_loop().call_soon_threadsafe(self._take, event)

    def _take(self, event: Event) -> None:
        self.events.append(event)
        self._happened.set()
        match event:
            case PairingAsked() if self.state["mode"] == "idle":
                self.state = {**self.state, "mode": "menu", "pairing": SEARCHING}
            case PairingAnswered(same):
                self.state = {**self.state, "pairing": {**COMPARING, "stage": "waiting" if same else "failed"}}
            case MemberRemoved(id_):
                self.members = [member for member in self.members if member["id"] != id_]
            case _:
                pass
        if isinstance(event, HookLifted):
            self.state = {**self.state, "hook": "off", "mode": "dialing"}

    def status(self) -> dict:
        return self.state

    def screen(self) -> dict:
        return {"rows": [str(self.pictures), "", "", ""]}

    def lamps(self) -> dict:
        return {"message": "off"}

    def family(self) -> list[dict]:
        return self.members

    async def reload(self, *, at_once: bool) -> dict:
        await asyncio.sleep(0)
        if self.refuses:
            problems = [{"what": "unknown key", "cure": "", "line": 3, "key": "phone.naem"}]
            raise RequestError("line 3: unknown key", "The phone goes on with what it has.", problems=problems)
        return {"taken": "now", "generation": 7 if at_once else None}

    async def until(self, event: Event) -> None:
        async with asyncio.timeout(5):
            while event not in self.events:
                self._happened.clear()
                await self._happened.wait()

    async def far(self) -> Far:
        reader, writer = await asyncio.open_unix_connection(self.path)
        self._writers.append(writer)
        return Far(reader, writer)

    async def leave(self) -> None:
        await self.control.close()
        for writer in self._writers:
            writer.close()


@asynccontextmanager
async def a_phone(path: Path) -> AsyncIterator[World]:
    world = World(path)
    world.control.claim()
    await world.control.open()
    try:
        yield world
    finally:
        await world.leave()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "control"


async def test_a_pressed_key_goes_down_and_up(path):
    async with a_phone(path) as phone:
        far = await phone.far()

        answer = await far.asks("press", keys=["1", "vol+"])

        assert answer == {"result": {"mode": "idle", "hook": "on"}}
        assert phone.events == [
            KeyPressed(Key.DIGIT_1),
            KeyReleased(Key.DIGIT_1),
            KeyPressed(Key.VOLUME_UP),
            KeyReleased(Key.VOLUME_UP),
        ]


async def test_a_key_that_stays_down_is_held_until_it_is_let_go(path):
    async with a_phone(path) as phone:
        far = await phone.far()

        await far.asks("down", key="0")
        await phone.until(KeyHeld(Key.DIGIT_0))
        await far.asks("up", key="0")

        assert phone.events == [KeyPressed(Key.DIGIT_0), KeyHeld(Key.DIGIT_0), KeyReleased(Key.DIGIT_0)]


async def test_a_key_that_is_let_go_soon_is_not_held(path):
    async with a_phone(path) as phone:
        far = await phone.far()

        await far.asks("down", key="0")
        await far.asks("up", key="0")
        await far.asks("down", key="1")
        await phone.until(KeyHeld(Key.DIGIT_1))

        assert KeyHeld(Key.DIGIT_0) not in phone.events


async def test_who_goes_away_lets_go(path):
    async with a_phone(path) as phone:
        far = await phone.far()
        await far.asks("down", key="0")

        far.writer.close()

        await phone.until(KeyReleased(Key.DIGIT_0))


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("down", {}),
        ("down", {"key": "off-hook"}),
        ("down", {"key": ["0"]}),
        ("down", {"key": "1"}),
        ("up", {"key": "0"}),
    ],
)
async def test_a_key_that_cannot_go_down_or_up_is_refused(path, method, params):
    async with a_phone(path) as phone:
        far = await phone.far()
        await far.asks("down", key="1")

        assert (await far.asks(method, **params))["error"]["cure"]


async def test_the_answer_comes_after_the_errand_ran(path):
    async with a_phone(path) as phone:
        far = await phone.far()

        answer = await far.asks("press", keys=["off-hook"])

        assert answer == {"result": {"mode": "dialing", "hook": "off"}}
        assert phone.events == [HookLifted()]


async def test_a_number_is_dialled_whole(path):
    async with a_phone(path) as phone:
        far = await phone.far()

        await far.asks("dial", number="sip:oma@example.org")

        assert phone.events == [NumberDialled("sip:oma@example.org")]


@pytest.mark.parametrize(
    ("method", "state", "event"),
    [
        ("answer", RINGING, HookLifted()),
        ("answer", WAITING, KeyPressed(Key.FLASH)),
        ("hangup", WAITING, HookReplaced()),
        ("hangup", RINGING, KeyPressed(Key.END)),
    ],
)
async def test_answer_and_hangup_do_what_a_hand_would(path, method, state, event):
    async with a_phone(path) as phone:
        far = await phone.far()
        phone.state = state

        answer = await far.asks(method)

        assert "result" in answer
        assert phone.events[0] == event


async def heard_until_the_end(far: Far) -> int:
    """How many lines come before the connection is cut off."""
    lines = 0
    with suppress(ConnectionError):
        while await far.reader.readline():
            lines += 1
    return lines


REFUSED = {
    "no JSON": ("hello", "the line is not JSON"),
    "no text": (b"\xff\xfe", "the line is not JSON"),
    "a deep list": ("[" * 10_000, "the line is not JSON"),
    "a list": ("[]", "the line is not an object"),
    "an odd id": ('{"id": [], "method": "status"}', "id must be a number or a text"),
    "no method": ("{}", "the method is missing"),
    "an unknown method": ('{"method": "explode"}', 'there is no method "explode"'),
    "params in a list": ('{"method": "press", "params": ["1"]}', "params must be an object"),
    "no keys": ('{"method": "press"}', "press wants a list of keys"),
    "keys in a text": ('{"method": "press", "params": {"keys": "1"}}', "press wants a list of keys"),
    "other params": ('{"method": "press", "params": {"keys": ["1"], "long": true}}', "press wants a list of keys"),
    "empty keys": ('{"method": "press", "params": {"keys": []}}', "press wants 1 to 64 keys at once"),
    "too many keys": (
        f'{{"method": "press", "params": {{"keys": {["1"] * 65}}}}}'.replace("'", '"'),
        "press wants 1 to",
    ),
    "an unknown key": ('{"method": "press", "params": {"keys": ["1", "x"]}}', 'there is no key "x"'),
    "half a sign": ('{"method": "press", "params": {"keys": ["\\ud800"]}}', 'there is no key "\\ud800"'),
    "a number as key": ('{"method": "press", "params": {"keys": [1]}}', "there is no key 1"),
    "no number": ('{"method": "dial"}', "dial wants a number"),
    "an empty number": ('{"method": "dial", "params": {"number": ""}}', "the number is none"),
    "a control character": ('{"method": "dial", "params": {"number": "1\\n"}}', "the number is none"),
    "params for nothing": ('{"method": "status", "params": {"verbose": true}}', "the method has no params"),
    "nothing to answer": ('{"method": "answer"}', "no call is ringing"),
    "nothing to end": ('{"method": "hangup"}', "there is no call"),
}


@pytest.mark.parametrize(("line", "what"), REFUSED.values(), ids=REFUSED)
async def test_a_wrong_request_is_refused_with_a_cure_and_presses_nothing(path, line, what):
    async with a_phone(path) as phone:
        far = await phone.far()

        await far.says(line)
        answer = await far.hears()

        assert what in answer["error"]["what"]
        assert answer["error"]["cure"]
        assert phone.events == []
        assert await far.asks("status") == {"result": IDLE}


async def test_dialling_into_a_call_is_refused(path):
    async with a_phone(path) as phone:
        far = await phone.far()
        phone.state = WAITING

        answer = await far.asks("dial", number="1")

        assert answer["error"]["what"] == "the phone has a call already"


@pytest.mark.parametrize(("params", "generation"), [({}, None), ({"now": True}, 7), ({"now": False}, None)])
async def test_a_reload_is_answered_when_it_was_taken(path, params, generation):
    async with a_phone(path) as phone:
        far = await phone.far()

        assert await far.asks("reload", **params) == {"result": {"taken": "now", "generation": generation}}


async def test_a_refused_reload_tells_every_problem(path):
    async with a_phone(path) as phone:
        phone.refuses = True
        far = await phone.far()

        error = (await far.asks("reload"))["error"]

        assert error["what"] == "line 3: unknown key"
        assert [problem["key"] for problem in error["problems"]] == ["phone.naem"]


@pytest.mark.parametrize("params", [{"now": 1}, {"soon": True}, {"now": None}])
async def test_a_reload_that_is_not_understood_reloads_nothing(path, params):
    async with a_phone(path) as phone:
        far = await phone.far()

        assert "reload wants" in (await far.asks("reload", **params))["error"]["what"]


async def test_a_line_too_long_is_refused_and_ends_the_connection(path):
    async with a_phone(path) as phone:
        far = await phone.far()

        await far.says("x" * (2 * LONGEST_LINE))

        assert (await far.hears())["error"]["what"] == f"the line is longer than {LONGEST_LINE} bytes"


async def test_a_subscriber_is_told_everything_and_then_what_changed(path):
    async with a_phone(path) as phone:
        far = await phone.far()
        await far.says('{"method": "subscribe"}')
        begin = await far.hears()

        phone.control.publish({"event": "errand", "at": 0, "what": "key pressed", "actions": []})
        phone.pictures = 1
        phone.control.refresh()
        phone.control.refresh()
        phone.state = RINGING
        phone.control.refresh()

        assert begin == {
            "event": "snapshot",
            "status": IDLE,
            "screen": {"rows": ["0", "", "", ""]},
            "lamps": phone.lamps(),
        }
        assert [(await far.hears())["event"] for _ in range(3)] == ["errand", "screen", "status"]


async def test_a_subscriber_that_stops_reading_is_dropped(path):
    async with a_phone(path) as phone:
        far = await phone.far()
        await far.says('{"method": "subscribe"}')
        await far.hears()

        # More than the socket and both buffers of the streams hold, while nobody reads.
        for number in range(40 * MOST_PENDING):
            phone.control.publish({"event": "errand", "at": number, "what": "x" * 512, "actions": []})
            await asyncio.sleep(0)

        heard = await asyncio.wait_for(heard_until_the_end(far), 5)
        assert heard < 40 * MOST_PENDING


async def test_a_slow_subscriber_is_shown_the_newest_picture(path):
    async with a_phone(path) as phone:
        far = await phone.far()
        await far.says('{"method": "subscribe"}')
        await far.hears()

        for number in range(1000):
            phone.pictures = number
            phone.control.refresh()

        assert (await far.hears())["screen"]["rows"][0] == "999"


async def test_a_second_subscriber_takes_no_news_from_the_first(path):
    async with a_phone(path) as phone:
        first, second = await phone.far(), await phone.far()
        await first.says('{"method": "subscribe"}')
        await first.hears()

        phone.pictures = 1
        await second.says('{"method": "subscribe"}')
        seen = await second.hears()
        phone.control.refresh()

        assert seen["screen"] == {"rows": ["1", "", "", ""]}
        assert await first.hears() == {"event": "screen", "screen": seen["screen"]}


async def test_who_comes_before_the_phone_serves_is_answered_when_it_does(path):
    world = World(path)
    world.control.claim()
    try:
        far = await world.far()
        await far.says('{"id": 1, "method": "status"}')
        await world.control.open()

        assert await far.hears() == {"id": 1, "result": IDLE}
    finally:
        await world.leave()


async def test_a_path_that_was_claimed_and_never_served_is_given_back(path):
    world = World(path)
    world.control.claim()

    await world.leave()

    assert not path.exists()


async def test_a_subscriber_may_leave(path):
    async with a_phone(path) as phone:
        far = await phone.far()
        await far.says('{"method": "subscribe"}')
        await far.hears()

        far.writer.close()
        await far.writer.wait_closed()
        other = await phone.far()

        assert await other.asks("status") == {"result": IDLE}


async def test_only_owner_and_group_may_use_the_socket(path):
    async with a_phone(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o660


async def test_the_socket_of_a_daemon_that_died_is_replaced(path):
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))

    async with a_phone(path) as phone:
        assert await (await phone.far()).asks("status") == {"result": IDLE}

    assert not path.exists()


async def test_a_second_daemon_is_refused_and_the_first_goes_on(path):
    async with a_phone(path) as phone:
        with pytest.raises(DriverError, match="a phone is already running"):
            World(path).control.claim()

        assert await (await phone.far()).asks("status") == {"result": IDLE}


async def test_a_path_that_cannot_be_used_is_an_error_with_a_cure(tmp_path):
    (tmp_path / "file").write_text("precious")

    for path in (tmp_path / "file", tmp_path / "no" / "control", tmp_path / ("x" * 200)):
        with pytest.raises(DriverError) as refused:
            World(path).control.claim()
        assert "--control" in refused.value.cure
    assert (tmp_path / "file").read_text() == "precious"


async def test_closing_parts_from_everybody(path):
    async with a_phone(path) as phone:
        quiet, listening = await phone.far(), await phone.far()
        await listening.says('{"method": "subscribe"}')
        await listening.hears()

        await asyncio.wait_for(phone.control.close(), 5)

        assert await quiet.reader.read() == b""


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
REQUESTS = st.fixed_dictionaries(
    {"method": st.sampled_from(["press", "dial", "answer", "hangup", "status", "screen"]) | JSON},
    optional={"id": JSON, "params": st.fixed_dictionaries({}, optional={"keys": JSON, "number": JSON}) | JSON},
)
LINES = st.one_of(
    REQUESTS.map(lambda request: json.dumps(request).encode()),
    JSON.map(lambda value: json.dumps(value).encode()),
    st.binary(max_size=200).map(lambda raw: raw.replace(b"\n", b"")),
).filter(lambda line: b"subscribe" not in line)  # which is answered by a stream


@given(st.lists(LINES, min_size=1, max_size=20))
@settings(deadline=None)
def test_every_line_whatever_is_in_it_gets_one_answer(lines):
    async def conversation() -> list[dict]:
        with tempfile.TemporaryDirectory() as folder:
            async with a_phone(Path(folder, "control")) as phone:
                far = await phone.far()
                for line in lines:
                    await far.says(line)
                return [await far.hears() for _ in lines]

    for answer in asyncio.run(conversation()):
        assert ("result" in answer) != ("error" in answer)
        assert "error" not in answer or (answer["error"]["what"] and answer["error"]["cure"])


async def test_a_notice_is_left_for_the_person(path):
    async with a_phone(path) as phone:
        far = await phone.far()

        await far.asks("notice", rows=["Set up", "192.0.2.7"])

        assert phone.events == [NoticeLeft(("Set up", "192.0.2.7"))]


@pytest.mark.parametrize("rows", [[], ["1", "2", "3", "4", "5"], ["x" * 22], ["a\nb"], [7], "text", None])
async def test_a_notice_that_is_no_picture_is_refused(path, rows):
    async with a_phone(path) as phone:
        far = await phone.far()

        answer = await far.asks("notice", rows=rows)

        assert answer["error"]["cure"]
        assert phone.events == []


async def test_a_pairing_begins_and_is_answered(path):
    async with a_phone(path) as phone:
        far = await phone.far()

        assert await far.asks("pair") == {"result": SEARCHING}
        phone.state = {**phone.state, "pairing": COMPARING}
        answer = await far.asks("pair-answer", same=True)

        assert answer["result"]["pairing"]["stage"] == "waiting"
        assert phone.events == [PairingAsked(), PairingAnswered(True)]


async def test_a_phone_in_use_is_not_paired(path):
    async with a_phone(path) as phone:
        phone.state = dict(WAITING, pairing=None)
        far = await phone.far()

        answer = await far.asks("pair")

        assert "in use" in answer["error"]["what"]


@pytest.mark.parametrize("params", [{}, {"same": "yes"}, {"same": True, "more": 1}])
async def test_an_answer_to_no_question_or_no_answer_is_refused(path, params):
    async with a_phone(path) as phone:
        far = await phone.far()

        unasked = await far.asks("pair-answer", same=True)
        phone.state = {**phone.state, "pairing": COMPARING}
        unclear = await far.asks("pair-answer", **params)

        assert "no digits" in unasked["error"]["what"]
        assert "whether the digits are the same" in unclear["error"]["what"]
        assert phone.events == []


async def test_a_member_is_removed_by_name_or_where_two_have_it_by_id(path):
    async with a_phone(path) as phone:
        phone.members = [{"id": "omafon-1", "name": "Oma"}, {"id": "omafon-2", "name": "Oma"}]
        far = await phone.far()

        listed = await far.asks("family")
        twice = await far.asks("family", remove="Oma")
        nobody = await far.asks("family", remove="Opa")
        left = await far.asks("family", remove="omafon-1")

        assert len(listed["result"]["members"]) == 2
        assert twice["error"]["cure"] == "Say which: omafon-1 or omafon-2."
        assert "nobody" in nobody["error"]["what"]
        assert left["result"]["members"] == [{"id": "omafon-2", "name": "Oma"}]


async def test_members_are_asked_for_in_one_way_only(path):
    async with a_phone(path) as phone:
        far = await phone.far()

        for params in ({"add": "Oma"}, {"remove": 1}, {"remove": "Oma", "now": True}):
            assert "whom to remove" in (await far.asks("family", **params))["error"]["what"]
