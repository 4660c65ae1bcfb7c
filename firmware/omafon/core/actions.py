# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Everything the telephone asks for, once, in the imperative.

What it shows and sounds is not here: that is derived (`present`). Each new action is a design decision.
"""

from dataclasses import dataclass

from omafon.core.dialplan import E164, SipUri
from omafon.core.events import CallId, LookupId
from omafon.core.hardware import Finding
from omafon.core.memory import Address
from omafon.core.settings import Route


@dataclass(frozen=True, slots=True)
class PlaceCall:
    """Send an INVITE to `uri`: through the registration `line`, or straight when it is None."""

    call: CallId
    uri: SipUri
    line: str | None
    route: Route


@dataclass(frozen=True, slots=True)
class CallMember:
    """Call the member of the family of that certificate where it answers: its addresses are tried, the best first."""

    call: CallId
    certificate: str
    addresses: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class GreetMember:
    """Tell the member of that certificate where we are; by its answer we know that it is there, and where."""

    certificate: str
    addresses: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class AskMember:
    """Whoever looks for the member of that certificate just now shall look here too, and first."""

    certificate: str
    addresses: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class LookAround:
    """Look once for members of the family on the local network; MemberSeen comes back for each that is there."""


@dataclass(frozen=True, slots=True)
class MoveCalls:
    """We have other addresses: tell the members of the family whom we speak with."""


@dataclass(frozen=True, slots=True)
class RingCall:
    """Tell the caller that it rings here (180). Until then it was not even told that the phone is there."""

    call: CallId


@dataclass(frozen=True, slots=True)
class AnswerCall:
    call: CallId


@dataclass(frozen=True, slots=True)
class RejectCall:
    """Refuse a call that was not answered, with a final SIP status (403, 480, 486, 603).

    `reason` stands behind it, `retry_after_s` is when it may be tried again (RFC 3261 section 20.33); 0: not told.
    """

    call: CallId
    status: int
    reason: str = ""
    retry_after_s: int = 0


@dataclass(frozen=True, slots=True)
class HangUp:
    """End a call in whatever state it is: CANCEL or BYE."""

    call: CallId


@dataclass(frozen=True, slots=True)
class HoldCall:
    """Tell the far end that it is on hold (RFC 3264 section 8.4). The voice is already cut: that is a level."""

    call: CallId


@dataclass(frozen=True, slots=True)
class ResumeCall:
    call: CallId


@dataclass(frozen=True, slots=True)
class SendDtmf:
    """Send one DTMF digit as RFC 4733 events."""

    call: CallId
    digit: str


@dataclass(frozen=True, slots=True)
class QueryNaptr:
    """Ask `tree` for the NAPTR records of `number` (RFC 6116 section 3.2)."""

    lookup: LookupId
    tree: str
    number: E164


@dataclass(frozen=True, slots=True)
class FactoryReset:
    """Make the telephone forget everything it was told and everything it has seen, and start anew."""


@dataclass(frozen=True, slots=True)
class KeepReport:
    """Write down what the test of the telephone by itself has found, for a bug report."""

    findings: tuple[Finding, ...]


Action = (
    PlaceCall
    | CallMember
    | GreetMember
    | AskMember
    | LookAround
    | MoveCalls
    | RingCall
    | AnswerCall
    | RejectCall
    | HangUp
    | HoldCall
    | ResumeCall
    | SendDtmf
    | QueryNaptr
    | KeepReport
    | FactoryReset
)
