# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A person before a web page: headless Chromium, spoken to by the Chrome DevTools Protocol."""

import asyncio
import base64
import itertools
import json
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp

from tests.lab.heard import LabError
from tests.lab.program import Program

DEADLINE_S = 20.0

# What the DevTools protocol wants to know of keys that are not letters (Windows virtual key codes).
KEY_CODES = {"Tab": 9, "Enter": 13, "Escape": 27, " ": 32, "ArrowUp": 38, "ArrowDown": 40, "Backspace": 8}


class Page:
    """One page of the browser. Every verb returns when it is done, and fails after DEADLINE_S."""

    def __init__(self, wire: aiohttp.ClientWebSocketResponse) -> None:
        self._wire = wire
        self._ids = itertools.count(1)
        self._asked: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._loaded = asyncio.Event()
        self.complaints: list[str] = []

    async def listen(self) -> None:
        async for message in self._wire:
            told = json.loads(message.data)
            if "id" in told:
                self._asked.pop(told["id"]).set_result(told)
            elif told["method"] == "Page.loadEventFired":
                self._loaded.set()
            elif told["method"] == "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(told["params"]["exceptionDetails"])[:500])
            elif told["method"] == "Log.entryAdded" and told["params"]["entry"]["level"] == "error":
                self.complaints.append(told["params"]["entry"]["text"])

    async def ask(self, method: str, **params: object) -> dict[str, Any]:
        number = next(self._ids)
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        await self._wire.send_json({"id": number, "method": method, "params": params})
        async with asyncio.timeout(DEADLINE_S):
            told = await answer
        if "error" in told:
            raise LabError(f"{method}: {told['error']['message']}")
        result: dict[str, Any] = told["result"]
        return result

    async def goes_to(self, url: str) -> None:
        self._loaded.clear()
        await self.ask("Page.navigate", url=url)
        async with asyncio.timeout(DEADLINE_S):
            await self._loaded.wait()

    async def tells(self, expression: str) -> Any:
        """The value of a JavaScript expression; a promise is waited for."""
        told = await self.ask("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in told:
            raise LabError(f"{expression}: {told['exceptionDetails'].get('exception', {}).get('description')}")
        return told["result"].get("value")

    async def until(self, condition: str) -> None:
        """Wait until the JavaScript expression is true; looked at before every frame that is drawn."""
        try:
            await self.tells(
                "new Promise((done) => {"
                f" const look = () => ({condition}) ? done() : requestAnimationFrame(look);"
                " look(); })"
            )
        except TimeoutError:
            raise LabError(f"never came true: {condition}") from None

    async def clicks(self, selector: str) -> None:
        """Press and release the left button in the middle of the element."""
        await self.holds(selector)
        await self.lets_go(selector)

    async def holds(self, selector: str) -> None:
        """Press the left button there, until `lets_go`."""
        await self._mouse("mousePressed", selector)

    async def lets_go(self, selector: str) -> None:
        await self._mouse("mouseReleased", selector)

    async def _mouse(self, kind: str, selector: str) -> None:
        place = await self.tells(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            " e.scrollIntoViewIfNeeded(); const r = e.getBoundingClientRect();"
            " return {x: r.x + r.width / 2, y: r.y + r.height / 2}; })()"
        )
        await self.ask("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **place)

    async def types(self, *keys: str) -> None:
        for key in keys:
            text = {"text": key} if len(key) == 1 else {"text": "\r"} if key == "Enter" else {}
            code = KEY_CODES.get(key, ord(key[0].upper()))
            await self.ask("Input.dispatchKeyEvent", type="keyDown", key=key, windowsVirtualKeyCode=code, **text)
            await self.ask("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    async def is_of_size(self, width: int, height: int, scale: float = 1) -> None:
        await self.ask(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=False
        )

    async def prefers(self, **features: str) -> None:
        """CSS media features as `prefers(reduced_motion="reduce")`."""
        told = [{"name": f"prefers-{n.replace('_', '-')}", "value": value} for n, value in features.items()]
        await self.ask("Emulation.setEmulatedMedia", features=told)

    async def is_photographed(self, file: Path) -> None:
        told = await self.ask("Page.captureScreenshot", format="png")
        file.write_bytes(base64.b64decode(told["data"]))


@asynccontextmanager
async def browser(folder: Path) -> AsyncIterator[Page]:
    """A Chromium of its own, with one empty page; what it says is kept in `folder`."""
    with tempfile.TemporaryDirectory(prefix="omafon-chromium-", ignore_cleanup_errors=True) as profile:
        async with _running(folder, profile) as page:
            yield page


@asynccontextmanager
async def _running(folder: Path, profile: str) -> AsyncIterator[Page]:
    command = [
        "chromium",
        "--headless=new",
        "--no-sandbox",  # the sandbox of Chromium does not start as root, and tests may run so
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--no-first-run",
        "--autoplay-policy=no-user-gesture-required",
        "--mute-audio",
        "--remote-debugging-port=0",
        f"--user-data-dir={profile}",
        "--window-size=1360,900",
        "about:blank",
    ]
    program = Program(command, package="chromium", folder=folder, name="chromium")
    try:
        line = await asyncio.to_thread(program.until_says, r"DevTools listening on ws://", within_s=30.0)
        address = line.partition("ws://")[2].partition("/")[0]
        async with aiohttp.ClientSession() as client:
            page = await _page(client, address)
            listening = asyncio.create_task(page.listen())
            try:
                for domain in ("Page", "Runtime", "Log"):
                    await page.ask(f"{domain}.enable")
                yield page
                with suppress(LabError, TimeoutError):
                    await page.ask("Browser.close")
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)
    finally:
        await asyncio.to_thread(program.close)


async def _page(client: aiohttp.ClientSession, address: str) -> Page:
    async with client.get(f"http://{address}/json/list") as answer:
        targets = await answer.json()
    url = next(target["webSocketDebuggerUrl"] for target in targets if target["type"] == "page")
    return Page(await client.ws_connect(url, max_msg_size=0))
