# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Name servers: whether each answers, passes signatures on, and whether the owner's trees can be proven by them."""

import asyncio
import ssl
from collections.abc import Iterator

import dns.name
import dns.rdatatype

from omafon.config import Config, EnumConfig
from omafon.doctor.finding import Finding, note, ok, wrong
from omafon.doctor.machine import Machine
from omafon.drivers.dns.anchors import Anchors, load_anchors
from omafon.drivers.dns.asking import NameServers, Unanswered
from omafon.drivers.dns.chain import Chain
from omafon.drivers.dns.proof import Proof, Status
from omafon.drivers.dns.servers import PORT, Server, SystemServers, parse_server
from omafon.drivers.dns.signature import signatures
from omafon.drivers.dns.tls import tls_context
from omafon.interfaces import DriverError

PATIENCE_S = 3.5

_NO_ANSWER = "Check the network: the router hands out name servers by DHCP, [enum] servers names others."
_STRIPS = 'Many a router knows no DNSSEC. Name another in [enum] servers, as in "tls://9.9.9.9#dns.quad9.net".'


def name_servers(config: Config, machine: Machine) -> Iterator[Finding]:
    """One finding for each server, and one for each tree that is to be proven."""
    try:
        servers = tuple(parse_server(server) for server in config.enum.servers)
        anchors = load_anchors(config.enum.anchors)
        context = tls_context(config.enum.ca) if any(server.certified for server in servers) else None
    except DriverError as error:
        yield wrong("resolver", error.what, error.cure)
        return
    servers = servers or SystemServers(machine.root / "etc/resolv.conf").current()
    if not servers:
        yield wrong("resolver", "no name server is known", _NO_ANSWER)
        return
    yield from asyncio.run(_examined(servers, config.enum, anchors, context, machine))


async def _examined(
    servers: tuple[Server, ...], enum: EnumConfig, anchors: Anchors, context: ssl.SSLContext | None, machine: Machine
) -> list[Finding]:
    asked = [NameServers(lambda server=server: (server,), context) for server in servers]  # type: ignore[misc]
    together = NameServers(lambda: servers, context)
    chain = Chain(lambda name, rdtype: together.ask(name, rdtype, signed=True), anchors, machine.clock)
    trees = [tree for tree in enum.trees if _policy(enum, tree) != "off"]
    try:
        answers = [_server(server, one, anchors, trees) for server, one in zip(servers, asked, strict=True)]
        proofs = [_tree(chain, tree, _policy(enum, tree)) for tree in trees]
        return await asyncio.gather(*answers, *proofs)
    finally:
        chain.close()
        for one in (*asked, together):
            one.close()
        # Two rounds: what was cancelled closes its sockets in the first.
        for _ in range(2):
            await asyncio.sleep(0)


async def _server(server: Server, one: NameServers, anchors: Anchors, trees: list[str]) -> Finding:
    """Whether `server` gives the keys of a zone that is certainly signed, with their signatures."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    zone = _anchored(anchors, trees)
    name = f"{server}".removesuffix(f" port {PORT}")
    try:
        async with asyncio.timeout(PATIENCE_S):
            said = await one.ask(zone, dns.rdatatype.DNSKEY, signed=True)
    except TimeoutError:
        return wrong("resolver", f"{name} does not answer", _NO_ANSWER)
    except Unanswered as error:
        if not error.spoke:
            said_why = str(error).removeprefix(f"{server}: ")
            reason = "does not answer" if said_why == "no answer" else f"cannot be reached: {said_why}"
            return wrong("resolver", f"{name} {reason}", _NO_ANSWER)
        why = str(error).removeprefix(f"{server}: ")
        if trees and await _knows(one, trees[0]):
            return note("resolver", f"{name} answers for {trees[0]} alone, and not for {zone}: {why}", _STRIPS)
        return wrong("resolver", f"{name} answers, but not this phone's questions: {why}", _NO_ANSWER)
    took = f"answers in {round(1000 * (loop.time() - began))} ms"
    signed = said.rrset is not None and bool(signatures(said.response.answer, said.rrset))
    if trees and not signed:
        return note("resolver", f"{name} {took}, and strips the signatures of DNSSEC", _STRIPS)
    return ok("resolver", f"{name} {took}" + (", with signatures" if signed else ""))


async def _knows(one: NameServers, tree: str) -> bool:
    """Whether the server of `one` answers for a zone at all: one of the family's own need not know the world."""
    try:
        async with asyncio.timeout(PATIENCE_S / 2):
            await one.ask(dns.name.from_text(tree), dns.rdatatype.SOA, signed=False)
    except (TimeoutError, Unanswered):
        return False
    return True


async def _tree(chain: Chain, tree: str, policy: str) -> Finding:
    try:
        async with asyncio.timeout(PATIENCE_S):
            proof = (await chain.zone(dns.name.from_text(tree))).proof
    except TimeoutError:
        proof = Proof(Status.UNPROVEN, f"the keys of {tree} do not come")
    required = policy == "require"
    call = "Its numbers are not dialled." if required else "Its numbers are dialled all the same."
    match proof.status:
        case Status.SECURE:
            return ok("dnssec", f"{tree} is signed and proven")
        case Status.INSECURE if required:
            return wrong("dnssec", f"{tree} must be proven and is not: {proof.why}", "Sign it, or name its anchor.")
        case Status.INSECURE:
            return ok("dnssec", f"{tree} is not signed, and need not be")
        case Status.CLOCK:
            cure = "It is proven by itself once a time server has set the clock: timedatectl timesync-status."
            return note("dnssec", f"{tree} is signed, but the clock is not set: {proof.why}", cure)
        case Status.BOGUS:
            cure = "Somebody forges it, or its owner has made a mistake in signing. Its numbers are not dialled."
            return wrong("dnssec", f"what the name servers say of {tree} is not true: {proof.why}", cure)
        case _:
            make = wrong if required else note
            return make("dnssec", f"{tree} cannot be proven: {proof.why}", f"{_STRIPS} {call}")


def _anchored(anchors: Anchors, trees: list[str]) -> dns.name.Name:
    """A zone whose keys the phone knows: the one around the first tree, or else the root."""
    for tree in trees:
        name = dns.name.from_text(tree)
        around = max((zone for zone in anchors if name.is_subdomain(zone)), key=len)
        if around != dns.name.root:
            return around
    return dns.name.root


def _policy(enum: EnumConfig, tree: str) -> str:
    policies = {zone.strip(".").lower(): policy for zone, policy in enum.dnssec.items()}
    return policies.get(tree.strip(".").lower(), "prefer")
