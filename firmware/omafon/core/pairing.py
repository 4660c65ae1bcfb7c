# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Two telephones become a family: on each somebody holds '0' for three seconds, and both show the same six digits.

Where there is a dial, the flash key is held instead; `*#3#` begins it too. Two keys answer, as in the self-test: '#',
'1', OK or the call key say that the digits are the same, '*', '0', BACK or END that they are not.

What the driver is at is a level, `wish`: whatever takes the phone out of this (a call, the handset, the time), the
driver is closed and nothing is kept. A member is kept in one place only, and only when the person here has said yes.
"""

from dataclasses import replace

from omafon.core.dialplan import E164, pretty
from omafon.core.events import (
    Key,
    PairingAnswered,
    PairingAsked,
    PairingDigits,
    PairingDone,
    PairingFailed,
    PairingFailure,
    PairingId,
)
from omafon.core.kinship import own_addresses
from omafon.core.memory import MOST_MEMBERS
from omafon.core.screen import PairingWish, Screen
from omafon.core.state import Dialing, Idle, Pairing, PairingStage, Phone
from omafon.core.words import pairing_words, word

STARTS = frozenset({Key.DIGIT_0, Key.FLASH})
"""Each board has one of them to hold: a dial cannot be held."""

HOLD_ON_S = 2.2
"""After a key is held as such, 0.8 s, for so much longer: three seconds in all."""

PATIENCE_S = 60.0
"""For so long another phone is looked for, and then again for so long the digits can be compared."""

SHOWN_S = 20.0

YES = frozenset({Key.HASH, Key.DIGIT_1, Key.OK, Key.CALL})
NO = frozenset({Key.STAR, Key.DIGIT_0, Key.BACK, Key.END})

_OPEN = frozenset({PairingStage.SEARCHING, PairingStage.COMPARING, PairingStage.WAITING})
_OVER = frozenset({PairingStage.DONE, PairingStage.FAILED})


def held(phone: Phone, key: Key, now: float) -> Phone:
    """The phone with `key` held: the count begins if nothing else goes on and no number is being typed."""
    typed = phone.doing.digits if isinstance(phone.doing, Dialing) else ""
    free = isinstance(phone.doing, Idle | Dialing) and typed in ("", Key.DIGIT_0)
    if key not in STARTS or not free or phone.off_hook or phone.calls or phone.down:
        return phone
    return replace(phone, doing=Pairing(PairingId(0), PairingStage.HOLDING, now))


def released(phone: Phone, key: Key, now: float) -> Phone:
    """The phone with `key` up: a key that was not held for long enough begins nothing."""
    holding = isinstance(phone.doing, Pairing) and phone.doing.stage is PairingStage.HOLDING
    return phone.resting(now) if holding and key in STARTS else phone


def begun(phone: Phone, now: float) -> Phone:
    """The phone that looks for another one, if nothing else goes on."""
    if phone.calls or phone.stopping:
        return phone
    pairing = Pairing(PairingId(phone.next_id), PairingStage.SEARCHING, now)
    phone = replace(phone, doing=pairing, next_id=phone.next_id + 1)
    return _failed(phone, pairing, PairingFailure.FULL, now) if len(phone.memory.family) >= MOST_MEMBERS else phone


def key_pressed(phone: Phone, pairing: Pairing, key: Key, now: float) -> Phone:
    if pairing.stage is PairingStage.COMPARING and key in YES | NO:
        return _answered(phone, pairing, same=key in YES, now=now)
    if pairing.stage in _OVER and key in YES | NO:
        return phone.resting(now)
    if key in {Key.END, Key.BACK, Key.STAR}:
        return phone.resting(now)
    return phone


def happened(
    phone: Phone, event: PairingAsked | PairingAnswered | PairingDigits | PairingDone | PairingFailed, now: float
) -> Phone:
    """What the driver or somebody from afar says. Of a pairing that is over nothing counts any more."""
    pairing = phone.doing
    if isinstance(event, PairingAsked):
        free = isinstance(pairing, Idle | Dialing) or (isinstance(pairing, Pairing) and pairing.stage in _OVER)
        return begun(phone.resting(now), now) if free and not phone.off_hook else phone
    if not isinstance(pairing, Pairing):
        return phone
    match event:
        case PairingAnswered(same) if pairing.stage is PairingStage.COMPARING:
            return _answered(phone, pairing, same=same, now=now)
        case PairingDigits(id_, digits) if pairing.id == id_ and pairing.stage is PairingStage.SEARCHING:
            compared = replace(pairing, stage=PairingStage.COMPARING, digits=digits, since=now)
            return replace(phone, doing=compared, touched=now)
        case PairingDone(id_, member) if pairing.id == id_ and pairing.stage is PairingStage.WAITING:
            since = round(phone.clock.unix(now)) if phone.clock.trusted else 0
            member = replace(member, since=float(since))
            done = replace(pairing, stage=PairingStage.DONE, member=member, since=now)
            return replace(phone, doing=done, memory=phone.memory.joined(member))
        case PairingFailed(id_, failure) if pairing.id == id_ and pairing.stage in _OPEN:
            return _failed(phone, pairing, failure, now)
        case _:
            return phone


def until(pairing: Pairing) -> float:
    """When the stage ends by itself, in monotonic seconds."""
    match pairing.stage:
        case PairingStage.HOLDING:
            return pairing.since + HOLD_ON_S
        case PairingStage.DONE | PairingStage.FAILED:
            return pairing.since + SHOWN_S
        case _:
            return pairing.since + PATIENCE_S


def time_passed(phone: Phone, pairing: Pairing, now: float) -> Phone:
    """The phone when `until` was reached."""
    match pairing.stage:
        case PairingStage.HOLDING:
            return begun(phone.resting(now), now)
        case PairingStage.SEARCHING:
            return _failed(phone, pairing, PairingFailure.NOBODY, now)
        case PairingStage.COMPARING | PairingStage.WAITING:
            return _failed(phone, pairing, PairingFailure.LATE, now)
        case _:
            return phone.resting(now)


def wish(phone: Phone) -> PairingWish | None:
    """What the driver of pairing is to be at."""
    pairing, settings = phone.doing, phone.settings
    if not isinstance(pairing, Pairing) or pairing.stage not in _OPEN or phone.stopping:
        return None
    same = pairing.stage is PairingStage.WAITING
    return PairingWish(pairing.id, settings.name, settings.number, own_addresses(phone), same)


def shown(phone: Phone, pairing: Pairing) -> Screen:
    language = phone.settings.language
    title = word("pair_title", language)
    match pairing.stage:
        case PairingStage.HOLDING:
            main, note = word("pair_hold", language), word("pair_hold_note", language)
            return Screen(title=title, main=main, note=note, alert=True)
        case PairingStage.SEARCHING:
            main, note = word("pair_search", language), word("pair_search_note", language)
            return Screen(title=title, main=main, note=note, hint=word("pair_search_hint", language), alert=True)
        case PairingStage.COMPARING:
            note, hint = word("pair_compare", language), word("pair_compare_hint", language)
            return Screen(title=title, main=_spaced(pairing.digits), note=note, hint=hint, centred=True, alert=True)
        case PairingStage.WAITING:
            note, hint = word("pair_wait", language), word("pair_wait_hint", language)
            return Screen(title=title, main=_spaced(pairing.digits), note=note, hint=hint, centred=True, alert=True)
        case PairingStage.DONE:
            assert pairing.member is not None
            title, hint = word("pair_done", language), word("pair_done_hint", language)
            number = pretty(E164(pairing.member.number), phone.settings.country) if pairing.member.number else ""
            return Screen(title=title, main=pairing.member.name, note=number, hint=hint)
        case PairingStage.FAILED:
            assert pairing.failure is not None
            what, cure = pairing_words(pairing.failure, language)
            return Screen(title=word("pair_failed", language), main=what, note=cure, alert=True)


def _spaced(digits: str) -> str:
    """Three and three: so people read them to each other."""
    return f"{digits[:3]} {digits[3:]}"


def _answered(phone: Phone, pairing: Pairing, *, same: bool, now: float) -> Phone:
    if same:
        # The time goes on: both have the same minute.
        return replace(phone, doing=replace(pairing, stage=PairingStage.WAITING), touched=now)
    return _failed(phone, pairing, PairingFailure.DIFFERENT, now)


def _failed(phone: Phone, pairing: Pairing, failure: PairingFailure, now: float) -> Phone:
    return replace(phone, doing=replace(pairing, stage=PairingStage.FAILED, failure=failure, since=now, digits=""))
