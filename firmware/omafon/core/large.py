# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A screen for eyes that see little: one name or number as large as the glass allows, and one line below it."""

from dataclasses import replace

from omafon.core.calls import Calling, Held, InCall, Peer, Resolving
from omafon.core.screen import Icon, Screen
from omafon.core.state import Browsing, Confirming, Dialing, Idle, NightThere, Over, Phone
from omafon.core.words import word


def enlarged(phone: Phone, screen: Screen) -> Screen:
    """`screen` with the one thing that matters most; one that is to be read through, as a notice, stays as it is."""
    knocking = phone.ringing
    match phone.in_front:
        case Held() | InCall() | Resolving() | Calling() if knocking is not None:
            return _large(replace(screen, main=screen.note), knocking.peer, screen.hint)
        case InCall() as call:
            # What calls for a key is told in the place of the time.
            urgent = screen.alert or Icon.HELD in screen.icons or Icon.MUTED in screen.icons
            said = screen.note if phone.listening is not None and not phone.muted else screen.hint
            return _large(screen, call.peer, said if urgent else screen.corner)
        case Resolving() | Calling() as call:
            return _large(screen, call.peer, screen.hint or (screen.title if not call.peer.name else screen.note))
        case Held() as call:
            return _large(screen, call.peer, screen.hint)
        case Confirming(peer=peer):
            return _large(screen, peer, screen.hint)
        case Dialing():
            return replace(screen, title="", note=screen.note or screen.hint, hint="", typed=False, large=True)
        case NightThere():
            return _large(screen, Peer(), word("night_large", phone.settings.language))
        case Over() | Browsing():
            return _large(screen, Peer(), screen.hint or screen.note or screen.title)
        case Idle() if phone.notice is None and not screen.alert:
            return _large(screen, Peer(), screen.hint or screen.note)
        case _ if phone.ringing is not None and phone.in_front is phone.ringing:
            return _large(screen, Peer(), screen.hint)
        case _:
            return screen


def _large(screen: Screen, peer: Peer, note: str) -> Screen:
    return replace(screen, title="", corner="", main=peer.name or screen.main, note=note, hint="", large=True)
