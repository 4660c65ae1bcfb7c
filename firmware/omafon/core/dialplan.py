# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Dialled digits become what they mean: an emergency call, an E.164 number, a SIP URI, a short code, a speed dial."""

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass
from types import MappingProxyType
from typing import NewType

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType, ValidationResult

from omafon.core import uri
from omafon.core.causes import Cause

E164 = NewType("E164", str)
SipUri = NewType("SipUri", str)


@dataclass(frozen=True, slots=True)
class Emergency:
    """Fire, ambulance, police: `digits` as dialled. Never a matter for ENUM."""

    digits: str


@dataclass(frozen=True, slots=True)
class Number:
    """A number of the world's numbering plan, the only thing that may be looked up in ENUM (RFC 6116 section 3.7)."""

    e164: E164


@dataclass(frozen=True, slots=True)
class ShortCode:
    """Digits that mean something only to a provider or PBX: extensions, service numbers, star codes."""

    digits: str


@dataclass(frozen=True, slots=True)
class Uri:
    """A SIP URI, dialled as it stands."""

    uri: SipUri


@dataclass(frozen=True, slots=True)
class SpeedDial:
    """The place of a contact in the phone book's speed dials."""

    place: int


Destination = Emergency | Number | ShortCode | Uri | SpeedDial


class DialError(ValueError):
    """The digits mean nothing that could be called; `cause` is NUMBER_INCOMPLETE or NUMBER_INVALID."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause.value)
        self.cause = cause


EMERGENCY: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "AT": frozenset({"112", "122", "133", "144"}),
        "CH": frozenset({"112", "117", "118", "144"}),
        "DE": frozenset({"110", "112"}),
        "FR": frozenset({"15", "17", "18", "112", "114", "115", "119", "191", "196"}),
        "GB": frozenset({"112", "999"}),
        "IT": frozenset({"112", "113", "115", "118"}),
        "US": frozenset({"112", "911"}),
    }
)
"""Emergency numbers by country, joined with what the numbering library knows; 112 is one everywhere."""

LONGEST_SHOWN = 21
"""Characters of a line of the display."""

_E164 = re.compile(r"\+[1-9][0-9]{1,14}")
_SEPARATORS = re.compile(r"[\s()./\u2010-\u2013-]")
_SHORT = 4
"""Digits without a prefix that are taken for an extension or a service, and not for a local number."""


def to_e164(text: str) -> E164:
    """`text` as what it claims to be, a number of E.164 without separators; raises DialError when it is not one.

    >>> to_e164("+441632960083")
    '+441632960083'
    """
    if not _E164.fullmatch(text):
        raise DialError(Cause.NUMBER_INVALID)
    return E164(text)


def interpret(digits: str, *, country: str, area: str, speed_dials: Set[int] = frozenset()) -> Destination:
    """What a person in `country` (ISO 3166) with the area code `area` means by `digits`.

    Tried in this order, and only the last may ever become a matter for ENUM:

    - an emergency number, exactly as dialled: nothing may stand between a person and help;
    - a SIP URI, with or without 'sip:', or a 'tel' URI;
    - a code that begins with '*' or '#';
    - one or two digits that name a place in `speed_dials`;
    - two to four digits, or a service number of the country: a short code;
    - an international, national or local number. A local one needs `area`; without it the digits are left to
      whoever carries the call, as a short code.

    Separators are ignored, and so is a '#' that ends a number. Raises DialError and nothing else.
    """
    wanted = digits.strip()
    if "@" in wanted or wanted.lower().startswith(("sip:", "sips:")):
        return Uri(_sip_uri(wanted))
    if wanted.lower().startswith("tel:"):
        wanted = wanted[4:].partition(";")[0]
    wanted = _SEPARATORS.sub("", wanted)
    if not wanted.startswith(("*", "#")):
        wanted = wanted.removesuffix("#")
    if is_emergency(wanted, country):
        return Emergency(wanted)
    if not re.fullmatch(r"\+?[0-9]*|[*#][0-9*#]*", wanted):
        raise DialError(Cause.NUMBER_INVALID)
    if wanted.startswith(("*", "#")):
        if wanted.strip("*#"):
            return ShortCode(wanted)
        raise DialError(Cause.NUMBER_INCOMPLETE)
    if len(wanted) <= 2 and wanted[:1] != "0" and wanted.isdigit() and int(wanted) in speed_dials:
        return SpeedDial(int(wanted))
    if len(wanted) < 2:
        raise DialError(Cause.NUMBER_INCOMPLETE)
    return _number(wanted, country.upper(), area)


def emergency_numbers(country: str) -> Set[str]:
    """The emergency numbers of `country` that this table knows; `is_emergency` knows the library's too."""
    return EMERGENCY.get(country.upper(), frozenset()) | {"112"}


def is_emergency(digits: str, country: str) -> bool:
    """Whether exactly these digits call for help in `country`."""
    if not (digits.isascii() and digits.isdigit()):
        return False
    region = country.upper()
    return digits in emergency_numbers(region) or phonenumbers.is_emergency_number(digits, region)


