# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The contact card: everything a number can be reached by, looked through with the arrows, called with a key.

Nothing on it is ever fetched or dialled by itself.
"""

from dataclasses import replace

from omafon.core import routing
from omafon.core.actions import QueryNaptr
from omafon.core.calls import ByUri, Calling, Peer, Resolving, TreeAnswer
from omafon.core.dialplan import E164
from omafon.core.events import LookupFailed, LookupId, NaptrReceived
from omafon.core.naptr import Service, dialable
from omafon.core.settings import Route
from omafon.core.state import Browsing, Card, Idle, Phone, Result
from omafon.core.uri import tel_number


def services(card: Card) -> tuple[Service, ...]:
    """What the card holds, in the order of the trees and of their records; each once."""
    found = (service for answer in card.answers if answer is not None for service in answer.services)
    return tuple({(service.service, service.uri): service for service in found}.values())


def can_be_called(service: Service) -> bool:
    """Whether the call key does something about it: SIP, or a telephone number."""
    return dialable((service,)) is not None or tel_number(service.uri) is not None


def selected(card: Card) -> Service | None:
    """The service that is shown, if it can be called."""
    shown = services(card)
    service = shown[card.index] if card.index < len(shown) else None
    return service if service is not None and can_be_called(service) else None


def opened(phone: Phone, now: float) -> Result:
    """Show the card of the number that is called, or browsed to; a phone that does neither stays as it is."""
    call = phone.focused
    match call, phone.doing:
        case Resolving(answers=answers), Idle():
            return replace(phone, doing=Card(call.peer, call.number, answers, now, call.until, call.lookup)), ()
        case Calling(journey=journey), Idle() if journey.answers:
            card = Card(call.peer, E164(call.peer.number), journey.answers, now, now)
            return replace(phone, doing=card), ()
        case None, Browsing(index) if phone.memory.history[index].number.startswith("+"):
            entry = phone.memory.history[index]
            return _asking(phone, Peer(entry.number, entry.uri, entry.name), E164(entry.number), index, now)
        case _:
            return phone, ()


def _asking(phone: Phone, peer: Peer, number: E164, index: int, now: float) -> Result:
    trees = phone.settings.trees
    lookup = LookupId(phone.next_id)
    until = now + phone.settings.enum_budget_s
    card = Card(peer, number, (None,) * len(trees), now, until, lookup, entry=index)
    phone = replace(phone, doing=card, next_id=phone.next_id + 1)
    return phone, tuple(QueryNaptr(lookup, tree.suffix, number) for tree in trees)


def tree_answered(phone: Phone, card: Card, event: NaptrReceived | LookupFailed) -> Phone:
    """Put what a tree says on the card that waits for it."""
    suffixes = [tree.suffix for tree in phone.settings.trees]
    if card.lookup != event.lookup or event.tree not in suffixes or len(suffixes) != len(card.answers):
        return phone
    at = suffixes.index(event.tree)
    answers = (*card.answers[:at], routing.answer_of(card.number, event), *card.answers[at + 1 :])
    return replace(phone, doing=replace(card, answers=answers))


def budget_spent(phone: Phone, card: Card) -> Phone:
    """Who has not answered until now has nothing on the card."""
    answers = tuple(answer or TreeAnswer() for answer in card.answers)
    return replace(phone, doing=replace(card, answers=answers, lookup=None))


def turned(phone: Phone, card: Card, by: int, now: float) -> Phone:
    """To the next service, or the one before."""
    last = max(len(services(card)) - 1, 0)
    return replace(phone, doing=replace(card, index=min(max(card.index + by, 0), last), since=now))


def closed(phone: Phone, card: Card, now: float) -> Phone:
    """Back to where it was opened."""
    if phone.focused is not None:
        return replace(phone, doing=Idle())
    return replace(phone, doing=Browsing(card.entry, now)) if card.entry is not None else phone.resting(now)


def called(phone: Phone, card: Card, now: float) -> Result:
    """Call what is shown. Off-hook, and nothing else is being set up."""
    service = selected(card)
    if service is None:
        return phone, ()
    uri, number = dialable((service,)), tel_number(service.uri)
    if uri is not None:
        return routing.go_to(phone, card.peer, ByUri(uri, Route.ENUM), now)
    return routing.place(phone, number, now) if number is not None else (phone, ())
