# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The telephone: `step(phone, event, now) -> (phone, actions)` and `deadline(phone, now)`.

`now` is monotonic seconds. `step` never raises, and an event that means nothing in a state changes nothing. What the
person does with keys and hook is in `person`, how an outgoing call finds its way in `routing`; this page holds what
the phone is, and what the world does to it.
"""

from dataclasses import replace

from omafon.core import admission, card, kinship, pairing, person, reset, routing, selftest, updating
from omafon.core.actions import Action, HangUp, MoveCalls, RejectCall, RingCall
from omafon.core.calls import Calling, Held, InCall, Peer, Resolving, Ringing, caller_number
from omafon.core.causes import Cause
from omafon.core.dialling import outcome
from omafon.core.events import (
    CallAnswered,
    CallEnded,
    CallHeld,
    CallId,
    CallRinging,
    CallTrying,
    ClockChanged,
    ConfigApplied,
    ConfigRefused,
    DeadlineReached,
    DelayMeasured,
    DriverFailed,
    DriverRecovered,
    DtmfReceived,
    EquipmentKnown,
    Event,
    HookLifted,
    HookReplaced,
    IncomingCall,
    KeyHeld,
    KeyPressed,
    KeyReleased,
    LookupFailed,
    MediaChanged,
    MemberParted,
    MemberReached,
    MemberRemoved,
    MemberSeen,
    MemberSilent,
    MemberSpoke,
    MessagesWaiting,
    NaptrReceived,
    NetworkChanged,
    NoticeLeft,
    NumberDialled,
    PairingAnswered,
    PairingAsked,
    PairingDigits,
    PairingDone,
    PairingFailed,
    RegistrationChanged,
    ReportKept,
    ResetFailed,
    StopRequested,
    UpdateTold,
    VoiceHeard,
)
from omafon.core.peace import having_rung
from omafon.core.settings import Accept, Route
from omafon.core.state import (
    ADDRESS_SHOWN_S,
    BROWSE_TIMEOUT_S,
    CALLING_TIMEOUT_S,
    MAX_CALLS,
    NOTICE_SHOWN_S,
    OVER_SHOWN_S,
    PREDIAL_TIMEOUT_S,
    RINGING_TIMEOUT_S,
    TRYING_TIMEOUT_S,
    About,
    Browsing,
    Card,
    Clock,
    Confirming,
    Dialing,
    Idle,
    LineState,
    NightThere,
    Notice,
    Over,
    Pairing,
    Phone,
    Resetting,
    Result,
    SelfTest,
)


def step(phone: Phone, event: Event, now: float) -> tuple[Phone, tuple[Action, ...]]:
    """The phone after `event`, and what is to be done once because of it."""
    phone, actions = _stepped(phone, event, now)
    return kinship.settled(phone, now), actions


def _stepped(phone: Phone, event: Event, now: float) -> Result:
    if isinstance(event, KeyPressed | HookLifted | HookReplaced | NumberDialled):
        phone = replace(phone, touched=now)
    if isinstance(event, ConfigApplied) and phone.began is None:
        phone = replace(phone, began=now)
    match event:
        case KeyPressed(key):
            return person.key_pressed(reset.pressed(phone, key, now), key, now)
        case KeyHeld(key):
            return person.key_held(pairing.held(phone, key, now), key, now)
        case KeyReleased(key):
            phone = pairing.released(reset.released(phone, key, now), key, now)
            return selftest.happened(phone, event, now)
        case EquipmentKnown(equipment):
            return selftest.equipped(phone, equipment, now), ()
        case VoiceHeard() | DelayMeasured() | ReportKept():
            return selftest.happened(phone, event, now)
        case HookLifted():
            return person.hook_lifted(phone, now)
        case HookReplaced():
            return person.hook_replaced(phone, now)
        case NumberDialled(number):
            return person.number_dialled(phone, number, now)
        case IncomingCall():
            return _incoming(phone, event, now)
        case CallTrying() | CallRinging() | CallAnswered() | CallHeld() | MediaChanged():
            return _call_changed(phone, event, now), ()
        case CallEnded(call, cause):
            return _call_ended(phone, call, cause, now)
        case NaptrReceived() | LookupFailed():
            if isinstance(phone.doing, Card):
                phone = card.tree_answered(phone, phone.doing, event)
            return routing.tree_answered(phone, event, now)
        case DeadlineReached():
            return _deadline_reached(phone, now)
        case NetworkChanged():
            return _network_changed(phone, event, now)
        case MemberReached() | MemberSilent() | MemberSpoke() | MemberParted():
            return kinship.happened(phone, event, now), ()
        case MemberSeen():
            return kinship.seen(phone, event, now)
        case PairingAsked() | PairingAnswered() | PairingDigits() | PairingDone() | PairingFailed():
            return pairing.happened(phone, event, now), ()
        case MemberRemoved(id_):
            return replace(phone, memory=phone.memory.parted(id_)), ()
        case NoticeLeft(rows):
            return replace(phone, notice=Notice(rows, now), touched=now), ()
        case UpdateTold():
            return updating.told(phone, event, now), ()
        case ResetFailed():
            return reset.failed(phone, now), ()
        case StopRequested():
            return _stop(phone, now)
        case _:
            return _world_changed(phone, event), ()


def deadline(phone: Phone, now: float) -> float | None:
    """When `DeadlineReached` is wanted next, in monotonic seconds; None: nothing is waited for."""
    times = kinship.deadlines(phone)
    times += [until for until in (phone.volume_until, phone.addressed + ADDRESS_SHOWN_S) if until > now]
    if phone.notice is not None:
        times.append(phone.notice.since + NOTICE_SHOWN_S)
    for call in phone.calls:
        match call:
            case Resolving():
                times.append(call.until)
            case Calling():
                times.append(call.began + CALLING_TIMEOUT_S)
                if routing.has_other_way(call) and not call.trying:
                    times.append(call.sent + TRYING_TIMEOUT_S)
            case Ringing():
                times.append(call.began + RINGING_TIMEOUT_S)
            case InCall():
                # The screen counts the seconds of the conversation.
                times.append(now + _until_next(1.0, now - call.since))
            case Held():
                pass
    times.extend(_doing_until(phone, now))
    # The clock on the screen, to the minute.
    times.append(now + _until_next(60.0, phone.clock.unix(now)))
    return min(times)


def _until_next(step_s: float, at: float) -> float:
    """Seconds from `at` to the next multiple of `step_s`; never so few that rounding could make them none."""
    left = step_s - at % step_s
    return left if left > 0.001 else left + step_s


def _doing_until(phone: Phone, now: float) -> list[float]:
    match phone.doing:
        case Dialing(digits, since) if phone.off_hook or (phone.settings.any_key and digits):
            # Other settings may have come meanwhile, by which it is over already.
            return [max(since + outcome(phone.settings, digits).wait_s, now + 0.001)]
        case Dialing(_, since):
            return [since + PREDIAL_TIMEOUT_S]
        case Browsing(_, since) | About(since):
            return [since + BROWSE_TIMEOUT_S]
        case Resetting() as resetting:
            return [reset.until(resetting, now)]
        case SelfTest() as test:
            return [selftest.until(test)]
        case Pairing() as paired:
            return [pairing.until(paired)]
        case Confirming(until=until) | NightThere(until=until):
            return [until]
        case Card(lookup=None, since=since):
            return [since + BROWSE_TIMEOUT_S]
        case Card(until=until):
            return [until]
        case Over(since=since) if not phone.off_hook:
            return [since + OVER_SHOWN_S]
        case Over() as over:
            return [over.tone_until] if over.tone_until > now else []
        case Idle():
            return []


def _deadline_reached(phone: Phone, now: float) -> Result:
    actions: list[Action] = []
    for call in phone.calls:
        match call:
            case Resolving() if now >= call.until:
                phone, more = routing.looked_up(phone, call, now)
                actions.extend(more)
            case Calling() if now >= call.began + CALLING_TIMEOUT_S:
                actions.append(HangUp(call.id))
                phone = phone.without(call.id, Cause.NO_ANSWER, now)
            case Calling() if routing.has_other_way(call) and not call.trying and now >= call.sent + TRYING_TIMEOUT_S:
                phone, more = routing.silent_host(phone, call, now)
                actions.extend(more)
            case Ringing() if now >= call.began + RINGING_TIMEOUT_S:
                actions.append(RejectCall(call.id, 480))
                phone = phone.without(call.id, Cause.NO_ANSWER, now)
            case _:
                pass
    if phone.notice is not None and now >= phone.notice.since + NOTICE_SHOWN_S:
        phone = replace(phone, notice=None)
    phone, greetings = kinship.time_passed(phone, now)
    phone, more = _doing_ended(phone, now)
    return phone, (*actions, *greetings, *more)


def _doing_ended(phone: Phone, now: float) -> Result:
    match phone.doing:
        case Dialing(digits, since) if phone.off_hook and now >= since + outcome(phone.settings, digits).wait_s:
            return person.dialling_over(phone, digits, now)
        case Dialing(digits, since) if digits and phone.settings.any_key and not phone.off_hook:
            if now < since + outcome(phone.settings, digits).wait_s:
                return phone, ()
            return person.dialling_over(person.counted_as_lifted(phone), digits, now)
        case Dialing(_, since) if not phone.off_hook and now >= since + PREDIAL_TIMEOUT_S:
            return phone.resting(now), ()
        case Browsing(_, since) | About(since) if now >= since + BROWSE_TIMEOUT_S:
            return phone.resting(now), ()
        case Resetting() as resetting:
            return reset.time_passed(phone, resetting, now)
        case SelfTest() as test if now >= selftest.until(test):
            return selftest.time_passed(phone, test, now)
        case Pairing() as paired if now >= pairing.until(paired):
            return pairing.time_passed(phone, paired, now), ()
        case Over(since=since) if not phone.off_hook and now >= since + OVER_SHOWN_S:
            return phone.resting(now), ()
        case Confirming(until=until) | NightThere(until=until) if now >= until:
            return phone.resting(now), ()
        case Card(lookup=None) as shown if now >= shown.since + BROWSE_TIMEOUT_S:
            return card.closed(phone, shown, now), ()
        case Card() as shown if shown.lookup is not None and now >= shown.until:
            return card.budget_spent(phone, shown), ()
        case _:
            return phone, ()


def _incoming(phone: Phone, event: IncomingCall, now: float) -> Result:
    if phone.call(event.call) is not None:
        return phone, ()
    route = _way_in(phone, event)
    if route is None:
        return phone, (RejectCall(event.call, 403),)
    peer = _caller(phone, event)
    ringing = Ringing(event.call, peer, now, route, event.line)
    rung = replace(phone, calls=(*phone.calls, ringing))
    if phone.stopping:
        return phone, (RejectCall(event.call, 480),)
    refusal = admission.refusal(phone, event, route, peer, now)
    if refusal is not None:
        reject = RejectCall(event.call, refusal.status, refusal.reason, refusal.retry_after_s)
        return (phone if refusal.cause is None else rung.without(event.call, refusal.cause, now)), (reject,)
    if len(phone.calls) >= MAX_CALLS:
        return rung.without(event.call, Cause.BUSY, now), (RejectCall(event.call, 486),)
    if admission.answers_itself(phone, route, peer, now):
        return person.answered_unasked(rung, ringing, now)
    # Nothing stays open behind the call that rings; only what is being dialled goes on.
    if rung.focus is None and not isinstance(rung.doing, Dialing | Confirming | NightThere):
        rung = rung.resting(now)
    if not rung.off_hook:
        rung = replace(rung, doing=Idle())
    if route is Route.DIRECT:
        rung = replace(rung, strangers=having_rung(rung.strangers, event.source, now))
    return rung, (RingCall(event.call),)


def _caller(phone: Phone, event: IncomingCall) -> Peer:
    """Who calls: a member of the family by what was proven, others by what they say."""
    member = phone.memory.member(event.certificate) if event.certificate else None
    if member is None:
        return phone.known(caller_number(event.uri), event.uri, event.name)
    uri = f"sip:{member.id}@{routing.HOME}"
    return replace(phone.known(member.number, uri, member.name), uri=uri)


def _way_in(phone: Phone, event: IncomingCall) -> Route | None:
    """By which of the owner's rules a caller may make the phone ring; None: by none."""
    accept = phone.settings.accept
    if event.certificate:
        # Proven to be of this member, or of one who is none any more: then it is no stranger's call either.
        member = phone.memory.member(event.certificate)
        return Route.FAMILY if member is not None and accept & {Accept.FAMILY, Accept.ANYONE} else None
    if event.line is not None:
        return Route.PROVIDER if accept & {Accept.LINES, Accept.ANYONE} else None
    if Accept.FAMILY in accept and phone.is_family(event.source):
        return Route.FAMILY
    return Route.DIRECT if Accept.ANYONE in accept else None


