# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The states of the telephone and the ways between them, found by trying every event in every state reached."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace

from omafon.core.calls import Calling, Held, InCall, Resolving, Ringing
from omafon.core.causes import Cause
from omafon.core.dialling import PAIR
from omafon.core.events import (
    CallAnswered,
    CallEnded,
    CallId,
    CallRinging,
    ConfigApplied,
    DeadlineReached,
    DnsError,
    EquipmentKnown,
    Event,
    HookLifted,
    HookReplaced,
    IncomingCall,
    Key,
    KeyPressed,
    LookupFailed,
    NaptrReceived,
    PairingDigits,
    PairingDone,
    PairingFailed,
    PairingFailure,
    RegistrationChanged,
)
from omafon.core.hardware import Equipment
from omafon.core.memory import Direction, HistoryEntry, Member
from omafon.core.phone import deadline, step
from omafon.core.present import mode
from omafon.core.selftest import CODE
from omafon.core.settings import Line, Route, Settings, Tree
from omafon.core.state import Dialing, Over, Pairing, Phone, SelfTest
from tests.unit.world import OMA, OPA, SIP_OMA

NOW = 1000.0
MEMBER = Member("omafon-00112233aabbccdd", "Oma", "", "ab" * 32)
_PAST = HistoryEntry(Direction.OUT, "", OPA.uri, "Opa", Route.FAMILY, 0.0, 1.0, True, Cause.NORMAL)


def first_phone() -> Phone:
    """On-hook and idle, with a line, a directory, and one call in its history."""
    settings = Settings(
        lines=(Line("home", "sip:100@example.org"),), contacts=(OMA, OPA), trees=(Tree("e164.arpa"),), area="30"
    )
    phone = Phone()
    phone = replace(phone, memory=replace(phone.memory, history=(_PAST,)))
    phone = phone_after(phone, ConfigApplied(settings))
    phone = phone_after(phone, EquipmentKnown(Equipment(keys=(("1", "gpio5-gpio6"),))))
    return phone_after(phone, RegistrationChanged("home", True, 200, "OK", 300, None))


def phone_after(phone: Phone, event: Event) -> Phone:
    return step(phone, event, NOW)[0]


def name(phone: Phone) -> str:
    """The state a phone is in, as a person would call it."""
    words = [mode(phone)]
    match phone.doing:
        case Dialing("") if phone.off_hook:
            words = ["dial tone"]
        case Over(Cause.NORMAL) if phone.off_hook:
            words = ["call over"]
        case SelfTest():
            words = ["self-test"]
        case Pairing(stage=stage):
            words = ["pairing", stage.value]
        case _:
            pass
    focused = phone.focused
    if isinstance(focused, Calling) and focused.ringing:
        words.append("far end rings")
    if isinstance(focused, Held):
        words.append("held")
    if phone.held is not None:
        words.append("another held")
    if phone.ringing is not None and words[0] != "ringing":
        words.append("one knocks")
    if words[0] in {"dialing", "menu", "ringing", "self-test", "pairing"}:
        words.append("handset up" if phone.off_hook else "handset down")
    return ", ".join(words)


def _of_focus(make: Callable[[CallId], Event], *kinds: type) -> Callable[[Phone], Event | None]:
    def event(phone: Phone) -> Event | None:
        call = phone.focused
        return make(call.id) if isinstance(call, kinds) else None

    return event


def _lookup(make: Callable[[Resolving], Event]) -> Callable[[Phone], Event | None]:
    def event(phone: Phone) -> Event | None:
        call = phone.focused
        return make(call) if isinstance(call, Resolving) else None

    return event


def _of_pairing(make: Callable[[Pairing], Event]) -> Callable[[Phone], Event | None]:
    return lambda phone: make(phone.doing) if isinstance(phone.doing, Pairing) else None


def _rings(phone: Phone) -> Event | None:
    return None if phone.ringing else IncomingCall(CallId(f"in-{phone.next_id}"), OPA.uri, "Opa", "127.0.0.7", None)


def _waiter_gives_up(phone: Phone) -> Event | None:
    waiting = next((call for call in phone.calls if isinstance(call, Ringing)), None)
    return CallEnded(waiting.id, Cause.CANCELLED) if waiting is not None else None


def _found(call: Resolving) -> Event:
    return NaptrReceived(call.lookup, "e164.arpa", (SIP_OMA,), None)


def _unknown(call: Resolving) -> Event:
    return LookupFailed(call.lookup, "e164.arpa", DnsError.NXDOMAIN)


