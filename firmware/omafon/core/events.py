# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Everything that can happen to the telephone, in the past tense.

Calls and lookups are named by ids that never repeat: an answer that comes too late carries an id nobody knows any
more, and `step` lets it pass.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

from omafon.core.causes import Cause
from omafon.core.hardware import Equipment
from omafon.core.memory import Address, Member
from omafon.core.naptr import Followed, NaptrRecord
from omafon.core.settings import Settings

CallId = NewType("CallId", str)
LookupId = NewType("LookupId", int)
PairingId = NewType("PairingId", int)


class Key(StrEnum):
    """A key as its legend names it."""

    DIGIT_0 = "0"
    DIGIT_1 = "1"
    DIGIT_2 = "2"
    DIGIT_3 = "3"
    DIGIT_4 = "4"
    DIGIT_5 = "5"
    DIGIT_6 = "6"
    DIGIT_7 = "7"
    DIGIT_8 = "8"
    DIGIT_9 = "9"
    STAR = "*"
    HASH = "#"
    CALL = "call"
    END = "end"
    UP = "up"
    DOWN = "down"
    OK = "ok"
    BACK = "back"
    VOLUME_UP = "vol+"
    VOLUME_DOWN = "vol-"
    MUTE = "mute"
    FLASH = "flash"
    HOLD = "hold"
    REDIAL = "redial"

    @property
    def dials(self) -> bool:
        """True for the twelve keys of ITU-T E.161 that a number is dialled with."""
        return self in DIALLING_KEYS


DIALLING_KEYS = frozenset(Key(c) for c in "0123456789*#")


class Driver(StrEnum):
    """The drivers whose health the owner is told."""

    SIP = "sip"
    DISPLAY = "display"
    KEYPAD = "keypad"
    VOICE = "voice"
    RINGER = "ringer"
    MIXER = "mixer"
    DNS = "dns"
    STORE = "store"
    FAMILY = "family"


# The person.


@dataclass(frozen=True, slots=True)
class KeyPressed:
    key: Key


@dataclass(frozen=True, slots=True)
class KeyHeld:
    """The key has been down for 0.8 s and still is: a long press, told once between KeyPressed and KeyReleased."""

    key: Key


@dataclass(frozen=True, slots=True)
class KeyReleased:
    key: Key


@dataclass(frozen=True, slots=True)
class HookLifted:
    """The handset was taken up: off-hook."""


@dataclass(frozen=True, slots=True)
class HookReplaced:
    """The handset was put down: on-hook."""


@dataclass(frozen=True, slots=True)
class NumberDialled:
    """A whole number or SIP URI was handed over at once (`omafon dial`): as if typed and sent with the call key."""

    number: str


# The calls. Ids of incoming calls are given by the driver, those of outgoing calls by `step`.


@dataclass(frozen=True, slots=True)
class IncomingCall:
    """An INVITE waits for an answer.

    `line` is the registration it came through, or None when it came straight from `source`, an IP address.
    `uri` is the caller's as the far end claims it, `name` its display name. `certificate` is that of the member of the
    family who calls, as TLS proved it; empty for everybody else.
    """

    call: CallId
    uri: str
    name: str
    source: str
    line: str | None
    certificate: str = ""


@dataclass(frozen=True, slots=True)
class CallTrying:
    """The host of an outgoing call has said that it works on it (100)."""

    call: CallId


@dataclass(frozen=True, slots=True)
class CallRinging:
    """The far end of an outgoing call rings (180), or the network sends its own tones (early media)."""

    call: CallId
    early_media: bool = False


@dataclass(frozen=True, slots=True)
class CallAnswered:
    call: CallId


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The call is over or never came about; nobody may use its id again. `cause` says why."""

    call: CallId
    cause: Cause


@dataclass(frozen=True, slots=True)
class CallHeld:
    """The far end put us on hold (or took us back)."""

    call: CallId
    held: bool


@dataclass(frozen=True, slots=True)
class MediaChanged:
    """What the voice travels in now: codec as 'opus/48000', whether SRTP, whether signalling is verified TLS."""

    call: CallId
    codec: str
    srtp: bool
    tls: bool


@dataclass(frozen=True, slots=True)
class DtmfReceived:
    """The far end pressed a key (RFC 4733)."""

    call: CallId
    digit: str


@dataclass(frozen=True, slots=True)
class RegistrationChanged:
    """What the registrar of `line` last said. `status` is SIP's (0: not asked yet), `cause` None while registered.

    `seen_as` is the address it saw the request come from: another one than ours where a router translates.
    """

    line: str
    registered: bool
    status: int
    reason: str
    expires_s: int
    cause: Cause | None
    seen_as: str = ""


@dataclass(frozen=True, slots=True)
class MessagesWaiting:
    """The line's mailbox holds `new` unheard messages (RFC 3842)."""

    line: str
    new: int


