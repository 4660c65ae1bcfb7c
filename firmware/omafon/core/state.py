# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What the telephone is at one instant: its calls, its handset, what the person is doing, what it remembers."""

from dataclasses import dataclass, field, replace
from enum import StrEnum

from omafon.core.actions import Action
from omafon.core.calls import (
    ByUri,
    Call,
    Calling,
    Held,
    InCall,
    Journey,
    Peer,
    Resolving,
    Ringing,
    TreeAnswer,
    same_address,
    uri_host,
)
from omafon.core.causes import Cause
from omafon.core.dialplan import E164, DialError, Number, interpret
from omafon.core.events import CallId, ConfigRefused, Driver, Key, LookupId, PairingFailure, PairingId, UpdateTold
from omafon.core.family import Bond
from omafon.core.hardware import Equipment, Finding, Part, Picture
from omafon.core.memory import HISTORY_LENGTH, Direction, HistoryEntry, Member, Memory, Tried
from omafon.core.peace import Rung
from omafon.core.settings import Contact, Line, Route, Settings
from omafon.core.zone import local_day

# One conversation, and one that waits or is held: the third caller hears busy.
MAX_CALLS = 2

PREDIAL_TIMEOUT_S = 30.0  # digits typed with the handset down
BROWSE_TIMEOUT_S = 30.0
NOTICE_SHOWN_S = 600.0
ADDRESS_SHOWN_S = 60.0  # how long a new address is told to a person who did not ask
CONFIRM_TIMEOUT_S = 20.0
TRYING_TIMEOUT_S = 4.0  # a host that says nothing at all, where there is another way (RFC 3263 section 4.3)
CALLING_TIMEOUT_S = 120.0
RINGING_TIMEOUT_S = 180.0
OVER_SHOWN_S = 10.0  # how long the end of a call made from afar is told, with the handset down
TONE_S = 20.0  # how long a tone tells that something ended, before silence does
VOLUME_SHOWN_S = 2.0
INTERCOM_TONE_S = 1.0  # before anybody hears the room
VOLUME_STEP = 10
VOLUME_MIN = 10  # the keys never make the phone deaf or mute for good


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing."""


@dataclass(frozen=True, slots=True)
class Dialing:
    """Digits are being keyed in; the last at `since`. Off-hook without digits is the dial tone."""

    digits: str
    since: float


@dataclass(frozen=True, slots=True)
class Confirming:
    """A call that costs waits for a second '#', until `until`."""

    peer: Peer
    way: ByUri
    tried: tuple[Tried, ...]
    since: float
    until: float


@dataclass(frozen=True, slots=True)
class NightThere:
    """It is night where a call would ring, and it waits for a '1', until `until`.

    `offset_s` is how far the clocks there are ahead of UTC.
    """

    peer: Peer
    journey: Journey
    offset_s: int
    since: float
    until: float


@dataclass(frozen=True, slots=True)
class Card:
    """The contact card of `number`: its services, one shown at a time.

    It waits for the trees of `lookup` until `until`; None when it was filled from elsewhere. `entry` is the place
    in the history it was opened from, None when it belongs to the call that has the handset.
    """

    peer: Peer
    number: E164
    answers: tuple[TreeAnswer | None, ...]
    since: float
    until: float
    lookup: LookupId | None = None
    index: int = 0
    entry: int | None = None


@dataclass(frozen=True, slots=True)
class Browsing:
    """The list of past calls is looked through; entry 0 is the newest."""

    index: int
    since: float


@dataclass(frozen=True, slots=True)
class About:
    """What the phone is called, where it is, and which firmware it has, is looked at."""

    since: float


@dataclass(frozen=True, slots=True)
class Resetting:
    """The keys of the factory reset are held since `since`; once it is `asked` for, since then."""

    since: float
    asked: bool = False


@dataclass(frozen=True, slots=True)
class SelfTest:
    """The telephone tests itself, and is at `part`; None: all is tested, and the verdict is read.

    `since` is when the part began or last came on, `step` how far it is, `wrong` what was found in it until now.
    Of keys, `pressed` are those that came, `down` those that are down and since when, `shown` the last.
    """

    part: Part | None
    since: float
    step: int = 0
    wrong: tuple[str, ...] = ()
    found: tuple[Finding, ...] = ()
    pressed: tuple[Key, ...] = ()
    down: tuple[tuple[Key, float], ...] = ()
    stuck: tuple[Key, ...] = ()
    shown: Key | None = None
    came: str = ""
    picture: Picture | None = None
    heard_db: float = -96.0
    peak_db: float = -96.0
    report: str = ""


class PairingStage(StrEnum):
    """How far two phones are on the way to be a family."""

    HOLDING = "holding"  # the key is held: it begins when that lasts
    SEARCHING = "searching"
    COMPARING = "comparing"  # the digits are shown, and the person is asked
    WAITING = "waiting"  # the person here has said yes
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Pairing:
    """This phone and another one become a family. The stage began at `since`."""

    id: PairingId
    stage: PairingStage
    since: float
    digits: str = ""
    member: Member | None = None
    failure: PairingFailure | None = None


@dataclass(frozen=True, slots=True)
class Over:
    """A call ended or never came about, and the person is told why until they do something else."""

    cause: Cause
    since: float
    peer: Peer = field(default_factory=Peer)
    duration_s: float = 0.0

    @property
    def tone_until(self) -> float:
        return self.since + TONE_S


Doing = Idle | Dialing | Confirming | NightThere | Card | Browsing | About | Resetting | SelfTest | Pairing | Over


@dataclass(frozen=True, slots=True)
class Notice:
    """What somebody left for the person to read, at `since`: rows of the display."""

    rows: tuple[str, ...]
    since: float


@dataclass(frozen=True, slots=True)
class LineState:
    """What a registration last became; `status` 0 until the registrar spoke."""

    name: str
    registered: bool = False
    status: int = 0
    reason: str = ""
    expires_s: int = 0
    cause: Cause | None = None
    seen_as: str = ""
    messages: int = 0


@dataclass(frozen=True, slots=True)
class Clock:
    """Wall clock: Unix time is monotonic time plus `offset_s`, local time is that plus `zone_s`."""

    offset_s: float = 0.0
    zone_s: int = 0
    trusted: bool = False

    def unix(self, now: float) -> float:
        return now + self.offset_s


@dataclass(frozen=True, slots=True)
class Phone:
    """The whole telephone.

    `focus` names the call that has the handset. `remote`: the handset counts as lifted because somebody dialled from
    afar, and lies on the hook again when that is over. `addresses` is None until the network spoke. `touched` is when
    the person last did something, `addressed` when the addresses last changed, `began` when the phone was started.
    `down` are the keys of the factory reset that are held. `refusal` stands while the owner's configuration is not
    used. `strangers` are those who rang within the hour, and `helped` is when an emergency call last ended.
    """

    settings: Settings = field(default_factory=Settings)
    memory: Memory = field(default_factory=Memory)
    off_hook: bool = False
    remote: bool = False
    calls: tuple[Call, ...] = ()
    focus: CallId | None = None
    doing: Doing = field(default_factory=Idle)
    muted: bool = False
    lines: tuple[LineState, ...] = ()
    bonds: tuple[Bond, ...] = ()
    troubles: tuple[tuple[Driver, str], ...] = ()
    clock: Clock = field(default_factory=Clock)
    addresses: tuple[str, ...] | None = None
    addressed: float = 0.0
    host: str = ""
    notice: Notice | None = None
    update: UpdateTold | None = None
    began: float | None = None
    refusal: ConfigRefused | None = None
    down: frozenset[Key] = frozenset()
    equipment: Equipment = field(default_factory=Equipment)
    volume_until: float = 0.0
    strangers: tuple[Rung, ...] = ()
    helped: float | None = None
    touched: float = 0.0
    next_id: int = 1
    stopping: bool = False

    def call(self, call_id: CallId | None) -> Call | None:
        return next((call for call in self.calls if call.id == call_id), None)

    def bond(self, certificate: str) -> Bond | None:
        """How we stand with the member of that certificate."""
        return next((bond for bond in self.bonds if bond.certificate == certificate), None)

    @property
    def focused(self) -> Call | None:
        return self.call(self.focus)

    @property
    def ringing(self) -> Ringing | None:
        """The call that waits for an answer, if there is one."""
        return next((call for call in self.calls if isinstance(call, Ringing)), None)

    @property
    def listening(self) -> InCall | None:
        """The call in which the phone has opened its microphone by itself, until somebody lifts the handset."""
        talk = self.focused
        return talk if isinstance(talk, InCall) and talk.unasked and self.remote else None

    @property
    def held(self) -> Held | None:
        """A held call that does not have the handset."""
        return next((call for call in self.calls if isinstance(call, Held) and call.id != self.focus), None)

    def having(self, call: Call) -> "Phone":
        """The phone with `call` in the place of the call of that id."""
        return replace(self, calls=tuple(call if old.id == call.id else old for old in self.calls))

    def without(self, call_id: CallId, cause: Cause, now: float) -> "Phone":
        """The phone after a call ended; its history knows, and the person is told if the handset was theirs."""
        call = self.call(call_id)
        if call is None:
            return self
        ended = replace(self, calls=tuple(other for other in self.calls if other.id != call_id))
        ended = replace(ended, memory=_remembering(self, call, cause, now))
        if call.route is Route.EMERGENCY:
            ended = replace(ended, helped=now)
        if self.focus != call_id:
            return ended
        talk = call.talk if isinstance(call, Held) else call
        duration_s = now - talk.since if isinstance(talk, InCall) else 0.0
        over = Over(cause, now, call.peer, duration_s)
        if self.remote and not ended.calls:
            ended = replace(ended, off_hook=False, remote=False)
        return replace(ended, focus=None, muted=False, doing=over if self.off_hook else Idle())

    def resting(self, now: float) -> "Phone":
        """The phone when the person is done with what they did: the dial tone if the handset is up."""
        off_hook = self.off_hook and not self.remote
        doing = Dialing("", now) if off_hook else Idle()
        return replace(self, off_hook=off_hook, remote=False, doing=doing, focus=None, muted=False)

    def utc_offset_s(self, now: float) -> int:
        """How far the clock on the wall is ahead of UTC: in the owner's zone, or as the system says."""
        zone = self.settings.zone
        return zone.offset_s(self.clock.unix(now)) if zone is not None else self.clock.zone_s

    def local(self, now: float) -> tuple[int, int]:
        """The day of the week, Monday 0, and the minutes since local midnight."""
        return local_day(self.clock.unix(now), self.utc_offset_s(now))

    def known(self, number: str, uri: str, name: str = "") -> Peer:
        """Who that is, by the phone book first and by their own word second."""
        contact = self.contact(number, uri)
        if contact is not None:
            return Peer(number or contact.number, uri or contact.uri, contact.name)
        member = self.memory.member_of(self.e164(number), uri)
        if member is not None:
            return Peer(number or member.number, uri, member.name)
        member = self.memory.member_of(self.e164(number), uri)
        if member is not None:
            return Peer(number or member.number, uri, member.name)
        return Peer(number, uri, name)

    def contact(self, number: str, uri: str = "") -> Contact | None:
        """The phone book's entry for a number (as E.164) or a SIP URI."""
        wanted = self.e164(number)
        for contact in self.settings.contacts:
            if wanted and contact.number == wanted:
                return contact
            if uri and contact.uri == uri:
                return contact
        return None

    def e164(self, number: str) -> str:
        """What `number`, as somebody here would dial it, is in the world; empty when it is none of E.164."""
        if not number or number.startswith("+"):
            return number
        try:
            meant = interpret(number, country=self.settings.country, area=self.settings.area)
        except DialError:
            return ""
        return meant.e164 if isinstance(meant, Number) else ""

    def is_family(self, source: str) -> bool:
        """Whether `source`, an IP address, is where a member of the family is at home."""
        return any(contact.family and same_address(uri_host(contact.uri), source) for contact in self.settings.contacts)

    def line_of(self, name: str) -> Line | None:
        return next((line for line in self.settings.lines if line.name == name), None)

    @property
    def carrier(self) -> LineState | None:
        """The line that carries an outgoing call: the first registered, else the first there is."""
        return next((line for line in self.lines if line.registered), next(iter(self.lines), None))

    @property
    def last_dialled(self) -> str:
        """What redial dials, or nothing."""
        return next(
            (
                entry.number or entry.uri
                for entry in self.memory.history
                if entry.direction is Direction.OUT and entry.route is not Route.EMERGENCY
            ),
            "",
        )

    @property
    def in_front(self) -> "Call | Doing":
        """What the person has before them: what the screen shows is what the keys are about."""
        focused, ringing = self.focused, self.ringing
        if isinstance(self.doing, Card):
            return self.doing
        if focused is not None:
            return focused
        typed = isinstance(self.doing, Dialing) and self.doing.digits != ""
        typing = typed or isinstance(self.doing, Confirming | NightThere)
        if ringing is not None and not (self.off_hook and typing):
            return ringing
        return self.doing


Result = tuple[Phone, tuple[Action, ...]]


def _tried(call: Call) -> tuple[Tried, ...]:
    match call:
        case Calling(journey=journey) | Resolving(journey=journey):
            return journey.tried
        case InCall(tried=tried):
            return tried
        case _:
            return ()


def _remembering(phone: Phone, call: Call, cause: Cause, now: float) -> Memory:
    talk = call.talk if isinstance(call, Held) else call
    answered = isinstance(talk, InCall)
    entry = HistoryEntry(
        direction=call.direction,
        number=call.peer.number,
        uri=call.peer.uri,
        name=call.peer.name,
        route=call.route,
        at=phone.clock.unix(call.began) if phone.clock.trusted else 0.0,
        duration_s=round(now - talk.since, 1) if isinstance(talk, InCall) else 0.0,
        answered=answered,
        cause=cause,
        seen=False,
        tried=_tried(talk),
    )
    if not entry.missed:
        entry = replace(entry, seen=True)
    return replace(phone.memory, history=(entry, *phone.memory.history)[:HISTORY_LENGTH])
