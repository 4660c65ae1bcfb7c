# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The hardware test as a person meets it: on a real terminal, with pins, a glass and a sound card that are models."""

import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import pytest

from omafon.board import (
    BoardProfile,
    DisplayProfile,
    HookProfile,
    KeypadProfile,
    LampProfile,
    RotaryProfile,
    SoundProfile,
)
from omafon.cli import main
from omafon.config import AudioConfig
from omafon.drivers.oled import wire
from omafon.hwtest import course
from omafon.hwtest.apparatus import Apparatus
from omafon.sim.soundcard import SoundCard, tone, write_asound_conf
from tests.lab.air import Air
from tests.lab.glass import Ssd1306
from tests.lab.pins import Bench
from tests.lab.wires import I2cBus

DEADLINE_S = 20.0

BOARD = BoardProfile(
    name="bench",
    display=DisplayProfile(width=128, height=64, driver="ssd1306"),
    keypad=KeypadProfile(rows=("gpio5", "gpio6"), columns=("gpio12",), keys=(("1",), ("4",))),
    hook=HookProfile("gpio17"),
    rotary=RotaryProfile("gpio22", "gpio23"),
    lamps=LampProfile(message="gpio26"),
    sound=SoundProfile(voice="omafon_oma", playback="Master", capture="Capture"),
)


class Paper:
    """A pseudo-terminal, what was printed on it, and somebody who types."""

    def __init__(self) -> None:
        self._ours, self.theirs = pty.openpty()
        self.text = ""
        self._read_to = 0

    def shows(self, words: str) -> None:
        """Fails when it is not printed soon, after what was seen last."""
        deadline = time.monotonic() + DEADLINE_S
        while (found := self.text.find(words, self._read_to)) < 0:
            ready, _, _ = select.select([self._ours], [], [], deadline - time.monotonic())
            assert ready, f"{words!r} does not come; the last was:\n{self.text[self._read_to :]}"
            self.text += os.read(self._ours, 65536).decode().replace("\r", "")
        self._read_to = found + len(words)

    def types(self, words: str) -> None:
        os.write(self._ours, f"{words}\n".encode())

    def prints(self, line: str) -> None:
        os.write(self.theirs, f"{line}\n".encode())

    def close(self) -> None:
        os.close(self._ours)
        os.close(self.theirs)


@pytest.fixture
def paper() -> Iterator[Paper]:
    paper = Paper()
    yield paper
    paper.close()


@pytest.fixture
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SoundCard]:
    with SoundCard("oma") as card:
        for name, value in write_asound_conf(tmp_path / "asound.conf", [card]).items():
            monkeypatch.setenv(name, value)
        yield card