# The family. `certificate` is the SHA-256, in hex, that TLS proved the member to hold.


@dataclass(frozen=True, slots=True)
class MemberReached:
    """The member answered at `address`; None: by the connection that it has opened to us itself."""

    certificate: str
    address: Address | None


@dataclass(frozen=True, slots=True)
class MemberSilent:
    """The member was looked for, and answers at none of its addresses."""

    certificate: str


@dataclass(frozen=True, slots=True)
class MemberSpoke:
    """The member told where it is, by a connection that came from the IP address `source`."""

    certificate: str
    addresses: tuple[Address, ...]
    source: str


@dataclass(frozen=True, slots=True)
class MemberParted:
    """A connection with the member has ended, and not because we wanted it."""

    certificate: str


@dataclass(frozen=True, slots=True)
class MemberSeen:
    """Somebody on the local network says to be the member, and to be at `addresses`; nothing of that is proven."""

    certificate: str
    addresses: tuple[Address, ...]


# The directory.


class DnsError(StrEnum):
    """Why a tree gave no records; the words of `omafon enum`."""

    NXDOMAIN = "NXDOMAIN"
    NODATA = "NODATA"
    SERVFAIL = "SERVFAIL"
    TIMEOUT = "TIMEOUT"
    BOGUS = "BOGUS"
    UNPROVEN = "UNPROVEN"  # the tree must be proven by DNSSEC, and nothing proves it
    CLOCK = "CLOCK"  # it is signed, but without the time of day nobody knows whether the signatures still hold


@dataclass(frozen=True, slots=True)
class NaptrReceived:
    """`tree` answered lookup `lookup` with these records; `secure` as DNSSEC proved it, None when not asked.

    `followed` holds what the names said that records pointed to: `evaluate` takes both.
    """

    lookup: LookupId
    tree: str
    records: tuple[NaptrRecord, ...]
    secure: bool | None
    followed: Followed = ()


@dataclass(frozen=True, slots=True)
class LookupFailed:
    lookup: LookupId
    tree: str
    error: DnsError


# The family.


class PairingFailure(StrEnum):
    """Why two phones did not become a family; nothing of the other one is kept."""

    NOBODY = "nobody"  # no other phone was found
    LATE = "late"  # nobody has said whether the digits are the same
    DIFFERENT = "different"  # the person here said no: another phone than the one that is meant, or one in between
    REFUSED = "refused"  # the person there said no, or has given up
    LOST = "lost"  # the connection broke
    DISTURBED = "disturbed"  # the other side does not keep to the protocol
    NO_NETWORK = "no-network"
    FULL = "full"  # a family has room for so many
    BROKEN = "broken"  # this phone has no identity, and cannot make one


@dataclass(frozen=True, slots=True)
class PairingAsked:
    """Somebody wants this phone and another one to become a family (`omafon pair`)."""


@dataclass(frozen=True, slots=True)
class PairingDigits:
    """Another phone was found; `digits` are what the people at both compare."""

    pairing: PairingId
    digits: str


@dataclass(frozen=True, slots=True)
class PairingAnswered:
    """Somebody tells whether both phones show the same digits (`omafon pair`): as the keys do."""

    same: bool


@dataclass(frozen=True, slots=True)
class PairingDone:
    """The people at both ends have said yes, the other phone holds our card, and this is its own."""

    pairing: PairingId
    member: Member


@dataclass(frozen=True, slots=True)
class PairingFailed:
    pairing: PairingId
    failure: PairingFailure


@dataclass(frozen=True, slots=True)
class MemberRemoved:
    """The owner takes the member `id` out of the family."""

    id: str


