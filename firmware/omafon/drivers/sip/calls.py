# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The calls: each a leg between us and one far end, known to the house by its id alone."""

import logging
import re
import time
from collections.abc import Callable, Iterable
from typing import Any

import pjsua2 as pj

from omafon.core.actions import (
    Action,
    AnswerCall,
    HangUp,
    HoldCall,
    PlaceCall,
    RejectCall,
    ResumeCall,
    RingCall,
    SendDtmf,
)
from omafon.core.causes import Cause, sip_cause
from omafon.core.events import (
    CallAnswered,
    CallEnded,
    CallHeld,
    CallId,
    CallRinging,
    CallTrying,
    DtmfReceived,
    IncomingCall,
    MediaChanged,
)
from omafon.drivers.sip.accounts import Account
from omafon.drivers.sip.callback import describe, guarded
from omafon.interfaces import Post

log = logging.getLogger("omafon.sip")

TRYING, RINGING, OK, DECLINE = 100, 180, 200, 603
NAME_LENGTH = 64

# What SDP calls the clock rate of codecs whose audio runs at another (RFC 7587 section 7, RFC 3551 section 4.5.2).
RTP_CLOCK_HZ = {"opus": 48_000, "g722": 8_000}

# A re-INVITE may have to wait for one that is under way (RFC 3261 section 14.1).
HOLD_RETRY_S = 0.5

# PJSIP_EINVALIDURI to PJSIP_EURITOOLONG (pjsip/sip_errno.h).
INVALID_URI = range(171_039, 171_044)
# PJSIP_ENOROUTESET: a number without a host, and no line to send it through.
NO_ROUTE_SET = 171_005


