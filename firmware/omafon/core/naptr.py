# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""NAPTR records and a number become an ordered list of services (RFC 6116, 3402, 3403).

Nothing is asked here. Records that point to another name say which (`follow`), whoever does the asking brings those
answers along (`followed`), and `evaluate` sees all of it at once. A bad record costs only itself and says why.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from omafon.core import enumservice, uri
from omafon.core.dialplan import E164, SipUri
from omafon.core.ere import LONGEST_PATTERN, Budget, EreError, TooCostly, compile_ere

LONGEST_CHAIN = 5
"""Non-terminal records one behind the other; more may be taken for a loop (RFC 6116 section 5.2.1)."""

MOST_NAMES = 8
"""Names that one lookup follows."""

MOST_RECORDS = 64
"""Records that one evaluation looks at, those of followed names included."""

ERE_STEPS = 6_000
"""What all regular expressions of one evaluation may take: at most 10 ms on a desktop machine, 80 plain rules."""


@dataclass(frozen=True, slots=True)
class NaptrRecord:
    """One NAPTR record as it came off the wire (RFC 3403 section 4.1), escapes of the master file undone.

    Only `replacement`, a domain name, is in presentation form, absolute; "." is none.
    """

    order: int
    preference: int
    flags: str
    services: str
    regexp: str
    replacement: str


Followed = tuple[tuple[str, tuple[NaptrRecord, ...] | None], ...]
"""What names said that records pointed to: (name, records), None where there was no answer."""


class Reason(StrEnum):
    """Why a record was not used."""

    UNKNOWN_FLAG = "unknown-flag"
    NOT_E2U = "not-e2u"
    PRIVATE = "private-facet"
    BOTH = "regexp-and-replacement"
    WITHOUT_REGEXP = "terminal-without-regexp"
    WITHOUT_TARGET = "nonterminal-without-target"
    LOOP = "loop"
    TARGET_FAILED = "nonterminal-target-failed"
    TOO_MANY = "too-many-records"
    TOO_SHORT = "regexp-too-short"
    TOO_LONG = "regexp-too-long"
    BAD_DELIMITER = "bad-delimiter"
    DELIMITER_COUNT = "delimiter-count"
    BAD_FLAG = "bad-regexp-flag"
    ESCAPED_SPECIAL = "escaped-special-delimiter"
    EMPTY_ERE = "empty-ere"
    BAD_ERE = "bad-ere"
    TOO_COSTLY = "too-costly"
    NO_MATCH = "ere-no-match"
    BACKREF = "backref-out-of-range"
    SCHEME = "scheme-mismatch"
    NON_ASCII = uri.UriFault.NON_ASCII.value
    NOT_ABSOLUTE = uri.UriFault.NOT_ABSOLUTE.value
    URI_TOO_LONG = uri.UriFault.TOO_LONG.value
    BAD_SIP = uri.UriFault.BAD_SIP.value
    BAD_TEL = uri.UriFault.BAD_TEL.value
    TEL_WITHOUT_CONTEXT = uri.UriFault.TEL_WITHOUT_CONTEXT.value
    TEL_MANDATORY = uri.UriFault.TEL_UNKNOWN_MANDATORY.value


@dataclass(frozen=True, slots=True)
class Service:
    """One way to reach the owner of a number: `service` 'sip' or 'email:mailto', and its URI."""

    service: str
    uri: str
    order: int
    preference: int


