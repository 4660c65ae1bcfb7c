# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The page in a real browser, clicked and typed on, before telephones behind real control sockets."""

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from omafon.core.events import HookLifted, HookReplaced
from omafon.sim.web import serve
from tests.lab.browser import DEADLINE_S, Page, browser
from tests.lab.toyphone import ToyPhone, toy_phone

# One browser for all of them: it takes longer to start than any of these tests.
pytestmark = pytest.mark.asyncio(loop_scope="module")

OMA, KIND = "[data-phone='0']", "[data-phone='1']"

# The picture on a canvas as the phone's bytes: what is bright in the middle of each of its pixels, eight to a byte.
READ_DISPLAY = """(() => {
    const canvas = document.querySelector("%s .display"), scale = canvas.width / 128;
    const seen = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    const bytes = new Uint8Array(1024);
    for (let y = 0; y < 64; y++) for (let x = 0; x < 128; x++) {
        const at = 4 * ((y * scale + 1) * canvas.width + x * scale + 1);
        if (seen[at] > 128) bytes[y * 16 + (x >> 3)] |= 0x80 >> (x & 7);
    }
    return btoa(String.fromCharCode(...bytes));
})()"""

# Milliseconds from a click on a key until the display was drawn anew.
CLICK_TO_PIXEL = """new Promise((done) => {
    const phone = document.querySelector("%s");
    const began = performance.now();
    phone.querySelector(".display").addEventListener("drawn", () => done(performance.now() - began), { once: true });
    phone.querySelector("[data-key='%s']").click();
})"""


@dataclass
class Desk:
    """Two phones, the page that shows them, and who sits before it."""

    oma: ToyPhone
    kind: ToyPhone
    page: Page
    url: str

    async def display(self, phone: str) -> bytes:
        """What is to be seen on a phone's display in the browser, as the phone's own frame."""
        return base64.b64decode(await self.page.tells(READ_DISPLAY % phone))

    async def shows(self, phone: str, toy: ToyPhone) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while await self.display(phone) != toy.frame():
                await self.page.tells("new Promise(requestAnimationFrame)")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Page]:
    async with browser(tmp_path_factory.mktemp("browser")) as page:
        yield page


@pytest_asyncio.fixture(loop_scope="module")
async def desk(tmp_path: Path, page: Page) -> AsyncIterator[Desk]:
    async with toy_phone("Oma", tmp_path / "oma") as oma, toy_phone("Kind", tmp_path / "kind") as kind:
        web = await serve([("Oma", oma.control), ("Kind", kind.control)], 0, lambda place: (-20.0, None)[place])
        try:
            await page.is_of_size(1360, 900)
            await page.prefers()
            await page.goes_to(web.url)
            await page.until("document.querySelectorAll('.phone:not(.off)').length === 2")
            yield Desk(oma, kind, page, web.url)
            await page.goes_to("about:blank")
            assert page.complaints == []
        finally:
            await web.close()


async def test_both_displays_are_shown_pixel_for_pixel(desk: Desk) -> None:
    assert await desk.display(OMA) == desk.oma.frame()
    assert await desk.display(KIND) == desk.kind.frame()


async def test_a_handset_is_lifted_and_replaced_by_a_click(desk: Desk) -> None:
    await desk.page.clicks(f"{OMA} .handset")
    await desk.page.until(f"document.querySelector(\"{OMA} .handset\").ariaPressed === 'true'")
    await desk.page.until(f"document.querySelector(\"{OMA} .what\").textContent === 'dial tone'")
    await desk.shows(OMA, desk.oma)

    await desk.page.clicks(f"{OMA} .handset")
    await desk.page.until(f"document.querySelector(\"{OMA} .handset\").ariaPressed === 'false'")

    assert [type(e) for e in desk.oma.heard if isinstance(e, HookLifted | HookReplaced)] == [HookLifted, HookReplaced]
    assert not any(isinstance(e, HookLifted) for e in desk.kind.heard)


async def test_every_key_can_be_clicked(desk: Desk) -> None:
    keys = await desk.page.tells(f'[...document.querySelectorAll("{KIND} [data-key]")].map((key) => key.dataset.key)')
    for key in keys:
        await desk.page.clicks(f"{KIND} [data-key='{key}']")

    await desk.shows(KIND, desk.kind)
    assert len(keys) == 24
    assert desk.kind.keys == keys
    assert desk.oma.keys == []