class Leg(pj.Call):  # type: ignore[misc]
    """One call. Its owner must drop it inside `ended`: the engine gives its number to another call right after.

    `media` is the voice of the far end while there is any to hear, and `generation` counts how often it changed.
    """

    def __init__(
        self, account: Account, call: CallId, post: Post, legs: "Legs", number: int = pj.PJSUA_INVALID_ID
    ) -> None:
        super().__init__(account, number)
        self.call = call
        self.outgoing = number == pj.PJSUA_INVALID_ID
        self.announced = self.outgoing
        self.over = False
        self.tls = account.tls
        self.family = account.family
        self.media: Any = None
        self.generation = 0
        self.hold_wanted = False
        self.hold_retry_at: float | None = None
        self.line = account.line
        self.account: int = account.getId()
        self._post = post
        self._legs = legs
        self._trying = False
        self._rang = False
        self._early_media = False
        self._answered = False
        self._far_hold = False
        self._elsewhere = False
        self._parts_when_confirmed = False
        self.refusal = ("", 0)
        self._travels: MediaChanged | None = None

    def tell(self, event: Any) -> None:
        """Post, as long as the house knows the call and believes it alive."""
        if self.announced and not self.over:
            self._post(event)

    def end(self, cause: Cause) -> None:
        """Tell the house that the call is over; it may still take the far end some time to agree."""
        self.tell(CallEnded(self.call, cause))
        self.over = True

    def part(self, status: int) -> None:
        """Send what ends the call: CANCEL, BYE, or the final `status` to an INVITE."""
        if not self.outgoing and self.getInfo().state == pj.PJSIP_INV_STATE_CONNECTING:
            # No BYE may overtake the ACK of our 200 (RFC 3261 section 15).
            self._parts_when_confirmed = True
        else:
            self.hangup(refusing(settings(status), *self.refusal))

    def hold(self, wanted: bool) -> None:
        """Put the far end on hold with 'sendonly', or take it back (RFC 3264 section 8.4)."""
        self.hold_wanted, self.hold_retry_at = wanted, None
        try:
            if wanted:
                self.setHold(settings())
            else:
                offer = settings()
                offer.opt.flag |= pj.PJSUA_CALL_UNHOLD
                self.reinvite(offer)
        except pj.Error:
            self.hold_retry_at = time.monotonic() + HOLD_RETRY_S

    @property
    def answered(self) -> bool:
        return self._answered

    def move(self) -> None:
        """Tell the far end our new address, by a re-INVITE with sockets of its own."""
        offer = settings()
        offer.opt.flag |= pj.PJSUA_CALL_UPDATE_CONTACT | pj.PJSUA_CALL_UPDATE_VIA | pj.PJSUA_CALL_REINIT_MEDIA
        if not self.hold_wanted:
            offer.opt.flag |= pj.PJSUA_CALL_UNHOLD
        self.reinvite(offer)

    @guarded
    def onCallState(self, _: Any) -> None:  # noqa: N802
        info = self.getInfo()
        match info.state:
            case pj.PJSIP_INV_STATE_EARLY if self.outgoing:
                self._rings()
            case pj.PJSIP_INV_STATE_CONNECTING if not self.outgoing:
                self._is_answered()
            case pj.PJSIP_INV_STATE_CONFIRMED:
                self._is_answered()
                if self._parts_when_confirmed:
                    self.hangup(settings())
            case pj.PJSIP_INV_STATE_DISCONNECTED:
                self.media = None
                self.end(self._cause(info.lastStatusCode, info.lastReason))
                # Here and now, on this thread: see the class.
                self._legs.drop(self)

    @guarded
    def onCallTsxState(self, prm: Any) -> None:  # noqa: N802
        """Look out for the first word of the called host, and for a CANCEL that says why (RFC 3326)."""
        if self.outgoing and not self._trying and prm.e.body.tsxState.tsx.state == pj.PJSIP_TSX_STATE_PROCEEDING:
            self._trying = True
            self.tell(CallTrying(self.call))
        state = prm.e.body.tsxState
        if self.family and state.type == pj.PJSIP_EVENT_RX_MSG:
            self._legs.heard(self, state.tsx, state.src.rdata)
        unanswered = not self.outgoing and not self._answered
        if unanswered and state.type == pj.PJSIP_EVENT_RX_MSG and state.tsx.method == "CANCEL":
            reasons = re.findall(r"(?mi)^Reason\s*:(.*)$", state.src.rdata.wholeMsg)
            self._elsewhere = any(re.search(r"(?i)sip\s*;.*cause\s*=\s*200\b", reason) for reason in reasons)

    @guarded
    def onCallMediaState(self, _: Any) -> None:  # noqa: N802
        # Kept in a name while its media is looked at: the list lives in it, not in the elements.
        info = self.getInfo()
        self.media = None
        self.generation += 1
        for index, media in enumerate(info.media):
            if media.type != pj.PJMEDIA_TYPE_AUDIO or media.audioConfSlot == pj.PJSUA_INVALID_ID:
                continue
            if media.status in (pj.PJSUA_CALL_MEDIA_ACTIVE, pj.PJSUA_CALL_MEDIA_REMOTE_HOLD):
                self.media = self.getAudioMedia(index)
            if media.status != pj.PJSUA_CALL_MEDIA_LOCAL_HOLD:
                self._held(media.status == pj.PJSUA_CALL_MEDIA_REMOTE_HOLD)
            self._travelling(index)
        if info.state == pj.PJSIP_INV_STATE_EARLY and self.outgoing:
            self._rings()
        self._legs.media_changed()

    @guarded
    def onDtmfDigit(self, prm: Any) -> None:  # noqa: N802
        self.tell(DtmfReceived(self.call, prm.digit))

    @guarded
    def onCallTransferRequest(self, prm: Any) -> None:  # noqa: N802
        prm.statusCode = DECLINE

    @guarded
    def onCallReplaceRequest(self, prm: Any) -> None:  # noqa: N802
        prm.statusCode = DECLINE

    def _rings(self) -> None:
        early_media = self.media is not None
        if not self._rang or early_media != self._early_media:
            self._rang, self._early_media = True, early_media
            self.tell(CallRinging(self.call, early_media))

    def _is_answered(self) -> None:
        if not self._answered:
            self._answered = True
            self.tell(CallAnswered(self.call))
            if self._travels:
                self.tell(self._travels)

    def _held(self, held: bool) -> None:
        if held != self._far_hold:
            self._far_hold = held
            self.tell(CallHeld(self.call, held))

    def _travelling(self, index: int) -> None:
        stream = self.getStreamInfo(index)
        srtp = "SRTP status: Active" in self.dump(True, "")
        codec = stream.codecName.lower()
        codec = f"{codec}/{RTP_CLOCK_HZ.get(codec, stream.codecClockRate)}"
        travels = MediaChanged(self.call, codec, srtp, self.tls)
        if travels != self._travels:
            self._travels = travels
            if self._answered:
                self.tell(travels)

    def _cause(self, status: int, reason: str) -> Cause:
        cause = sip_cause(status, reason)
        if self._answered:
            return Cause.NORMAL if cause in (Cause.NORMAL, Cause.CANCELLED, Cause.DECLINED) else cause
        match cause:
            case Cause.NORMAL | Cause.CANCELLED if not self.outgoing:
                return Cause.ANSWERED_ELSEWHERE if self._elsewhere else Cause.CANCELLED
            case Cause.CANCELLED:
                # Not by us: a redirection we do not follow ends like this.
                return Cause.FAILED
            case Cause.UNREACHABLE if self._rang:
                return Cause.NO_ANSWER
            case Cause.WRONG_PASSWORD if self.line is None:
                return Cause.FORBIDDEN
            case Cause.NO_COMMON_CODEC if self.family or self._legs.srtp_mandatory(self.line):
                return Cause.SRTP_REFUSED
            case _:
                return cause


