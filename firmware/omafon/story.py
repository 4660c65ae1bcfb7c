# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Events and actions in one line each, for the log and `omafon events`: no whole number, no DTMF digit, no secret."""

import re
from dataclasses import fields

from omafon.core.actions import Action, AskMember, CallMember, GreetMember, KeepReport, SendDtmf
from omafon.core.events import (
    ClockChanged,
    ConfigApplied,
    DtmfReceived,
    EquipmentKnown,
    Event,
    IncomingCall,
    KeyHeld,
    KeyPressed,
    KeyReleased,
    MemberParted,
    MemberReached,
    MemberSeen,
    MemberSilent,
    MemberSpoke,
    NoticeLeft,
    NumberDialled,
    PairingDigits,
    PairingDone,
    RegistrationChanged,
    UpdateTold,
)

_NUMBER = re.compile(r"\+?\d[\d ]{4,}\d")
_USER = re.compile(r"(?<=sip:)\+?[\d*#]+(?=@)|(?<=sips:)\+?[\d*#]+(?=@)")


def shortened(text: str) -> str:
    """`text` with every telephone number cut to its beginning and end.

    >>> shortened("sip:+442079460123@example.net"), shortened("sip:123@192.0.2.7:5060")
    ('sip:+44…23@example.net', 'sip:1…3@192.0.2.7:5060')
    """
    return _USER.sub(_cut, _NUMBER.sub(_cut, text))


def _cut(found: re.Match[str]) -> str:
    number = found[0]
    return f"{number[:3]}…{number[-2:]}" if len(number) > 6 else f"{number[0]}…{number[-1]}"


def _dialled(text: str) -> str:
    """What was dialled, however it is written: a SIP URI, or digits with whatever stands between them.

    >>> _dialled("030-23 12.50"), _dialled("sip:bob@example.net")
    ('030…50', 'sip:bob@example.net')
    """
    digits = "".join(char for char in text if char.isdigit() or char in "+*#")
    return shortened(text) if "@" in text or not digits else re.sub(r".+", _cut, digits)


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
        case NumberDialled(number):
            return f"{name}: {_dialled(number)}"
        case CallMember(call, certificate):
            return f"{name}: {call} {certificate[:8]}"
        case MemberReached(certificate, address):
            return f"{name}: {certificate[:8]} {address.kind if address is not None else 'as it came'}"
        case (
            GreetMember(certificate)
            | AskMember(certificate)
            | MemberSilent(certificate)
            | MemberSpoke(certificate)
            | MemberParted(certificate)
            | MemberSeen(certificate)
        ):
            return f"{name}: {certificate[:8]}"
        case IncomingCall(call, certificate=certificate) if certificate:
            return f"{name}: {call} {certificate[:8]}"
        case ConfigApplied() | EquipmentKnown():
            return name
        case KeepReport(findings):
            return f"{name}: {', '.join(f'{finding.part} {finding.verdict}' for finding in findings)}"
        case PairingDigits(id_):
            return f"{name}: {id_}"
        case PairingDone(id_, member):
            return f"{name}: {id_} with {member.id}"
        case NoticeLeft(rows):
            return f"{name}: {' / '.join(filter(None, rows))}"
        case UpdateTold(stage, version, percent):
            # A version is no number, however many digits it has.
            return f"{name}: {version} {stage.value}" + (f" {percent} %" if percent else "")
        case RegistrationChanged(line, True, _, _, expires_s):
            return f"{name}: {line} registered for {expires_s} s"
        case ClockChanged(_, _, trusted):
            return f"{name}: {'set' if trusted else 'not set'}"
        case _:
            values = " ".join(str(v) for f in fields(word) if (v := getattr(word, f.name)) not in (None, "", ()))
            return shortened(f"{name}: {values}" if values else name)[:160]
