# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Tells the phone that there is another configuration, and looks until it is well with it, or will not be."""

from collections.abc import Callable
from dataclasses import dataclass

from omafon.client import Json, NoDaemon, Refused
from omafon.provision.health import Demands, Finding, findings
from omafon.provision.world import World

WITHIN_S = 60.0
"""So long after the phone was told, or a call has ended, it must be well."""

CALL_MAY_LAST_S = 3600.0
"""So long a change waits for the end of a call that it would cut off."""

SETTLED_S = 1.0
"""So long it must stay good: a sound card that does not open is told a moment after the start."""

FINAL_S = 3.0
"""So long a "no" must stay before it is believed."""

LOOK_EVERY_S = 0.25

GREET_EVERY_S = 5.0
"""The SSH server is asked no more often: it logs who only wants to be greeted, and shuts out who comes often."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What was found in the end; `gone` when no phone answered."""

    checks: tuple[Finding, ...]
    gone: NoDaemon | None = None

    @property
    def good(self) -> bool:
        return all(check.good for check in self.checks)

    @property
    def why(self) -> str:
        return "; ".join(str(check) for check in self.checks if not check.good)


def settle(world: World, wanted: Demands, *, now: bool, on_call: Callable[[float], None] | None = None) -> Settled:
    """`on_call` is told when a call is waited for, and how many seconds at most."""
    return _Looking(world, wanted, now=now, on_call=on_call).to_the_end()


class _Looking:
    def __init__(self, world: World, wanted: Demands, *, now: bool, on_call: Callable[[float], None] | None) -> None:
        self._world = world
        self._wanted = wanted
        self._now = now
        self._on_call = on_call
        self._told = False
        self._taken = False
        self._until = world.clock.boottime() + WITHIN_S
        self._good_since: float | None = None
        self._final_since: float | None = None
        self._greeted_at: float | None = None
        self._greets = False
        self._call_goes_on = False
        self._waited_for = ""

    def to_the_end(self) -> Settled:
        while True:
            found = self._look()
            instant = self._world.clock.boottime()
            self._good_since = self._since(self._good_since, instant, found.good)
            final = any(check.final for check in found.checks)
            self._final_since = self._since(self._final_since, instant, final)
            if any(
                (
                    self._good_since is not None and instant >= self._good_since + SETTLED_S,
                    self._final_since is not None and instant >= self._final_since + FINAL_S,
                    final and not self._told,
                    instant >= self._until,
                )
            ):
                return found
            self._say_what_for(found)
            self._world.clock.sleep(LOOK_EVERY_S)

    def _look(self) -> Settled:
        try:
            if not self._told:
                self._tell()
            status = self._world.phone.status()
        except Refused as error:
            return Settled((Finding("the configuration", False, error.what, final=True),))
        except NoDaemon as error:
            # It starts anew, or is started: what it was to be told it reads at its beginning.
            return Settled((Finding("the phone", False, str(error)),), error)
        return Settled(self._found(status))

    def _tell(self) -> None:
        answer = self._world.phone.reload(now=self._now)
        self._told = True
        if answer.get("taken") == "when the call has ended":
            self._until = self._world.clock.boottime() + CALL_MAY_LAST_S
            self._call_goes_on = True
            self._world.say("a call goes on; the phone takes it when that has ended (--now would not wait)")
            if self._on_call is not None:
                self._on_call(CALL_MAY_LAST_S + WITHIN_S)

    def _found(self, status: Json) -> tuple[Finding, ...]:
        found = findings(self._wanted, status, ssh=None)
        if found[0].good and not self._taken:
            self._taken, self._call_goes_on = True, False
            self._until = self._world.clock.boottime() + WITHIN_S
        if self._wanted.ssh and all(finding.good for finding in found):
            found = findings(self._wanted, status, ssh=self._is_greeted())
        return found

    def _is_greeted(self) -> bool:
        instant = self._world.clock.boottime()
        if self._greeted_at is None or instant >= self._greeted_at + GREET_EVERY_S:
            self._greeted_at, self._greets = instant, self._world.greets()
        return self._greets

    def _say_what_for(self, found: Settled) -> None:
        if found.why and found.why != self._waited_for and not self._call_goes_on:
            self._world.say(f"waiting for {found.why}")
        self._waited_for = found.why

    @staticmethod
    def _since(before: float | None, instant: float, so: bool) -> float | None:
        if not so:
            return None
        return instant if before is None else before
