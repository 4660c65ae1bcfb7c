# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What a value of `phone.toml` must be beyond its type: each rule gives None, or what is wrong and the cure.

No rule repeats a value that may hold a secret: the owner sees file, line and key.
"""

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable
from difflib import get_close_matches

from omafon.config import zones
from omafon.core import peace
from omafon.core.digitmap import DigitMapError, compile_digit_map

Fault = tuple[str, str]
"""What is wrong, without its key, and the cure: each one sentence."""

Rule = Callable[[str], Fault | None]

BUDGET_MS = range(50, 10_001)
PORTS = range(65_536)
FAMILY_PORTS = range(1, 65_536)
DIM_AFTER_S = range(3601)
OFF_AFTER_MIN = range(1441)
SPEED_DIALS = range(1, 100)
# Long enough for the first digit of an emergency number.
HOTLINE_AFTER_S = range(2, 61)
STRANGERS_PER_HOUR = range(1, 3601)
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
TTL_S = range(60, 86_401)
SIDETONE_OFF_DB = -60
SIDETONE_DB = range(SIDETONE_OFF_DB, 1)
MICROPHONE_DB = range(-30, 31)
SSID_BYTES = 32

# ISO 3166-1 alpha-2, as of 2024.
_ISO_3166 = """
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC
CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD
GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH
KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW
MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC
SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY
UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
"""
COUNTRIES = frozenset(_ISO_3166.split())
_WRITTEN_OTHERWISE = {"UK": "GB", "EN": "GB", "USA": "US", "GER": "DE", "DEU": "DE", "AUT": "AT", "CHE": "CH"}

_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
# The userinfo of RFC 3261 section 25.1 without its password, which has a key of its own.
_SIP_URI = re.compile(
    r"sips?:(?:(?P<user>[A-Za-z0-9\-_.!~*'()&=+$,;?/%]+)@)?(?P<host>\[[0-9A-Fa-f:.]+\]|[^:@;?\[\]]+)(?::(?P<port>\d{1,5}))?",
    re.A,
)
_ANCHOR = re.compile(
    # What may stand before the data of a line in a zone file; then digests of SHA-1, SHA-256 and SHA-384.
    r"(?:[^\s;]+\s+)?(?:\d+\s+)?(?:IN\s+)?(?:DS\s+)?\d{1,5}\s+\d{1,3}\s+(?:1(?:\s*[0-9A-F]){40}|2(?:\s*[0-9A-F]){64}|4(?:\s*[0-9A-F]){96})"
    r"|(?:[^\s;]+\s+)?(?:\d+\s+)?(?:IN\s+)?DNSKEY\s+\d{1,5}\s+3\s+\d{1,3}\s+[A-Z0-9+/=\s]{16,}",
    re.A | re.I,
)
TLS = "tls://"
_NIGHT = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)", re.A)
_SPAN = re.compile(r"\s*([01]\d|2[0-3]):([0-5]\d)\s*-\s*(?:([01]\d|2[0-3]):([0-5]\d)|(24):(00))\s*", re.A)
_SEPARATORS = str.maketrans("", "", " -./")
_USB_SOCKET = re.compile(r"USB=[0-9]+-[0-9]+(?:\.[0-9]+)*", re.A)
_CARD_INDEX = re.compile(r"(?:plug)?hw:\d|.*\bCARD=\d", re.A)


def quoted(text: str) -> str:
    """`text` in quotes, fit for a terminal: short, without control characters.

    >>> quoted("registar")
    '"registar"'
    """
    shown = text if len(text) <= 40 else text[:39] + "…"
    return '"' + "".join(sign if sign.isprintable() else "�" for sign in shown) + '"'


def did_you_mean(word: str, known: list[str]) -> str:
    """The cure for a word that is none of `known`."""
    close = get_close_matches(word, known, n=1) or [right for right in known if right.lower() == word.lower()]
    return f"Did you mean {quoted(close[0])}?" if close else f"Choose from: {', '.join(known)}."


def e164(number: str) -> str:
    """`number` without the signs people write between its digits."""
    return number.translate(_SEPARATORS)


def domain(name: str) -> str:
    """A DNS name as it is asked: lower case, without the root's dot."""
    return name.rstrip(".").lower()


