# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What the phones of a family tell each other, quietly and rarely: where they are, and by that, that they are there."""

from dataclasses import replace

from omafon.core.actions import Action, AskMember, GreetMember, LookAround
from omafon.core.events import MemberParted, MemberReached, MemberSeen, MemberSilent, MemberSpoke
from omafon.core.family import Bond, Family, learned, reach_of, ways, worked
from omafon.core.memory import Address, Member
from omafon.core.state import Phone, Result

HEARTBEAT_S = 900.0
# Two phones that were switched on together do not speak at the same moment for ever.
JITTER_S = 60
SETTLED_S = 2.0  # addresses come and go in groups
MOST_NEARBY = 4
RETRIES_S = (20.0, 60.0, 180.0, 600.0)  # for one that was silent


def family(phone: Phone) -> Family:
    """The level: whom the engine lets in, and what it tells them."""
    members = tuple((member.id, member.certificate) for member in phone.memory.family)
    return Family(members, own_addresses(phone) if members else ())


def own_addresses(phone: Phone) -> tuple[Address, ...]:
    """Where members may find this phone, as far as it knows: also how a registrar sees it, and the owner's name."""
    settings = phone.settings
    hosts = (settings.address,) if settings.address else (phone.addresses or ())
    seen = tuple(line.seen_as for line in phone.lines if line.registered and line.seen_as and not settings.address)
    names = (settings.family_name,) if settings.family_name else ()
    found = dict.fromkeys((*hosts, *seen, *names))
    return tuple(Address(host, settings.family_port, reach_of(host)) for host in found)


def settled(phone: Phone, now: float) -> Phone:
    """The phone with a bond for each member, and none for others."""
    known = {bond.certificate: bond for bond in phone.bonds}
    wanted = [member.certificate for member in phone.memory.family]
    if list(known) == wanted:
        return phone
    return replace(phone, bonds=tuple(known.get(pin, Bond(pin, now + SETTLED_S)) for pin in wanted))


def soon(phone: Phone, now: float, certificate: str = "") -> Phone:
    """Something has changed that members, or the one of that certificate, shall know."""
    at = now + SETTLED_S
    return replace(
        phone,
        bonds=tuple(
            replace(bond, greet_at=min(bond.greet_at, at), again=bond.asked, nearby=bond.nearby if certificate else ())
            if certificate in ("", bond.certificate)
            else bond
            for bond in phone.bonds
        ),
    )


def deadlines(phone: Phone) -> list[float]:
    return [bond.greet_at for bond in phone.bonds if not bond.asked] if _online(phone) else []


def time_passed(phone: Phone, now: float) -> Result:
    """Greet whoever is due."""
    actions: list[Action] = []
    if not _online(phone) or phone.stopping:
        return phone, ()
    for bond in phone.bonds:
        member = phone.memory.member(bond.certificate)
        if bond.asked or now < bond.greet_at or member is None:
            continue
        phone = _with(phone, replace(bond, asked=True))
        actions.append(GreetMember(member.certificate, ways(member, bond.nearby)))
        if bond.failed and LookAround() not in actions:
            actions.insert(0, LookAround())
    return phone, tuple(actions)


def seen(phone: Phone, event: MemberSeen, now: float) -> Result:
    """Somebody nearby says to be a member. It is asked, and what it then proves is remembered."""
    bond, member = phone.bond(event.certificate), phone.memory.member(event.certificate)
    if bond is None or member is None:
        return phone, ()
    nearby = event.addresses[:MOST_NEARBY]
    answered = {(address.host, address.port) for address in member.addresses if address.last_worked}
    is_news = not bond.heard or not any((address.host, address.port) in answered for address in nearby)
    phone = _with(phone, replace(bond, nearby=nearby))
    phone = soon(phone, now, bond.certificate) if is_news and not bond.asked else phone
    return phone, (AskMember(bond.certificate, nearby),)


def happened(phone: Phone, event: MemberReached | MemberSilent | MemberSpoke | MemberParted, now: float) -> Phone:
    """A member was found, was not found, has spoken or has gone."""
    bond = phone.bond(event.certificate)
    member = phone.memory.member(event.certificate)
    if bond is None or member is None:
        return phone
    match event:
        case MemberParted():
            # It is gone, or its router has forgotten it: a greeting tells, and opens the way again.
            return soon(phone, now, event.certificate) if bond.heard else phone
        case MemberReached(_, address):
            if address is None:
                return _heard(phone, bond, now)
            at = phone.clock.unix(now) if phone.clock.trusted else 0.0
            return _heard(_remembering(phone, worked(member, address, at)), bond, now)
        case MemberSpoke(_, addresses, source):
            return _heard(_remembering(phone, learned(member, addresses, source)), bond, now)
        case MemberSilent() if not bond.asked:
            # It has spoken meanwhile.
            return phone
        case MemberSilent():
            if not _online(phone):
                # Who has no network knows nothing about others.
                return _with(phone, replace(bond, asked=False, failed=0))
            retry_s = SETTLED_S if bond.again else RETRIES_S[min(bond.failed, len(RETRIES_S) - 1)]
            since = bond.since if bond.failed else now
            failed = replace(
                bond, asked=False, again=False, failed=bond.failed + 1, since=since, greet_at=now + retry_s, heard=False
            )
            return _with(phone, failed)


def lost(phone: Phone) -> tuple[Member, float] | None:
    """A member that is out of reach, and since when, if both agreed that this is told."""
    for bond in phone.bonds:
        member = phone.memory.member(bond.certificate)
        if bond.lost and member is not None and member.tells_state and member.told_state and _online(phone):
            return member, bond.since
    return None


def _heard(phone: Phone, bond: Bond, now: float) -> Phone:
    jitter_s = int(bond.certificate[:8] or "0", 16) % (2 * JITTER_S) - JITTER_S
    in_s = SETTLED_S if bond.again else HEARTBEAT_S + jitter_s
    return _with(phone, Bond(bond.certificate, now + in_s, heard=True, nearby=bond.nearby))


def _remembering(phone: Phone, member: Member) -> Phone:
    return replace(phone, memory=phone.memory.joined(member))


def _with(phone: Phone, bond: Bond) -> Phone:
    return replace(phone, bonds=tuple(bond if b.certificate == bond.certificate else b for b in phone.bonds))


def _online(phone: Phone) -> bool:
    return bool(phone.settings.address or phone.addresses)