class Legs:
    """All legs, and the actions on them.

    `media_changed` is called whenever a leg's voice came, went or was renewed. `certificate` tells the pin of the
    member of the family that 'address:port' is; `heard` and `gone` are told what a member says in its call, and the
    end of it.
    """

    def __init__(self, post: Post, srtp_mandatory: Callable[[str | None], bool]) -> None:
        self._post = post
        self._legs: dict[CallId, Leg] = {}
        self._parting: set[Leg] = set()
        self._arrived: list[tuple[Leg, str, str]] = []
        self.certificate: Callable[[str], str] = lambda _: ""
        self.heard: Callable[[Leg, Any, Any], None] = lambda _, __, ___: None
        self.gone: Callable[[CallId], None] = lambda _: None
        self._count = 0
        self.srtp_mandatory = srtp_mandatory
        self.media_changed: Callable[[], None] = lambda: None

    def arrive(self, account: Account, prm: Any) -> None:
        """An INVITE has come. The house hears of it by `announce`, when the engine is done with examining it."""
        self._count += 1
        leg = Leg(account, CallId(f"in-{self._count}"), self._post, self, prm.callId)
        self._legs[leg.call] = leg
        source = prm.rdata.srcAddress
        self._arrived.append((leg, source, self.certificate(source) if leg.family else ""))

    def announce(self) -> None:
        """Post the calls that arrived and that the engine did not refuse itself, such as one without SRTP."""
        arrived, self._arrived = self._arrived, []
        for leg, source, certificate in arrived:
            if leg.call in self._legs and leg.isActive():
                name, uri = parse_party(leg.getInfo().remoteUri)
                leg.announced = True
                leg.tell(IncomingCall(leg.call, uri, name, host(source), leg.line, certificate))

    def place(self, action: PlaceCall, account: Account | None, from_uri: str) -> None:
        """Send an INVITE; whatever keeps it from leaving is posted as the call's end."""
        if account is None:
            self._post(CallEnded(action.call, Cause.NOT_REGISTERED))
            return
        leg = Leg(account, action.call, self._post, self)
        leg.tls = leg.tls or re.search(r"(?i)^sips:|;transport=tls", action.uri) is not None
        self._legs[action.call] = leg
        call = settings()
        call.txOption.localUri = from_uri
        try:
            leg.makeCall(action.uri, call)
        except pj.Error as error:
            log.info("call %s could not be placed: %s", action.call, describe(error))
            leg.end(unplaced_cause(error))
            self.drop(leg)

    def perform(self, action: Action) -> None:
        """Do one action on a call there is. An action on another, or one that comes too late, does nothing."""
        leg = self._legs.get(getattr(action, "call", CallId("")))
        if leg is None:
            return
        try:
            match action:
                case RingCall():
                    leg.answer(settings(RINGING))
                case AnswerCall():
                    leg.answer(settings(OK))
                case RejectCall(_, status, reason, retry_after_s):
                    leg.refusal = (reason, retry_after_s)
                    self._part(leg, status)
                case HangUp():
                    self._part(leg, 0)
                case HoldCall():
                    leg.hold(True)
                case ResumeCall():
                    leg.hold(False)
                case SendDtmf(_, digit):
                    leg.dialDtmf(digit)
        except pj.Error as error:
            log.info("call %s: %s: %s", leg.call, type(action).__name__, describe(error))

    def move(self) -> None:
        """We are at another address: tell the members we speak with, and send the voice from there."""
        for leg in self.alive:
            if leg.family and leg.answered:
                leg.move()

    def settle(self, now: float) -> None:
        """Try again to hold and to resume what had to wait."""
        for leg in self.alive:
            if leg.hold_retry_at is not None and now >= leg.hold_retry_at:
                leg.hold(leg.hold_wanted)

    @property
    def alive(self) -> Iterable[Leg]:
        """The calls the house knows."""
        return tuple(self._legs.values())

    @property
    def all_gone(self) -> bool:
        """Whether every far end knows that its call is over."""
        return not self._legs and not self._parting

    def get(self, call: CallId) -> Leg | None:
        return self._legs.get(call)

    def uses(self, account: int) -> bool:
        """Whether any call of that account is left, be it that its far end has not agreed to the end."""
        return any(leg.account == account for leg in (*self._legs.values(), *self._parting))

    def hang_up(self, account: int) -> None:
        for leg in self.alive:
            if leg.account == account:
                self.perform(HangUp(leg.call))

    def hang_up_all(self) -> None:
        for leg in self.alive:
            self.perform(HangUp(leg.call))

    def drop(self, leg: Leg) -> None:
        """Let go of a leg that the engine has let go of."""
        self._legs.pop(leg.call, None)
        self._parting.discard(leg)
        self.gone(leg.call)
        self.media_changed()

    def clear(self) -> None:
        """Let go of all, whatever their far ends know."""
        self._legs.clear()
        self._parting.clear()
        self._arrived.clear()

    def _part(self, leg: Leg, status: int) -> None:
        # For the person the call is over now, and not when a host that may be dead has confirmed it.
        leg.end(Cause.NORMAL)
        leg.media = None
        self._legs.pop(leg.call, None)
        self._parting.add(leg)
        self.media_changed()
        leg.part(status)


