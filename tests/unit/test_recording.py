# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A recording holds what happened, plays it again, and keeps what is private out."""

import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omafon.core.events import (
    CallAnswered,
    CallId,
    CallRinging,
    ConfigApplied,
    DtmfReceived,
    Event,
    HookLifted,
    Key,
    KeyPressed,
    NaptrReceived,
)
from omafon.core.memory import Memory
from omafon.core.phone import step
from omafon.core.state import Phone
from omafon.recording import Recorder, RecordingError, read, replay
from tests.unit.test_phone_invariants import Engine, something_happens
from tests.unit.world import SETTINGS, SIP_OMA


def record(path: Path, events: list[Event]) -> Phone:
    """The phone after `events`, a second apart, all of them recorded."""
    memory = Memory()
    phone = Phone(memory=memory)
    with path.open("w", encoding="utf-8") as file:
        recorder = Recorder(file, memory)
        for second, event in enumerate(events):
            recorder.record(event, float(second), phone)
            phone, _ = step(phone, event, float(second))
    return phone


def played(path: Path) -> Phone:
    phone = Phone()
    for event, at in read(path):
        phone = Phone(memory=event) if isinstance(event, Memory) else step(phone, event, at)[0]
    return phone


def call_with_digits(digits: str) -> list[Event]:
    call = CallId("out-1")
    dialled = [KeyPressed(Key(digit)) for digit in "030123456#"]
    answered = [NaptrReceived(2, "e164.arpa", (SIP_OMA,), None), CallRinging(call), CallAnswered(call)]  # type: ignore[arg-type]
    pin = [KeyPressed(Key(digit)) for digit in digits]
    return [ConfigApplied(SETTINGS), HookLifted(), *dialled, *answered, *pin, DtmfReceived(call, "7")]


@pytest.mark.parametrize("seed", range(5))
def test_a_recording_of_anything_leads_to_the_same_phone(tmp_path: Path, seed: int):
    chance, engine = random.Random(seed), Engine()
    engine.ever = {"out-1", "in-1", "in-2"}
    engine.lookups = {2}
    events = [ConfigApplied(SETTINGS), *(something_happens(chance, engine, serial) for serial in range(400))]

    phone = record(tmp_path / "recording", events)

    assert played(tmp_path / "recording") == phone


def test_digits_of_a_conversation_are_not_in_a_recording(tmp_path: Path):
    record(tmp_path / "recording", call_with_digits("4711"))

    lines = [json.loads(line) for line in (tmp_path / "recording").read_text().splitlines()]
    pressed = [line["key"] for line in lines if line.get("event") == "KeyPressed"]
    received = [line["digit"] for line in lines if line.get("event") == "DtmfReceived"]

    assert "".join(pressed) == "030123456#0000"
    assert received == ["0"]


def test_a_replay_tells_what_happened_and_what_was_shown(tmp_path: Path):
    record(tmp_path / "recording", call_with_digits("1"))

    told = "\n".join(replay(tmp_path / "recording"))

    assert "place call: out-1 sip:oma@example.net enum" in told
    assert "[in_call] Oma" in told


@given(st.text())
def test_a_file_that_is_no_recording_is_refused_with_its_line(tmp_path_factory: pytest.TempPathFactory, text: str):
    path = tmp_path_factory.mktemp("recordings") / "recording"
    path.write_text('{"at": 1.0, "event": "HookLifted"}\n' + text + "\nnonsense", encoding="utf-8")

    with pytest.raises(RecordingError, match="line "):
        list(replay(path))
