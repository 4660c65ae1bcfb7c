# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The handset in a terminal: the display as text, the keys of the keyboard, of any phone whose control socket is near.

It uses nothing of the terminal but colours and cursor movements, and so works over SSH on a real phone.
"""

import asyncio
import contextlib
import fcntl
import os
import signal
import struct
import sys
import termios
import tty
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from omafon.render import HEIGHT, WIDTH, braille, half_blocks, quadrants
from omafon.sim.remote import PhoneOff, Refused, Remote, Told, frame

NO_DAEMON = 69
NO_TERMINAL = 1

HOOK = "hook"
QUIT = "quit"

KEYS = {
    **{c: c for c in "0123456789*#"},
    "\r": "call",
    "\n": "call",
    "\x7f": "back",
    "\b": "back",
    "\t": "ok",
    "e": "end",
    "f": "flash",
    "h": "hold",
    "m": "mute",
    "r": "redial",
    "+": "vol+",
    "-": "vol-",
    "\x1b[A": "up",
    "\x1b[B": "down",
    "\x1b[C": "ok",
    "\x1b[D": "back",
    "\x1bOA": "up",
    "\x1bOB": "down",
    "\x1bOC": "ok",
    "\x1bOD": "back",
    " ": HOOK,
    "q": QUIT,
    "\x03": QUIT,
    "\x04": QUIT,
}

HELP = (
    "0-9 * #  Enter call  e end  Space hook  Backspace back  ↑ ↓ Tab choose",
    "m mute  f flash  h hold  r redial  + - volume  q quit",
)

TONES = {
    "off": "quiet",
    "dial": "dial tone",
    "ringback": "ringback",
    "busy": "busy tone",
    "congestion": "congestion tone",
    "waiting": "call waiting",
    "error": "error tone",
}

# Select Graphic Rendition, ECMA-48 section 8.3.117, with the 256 colours of xterm.
PLAIN = "\x1b[0m"
GLASS = "\x1b[38;5;195;48;5;16m"
DARK_GLASS = "\x1b[38;5;240;48;5;16m"
FRAME = "\x1b[38;5;240m"
FAINT = "\x1b[38;5;245m"
LOUD = "\x1b[1;38;5;220m"
LAMP_COLOURS = {"message": 203, "line": 114, "ringer": 220}
LAMP_MARKS = {"off": ("○", ""), "on": ("●", ""), "blink": ("●", "\x1b[5m"), "breathe": ("◉", "\x1b[5m")}

OPEN_SCREEN = "\x1b[?1049h\x1b[?25l\x1b[2J"
CLOSE_SCREEN = f"{PLAIN}\x1b[?25h\x1b[?1049l"
CLEAR = "\x1b[2J"

# How the display can be written, best first: the columns and lines it takes.
DRAWINGS: tuple[tuple[int, int, Callable[[Image.Image], str]], ...] = (
    (WIDTH, HEIGHT // 2, half_blocks),
    (WIDTH // 2, HEIGHT // 2, quadrants),
    (WIDTH // 2, HEIGHT // 4, braille),
)
SURROUNDINGS = 6  # lines: two of frame, two of state, two of help


@dataclass(slots=True)
class View:
    """What the panel knows of the phone, and how it looks in a terminal of any size."""

    name: str
    on: bool = False
    screen: dict[str, Any] = field(default_factory=dict)
    lamps: dict[str, str] = field(default_factory=dict)
    status: dict[str, Any] = field(default_factory=dict)
    said: str = ""

    def hear(self, told: Told | None) -> None:
        """Take one event of the control socket; None: the phone is off."""
        self.on = told is not None
        if told is None:
            return
        for part in ("screen", "lamps", "status"):
            if part in told:
                setattr(self, part, told[part])

    @property
    def off_hook(self) -> bool:
        return self.status.get("hook") == "off"

    def lines(self, columns: int, rows: int) -> list[str]:
        """The panel as lines of text with colours, none wider than `columns`, at most `rows` of them."""
        body = [*self._glass(columns, rows), self._lamp_line(), self._state_line(columns)]
        body += [f"{FAINT}{text[:columns]}{PLAIN}" for text in HELP]
        return body[:rows]

    def _glass(self, columns: int, rows: int) -> Iterator[str]:
        colour = GLASS if self.on else DARK_GLASS
        picture = frame(self.screen) if self.screen else Image.new("1", (WIDTH, HEIGHT))
        for wide, high, drawing in DRAWINGS:
            if wide + 2 <= columns and high + SURROUNDINGS <= rows:
                text = drawing(picture).split("\n")
                break
        else:
            # Too small for pixels: the words.
            wide = min(21, columns - 2)
            text = [f"{row[:wide]:<{wide}}" for row in self.screen.get("rows", [""] * 4)]
        yield f"{FRAME}╭{'─' * wide}╮{PLAIN}"
        for line in text:
            yield f"{FRAME}│{colour}{line}{PLAIN}{FRAME}│{PLAIN}"
        yield f"{FRAME}╰{'─' * wide}╯{PLAIN}"

    def _lamp_line(self) -> str:
        shown = []
        for lamp, colour in LAMP_COLOURS.items():
            mark, effect = LAMP_MARKS[self.lamps.get(lamp, "off") if self.on else "off"]
            lit = "" if mark == "○" else f"\x1b[38;5;{colour}m{effect}"
            shown.append(f"{lit}{mark}{PLAIN} {lamp}")
        return "  ".join(shown)

    def _state_line(self, columns: int) -> str:
        if not self.on:
            return f"{LOUD}{f'the phone is off; waiting for {self.name}'[:columns]}{PLAIN}"
        volume = self.status.get("volume", {})
        facts = (
            "handset lifted" if self.off_hook else "handset down",
            f"ear: {self._heard()}",
            f"volume {volume.get('handset', '–')}/{volume.get('ringer', '–')}",
            self.said,
        )
        ringing = "RINGING" if self.status.get("ringing") else ""
        text = "  ".join(fact for fact in facts if fact)
        if not ringing:
            return text[:columns]
        return f"{text[: columns - len(ringing) - 2]}  {LOUD}{ringing}{PLAIN}"

    def _heard(self) -> str:
        tone = self.status.get("tone", "off")
        talking = any(call["state"] == "in_call" for call in self.status.get("calls", ()))
        return "a voice" if tone == "off" and talking else TONES.get(tone, tone)


def keys_in(typed: str) -> tuple[list[str], str]:
    """The keys in what was typed, and the beginning of an escape sequence whose end has not come yet.

    >>> keys_in("1\\x1b[A\\x1b[")
    (['1', 'up'], '\\x1b[')
    """
    keys = []
    while typed:
        length = 3 if typed[0] == "\x1b" and typed[1:2] in ("[", "O") else 1
        if typed in ("\x1b", "\x1b[", "\x1bO"):
            break
        if key := KEYS.get(typed[:length]):
            keys.append(key)
        typed = typed[length:]
    return keys, typed


def run_panel(control: Path) -> int:
    """Show the phone behind the control socket until `q` is pressed: the exit code for the command line.

    0 when the person left, NO_DAEMON when no phone answers, NO_TERMINAL when there is nothing to draw on. A phone
    that goes away later is waited for.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        print("omafon panel: this is not a terminal\n  Run it in one; over SSH add -t.", file=sys.stderr)
        return NO_TERMINAL
    return asyncio.run(_attached(control))


