# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Looks numbers up in the trees: each within its budget, from the cache where it can, proven where the owner asks."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dns.name
from dns.rdatatype import RdataType

from omafon.clock import WallClock, system_clock
from omafon.config import EnumConfig
from omafon.core.actions import Action, QueryNaptr
from omafon.core.dialplan import E164
from omafon.core.events import DnsError, Driver, DriverFailed, DriverRecovered, LookupFailed, NaptrReceived
from omafon.core.naptr import Followed, NaptrRecord, enum_domain, follow
from omafon.core.settings import DnssecPolicy
from omafon.drivers.dns.anchors import Anchors
from omafon.drivers.dns.asking import NameServers, Unanswered
from omafon.drivers.dns.cache import Cache
from omafon.drivers.dns.health import Health
from omafon.drivers.dns.prefetch import PACE_S, prefetch
from omafon.drivers.dns.prepared import Prepared, prepared
from omafon.drivers.dns.proof import Proof, Status
from omafon.drivers.dns.reading import LONGEST_TTL_S, Said, naptr_records
from omafon.drivers.dns.servers import Server, SystemServers
from omafon.interfaces import DriverError, Post
from omafon.pages import Page

if TYPE_CHECKING:
    from omafon.drivers.dns.chain import Chain

SILENCE_S = 0.4
"""A tree that has said nothing at all by then costs no more of the budget."""

CACHED_NAMES = 512
FAILED_S = 30.0
"""A failure is believed so long (RFC 2308 section 7.1 allows five minutes, RFC 9520 asks for one second)."""

