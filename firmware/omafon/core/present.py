# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What the phone shows and sounds, derived from what it is: a level can be neither forgotten nor left on."""

from dataclasses import replace

from omafon import __version__
from omafon.core import admission, card, kinship, pairing, reset, selftest_shown
from omafon.core.calls import Calling, Held, InCall, Peer, Resolving, Ringing, shown_uri
from omafon.core.causes import CAUSE_TONES, Cause, Tone
from omafon.core.dialling import outcome
from omafon.core.dialplan import E164, group, pretty
from omafon.core.events import CallId, ConfigRefused, Driver, RunsWith
from omafon.core.glass import Glass, glass
from omafon.core.large import enlarged
from omafon.core.memory import Direction, HistoryEntry, Member
from omafon.core.ringing import FAMILY, SWEEP
from omafon.core.screen import COLUMNS, Icon, Lamp, Lamps, Presentation, Screen, SoundLevels, VoiceTrial
from omafon.core.settings import DnssecPolicy, Route
from omafon.core.state import (
    ADDRESS_SHOWN_S,
    INTERCOM_TONE_S,
    About,
    Browsing,
    Card,
    Confirming,
    Dialing,
    Idle,
    NightThere,
    Notice,
    Over,
    Pairing,
    Phone,
    Resetting,
    SelfTest,
)
from omafon.core.uri import tel_number
from omafon.core.words import cause_words, route_words, service_words, trouble_words, word
from omafon.core.zone import local_day

HINTED_DIGITS = 3


def present(phone: Phone, now: float) -> Presentation:
    """Screen, light, lamps and sound of this instant, and whether another phone may find this one."""
    wish = pairing.wish(phone)
    levels = screen(phone, now), light(phone, now), lamps(phone), sound(phone, now)
    return Presentation(*levels, wish, kinship.family(phone))


def mode(phone: Phone) -> str:
    """What the phone is at, in the words of `omafon status`."""
    match phone.focused or phone.in_front:
        case Resolving():
            return "resolving"
        case Calling():
            return "calling"
        case InCall() | Held():
            return "in_call"
        case Ringing():
            return "ringing"
        case Dialing() | Confirming() | NightThere():
            return "dialing"
        case Browsing() | Card() | About() | Resetting() | SelfTest() | Pairing():
            return "menu"
        case Over(Cause.NORMAL):
            return "idle"
        case Over():
            return "failed"
        case _:
            return "idle"


def light(phone: Phone, now: float) -> Glass:
    """How bright the display is, and where its picture stands: it dims when nobody uses the phone."""
    in_use = phone.off_hook or bool(phone.calls) or not isinstance(phone.doing, Idle) or phone.volume_until > now
    minutes = phone.local(now)[1] if phone.clock.trusted else None
    rested_s = now - phone.touched
    return glass(now, minutes, in_use=in_use, rested_s=rested_s, habits=phone.settings.glass)


# Sound


def sound(phone: Phone, now: float) -> SoundLevels:
    """Tone, bell, and whose voice is in the handset."""
    return SoundLevels(
        tone=tone(phone, now),
        country=phone.settings.country,
        ringing=_rings(phone),
        trial=selftest_shown.trial(phone.doing) if isinstance(phone.doing, SelfTest) else VoiceTrial.NONE,
        tune=_tune(phone),
        voice=_voice(phone, now),
        muted=phone.muted,
        handset_volume=phone.memory.handset_volume,
        ringer_volume=phone.memory.ringer_volume,
    )


def _rings(phone: Phone) -> bool:
    loud = any(isinstance(call, Ringing) and not call.silenced for call in phone.calls)
    if isinstance(phone.doing, SelfTest) and selftest_shown.rings(phone.doing):
        return phone.off_hook
    return loud and not phone.off_hook


def _tune(phone: Phone) -> str:
    """What rings, or would: known before it rings, so that it can be made ready."""
    if isinstance(phone.doing, SelfTest):
        return SWEEP
    caller = phone.ringing
    if caller is None:
        return ""
    contact = phone.contact(caller.peer.number, caller.peer.uri)
    if contact is not None and contact.tune:
        return contact.tune
    return FAMILY if caller.route is Route.FAMILY or (contact is not None and contact.family) else ""