class World:
    """A telephone of models, its test, and the person before it."""

    def __init__(self, board: BoardProfile, paper: Paper, file: Path) -> None:
        self.bench = Bench()
        self.bus = I2cBus(Ssd1306())
        self.paper = paper
        self.file = file
        self.works: bool | None = None
        self._apparatus = Apparatus(
            board,
            AudioConfig(),
            factory=self.bench,
            connect=lambda display: wire.connect(display, bus=self.bus),
        )
        self._thread = threading.Thread(target=self._run, args=(board,), name="hardware test")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            # As when the terminal is closed.
            self.paper.types("\x04")
        self._thread.join(DEADLINE_S)
        assert not self._thread.is_alive()

    def told(self) -> dict[str, object]:
        """The report, once the test is over."""
        self._thread.join(DEADLINE_S)
        parts = json.loads(self.file.read_text())["parts"]
        return {part["part"]: part["verdict"] for part in parts}

    def facts(self, part: str) -> dict[str, float]:
        found: dict[str, float] = next(
            told["facts"] for told in json.loads(self.file.read_text())["parts"] if told["part"] == part
        )
        return found

    def answers(self, words: str, answer: str = "y") -> None:
        self.paper.shows(words)
        self.paper.types(answer)

    def presses(self, one: str, other: str, told: str) -> None:
        self.bench.join(one, other)
        self.paper.shows(told)
        self.bench.part(one, other)

    def until(self, true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while not true():
            assert time.monotonic() < deadline
            threading.Event().wait(0.005)

    def dials(self, pulses: int) -> None:
        """A dial turned and let go: 40 ms closed and 60 ms open, as slow as its contacts must be."""
        self.bench.join("gpio23")
        pause = threading.Event()
        for _ in range(pulses):
            pause.wait(0.04)
            self.bench.part("gpio22")
            pause.wait(0.06)
            self.bench.join("gpio22")
        pause.wait(0.04)
        self.bench.part("gpio23")

    def _run(self, board: BoardProfile) -> None:
        self.works = course.run(
            board,
            AudioConfig(),
            self.file,
            apparatus=self._apparatus,
            keyboard=self.paper.theirs,
            say=self.paper.prints,
        )


def test_a_person_goes_through_a_telephone_from_the_keys_to_the_delay(
    paper: Paper, card: SoundCard, tmp_path: Path
) -> None:
    with World(BOARD, paper, tmp_path / "report.json") as world:
        world.paper.shows("Press every key")
        world.presses("gpio5", "gpio12", "gpio5-gpio12")
        world.presses("gpio6", "gpio12", "gpio6-gpio12")
        world.answers("own name?")

        world.bench.join("gpio17")
        world.answers("Lay the handset down", "")
        world.paper.shows("Lift it.")
        world.bench.part("gpio17")
        world.paper.shows("Lay it down again.")
        # The dial is at rest when its turn comes.
        world.bench.join("gpio22")
        world.bench.join("gpio17")
        for digit, pulses in (("1", 1), ("5", 5), ("0", 10)):
            world.paper.shows(f"Dial {digit}.")
            world.dials(pulses)

        world.paper.shows("the message lamp")
        world.until(lambda: world.bench.level("gpio26"))
        world.paper.types("y")
        world.paper.shows("every dot")
        world.bus.sees(lambda: world.bus.chip.on and world.bus.chip.pixels.all())
        world.paper.types("y")
        for question in ("all dark", "chessboard", "read it"):
            world.answers(question)
        world.paper.shows("mixer: works")
        world.answers("hear a tone?")
        world.answers("without a rattle?")
        card.play_mouth(tone(300, -20.0))
        world.answers("say something", "")
        world.answers("hear yourself")
        card.silence_mouth()
        with Air(card, 0.055, softer=1):
            world.answers("Lay the ear", "")
            world.paper.shows("delay: works")
        world.paper.shows("For a bug report")

    told = world.told()
    assert told.pop("bell") == "works"
    assert set(told.values()) == {"works"}
    assert world.works
    assert world.facts("microphone")["peak_db"] == pytest.approx(-20.0, abs=1.0)
    assert world.facts("delay")["delay_ms"] == pytest.approx(55.0, abs=0.5)
    assert max(map(len, paper.text.splitlines())) < 80
    assert {pin.function for pin in world.bench.pins.values()} == {"input"}


def test_a_telephone_of_which_nothing_is_plugged_in_is_told_part_by_part(paper: Paper, tmp_path: Path) -> None:
    board = BoardProfile(name="bare", display=BOARD.display, hook=BOARD.hook)

    with World(board, paper, tmp_path / "report.json") as world:
        world.bus.pulled()
        world.answers("Lay the handset", "s")
        world.paper.shows("no display answers at 0x3c of /dev/i2c-1")
        world.bus.plugged()
        world.answers("r to do it again", "r")
        world.answers("every dot", "s")
        world.paper.shows("For a bug report")

    assert world.told()["display"] == "not tested"
    assert world.told()["keys"] == "not there"


def test_pins_that_die_end_a_part_and_not_the_test(paper: Paper, tmp_path: Path) -> None:
    with World(BoardProfile(name="bare", hook=BOARD.hook), paper, tmp_path / "report.json") as world:
        world.paper.shows("Lay the handset")
        world.bench.pin("GPIO17").fails()
        world.paper.shows("the pins do not answer")
        world.answers("Enter to go on", "")
        world.paper.shows("For a bug report")

    assert world.told()["hook switch"] == "does not work"


OMAFON = (sys.executable, "-m", "omafon.cli", "hwtest")


def test_the_command_ends_at_ctrl_c_with_what_was_found(paper: Paper, card: SoundCard, tmp_path: Path) -> None:
    config = tmp_path / "phone.toml"
    config.write_text('[audio]\nvoice = "omafon_oma"\n')
    words = ("--board", "virtual", "--config", config, "--control", tmp_path / "control", "--json", tmp_path / "r.json")
    process = subprocess.Popen(
        [*OMAFON, *words],
        stdin=paper.theirs,
        stdout=paper.theirs,
        stderr=paper.theirs,
    )
    paper.shows("hear a tone?")
    paper.types("n")
    paper.shows("r to do it again")

    # As the terminal does it.
    process.send_signal(signal.SIGINT)

    paper.shows("For a bug report")
    assert process.wait(DEADLINE_S) == 1
    assert re.search(r"ear +does not work", paper.text)
    assert re.search(r"bell +not tested", paper.text)
    assert "Traceback" not in paper.text
    assert "ALSA lib" not in paper.text


def test_a_telephone_that_runs_is_named_and_left_alone(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    config, control = tmp_path / "phone.toml", tmp_path / "control"
    config.touch()
    with socket.socket(socket.AF_UNIX) as phone:
        phone.bind(str(control))
        phone.listen()

        code = main(["hwtest", "--board", "mk1", "--config", str(config), "--control", str(control)])

    told = capfd.readouterr()
    assert code == 1
    assert f"process {os.getpid()}, at {control}" in told.err
    assert not told.out
