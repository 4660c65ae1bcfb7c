# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Whatever happens, in whatever order: what must hold of the telephone after every single event."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omafon.config.zones import zone, zones
from omafon.core.actions import AnswerCall, HangUp, HoldCall, PlaceCall, QueryNaptr, RejectCall, ResumeCall, SendDtmf
from omafon.core.calls import Held, InCall, Resolving
from omafon.core.causes import Cause, Tone
from omafon.core.dialling import PAIR
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
    DnsError,
    Driver,
    DriverFailed,
    DriverRecovered,
    DtmfReceived,
    EquipmentKnown,
    Event,
    HookLifted,
    HookReplaced,
    IncomingCall,
    Key,
    KeyHeld,
    KeyPressed,
    KeyReleased,
    LookupFailed,
    LookupId,
    MediaChanged,
    MemberRemoved,
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
    PairingFailure,
    PairingId,
    RegistrationChanged,
    ReportKept,
    ResetFailed,
    RunsWith,
    VoiceHeard,
)
from omafon.core.glass import GlassHabits
from omafon.core.hardware import Equipment
from omafon.core.peace import AllowLists, QuietHours
from omafon.core.phone import deadline, step
from omafon.core.present import mode, present
from omafon.core.screen import COLUMNS, VoiceTrial
from omafon.core.selftest import CODE
from omafon.core.settings import Accept, Line, Route, Tree
from omafon.core.state import MAX_CALLS, Card, Idle, Phone
from tests.unit.test_pairing import OMAS_PHONE
from tests.unit.world import OMA, OPA, SETTINGS, SIP_OMA

EQUIPMENT = Equipment(
    keys=(("1", "gpio5-gpio6"), ("end", "gpio7")), dial=True, lamps=("message",), voice=True, bell=True
)

CONFIGS = (
    replace(SETTINGS, lines=(Line("home", "sip:100@example.org"),), trees=(Tree("a.example"), Tree("b.example"))),
    replace(SETTINGS, language="en", trees=()),
    replace(SETTINGS, confirm_paid=True, lines=(Line("home", "sip:100@example.org"),)),
    SETTINGS,
    replace(
        SETTINGS,
        lines=(Line("home", "sip:100@example.org"),),
        contacts=(OMA, replace(OPA, auto_answer=True)),
        any_key=OPA.uri,
        glass=GlassHabits(large=True),
    ),
    replace(
        SETTINGS,
        hotline="+12125550123",
        zone=zone("Europe/Berlin"),
        zones=zones(),
        quiet=QuietHours((((0, 720),),) * 7, may_dial=False, there=(0, 1439)),
        allow=AllowLists(("contacts",), ("anyone",)),
        accept=frozenset(Accept),
    ),
)


class Engine:
    """The calls as a call engine sees them, kept in step with the phone by its actions alone."""

    def __init__(self) -> None:
        self.alive: set[str] = set()
        self.answered: set[str] = set()
        self.held: set[str] = set()
        self.waiting: set[str] = set()
        self.ever: set[str] = set()
        self.lookups: set[int] = set()
        self.pairing = 0  # the newest wish the driver of pairing was told

    def rings(self, call: str) -> None:
        self.alive.add(call)
        self.waiting.add(call)
        self.ever.add(call)

    def ends(self, call: str) -> None:
        for calls in (self.alive, self.answered, self.held, self.waiting):
            calls.discard(call)

    def performs(self, action: object) -> None:
        match action:
            case PlaceCall(call):
                assert call not in self.ever, "an id was used twice"
                self.ever.add(call)
                self.alive.add(call)
            case AnswerCall(call):
                assert call in self.waiting, "answered what does not ring"
                self.waiting.discard(call)
                self.answered.add(call)
            case RejectCall(call):
                assert call in self.waiting, "rejected what does not ring"
                self.ends(call)
            case HangUp(call):
                assert call in self.alive, "hung up what is not there"
                self.ends(call)
            case HoldCall(call):
                assert call in self.answered - self.held, "held what is not talked on"
                self.held.add(call)
            case ResumeCall(call):
                assert call in self.held, "resumed what is not held"
                self.held.discard(call)
            case SendDtmf(call):
                assert call in self.alive
            case QueryNaptr(lookup):
                self.lookups.add(lookup)
            case _:
                pass


