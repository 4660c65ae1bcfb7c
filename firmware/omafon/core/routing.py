# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""How an outgoing call finds its way: family, ENUM, SIP URI, provider; emergency calls before and without all that.

What was dialled becomes a list of ways, best first. A way that leads nowhere (no host answers, or it says that it
cannot) makes room for the next; one that reached somebody who is busy, declines or does not answer is the end, so
that a refusal is never turned into a call that costs.
"""

from collections.abc import Iterator
from dataclasses import replace

from omafon.core import admission
from omafon.core.actions import CallMember, HangUp, LookAround, PlaceCall, QueryNaptr
from omafon.core.calls import (
    ByEnum,
    ByFamily,
    ByProvider,
    ByUri,
    Calling,
    Journey,
    Peer,
    Resolving,
    TreeAnswer,
    Way,
    shown_uri,
    uri_host,
    uri_port,
)
from omafon.core.causes import Cause
from omafon.core.dialplan import (
    E164,
    DialError,
    Emergency,
    Number,
    ShortCode,
    SipUri,
    SpeedDial,
    Uri,
    costs_extra,
    interpret,
)
from omafon.core.events import CallId, DnsError, LookupFailed, LookupId, NaptrReceived
from omafon.core.family import ways
from omafon.core.memory import Tried
from omafon.core.naptr import dialable, enum_domain, evaluate
from omafon.core.settings import Contact, Route
from omafon.core.state import CONFIRM_TIMEOUT_S, MAX_CALLS, Confirming, Idle, NightThere, Phone, Result

# Nobody was reached, and so nobody refused.
LEADS_NOWHERE = frozenset(
    {Cause.UNREACHABLE, Cause.HOST_NOT_FOUND, Cause.SERVER_ERROR, Cause.SERVER_OVERLOADED, Cause.NOT_REGISTERED}
)

# Where members of the family are at home, as the history writes it: their phones move, and have no domain.
HOME = "family.invalid"

# Hosts of one number that are tried: each may cost seconds.
MOST_HOSTS = 3


def place(phone: Phone, dialled: str, now: float) -> Result:
    """Call whoever is meant by what was dialled. The handset is the new call's; or the person is told why not."""
    settings = phone.settings
    speed_dials = frozenset(contact.speed_dial for contact in settings.contacts if contact.speed_dial is not None)
    try:
        destination = interpret(dialled, country=settings.country, area=settings.area, speed_dials=speed_dials)
    except DialError as error:
        return _ended(phone, Peer(number=dialled), (), error.cause, now)
    peer, ways = _ways(phone, destination)
    if peer.number and peer.number == settings.number:
        return _ended(phone, peer, (), Cause.OWN_NUMBER, now)
    if isinstance(destination, Emergency):
        return _go(phone, peer, Journey(ways), now)
    return _if_allowed(phone, peer, Journey(ways), now)


def _if_allowed(phone: Phone, peer: Peer, journey: Journey, now: float) -> Result:
    """Set out, unless the owner does not want it, or it is night there and the person has to say so first."""
    if (cause := admission.barred(phone, peer, now)) is not None:
        return _ended(phone, peer, (), cause, now)
    if (offset_s := admission.night_there(phone, peer, now)) is not None:
        night = NightThere(peer, journey, offset_s, now, now + CONFIRM_TIMEOUT_S)
        return replace(phone, doing=night, focus=None), ()
    return _go(phone, peer, journey, now)


