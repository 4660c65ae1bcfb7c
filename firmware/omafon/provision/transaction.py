# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Apply, confirm, roll back: a change is checked, staged, switched to, looked at, and kept or taken back.

Whatever ends this program at whatever instant, the configuration on the disk is the old one or the new one; and as long
as `unconfirmed.json` is there, the old one comes back: by who watches it, at the next boot, or with the next change.
"""

from omafon.board import load_board
from omafon.client import NoDaemon
from omafon.config import Config, ConfigError, Problem, load, parse
from omafon.provision import waiting
from omafon.provision.generations import ROLLED_BACK, Generations
from omafon.provision.health import Demands, Good, back, forward, good
from omafon.provision.report import Outcome, Report
from omafon.provision.secrets import Parted, part, part_if_possible
from omafon.provision.settling import WITHIN_S, Settled, settle
from omafon.provision.waiting import Waiting
from omafon.provision.world import World

# What may take its time beside the looking: a phone that answers late, a slow card.
_MARGIN_S = 30.0
_WATCH_WITHIN_S = 15.0


class Refusal(Exception):
    """Nothing was changed: `what` stands against it, and the `cure`; `busy` when it may go later."""

    def __init__(self, what: str, cure: str, *, busy: bool = False) -> None:
        super().__init__(what)
        self.what = what
        self.cure = cure
        self.busy = busy


class Transaction:
    """Changes of the configuration in `generations`.

    Methods raise Busy and Refusal before anything was changed, and OSError.
    """

    def __init__(self, generations: Generations, world: World) -> None:
        self._generations = generations
        self._world = world

    # What an owner may ask for.

    def apply(
        self, text: str, name: str, *, confirm_within_s: float | None = None, now: bool = False, offline: bool = False
    ) -> Report:
        """Make `text`, which errors call `name`, the configuration, if it does no harm.

        Raises ConfigError, and NoDaemon when no phone answers and it is not `offline`.
        """
        load_board(parse(text, name).phone.board)
        parted = part(text)
        with self._generations.locked():
            if not offline:
                self._world.phone.status()
            self._tidy()
            current = self._generations.current()
            if current is not None:
                parted = parted.with_known(self._generations.secrets(current))
            same = current is not None and self._holds(current, parted)
            if offline:
                return self._unlooked(current, parted, name, same=same)
            if same:
                return self._unchanged(current)
            return self._change(parted, confirm_within_s, now=now)

    def confirm(self) -> Report:
        """Keep what waits for its confirmation."""
        with self._generations.locked():
            pending = waiting.waiting(self._generations)
            if pending is None:
                raise Refusal("nothing waits for a confirmation", "Look with: omafon history.")
            number = pending.generation
            if not self._may_stay(pending):
                raise Refusal(f"it is too late: generation {number} is going back", "Apply it again.")
            if pending.session.same(self._world.session):
                what = "this login applied it, and cannot show that another one succeeds"
                raise Refusal(what, "Log in again, and confirm there.")
            self._keep(number, "confirmed")
            what = f"generation {number} is confirmed"
            return Report(Outcome.CONFIRMED, what, generation=number, previous=pending.previous)

    def rollback(self, number: int | None = None) -> Report:
        """Put generation `number`, or the one before, in force again; it stays even if the phone does not like it."""
        with self._generations.locked():
            pending = waiting.waiting(self._generations)
            if pending is not None and number in (None, pending.previous):
                return self._taken_back(pending, "its owner did not want it")
            self._tidy()
            current = self._generations.current()
            target = self._generations.before(current) if number is None else number
            if target is None or target not in self._generations.numbers():
                what = "there is no generation to go back to" if target is None else f"there is no generation {target}"
                raise Refusal(what, "Look with: omafon history.")
            if target == current:
                return Report(Outcome.UNCHANGED, f"unchanged: {_in_force(target)}", generation=target)
            wanted = forward(target, self._config(current), self._config(target), self._good())
            self._generations.switch(target)
            self._generations.note(target, "applied")
            self._generations.prune()
            went = settle(self._world, wanted, now=False)
            return _went(Outcome.ROLLED_BACK, f"went back: {_in_force(target)}", target, current, went)

    # What the system asks for.

    def roll_back_when_due(self) -> Report:
        """Wait until what waits is confirmed or its time is over, and in that case take it back."""
        while waiting.watch(self._generations, self._world.clock) is not None:
            with self._generations.locked(wait=True):
                pending = waiting.waiting(self._generations)
                # Who applies had the lock, and may have been quicker.
                if pending is not None and waiting.is_due(pending, self._generations, self._world.clock):
                    return self._taken_back(pending, _late(pending))
        return Report(Outcome.NOTHING, "nothing waits for a confirmation", generation=self._generations.current())

    def roll_back_at_boot(self) -> Report:
        """Take back what waited when the machine was switched off. Before the phone starts, so nobody is asked."""
        with self._generations.locked(wait=True):
            pending = waiting.waiting(self._generations)
            if pending is None or pending.boot_id == self._world.clock.boot_id():
                current = self._generations.current()
                return Report(Outcome.NOTHING, "nothing waits from before this boot", generation=current)
            self._restore(pending, "the machine was started anew before it was kept")
            waiting.done(self._generations)
            current = self._generations.current()
            what = f"generation {pending.generation} was not kept before this boot: {_in_force(current)} again"
            return Report(Outcome.ROLLED_BACK, what, generation=current, previous=pending.generation)

    # What somebody left.

    def _tidy(self) -> None:
        """Take back what nobody keeps, adopt what was written by hand, and take away what is left over.

        Raises Refusal when something waits for a confirmation that can still come.
        """
        pending = waiting.waiting(self._generations)
        if pending is not None:
            if self._may_stay(pending):
                what = f"generation {pending.generation} waits for its confirmation"
                raise Refusal(what, "First say: omafon confirm, or omafon rollback.", busy=True)
            self._restore(pending, _late(pending))
            waiting.done(self._generations)
        current, file = self._generations.current(), self._generations.file
        if current is None and file.exists():
            # An editor that puts a new file in the place of the link leaves the passwords where they were.
            newest = self._generations.before(None)
            known = {} if newest is None else self._generations.secrets(newest)
            self._adopt(file.read_text(encoding="utf-8", errors="replace"), known)
        elif current is not None and self._generations.touched(current):
            self._adopt(self._generations.text(current), self._generations.secrets(current))
            self._generations.discard(current)
        # Also what was staged by somebody who came no further.
        self._generations.prune()

    def _adopt(self, text: str, secrets: dict[str, str]) -> None:
        """Make what the owner wrote into the file, by hand, a generation of its own."""
        parted = part_if_possible(text)
        clock, by = self._world.clock, self._world.session.by
        self._generations.switch(self._generations.stage(parted.with_known(secrets), clock.unix(), by, "found"))

    # How it is done.

    def _may_stay(self, pending: Waiting) -> bool:
        """Whether a confirmation can still come."""
        return pending.wants == "confirmation" and not waiting.is_due(pending, self._generations, self._world.clock)

    def _holds(self, number: int, parted: Parted) -> bool:
        return self._generations.text(number) == parted.text and self._generations.secrets(number) == parted.secrets

    def _unlooked(self, current: int | None, parted: Parted, name: str, *, same: bool) -> Report:
        """For the phone that starts next: nobody can be asked now."""
        unknown = [(line, credential) for credential, line in parted.named.items() if credential not in parted.secrets]
        if unknown:
            cure = "Write the secret itself: it is moved out of the file."
            raise ConfigError(
                Problem(f'the credential "{word}" is not here', cure, name, line) for line, word in unknown
            )
        if same:
            return Report(Outcome.UNCHANGED, f"unchanged: {_in_force(current)}", generation=current)
        number = self._generations.stage(parted, self._world.clock.unix(), self._world.session.by)
        self._generations.switch(number)
        self._generations.note(number, "not checked")
        self._generations.prune()
        unchecked = ("whether the lines register", "sound, display and keypad", "SSH")
        what = f"{_in_force(number)}, for the phone that starts next"
        return Report(Outcome.APPLIED, what, generation=number, previous=current, unchecked=unchecked)

    def _unchanged(self, current: int | None) -> Report:
        """Nothing is to be done; but if the phone does not run with it, it is asked to."""
        config = self._world.phone.status().get("config", {})
        if config.get("generation") != current or config.get("refused"):
            settled = settle(self._world, Demands(current), now=False)
            if not settled.good:
                what = f"unchanged: {_in_force(current)}, and the phone does not run with it"
                return Report(Outcome.REFUSED, what, "Look with: omafon doctor.", current, checks=settled.checks)
        return Report(Outcome.UNCHANGED, f"unchanged: {_in_force(current)}", generation=current)

    def _change(self, parted: Parted, confirm_within_s: float | None, *, now: bool) -> Report:
        held, clock = self._generations, self._world.clock
        before, previous = self._good(), held.current()
        number = held.stage(parted, clock.unix(), self._world.session.by)
        wanted = forward(number, self._config(previous), self._config(number), before)
        fresh = Waiting(number, previous, clock.boot_id(), 0.0, 0.0, self._world.session, before)
        pending = fresh.until(clock, WITHIN_S + _MARGIN_S, "health")

        waiting.wait(held, pending)
        try:
            return self._tried(pending, wanted, confirm_within_s, now=now)
        except OSError as error:
            # The disk is full, or fails: what was there before is there still, and needs the least.
            why = f"{error.filename or held.file}: {error.strerror or error}"
            return self._taken_back(pending, why, now=now, failed=True)

    def _tried(self, pending: Waiting, wanted: Demands, confirm_within_s: float | None, *, now: bool) -> Report:
        """Switch to what is staged and waits, and keep it if it is good."""
        held, clock, number, previous = self._generations, self._world.clock, pending.generation, pending.previous

        def longer(seconds: float) -> None:
            waiting.wait(held, pending.until(clock, seconds + _MARGIN_S, "health"))

        try:
            held.switch(number)
            settled = settle(self._world, wanted, now=now, on_call=longer)
        except KeyboardInterrupt:
            return self._taken_back(pending, "it was interrupted", now=now, failed=True)
        if not settled.good:
            self._world.say("it is not well with it, and goes back: a minute at most")
            return self._taken_back(pending, settled.why, now=now, failed=True)
        if confirm_within_s is None:
            self._keep(number, "applied")
            return Report(Outcome.APPLIED, _in_force(number), "", number, previous, settled.checks)
        if not self._has_watch():
            return self._taken_back(pending, "nobody is there who would take it back", now=now, failed=True)
        unconfirmed = pending.until(clock, confirm_within_s, "confirmation")
        waiting.wait(held, unconfirmed)
        what = f"{_in_force(number)}, for {confirm_within_s:.0f} s"
        cure = "Keep it, from a new login: omafon confirm. Otherwise it goes back."
        return Report(Outcome.UNCONFIRMED, what, cure, number, previous, settled.checks, unconfirmed.deadline_unix)

    def _has_watch(self) -> bool:
        """Whether somebody takes it back when this program has ended: a unit of the system's, or who is started now."""
        if waiting.watched(self._generations):
            return True
        self._world.set_watch()
        until = self._world.clock.boottime() + _WATCH_WITHIN_S
        while not waiting.watched(self._generations):
            if self._world.clock.boottime() >= until:
                return False
            self._world.clock.sleep(0.1)
        return True

    def _keep(self, number: int, outcome: str) -> None:
        # Noted first: what is noted and waits still is taken back; what does not wait any more is kept.
        self._generations.note(number, outcome)
        waiting.done(self._generations)
        self._generations.prune()

    def _restore(self, pending: Waiting, reason: str) -> None:
        """The disk as it was before `pending`, which waits on: until the phone knows, somebody has to see to it."""
        held, number, previous = self._generations, pending.generation, pending.previous
        known = held.numbers()
        held.switch(previous if previous is None or previous in known else held.before(number))
        if number in known and held.meta(number).outcome != ROLLED_BACK:
            held.note(number, ROLLED_BACK, reason)
        held.prune()

    def _taken_back(self, pending: Waiting, reason: str, *, now: bool = False, failed: bool = False) -> Report:
        """Go back, and look whether all is as it was."""
        self._restore(pending, reason)
        current = self._generations.current()
        settled = settle(self._world, back(current, pending.good), now=now)
        waiting.done(self._generations)
        what = f"generation {pending.generation} is gone ({reason}); {_in_force(current)} again"
        return _went(Outcome.FAILED if failed else Outcome.ROLLED_BACK, what, current, pending.generation, settled)

    def _good(self) -> Good:
        try:
            return good(self._world.phone.status(), self._world.greets())
        except NoDaemon:
            return Good(ssh=self._world.greets())

    def _config(self, number: int | None) -> Config | None:
        """What generation `number` says, with its secrets if they can be read; None where it cannot be told."""
        if number is None:
            return None
        try:
            return load(self._generations.place(number))
        except ConfigError:
            # It may name a credential of the service's, which is not ours to read.
            try:
                return parse(self._generations.text(number))
            except ConfigError:
                return None


def _went(outcome: Outcome, what: str, number: int | None, from_: int | None, settled: Settled) -> Report:
    """The report of who went back, from generation `from_` to `number`."""
    if settled.gone is not None:
        what = f"{what}, but {settled.gone}"
        return Report(Outcome.STUCK, what, settled.gone.cure, number, from_, no_phone=True)
    if settled.good:
        cure = "Correct the file, and apply it again." if outcome is Outcome.FAILED else ""
        return Report(outcome, what, cure, number, from_, settled.checks)
    what = f"{what}, but not all is as it was"
    return Report(Outcome.STUCK, what, "Look with: omafon doctor.", number, from_, settled.checks)


def _late(pending: Waiting) -> str:
    return "nobody confirmed it" if pending.wants == "confirmation" else "nobody looked at it to the end"


def _in_force(number: int | None) -> str:
    return "no configuration is in force" if number is None else f"generation {number} is in force"
