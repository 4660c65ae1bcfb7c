# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""URIs judged by their grammars: what may be listed (RFC 3986, 3261, 3966), and what may be put into an INVITE."""

import re
from dataclasses import dataclass, replace
from enum import StrEnum

LONGEST = 2048
"""Characters of a URI; the longest that 255 octets of rule make of 16 octets of number has about 2,000."""


class UriFault(StrEnum):
    """What is wrong with a URI."""

    NOT_ABSOLUTE = "not-absolute-uri"
    NON_ASCII = "non-ascii-uri"
    TOO_LONG = "uri-too-long"
    BAD_SIP = "bad-sip-uri"
    BAD_TEL = "bad-tel-uri"
    TEL_WITHOUT_CONTEXT = "tel-without-context"
    TEL_UNKNOWN_MANDATORY = "tel-unknown-mandatory-param"


class UriError(ValueError):
    """The text is no URI the phone accepts; `fault` says why."""

    def __init__(self, fault: UriFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


# Every pattern below is free of nested or adjoining repetition of the same characters, so `re` stays linear.

_PCT = "%[0-9A-Fa-f]{2}"
_UNRESERVED = r"A-Za-z0-9_.!~*'()\-"  # of RFC 3261: it counts the marks of RFC 2396 in
_PCHAR = rf"(?:[A-Za-z0-9_.~!$&'()*+,;=:@-]|{_PCT})"
_ABSOLUTE = re.compile(
    rf"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):"
    rf"(?://(?:(?:[A-Za-z0-9_.~!$&'()*+,;=:-]|{_PCT})*@)?"
    rf"(?:\[[0-9A-Fa-f:.]+\]|(?:[A-Za-z0-9_.~!$&'()*+,;=-]|{_PCT})*)(?::[0-9]*)?(?:/{_PCHAR}*)*"
    rf"|/(?:{_PCHAR}+(?:/{_PCHAR}*)*)?"
    rf"|{_PCHAR}+(?:/{_PCHAR}*)*"
    rf"|)"
    rf"(?:\?(?:[/?]|{_PCHAR})*)?"
)

_SIP = re.compile(
    rf"(?P<scheme>[Ss][Ii][Pp][Ss]?):"
    rf"(?:(?P<user>(?:[{_UNRESERVED}&=+$,;?/]|{_PCT})+(?::(?:[{_UNRESERVED}&=+$,]|{_PCT})*)?)@)?"
    rf"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)"
    rf"(?::(?P<port>[0-9]{{1,5}}))?"
    rf"(?P<parameters>(?:;(?:[{_UNRESERVED}\[\]/:&+$]|{_PCT})+(?:=(?:[{_UNRESERVED}\[\]/:&+$]|{_PCT})+)?)*)"
    rf"(?P<headers>\?(?:[{_UNRESERVED}\[\]/?:+$=&]|{_PCT})+)?"
)

_TEL_PARAMETER = rf";(?:[A-Za-z0-9-]+)(?:=(?:[{_UNRESERVED}\[\]/:&+$]|{_PCT})+)?"
_TEL = re.compile(rf"[Tt][Ee][Ll]:(?P<number>[+]?[0-9A-Fa-f*().-]+)(?P<parameters>(?:{_TEL_PARAMETER})*)")

_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")


@dataclass(frozen=True, slots=True)
class SipAddress:
    """A SIP or SIPS URI taken apart (RFC 3261 section 19.1). `user` includes its parameters and password.

    `parameters` are as written, without the semicolons; `headers` were there or not, and are never kept.
    """

    secure: bool
    user: str
    host: str
    port: int | None
    parameters: tuple[str, ...]
    headers: bool = False

    def __str__(self) -> str:
        user = f"{self.user}@" if self.user else ""
        port = f":{self.port}" if self.port is not None else ""
        return f"{'sips' if self.secure else 'sip'}:{user}{self.host}{port}{''.join(f';{p}' for p in self.parameters)}"


def parse_sip(text: str) -> SipAddress:
    """Take a SIP or SIPS URI apart; raises UriError when it is none, or its host cannot be one."""
    found = _SIP.fullmatch(text)
    if len(text) > LONGEST or found is None or not _is_host(found["host"]):
        raise UriError(UriFault.TOO_LONG if len(text) > LONGEST else UriFault.BAD_SIP)
    port = int(found["port"]) if found["port"] else None
    if port is not None and not 0 < port < 65536:
        raise UriError(UriFault.BAD_SIP)
    parameters = tuple(found["parameters"].split(";")[1:])
    secure = found["scheme"].lower() == "sips"
    return SipAddress(secure, found["user"] or "", found["host"], port, parameters, found["headers"] is not None)


def dialable(address: SipAddress) -> str:
    """The URI to put into an INVITE: no headers, no `method`, for whoever wrote them would write our request."""
    kept = tuple(p for p in address.parameters if p.partition("=")[0].lower() != "method")
    return str(replace(address, parameters=kept, headers=False))


def check(text: str) -> str:
    """The scheme, in lower case, of an absolute URI that may be shown to a person.

    RFC 3986 section 4.3, so without a fragment; ASCII; a `sip` URI needs a host, a `tel` URI a '+' or a
    phone-context (RFC 3966 section 5.1.5) and no mandatory parameter that is unknown (section 5.4).

    Raises UriError.
    """
    if len(text) > LONGEST:
        raise UriError(UriFault.TOO_LONG)
    if not text.isascii():
        raise UriError(UriFault.NON_ASCII)
    scheme = text.partition(":")[0].lower()
    if scheme in ("sip", "sips"):
        # Their IPv6 references stand where RFC 3986 allows no brackets, so RFC 3261 alone is the judge.
        if not _only_uri_characters(text):
            raise UriError(UriFault.NOT_ABSOLUTE)
        parse_sip(text)
        return scheme
    if not _ABSOLUTE.fullmatch(text):
        raise UriError(UriFault.NOT_ABSOLUTE)
    if scheme == "tel":
        _check_tel(text)
    return scheme


def tel_number(text: str) -> str | None:
    """The global number of a `tel` URI without its visual separators (RFC 3966 section 4), None when it has none.

    >>> tel_number("tel:+46-8-9761234;npdi")
    '+4689761234'
    """
    found = _TEL.fullmatch(text)
    if found is None or not found["number"].startswith("+"):
        return None
    return re.sub("[-.()]", "", found["number"])


def _check_tel(text: str) -> None:
    found = _TEL.fullmatch(text)
    if found is None or not re.search("[0-9A-Fa-f*]", found["number"]):
        raise UriError(UriFault.BAD_TEL)
    names = [parameter.partition("=")[0].lower() for parameter in found["parameters"].split(";")[1:]]
    if found["number"].startswith("+"):
        if not re.fullmatch(r"\+[0-9().-]*[0-9][0-9().-]*", found["number"]):
            raise UriError(UriFault.BAD_TEL)
    elif "phone-context" not in names:
        raise UriError(UriFault.TEL_WITHOUT_CONTEXT)
    if any(name.startswith("m-") for name in names):
        raise UriError(UriFault.TEL_UNKNOWN_MANDATORY)


def _only_uri_characters(text: str) -> bool:
    return re.fullmatch(rf"(?:[A-Za-z0-9_.~!$&'()*+,;=:@/?\[\]-]|{_PCT})*", text) is not None


def _is_host(host: str) -> bool:
    """Whether `host` is an IPv6 reference, an IPv4 address or a host name (RFC 3261 section 25.1)."""
    if host.startswith("["):
        return _is_ipv6(host[1:-1])
    labels = host.removesuffix(".").split(".")
    if labels[-1].isdigit():
        return len(labels) == 4 and not host.endswith(".") and _is_ipv4(labels)
    return len(host) <= 254 and all(_LABEL.fullmatch(label) for label in labels)


def _is_ipv4(parts: list[str]) -> bool:
    return all(part.isdigit() and len(part) <= 3 and int(part) < 256 for part in parts)


def _is_ipv6(text: str) -> bool:
    head, gap, tail = text.partition("::")
    if "::" in tail or (gap and (head.endswith(":") or tail.startswith(":"))):
        return False
    groups = [group for side in (head, tail) if side for group in side.split(":")]
    if groups and "." in groups[-1]:
        parts = groups.pop().split(".")
        if len(parts) != 4 or not _is_ipv4(parts):
            return False
        groups += ["0", "0"]
    short = all(re.fullmatch("[0-9A-Fa-f]{1,4}", group) for group in groups)
    return short and (len(groups) < 8 if gap else len(groups) == 8)
