# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A person before the page of the twin pack: two real phones with sound cards, called by mouse and keyboard."""

from pathlib import Path

import pytest

from omafon.sim import web
from omafon.sim.exchange import twin_pack
from tests.lab.browser import browser

HOME, OMA = "[data-phone='0']", "[data-phone='1']"

# For the README in a call, and for the page about pairing; written anew by --update-golden.
PORTRAIT = Path(__file__).parents[2] / "docs/twin-pack.png"
PAIRING = Path(__file__).parents[2] / "docs/pairing.png"

DIGITS = 'document.querySelector("%s .display").ariaLabel.match(/[0-9]{3} [0-9]{3}/)?.[0]'


def says(phone: str, words: str) -> str:
    return f"document.querySelector(\"{phone} .display\").ariaLabel.includes('{words}')"


def hears(phone: str, words: str) -> str:
    return f"document.querySelector(\"{phone} .what\").textContent.startsWith('{words}')"


async def test_two_real_phones_call_each_other_from_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    async with twin_pack() as twins:
        phones = [(twin.plan.name, twin.control) for twin in twins]
        panel = await web.serve(phones, 0, lambda place: twins[place].ear_level_db())
        try:
            async with browser(tmp_path) as page:
                await page.is_of_size(1360, 860)
                await page.goes_to(panel.url)
                await page.until("document.querySelectorAll('.phone:not(.off)').length === 2")

                await page.clicks(f"{HOME} .handset")
                await page.until(hears(HOME, "dial tone"))
                for digit in twins[1].plan.dial:
                    await page.clicks(f"{HOME} [data-key='{digit}']")
                await page.until(f"{says(HOME, '030')} && {hears(HOME, 'quiet')}")
                await page.clicks(f"{HOME} [data-key='#']")
                await page.until(f"{hears(HOME, 'ringback')} && {hears(OMA, 'the bell rings')}")
                await page.until(says(OMA, twins[0].plan.name))

                # Oma's is answered by keyboard: Tab goes to the second phone, Space lifts.
                await page.tells(f'document.querySelector("{OMA}").focus()')
                await page.types(" ")
                await page.until(f"{hears(HOME, 'the voice of Oma')} && {hears(OMA, 'the voice of Zuhause')}")
                for phone in (HOME, OMA):
                    await page.until(f"document.querySelector(\"{phone} .facts\").textContent.includes('opus')")
                    await page.until(f'Number(document.querySelector("{phone} .meter").ariaValueNow) > -40')
                if pytestconfig.getoption("--update-golden"):
                    await page.tells("document.activeElement.blur()")
                    await page.until(says(HOME, "00:12"))
                    await page.is_photographed(PORTRAIT)

                await page.clicks(f"{HOME} .handset")
                await page.until(f"{hears(OMA, 'busy tone')} && {hears(HOME, 'quiet')}")
                await page.types(" ")
                await page.until(hears(OMA, "quiet"))

                assert page.complaints == []
        finally:
            await panel.close()


async def test_two_phones_are_paired_with_the_mouse_and_then_are_family(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    async with twin_pack() as twins:
        phones = [(twin.plan.name, twin.control) for twin in twins]
        panel = await web.serve(phones, 0, lambda place: twins[place].ear_level_db())
        try:
            async with browser(tmp_path) as page:
                await page.is_of_size(1360, 860)
                await page.goes_to(panel.url)
                await page.until("document.querySelectorAll('.phone:not(.off)').length === 2")

                # One after the other, as two people do who share a mouse: each for three seconds.
                for phone in (HOME, OMA):
                    await page.holds(f"{phone} [data-key='0']")
                    await page.until(says(phone, "Weiter halten"))
                    await page.until(f"{says(phone, 'Suche')} || {DIGITS % phone}")
                    await page.lets_go(f"{phone} [data-key='0']")
                await page.until(f"{DIGITS % HOME} && {DIGITS % HOME} === {DIGITS % OMA}")
                if pytestconfig.getoption("--update-golden"):
                    await page.is_photographed(PAIRING)
                for phone in (HOME, OMA):
                    await page.clicks(f"{phone} [data-key='#']")
                await page.until(f"{says(HOME, 'Gekoppelt mit, Oma')} && {says(OMA, 'Gekoppelt mit, Zuhause')}")

                await page.clicks(f"{HOME} .handset")
                await page.until(hears(HOME, "dial tone"))
                for digit in twins[1].plan.dial:
                    await page.clicks(f"{HOME} [data-key='{digit}']")
                await page.clicks(f"{HOME} [data-key='#']")
                await page.until(f"{hears(OMA, 'the bell rings')} && {says(OMA, twins[0].plan.name)}")
                await page.clicks(f"{OMA} .handset")
                for phone in (HOME, OMA):
                    for fact in ("family", "opus", "private"):
                        await page.until(f"document.querySelector(\"{phone} .facts\").textContent.includes('{fact}')")
                    await page.until(f'Number(document.querySelector("{phone} .meter").ariaValueNow) > -40')

                assert page.complaints == []
        finally:
            await panel.close()