async def _attached(control: Path) -> int:
    panel = _Panel(Remote(control), View(str(control)))
    async with panel.watching():
        if not panel.view.on:
            print(
                f"omafon panel: no phone answers at {control}\n"
                "  Start it with `omafon run`, or say --control SOCKET for another one.",
                file=sys.stderr,
            )
            return NO_DAEMON
        with _terminal():
            await panel.run()
    return 0


class _Panel:
    def __init__(self, remote: Remote, view: View) -> None:
        self.remote = remote
        self.view = view
        self._heard = asyncio.Event()
        self._keys: asyncio.Queue[str] = asyncio.Queue()
        self._typed = ""
        self._shown: list[str] | None = None

    @contextlib.asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Follow the phone; entered when it is known whether there is one."""
        following = asyncio.create_task(self.remote.follow(self._hear))
        try:
            await self._heard.wait()
            yield
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
            await self.remote.close()

    async def run(self) -> None:
        """Draw and press keys until the person leaves, or the terminal does."""
        loop = asyncio.get_running_loop()
        loop.add_reader(sys.stdin.fileno(), self._type)
        loop.add_signal_handler(signal.SIGWINCH, self._resized)
        for end in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(end, self._keys.put_nowait, QUIT)
        self._resized()
        try:
            while (key := await self._keys.get()) != QUIT:
                await self._press(key)
        finally:
            loop.remove_reader(sys.stdin.fileno())

    async def _press(self, key: str) -> None:
        if key == HOOK:
            key = "on-hook" if self.view.off_hook else "off-hook"
        try:
            await self.remote.press(key)
            self.view.said = ""
        except Refused as refused:
            self.view.said = refused.what
        except PhoneOff:
            self.view.hear(None)
        self._draw()

    def _type(self) -> None:
        typed = os.read(sys.stdin.fileno(), 1024)
        if not typed:  # the terminal is gone
            self._keys.put_nowait(QUIT)
            return
        keys, self._typed = keys_in(self._typed + typed.decode("latin-1"))
        for key in keys:
            self._keys.put_nowait(key)

    def _hear(self, told: Told | None) -> None:
        self.view.hear(told)
        self._heard.set()
        if self._shown is not None:
            self._draw()

    def _resized(self) -> None:
        self._shown = []
        sys.stdout.write(CLEAR)
        self._draw()

    def _draw(self) -> None:
        """Write the lines that changed: a call's clock costs a few hundred bytes over SSH, not a whole screen."""
        rows, columns = _size()
        before, self._shown = self._shown or [], self.view.lines(columns, rows)
        for place, line in enumerate(self._shown):
            if place >= len(before) or before[place] != line:
                sys.stdout.write(f"\x1b[{place + 1};1H{line}\x1b[K")
        sys.stdout.flush()


@contextlib.contextmanager
def _terminal() -> Iterator[None]:
    """The terminal as the panel needs it: keys at once, no echo, a page of its own; afterwards as it was."""
    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)
    try:
        tty.setraw(keyboard)
        sys.stdout.write(OPEN_SCREEN)
        sys.stdout.flush()
        yield
    finally:
        sys.stdout.write(CLOSE_SCREEN)
        sys.stdout.flush()
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)


def _size() -> tuple[int, int]:
    """Rows and columns of the terminal; 24 × 80 where it does not know."""
    rows, columns, _, _ = struct.unpack("4H", fcntl.ioctl(sys.stdout.fileno(), termios.TIOCGWINSZ, bytes(8)))
    return (rows or 24, columns or 80)
