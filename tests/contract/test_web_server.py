# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What the web page's server gives, and to whom; the page itself is tested in a browser (tests/e2e)."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from omafon.core.events import HookLifted, Key, KeyReleased
from omafon.interfaces import DriverError
from omafon.sim.web import WebPanel, serve
from tests.lab.toyphone import ToyPhone, toy_phone

DEADLINE_S = 10.0


class Visitor:
    """A browser, as far as the server sees one."""

    def __init__(self, client: aiohttp.ClientSession, url: str) -> None:
        self.client = client
        self.url = url

    async def looks(self) -> aiohttp.ClientWebSocketResponse:
        return await self.client.ws_connect(f"{self.url}live", headers={"Origin": self.url.rstrip("/")})


async def heard(socket: aiohttp.ClientWebSocketResponse, event: str, phone: int = 0) -> dict[str, Any]:
    """The next event of this kind from this phone."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            told: dict[str, Any] = await socket.receive_json()
            if (told["event"], told["phone"]) == (event, phone):
                return told


@pytest.fixture
async def oma(tmp_path: Path) -> AsyncIterator[ToyPhone]:
    async with toy_phone("Oma", tmp_path / "oma") as phone:
        yield phone


@pytest.fixture
async def panel(oma: ToyPhone, tmp_path: Path) -> AsyncIterator[WebPanel]:
    running = await serve(
        [("Oma", oma.control), ("Kind", tmp_path / "kind")], 0, lambda place: -23.44 if place else None
    )
    yield running
    await running.close()


@pytest.fixture
async def visitor(panel: WebPanel) -> AsyncIterator[Visitor]:
    async with aiohttp.ClientSession() as client:
        yield Visitor(client, panel.url)


async def test_a_visitor_is_told_how_every_phone_is(oma: ToyPhone, visitor: Visitor) -> None:
    async with await visitor.looks() as socket:
        first = await heard(socket, "snapshot", 0)
        second = await heard(socket, "off", 1)

    assert first["name"] == "Oma"
    assert base64.b64decode(first["screen"]["frame"]) == oma.frame()
    assert first["lamps"] == oma.lamps()
    assert second == {"phone": 1, "event": "off", "name": "Kind"}


async def test_what_happens_on_the_phone_is_told_as_it_happens(oma: ToyPhone, visitor: Visitor) -> None:
    async with await visitor.looks() as socket:
        await heard(socket, "snapshot")
        oma.post(HookLifted())

        assert (await heard(socket, "screen"))["screen"]["rows"] == list(oma.levels.screen.rows())
        assert (await heard(socket, "status"))["status"]["tone"] == "dial"


async def test_who_comes_later_is_told_the_present(oma: ToyPhone, visitor: Visitor) -> None:
    async with await visitor.looks() as early:
        await heard(early, "snapshot")
        oma.post(HookLifted())
        await heard(early, "status")

        async with await visitor.looks() as late:
            assert (await heard(late, "snapshot"))["status"]["hook"] == "off"


async def test_keys_of_the_page_are_pressed_in_their_order(oma: ToyPhone, visitor: Visitor) -> None:
    async with await visitor.looks() as socket:
        await heard(socket, "snapshot")
        for key in "off-hook", "1", "2", "3":
            await socket.send_json({"phone": 0, "keys": [key]})
        while oma.keys != ["1", "2", "3"]:
            await heard(socket, "screen")


async def test_a_key_is_held_down_until_its_page_goes_away(oma: ToyPhone, visitor: Visitor) -> None:
    async with await visitor.looks() as other:
        async with await visitor.looks() as socket:
            await socket.send_json({"phone": 0, "down": "0"})
            while "Keep holding …" not in (await heard(other, "screen"))["screen"]["rows"]:
                continue
        while KeyReleased(Key.DIGIT_0) not in oma.heard:
            await heard(other, "screen")


async def test_a_key_the_phone_does_not_know_is_answered_with_a_cure(visitor: Visitor) -> None:
    async with await visitor.looks() as socket:
        await heard(socket, "snapshot")
        await socket.send_json({"phone": 0, "keys": ["sing"]})

        assert "Choose from" in (await heard(socket, "refused"))["cure"]


async def test_a_key_pressed_on_a_phone_that_is_off_says_so(visitor: Visitor) -> None:
    async with await visitor.looks() as socket:
        await heard(socket, "off", 1)
        await socket.send_json({"phone": 1, "keys": ["1"]})

        assert (await heard(socket, "off", 1))["phone"] == 1


async def test_a_phone_switched_off_and_on_again_is_shown_so(oma: ToyPhone, visitor: Visitor) -> None:
    async with await visitor.looks() as socket:
        await heard(socket, "snapshot")
        await oma.close()
        await heard(socket, "off")
        async with toy_phone("Oma", oma.control):
            assert (await heard(socket, "snapshot"))["status"]["mode"] == "idle"


async def test_the_level_in_the_ear_is_told_to_who_looks(visitor: Visitor) -> None:
    async with await visitor.looks() as socket:
        assert (await heard(socket, "ear", 1))["level_db"] == -23.4


@pytest.mark.parametrize("path", ["", "style.css", "app.js", "tones.js", "tones.json"])
async def test_everything_the_page_needs_is_served_under_a_strict_policy(visitor: Visitor, path: str) -> None:
    async with visitor.client.get(visitor.url + path) as answer:
        body = await answer.text()

    assert answer.status == 200
    assert body
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["", "app.js", "live"])
@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "[::1]", ""])
async def test_a_foreign_name_that_points_here_is_refused(visitor: Visitor, host: str, path: str) -> None:
    async with visitor.client.get(visitor.url + path, headers={"Host": host}) as answer:
        assert answer.status in (400, 403)


async def test_the_machine_may_be_called_localhost(visitor: Visitor) -> None:
    async with visitor.client.get(visitor.url, headers={"Host": "localhost:8080"}) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("origin", [None, "null", "http://evil.example", "https://127.0.0.1", "http://127.0.0.1:1"])
async def test_a_page_of_another_site_cannot_press_keys(visitor: Visitor, origin: str | None) -> None:
    headers = {} if origin is None else {"Origin": origin}

    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await visitor.client.ws_connect(f"{visitor.url}live", headers=headers)

    assert refused.value.status == 403


@pytest.mark.parametrize(
    "message",
    [
        "",
        "no JSON",
        "[]",
        '{"phone": 0}',
        '{"phone": 9, "keys": []}',
        '{"phone": -1, "keys": ["1"]}',
        '{"phone": "0", "keys": ["1"]}',
        '{"phone": 0, "keys": ["1"], "method": "dial"}',
        "[" * 3000,
        "x" * 9000,
    ],
)
async def test_what_no_page_of_ours_would_say_ends_the_connection(visitor: Visitor, message: str) -> None:
    async with await visitor.looks() as socket:
        await socket.send_str(message)
        async with asyncio.timeout(DEADLINE_S):
            while (await socket.receive()).type not in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED):
                pass

        assert socket.close_code in (aiohttp.WSCloseCode.POLICY_VIOLATION, aiohttp.WSCloseCode.MESSAGE_TOO_BIG)


async def test_no_address_but_127_0_0_1_is_listened_on(panel: WebPanel) -> None:
    port = int(panel.url.rstrip("/").rpartition(":")[2])

    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.2", port)


async def test_an_occupied_port_is_told_with_a_cure(panel: WebPanel) -> None:
    port = int(panel.url.rstrip("/").rpartition(":")[2])

    with pytest.raises(DriverError, match=str(port)) as refused:
        await serve([], port)

    assert "0" in refused.value.cure


async def test_the_tones_of_the_page_are_those_of_the_phone(visitor: Visitor) -> None:
    async with visitor.client.get(f"{visitor.url}tones.json") as answer:
        table = json.loads(await answer.text())

    assert table["DE"]["busy"] == [[[425], 480, 480]]