def _call_ended(phone: Phone, call_id: CallId, cause: Cause, now: float) -> Result:
    call = phone.call(call_id)
    if cause is Cause.UNREACHABLE and phone.addresses == ():
        # The far host is not to blame when we have no network ourselves.
        cause = Cause.NO_NETWORK
    if isinstance(call, Calling) and cause in routing.LEADS_NOWHERE and routing.has_other_way(call):
        return routing.nobody_there(phone, call, cause, now)
    if call is not None and call.route is Route.FAMILY and (member := phone.memory.member_of("", call.peer.uri)):
        phone = kinship.soon(phone, now, member.certificate)
    return phone.without(call_id, cause, now), ()


def _network_changed(phone: Phone, event: NetworkChanged, now: float) -> Result:
    changed = event.addresses != phone.addresses
    moved = changed and bool(phone.addresses is not None and event.addresses)
    addressed = now if changed else phone.addressed
    phone = replace(phone, addresses=event.addresses, addressed=addressed, host=event.host)
    if changed:
        phone = kinship.soon(phone, now)
    talks = any(call.route is Route.FAMILY and isinstance(call, InCall | Held) for call in phone.calls)
    return phone, (MoveCalls(),) if moved and talks else ()


def _call_changed(
    phone: Phone, event: CallTrying | CallRinging | CallAnswered | CallHeld | MediaChanged, now: float
) -> Phone:
    call = phone.call(event.call)
    match event, call:
        case CallTrying(), Calling():
            return phone.having(replace(call, trying=True))
        case CallRinging(_, early_media), Calling():
            return phone.having(replace(call, trying=True, ringing=True, early_media=early_media))
        case CallAnswered(), Calling():
            talk = InCall(call.id, call.peer, call.began, call.route, call.line, call.direction, now)
            return replace(phone, doing=Idle()).having(
                replace(talk, secure_dns=call.secure_dns, tried=call.journey.tried)
            )
        case CallHeld(_, held), InCall():
            return phone.having(replace(call, far_hold=held))
        case CallHeld(_, held), Held(talk):
            return phone.having(Held(replace(talk, far_hold=held)))
        case MediaChanged(_, codec, srtp, tls), InCall():
            return phone.having(replace(call, codec=codec, srtp=srtp, tls=tls))
        case MediaChanged(_, codec, srtp, tls), Held(talk):
            return phone.having(Held(replace(talk, codec=codec, srtp=srtp, tls=tls)))
        case _:
            return phone