def settings(status: int = 0) -> Any:
    """What every request and answer of ours offers: one audio stream, nothing else."""
    prm = pj.CallOpParam(True)
    prm.statusCode = status
    prm.opt.audioCount = 1
    prm.opt.videoCount = 0
    prm.opt.textCount = 0
    return prm


def refusing(prm: Any, reason: str, retry_after_s: int) -> Any:
    """`prm` with why a call is refused, and when it may be tried again (RFC 3261 section 20.33)."""
    prm.reason = reason
    if retry_after_s:
        header = pj.SipHeader()
        header.hName, header.hValue = "Retry-After", str(retry_after_s)
        prm.txOption.headers.append(header)
    return prm


def parse_party(header: str) -> tuple[str, str]:
    """Display name and URI of a From header: '"Oma" <sip:oma@example.net>;tag=1' → ('Oma', 'sip:oma@example.net')."""
    party = re.match(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^<"]*?))\s*<([^>]*)>', header)
    name, uri = ((party[1] or party[2] or "").strip(), party[3]) if party else ("", header.partition(";")[0].strip())
    name = re.sub(r"\\(.)", r"\1", name)
    return "".join(c for c in name if c.isprintable())[:NAME_LENGTH], uri


def host(source: str) -> str:
    """The IP address of '192.0.2.1:5060' or '[2001:db8::1]:5060'."""
    return source.rpartition(":")[0].strip("[]")


def unplaced_cause(error: Any) -> Cause:
    """Why the engine would not even send the INVITE."""
    if error.status in INVALID_URI:
        return Cause.NUMBER_INVALID
    if error.status == NO_ROUTE_SET:
        return Cause.NO_ROUTE
    return sip_cause(0, error.reason)
