# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What the person does: keys, and the handset taken up and put down."""

from dataclasses import replace

from omafon.core import card, pairing, routing, selftest
from omafon.core.actions import Action, AnswerCall, HangUp, HoldCall, RejectCall, ResumeCall, SendDtmf
from omafon.core.calls import Call, Calling, Held, InCall, Resolving, Ringing
from omafon.core.causes import Cause
from omafon.core.dialling import ABOUT, PAIR, outcome, takes_hash
from omafon.core.digitmap import LONGEST_DIALLED, Verdict
from omafon.core.events import Key
from omafon.core.state import (
    VOLUME_MIN,
    VOLUME_SHOWN_S,
    VOLUME_STEP,
    About,
    Browsing,
    Card,
    Confirming,
    Dialing,
    Idle,
    NightThere,
    Over,
    Pairing,
    Phone,
    Resetting,
    Result,
    SelfTest,
)

CALLING_KEYS = frozenset({Key.CALL, Key.OK, Key.UP, Key.DOWN, Key.REDIAL})
"""What any key may be, beside those that dial; the others are for a call, or undo one."""


def key_pressed(phone: Phone, key: Key, now: float) -> Result:
    """One key; what it does depends on what is going on, and on nothing else."""
    if isinstance(phone.doing, Resetting):
        return phone, ()
    if isinstance(phone.in_front, Idle) and phone.notice is not None:
        phone = replace(phone, notice=None)
    if isinstance(phone.doing, SelfTest):
        return selftest.key_pressed(phone, phone.doing, key, now)
    if isinstance(phone.in_front, Pairing):
        return pairing.key_pressed(phone, phone.in_front, key, now), ()
    if key.dials:
        return _dial_key(phone, key, now)
    if phone.settings.any_key and key in CALLING_KEYS and not phone.calls and isinstance(phone.doing, Idle | Dialing):
        return routing.place(counted_as_lifted(phone), phone.settings.any_key, now)
    match key:
        case Key.VOLUME_UP:
            return _volume(phone, VOLUME_STEP, now), ()
        case Key.VOLUME_DOWN:
            return _volume(phone, -VOLUME_STEP, now), ()
        case Key.MUTE:
            return _mute(phone), ()
        case Key.OK:
            return _ok(phone, now)
        case Key.CALL:
            return _call_key(phone, now)
        case Key.END:
            return _end(phone, now)
        case Key.BACK:
            return _back(phone, now)
        case Key.UP:
            return _browse(phone, -1, now), ()
        case Key.DOWN:
            return _browse(phone, 1, now), ()
        case Key.FLASH:
            return _flash(phone, now)
        case Key.HOLD:
            return _hold(phone)
        case Key.REDIAL:
            return _redial(phone, now)
        case _:
            return phone, ()


def key_held(phone: Phone, key: Key, now: float) -> Result:
    """A long press of a digit calls whoever has it as speed dial, with the handset up or down."""
    typed = isinstance(phone.doing, Dialing) and phone.doing.digits == key.value
    known = any(str(contact.speed_dial) == key.value for contact in phone.settings.contacts)
    if not (typed and known) or phone.focused is not None or phone.ringing is not None:
        return phone, ()
    return routing.place(counted_as_lifted(phone), key.value, now)


def counted_as_lifted(phone: Phone) -> Phone:
    """The phone whose handset counts as lifted until the call is over, or somebody really lifts it."""
    return replace(phone, off_hook=True, remote=phone.remote or not phone.off_hook)


def answered_unasked(phone: Phone, ringing: Ringing, now: float) -> Result:
    """The phone takes a call by itself."""
    phone, actions = _answer(counted_as_lifted(phone), ringing, now)
    talk = phone.focused
    return (phone.having(replace(talk, unasked=True)) if isinstance(talk, InCall) else phone), actions