def something_happens(chance: random.Random, engine: Engine, serial: int) -> Event:
    """Any event: mostly of calls that exist, sometimes of calls long gone."""
    call = CallId(chance.choice(sorted(engine.ever) or ["out-0"]))
    lookup = LookupId(chance.choice(sorted(engine.lookups) or [0]))
    # The newest, an older one, or none there ever was.
    pairing = PairingId(chance.choice([engine.pairing, engine.pairing, engine.pairing - 1, 0]))
    tree = chance.choice(["a.example", "b.example", "e164.arpa", "other.example"])
    makers = (
        (20, lambda: KeyPressed(chance.choice(list(Key)))),
        (8, lambda: KeyPressed(Key(chance.choice("0123456789*#")))),
        (1, lambda: KeyReleased(chance.choice(list(Key)))),
        (2, lambda: KeyHeld(chance.choice(list(Key)))),
        (10, HookLifted),
        (8, HookReplaced),
        (
            2,
            lambda: NumberDialled(
                chance.choice(["sip:x@127.0.0.1", "112", "030123456", "09001234567", "", "0", "+", "2", "ü"])
            ),
        ),
        (8, lambda: IncomingCall(CallId(f"in-{serial}"), "sip:opa@127.0.0.7", "Opa", "127.0.0.7", None)),
        (1, lambda: IncomingCall(CallId(f"in-{serial}"), "sip:x@y", "", "203.0.113.9", chance.choice([None, "home"]))),
        (3, lambda: CallTrying(call)),
        (6, lambda: CallRinging(call, chance.choice([True, False]))),
        (6, lambda: CallAnswered(call)),
        (6, lambda: CallEnded(call, chance.choice(list(Cause)))),
        (2, lambda: CallHeld(call, chance.choice([True, False]))),
        (2, lambda: MediaChanged(call, "opus/48000", srtp=True, tls=True)),
        (1, lambda: DtmfReceived(call, "5")),
        (5, lambda: NaptrReceived(lookup, tree, chance.choice([(), (SIP_OMA,)]), None)),
        (3, lambda: LookupFailed(lookup, tree, chance.choice(list(DnsError)))),
        (2, lambda: RegistrationChanged("home", chance.choice([True, False]), 200, "OK", 300, None)),
        (1, lambda: MessagesWaiting("home", chance.randrange(3))),
        (1, lambda: ClockChanged(chance.uniform(-1e9, 2e9), 3600, chance.choice([True, False]))),
        (1, lambda: NetworkChanged(chance.choice([(), ("192.0.2.7",)]))),
        (1, lambda: DriverFailed(chance.choice(list(Driver)), "gone")),
        (1, lambda: DriverRecovered(chance.choice(list(Driver)))),
        (1, lambda: ConfigApplied(chance.choice(CONFIGS))),
        (2, PairingAsked),
        (2, lambda: PairingDigits(pairing, "123456")),
        (2, lambda: PairingAnswered(chance.choice([True, True, False]))),
        (2, lambda: PairingDone(pairing, OMAS_PHONE)),
        (1, lambda: PairingFailed(pairing, chance.choice(list(PairingFailure)))),
        (1, lambda: MemberRemoved(OMAS_PHONE.id)),
        (1, lambda: NoticeLeft(("Set up", "192.0.2.7"))),
        (1, lambda: ResetFailed("nobody hears")),
        (1, lambda: ConfigRefused(chance.choice(list(RunsWith)), chance.choice([None, 0, 7]))),
        (1, lambda: EquipmentKnown(chance.choice((Equipment(), EQUIPMENT)))),
        (1, lambda: VoiceHeard(chance.uniform(-96, 0))),
        (1, lambda: DelayMeasured(chance.choice((None, 40.0)))),
        (1, lambda: ReportKept("hwtest.json")),
    )
    return chance.choices([make for _, make in makers], [weight for weight, _ in makers])[0]()


