# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The chain of trust from a configured anchor to an answer, built from below (RFC 4035 section 5).

A signature names its zone, the zone's DS record is signed by the zone above, and so on up to an anchor. Where a link
is missing the zone above must prove that it has none; only then an answer is INSECURE. What servers hint at, signers
and SOA records, decides where to look and never what is true.
"""

import asyncio
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, replace
from typing import Protocol, cast

import dns.name
import dns.rdatatype
import dns.rrset
from dns.rdatatype import RdataType
from dns.rdtypes.ANY.DNSKEY import DNSKEY
from dns.rdtypes.ANY.DS import DS
from dns.rdtypes.ANY.NSEC import NSEC
from dns.rdtypes.ANY.NSEC3 import NSEC3
from dns.rdtypes.ANY.RRSIG import RRSIG

from omafon.clock import WallClock
from omafon.drivers.dns.anchors import Anchors
from omafon.drivers.dns.asking import Unanswered
from omafon.drivers.dns.cache import Cache
from omafon.drivers.dns.denial import Denial, Denied, Nsec3Denial, NsecDenial, denied, expanded, has_too_many_rounds
from omafon.drivers.dns.proof import Proof, Status, worst
from omafon.drivers.dns.reading import Said, Section
from omafon.drivers.dns.signature import Signed, check, named, provable, signatures, usable_keys

KEPT_ZONES = 128
SHORTEST_S = 10.0
"""A zone's keys are used at least so long: a call asks for them several times."""

FAILED_S = 30.0
"""What could not be proven is tried again after this (RFC 9520 section 3.2)."""

PATIENCE_S = 5.0
MOST_DENIALS = 12
"""NSEC or NSEC3 records of one answer that are looked at; an honest one needs four."""


class Ask(Protocol):
    """Asks for records and their signatures; raises Unanswered."""

    def __call__(self, name: dns.name.Name, rdtype: RdataType) -> Coroutine[None, None, Said]: ...


@dataclass(frozen=True, slots=True)
class Zone:
    """What is known of a zone: its keys when it is signed, and their proof."""

    name: dns.name.Name
    proof: Proof
    keys: tuple[DNSKEY, ...] = ()

    @property
    def status(self) -> Status:
        return self.proof.status


