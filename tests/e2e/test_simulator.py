# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""`omafon sim` as a shell sees it: however it ends it leaves nothing behind, and says in words why it cannot begin."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

OMAFON = Path(sys.executable).with_name("omafon")


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(folder), "XDG_STATE_HOME": str(folder / "state")}


@contextmanager
def a_simulator(folder: Path, *words: str, ready: str) -> Iterator[tuple[subprocess.Popen[str], list[socket.socket]]]:
    """A simulator that has said `ready`, and a connection to each of its telephones."""
    with subprocess.Popen(
        [OMAFON, "sim", *words], env=environment(folder), stdout=subprocess.PIPE, text=True
    ) as simulator:
        phones = []
        try:
            assert simulator.stdout is not None
            assert any(ready in line for line in simulator.stdout)
            for control in folder.glob("omafon-sim-*/*.sock"):
                phones.append(socket.socket(socket.AF_UNIX))
                phones[-1].settimeout(10)
                phones[-1].connect(str(control))
            assert len(phones) == 2
            yield simulator, phones
        finally:
            simulator.kill()
            for phone in phones:
                phone.close()


def refused(folder: Path, *words: str) -> str:
    """What a simulator says that ends by itself."""
    ended = subprocess.run(
        [OMAFON, "sim", *words], env=environment(folder), capture_output=True, text=True, timeout=30, check=False
    )
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert not list(folder.glob("omafon-sim-*"))
    return ended.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
@pytest.mark.parametrize("words", [("--port", "0"), ("--demo",)], ids=["page", "demo"])
def test_a_signal_ends_it_and_both_telephones(tmp_path: Path, number: signal.Signals, words: tuple[str, ...]) -> None:
    demo = words == ("--demo",)
    with a_simulator(tmp_path, *words, ready="1. " if demo else "Ctrl-C") as (simulator, phones):
        simulator.send_signal(number)

        assert simulator.wait(timeout=15) == (128 + number if demo else 0)
        assert [phone.recv(1) for phone in phones] == [b"", b""]
    assert not list(tmp_path.glob("omafon-sim-*"))


def test_the_telephones_end_also_when_it_is_killed(tmp_path: Path) -> None:
    with a_simulator(tmp_path, "--port", "0", ready="Ctrl-C") as (simulator, phones):
        simulator.kill()

        assert [phone.recv(1) for phone in phones] == [b"", b""]


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        said = refused(tmp_path, "--port", str(other.getsockname()[1]))

    assert said.startswith("omafon sim: the web page cannot have port ")
    assert "Choose another one" in said


def test_a_card_that_is_not_there_is_said(tmp_path: Path) -> None:
    assert "there is no sound card 'nope'" in refused(tmp_path, "--port", "0", "--card", "nope")
