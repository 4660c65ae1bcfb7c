# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Whom the owner's rules let ring and be called. Emergency calls are asked nothing, nor is who calls back."""

from dataclasses import dataclass, replace

from omafon.core.calls import Peer, Ringing
from omafon.core.causes import Cause
from omafon.core.events import IncomingCall
from omafon.core.peace import in_span, may_ring_again, minutes_left, names
from omafon.core.settings import Contact, Route
from omafon.core.state import Idle, Phone
from omafon.core.whereabouts import zones_of
from omafon.core.zone import local_day

CALLED_BACK_S = 3600.0
"""So long after an emergency call everybody may ring: it may be they who call back (RFC 7090)."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A caller does not ring and gets the SIP `status`. The history keeps it with `cause`, or does not when None."""

    status: int
    cause: Cause | None = None
    reason: str = ""
    retry_after_s: int = 0


def refusal(phone: Phone, event: IncomingCall, route: Route, peer: Peer, now: float) -> Refusal | None:
    """Why a caller who came by `route` does not ring; None: they do."""
    if _may_be_help(phone, now):
        return None
    settings, quiet = phone.settings, phone.settings.quiet
    contact = _proven(phone, event, route, peer)
    # Who calls directly may write any number into the call.
    number = phone.e164(peer.number) if event.line is not None else ""
    name, family = contact.name if contact is not None else "", contact is not None and contact.family
    if not names(settings.allow.callers, name=name, family=family, number=number):
        return Refusal(603)
    if route is Route.DIRECT:
        if any(isinstance(call, Ringing) and call.route is Route.DIRECT for call in phone.calls):
            return Refusal(486)
        if not may_ring_again(phone.strangers, event.source, now, settings.strangers_per_hour):
            return Refusal(480)
    left = quiet_for_min(phone, now)
    if left and not names(quiet.may_ring, name=name, family=family, number=number):
        return Refusal(quiet.status, Cause.QUIET_HOURS, "Quiet Hours", 60 * left)
    return None


def barred(phone: Phone, peer: Peer, now: float) -> Cause | None:
    """Why the owner does not let this phone call `peer`; None: it may."""
    settings, quiet = phone.settings, phone.settings.quiet
    contact = _known(phone, peer)
    name, family = contact.name if contact is not None else "", contact is not None and contact.family
    if not names(settings.allow.called, name=name, family=family, number=peer.number):
        return Cause.BARRED
    exempt = names(quiet.may_ring, name=name, family=family, number=peer.number)
    if not quiet.may_dial and not exempt and quiet_for_min(phone, now):
        return Cause.QUIET_HOURS
    return None


def night_there(phone: Phone, peer: Peer, now: float) -> int | None:
    """How far the clocks of `peer` are ahead of UTC in seconds, if they are other than ours and it is night by them.

    A number that may be in several zones is asked about when it is night in all of them.
    """
    contact = phone.contact(peer.number, peer.uri)
    wanted = (contact.zone,) if contact is not None and contact.zone else zones_of(phone.e164(peer.number))
    unix, span = phone.clock.unix(now), phone.settings.quiet.there
    offsets = [zone.offset_s(unix) for zone in phone.settings.zones if zone.name in wanted]
    if not phone.clock.trusted or not offsets or phone.utc_offset_s(now) in offsets:
        return None
    late = all(in_span(span, local_day(unix, offset_s)[1]) for offset_s in offsets)
    return offsets[0] if late else None


def answers_itself(phone: Phone, route: Route, peer: Peer, now: float) -> bool:
    """Whether this call is taken without a hand: nobody uses the phone or wants peace, and the caller is proven.

    Never through a line: the numbers of callers can be forged there, and somebody could listen to the room.
    """
    contact = _known(phone, peer) if route is Route.FAMILY else None
    free = not phone.calls and not phone.off_hook and isinstance(phone.doing, Idle)
    return contact is not None and contact.auto_answer and free and not quiet_for_min(phone, now)


def quiet_for_min(phone: Phone, now: float) -> int:
    """How many minutes the quiet hours go on; 0: these are none.

    A phone whose clock was never set has none: it might be silent for ever.
    """
    return minutes_left(phone.settings.quiet.week, *phone.local(now)) if phone.clock.trusted else 0


def _may_be_help(phone: Phone, now: float) -> bool:
    if any(call.route is Route.EMERGENCY for call in phone.calls):
        return True
    return phone.helped is not None and now < phone.helped + CALLED_BACK_S


def _proven(phone: Phone, event: IncomingCall, route: Route, peer: Peer) -> Contact | None:
    """The contact who calls, as far as more speaks for it than their own word: a line, a certificate, an address."""
    if route is Route.FAMILY:
        known = _known(phone, peer)
        return known if known is not None and known.family else Contact(peer.name, family=True)
    return _known(phone, peer) if event.line is not None else None


def _known(phone: Phone, peer: Peer) -> Contact | None:
    """The entry of the phone book; a member of the family who has none is one."""
    contact = phone.contact(peer.number, peer.uri)
    member = phone.memory.member_of(phone.e164(peer.number), peer.uri)
    if contact is not None:
        return contact if member is None else replace(contact, family=True)
    return Contact(member.name, member.number, family=True) if member is not None else None