def text(value: str) -> Fault | None:
    if all(sign.isprintable() for sign in value):
        return None
    return "holds a control character", "Write it on one line, without tabs."


def name(value: str) -> Fault | None:
    if not value.strip():
        return "is empty", "Give a name, as it shall stand on the screen."
    return text(value)


def country(value: str) -> Fault | None:
    if value in COUNTRIES:
        return None
    close = _WRITTEN_OTHERWISE.get(value.upper(), value.upper())
    cure = f'Did you mean "{close}"?' if close in COUNTRIES else 'Write the two letters of ISO 3166, as in "DE".'
    return f"{quoted(value)} is not a country", cure


def area(value: str) -> Fault | None:
    if value == "" or re.fullmatch("[1-9][0-9]{0,5}", value):
        return None
    if re.fullmatch("0+[1-9][0-9]{0,5}", value):
        return f"{quoted(value)} begins with the trunk prefix", f'Leave the prefix out: "{value.lstrip("0")}".'
    return f"{quoted(value)} is not an area code", 'Write its digits without the trunk prefix, as in "30".'


def number(value: str) -> Fault | None:
    if value == "" or re.fullmatch(r"\+[1-9][0-9]{5,14}", e164(value)):
        return None
    cure = 'Write it with its country code, as in "+4930123456".'
    if "(0)" in value:
        cure = 'Leave out "(0)": it is dialled inside the country only.'
    return f"{quoted(value)} is not an international number", cure


def digit_map(value: str) -> Fault | None:
    try:
        if value:
            compile_digit_map(value)
    except DigitMapError as error:
        return f"is not a digit map: {error.what}", error.cure
    return None


def host(value: str) -> bool:
    """Whether `value` is a DNS name, an IPv4 address, or an IPv6 address in brackets."""
    if value.startswith("["):
        return _is_address(value[1:-1], 6)
    if re.fullmatch("[0-9.]+", value):
        return _is_address(value, 4)
    return _is_domain(value)


def aor(value: str) -> Fault | None:
    found = _sip_uri(value)
    if isinstance(found, tuple):
        return found
    if not found["user"]:
        return "names nobody at its domain", 'Write it as in "sip:100@example.org".'
    return None


def uri(value: str) -> Fault | None:
    if value == "":
        return None
    found = _sip_uri(value)
    return found if isinstance(found, tuple) else None


def registrar(value: str) -> Fault | None:
    if value == "":
        return None
    found = _sip_uri(value)
    if isinstance(found, tuple):
        return found
    if found["user"]:
        return "names a person, and a registrar is a host", 'Write it as in "sip:example.org".'
    return None


def credential(value: str) -> Fault | None:
    if value == "" or (re.fullmatch(r"[A-Za-z0-9_.-]{1,255}", value) and value not in (".", "..")):
        return None
    return "is not the name of a credential", 'Write a plain file name, as in "sip-home".'


def key_name(value: str) -> Fault | None:
    if _is_domain(domain(value)):
        return None
    return "is not the name of a key", 'Write it as the server spells it, as in "oma-phone".'


def secret(value: str) -> Fault | None:
    """A shared secret in base 64 (RFC 4648); empty where there is none."""
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return "is not base 64", "Copy it whole, as `tsig-keygen` wrote it."
    return None


def address(value: str) -> Fault | None:
    if value == "" or _is_address(value, 4) or _is_address(value, 6):
        return None
    return f"{quoted(value)} is not an IP address", "Leave it empty to listen everywhere."


def tree(value: str) -> Fault | None:
    if _is_domain(domain(value)):
        return None
    return f"{quoted(value)} is not a DNS name", 'Write it as in "e164.arpa".'