@dataclass(frozen=True, slots=True)
class Discard:
    """Record `index` of the answer of `name` was not used; `detail` tells a person where, when there is a where.

    `name` is empty for the answer to the number's own name.
    """

    index: int
    reason: Reason
    detail: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Every usable service, the one to try first in front; what was not used; and the names still to be asked."""

    services: tuple[Service, ...] = ()
    discards: tuple[Discard, ...] = ()
    follow: tuple[str, ...] = ()


def enum_domain(number: E164, suffix: str) -> str:
    """The absolute name that holds the records of `number` under the apex `suffix` (RFC 6116 section 3.2).

    >>> enum_domain(E164("+441632960083"), "e164.arpa")
    '3.8.0.0.6.9.2.3.6.1.4.4.e164.arpa.'
    """
    digits = ".".join(reversed(number.removeprefix("+")))
    return f"{digits}.{suffix.strip('.')}."


def evaluate(number: E164, records: Sequence[NaptrRecord], *, name: str = "", followed: Followed = ()) -> Evaluation:
    """What `records`, in the order of the DNS answer, say about `number`.

    Every usable service by ORDER, PREFERENCE and DNS order (RFC 6116 section 5.2); a record without a flag is
    replaced by the records of the name it points to (section 5.2.1; RFC 5483 section 5.1). `name` is the one that
    was asked, which no record may lead back to. Never raises, whatever the records hold.
    """
    walk = _Walk(followed)
    budget = Budget(ERE_STEPS)
    services: list[Service] = []
    for place, index, record in walk.run(records, "", (_canonical(name),)):
        try:
            services.extend(_services(number, record, budget))
        except _Unusable as why:
            walk.discards.append(Discard(index, why.reason, why.detail, place))
    return Evaluation(tuple(services), tuple(walk.discards), tuple(walk.follow))


def follow(records: Sequence[NaptrRecord], *, name: str = "", followed: Followed = ()) -> tuple[str, ...]:
    """The names that must be asked before `evaluate` can tell everything; cheaper than it."""
    walk = _Walk(followed)
    for _ in walk.run(records, "", (_canonical(name),)):
        pass
    return tuple(walk.follow)


def dialable(services: Sequence[Service]) -> SipUri | None:
    """The URI to call first: that of the first `sip` or `pstn:sip` service, without headers and `method`."""
    for service in services:
        if service.service in enumservice.CALLABLE:
            return SipUri(uri.dialable(uri.parse_sip(service.uri)))
    return None


def fallback(number: E164, services: Sequence[Service], *, looked_up: bool) -> str:
    """The `tel` URI that a gateway to the telephone network gets when no service can be called (RFC 4759).

    It carries `enumdi`, so that nobody repeats the query, when ENUM has spoken about the number: `looked_up` is
    False after a time-out or a failure (section 4.2.2; RFC 5346 section 4.1.2).
    """
    for service in services:
        names = service.uri.lower().split(";")[1:]
        if uri.tel_number(service.uri) == number and "enumdi" in names:
            return service.uri
    return f"tel:{number};enumdi" if looked_up else f"tel:{number}"


class _Unusable(Exception):
    """Ends the reading of one record."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.detail = detail


class _Walk:
    """The terminal records of an answer and of all it points to, in the order they are to be used."""

    def __init__(self, followed: Followed) -> None:
        self._followed = {_canonical(name): records for name, records in followed}
        self._names: set[str] = set()
        self._seen = 0
        self.discards: list[Discard] = []
        self.follow: list[str] = []

    def run(
        self, records: Sequence[NaptrRecord], name: str, chain: tuple[str, ...]
    ) -> Iterator[tuple[str, int, NaptrRecord]]:
        """Yield (name, index, record); `chain` holds the names that led here, the first one included."""
        in_order = sorted(enumerate(records), key=lambda pair: (pair[1].order, pair[1].preference))
        for index, record in in_order:
            try:
                self._seen += 1
                if self._seen > MOST_RECORDS:
                    raise _Unusable(Reason.TOO_MANY, f"only {MOST_RECORDS} records are looked at")
                if record.flags.lower() == "u":
                    yield name, index, record
                elif record.flags:
                    raise _Unusable(Reason.UNKNOWN_FLAG, f"flags '{record.flags}'")
                else:
                    target = self._target(record, chain)
                    if target in self._followed:
                        answer = self._followed[target]
                        if not answer:
                            raise _Unusable(Reason.TARGET_FAILED, f"no records at {target}")
                        yield from self.run(answer, target, (*chain, target))
                    elif target not in self.follow:
                        self.follow.append(target)
            except _Unusable as why:
                self.discards.append(Discard(index, why.reason, why.detail, name))

    def _target(self, record: NaptrRecord, chain: tuple[str, ...]) -> str:
        if record.replacement in ("", "."):
            raise _Unusable(Reason.WITHOUT_TARGET)
        target = _canonical(record.replacement)
        if target in chain:
            raise _Unusable(Reason.LOOP, f"{target} leads back to itself")
        if len(chain) > LONGEST_CHAIN:
            raise _Unusable(Reason.LOOP, f"more than {LONGEST_CHAIN} records one behind the other")
        self._names.add(target)
        if len(self._names) > MOST_NAMES:
            raise _Unusable(Reason.TOO_MANY, f"only {MOST_NAMES} names are followed")
        return target