def hook_lifted(phone: Phone, now: float) -> Result:
    """Off-hook answers what rings, dials what was prepared, and otherwise gives the dial tone."""
    if phone.off_hook:
        return replace(phone, remote=False), ()
    lifted = replace(phone, off_hook=True)
    if phone.ringing is not None:
        return _answer(lifted, phone.ringing, now)
    match phone.doing:
        case Dialing(digits) if digits:
            return _dialled(lifted, digits, now)
        case Browsing(index):
            return routing.place(lifted, _entry_number(phone, index), now)
        case Card() as shown:
            return card.called(lifted.resting(now), shown, now)
        case SelfTest() as test:
            return selftest.hook_moved(lifted, test, now)
        case _:
            return lifted.resting(now), ()


def hook_replaced(phone: Phone, now: float) -> Result:
    """On-hook ends everything but a call that rings."""
    if not phone.off_hook:
        return phone, ()
    if isinstance(phone.doing, SelfTest) and selftest.wants_handset_down(phone.doing):
        return selftest.hook_moved(replace(phone, off_hook=False), phone.doing, now)
    actions: list[Action] = []
    for call in phone.calls:
        if not isinstance(call, Ringing):
            phone, more = _hang_up(phone, call, now)
            actions.extend(more)
    # Who lifts next may hear well.
    memory = phone.memory.resting
    return replace(phone, off_hook=False, memory=memory).resting(now), tuple(actions)


def number_dialled(phone: Phone, number: str, now: float) -> Result:
    """A number handed over whole is dialled at once: who does that from afar cannot lift the handset."""
    if phone.focused is not None or phone.ringing is not None or not number:
        return phone, ()
    return routing.place(counted_as_lifted(phone), number, now)


def _dial_key(phone: Phone, key: Key, now: float) -> Result:
    focused = phone.focused
    match focused:
        case InCall() | Calling(early_media=True):
            return phone, (SendDtmf(focused.id, key.value),)
        case None:
            pass
        case _:
            return phone, ()
    if phone.ringing is not None and not phone.off_hook:
        return phone, ()
    if isinstance(phone.doing, Card):
        return phone, ()
    if isinstance(phone.doing, Confirming):
        return routing.confirmed(phone, phone.doing, now) if key is Key.HASH else (phone, ())
    if isinstance(phone.doing, NightThere):
        return routing.at_night(phone, phone.doing, now) if key is Key.DIGIT_1 else (phone, ())
    digits = phone.doing.digits if isinstance(phone.doing, Dialing) else ""
    if key is Key.HASH and not takes_hash(phone.settings, digits):
        return _dialled(phone, digits, now) if phone.off_hook else (phone, ())
    digits = (digits + key.value)[:LONGEST_DIALLED]
    if digits == selftest.CODE:
        return selftest.begun(phone, now)
    if digits == ABOUT:
        return replace(phone, doing=About(now)), ()
    if digits == PAIR:
        return pairing.begun(phone.resting(now), now), ()
    phone = replace(phone, doing=Dialing(digits, now))
    if (phone.off_hook or phone.settings.any_key) and outcome(phone.settings, digits).wait_s <= 0.0:
        return dialling_over(counted_as_lifted(phone), digits, now)
    return phone, ()


def dialling_over(phone: Phone, digits: str, now: float) -> Result:
    """Nothing more is dialled, or nothing more could be: what the digits are is what they are."""
    said = outcome(phone.settings, digits)
    match said.verdict:
        case Verdict.COMPLETE:
            return routing.place(phone, said.digits, now)
        case Verdict.BARRED:
            return routing.refused(phone, digits, Cause.BARRED, now)
        case Verdict.IMPOSSIBLE:
            return routing.refused(phone, digits, Cause.NUMBER_INVALID, now)
        case Verdict.MORE if digits:
            return routing.refused(phone, digits, Cause.NUMBER_INCOMPLETE, now)
        case _:
            return replace(phone, doing=Over(Cause.DIAL_TIMEOUT, since=now)), ()


def _dialled(phone: Phone, digits: str, now: float) -> Result:
    """The person says that this is all: it is dialled as it stands where the digit map has no word for it."""
    said = outcome(phone.settings, digits)
    if said.verdict is Verdict.BARRED:
        return routing.refused(phone, digits, Cause.BARRED, now)
    return routing.place(phone, said.digits, now)