def optional_tree(value: str) -> Fault | None:
    return tree(value) if value else None


def server(value: str) -> Fault | None:
    """ADDR[:PORT]; an IPv6 address with a port stands in brackets."""
    split = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+))(?::([0-9]{1,5}))?", value)
    if split is None:
        good = _is_address(value, 6)
    else:
        v6, v4, port = split.groups()
        good = (_is_address(v6, 6) if v6 else _is_address(v4, 4)) and 0 < int(port or 53) in PORTS
    return None if good else (f"{quoted(value)} is not an address of a name server", 'Write it as in "192.0.2.1:53".')


def endpoint(value: str) -> tuple[str, int]:
    """Address and port of what `server` accepts; port 53 where none is given.

    >>> endpoint("192.0.2.1"), endpoint("[2001:db8::1]:5353")
    (('192.0.2.1', 53), ('2001:db8::1', 5353))
    """
    if value.startswith("["):
        host_part, _, port = value[1:].partition("]")
        return host_part, int(port.removeprefix(":") or 53)
    if value.count(":") > 1:
        return value, 53
    host_part, _, port = value.partition(":")
    return host_part, int(port or 53)


def stun(value: str) -> Fault | None:
    """HOST[:PORT], or nothing."""
    found = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]+)(?::([0-9]{1,5}))?", value)
    if value == "" or (found and host(found[1]) and 0 < int(found[2] or 3478) in PORTS):
        return None
    return f"{quoted(value)} is not a STUN server", 'Write it as in "stun.example.org:3478".'


def name_server(value: str) -> Fault | None:
    """ADDR[:PORT], or tls://ADDR[:PORT][#NAME], where NAME is the one in the certificate."""
    place, hash_sign, certified = value.removeprefix(TLS).partition("#")
    if value.startswith(TLS) and not server(place) and (_is_domain(certified) or not hash_sign):
        return None
    if not value.startswith(TLS) and not server(value):
        return None
    cure = 'Write it as in "192.0.2.1:53", or "tls://192.0.2.1#dns.example.net".'
    return f"{quoted(value)} is not an address of a name server", cure


def anchor(value: str) -> Fault | None:
    """DS or DNSKEY records (RFC 4034), one a line, or the path of a file of these."""
    lines = [line.split(";")[0].strip() for line in value.splitlines()]
    if value.startswith("/") or (any(lines) and all(_ANCHOR.fullmatch(line) for line in lines if line)):
        return None
    return "is not a DS record", 'Write it as `keymgr ZONE ds` does, as in "12345 13 2 0123…", or the path of a file.'


def card(value: str) -> Fault | None:
    if _CARD_INDEX.match(value):
        return f"{quoted(value)} counts sound cards, and their order changes", (
            'Name the card by its id, as `aplay -L` lists it: "CARD=Handset".'
        )
    if value.startswith("USB=") and not _USB_SOCKET.fullmatch(value):
        return f"{quoted(value)} is no USB socket", 'Write it as in "USB=1-1.2": a name in /sys/bus/usb/devices.'
    return text(value)


def tune(value: str) -> Fault | None:
    """The path of a WAV file, or nothing. Whether it is there, and is one, is known when it shall ring."""
    if value == "" or (value.startswith("/") and value.lower().endswith(".wav")):
        return text(value)
    return f"{quoted(value)} is not the path of a WAV file", 'Write the whole path: "/etc/omafon/tunes/oma.wav".'


def night(value: str) -> Fault | None:
    """From when to when: "22:00-07:00", or nothing."""
    if value and not _NIGHT.fullmatch(value):
        return "is no time from one hour to another", 'Write it as "22:00-07:00", or "" for no night.'
    return None


def minutes(value: str) -> tuple[int, int]:
    """Begin and end of a `night`, in minutes since midnight; equal for none.

    >>> minutes("22:00-07:30"), minutes("")
    ((1320, 450), (0, 0))
    """
    found = _NIGHT.fullmatch(value)
    if found is None:
        return 0, 0
    hours = [int(part) for part in found.groups()]
    return 60 * hours[0] + hours[1], 60 * hours[2] + hours[3]


