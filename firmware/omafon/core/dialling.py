# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""When dialling is over, and what was meant by it: the owner's digit map, or a while of silence."""

from dataclasses import replace

from omafon.core.dialplan import emergency_numbers, is_emergency
from omafon.core.digitmap import DigitMapError, Outcome, Verdict, compile_digit_map
from omafon.core.settings import Settings

LIFT_TIMEOUT_S = 15.0  # lifted, and nothing dialled
ANY_KEY_WAIT_S = 3.0

ABOUT = "*#2#"
"""Shows name, address and version. No service of a network: their codes have two digits or three (3GPP TS 22.030)."""

PAIR = "*#3#"
"""Begins the pairing with another phone, where no key can be held: from afar, and on a dial."""

OWN_CODES = ("*#1#", ABOUT, PAIR)
"""What the phone answers itself, at once, whatever the owner's digit map says of it; `*#1#` is the self-test."""


def outcome(settings: Settings, digits: str) -> Outcome:
    """What `digits` are so far, what to dial for them, and after how long a silence that counts.

    Without a digit map any digits are a number after `dial_timeout_s`. No map keeps an emergency number from being
    dialled: it is one as soon as the silence says so, and its beginnings are never impossible.
    """
    if is_emergency(digits, settings.country):
        return Outcome(Verdict.COMPLETE, digits, settings.dial_timeout_s)
    if settings.any_key and digits:
        # The beginning of an emergency number is left the time to become one.
        return Outcome(Verdict.COMPLETE, settings.any_key, ANY_KEY_WAIT_S if _kept(settings, digits) else 0.0)
    if settings.hotline and not digits:
        return Outcome(Verdict.COMPLETE, settings.hotline, settings.hotline_after_s, dial_tone=True)
    if not settings.digit_map:
        if digits:
            return Outcome(Verdict.COMPLETE, digits, settings.dial_timeout_s)
        return Outcome(Verdict.MORE, digits, LIFT_TIMEOUT_S)
    said = _by_map(settings.digit_map, digits)
    if not digits:
        return said if said.verdict is Verdict.COMPLETE else Outcome(Verdict.MORE, digits, LIFT_TIMEOUT_S)
    if _kept(settings, digits) and (said.wait_s == 0.0 or said.verdict in (Verdict.IMPOSSIBLE, Verdict.BARRED)):
        verdict = Verdict.MORE if said.verdict is not Verdict.COMPLETE else said.verdict
        return replace(said, verdict=verdict, wait_s=settings.dial_timeout_s)
    return said


def _kept(settings: Settings, digits: str) -> bool:
    """Whether `digits` begin what may always be dialled."""
    return any(number.startswith(digits) for number in (*emergency_numbers(settings.country), *OWN_CODES))


def takes_hash(settings: Settings, digits: str) -> bool:
    """Whether '#' behind `digits` belongs to them: in codes such as *21*…# (3GPP TS 22.030 section 6.5.2), and where
    the owner's digit map says so. Otherwise it ends them."""
    if not digits or digits[0] in "*#":
        return True
    if not settings.digit_map:
        return False
    return _by_map(settings.digit_map, digits + "#").verdict is not Verdict.IMPOSSIBLE


def _by_map(digit_map: str, digits: str) -> Outcome:
    try:
        return compile_digit_map(digit_map).match(digits)
    except DigitMapError:
        # The configuration lets none through; an old recording might.
        return Outcome(Verdict.IMPOSSIBLE, digits)