EVENTS: tuple[tuple[str, Callable[[Phone], Event | None]], ...] = (
    ("handset lifted", lambda _: HookLifted()),
    ("handset replaced", lambda _: HookReplaced()),
    ("digit", lambda _: KeyPressed(Key.DIGIT_2)),
    ("# key", lambda _: KeyPressed(Key.HASH)),
    ("call key", lambda _: KeyPressed(Key.CALL)),
    ("end key", lambda _: KeyPressed(Key.END)),
    ("back key", lambda _: KeyPressed(Key.BACK)),
    ("down key", lambda _: KeyPressed(Key.DOWN)),
    ("flash", lambda _: KeyPressed(Key.FLASH)),
    ("hold key", lambda _: KeyPressed(Key.HOLD)),
    ("redial key", lambda _: KeyPressed(Key.REDIAL)),
    ("incoming call", _rings),
    ("caller gives up", _waiter_gives_up),
    ("found by ENUM", _lookup(_found)),
    ("unknown to ENUM", _lookup(_unknown)),
    ("far end rings", _of_focus(CallRinging, Calling)),
    ("far end answers", _of_focus(CallAnswered, Calling)),
    ("far end busy", _of_focus(lambda call: CallEnded(call, Cause.BUSY), Calling)),
    ("another phone found", _of_pairing(lambda pairing: PairingDigits(pairing.id, "123456"))),
    ("both have said yes", _of_pairing(lambda pairing: PairingDone(pairing.id, MEMBER))),
    ("pairing fails", _of_pairing(lambda pairing: PairingFailed(pairing.id, PairingFailure.LOST))),
    ("far end hangs up", _of_focus(lambda call: CallEnded(call, Cause.NORMAL), InCall, Held)),
)

Way = tuple[str, str, str]
"""From a state, by an event, to a state."""


def ways() -> list[Way]:
    """Every way between two different states, in the order they were found."""
    return list(_explored())


def _explored() -> Iterator[Way]:
    start = first_phone()
    # A number of Oma's, so that there is something to be looked up.
    numbered = replace(start, doing=Dialing(OMA.number, NOW))
    seen = {name(start), name(numbered)}
    queue = deque([start, numbered])
    while queue:
        phone = queue.popleft()
        here = name(phone)
        for said, make in EVENTS:
            event = make(phone)
            if event is None:
                continue
            after = phone_after(phone, event)
            if said == "digit" and isinstance(after.doing, Dialing):
                # Whatever is dialled here, it is Oma's number.
                after = replace(after, doing=Dialing(OMA.number, NOW))
            yield from _way(here, said, after)
            if name(after) not in seen:
                seen.add(name(after))
                queue.append(after)
        for code in (CODE, PAIR):
            begun = phone
            for key in code:
                begun = phone_after(begun, KeyPressed(Key(key)))
            if isinstance(begun.doing, SelfTest | Pairing) and not isinstance(phone.doing, SelfTest | Pairing):
                yield from _way(here, f"{code} dialled", begun)
                if name(begun) not in seen:
                    seen.add(name(begun))
                    queue.append(begun)
        due = deadline(phone, NOW)
        if due is not None:
            late = step(phone, DeadlineReached(), NOW + 500.0)[0]
            yield from _way(here, "time passes", late)


def _way(here: str, said: str, after: Phone) -> Iterator[Way]:
    if name(after) != here:
        yield here, said, name(after)


def document() -> str:
    """The page of the documentation that shows all this."""
    found = ways()
    lines = [
        "# The states of the telephone",
        "",
        "Found by trying every event in every state that can be reached from an idle phone; a test fails when the",
        "phone and this page differ. `pytest tests/unit/test_states.py --update-golden` writes it anew.",
        "",
        "## In short",
        "",
        "What `omafon status` calls the mode, and what leads from one to another.",
        "",
        "```mermaid",
        "stateDiagram-v2",
        "    [*] --> idle",
    ]
    short: dict[tuple[str, str], list[str]] = {}
    for here, said, there in found:
        between = _short(here), _short(there)
        if between[0] != between[1] and said not in short.setdefault(between, []):
            short[between].append(said)
    lines += [f"    {here} --> {there}: {' / '.join(said)}" for (here, there), said in short.items()]
    lines += ["```", "", "## In full", "", "| in the state | this event | leads to |", "|---|---|---|"]
    lines += [f"| {here} | {said} | {there} |" for here, said, there in found]
    lines += ["", "Every other event leaves the phone in its state.", ""]
    return "\n".join(lines)


def _short(state: str) -> str:
    first = state.partition(",")[0]
    return {"dial tone": "dialing", "call over": "over"}.get(first, first)