def _world_changed(phone: Phone, event: Event) -> Phone:
    """Everything that is merely noted."""
    match event:
        case RegistrationChanged(line, registered, status, reason, expires_s, cause, seen_as):
            noted = LineState(line, registered, status, reason, expires_s, cause, seen_as=seen_as)
            return replace(phone, lines=tuple(noted if state.name == line else state for state in phone.lines))
        case MessagesWaiting(line, new):
            return replace(phone, lines=tuple(replace(s, messages=new) if s.name == line else s for s in phone.lines))
        case ClockChanged(offset_s, zone_s, trusted):
            return replace(phone, clock=Clock(offset_s, zone_s, trusted))
        case DriverFailed(driver, reason):
            others = tuple(trouble for trouble in phone.troubles if trouble[0] is not driver)
            return replace(phone, troubles=(*others, (driver, reason)))
        case DriverRecovered(driver):
            return replace(phone, troubles=tuple(trouble for trouble in phone.troubles if trouble[0] is not driver))
        case ConfigApplied(settings):
            known = {state.name: state for state in phone.lines}
            lines = tuple(known.get(line.name, LineState(line.name)) for line in settings.lines)
            return replace(phone, settings=settings, lines=lines, refusal=None)
        case ConfigRefused():
            return replace(phone, refusal=event)
        case DtmfReceived():
            return phone
        case _:
            return phone


def _stop(phone: Phone, now: float) -> Result:
    actions = tuple(
        RejectCall(call.id, 480) if isinstance(call, Ringing) else HangUp(call.id)
        for call in phone.calls
        if not isinstance(call, Resolving)
    )
    for call in phone.calls:
        phone = phone.without(call.id, Cause.NORMAL, now)
    return replace(phone, doing=Idle(), stopping=True), actions