def tone(phone: Phone, now: float) -> Tone:
    """What the ear hears from the phone itself. On-hook it is never anything."""
    if not phone.off_hook:
        return Tone.OFF
    match phone.focused:
        case None:
            pass
        case _ if phone.ringing is not None:
            return Tone.WAITING
        case InCall(since=since) if phone.listening is not None and now < since + INTERCOM_TONE_S:
            return Tone.INTERCOM
        case Calling(ringing=True, early_media=False):
            return Tone.RINGBACK
        case _:
            return Tone.OFF
    match phone.doing:
        case SelfTest() as test:
            return selftest_shown.tone(test)
        case Over() as over if now < over.tone_until:
            return CAUSE_TONES[over.cause]
        case _ if phone.ringing is not None:
            return Tone.WAITING
        case Dialing(digits) if not digits or outcome(phone.settings, digits).dial_tone:
            return Tone.DIAL
        case _:
            return Tone.OFF


def _voice(phone: Phone, now: float) -> tuple[CallId, ...]:
    match phone.focused:
        case InCall(since=since) if phone.listening is not None and now < since + INTERCOM_TONE_S:
            return ()
        case InCall() | Calling(early_media=True) as call if phone.off_hook:
            return (call.id,)
        case _:
            return ()


# Lamps


def lamps(phone: Phone) -> Lamps:
    """Message, bell and line lamps."""
    if isinstance(phone.doing, SelfTest):
        return selftest_shown.lamps(phone, phone.doing)
    waiting = phone.memory.missed or any(line.messages for line in phone.lines)
    if phone.listening is not None:
        line = Lamp.BLINK
    elif phone.focused is not None:
        line = Lamp.ON
    else:
        line = Lamp.BLINK if phone.lines and not any(state.registered for state in phone.lines) else Lamp.OFF
    return Lamps(
        message=Lamp.BREATHE if waiting else Lamp.OFF,
        ringer=Lamp.BLINK if phone.ringing is not None else Lamp.OFF,
        line=line,
        amplifier=Lamp.ON if _rings(phone) else Lamp.OFF,
    )


# Screen


def screen(phone: Phone, now: float) -> Screen:
    """The picture on the display; no line longer than the display is wide."""
    if phone.volume_until > now:
        return _volume(phone)
    picture = _picture(phone, now)
    if picture.picture is not None:
        return picture
    if phone.settings.glass.large:
        picture = enlarged(phone, picture)
    return replace(
        picture,
        title=picture.title[:COLUMNS],
        main=_fit(picture.main),
        note=picture.note[:COLUMNS],
        hint=picture.hint[:COLUMNS],
        icons=(*picture.icons, *_warnings(phone)),
    )


def _picture(phone: Phone, now: float) -> Screen:
    match phone.in_front:
        case Card() as shown:
            return _card(phone, shown)
        case Resolving() | Calling() as call:
            return _outgoing(phone, call)
        case InCall() as call:
            return _in_call(phone, call, now)
        case Held() as call:
            return _held(phone, call)
        case Ringing() as call:
            return _ringing(phone, call)
        case Dialing(digits):
            return _dialing(phone, digits)
        case Confirming() as confirming:
            return _confirming(phone, confirming)
        case NightThere() as night:
            return _night_there(phone, night, now)
        case Browsing(index):
            return _browsing(phone, index)
        case About():
            return _about(phone)
        case Resetting() as resetting:
            return _resetting(phone, resetting, now)
        case SelfTest() as test:
            return selftest_shown.screen(phone, test)
        case Pairing() as paired:
            return pairing.shown(phone, paired)
        case Over() as over:
            return _over(phone, over)
        case Idle() if phone.notice is not None:
            return _notice(phone.notice)
        case Idle() if phone.refusal is not None and phone.refusal.runs_with is RunsWith.NOTHING:
            return _safe_mode(phone, phone.refusal)
        case Idle():
            return _idle(phone, now)


