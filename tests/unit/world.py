# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A telephone on its own: events go in with verbs, and everything it did is kept."""

from dataclasses import replace

from omafon.core.actions import Action, PlaceCall, QueryNaptr
from omafon.core.causes import Cause, Tone
from omafon.core.events import (
    CallAnswered,
    CallEnded,
    CallId,
    CallRinging,
    ClockChanged,
    ConfigApplied,
    DeadlineReached,
    DnsError,
    Event,
    HookLifted,
    HookReplaced,
    IncomingCall,
    Key,
    KeyPressed,
    KeyReleased,
    LookupFailed,
    NaptrReceived,
    RegistrationChanged,
)
from omafon.core.naptr import NaptrRecord
from omafon.core.phone import deadline, step
from omafon.core.present import mode, screen, sound
from omafon.core.settings import Contact, Line, Settings, Tree
from omafon.core.state import Phone

OMA = Contact("Oma", "+4930123456", speed_dial=1, family=True)
OPA = Contact("Opa", uri="sip:opa@127.0.0.7", speed_dial=2, family=True)
HOME = Line("home", "sip:100@example.org")
SETTINGS = Settings(
    name="Flur", country="DE", area="30", contacts=(OMA, OPA), trees=(Tree("e164.arpa"),), language="de"
)
SIP_OMA = NaptrRecord(100, 10, "u", "E2U+sip", "!^.*$!sip:oma@example.net!", ".")


class World:
    """A phone, its time, and what it asked for."""

    def __init__(self, settings: Settings = SETTINGS, *, registered: bool | None = None) -> None:
        if registered is not None:
            settings = replace(settings, lines=(HOME,))
        self.phone = Phone()
        self.now = 1000.0
        self.actions: list[Action] = []
        self.happens(ClockChanged(1_700_000_000.0, 3600, trusted=True))
        self.happens(ConfigApplied(settings))
        if registered is not None:
            status, reason = (200, "OK") if registered else (403, "Forbidden")
            cause = None if registered else Cause.WRONG_PASSWORD
            self.happens(RegistrationChanged("home", registered, status, reason, 300, cause))

    def happens(self, *events: Event) -> tuple[Action, ...]:
        """Let events happen now; what the phone did because of the last is returned."""
        done: tuple[Action, ...] = ()
        for event in events:
            self.phone, done = step(self.phone, event, self.now)
            self.actions.extend(done)
        return done

    def passes(self, seconds: float) -> None:
        """Let time pass, with every deadline on the way."""
        until = self.now + seconds
        while (due := deadline(self.phone, self.now)) is not None and due <= until:
            self.now = max(due, self.now)
            self.happens(DeadlineReached())
        self.now = until

    def lifts(self) -> tuple[Action, ...]:
        return self.happens(HookLifted())

    def replaces(self) -> tuple[Action, ...]:
        return self.happens(HookReplaced())

    def presses(self, *keys: str) -> tuple[Action, ...]:
        """Press keys one after the other, and let each go; what the phone did because of the last is returned."""
        done: tuple[Action, ...] = ()
        for key in keys:
            done = self.happens(KeyPressed(Key(key)))
            self.happens(KeyReleased(Key(key)))
        return done

    def holds(self, *keys: str) -> tuple[Action, ...]:
        """Press keys and keep them down."""
        return self.happens(*(KeyPressed(Key(key)) for key in keys))

    def lets_go(self, *keys: str) -> tuple[Action, ...]:
        return self.happens(*(KeyReleased(Key(key)) for key in keys))

    def dials(self, digits: str) -> tuple[Action, ...]:
        return self.presses(*digits)

    def dials_oma(self) -> CallId:
        """Lifted, Oma's number dialled, found by ENUM: an INVITE is out."""
        self.lifts()
        self.dials("030123456#")
        self.tree_says(SIP_OMA)
        return self.placed().call

    def talks_to_oma(self) -> CallId:
        call = self.dials_oma()
        self.happens(CallRinging(call), CallAnswered(call))
        return call

    def is_called(self, call: str = "in-1", *, name: str = "Opa", source: str = "127.0.0.7") -> tuple[Action, ...]:
        return self.happens(IncomingCall(CallId(call), "sip:opa@127.0.0.7", name, source, None))

    def tree_says(self, *records: NaptrRecord, tree: str = "e164.arpa") -> tuple[Action, ...]:
        return self.happens(NaptrReceived(self.asked().lookup, tree, records, None))

    def tree_fails(self, error: DnsError = DnsError.NXDOMAIN, tree: str = "e164.arpa") -> tuple[Action, ...]:
        return self.happens(LookupFailed(self.asked().lookup, tree, error))

    def ends(self, call: str, cause: Cause = Cause.NORMAL) -> tuple[Action, ...]:
        return self.happens(CallEnded(CallId(call), cause))

    def asked(self) -> QueryNaptr:
        """The newest question to a directory."""
        return next(action for action in reversed(self.actions) if isinstance(action, QueryNaptr))

    def placed(self) -> PlaceCall:
        """The newest INVITE."""
        return next(action for action in reversed(self.actions) if isinstance(action, PlaceCall))

    @property
    def mode(self) -> str:
        return mode(self.phone)

    @property
    def tone(self) -> Tone:
        return sound(self.phone, self.now).tone

    @property
    def rings(self) -> bool:
        return sound(self.phone, self.now).ringing

    @property
    def voice(self) -> tuple[CallId, ...]:
        return sound(self.phone, self.now).voice

    @property
    def rows(self) -> tuple[str, ...]:
        return screen(self.phone, self.now).rows()