def _ok(phone: Phone, now: float) -> Result:
    """The card of whom this is about, or what the call key does."""
    if not isinstance(phone.in_front, Ringing | InCall | Held):
        shown, actions = card.opened(phone, now)
        if isinstance(shown.doing, Card):
            return shown, actions
    return _call_key(phone, now) if phone.off_hook else (phone, ())


def _call_key(phone: Phone, now: float) -> Result:
    if not phone.off_hook:
        return _call_key_on_hook(phone, now), ()
    if isinstance(phone.doing, Card):
        return _call_from_card(phone, phone.doing, now)
    if phone.ringing is not None and not (isinstance(phone.doing, Dialing) and phone.doing.digits):
        return _answer(phone, phone.ringing, now)
    if isinstance(phone.focused, Held):
        return _resume(phone, phone.focused)
    if phone.focused is not None:
        return phone, ()
    match phone.doing:
        case Dialing(digits) if digits:
            return _dialled(phone, digits, now)
        case Browsing(index):
            return routing.place(phone, _entry_number(phone, index), now)
        case Confirming() as confirming:
            return routing.confirmed(phone, confirming, now)
        case NightThere() as night:
            return routing.at_night(phone, night, now)
        case _ if phone.held is not None:
            return _resume(phone, phone.held)
        case _:
            return _redial(phone, now)


def _call_from_card(phone: Phone, shown: Card, now: float) -> Result:
    """Call what the card shows, in the place of the call that is being set up."""
    if card.selected(shown) is None:
        return phone, ()
    hung_up: tuple[Action, ...] = ()
    if phone.focused is not None:
        phone, hung_up = _hang_up(phone, phone.focused, now)
    phone, actions = card.called(phone.resting(now), shown, now)
    return phone, (*hung_up, *actions)


def _call_key_on_hook(phone: Phone, now: float) -> Phone:
    """With the handset down a call can only be prepared; lifting sends it."""
    match phone.doing:
        case Browsing(index):
            return replace(phone, doing=Dialing(_entry_number(phone, index), now))
        case Dialing(digits):
            return replace(phone, doing=Dialing(digits, now))
        case Card():
            return phone
        case _:
            return _browse(phone, 0, now)


def _end(phone: Phone, now: float) -> Result:
    focused, ringing = phone.focused, phone.ringing
    if focused is not None:
        phone, actions = _hang_up(phone, focused, now)
        return phone.resting(now), actions
    if ringing is not None and phone.in_front is ringing:
        return _reject(phone, ringing, 603, now)
    match phone.doing:
        case Idle() | Dialing(""):
            return phone, ()
        case _:
            return phone.resting(now), ()


def _back(phone: Phone, now: float) -> Result:
    if phone.ringing is not None and phone.in_front is phone.ringing:
        return _reject(phone, phone.ringing, 486, now) if phone.off_hook else (phone, ())
    match phone.doing:
        case Card() as shown:
            return card.closed(phone, shown, now), ()
        case Dialing(digits) if len(digits) > 1:
            return replace(phone, doing=Dialing(digits[:-1], now)), ()
        case Dialing(digits) if digits:
            return phone.resting(now), ()
        case Browsing() | About() | Confirming() | NightThere() | Over():
            return phone.resting(now), ()
        case _ if phone.ringing is not None and phone.off_hook:
            return _reject(phone, phone.ringing, 486, now)
        case _:
            return phone, ()


def _browse(phone: Phone, by: int, now: float) -> Phone:
    if isinstance(phone.doing, Card):
        return card.turned(phone, phone.doing, by, now)
    history = phone.memory.history
    if not history or phone.focused is not None or phone.ringing is not None:
        return phone
    match phone.doing:
        case Browsing(index):
            return replace(phone, doing=Browsing(min(max(index + by, 0), len(history) - 1), now))
        case Dialing(digits) if digits:
            return phone
        case Confirming() | NightThere():
            return phone
        case _:
            seen = tuple(entry if entry.seen else replace(entry, seen=True) for entry in history)
            return replace(phone, doing=Browsing(0, now), memory=replace(phone.memory, history=seen))