def check(phone: Phone, engine: Engine, now: float) -> None:
    """What must hold of a phone, always."""
    at_driver = {call.id for call in phone.calls if not isinstance(call, Resolving)}
    assert at_driver == engine.alive, "the calls of the phone are not the calls of the engine"
    assert {call.id for call in phone.calls if isinstance(call, Held)} == engine.held & engine.alive
    assert len({call.id for call in phone.calls}) == len(phone.calls)
    helped = any(call.route is Route.EMERGENCY for call in phone.calls)
    assert len(phone.calls) <= MAX_CALLS + helped, "a call that nobody can get back to"
    assert phone.off_hook or not phone.remote
    assert phone.focus is None or phone.focused is not None, "the handset belongs to a call that is gone"
    assert len(present(phone, now).sound.voice) <= 1, "two calls have the handset"
    talking = [call for call in phone.calls if isinstance(call, InCall)]
    assert all(call.id == phone.focus for call in talking), "a conversation goes on that nobody holds"
    assert phone.off_hook or not talking, "a conversation with the handset down"
    levels = present(phone, now)
    if not phone.off_hook:
        assert levels.sound.tone is Tone.OFF
        assert levels.sound.voice == ()
        assert phone.focus is None
        assert levels.sound.trial is VoiceTrial.NONE
        if phone.ringing is None:
            assert not levels.sound.ringing
    if mode(phone) != "idle":
        assert deadline(phone, now) is not None
    due = deadline(phone, now)
    assert due is None or due > now, "a deadline that has passed would spin"
    assert all(len(row) <= COLUMNS for row in levels.screen.rows())
    assert phone.focused is None or isinstance(phone.doing, Idle | Card)
    assert levels.pairing is None or not phone.calls, "another phone is looked for beside a call"
    if levels.pairing is not None:
        engine.pairing = levels.pairing.id


def check_family(before: Phone, event: Event, after: Phone, now: float) -> None:
    """Nobody becomes a member but in the pairing that goes on, and after the person here has said yes."""
    known = {member.certificate for member in before.memory.family}
    if {member.certificate for member in after.memory.family} - known:
        wish = present(before, now).pairing
        assert isinstance(event, PairingDone)
        assert wish is not None
        assert wish.same
        assert wish.id == event.pairing


def walk(seed: int, length: int) -> None:
    """One life of a telephone: `length` random events with random pauses between them."""
    chance = random.Random(seed)
    engine, phone, now = Engine(), Phone(), 1000.0
    phone, _ = step(phone, ConfigApplied(chance.choice(CONFIGS)), now)
    coming: list[Event] = []
    for serial in range(length):
        if not coming and chance.random() < 0.01:
            coming = [KeyPressed(Key(key)) for key in chance.choice((CODE, PAIR))]
        event = coming.pop(0) if coming else something_happens(chance, engine, serial)
        if isinstance(event, IncomingCall):
            engine.rings(event.call)
        if isinstance(event, CallEnded):
            engine.ends(event.call)
        if isinstance(event, CallAnswered) and event.call in engine.alive - engine.waiting:
            engine.answered.add(event.call)
        before = phone
        phone, actions = step(phone, event, now)
        for action in actions:
            engine.performs(action)
        check(phone, engine, now)
        check_family(before, event, phone, now)
        pause = chance.choice([0.0, 0.0, 0.1, 1.0, 5.0, 200.0 if chance.random() < 0.05 else 0.5])
        until = now + pause
        while (due := deadline(phone, now)) is not None and due <= until:
            now = due
            phone, actions = step(phone, DeadlineReached(), now)
            for action in actions:
                engine.performs(action)
            check(phone, engine, now)
        now = until


@pytest.mark.parametrize("seed", range(8))
def test_after_any_history_of_events_the_phone_is_a_phone(seed: int):
    walk(seed, 5_000)


@settings(max_examples=40, deadline=None)
@given(st.integers(min_value=100), st.integers(min_value=1, max_value=120))
def test_the_shortest_history_that_breaks_the_phone_is_looked_for(seed: int, length: int):
    walk(seed, length)


def test_the_same_events_at_the_same_times_make_the_same_phone():
    def life(seed: int) -> Phone:
        chance, engine, phone = random.Random(seed), Engine(), Phone(settings=CONFIGS[0])
        for serial in range(300):
            phone, actions = step(phone, something_happens(chance, engine, serial), float(serial))
            engine.ever |= {action.call for action in actions if isinstance(action, PlaceCall)}
        return phone

    assert life(7) == life(7)