def _ways(phone: Phone, destination: Emergency | Number | ShortCode | Uri | SpeedDial) -> tuple[Peer, tuple[Way, ...]]:
    match destination:
        case Emergency(digits):
            return Peer(number=digits), (ByProvider(digits, Route.EMERGENCY),)
        case Number(e164):
            contact = phone.contact(e164)
            return phone.known(e164, ""), (*_ways_home(phone, e164), *_ways_to(contact), *_ways_of(phone, e164))
        case ShortCode(digits):
            return phone.known(digits, ""), (ByProvider(digits),)
        case Uri(uri):
            home = _ways_home(phone, "", uri)
            peer = phone.known("", uri)
            return peer, (*home, *_ways_of(phone, E164(peer.number))) if home and peer.number else home or (
                _by_uri(phone, uri),
            )
        case SpeedDial(key):
            contact = next(contact for contact in phone.settings.contacts if contact.speed_dial == key)
            numbered = _ways_of(phone, E164(contact.number)) if contact.number else ()
            home = _ways_home(phone, contact.number, contact.uri)
            return Peer(contact.number, contact.uri, contact.name), (*home, *_ways_to(contact), *numbered)


def _ways_home(phone: Phone, number: str, uri: str = "") -> tuple[Way, ...]:
    """To the phone of a member of the family, before all else: it is free, and nobody is between."""
    member = phone.memory.member_of(number, uri)
    return (ByFamily(member.certificate),) if member is not None else ()


def _ways_to(contact: Contact | None) -> tuple[Way, ...]:
    if contact is None or not contact.uri:
        return ()
    return (ByUri(SipUri(contact.uri), Route.FAMILY if contact.family else Route.DIRECT),)


def _ways_of(phone: Phone, number: E164) -> tuple[Way, ...]:
    by_enum = (ByEnum(number),) if phone.settings.trees else ()
    return (*by_enum, ByProvider(number)) if phone.lines or not by_enum else by_enum


def _by_uri(phone: Phone, uri: SipUri) -> ByUri:
    line = next((line for line in phone.settings.lines if line.domain == uri_host(uri)), None)
    if line is not None:
        return ByUri(uri, Route.PROVIDER, line.name)
    contact = phone.contact("", uri)
    return ByUri(uri, Route.FAMILY if contact is not None and contact.family else Route.DIRECT)


def _go(phone: Phone, peer: Peer, journey: Journey, now: float, call: CallId | None = None) -> Result:
    """Set out on the best way that is left. `call` is the id the call has already, if no engine knows it yet."""
    if not journey.ways:
        cause = journey.tried[0].cause if journey.tried else Cause.NO_ROUTE
        return _ended(phone, peer, journey.tried, cause, now, call)
    way, journey = journey.ways[0], replace(journey, ways=journey.ways[1:])
    emergency = isinstance(way, ByProvider) and way.route is Route.EMERGENCY
    if call is None and len(phone.calls) >= MAX_CALLS and not emergency:
        return _ended(phone, peer, journey.tried, Cause.TOO_MANY_CALLS, now)
    match way:
        case ByUri():
            return _invite(phone, peer, way, journey, now, call)
        case ByFamily(certificate):
            return _to_member(phone, peer, certificate, journey, now, call)
        case ByEnum(number):
            return _look_up(phone, peer, number, journey, now)
        case ByProvider():
            return _by_provider(phone, peer, way, journey, now, call)


def _by_provider(
    phone: Phone, peer: Peer, way: ByProvider, journey: Journey, now: float, call: CallId | None
) -> Result:
    state = phone.carrier
    line = phone.line_of(state.name) if state is not None else None
    emergency = way.route is Route.EMERGENCY
    if state is None or line is None:
        cause = Cause.NO_EMERGENCY_ROUTE if emergency else Cause.NO_ROUTE
        return _go(phone, peer, _failed(journey, way.route, cause), now, call)
    # An emergency call is tried through a line that is down rather than refused here.
    if not state.registered and not emergency:
        return _ended(phone, peer, journey.tried, state.cause or Cause.NOT_REGISTERED, now, call)
    # '#' may not stand in a user part as it is (RFC 3261 section 25.1).
    user = way.digits.replace("#", "%23")
    by_line = ByUri(SipUri(f"sip:{user}@{line.domain}"), way.route, line.name)
    is_number = way.digits.startswith("+")
    if is_number and (phone.settings.confirm_paid or costs_extra(E164(way.digits))):
        confirming = Confirming(peer, by_line, journey.tried, now, now + CONFIRM_TIMEOUT_S)
        return replace(phone, doing=confirming, focus=None), ()
    return _invite(phone, peer, by_line, journey, now, call)


