# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What `omafon enum` prints: everything the trees say about a number, and why what was not used was not."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from omafon.config import EnumConfig
from omafon.core.dialplan import E164, DialError, Number, interpret, to_e164
from omafon.core.events import DnsError, Event
from omafon.core.naptr import Discard, Evaluation, Reason, dialable, enum_domain, evaluate, fallback
from omafon.drivers.dns import DnsResolver
from omafon.interfaces import DriverError

NOT_E164 = "not-e164"
NO_USABLE_RECORD = "no-usable-record"

IN_WORDS: Mapping[Reason, str] = MappingProxyType(
    {
        Reason.UNKNOWN_FLAG: "ENUM knows only the flag 'u', so the record is for something else",
        Reason.NOT_E2U: "the services field is not of the form E2U+service",
        Reason.PRIVATE: "a P- service means something only inside a private network",
        Reason.BOTH: "a final record must not have a replacement beside its regexp",
        Reason.WITHOUT_REGEXP: "a final record needs a regexp",
        Reason.WITHOUT_TARGET: "a record without a flag must name where to go on",
        Reason.LOOP: "it leads round in a circle",
        Reason.TARGET_FAILED: "the name it points to gave no records",
        Reason.TOO_MANY: "there are more records or names than a phone will follow",
        Reason.TOO_SHORT: "the regexp is too short to be one",
        Reason.TOO_LONG: "the regexp is longer than 255 characters",
        Reason.BAD_DELIMITER: "the first character of the regexp cannot be its delimiter",
        Reason.DELIMITER_COUNT: "the delimiter must stand exactly three times",
        Reason.BAD_FLAG: "only the flag 'i' may stand behind the last delimiter",
        Reason.ESCAPED_SPECIAL: "the escaped delimiter is also an operator, so its meaning is not clear",
        Reason.EMPTY_ERE: "the regular expression is empty",
        Reason.BAD_ERE: "not a POSIX extended regular expression",
        Reason.TOO_COSTLY: "the regular expression takes too long to match",
        Reason.NO_MATCH: "the rule is not meant for this number",
        Reason.BACKREF: "the replacement uses a group that the regular expression does not have",
        Reason.SCHEME: "this kind of URI is not registered for the service",
        Reason.NON_ASCII: "a URI is written in ASCII",
        Reason.NOT_ABSOLUTE: "the result is not an absolute URI",
        Reason.URI_TOO_LONG: "the URI is too long",
        Reason.BAD_SIP: "the SIP URI has no proper host, port or parameters",
        Reason.BAD_TEL: "the tel URI holds no number",
        Reason.TEL_WITHOUT_CONTEXT: "a tel URI needs '+' or a phone-context",
        Reason.TEL_MANDATORY: "the tel URI has a mandatory parameter nobody here knows",
    }
)

ERROR_IN_WORDS: Mapping[str, str] = MappingProxyType(
    {
        DnsError.NXDOMAIN: "the number is not in this tree",
        DnsError.NODATA: "the name exists and holds no NAPTR records",
        DnsError.SERVFAIL: "the name server could not answer",
        DnsError.TIMEOUT: "nobody answered in time",
        DnsError.BOGUS: "the answer is forged or its signatures are broken",
        DnsError.UNPROVEN: "the tree must be proven by DNSSEC and is not, so it will not be dialled",
        DnsError.CLOCK: "the tree must be proven by DNSSEC, and that takes a clock that is set",
        NOT_E164: "ENUM takes only whole numbers of the form +441632960083, without separators",
        NO_USABLE_RECORD: "there are records, and none can be used",
    }
)


UNHEARD = frozenset({DnsError.SERVFAIL, DnsError.TIMEOUT, DnsError.BOGUS, DnsError.UNPROVEN, DnsError.CLOCK})
"""Errors after which nobody knows what ENUM would have said."""