async def test_the_keyboard_dials_on_the_phone_that_has_the_focus(desk: Desk) -> None:
    await desk.page.tells(f'document.querySelector("{KIND}").focus()')
    await desk.page.types(" ")
    await desk.page.until(f"document.querySelector(\"{KIND} .handset\").ariaPressed === 'true'")
    await desk.page.types("4", "2", "#", "Backspace", "+", "m", "f", "ArrowUp", "Enter", " ")
    await desk.page.until(f"document.querySelector(\"{KIND} .handset\").ariaPressed === 'false'")
    await desk.shows(KIND, desk.kind)

    assert desk.kind.keys == ["4", "2", "#", "back", "vol+", "mute", "flash", "up", "call"]
    assert [type(e) for e in desk.kind.heard if isinstance(e, HookLifted | HookReplaced)] == [HookLifted, HookReplaced]


async def test_the_tab_key_goes_from_phone_to_phone(desk: Desk) -> None:
    visited = []
    for _ in range(3):
        await desk.page.types("Tab")
        visited.append(await desk.page.tells("document.activeElement.getAttribute('aria-label')"))

    assert visited == [None, "Telephone Oma", "Telephone Kind"]


async def test_a_ringing_phone_is_seen_and_answered(desk: Desk) -> None:
    desk.oma.is_called_by("Jürgen")
    await desk.page.until(f"document.querySelector(\"{OMA}\").classList.contains('ringing')")
    await desk.page.until(f"document.querySelector(\"{OMA} [data-lamp=ringer]\").dataset.state !== 'off'")
    await desk.page.until(f"document.querySelector(\"{OMA} .what\").textContent === 'the bell rings'")

    # The handset shakes in its cradle; the click must meet it all the same.
    await desk.page.clicks(f"{OMA} .handset")
    await desk.page.until(f"!document.querySelector(\"{OMA}\").classList.contains('ringing')")
    desk.oma.talks()

    await desk.page.until(f"document.querySelector(\"{OMA} .what\").textContent === 'the voice of Jürgen'")
    await desk.page.until(f"document.querySelector(\"{OMA} .facts\").textContent.includes('private')")
    await desk.shows(OMA, desk.oma)


async def test_the_level_in_the_ear_is_a_meter(desk: Desk) -> None:
    await desk.page.until(f"document.querySelector(\"{OMA} .meter\").ariaValueNow === '-20'")

    assert await desk.page.tells(f'document.querySelector("{KIND} .meter").hidden')


async def test_a_phone_that_is_switched_off_says_so_and_comes_back(desk: Desk) -> None:
    await desk.kind.close()
    await desk.page.until(f"document.querySelector(\"{KIND}\").classList.contains('off')")
    assert await desk.page.tells(f'getComputedStyle(document.querySelector("{KIND} .gone")).display') == "block"

    async with toy_phone("Kind", desk.kind.control):
        await desk.page.until(f"!document.querySelector(\"{KIND}\").classList.contains('off')")


async def test_from_click_to_pixel_takes_less_than_50_ms(desk: Desk) -> None:
    await desk.page.clicks(f"{OMA} .handset")
    await desk.shows(OMA, desk.oma)

    took_ms = sorted([await desk.page.tells(CLICK_TO_PIXEL % (OMA, digit)) for digit in "1234567"])

    assert took_ms[len(took_ms) // 2] < 50, took_ms


async def test_tones_and_bell_can_be_heard_when_asked_for_and_not_before(desk: Desk) -> None:
    plays = f'document.querySelector("{OMA} .ear").dataset.plays'
    desk.oma.post(HookLifted())
    await desk.page.until(f"document.querySelector(\"{OMA} .what\").textContent === 'dial tone'")
    assert not await desk.page.tells(plays)

    await desk.page.clicks(".switch")
    await desk.page.until(f"{plays} === 'dial'")
    desk.oma.post(HookReplaced())
    await desk.page.until(f"{plays} === ''")
    desk.oma.is_called_by("Jürgen")
    await desk.page.until(f"{plays} === 'bell'")
    await desk.page.clicks(".switch")
    await desk.page.until(f"{plays} === ''")


async def test_who_wants_no_motion_gets_none(desk: Desk) -> None:
    await desk.page.prefers(reduced_motion="reduce")
    desk.oma.is_called_by("Jürgen")
    await desk.page.until(f"document.querySelector(\"{OMA}\").classList.contains('ringing')")

    assert await desk.page.tells("document.getAnimations().length") == 0


@pytest.mark.parametrize("width", [390, 800, 1280, 1920])
async def test_nothing_is_wider_than_the_window(desk: Desk, width: int) -> None:
    await desk.page.is_of_size(width, 900)

    assert await desk.page.tells("document.documentElement.scrollWidth") <= width


async def test_every_button_has_a_name_and_no_id_is_used_twice(desk: Desk) -> None:
    nameless = "[...document.querySelectorAll('button, input, canvas, [role]')].filter((e) => !(e.ariaLabel ||"
    nameless += " e.labels?.length || ['status'].includes(e.role ?? e.getAttribute('role')))).length"

    assert await desk.page.tells(nameless) == 0
    ids = await desk.page.tells("[...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(ids) == len(set(ids))
