# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The phone as `omafon status --json` tells it."""

from omafon import __version__
from omafon.core import admission
from omafon.core.actions import Action, RejectCall
from omafon.core.calls import Call, Calling, Held, InCall, Resolving, Ringing
from omafon.core.events import Driver, Event, IncomingCall, UpdateTold
from omafon.core.family import Bond
from omafon.core.present import mode, present
from omafon.core.state import Pairing, Phone

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
        "pairing": _pairing(phone),
        "family": [
            {
                "id": member["id"],
                "name": member["name"],
                "reachable": member["reachable"],
                "away_since": member["away_since"],
            }
            for member in family(phone)
        ],
        "clock": {"set": phone.clock.trusted},
        "update": _update(phone.update),
        "addresses": list(phone.addresses or ()),
        "quiet_min": admission.quiet_for_min(phone, now),
        "drivers": {driver.value: troubles.get(driver, "ok") for driver in Driver},
    }


def refuses_a_stranger(event: Event, actions: tuple[Action, ...]) -> bool:
    """Whether a caller was refused for whom nothing speaks: neither a line nor a certificate of the family."""
    match event:
        case IncomingCall(line=None, certificate=""):
            return any(isinstance(action, RejectCall) for action in actions)
        case _:
            return False


def _pairing(phone: Phone) -> dict[str, object] | None:
    pairing = phone.doing
    if not isinstance(pairing, Pairing):
        return None
    failure = pairing.failure.value if pairing.failure is not None else None
    name = pairing.member.name if pairing.member is not None else ""
    return {"id": pairing.id, "stage": pairing.stage.value, "digits": pairing.digits, "name": name, "failure": failure}


def family(phone: Phone) -> list[dict[str, object]]:
    """The members of the family, with what is known of each."""
    return [
        {
            "id": member.id,
            "name": member.name,
            "number": member.number,
            "certificate": member.certificate,
            "since": member.since,
            "reachable": _reachable(bond),
            "away_since": phone.clock.unix(bond.since) if bond is not None and bond.lost else None,
            "addresses": [
                {
                    "host": address.host,
                    "port": address.port,
                    "kind": address.kind.value,
                    "last_worked": address.last_worked,
                }
                for address in member.addresses
            ],
        }
        for member in phone.memory.family
        for bond in (phone.bond(member.certificate),)
    ]


def _reachable(bond: Bond | None) -> bool | None:
    """Whether the member's phone answers; None before it was ever asked."""
    if bond is None or not (bond.heard or bond.lost):
        return None
    return not bond.lost


def _update(told: UpdateTold | None) -> dict[str, object] | None:
    if told is None:
        return None
    return {"stage": told.stage.value, "version": told.version, "percent": told.percent}


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
        "listening": call is phone.listening,
    }
