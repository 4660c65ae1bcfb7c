# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The phone as `omafon status --json` tells it."""

from omafon import __version__
from omafon.core.calls import Call, Calling, Held, InCall, Resolving, Ringing
from omafon.core.events import Driver
from omafon.core.present import mode, present
from omafon.core.state import Phone

_STATES = {
    Resolving: "resolving",
    Calling: "calling",
    Ringing: "ringing",
    InCall: "in_call",
    Held: "held",
}


def status(phone: Phone, now: float) -> dict[str, object]:
    """Everything an owner may ask of a running phone; no password, no PIN."""
    picture = present(phone, now)
    troubles = dict(phone.troubles)
    return {
        "version": __version__,
        "name": phone.settings.name,
        "country": phone.settings.country,
        "hook": "off" if phone.off_hook else "on",
        "mode": mode(phone),
        "lines": [
            {
                "name": line.name,
                "aor": line.aor,
                "registered": state.registered,
                "status": state.status,
                "reason": state.reason,
                "expires_s": state.expires_s,
                "seen_as": state.seen_as,
            }
            for state in phone.lines
            if (line := phone.line_of(state.name)) is not None
        ],
        "calls": [_call(phone, call, now) for call in phone.calls],
        "focus": phone.focus,
        "tone": picture.sound.tone.value,
        "ringing": picture.sound.ringing,
        "volume": {"handset": phone.memory.handset_volume, "ringer": phone.memory.ringer_volume},
        "screen": list(picture.screen.rows()),
        "missed": phone.memory.missed,
        "messages": sum(line.messages for line in phone.lines),
        "clock": {"set": phone.clock.trusted},
        "addresses": list(phone.addresses or ()),
        "drivers": {driver.value: troubles.get(driver, "ok") for driver in Driver},
    }


def _call(phone: Phone, call: Call, now: float) -> dict[str, object]:
    talk = call.talk if isinstance(call, Held) else call
    return {
        "id": call.id,
        "direction": call.direction.value,
        "state": _STATES[type(call)],
        "number": call.peer.number,
        "uri": call.peer.uri,
        "name": call.peer.name,
        "route": call.route.value,
        "codec": talk.codec if isinstance(talk, InCall) else "",
        "srtp": talk.srtp if isinstance(talk, InCall) else False,
        "tls": talk.tls if isinstance(talk, InCall) else False,
        "secure_dns": talk.secure_dns if isinstance(talk, InCall | Calling) else None,
        "duration_s": round(now - talk.since, 1) if isinstance(talk, InCall) else 0.0,
        "held": isinstance(call, Held),
        "far_hold": talk.far_hold if isinstance(talk, InCall) else False,
        "muted": phone.muted and call.id == phone.focus,
    }