def _idle(phone: Phone, now: float) -> Screen:
    language = phone.settings.language
    minutes = phone.local(now)[1]
    icons: list[Icon] = []
    if phone.addresses == ():
        note = word("no_network", language)
    elif not phone.lines:
        note = word("no_lines", language)
    else:
        down = next((line for line in phone.lines if not line.registered), None)
        if down is None:
            note = word("line_up", language)
            icons.append(Icon.LINE)
        else:
            note = cause_words(down.cause, language)[0] if down.cause else word("line_down", language)
            icons.append(Icon.NO_LINE)
    if (left := admission.quiet_for_min(phone, now)) > 0:
        until = _clock((minutes + left) % 1440)
        note = word("quiet_until", language, time=until)
    if not phone.clock.trusted and any(tree.dnssec is DnssecPolicy.REQUIRE for tree in phone.settings.trees):
        # No number of theirs can be proven before.
        note = cause_words(Cause.CLOCK_NOT_SET, language)[0]
    absent = kinship.lost(phone)
    if absent is not None:
        note = word("lost", language)
    if phone.troubles:
        note = trouble_words(phone.troubles[0][0], language)
    if phone.refusal is not None:
        note = word(_REFUSED[phone.refusal.runs_with], language)
    hint = ""
    missed = phone.memory.missed
    messages = sum(line.messages for line in phone.lines)
    if missed:
        hint = word("missed_one", language) if missed == 1 else word("missed_many", language, n=missed)
        icons.append(Icon.MISSED)
    elif messages:
        hint = word("messages", language, n=messages)
        icons.append(Icon.MESSAGE)
    if absent is not None and not hint:
        hint = _absence(phone, *absent)
    if not hint and (now < phone.addressed + ADDRESS_SHOWN_S or not phone.lines):
        hint = _address(phone)
    clock = _clock(minutes) if phone.clock.trusted else "--:--"
    name = phone.settings.name or "Omafon"
    return Screen(title=name, main=clock, note=note, hint=hint, icons=tuple(icons), centred=True)


def _absence(phone: Phone, member: Member, since: float) -> str:
    """Who cannot be called, and since when, if the phone knows the time: "Oma seit 14:05"."""
    at = _clock(phone.local(since)[1])
    known = phone.clock.trusted
    words = word("lost_since", phone.settings.language, at=at) if known else ""
    name = phone.known(member.number, "", member.name).name
    return f"{name[: COLUMNS - len(words) - 1]} {words}".rstrip()


def _address(phone: Phone) -> str:
    """The address a person could type: the first that fits, or else the name of the machine; empty without network."""
    names = (*(phone.addresses or ()), phone.host if phone.addresses else "")
    return next((name for name in names if 0 < len(name) <= COLUMNS), "")


# What the idle phone says of a configuration that it does not use.
_REFUSED = {RunsWith.PREVIOUS: "refused", RunsWith.LAST_GOOD: "last_good", RunsWith.NOTHING: "safe_mode"}


def _safe_mode(phone: Phone, refusal: ConfigRefused) -> Screen:
    """Why there is nothing but a display, and where the owner comes in."""
    language = phone.settings.language
    main = word("start_failed" if refusal.line is None else "config_wrong", language)
    note = word("config_line", language, n=refusal.line) if refusal.line else word("no_calls", language)
    hint = _address(phone) or word("no_network", language)
    return Screen(title=word("safe_mode", language), main=main, note=note, hint=hint, alert=True)


def _notice(notice: Notice) -> Screen:
    title, main, note, hint, *_ = (*notice.rows, "", "", "", "")
    return Screen(title=title, main=main, note=note, hint=hint, alert=True)


def _about(phone: Phone) -> Screen:
    language = phone.settings.language
    return Screen(
        title=phone.settings.name or "Omafon",
        main=_address(phone) or word("no_network", language),
        note=phone.host,
        hint=f"Omafon {__version__}",
    )


def _resetting(phone: Phone, resetting: Resetting, now: float) -> Screen:
    language = phone.settings.language
    title = word("reset_title", language)
    if resetting.asked:
        return Screen(title=title, main=word("reset_now", language), note=word("reset_wait", language), alert=True)
    main, note = str(reset.seconds_left(resetting, now)), word("reset_soon", language)
    return Screen(title=title, main=main, note=note, hint=word("reset_stop", language), centred=True, alert=True)


def _dialing(phone: Phone, digits: str) -> Screen:
    language, name = phone.settings.language, phone.settings.name or "Omafon"
    if digits:
        contact = phone.contact(digits) if digits.isdigit() and len(digits) > 2 else None
        note = contact.name if contact is not None else ""
        # Not with the first keys, which change more of the display as it is: each shall be seen at once.
        complete = len(digits) >= HINTED_DIGITS
        hint = word("dial_hint" if phone.off_hook else "lift_hint", language) if complete else ""
        shown = group(digits, phone.settings.country)
        # The newest digits matter most when a number is longer than the display.
        return Screen(title=name, main=shown[-COLUMNS:], note=note, hint=hint, typed=True)
    held = phone.held
    note = word("held_other", language, name=_who(phone, held.peer)) if held is not None else ""
    return Screen(title=name, main=word("dial", language), note=note, typed=True)