def costs_extra(number: E164) -> bool:
    """Whether a call to `number` costs more than a call: premium rate and shared cost services.

    >>> costs_extra(E164("+499001234567")), costs_extra(E164("+4930123456"))
    (True, False)
    """
    try:
        kind = phonenumbers.number_type(phonenumbers.parse(number))
    except NumberParseException:
        return False
    return kind in (PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST)


def group(digits: str, country: str) -> str:
    """Digits typed so far, grouped as numbers are written in `country`; codes with '*' or '#' as they stand.

    >>> group("03012345", "DE")
    '030 12345'
    """
    if not re.fullmatch(r"\+?[0-9]+", digits):
        return digits
    formatter = phonenumbers.AsYouTypeFormatter(country.upper())
    grouped = ""
    for digit in digits:
        grouped = formatter.input_digit(digit)
    return grouped


def pretty(e164: str, country: str) -> str:
    """A number as people in `country` write it: nationally when it is one of theirs, at most LONGEST_SHOWN long.

    >>> pretty("+493012345678", "DE"), pretty("+493012345678", "US")
    ('030 12345678', '+49 30 12345678')
    """
    try:
        number = phonenumbers.parse(e164, None)
    except NumberParseException:
        return e164[:LONGEST_SHOWN]
    home = number.country_code == phonenumbers.country_code_for_region(country.upper())
    style = PhoneNumberFormat.NATIONAL if home else PhoneNumberFormat.INTERNATIONAL
    written = str(phonenumbers.format_number(number, style))
    return written if len(written) <= LONGEST_SHOWN else e164[:LONGEST_SHOWN]


def _sip_uri(text: str) -> SipUri:
    whole = text if text.lower().startswith(("sip:", "sips:")) else f"sip:{text}"
    try:
        return SipUri(uri.dialable(uri.parse_sip(whole)))
    except uri.UriError as error:
        raise DialError(Cause.NUMBER_INVALID) from error


def _number(digits: str, region: str, area: str) -> Number | ShortCode:
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    abroad = metadata.international_prefix if metadata and metadata.international_prefix else "00"
    if digits.startswith("+") or re.match(abroad, digits):
        return Number(_possible(digits, region))
    trunk = phonenumbers.ndd_prefix_for_region(region, True) or ""
    if trunk == "0" and digits.startswith("0"):
        return Number(_possible(digits, region))
    if _is_short(digits, region):
        return ShortCode(digits)
    if trunk == "0":
        # Without the trunk prefix a number is of the own area, whatever else it would spell as a national one.
        return Number(_possible(trunk + area + digits, region)) if area else ShortCode(digits)
    local = not (trunk and digits.startswith(trunk)) and any(
        phonenumbers.is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE_LOCAL_ONLY
        for number in _parsed(digits, region)
    )
    return Number(_possible(area + digits if local else digits, region))


def _is_short(digits: str, region: str) -> bool:
    """Whether digits without a prefix are an extension, a service or a directory enquiry of their own."""
    if len(digits) <= _SHORT:
        return True
    # The harmonised numbers of social value (116...) and Europe's directory enquiries (118...).
    if len(digits) <= 6 and digits.startswith(("116", "118")):
        return True
    return len(digits) <= 6 and any(
        phonenumbers.is_valid_short_number_for_region(number, region) for number in _parsed(digits, region)
    )


def _parsed(digits: str, region: str) -> list[phonenumbers.PhoneNumber]:
    try:
        return [phonenumbers.parse(digits, region)]
    except NumberParseException:
        return []


_TOO_FEW = frozenset({ValidationResult.TOO_SHORT, ValidationResult.IS_POSSIBLE_LOCAL_ONLY})
_UNFINISHED = frozenset(
    {
        NumberParseException.TOO_SHORT_AFTER_IDD,
        NumberParseException.TOO_SHORT_NSN,
        NumberParseException.NOT_A_NUMBER,
    }
)


def _possible(digits: str, region: str) -> E164:
    """The number that `digits` spell, prefix and all.

    Possible lengths decide, not the ranges in use: those change, and in open plans nobody knows them.
    """
    try:
        number = phonenumbers.parse(digits, region)
    except NumberParseException as error:
        few = error.error_type in _UNFINISHED
        raise DialError(Cause.NUMBER_INCOMPLETE if few else Cause.NUMBER_INVALID) from error
    home = phonenumbers.region_code_for_country_code(number.country_code or 0)
    # A trunk prefix with too little or too much behind it, which the library takes for a part of the number.
    stray_zero = number.italian_leading_zero and phonenumbers.ndd_prefix_for_region(home, True) == "0"
    verdict = phonenumbers.is_possible_number_with_reason(number)
    if stray_zero and verdict == ValidationResult.IS_POSSIBLE:
        verdict = ValidationResult.TOO_SHORT
    if verdict != ValidationResult.IS_POSSIBLE:
        raise DialError(Cause.NUMBER_INCOMPLETE if verdict in _TOO_FEW else Cause.NUMBER_INVALID)
    return to_e164(str(phonenumbers.format_number(number, PhoneNumberFormat.E164)))