def _canonical(name: str) -> str:
    """Domain names compare without case (RFC 4343)."""
    return name.lower().removesuffix(".") + "."


def _services(number: E164, record: NaptrRecord, budget: Budget) -> Iterator[Service]:
    """What one terminal record offers for `number`; raises _Unusable."""
    names = enumservice.parse_services(record.services)
    if not names:
        raise _Unusable(Reason.NOT_E2U, f"services '{record.services}'")
    if any(enumservice.is_private(service) for service in names):
        raise _Unusable(Reason.PRIVATE, f"services '{record.services}'")
    if not record.regexp:
        raise _Unusable(Reason.WITHOUT_REGEXP)
    if record.replacement not in ("", "."):
        raise _Unusable(Reason.BOTH)
    result = _substituted(record.regexp, number, budget)
    try:
        scheme = uri.check(result)
    except uri.UriError as error:
        raise _Unusable(Reason(error.fault.value), f"'{result}'") from error
    fitting = [service for service in names if enumservice.fits(service, scheme)]
    if not fitting:
        raise _Unusable(Reason.SCHEME, f"'{scheme}' for '{record.services}'")
    return (Service(service, result, record.order, record.preference) for service in fitting)


_ERE_OPERATORS = frozenset(".[]()*+?{}|^$-")


def _substituted(rule: str, number: E164, budget: Budget) -> str:
    """The replacement of the substitution expression `rule`, expanded with what it captured of `number`.

    RFC 3402 section 3.2: the result is the expanded replacement alone, not the number with the match replaced.
    """
    pattern, replacement = _split(rule)
    if not pattern:
        raise _Unusable(Reason.EMPTY_ERE)
    try:
        budget.spend(len(pattern))  # reading a character costs about a step
        expression = compile_ere(pattern)
        pieces = list(_pieces(replacement, expression.groups))
        match = expression.search(number, budget)
    except EreError as error:
        raise _Unusable(Reason.BAD_ERE, str(error)) from error
    except TooCostly as error:
        raise _Unusable(Reason.TOO_COSTLY, str(error)) from error
    if match is None:
        raise _Unusable(Reason.NO_MATCH, f"'{pattern}' does not match {number}")
    return "".join(piece if isinstance(piece, str) else match.group(piece) for piece in pieces)


def _split(rule: str) -> tuple[str, str]:
    """The ERE and the replacement of a rule, its escaped delimiters undone.

    The delimiter is whatever stands first, and stands there three times (RFC 6116 section 5.2). The one flag, 'i',
    is allowed and means nothing: a number has no case.
    """
    if len(rule) < 3:
        raise _Unusable(Reason.TOO_SHORT)
    if len(rule) > LONGEST_PATTERN:
        raise _Unusable(Reason.TOO_LONG)
    delimiter = rule[0]
    if delimiter in "0123456789iI\\" or not delimiter.isascii():
        raise _Unusable(Reason.BAD_DELIMITER, f"'{delimiter}'")
    parts = [""]
    escaped = False
    for char in rule[1:]:
        if escaped:
            if char == delimiter and len(parts) == 1 and char in _ERE_OPERATORS:
                raise _Unusable(Reason.ESCAPED_SPECIAL, f"'\\{char}' may mean the character or the operator")
            parts[-1] += char if char == delimiter else f"\\{char}"
            escaped = False
        elif char == "\\":
            escaped = True
        elif char == delimiter:
            parts.append("")
        else:
            parts[-1] += char
    if len(parts) != 3:
        raise _Unusable(Reason.DELIMITER_COUNT, f"'{delimiter}' stands {len(parts)} times")
    pattern, replacement, flags = parts
    if escaped or flags.strip("iI"):
        raise _Unusable(Reason.BAD_FLAG, f"'{flags}'")
    return pattern, replacement


def _pieces(replacement: str, groups: int) -> Iterator[str | int]:
    """The replacement as text and numbers of groups. Any other backslash stays, and no URI may hold one."""
    end = 0
    for found in re.finditer(r"\\([1-9])", replacement):
        if int(found[1]) > groups:
            raise _Unusable(Reason.BACKREF, f"'\\{found[1]}' but {groups or 'no'} group{'s' * (groups != 1)}")
        yield replacement[end : found.start()]
        yield int(found[1])
        end = found.end()
    yield replacement[end:]
