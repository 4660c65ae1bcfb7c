# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Events and actions in one line each, for the log and `omafon events`: no whole number, no DTMF digit, no secret."""

import re
from dataclasses import fields

from omafon.core.actions import Action, SendDtmf
from omafon.core.events import ClockChanged, ConfigApplied, DtmfReceived, Event, KeyHeld, KeyPressed, KeyReleased

_NUMBER = re.compile(r"\+?\d[\d ]{4,}\d")


def shortened(text: str) -> str:
    """`text` with every telephone number cut to its beginning and end.

    >>> shortened("sip:+442079460123@example.net")
    'sip:+44…23@example.net'
    """
    return _NUMBER.sub(lambda found: f"{found[0][:3]}…{found[0][-2:]}", text)


def tell(word: Event | Action) -> str:
    """An event or an action as one line.

    >>> from omafon.core.events import CallEnded, CallId
    >>> from omafon.core.causes import Cause
    >>> tell(CallEnded(CallId("out-3"), Cause.BUSY))
    'call ended: out-3 busy'
    """
    name = re.sub(r"(?<!^)(?=[A-Z])", " ", type(word).__name__).lower()
    match word:
        case KeyPressed(key) | KeyHeld(key) | KeyReleased(key) if key.dials:
            return f"{name}: a digit"
        case SendDtmf(call) | DtmfReceived(call):
            return f"{name}: {call}"
        case ConfigApplied():
            return name
        case ClockChanged(_, _, trusted):
            return f"{name}: {'set' if trusted else 'not set'}"
        case _:
            values = " ".join(str(v) for f in fields(word) if (v := getattr(word, f.name)) not in (None, "", ()))
            return shortened(f"{name}: {values}" if values else name)[:160]