def spans(value: str) -> Fault | None:
    """Hours of a day, each from when to when, divided by commas; or nothing."""
    if value and len(hours(value)) != value.count(",") + 1:
        return "is no time from one hour to another", 'Write it as "22:00-07:00" or "13:00-15:00, 22:00-07:00".'
    return None


def hours(value: str) -> tuple[tuple[int, int], ...]:
    """Begin and end of `spans`, in minutes since midnight.

    >>> hours("13:00-15:00, 22:00-07:00"), hours("00:00-24:00")
    (((780, 900), (1320, 420)), ((0, 1440),))
    """
    found = [_SPAN.fullmatch(part) for part in value.split(",")] if value else []
    times = [[int(part) for part in span.groups() if part is not None] for span in found if span is not None]
    pairs = [(60 * begin + minute, 60 * end + end_minute) for begin, minute, end, end_minute in times]
    return tuple((begin, end) for begin, end in pairs if begin != end)


def zone(value: str) -> Fault | None:
    """A name of the IANA database, or nothing."""
    if value == "" or zones.zone(value) is not None:
        return None
    known = [name for name in zones.names() if "/" in name]
    cure = did_you_mean(value, known) if len(value) <= 40 else ""
    return f"{quoted(value)} is no time zone", cure if cure.startswith("Did") else 'Write it as in "Europe/Berlin".'


def listed(value: str, contacts: list[str]) -> Fault | None:
    """Who may ring or be called: a group, a contact, a number, or what numbers begin with."""
    groups = [peace.ANYONE, peace.CONTACTS, peace.FAMILY]
    if value in groups or value in contacts or peace.PATTERN.fullmatch(e164(value)):
        return None
    if re.fullmatch(r"[0-9]+\*?", e164(value)):
        return number(value)
    close = did_you_mean(value, [*groups, *contacts])
    cure = close if close.startswith("Did") else 'Name a contact, or write a number as in "+4930123456" or "+4930*".'
    return f"{quoted(value)} is no contact", cure


def ssid(value: str) -> Fault | None:
    """IEEE 802.11 gives a network's name 32 bytes."""
    if not 0 < len(value.encode()) <= SSID_BYTES:
        return f"must be 1 to {SSID_BYTES} bytes long", "Write it as the router shows it; an umlaut counts as two."
    return text(value)


def passphrase(value: str) -> Fault | None:
    """WPA's passphrase of printable ASCII, or its key in hexadecimal; empty where there is none."""
    if value == "" or re.fullmatch(r"[ -~]{8,63}|[0-9A-Fa-f]{64}", value):
        return None
    return "is no WPA password", "It has 8 to 63 letters, digits and signs without umlauts, or 64 hexadecimal digits."


def optional_country(value: str) -> Fault | None:
    return country(value) if value else None


def _sip_uri(value: str) -> dict[str, str | None] | Fault:
    """The parts of a SIP URI, or what is wrong with it. A secret in it is not repeated."""
    if re.match(r"sips?:[^@]*:[^@]*@", value):
        return "holds a password", "Write the password as `password` of the line; take it out of the address."
    match = _SIP_URI.fullmatch(value)
    if match is None or not host(match["host"]) or (match["port"] and not 0 < int(match["port"]) in PORTS):
        cure = 'Begin it with "sip:", as in "sip:100@example.org".'
        if value.startswith(("sip:", "sips:")):
            cure = 'Write it as in "sip:100@example.org": no spaces, no parameters.'
        return "is not a SIP address", cure
    return match.groupdict()


def _is_domain(value: str) -> bool:
    return 0 < len(value) <= 253 and all(_LABEL.fullmatch(label) for label in value.split("."))


def _is_address(value: str, version: int) -> bool:
    try:
        return ipaddress.ip_address(value).version == version and "%" not in value
    except ValueError:
        return False