def _to_member(phone: Phone, peer: Peer, certificate: str, journey: Journey, now: float, call: CallId | None) -> Result:
    member = phone.memory.member(certificate)
    if member is None:
        return _go(phone, peer, _failed(journey, Route.FAMILY, Cause.UNREACHABLE), now, call)
    if call is None:
        phone, call = _next_call(phone)
    peer = replace(peer, uri=f"sip:{member.id}@{HOME}")
    calling = Calling(call, peer, now, Route.FAMILY, None, sent=now, journey=journey)
    bond = phone.bond(certificate)
    places = ways(member, bond.nearby if bond is not None else ())
    return _focusing(phone, calling), (CallMember(call, certificate, places), LookAround())


def go_to(phone: Phone, peer: Peer, way: Way, now: float) -> Result:
    """Call on this way and no other: the person chose it."""
    return _if_allowed(phone, peer, Journey((way,)), now)


def confirmed(phone: Phone, confirming: Confirming, now: float) -> Result:
    """The person agreed to what the call costs."""
    return _go(phone, confirming.peer, Journey((confirming.way,), confirming.tried), now)


def at_night(phone: Phone, night: NightThere, now: float) -> Result:
    """The person wants the call whatever time it is there."""
    return _go(phone, night.peer, night.journey, now)


def _look_up(phone: Phone, peer: Peer, number: E164, journey: Journey, now: float) -> Result:
    trees = phone.settings.trees
    phone, call = _next_call(phone)
    lookup = LookupId(phone.next_id)
    phone = replace(phone, next_id=phone.next_id + 1)
    until = now + phone.settings.enum_budget_s
    resolving = Resolving(call, peer, now, number, lookup, (None,) * len(trees), until, journey)
    return _focusing(phone, resolving), tuple(QueryNaptr(lookup, tree.suffix, number) for tree in trees)


def tree_answered(phone: Phone, event: NaptrReceived | LookupFailed, now: float) -> Result:
    """Note what a tree said; go on as soon as the trees before the best answer have all spoken."""
    call = next((c for c in phone.calls if isinstance(c, Resolving) and c.lookup == event.lookup), None)
    suffixes = [tree.suffix for tree in phone.settings.trees]
    if call is None or event.tree not in suffixes or len(suffixes) != len(call.answers):
        return phone, ()
    at = suffixes.index(event.tree)
    call = replace(call, answers=(*call.answers[:at], answer_of(call.number, event), *call.answers[at + 1 :]))
    for spoken in call.answers:
        if spoken is None:
            return phone.having(call), ()
        if dialable(spoken.services) is not None:
            break
    return looked_up(phone, call, now)


def answer_of(number: E164, event: NaptrReceived | LookupFailed) -> TreeAnswer:
    """What a tree said about `number`, evaluated."""
    if isinstance(event, LookupFailed):
        return TreeAnswer(error=event.error)
    name = enum_domain(number, event.tree)
    found = evaluate(number, event.records, name=name, followed=event.followed)
    return TreeAnswer(found.services, None, event.secure)


def looked_up(phone: Phone, call: Resolving, now: float) -> Result:
    """Go on with what the trees have said until now: the lookup is complete, or its budget is spent."""
    phone = replace(phone, calls=tuple(other for other in phone.calls if other.id != call.id), focus=None)
    journey = replace(call.journey, answers=call.answers)
    hosts = tuple(_hosts(phone, call.answers))[:MOST_HOSTS]
    if hosts:
        return _go(phone, call.peer, replace(journey, ways=(*hosts, *journey.ways)), now, call.id)
    return _go(phone, call.peer, _failed(journey, Route.ENUM, _unfound(call.answers)), now, call.id)