# The house.


@dataclass(frozen=True, slots=True)
class DeadlineReached:
    """The time that `phone.deadline` named has come."""


@dataclass(frozen=True, slots=True)
class ClockChanged:
    """Wall clock: Unix time = monotonic time + `offset_s`; local time = Unix time + `zone_s`.

    `trusted` is False until the system's clock was set (a Pi has no battery clock).
    """

    offset_s: float
    zone_s: int
    trusted: bool


@dataclass(frozen=True, slots=True)
class NetworkChanged:
    """The addresses the phone can be reached at, none when there is no network, and the name of the machine."""

    addresses: tuple[str, ...]
    host: str = ""


@dataclass(frozen=True, slots=True)
class DriverFailed:
    driver: Driver
    reason: str


@dataclass(frozen=True, slots=True)
class DriverRecovered:
    driver: Driver


class RunsWith(StrEnum):
    """What the phone has in the place of a configuration that it cannot use."""

    PREVIOUS = "previous"  # the one it had, and goes on with
    LAST_GOOD = "last-good"  # the one it last came up with
    NOTHING = "nothing"  # safe mode: no line, no call


@dataclass(frozen=True, slots=True)
class ConfigApplied:
    settings: Settings


@dataclass(frozen=True, slots=True)
class ConfigRefused:
    """What the owner wrote is not used: `line` of it is wrong, or the whole file (0), or it did not start (None)."""

    runs_with: RunsWith
    line: int | None = None


@dataclass(frozen=True, slots=True)
class NoticeLeft:
    """Somebody wants the person to read this: up to four rows, no longer than the display is wide."""

    rows: tuple[str, ...]


class UpdateStage(StrEnum):
    """How far another version of the system is."""

    WAITING = "waiting"  # for the end of a call
    INSTALLING = "installing"
    RESTARTING = "restarting"
    JUDGING = "judging"  # it runs, and shows whether all is as it was
    GOOD = "good"
    BACK = "back"  # it was not as good, and is left again
    FAILED = "failed"  # it was refused, or could not be written


@dataclass(frozen=True, slots=True)
class UpdateTold:
    """Root tells how far the update to `version` is; `percent` of writing it."""

    stage: UpdateStage
    version: str
    percent: int = 0


@dataclass(frozen=True, slots=True)
class ResetFailed:
    """The factory reset that was asked for does not begin."""

    reason: str


@dataclass(frozen=True, slots=True)
class EquipmentKnown:
    """What the telephone is made of; told once, before anything is pressed."""

    equipment: Equipment


# The test of the telephone by itself.


@dataclass(frozen=True, slots=True)
class VoiceHeard:
    """How loud the microphone was over the last quarter of a second, in dB of full scale."""

    level_db: float


@dataclass(frozen=True, slots=True)
class DelayMeasured:
    """How long a sound takes from the engine through the card, ear and microphone and back; None: it did not."""

    delay_ms: float | None


@dataclass(frozen=True, slots=True)
class ReportKept:
    """The findings of the test are in the file `name`."""

    name: str


@dataclass(frozen=True, slots=True)
class StopRequested:
    """The daemon is asked to end: every call is hung up."""


Event = (
    KeyPressed
    | KeyHeld
    | KeyReleased
    | HookLifted
    | HookReplaced
    | NumberDialled
    | IncomingCall
    | CallTrying
    | CallRinging
    | CallAnswered
    | CallEnded
    | CallHeld
    | MediaChanged
    | DtmfReceived
    | RegistrationChanged
    | MessagesWaiting
    | MemberReached
    | MemberSilent
    | MemberParted
    | MemberSeen
    | MemberSpoke
    | NaptrReceived
    | LookupFailed
    | PairingAsked
    | PairingDigits
    | PairingAnswered
    | PairingDone
    | PairingFailed
    | MemberRemoved
    | DeadlineReached
    | ClockChanged
    | NetworkChanged
    | DriverFailed
    | DriverRecovered
    | ConfigApplied
    | ConfigRefused
    | NoticeLeft
    | UpdateTold
    | ResetFailed
    | EquipmentKnown
    | VoiceHeard
    | DelayMeasured
    | ReportKept
    | StopRequested
)
