# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The events of a phone, written down as they happened and played through the core again.

One JSON object a line: `{"at": seconds, "event": "KeyPressed", ...fields}`. The first line is the memory the phone
began with. Digits pressed in a conversation are recorded as "0": they may be a PIN, and the state does not depend
on them.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TextIO, get_args

import msgspec

from omafon.core import events
from omafon.core.actions import Action, SendDtmf
from omafon.core.calls import Calling, InCall
from omafon.core.events import DtmfReceived, Event, Key, KeyHeld, KeyPressed, KeyReleased
from omafon.core.memory import Memory
from omafon.core.phone import step
from omafon.core.present import mode, present
from omafon.core.state import Phone
from omafon.story import tell

_EVENTS: dict[str, type[Event]] = {kind.__name__: kind for kind in get_args(events.Event)}


class RecordingError(ValueError):
    """A recording cannot be read; the message names the line."""


class Recorder:
    """Writes events to an open text file, a line at once, so that what led to a crash is there.

    `hide` takes out of a line what nobody may read.
    """

    def __init__(self, file: TextIO, memory: Memory, hide: Callable[[str], str] = str) -> None:
        self._file = file
        self._hide = hide
        self._write({"memory": msgspec.to_builtins(memory)})

    def record(self, event: Event, now: float, phone: Phone) -> None:
        """Write down `event`, which `phone` is about to take at `now`."""
        talking = isinstance(phone.focused, InCall | Calling)
        match event:
            case KeyPressed(key) if talking and key.dials:
                event = KeyPressed(Key.DIGIT_0)
            case KeyHeld(key) if talking and key.dials:
                event = KeyHeld(Key.DIGIT_0)
            case KeyReleased(key) if talking and key.dials:
                event = KeyReleased(Key.DIGIT_0)
            case DtmfReceived(call):
                event = DtmfReceived(call, "0")
            case _:
                pass
        self._write({"at": round(now, 6), "event": type(event).__name__, **_plain(event)})

    def _write(self, line: dict[str, object]) -> None:
        self._file.write(self._hide(json.dumps(line, ensure_ascii=False)) + "\n")
        self._file.flush()


def _plain(event: Event) -> dict[str, object]:
    plain = msgspec.to_builtins(asdict(event), order="sorted")
    assert isinstance(plain, dict)
    return plain


def read(path: Path) -> Iterator[tuple[Memory | Event, float]]:
    """The memory, then the events of a recording with their times.

    Raises RecordingError at the first line that is not one.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                fields = json.loads(line.decode("utf-8"))
                if "memory" in fields:
                    yield msgspec.convert(fields["memory"], Memory), 0.0
                    continue
                at, kind = float(fields.pop("at")), _EVENTS[fields.pop("event")]
                yield msgspec.convert(fields, kind), at
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
                raise RecordingError(f"{path}, line {number}: not an event of a recording ({error})") from None


def replay(path: Path) -> Iterator[str]:
    """What the phone did and showed at each event of a recording, a few lines each.

    Raises RecordingError, OSError.
    """
    phone, empty = Phone(), True
    for event, at in read(path):
        empty = False
        if isinstance(event, Memory):
            phone = Phone(memory=event)
            continue
        phone, actions = step(phone, event, at)
        picture = present(phone, at)
        yield _told(event, at, phone, actions, picture.screen.rows())
    if empty:
        raise RecordingError(f"{path} holds no recording")


def _told(event: Event, at: float, phone: Phone, actions: tuple[Action, ...], rows: tuple[str, ...]) -> str:
    done = ", ".join(tell(action) for action in actions if not isinstance(action, SendDtmf))
    arrow = f" → {done}" if done else ""
    return f"{at:12.3f}  {tell(event)}{arrow}\n{'':14}[{mode(phone)}] " + " | ".join(rows)