@dataclass(frozen=True, slots=True)
class TreeReport:
    """What one tree said, in `took_s` seconds. `error` is a word of ERROR_IN_WORDS, None when services were found.

    `fallback` is what a gateway to the telephone network would be given, None for what is no number. `why` says what
    DNSSEC proves and what not; the answer holds for `ttl_s`, and was not asked for when it was `cached`.
    """

    tree: str
    name: str = ""
    secure: bool | None = None
    why: str = ""
    found: Evaluation = field(default_factory=Evaluation)
    error: str | None = NOT_E164
    detail: str = ""
    fallback: str | None = None
    took_s: float = 0.0
    ttl_s: float = 0.0
    cached: bool = False

    @property
    def dial(self) -> str | None:
        """The URI this phone would call; none that lacks the proof the owner asked for."""
        return None if self.error else dialable(self.found.services)

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "tree": self.tree,
            "secure": self.secure,
            "why": self.why,
            "services": [
                {"service": s.service, "uri": s.uri, "order": s.order, "preference": s.preference}
                for s in self.found.services
            ],
            "discarded": [_discard_json(discard) for discard in self.found.discards if not discard.name],
            "followed": [{"name": d.name} | _discard_json(d) for d in self.found.discards if d.name],
            "error": self.error,
            "detail": self.detail,
            "dial": self.dial,
            "fallback": self.fallback,
            "ms": round(self.took_s * 1000, 1),
            "ttl_s": round(self.ttl_s),
            "cached": self.cached,
        }

    def lines(self) -> Iterator[str]:
        if self.error == NOT_E164:
            yield f"{self.tree}  not asked"
            yield f"  {NOT_E164}: {ERROR_IN_WORDS[NOT_E164]}" + (f" ({_plain(self.detail)})" if self.detail else "")
            return
        proof = {True: "proven by DNSSEC", False: "not proven by DNSSEC", None: "DNSSEC not checked"}[self.secure]
        took = "from the cache" if self.cached else f"{self.took_s * 1000:.0f} ms"
        yield f"{self.tree}  {_plain(self.name)}  {took}, {proof}"
        if self.why:
            yield f"  DNSSEC: {_plain(self.why)}"
        if self.ttl_s:
            yield f"  holds for {self.ttl_s:.0f} s"
        if self.error:
            detail = f" ({_plain(self.detail)})" if self.detail and self.detail != self.why else ""
            yield f"  {self.error}: {ERROR_IN_WORDS[self.error]}{detail}"
        width = max((len(service.service) for service in self.found.services), default=0)
        for service in self.found.services:
            yield f"  {service.order:5} {service.preference:5}  {service.service:{width}}  {service.uri}"
        for discard in self.found.discards:
            where = f" of {_plain(discard.name)}" if discard.name else ""
            detail = f": {_plain(discard.detail)}" if discard.detail else ""
            yield f"  record {discard.index}{where} not used, {IN_WORDS[discard.reason]}{detail}"


@dataclass(frozen=True, slots=True)
class Report:
    """What all trees said about `number`, in the order of the configuration."""

    number: str
    trees: tuple[TreeReport, ...]

    @property
    def best(self) -> TreeReport:
        """The tree the phone would believe: the first that can be dialled, else that has services, else the first."""
        for tree in self.trees:
            if tree.dial:
                return tree
        return next((tree for tree in self.trees if tree.found.services and not tree.error), self.trees[0])

    @property
    def found(self) -> bool:
        """Whether any tree has services for the number."""
        return self.best.error is None

    def as_json(self) -> dict[str, Any]:
        """The best tree's members at the top, and all trees' under `trees`."""
        return {"number": self.number, **self.best.as_json(), "trees": [tree.as_json() for tree in self.trees]}

    def as_text(self) -> str:
        lines = [_plain(self.number)]
        for tree in self.trees:
            lines += ["", *tree.lines()]
        dial = self.best.dial
        lines += ["", f"This phone would call {dial}" if dial else "ENUM offers nothing this phone could call."]
        return "\n".join(lines)


def look_up(number: str, enum: EnumConfig, *, country: str = "", area: str = "") -> Report:
    """Ask every tree of `enum` about `number`, all at once. Blocks for at most the budget.

    Only a number of E.164 is asked for; for another the report says what a person in `country` may have meant.
    Raises DriverError when there is no tree, a tree is no domain name, or a server no address.
    """
    if not enum.trees:
        raise DriverError("no ENUM tree is configured", "Name one: --tree e164.arpa")
    return asyncio.run(_look_up(number, enum, country, area))


async def _look_up(number: str, enum: EnumConfig, country: str, area: str) -> Report:
    resolver = DnsResolver(_nobody_listens, enum)
    resolver.open()
    try:
        e164 = to_e164(number)
        trees = await asyncio.gather(*(_ask(resolver, tree, e164) for tree in enum.trees))
    except DialError:
        detail = _meant(number, country, area)
        return Report(number, tuple(TreeReport(tree, detail=detail) for tree in enum.trees))
    finally:
        resolver.close()
    return Report(number, tuple(trees))


def _meant(number: str, country: str, area: str) -> str:
    try:
        meant = interpret(number, country=country, area=area)
    except DialError:
        return ""
    return f"did you mean {meant.e164}?" if isinstance(meant, Number) else ""


async def _ask(resolver: DnsResolver, tree: str, number: E164) -> TreeReport:
    started = time.perf_counter()
    name = enum_domain(number, tree)
    said = await resolver.lookup(tree, number)
    took_s = time.perf_counter() - started
    found = evaluate(number, said.records, name=name, followed=said.followed)
    error: str | None = said.error
    if error is None and not found.services:
        error = NO_USABLE_RECORD
    otherwise = fallback(number, found.services, looked_up=error not in UNHEARD)
    return TreeReport(
        tree, name, said.secure, said.why, found, error, said.detail, otherwise, took_s, said.ttl_s, said.cached
    )


def _nobody_listens(event: Event) -> None:
    """Take what the driver tells the house: here is no house."""


def _discard_json(discard: Discard) -> dict[str, Any]:
    return {
        "index": discard.index,
        "reason": discard.reason.value,
        "words": IN_WORDS[discard.reason],
        "detail": discard.detail,
    }


def _plain(text: str) -> str:
    """Text of strangers for a terminal: what would move the cursor or turn the writing round is shown as its code."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
