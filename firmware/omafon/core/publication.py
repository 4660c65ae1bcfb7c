# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The own number as NAPTR records, in the form that every client reads (RFC 6116 section 5.1)."""

from collections.abc import Mapping

from omafon.core import enumservice, uri
from omafon.core.dialplan import E164
from omafon.core.ere import LONGEST_PATTERN
from omafon.core.naptr import NaptrRecord, evaluate

ORDER = 100
PREFERENCE_STEP = 10
_WHOLE_NUMBER = "^.*$"


class PublicationError(ValueError):
    """A service cannot be published: what is wrong with it, and the cure."""

    def __init__(self, what: str, cure: str) -> None:
        super().__init__(what)
        self.what = what
        self.cure = cure


def check_offer(service: str, target: str) -> None:
    """Raise PublicationError when `service` with the URI `target` would not be understood by those who read it."""
    if enumservice.parse_services(f"E2U+{service}") != (service,):
        raise PublicationError("is not an Enumservice", 'Write it as IANA registers it, as in "email:mailto".')
    if enumservice.is_private(service):
        raise PublicationError("means something in a private network only", "Publish a registered service.")
    try:
        scheme = uri.check(target)
    except uri.UriError as error:
        raise PublicationError("is not a URI", 'Write it whole, as in "sip:oma@example.org".') from error
    if not enumservice.fits(service, scheme):
        schemes = " or ".join(f"{scheme}:" for scheme in sorted(enumservice.REGISTRY[service]))
        raise PublicationError(f"is not a URI for {service}", f"Begin it with {schemes}.")
    if len(_rule(target)) > LONGEST_PATTERN:
        raise PublicationError("is longer than a record can hold", f"Use at most {LONGEST_PATTERN} characters.")


def records(offers: Mapping[str, str]) -> tuple[NaptrRecord, ...]:
    """A record for each Enumservice and its URI, the one to be tried first in front.

    Raises PublicationError.

    >>> [record.regexp for record in records({"sip": "sip:oma@example.org"})]
    ['!^.*$!sip:oma@example.org!']
    """
    for service, target in offers.items():
        check_offer(service, target)
    return tuple(
        NaptrRecord(ORDER, place * PREFERENCE_STEP, "u", f"E2U+{service}", _rule(target), ".")
        for place, (service, target) in enumerate(offers.items(), start=1)
    )


def reads_as(number: E164, published: tuple[NaptrRecord, ...]) -> dict[str, str]:
    """What a client makes of records in a zone: the URI of each service, by this phone's own reading."""
    read: dict[str, str] = {}
    for service in evaluate(number, published).services:
        read.setdefault(service.service, service.uri)
    return read


def _rule(target: str) -> str:
    # No URI holds a '|'; but '!' is what old clients take for the only delimiter (RFC 5483 section 3.1).
    delimiter = "|" if "!" in target else "!"
    return delimiter.join(("", _WHOLE_NUMBER, target, ""))