class Chain:
    """Judges answers. Everything it learns of zones it keeps while it holds, and every zone is asked for once."""

    def __init__(self, ask: Ask, anchors: Anchors, clock: WallClock) -> None:
        self._ask = ask
        self._anchors = anchors
        self._clock = clock
        self._zones: Cache[dns.name.Name, Zone] = Cache(KEPT_ZONES)
        self._sought: dict[dns.name.Name, asyncio.Task[Zone]] = {}

    async def judge(self, said: Said) -> Proof:
        """Whether what was said is proven: every alias, and the records at their end or that there are none."""
        answer, authority = said.response.answer, said.response.authority
        try:
            proofs = [await self._records(link, answer, authority) for link in said.links]
            if said.rrset is not None:
                proofs.append(await self._records(said.rrset, answer, authority))
            else:
                proofs.append(await self._nothing(said))
        except Unanswered as error:
            return Proof(Status.UNPROVEN, f"the proof cannot be had: {error}", 0.0)
        proof = worst(proofs)
        return replace(proof, why=f"signed by {' < '.join(proof.zones)}") if proof.status is Status.SECURE else proof

    async def zone(self, name: dns.name.Name) -> Zone:
        """The zone `name`, or the one it lies in when it is none. Never raises."""
        known = self._zones.get(name, _now())
        if known is not None:
            return known
        task = self._sought.get(name)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._seek(name), name=f"keys of {name}")
            self._sought[name] = task
            task.add_done_callback(lambda _: self._sought.pop(name, None))
        return await asyncio.shield(task)

    def close(self) -> None:
        for task in self._sought.values():
            task.cancel()

    # Records.

    async def _records(self, rrset: dns.rrset.RRset, answer: Section, authority: Section) -> Proof:
        """The proof of records that are there."""
        made = signatures(answer, rrset)
        # The DS records of a zone belong to the zone above it (RFC 4035 section 2.4).
        place = rrset.name.parent() if rrset.rdtype == RdataType.DS else rrset.name
        failed: Proof | None = None
        for signer in self._signers((signature.signer for signature in made), place):
            zone = await self.zone(signer)
            if not zone.keys:
                proof = zone.proof
            elif zone.name != signer:
                proof = Proof(Status.BOGUS, f"{signer}, which signed {rrset.name}, is no zone")
            else:
                signed = await self._checked(rrset, made, signer, zone.keys)
                proof = worst([zone.proof, signed.proof])
                # RFC 4035 section 5.3.4: out of a wildcard.
                if proof.status < Status.BOGUS and signed.labels < _labels(rrset.name):
                    proof = worst([proof, await self._no_closer(rrset.name, signed.labels, authority, zone)])
            if proof.status <= Status.INSECURE:
                return proof
            if failed is None or proof.status < failed.status:
                failed = proof
        if failed is not None:
            return failed
        why = f"the {dns.rdatatype.to_text(rrset.rdtype)} of {rrset.name} is not signed"
        return _unsigned_in(await self._around(place, None), why)

    async def _no_closer(self, name: dns.name.Name, labels: int, authority: Section, zone: Zone) -> Proof:
        """The proof that only a wildcard can answer for `name`."""
        proof, denials = await self._denials(authority, zone)
        if proof.status not in (Status.SECURE, Status.CLOCK):
            return proof
        for denial in denials:
            match expanded(name, labels, denial):
                case Denied.NAME:
                    return proof
                case Denied.OPTED_OUT:
                    return _at_best_insecure(proof, f"{zone.name} does not sign all that is below it")
        return Proof(Status.BOGUS, f"nothing proves that the wildcard answers for {name}")

    # That there are none.

    async def _nothing(self, said: Said) -> Proof:
        """The proof that there are no such records."""
        zone, proof, how = await self._denied(said, said.name)
        match how:
            case Denied.NAME | Denied.TYPE:
                return proof
            case Denied.OPTED_OUT:
                return _at_best_insecure(proof, f"{zone.name} does not sign all that is below it")
            case Denied.NOTHING if zone.keys and proof.status in (Status.SECURE, Status.CLOCK):
                return Proof(Status.BOGUS, f"{zone.name} is signed, and does not prove that there are no such records")
        return proof

    async def _denied(self, said: Said, place: dns.name.Name) -> tuple[Zone, Proof, Denied]:
        """The zone at or above `place` that denies, the proof of what it says, and what that is."""
        authority = said.response.authority
        signers = [
            signature.signer
            for rrset in authority
            if rrset.rdtype in (RdataType.NSEC, RdataType.NSEC3)
            for signature in signatures(authority, rrset)
        ]
        for signer in self._signers(signers, place)[:1]:
            zone = await self.zone(signer)
            if not zone.keys or zone.name != signer:
                return zone, zone.proof, Denied.NOTHING
            proof, denials = await self._denials(authority, zone)
            if proof.status not in (Status.SECURE, Status.CLOCK):
                return zone, proof, Denied.NOTHING
            said_so = (denied(said.name, said.rdtype, denial) for denial in denials)
            return zone, proof, next((how for how in said_so if how is not Denied.NOTHING), Denied.NOTHING)
        hint = said.soa if said.soa is not None and place.is_subdomain(said.soa) else None
        zone = await self._around(place, hint)
        why = f"nothing signed says that there is no {dns.rdatatype.to_text(said.rdtype)} of {said.name}"
        return zone, _unsigned_in(zone, why), Denied.NOTHING

    async def _denials(self, authority: Section, zone: Zone) -> tuple[Proof, tuple[Denial, ...]]:
        """What the NSEC and NSEC3 records of a signed zone deny, and their proof. Bad ones are left out."""
        rrsets = [rrset for rrset in authority if rrset.rdtype in (RdataType.NSEC, RdataType.NSEC3)][:MOST_DENIALS]
        nsec: list[tuple[dns.name.Name, NSEC]] = []
        nsec3: list[tuple[dns.name.Name, NSEC3]] = []
        proofs = [zone.proof]
        failed = Proof(Status.BOGUS, f"{zone.name} is signed, and nothing that it denies is")
        for rrset in rrsets:
            signed = await self._checked(rrset, signatures(authority, rrset), zone.name, zone.keys)
            if signed.proof.status is Status.BOGUS:
                failed = signed.proof
            elif signed.labels == _labels(rrset.name):  # none of them may come out of a wildcard
                proofs.append(signed.proof)
                if rrset.rdtype == RdataType.NSEC:
                    nsec.append((rrset.name, cast(NSEC, rrset[0])))
                else:
                    nsec3.append((rrset.name, cast(NSEC3, rrset[0])))
        proof = worst(proofs) if nsec or nsec3 else failed
        if any(has_too_many_rounds(record) for _, record in nsec3):
            proof = _at_best_insecure(proof, f"{zone.name} hashes its names more often than we follow")
        return proof, (NsecDenial(zone.name, nsec), Nsec3Denial(zone.name, nsec3))

    async def _around(self, place: dns.name.Name, hint: dns.name.Name | None) -> Zone:
        """The zone that `place` lies in, `hint` may be; known ones above that are unsigned answer for all below."""
        anchor = self._anchor_above(place)
        above = place
        while above != anchor:
            known = self._zones.get(above, _now())
            if known is not None and known.status is Status.INSECURE:
                return known
            above = above.parent()
        if hint is None:
            said = await self._ask(place, RdataType.SOA)
            hint = said.rrset.name if said.rrset is not None else said.soa
        if hint is None or not place.is_subdomain(hint) or not hint.is_subdomain(anchor):
            hint = place
        return await self.zone(hint)

    # Zones.

    async def _seek(self, name: dns.name.Name) -> Zone:
        try:
            async with asyncio.timeout(PATIENCE_S):
                zone = await self._anchored(name) if name in self._anchors else await self._delegated(name)
        except Unanswered as error:
            zone = Zone(name, Proof(Status.UNPROVEN, f"the keys of {name} cannot be had: {error}", FAILED_S))
        except TimeoutError:
            zone = Zone(name, Proof(Status.UNPROVEN, f"the keys of {name} do not come", FAILED_S))
        match zone.status:
            case Status.SECURE | Status.INSECURE:
                holds_s = max(zone.proof.ttl_s, SHORTEST_S)
            case Status.UNPROVEN | Status.BOGUS:
                holds_s = FAILED_S
            case Status.CLOCK:
                holds_s = 0.0
        self._zones.keep(name, zone, _now() + holds_s)
        return zone

    async def _anchored(self, name: dns.name.Name) -> Zone:
        anchors = provable(self._anchors[name])
        if not anchors:
            return Zone(name, Proof(Status.INSECURE, f"the anchor of {name} is of a kind that proves nothing"))
        said = await self._ask(name, RdataType.DNSKEY)
        return await self._keyed(name, anchors, f"the anchor of {name}", said, Proof(Status.SECURE, "an anchor"))

    async def _delegated(self, name: dns.name.Name) -> Zone:
        """By the DS records that the zone above holds and signs, or by the proof that there are none."""
        # Most likely the keys will be needed too: they are asked for at once, and waited for when they are.
        asked = asyncio.get_running_loop().create_task(self._ask(name, RdataType.DNSKEY))
        asked.add_done_callback(_seen)
        said = await self._ask(name, RdataType.DS)
        if said.links:
            return await self._around(name.parent(), None)  # an alias is no zone
        if said.rrset is None:
            return await self._without_ds(name, said)
        proof = await self._records(said.rrset, said.response.answer, said.response.authority)
        if proof.status not in (Status.SECURE, Status.CLOCK):
            return Zone(name, proof)
        anchors = provable(cast(Iterable[DS], said.rrset))
        if not anchors:
            return Zone(name, _at_best_insecure(proof, f"{name} is signed in a way that proves nothing here"))
        return await self._keyed(name, anchors, f"the DS record of {name}", await asked, proof)

    async def _without_ds(self, name: dns.name.Name, said: Said) -> Zone:
        above, proof, how = await self._denied(said, name.parent())
        match how:
            case Denied.TYPE:
                return above  # no zone begins here
            case Denied.DELEGATED | Denied.OPTED_OUT:
                return Zone(name, _at_best_insecure(proof, f"{above.name} delegates {name} without a key"))
            case Denied.NAME:
                return Zone(name, Proof(Status.BOGUS, f"{above.name} proves that there is no {name}"))
        if above.keys and proof.status in (Status.SECURE, Status.CLOCK):
            return Zone(name, Proof(Status.BOGUS, f"{above.name} does not prove that {name} has no key"))
        return Zone(name, proof)

    async def _keyed(self, name: dns.name.Name, anchors: tuple[DS, ...], by: str, said: Said, above: Proof) -> Zone:
        """The zone `name`, by keys that `anchors` name; `above` is the proof of these."""
        made = signatures(said.response.answer, said.rrset) if said.rrset is not None and not said.links else []
        if said.rrset is None or not made:
            # A name server that knows nothing of DNSSEC has no signatures of an anchor either.
            status = Status.UNPROVEN if name in self._anchors else Status.BOGUS
            return Zone(name, Proof(status, f"the name server gives no signed keys of {name}"))
        keys = usable_keys(said.rrset)
        trusted = named(name, keys, anchors)
        if not trusted:
            return Zone(name, Proof(Status.BOGUS, f"{by} names none of its keys"))
        signed = await self._checked(said.rrset, made, name, trusted)
        proof = replace(worst([signed.proof, above]), zones=(name.to_text(), *above.zones))
        return Zone(name, proof, keys if proof.status in (Status.SECURE, Status.CLOCK) else ())

    async def _checked(
        self, rrset: dns.rrset.RRset, made: list[RRSIG], zone: dns.name.Name, keys: tuple[DNSKEY, ...]
    ) -> Signed:
        # The loop goes round between two checks: each may take some milliseconds on a small Pi.
        await asyncio.sleep(0)
        return check(rrset, made, zone, keys, self._clock())

    # Where to look.

    def _signers(self, signers: Iterable[dns.name.Name], place: dns.name.Name) -> list[dns.name.Name]:
        """Those that may sign for `place`, the closest first: a zone around it, and not above the closest anchor.

        An anchor is its owner's word that the zone is signed: what an unsigned zone above says cannot undo it.
        """
        anchor = self._anchor_above(place)
        fit = {signer for signer in signers if place.is_subdomain(signer) and signer.is_subdomain(anchor)}
        return sorted(fit, key=len, reverse=True)[:2]

    def _anchor_above(self, name: dns.name.Name) -> dns.name.Name:
        while name not in self._anchors:
            name = name.parent()  # the root is always one
        return name


def _unsigned_in(zone: Zone, why: str) -> Proof:
    """The proof of something unsigned: right where the zone is not signed, and only there."""
    return Proof(Status.BOGUS, f"{why}, and {zone.name} is") if zone.keys else zone.proof


def _at_best_insecure(proof: Proof, why: str) -> Proof:
    return worst([proof, Proof(Status.INSECURE, why)])


def _seen(task: asyncio.Task[Said]) -> None:
    """Take note of a failure that nobody waits for."""
    if not task.cancelled():
        task.exception()


def _labels(name: dns.name.Name) -> int:
    """Labels as an RRSIG counts them: without the root and a wildcard's star (RFC 4034 section 3.1.3)."""
    return len(name) - 1 - name.is_wild()


def _now() -> float:
    return asyncio.get_running_loop().time()
