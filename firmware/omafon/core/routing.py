# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""How an outgoing call finds its way: family, ENUM, SIP URI, provider; emergency calls before and without all that."""

from dataclasses import replace

from omafon.core.actions import PlaceCall, QueryNaptr
from omafon.core.calls import Calling, Peer, Resolving, TreeAnswer, uri_host
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
    interpret,
)
from omafon.core.events import CallId, DnsError, LookupFailed, LookupId, NaptrReceived
from omafon.core.naptr import dialable, enum_domain, evaluate
from omafon.core.settings import Contact, Route
from omafon.core.state import Idle, Phone, Result


def place(phone: Phone, dialled: str, now: float) -> Result:
    """Call whoever is meant by what was dialled. The handset is the new call's; or the person is told why not."""
    phone, call = replace(phone, next_id=phone.next_id + 1), CallId(f"out-{phone.next_id}")
    settings = phone.settings
    speed_dials = frozenset(contact.speed_dial for contact in settings.contacts if contact.speed_dial is not None)
    try:
        destination = interpret(dialled, country=settings.country, area=settings.area, speed_dials=speed_dials)
    except DialError as error:
        return _not_placed(phone, call, Peer(number=dialled), error.cause, now)
    match destination:
        case Emergency(digits):
            return _by_provider(phone, call, Peer(number=digits), digits, Route.EMERGENCY, now)
        case Number(e164):
            return _place_number(phone, call, e164, now)
        case ShortCode(digits):
            return _by_provider(phone, call, phone.known(digits, ""), digits, Route.PROVIDER, now)
        case Uri(uri):
            return _place_uri(phone, call, uri, now)
        case SpeedDial(key):
            return _place_contact(phone, call, next(c for c in settings.contacts if c.speed_dial == key), now)


def _place_contact(phone: Phone, call: CallId, contact: Contact, now: float) -> Result:
    if contact.uri:
        peer = Peer(contact.number, contact.uri, contact.name)
        route = Route.FAMILY if contact.family else Route.DIRECT
        return _invite(phone, call, peer, SipUri(contact.uri), None, route, now)
    return _place_number(phone, call, E164(contact.number), now)


def _place_number(phone: Phone, call: CallId, number: E164, now: float) -> Result:
    contact = phone.contact(number)
    if contact is not None and contact.uri:
        return _place_contact(phone, call, contact, now)
    peer = phone.known(number, "")
    trees = phone.settings.trees
    if not trees:
        return _by_provider(phone, call, peer, number, Route.PROVIDER, now)
    lookup = LookupId(phone.next_id)
    until = now + phone.settings.enum_budget_s
    resolving = Resolving(call, peer, now, number, lookup, (None,) * len(trees), until)
    phone = replace(phone, next_id=phone.next_id + 1)
    return _focusing(phone, resolving), tuple(QueryNaptr(lookup, tree.suffix, number) for tree in trees)


def _place_uri(phone: Phone, call: CallId, uri: SipUri, now: float) -> Result:
    line = next((line for line in phone.settings.lines if line.domain == uri_host(uri)), None)
    peer = phone.known("", uri)
    if line is not None:
        return _invite(phone, call, peer, uri, line.name, Route.PROVIDER, now)
    contact = phone.contact("", uri)
    route = Route.FAMILY if contact is not None and contact.family else Route.DIRECT
    return _invite(phone, call, peer, uri, None, route, now)


def _by_provider(phone: Phone, call: CallId, peer: Peer, digits: str, route: Route, now: float) -> Result:
    state = phone.carrier
    line = phone.line_of(state.name) if state is not None else None
    if state is None or line is None:
        cause = Cause.NO_EMERGENCY_ROUTE if route is Route.EMERGENCY else Cause.NO_ROUTE
        return _not_placed(phone, call, peer, cause, now)
    # An emergency call is tried through a line that is down rather than refused here.
    if not state.registered and route is not Route.EMERGENCY:
        return _not_placed(phone, call, peer, state.cause or Cause.NOT_REGISTERED, now)
    # '#' may not stand in a user part as it is (RFC 3261 section 25.1).
    user = digits.replace("#", "%23")
    return _invite(phone, call, peer, SipUri(f"sip:{user}@{line.domain}"), line.name, route, now)


def tree_answered(phone: Phone, event: NaptrReceived | LookupFailed, now: float) -> Result:
    """Note what a tree said; go on as soon as the trees before the best answer have all spoken."""
    call = next((c for c in phone.calls if isinstance(c, Resolving) and c.lookup == event.lookup), None)
    suffixes = [tree.suffix for tree in phone.settings.trees]
    if call is None or event.tree not in suffixes or len(suffixes) != len(call.answers):
        return phone, ()
    if isinstance(event, NaptrReceived):
        name = enum_domain(call.number, event.tree)
        found = evaluate(call.number, event.records, name=name, followed=event.followed)
        answer = TreeAnswer(found.services, None, event.secure)
    else:
        answer = TreeAnswer(error=event.error)
    at = suffixes.index(event.tree)
    call = replace(call, answers=(*call.answers[:at], answer, *call.answers[at + 1 :]))
    for spoken in call.answers:
        if spoken is None:
            return phone.having(call), ()
        if dialable(spoken.services) is not None:
            break
    return looked_up(phone, call, now)


def looked_up(phone: Phone, call: Resolving, now: float) -> Result:
    """Go on with what the trees have said until now: the lookup is complete, or its budget is spent."""
    phone = replace(phone, calls=tuple(other for other in phone.calls if other.id != call.id), focus=None)
    for answer in call.answers:
        uri = dialable(answer.services) if answer is not None else None
        if answer is not None and uri is not None:
            return _invite(phone, call.id, call.peer, uri, None, Route.ENUM, now, answer.secure)
    if phone.lines:
        return _by_provider(phone, call.id, call.peer, call.number, Route.PROVIDER, now)
    silent = all(answer is None or answer.error in {DnsError.TIMEOUT, DnsError.SERVFAIL} for answer in call.answers)
    return _not_placed(phone, call.id, call.peer, Cause.NO_DIRECTORY if silent else Cause.NO_ROUTE, now)


def _invite(
    phone: Phone,
    call: CallId,
    peer: Peer,
    uri: SipUri,
    line: str | None,
    route: Route,
    now: float,
    secure_dns: bool | None = None,
) -> Result:
    calling = Calling(call, replace(peer, uri=uri), now, route, line, secure_dns)
    return _focusing(phone, calling), (PlaceCall(call, uri, line, route),)


def _not_placed(phone: Phone, call: CallId, peer: Peer, cause: Cause, now: float) -> Result:
    """Tell the person why there is no call; the history keeps what was dialled, for redial."""
    calling = Calling(call, peer, now, Route.DIRECT, None)
    return _focusing(phone, calling).without(call, cause, now), ()


def _focusing(phone: Phone, call: Resolving | Calling) -> Phone:
    return replace(phone, calls=(*phone.calls, call), focus=call.id, doing=Idle())
