# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The terminal panel on a real pseudo-terminal, attached to a phone by its control socket."""

import asyncio
import fcntl
import os
import pty
import re
import signal
import struct
import sys
import termios
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from PIL import Image

from omafon.core.events import HookLifted, HookReplaced
from omafon.render import braille, half_blocks, quadrants
from omafon.sim.panel import KEYS, NO_DAEMON, NO_TERMINAL, View, keys_in
from omafon.sim.remote import PhoneOff, Refused, Remote
from tests.lab.toyphone import ToyPhone, toy_phone

DEADLINE_S = 15.0

RUN = "import sys, pathlib, omafon.sim.panel as p; sys.exit(p.run_panel(pathlib.Path(sys.argv[1])))"


class Terminal:
    """A terminal of some size with the panel running in it, and what is to be seen on it."""

    def __init__(self, control: Path, columns: int, rows: int) -> None:
        self.control = control
        self.rows = [""] * rows
        self.output = ""
        self._master, self.slave = pty.openpty()
        self._changed = asyncio.Event()
        self.resize(columns, rows)
        self.before = termios.tcgetattr(self.slave)

    def resize(self, columns: int, rows: int) -> None:
        self.rows = [""] * rows
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))

    async def start(self) -> None:
        asyncio.get_running_loop().add_reader(self._master, self._read)
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", RUN, str(self.control), stdin=self.slave, stdout=self.slave, stderr=self.slave
        )

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    async def until(self, seen: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while not seen():
                self._changed.clear()
                await self._changed.wait()

    async def shows(self, text: str) -> None:
        await self.until(lambda: text in "\n".join(self.rows))

    async def ends(self) -> int:
        async with asyncio.timeout(DEADLINE_S):
            return await self.process.wait()

    async def close(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()
        asyncio.get_running_loop().remove_reader(self._master)
        os.close(self._master)
        os.close(self.slave)

    def _read(self) -> None:
        self.output += os.read(self._master, 65536).decode(errors="replace")
        for row, text in re.findall(r"\x1b\[(\d+);1H(.*?)\x1b\[K", self.output, re.DOTALL):
            if int(row) <= len(self.rows):
                self.rows[int(row) - 1] = re.sub(r"\x1b\[[0-9;]*m", "", text)
        self._changed.set()


@asynccontextmanager
async def panel(control: Path, columns: int = 80, rows: int = 24) -> AsyncIterator[Terminal]:
    terminal = Terminal(control, columns, rows)
    await terminal.start()
    try:
        yield terminal
    finally:
        await terminal.close()


@pytest.fixture
async def oma(tmp_path: Path) -> AsyncIterator[ToyPhone]:
    async with toy_phone("Oma", tmp_path / "oma") as phone:
        yield phone


def drawn(phone: ToyPhone, drawing: Callable[[Image.Image], str]) -> str:
    """The first inked line of the phone's picture as the panel should write it."""
    text = drawing(Image.frombytes("1", (128, 64), phone.frame()))
    return max(text.split("\n"), key=lambda line: len(set(line)))


@pytest.mark.parametrize(
    ("columns", "rows", "drawing"),
    [(80, 24, braille), (80, 48, quadrants), (140, 48, half_blocks)],
    ids=["80x24: braille", "80x48: quadrants", "140x48: half blocks"],
)
async def test_the_display_is_drawn_as_large_as_the_terminal_allows(
    oma: ToyPhone, columns: int, rows: int, drawing: Callable[[Image.Image], str]
) -> None:
    async with panel(oma.control, columns, rows) as terminal:
        await terminal.shows(drawn(oma, drawing))
        await terminal.shows("q quit")


async def test_a_terminal_too_small_for_pixels_shows_the_words(oma: ToyPhone) -> None:
    async with panel(oma.control, 40, 12) as terminal:
        await terminal.shows("│Oma")


async def test_typed_keys_are_pressed_on_the_phone_and_space_is_the_hook(oma: ToyPhone) -> None:
    async with panel(oma.control) as terminal:
        await terminal.shows("handset down")
        terminal.type(" ")
        await terminal.shows("handset lifted")
        terminal.type("49*#+-mf\x7f\x1b[A\x1b[B\r")
        terminal.type(" ")
        await terminal.shows("handset down")

    assert oma.keys == ["4", "9", "*", "#", "vol+", "vol-", "mute", "flash", "back", "up", "down", "call"]
    assert [type(e) for e in oma.heard if isinstance(e, HookLifted | HookReplaced)] == [HookLifted, HookReplaced]


async def test_the_tone_in_the_ear_and_the_ringing_are_told_in_words(oma: ToyPhone) -> None:
    async with panel(oma.control) as terminal:
        await terminal.shows("ear: quiet")
        oma.post(HookLifted())
        await terminal.shows("ear: dial tone")
        oma.post(HookReplaced())
        oma.is_called_by("Opa")
        await terminal.shows("RINGING")
        oma.post(HookLifted())
        oma.talks()
        await terminal.shows("ear: a voice")


async def test_a_new_size_is_drawn_anew(oma: ToyPhone) -> None:
    async with panel(oma.control, 80, 24) as terminal:
        await terminal.shows(drawn(oma, braille))
        terminal.resize(140, 48)
        terminal.process.send_signal(signal.SIGWINCH)
        await terminal.shows(drawn(oma, half_blocks))


@pytest.mark.parametrize("leaving", ["q", "\x03", signal.SIGTERM])
async def test_the_terminal_is_left_as_it_was(oma: ToyPhone, leaving: str | signal.Signals) -> None:
    async with panel(oma.control) as terminal:
        await terminal.shows("q quit")
        assert termios.tcgetattr(terminal.slave) != terminal.before
        if isinstance(leaving, str):
            terminal.type(leaving)
        else:
            terminal.process.send_signal(leaving)

        assert await terminal.ends() == 0
        await terminal.until(lambda: "\x1b[?25h\x1b[?1049l" in terminal.output)
        assert termios.tcgetattr(terminal.slave) == terminal.before


async def test_a_phone_that_is_restarted_is_found_again(tmp_path: Path) -> None:
    async with toy_phone("Oma", tmp_path / "oma") as phone, panel(phone.control) as terminal:
        await terminal.shows("handset down")
        await phone.close()
        await terminal.shows("the phone is off")
        async with toy_phone("Opa", phone.control) as again:
            await terminal.shows("handset down")
            terminal.type("2")
            terminal.type(" ")
            await terminal.shows("handset lifted")

            assert again.keys == ["2"]


async def test_without_a_phone_the_panel_says_what_to_do_and_leaves_69(tmp_path: Path) -> None:
    async with panel(tmp_path / "nobody") as terminal:
        assert await terminal.ends() == NO_DAEMON
        await terminal.until(lambda: "no phone answers" in terminal.output)

        assert "omafon run" in terminal.output
        assert "\x1b[?1049h" not in terminal.output


async def test_without_a_terminal_the_panel_refuses(oma: ToyPhone) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", RUN, str(oma.control), stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )

    _, said = await process.communicate()

    assert process.returncode == NO_TERMINAL
    assert b"not a terminal" in said


def test_an_escape_sequence_that_comes_in_two_parts_is_one_key() -> None:
    keys, rest = keys_in("1\x1b")
    assert (keys, rest) == (["1"], "\x1b")

    assert keys_in(rest + "[A") == (["up"], "")


def test_a_lone_escape_does_not_swallow_the_next_key() -> None:
    assert keys_in("\x1b5") == (["5"], "")


@pytest.mark.parametrize("sequence", KEYS)
def test_every_key_of_the_keyboard_is_understood(sequence: str) -> None:
    assert keys_in(sequence) == ([KEYS[sequence]], "")


@pytest.mark.parametrize(("columns", "rows"), [(20, 4), (40, 12), (80, 24), (200, 60)])
def test_no_line_is_wider_than_the_terminal(columns: int, rows: int) -> None:
    view = View("a socket with a very long path indeed, much longer than any terminal is wide")

    lines = view.lines(columns, rows)

    assert len(lines) <= rows
    assert all(len(re.sub(r"\x1b\[[0-9;]*m", "", line)) <= columns for line in lines)


async def test_a_key_the_phone_does_not_know_is_refused_with_a_cure(oma: ToyPhone) -> None:
    remote = Remote(oma.control)

    with pytest.raises(Refused, match="no key") as refused:
        await remote.press("sing")

    assert "Choose from" in refused.value.cure
    await remote.close()


async def test_keys_pressed_after_a_restart_reach_the_new_phone(tmp_path: Path) -> None:
    remote = Remote(tmp_path / "oma")
    async with toy_phone("Oma", tmp_path / "oma"):
        await remote.press("1")
    with pytest.raises(PhoneOff):
        await remote.press("2")
    async with toy_phone("Oma", tmp_path / "oma") as again:
        await remote.press("3")

        assert again.keys == ["3"]
    await remote.close()