def _confirming(phone: Phone, confirming: Confirming) -> Screen:
    language = phone.settings.language
    title, where = confirming.peer.name or word("confirm", language), _where(phone, confirming.peer)
    note, hint = route_words(confirming.way.route, language), word("confirm_hint", language)
    return Screen(title=title, main=where, note=note, hint=hint, alert=True)


def _night_there(phone: Phone, night: NightThere, now: float) -> Screen:
    language = phone.settings.language
    clock = _clock(local_day(phone.clock.unix(now), night.offset_s)[1])
    note, hint = word("night_there", language), word("night_hint", language)
    return Screen(title=_who(phone, night.peer), main=clock, note=note, hint=hint, alert=True)


def _outgoing(phone: Phone, call: Resolving | Calling) -> Screen:
    language = phone.settings.language
    if isinstance(call, Resolving):
        state, route = word("looking_up", language), ""
    else:
        state = word("far_ringing" if call.ringing else "calling", language)
        route = route_words(call.route, language)
    hint = state if call.peer.name else ""
    proven = isinstance(call, Calling) and call.secure_dns
    icons = (Icon.PROVEN,) if proven else ()
    if phone.ringing is not None:
        note = word("waiting_from", language, name=_who(phone, phone.ringing.peer))
        hint, title = word("waiting_hint", language), call.peer.name or state
        return Screen(title=title, main=_where(phone, call.peer), note=note, hint=hint, icons=icons, alert=True)
    return Screen(title=call.peer.name or state, main=_where(phone, call.peer), note=route, hint=hint, icons=icons)


def _ringing(phone: Phone, call: Ringing) -> Screen:
    language = phone.settings.language
    where = _where(phone, call.peer)
    hint = word("waiting_hint" if phone.off_hook else "lift_hint", language)
    title = word("waiting" if phone.off_hook else "incoming", language)
    if call.peer.name:
        return Screen(title=title, main=call.peer.name, note=where, hint=hint, alert=True)
    return Screen(title=title, main=where, note=route_words(call.route, language), hint=hint, alert=True)


def _in_call(phone: Phone, call: InCall, now: float) -> Screen:
    language = phone.settings.language
    seconds = max(0, int(now - call.since))
    hours, rest = divmod(seconds, 3600)
    corner = f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60:02d}:{rest % 60:02d}"
    note = route_words(call.route, language)
    hint = _codec(call.codec)
    icons: list[Icon] = []
    if call.srtp and call.tls:
        icons.append(Icon.LOCK)
    elif call.secure_dns:
        icons.append(Icon.PROVEN)
    if call.far_hold:
        note = word("far_hold", language)
    if phone.listening is not None:
        icons.append(Icon.MICROPHONE)
        note, hint = word("listening", language), word("listening_hint", language)
    if phone.muted:
        icons.append(Icon.MUTED)
        hint = word("muted", language)
    if any(driver is Driver.VOICE for driver, _ in phone.troubles):
        hint = word("voice_gone", language)
    held, ringing = phone.held, phone.ringing
    if held is not None:
        icons.append(Icon.HELD)
        note, hint = word("held_other", language, name=_who(phone, held.peer)), word("swap_hint", language)
    if ringing is not None:
        note = word("waiting_from", language, name=_who(phone, ringing.peer))
        hint = word("waiting_hint", language)
    title, where = call.peer.name or phone.settings.name, _where(phone, call.peer)
    knocks = ringing is not None or phone.listening is not None
    return Screen(title=title, corner=corner, main=where, note=note, hint=hint, icons=tuple(icons), alert=knocks)


def _held(phone: Phone, call: Held) -> Screen:
    language = phone.settings.language
    note, hint = word("held", language), word("held_hint", language)
    if phone.ringing is not None:
        note = word("waiting_from", language, name=_who(phone, phone.ringing.peer))
        hint = word("waiting_hint", language)
    return Screen(title=call.peer.name, main=_where(phone, call.peer), note=note, hint=hint, icons=(Icon.HELD,))


