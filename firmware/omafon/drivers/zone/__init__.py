# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The NAPTR records of a name in a zone of the owner: read from its primary server, and changed there.

By dynamic update (RFC 2136) under a shared key (TSIG, RFC 8945), with dnspython. Always over TCP, which no forged
datagram gets between.
"""

import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.tsig
import dns.update
from dns.rdtypes.ANY.TSIG import TSIG
from dns.rdtypes.IN.NAPTR import NAPTR

from omafon.core.naptr import NaptrRecord
from omafon.interfaces import DriverError

TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Key:
    """A key that this phone and the server share; `secret` in base 64."""

    name: str
    algorithm: str
    secret: str = field(repr=False)


class WrongTime(DriverError):
    """The server takes no update from a phone whose clock is `behind_s` seconds behind its own (negative: ahead)."""

    def __init__(self, behind_s: int) -> None:
        way = "behind" if behind_s > 0 else "ahead of"
        super().__init__(
            f"this phone's clock is {_lasting(abs(behind_s))} {way} the server's",
            "Let the phone reach a time server: timedatectl set-ntp true.",
        )
        self.behind_s = behind_s


_SOMEBODY_ELSE = ("somebody changed the name at the same moment", "Try again.")
_NO_UPDATES = (
    "the server takes no dynamic updates",
    "Keep the zone on one that does, as Knot DNS and BIND do, or let its keeper write the records.",
)
_ACL = "the server does not let the key {key} change {name}"
_ACL_CURE = "Let its access rules allow the key NAPTR updates of this name, and check that it knows a key so called."

# What the server answered (RFC 2136 section 2.2, RFC 8945 section 3): what is wrong, and the cure.
_REFUSALS: Mapping[int, tuple[str, str]] = MappingProxyType(
    {
        # A key that may not is told apart from one that is not known by BIND, but not by Knot DNS.
        dns.rcode.BADKEY: (_ACL, _ACL_CURE),
        dns.rcode.REFUSED: (_ACL, _ACL_CURE),
        dns.rcode.BADSIG: (
            "the server's key {key} is another one",
            "Compare key_secret and key_algorithm with what the server has under this name.",
        ),
        dns.rcode.BADTRUNC: ("the server wants a longer signature", "Choose another key_algorithm, there and here."),
        dns.rcode.NOTAUTH: ("the server does not keep the zone {zone}", "Name the primary server of the zone."),
        dns.rcode.NOTZONE: ("{name} is not in the zone {zone}", "Name the zone that holds it."),
        dns.rcode.YXDOMAIN: _SOMEBODY_ELSE,
        dns.rcode.YXRRSET: _SOMEBODY_ELSE,
        dns.rcode.NXRRSET: _SOMEBODY_ELSE,
        dns.rcode.NXDOMAIN: _SOMEBODY_ELSE,
        dns.rcode.NOTIMP: _NO_UPDATES,
        dns.rcode.FORMERR: _NO_UPDATES,
        dns.rcode.SERVFAIL: ("the server could not do it", "Its log says why: may it write the zone's file?"),
    }
)


@dataclass(frozen=True, slots=True)
class Records:
    """All NAPTR records of a name, in any order. None at all have no `ttl_s`."""

    records: frozenset[NaptrRecord] = frozenset()
    ttl_s: int = 0


class Zone:
    """The zone `domain` at its primary `server`, (address, port). Everything here blocks, TIMEOUT_S at most.

    Raises DriverError with what is wrong and a cure; no message holds the key's secret.
    """

    def __init__(self, domain: str, server: tuple[str, int], key: Key) -> None:
        self._domain = domain
        self._server = server
        self._key = key

    def read(self, name: str) -> Records:
        """What the server says about `name`, absolute."""
        query = dns.message.make_query(name, dns.rdatatype.NAPTR, flags=0)
        said = dns.message.from_wire(self._exchange(query.to_wire()), keyring=False)
        if said.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN) or not said.flags & dns.flags.AA:
            what, cure = _REFUSALS[dns.rcode.NOTAUTH]
            raise DriverError(what.format(zone=self._domain), cure)
        wanted = dns.name.from_text(name)
        found = said.get_rrset(said.answer, wanted, dns.rdataclass.IN, dns.rdatatype.NAPTR)
        if found is None:
            return Records()
        return Records(frozenset(_record(cast(NAPTR, rdata)) for rdata in found), found.ttl)

    def replace(self, name: str, new: Records, *, old: Records) -> None:
        """Put `new` in the place of `old`, all or nothing.

        Nothing is changed, and DriverError says so, when `name` no longer holds what was read there.
        """
        self._send(self._update(name, new, old), name)

    def _send(self, update: dns.update.UpdateMessage, name: str) -> None:
        wire = self._exchange(update.to_wire())
        # Looked at before its signature is verified: an answer that refuses the key cannot be signed with it.
        said = dns.message.from_wire(wire, keyring=False)
        tsig = cast(TSIG, said.tsig[0]) if said.tsig else None
        if not update.is_response(said):
            raise DriverError("the server answers something else", "Is it a name server? Check `server`.")
        if tsig and tsig.error == dns.rcode.BADTIME:
            raise WrongTime(int.from_bytes(tsig.other) - tsig.time_signed)
        if tsig and tsig.error:
            raise self._refusal(tsig.error, name)
        if tsig:
            self._verify(wire, update)
        if said.rcode() != dns.rcode.NOERROR:
            raise self._refusal(said.rcode(), name)
        if not tsig:
            raise DriverError("the server's answer is not signed", "It may be forged: ask the keeper of the zone.")

    def point(self, name: str, addresses: Iterable[str], ttl_s: int) -> None:
        """Let `name` lead to exactly these IP addresses: its A and AAAA records, in one update (RFC 2136)."""
        key = dns.tsig.Key(self._key.name, self._key.secret, self._key.algorithm)
        update = dns.update.UpdateMessage(self._domain + ".", keyring=key)
        owner = dns.name.from_text(name)
        update.delete(owner, "A")
        update.delete(owner, "AAAA")
        for address in addresses:
            update.add(owner, ttl_s, "AAAA" if ":" in address else "A", address)
        self._send(update, name)

    def in_words(self, name: str, new: Records, *, old: Records) -> list[str]:
        """The update that `replace` sends, as nsupdate(1) would be told it."""
        lines = [f"server {self._server[0]} {self._server[1]}", f"zone {self._domain}."]
        lines += [f"prereq yxrrset {name} NAPTR {line}" for line in _lines(old)] or [f"prereq nxrrset {name} NAPTR"]
        lines += [f"update delete {name} NAPTR"] if old.records else []
        lines += [f"update add {name} {new.ttl_s} NAPTR {line}" for line in _lines(new)]
        return [*lines, "send"]

    def _update(self, name: str, new: Records, old: Records) -> dns.update.UpdateMessage:
        key = dns.tsig.Key(self._key.name, self._key.secret, self._key.algorithm)
        update = dns.update.UpdateMessage(self._domain + ".", keyring=key)
        owner = dns.name.from_text(name)
        if old.records:
            # Without a TTL (RFC 2136 section 2.4.2).
            update.present(owner, _rdataset(replace(old, ttl_s=0)))
            update.delete(owner, "NAPTR")
        else:
            update.absent(owner, "NAPTR")
        if new.records:
            update.add(owner, _rdataset(new))
        return update

    def _verify(self, wire: bytes, update: dns.update.UpdateMessage) -> None:
        try:
            dns.message.from_wire(wire, keyring=update.keyring, request_mac=update.mac)
        except dns.exception.DNSException as error:
            what = "the server's answer is not signed with the key"
            raise DriverError(what, "It may be forged: ask the keeper of the zone.") from error

    def _refusal(self, code: int, name: str) -> DriverError:
        refusal = _REFUSALS.get(code)
        if refusal is None:
            return DriverError(f"the server refuses: {dns.rcode.to_text(dns.rcode.Rcode.make(code))}", "Read its log.")
        what, cure = refusal
        return DriverError(what.format(key=self._key.name, name=name, zone=self._domain), cure)

    def _exchange(self, wire: bytes) -> bytes:
        """One message there and one back (RFC 1035 section 4.2.2)."""
        where = f"the server {self._server[0]} port {self._server[1]}"
        cure = "Check `server` in [enum.publish], and that it takes TCP."
        try:
            with socket.create_connection(self._server, TIMEOUT_S) as connection, connection.makefile("rb") as answers:
                connection.sendall(len(wire).to_bytes(2) + wire)
                answer = answers.read(int.from_bytes(answers.read(2)))
        except TimeoutError:
            raise DriverError(f"{where} does not answer", cure) from None
        except OSError as error:
            raise DriverError(f"{where} cannot be reached: {error.strerror}", cure) from None
        try:
            dns.message.from_wire(answer, keyring=False)
        except dns.exception.DNSException as error:
            raise DriverError(f"{where} answers, but not with DNS", cure) from error
        return answer


def _rdataset(records: Records) -> dns.rdataset.Rdataset:
    found = dns.rdataset.Rdataset(dns.rdataclass.IN, dns.rdatatype.NAPTR, ttl=records.ttl_s)
    for record in sorted(records.records, key=lambda record: (record.order, record.preference)):
        strings = (text.encode("latin-1") for text in (record.flags, record.services, record.regexp))
        replacement = dns.name.from_text(record.replacement)
        fields = (record.order, record.preference, *strings, replacement)
        # dnspython declares no types here.
        found.add(NAPTR(dns.rdataclass.IN, dns.rdatatype.NAPTR, *fields))  # type: ignore[no-untyped-call]
    return found


def _lines(records: Records) -> list[str]:
    return [rdata.to_text() for rdata in _rdataset(records)]


def _record(rdata: NAPTR) -> NaptrRecord:
    # Latin-1 keeps every octet as it is: what is put back into a prerequisite must be what was read.
    flags, service, regexp = (text.decode("latin-1") for text in (rdata.flags, rdata.service, rdata.regexp))
    return NaptrRecord(rdata.order, rdata.preference, flags, service, regexp, rdata.replacement.to_text())


def _lasting(seconds: int) -> str:
    """
    >>> _lasting(301), _lasting(4000), _lasting(100_000), _lasting(10**9)
    ('5 minutes', '67 minutes', '28 hours', '11574 days')
    """
    for unit, length in (("minutes", 60), ("hours", 3600), ("days", 86_400)):
        count = round(seconds / length)
        if count < 100 or unit == "days":
            break
    return f"{count} {unit}"