RETIRED_S = 10.0
"""How long the servers of a former configuration may still answer what they were asked."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Lookup:
    """What a tree said about a number: records, or why there are none, with a `detail` for people.

    `followed` holds the answers of the names that records pointed to. `secure` is whether DNSSEC proves all of it,
    None when it was not asked for, and `why` says why. The answer holds for `ttl_s`; `cached` when it was known.
    Records that are there beside an error must not be dialled: their owner asks for a proof that they lack.
    """

    records: tuple[NaptrRecord, ...] = ()
    followed: Followed = ()
    secure: bool | None = None
    error: DnsError | None = None
    detail: str = ""
    why: str = ""
    ttl_s: float = 0.0
    cached: bool = False


@dataclass(frozen=True, slots=True)
class _Answer:
    """What is known of one name. `proof` is None where nobody asked for one."""

    records: tuple[NaptrRecord, ...] = ()
    error: DnsError | None = None
    detail: str = ""
    proof: Proof | None = None
    ttl_s: float = 0.0
    cached: bool = False


_Key = tuple[dns.name.Name, DnssecPolicy]


class DnsResolver:
    """Everything runs on the loop that calls it; `post` gets one event for each QueryNaptr.

    `numbers` are those of the phone book. Names are absolute and no search list is applied, so no number leaks into a
    local domain. DNSSEC is judged here: what a name server thinks of it (the AD bit) is not looked at.
    """

    def __init__(
        self,
        post: Post,
        enum: EnumConfig,
        *,
        numbers: Iterable[E164] = (),
        wall_clock: WallClock = system_clock,
        resolv_conf: Path = Path("/etc/resolv.conf"),
        prefetch_pace_s: float = PACE_S,
    ) -> None:
        self._post = post
        self._enum = enum
        self._numbers = tuple(numbers)
        self._wall_clock = wall_clock
        self._budget_s = enum.budget_ms / 1000
        self._policies = {_suffix(tree): DnssecPolicy(policy) for tree, policy in enum.dnssec.items()}
        self._system = SystemServers(resolv_conf)
        self._prefetch_pace_s = prefetch_pace_s
        self._configured: tuple[Server, ...] = ()
        self._used: tuple[Server, ...] | None = None
        self._servers: NameServers | None = None
        self._chain: asyncio.Future[Chain] | None = None
        self._health = Health()
        self._clock_was_set = True
        self._cache: Cache[_Key, _Answer] = Cache(CACHED_NAMES)
        self._asked: dict[_Key, tuple[asyncio.Task[Said], asyncio.Task[_Answer]]] = {}
        self._anchors: Anchors = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._background: list[asyncio.Task[Any]] = []
        self._changing: asyncio.Task[Any] | None = None
        self._retired: set[Callable[[], None]] = set()

    def open(self) -> None:
        """Raises DriverError when a tree is no domain name, a server no address, or an anchor no key."""
        self._use(prepared(self._enum))
        self._go_about()

    def configure(self, enum: EnumConfig, *, numbers: Iterable[E164] = ()) -> None:
        """Go on with another [enum] and phone book; its files are read beside the loop, and what is asked is answered.

        Raises nothing: where a file cannot be read any more that could be before, the resolver stays what it was.
        """
        if self._changing is not None:
            self._changing.cancel()
        self._changing = self._begin(self._change(enum, tuple(numbers)), "another configuration")

    async def _change(self, enum: EnumConfig, numbers: tuple[E164, ...]) -> None:
        if (enum.servers, enum.anchors, enum.ca) != (self._enum.servers, self._enum.anchors, self._enum.ca):
            try:
                with ThreadPoolExecutor(1, "prepare") as thread:
                    means = await asyncio.get_running_loop().run_in_executor(thread, prepared, enum)
            except DriverError as error:
                log.error("the directory stays as it was: %s", error.what)
                return
            self._retire()
            self._use(means)
        self._enum, self._numbers = enum, numbers
        self._budget_s = enum.budget_ms / 1000
        self._policies = {_suffix(tree): DnssecPolicy(policy) for tree, policy in enum.dnssec.items()}
        self._go_about()

    def _use(self, means: Prepared) -> None:
        """Ask these servers, and believe these keys, from now on."""
        self._configured, self._anchors, self._chain = means.servers, means.anchors, None
        self._servers = NameServers(self._current_servers, means.context)
        self._cache, self._asked = Cache(CACHED_NAMES), {}

    def _retire(self) -> None:
        """Let what was asked of the old servers be answered, and close them then."""
        servers, chain = self._servers, self._chain
        assert servers is not None

        def end() -> None:
            servers.close()
            _end(chain)
            self._retired.discard(end)

        self._retired.add(end)
        asyncio.get_running_loop().call_later(RETIRED_S, end)

    def _go_about(self) -> None:
        """Have the keys of the trees and the numbers of the phone book at hand."""
        for task in self._background:
            task.cancel()
        self._background.clear()
        checked = [tree for tree in self._enum.trees if self.policy(tree) is not DnssecPolicy.OFF]
        if checked and self._chain is None:
            self._chain = asyncio.get_running_loop().create_task(self._forge(self._anchors), name="chain of trust")
        self._background += [self._begin(self._warm(tree), f"keys of {tree}") for tree in checked]
        if self._numbers:
            wanted = [(tree, number) for number in self._numbers for tree in self._enum.trees]
            self._background.append(
                self._begin(prefetch(self._refresh, wanted, pace_s=self._prefetch_pace_s), "prefetch")
            )

    def close(self) -> None:
        """Give up what is still asked. The sockets are closed once the loop has gone round."""
        tasks: list[asyncio.Future[Any]] = [*self._tasks, *(task for pair in self._asked.values() for task in pair)]
        for task in tasks:
            task.cancel()
        _end(self._chain)
        if self._servers is not None:
            self._servers.close()
        for end in tuple(self._retired):
            end()

    def perform(self, action: Action) -> None:
        if isinstance(action, QueryNaptr):
            self._begin(self._tell(action), f"lookup {action.lookup}")

    def policy(self, tree: str) -> DnssecPolicy:
        """What the owner wants `tree` to prove."""
        return self._policies.get(_suffix(tree), DnssecPolicy.PREFER)

    async def lookup(self, tree: str, number: E164) -> Lookup:
        """What `tree` says about `number`, the names it points to included, within the budget. Never raises."""
        now = self._now()
        tree = _suffix(tree)
        if self._waits_for_clock():
            detail = "the name servers are reached by TLS, and the clock is not set yet"
            return Lookup(error=DnsError.CLOCK, detail=detail)
        skipped_s = self._health.skipped_s(tree, now)
        if skipped_s and self._known(enum_domain(number, tree), self.policy(tree)) is None:
            detail = f"it did not answer before, and is skipped for {skipped_s:.0f} s more"
            return Lookup(error=DnsError.TIMEOUT, detail=detail)
        found = await self._look(tree, number, now + min(SILENCE_S, self._budget_s), now + self._budget_s)
        if found.cached:
            return found  # it says nothing about how the tree is now
        if found.error is DnsError.TIMEOUT:
            if self._current_servers() and self._health.failed(tree, now, self._now()):
                self._begin(self._blame(tree), f"is {tree} dead")
        elif found.error is not DnsError.SERVFAIL:
            self._health.answered(tree)
        return found

    async def _tell(self, action: QueryNaptr) -> None:
        found = await self.lookup(action.tree, action.number)
        if found.error is DnsError.BOGUS:
            log.warning("an answer of %s is forged or broken, and not dialled", action.tree, extra=Page.FORGED.mark)
            log.debug("%s", found.why)  # it names the number
        if found.error is not None:
            self._post(LookupFailed(action.lookup, action.tree, found.error))
        else:
            self._post(NaptrReceived(action.lookup, action.tree, found.records, found.secure, found.followed))

    # One number.

    async def _look(self, tree: str, number: E164, heard_by: float, ends_at: float, *, anew: bool = False) -> Lookup:
        """Ask for the number's own name, and for those its records point to, one after the other."""
        policy = self.policy(tree)
        name = enum_domain(number, tree)
        own = await self._answer(name, policy, heard_by, ends_at, anew=anew)
        answers = [own]
        followed: Followed = ()
        while names := follow(own.records, name=name, followed=followed):
            more = await asyncio.gather(*(self._answer(each, policy, ends_at, ends_at, anew=anew) for each in names))
            for each, answer in zip(names, more, strict=True):
                usable = _is_usable(answer, policy)
                answers += [answer] if usable else []
                heard = answer.error in (None, DnsError.NXDOMAIN, DnsError.NODATA)
                followed += ((each, answer.records if usable and heard else None),)
        ttl_s = min(answer.ttl_s for answer in answers)
        found = Lookup(own.records, followed, None, own.error, own.detail, "", ttl_s, own.cached)
        return _judged(found, answers, policy)

    async def _answer(self, name: str, policy: DnssecPolicy, heard_by: float, ends_at: float, *, anew: bool) -> _Answer:
        """What is known about `name`; the answer must come by `heard_by` and its proof by `ends_at`.

        Who asks for the same at the same time waits along; what comes too late is kept for the next one.
        """
        now = self._now()
        known = self._known(name, policy)
        if known is not None and not anew:
            return known
        key = _key(name, policy)
        if key not in self._asked:
            assert self._servers is not None
            asking = self._servers.ask(key[0], RdataType.NAPTR, signed=policy is not DnssecPolicy.OFF)
            said = self._begin(asking, f"NAPTR of {name}")
            proven = self._begin(self._prove(key, said), f"proof of {name}")
            asked = self._asked
            asked[key] = said, proven
            proven.add_done_callback(lambda _: asked.pop(key, None))
        said, proven = self._asked[key]
        await asyncio.wait({said}, timeout=heard_by - now)
        if said.done():
            await asyncio.wait({proven}, timeout=ends_at - self._now())
        if proven.done():
            return proven.result()
        if not said.done() or said.exception() is not None:
            return _Answer(error=DnsError.TIMEOUT, detail=f"no answer within {(heard_by - now) * 1000:.0f} ms")
        return replace(_read(said.result()), proof=Proof(Status.UNPROVEN, "its proof did not come in time"))

    def _known(self, name: str, policy: DnssecPolicy) -> _Answer | None:
        """What the cache knows about `name`."""
        key, now = _key(name, policy), self._now()
        known = self._cache.get(key, now)
        return replace(known, ttl_s=self._cache.left_s(key, now), cached=True) if known is not None else None

    async def _prove(self, key: _Key, asked: asyncio.Task[Said]) -> _Answer:
        """Read what was said, prove it when that is asked for, and keep it while it holds."""
        # What the servers of a former configuration say late is not kept with what those of the next one say.
        cache, chain = self._cache, self._chain
        try:
            said = await asked
        except Unanswered as error:
            answer = _Answer(error=DnsError.SERVFAIL if error.spoke else DnsError.TIMEOUT, detail=str(error))
            holds_s = FAILED_S if error.spoke else 0.0
        else:
            answer = _read(said)
            holds_s = answer.ttl_s
            if chain is not None and key[1] is not DnssecPolicy.OFF:
                proof = await (await asyncio.shield(chain)).judge(said)
                holds_s = min(holds_s, _holds_s(proof, key[1]))
                answer = replace(answer, proof=proof, ttl_s=holds_s)
        if holds_s:
            cache.keep(key, answer, self._now() + holds_s)
        return answer

    async def _refresh(self, tree: str, number: E164) -> float:
        """Look up past the cache, without haste; returns for how long the answer holds."""
        if self._health.skipped_s(_suffix(tree), self._now()):
            return 0.0
        ends_at = self._now() + 10.0
        return (await self._look(_suffix(tree), number, ends_at, ends_at, anew=True)).ttl_s

    # What is around.

    async def _forge(self, anchors: Anchors) -> "Chain":
        """The chain of trust. What it is made of takes long to import, and is imported beside the loop."""
        assert self._servers is not None
        servers = self._servers
        with ThreadPoolExecutor(1, "import") as thread:
            module = await asyncio.get_running_loop().run_in_executor(thread, import_module, "omafon.drivers.dns.chain")
        chain: Chain = module.Chain(
            lambda name, rdtype: servers.ask(name, rdtype, signed=True), anchors, self._wall_clock
        )
        return chain

    async def _warm(self, tree: str) -> None:
        """Have the tree's keys at hand before the first call."""
        assert self._chain is not None
        await (await asyncio.shield(self._chain)).zone(dns.name.from_text(tree))

    async def _blame(self, tree: str) -> None:
        """Find out whether the tree is dead, or nobody answers: a question every name server has an answer to."""
        assert self._servers is not None
        with suppress(Unanswered):
            await self._servers.ask(dns.name.root, RdataType.NS, signed=False)
        self._health.blame(tree, self._now(), heard_at=self._servers.heard_at)

    def _waits_for_clock(self) -> bool:
        """Whether nobody can be asked until the clock is set. Once it is, what failed before is forgotten."""
        is_set = self._wall_clock().is_set
        if is_set and not self._clock_was_set:
            self._health.forget()
        self._clock_was_set = is_set
        servers = self._current_servers()
        return not is_set and bool(servers) and all(server.certified is not None for server in servers)

    def _current_servers(self) -> tuple[Server, ...]:
        """The owner's servers, or those the system uses now."""
        servers = self._configured or self._system.current()
        if servers != self._used:
            if not servers:
                self._post(DriverFailed(Driver.DNS, "no name server is known"))
            elif self._used == ():
                self._post(DriverRecovered(Driver.DNS))
            self._used = servers
            self._health.forget()
        return servers

    def _begin(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


def _end(chain: "asyncio.Future[Chain] | None") -> None:
    if chain is not None:
        if chain.done() and not chain.cancelled() and chain.exception() is None:
            chain.result().close()
        chain.cancel()


def _key(name: str, policy: DnssecPolicy) -> _Key:
    return dns.name.from_text(name.lower()), policy


def _read(said: Said) -> _Answer:
    if said.rrset is not None:
        return _Answer(naptr_records(said.rrset), ttl_s=min(said.ttl_s, LONGEST_TTL_S))
    return _Answer(error=DnsError.NODATA if said.exists else DnsError.NXDOMAIN, ttl_s=said.ttl_s)


def _holds_s(proof: Proof, policy: DnssecPolicy) -> float:
    """How long the judgement of an answer is not asked for again."""
    if proof.status <= Status.INSECURE:
        return proof.ttl_s
    if proof.status is Status.CLOCK:
        return 0.0  # the clock may be set the next moment
    if proof.status is Status.UNPROVEN and policy is DnssecPolicy.PREFER:
        return LONGEST_TTL_S  # as long as the answer: who prefers a proof can do without
    return FAILED_S


def _is_usable(answer: _Answer, policy: DnssecPolicy) -> bool:
    """Whether an answer may lead to a call."""
    if answer.proof is None:
        return policy is not DnssecPolicy.REQUIRE
    return answer.proof.status is Status.SECURE or (
        policy is DnssecPolicy.PREFER and answer.proof.status is not Status.BOGUS
    )


def _judged(found: Lookup, answers: list[_Answer], policy: DnssecPolicy) -> Lookup:
    """What the owner's policy makes of a lookup whose usable parts are `answers`, the number's own first."""
    proofs = [answer.proof for answer in answers if answer.proof is not None]
    if policy is DnssecPolicy.OFF or (found.error is not None and not proofs):
        return found
    weakest = max(proofs, key=lambda proof: proof.status, default=Proof(Status.UNPROVEN, "nothing proves it"))
    found = replace(found, secure=weakest.status is Status.SECURE, why=weakest.why)
    if weakest.status is Status.BOGUS:
        return replace(found, records=(), followed=(), error=DnsError.BOGUS, detail=weakest.why)
    if policy is DnssecPolicy.REQUIRE and found.error is None and not found.secure:
        error = DnsError.CLOCK if weakest.status is Status.CLOCK else DnsError.UNPROVEN
        return replace(found, error=error, detail=weakest.why)
    return found


def _suffix(tree: str) -> str:
    return tree.strip(".").lower()