def _card(phone: Phone, shown: Card) -> Screen:
    """One service of the card: what it is large, the address below, on two lines when one is too short."""
    language = phone.settings.language
    who = _who(phone, shown.peer)
    services = card.services(shown)
    if not services:
        waits = shown.lookup is not None and None in shown.answers
        return Screen(title=who, main=word("looking_up" if waits else "card_empty", language))
    index = min(shown.index, len(services) - 1)
    service = services[index]
    address = pretty_address(service.uri, phone.settings.country)
    hint = address[COLUMNS:]
    if card.can_be_called(service):
        hint = word("card_call_hint" if phone.off_hook else "history_hint", language)
    corner = f"{index + 1}/{len(services)}"
    return Screen(title=who, corner=corner, main=service_words(service.service, language), note=address, hint=hint)


def pretty_address(uri: str, country: str) -> str:
    """What a person would write down of a URI."""
    number = tel_number(uri)
    return pretty(E164(number), country) if number is not None else shown_uri(uri).removeprefix("//")


def _browsing(phone: Phone, index: int) -> Screen:
    language = phone.settings.language
    history = phone.memory.history
    entry = history[index]
    title = word("history", language, n=index + 1, of=len(history))
    peer = Peer(entry.number, entry.uri, entry.name)
    incoming = Icon.MISSED if entry.missed else Icon.INCOMING
    icons = (Icon.OUTGOING if entry.direction is Direction.OUT else incoming,)
    note = _kind(entry, language)
    when = _when(phone, entry)
    return Screen(title=title, main=_who(phone, peer), note=f"{note} {when}".rstrip(), hint=_hint(phone), icons=icons)


def _kind(entry: HistoryEntry, language: str) -> str:
    if entry.missed:
        return word("history_missed", language)
    return word("history_out" if entry.direction is Direction.OUT else "history_in", language)


def _when(phone: Phone, entry: HistoryEntry) -> str:
    if not entry.at:
        return ""
    # As clocks here showed it then, also where summer time has begun or ended since.
    monotonic = entry.at - phone.clock.offset_s
    return _clock(phone.local(monotonic)[1])


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _hint(phone: Phone) -> str:
    return word("dial_hint" if phone.off_hook else "history_hint", phone.settings.language)


def _over(phone: Phone, over: Over) -> Screen:
    language = phone.settings.language
    what, cure = cause_words(over.cause, language)
    held = phone.held
    if held is not None:
        cure = word("held_hint", language)
    where = _where(phone, over.peer)
    if over.cause is Cause.NORMAL:
        minutes, seconds = divmod(int(over.duration_s), 60)
        return Screen(title=over.peer.name or where, main=f"{minutes:02d}:{seconds:02d}", note=what, hint=cure)
    return Screen(title=over.peer.name or where, main=what, hint=cure, alert=True)


def _volume(phone: Phone) -> Screen:
    memory, language = phone.memory, phone.settings.language
    percent = memory.handset_volume if phone.off_hook else memory.ringer_volume
    title = word("volume_handset" if phone.off_hook else "volume_ringer", language)
    return Screen(title=title, main=f"{percent} %", bar=percent)


def _warnings(phone: Phone) -> tuple[Icon, ...]:
    return (Icon.TROUBLE,) if phone.troubles or phone.refusal is not None else ()


def _where(phone: Phone, peer: Peer) -> str:
    """The number as this country writes it, or the address."""
    if peer.number.startswith("+"):
        return pretty(E164(peer.number), phone.settings.country)
    return peer.number or shown_uri(peer.uri) or word("unknown", phone.settings.language)


def _who(phone: Phone, peer: Peer) -> str:
    return peer.name or _where(phone, peer)


def _fit(text: str) -> str:
    return text if len(text) <= COLUMNS else text[: COLUMNS - 1] + "…"


def _codec(codec: str) -> str:
    """A codec as people know it.

    >>> _codec("opus/48000")
    'Opus 48 kHz'
    """
    name, _, rate = codec.partition("/")
    if not name:
        return ""
    spoken = {"opus": "Opus", "pcma": "G.711a", "pcmu": "G.711u", "g722": "G.722"}.get(name.lower(), name)
    # G.722 says 8000 in SDP and samples at 16 kHz (RFC 3551 section 4.5.2).
    rate_hz = 16000 if spoken == "G.722" else int(rate or 0)
    return f"{spoken} {rate_hz // 1000} kHz" if rate_hz else spoken