def _unfound(answers: tuple[TreeAnswer | None, ...]) -> Cause:
    """Why the trees name nobody; what the owner can mend comes first."""
    errors = {answer.error if answer is not None else DnsError.TIMEOUT for answer in answers}
    if DnsError.BOGUS in errors:
        return Cause.FORGED
    if DnsError.CLOCK in errors:
        return Cause.CLOCK_NOT_SET
    if DnsError.UNPROVEN in errors:
        return Cause.UNPROVEN
    return Cause.NO_DIRECTORY if errors <= {DnsError.TIMEOUT, DnsError.SERVFAIL} else Cause.NO_ROUTE


def _hosts(phone: Phone, answers: tuple[TreeAnswer | None, ...]) -> Iterator[ByUri]:
    """Where the trees say the number is at home, in their order.

    Never through a line, though the URI be of its domain: what anybody may write into the DNS would be dialled on
    the owner's bill. Never to ourselves (RFC 3824 section 6.2).
    """
    for answer in answers:
        for service in answer.services if answer is not None else ():
            uri = dialable((service,))
            if answer is not None and uri is not None and not _is_own(phone, uri):
                yield ByUri(uri, Route.ENUM, None, answer.secure)


def _is_own(phone: Phone, uri: SipUri) -> bool:
    if any(shown_uri(line.aor) == shown_uri(uri) for line in phone.settings.lines):
        return True
    here = uri_host(uri) in (phone.addresses or ())
    return here and uri_port(uri) == phone.settings.port


def nobody_there(phone: Phone, call: Calling, cause: Cause, now: float) -> Result:
    """The way led nowhere: try the next, if there is one; the history gets one entry for all of them."""
    phone = replace(phone, calls=tuple(other for other in phone.calls if other.id != call.id), focus=None)
    return _go(phone, call.peer, _failed(call.journey, call.route, cause), now)


def has_other_way(call: Calling) -> bool:
    """Whether a call that reaches nobody may be tried otherwise."""
    return bool(call.journey.ways) and not call.ringing


def silent_host(phone: Phone, call: Calling, now: float) -> Result:
    """The host says nothing at all, and there is another way."""
    phone, actions = nobody_there(phone, call, Cause.UNREACHABLE, now)
    return phone, (HangUp(call.id), *actions)


def refused(phone: Phone, dialled: str, cause: Cause, now: float) -> Result:
    """Tell the person why what they dialled is not even tried."""
    return _ended(phone, Peer(number=dialled), (), cause, now)


def _failed(journey: Journey, route: Route, cause: Cause) -> Journey:
    return replace(journey, tried=(*journey.tried, Tried(route, cause)))


def _invite(phone: Phone, peer: Peer, way: ByUri, journey: Journey, now: float, call: CallId | None = None) -> Result:
    if call is None:
        phone, call = _next_call(phone)
    peer = replace(peer, uri=way.uri)
    calling = Calling(call, peer, now, way.route, way.line, way.secure_dns, sent=now, journey=journey)
    return _focusing(phone, calling), (PlaceCall(call, way.uri, way.line, way.route),)


def _ended(
    phone: Phone, peer: Peer, tried: tuple[Tried, ...], cause: Cause, now: float, call: CallId | None = None
) -> Result:
    """Tell the person why there is no call; the history keeps what was dialled, for redial."""
    if call is None:
        phone, call = _next_call(phone)
    route = tried[-1].route if tried else Route.DIRECT
    calling = Calling(call, peer, now, route, None, journey=Journey((), tried))
    return _focusing(phone, calling).without(call, cause, now), ()


def _next_call(phone: Phone) -> tuple[Phone, CallId]:
    return replace(phone, next_id=phone.next_id + 1), CallId(f"out-{phone.next_id}")


def _focusing(phone: Phone, call: Resolving | Calling) -> Phone:
    return replace(phone, calls=(*phone.calls, call), focus=call.id, doing=Idle())