def _flash(phone: Phone, now: float) -> Result:
    """The hook flash: to the other call if there is one, else hold this one and give the dial tone."""
    if not phone.off_hook:
        return phone, ()
    if phone.ringing is not None:
        return _answer(phone, phone.ringing, now)
    held = phone.held
    match phone.focused:
        case InCall() as talk if held is not None:
            phone, hold = _put_on_hold(phone, talk)
            phone, resume = _resume(phone, held)
            return phone, (*hold, *resume)
        case InCall() as talk:
            phone, hold = _put_on_hold(phone, talk)
            return phone.resting(now), hold
        case Held() as focused:
            return _resume(phone, focused)
        case Resolving() | Calling() as outgoing if held is not None:
            phone, hang_up = _hang_up(phone, outgoing, now)
            phone, resume = _resume(phone, held)
            return phone, (*hang_up, *resume)
        case None if held is not None:
            return _resume(phone, held)
        case _:
            return phone, ()


def _hold(phone: Phone) -> Result:
    match phone.focused:
        case InCall() as talk:
            return _put_on_hold(phone, talk)
        case Held() as focused:
            return _resume(phone, focused)
        case None if phone.held is not None and phone.off_hook:
            return _resume(phone, phone.held)
        case _:
            return phone, ()


def _redial(phone: Phone, now: float) -> Result:
    number = phone.last_dialled
    typing = isinstance(phone.doing, Dialing) and phone.doing.digits
    if not number or typing or phone.focused is not None or phone.ringing is not None:
        return phone, ()
    if not phone.off_hook:
        return replace(phone, doing=Dialing(number, now)), ()
    return routing.place(phone, number, now)


def _volume(phone: Phone, by: int, now: float) -> Phone:
    """Louder or softer: the handset when it is up, the bell when it is not."""
    memory = phone.memory
    if phone.off_hook:
        memory = replace(memory, handset_volume=min(max(memory.handset_volume + by, VOLUME_MIN), 100))
    else:
        memory = replace(memory, ringer_volume=min(max(memory.ringer_volume + by, VOLUME_MIN), 100))
    return replace(phone, memory=memory, volume_until=now + VOLUME_SHOWN_S)


def _mute(phone: Phone) -> Phone:
    if isinstance(phone.focused, InCall | Held):
        return replace(phone, muted=not phone.muted)
    for call in phone.calls:
        if isinstance(call, Ringing):
            phone = phone.having(replace(call, silenced=True))
    return phone


def _answer(phone: Phone, ringing: Ringing, now: float) -> Result:
    """Take the call that rings; one that is talked on waits, one that is only being set up is given up."""
    actions: list[Action] = []
    focused = phone.focused
    if isinstance(focused, InCall):
        phone, more = _put_on_hold(phone, focused)
        actions.extend(more)
    elif isinstance(focused, Resolving | Calling):
        phone, more = _hang_up(phone, focused, now)
        actions.extend(more)
    talk = InCall(ringing.id, ringing.peer, ringing.began, ringing.route, ringing.line, ringing.direction, since=now)
    phone = replace(phone.having(talk), focus=ringing.id, doing=Idle(), muted=False)
    return phone, (*actions, AnswerCall(ringing.id))


def _reject(phone: Phone, ringing: Ringing, status: int, now: float) -> Result:
    return phone.without(ringing.id, Cause.DECLINED, now), (RejectCall(ringing.id, status),)


def _hang_up(phone: Phone, call: Call, now: float) -> Result:
    """End a call of ours. One that is still looked up has no far end to tell."""
    actions = () if isinstance(call, Resolving) else (HangUp(call.id),)
    return phone.without(call.id, Cause.NORMAL, now), actions


def _put_on_hold(phone: Phone, talk: InCall) -> Result:
    return replace(phone.having(Held(talk)), muted=False), (HoldCall(talk.id),)


def _resume(phone: Phone, held: Held) -> Result:
    return replace(phone.having(held.talk), focus=held.id, doing=Idle(), muted=False), (ResumeCall(held.id),)


def _entry_number(phone: Phone, index: int) -> str:
    entry = phone.memory.history[index]
    return entry.number or entry.uri
