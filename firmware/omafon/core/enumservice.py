# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The SERVICES field of an ENUM record, and IANA's registry of Enumservices (RFC 6117)."""

import re
from collections.abc import Mapping
from types import MappingProxyType

REGISTRY_DATE = "2022-01-28"

REGISTRY: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        service: frozenset(schemes.split())
        for service, schemes in {
            "acct": "acct",  # RFC 7566
            "email:mailto": "mailto",  # RFC 4355, as ems, fax, mms and sms
            "ems:mailto": "mailto",
            "ems:tel": "tel",
            "fax:tel": "tel",
            "ft:ftp": "ftp",  # RFC 4002, as web
            "h323": "h323",  # RFC 3762
            "iax": "iax",  # RFC 6315
            "ical-access:http": "http",  # RFC 5333, as ical-sched
            "ical-access:https": "https",
            "ical-sched:mailto": "mailto",
            "ifax:mailto": "mailto",  # RFC 4143
            "im": "im",  # RFC 5028
            "mms:mailto": "mailto",
            "mms:tel": "tel",
            "pres": "pres",  # RFC 3953
            "pstn:sip": "sip",  # RFC 4769
            "pstn:tel": "tel",
            "sip": "sip sips",  # RFC 3764
            "sms:mailto": "mailto",
            "sms:tel": "tel",
            "unifmsg:http": "http",  # RFC 5278, as videomsg and voicemsg
            "unifmsg:https": "https",
            "unifmsg:sip": "sip",
            "unifmsg:sips": "sips",
            "vcard": "http https",  # RFC 4969
            "videomsg:http": "http",
            "videomsg:https": "https",
            "videomsg:sip": "sip",
            "videomsg:sips": "sips",
            "voice:tel": "tel",  # RFC 4415
            "voicemsg:http": "http",
            "voicemsg:https": "https",
            "voicemsg:sip": "sip",
            "voicemsg:sips": "sips",
            "voicemsg:tel": "tel",
            "vpim:ldap": "ldap",  # RFC 4238
            "vpim:mailto": "mailto",
            "web:http": "http",
            "web:https": "https",
            "xmpp": "xmpp",  # RFC 4979
        }.items()
    }
)
"""Enumservice `type[:subtype]` → the URI schemes of its registration, as of REGISTRY_DATE."""

CALLABLE = ("sip", "pstn:sip")
"""The services whose SIP URI is the person called, not a mailbox of hers."""

_SERVICE = re.compile(r"[a-z0-9-]{1,32}(?::[a-z0-9-]{1,32})*")


def parse_services(field: str) -> tuple[str, ...]:
    """The services of a SERVICES field in lower case, left to right; none when it is not of ENUM.

    RFC 6116 section 3.4.3, "E2U+sip+email:mailto"; and the order of RFC 2916, "sip+E2U", which a client should
    understand for its one protocol (RFC 5483 section 6.1).
    """
    if not field.isascii():
        return ()
    tokens = field.lower().split("+")
    if tokens.count("e2u") != 1:
        return ()
    if tokens[0] == "e2u":
        services = tokens[1:]
    elif len(tokens) == 2:
        services = tokens[:1]
    else:
        return ()
    return tuple(services) if all(_SERVICE.fullmatch(service) for service in services) else ()


def is_private(service: str) -> bool:
    """Whether `service` is of a private network, meaningless outside of it (RFC 6116 section 3.4.3.1)."""
    return service.startswith("p-")


def fits(service: str, scheme: str) -> bool:
    """Whether a URI of `scheme` may stand for `service`; a service not registered takes any."""
    return service not in REGISTRY or scheme in REGISTRY[service]
