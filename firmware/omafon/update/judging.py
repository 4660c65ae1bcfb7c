# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""After every start: whether the slot that runs may stay.

A new version is good when the telephone is ready and as well as it was before, within three minutes. Otherwise the
machine goes back to the other slot, and says there why. A version that was found good before only has to answer.
"""

from dataclasses import dataclass

import msgspec

from omafon.client import NoDaemon
from omafon.core.events import UpdateStage
from omafon.provision.health import Demands, Finding, findings
from omafon.update.record import Pending, Told
from omafon.update.world import World

WITHIN_S = 180.0
"""A registrar may be slow, and a certificate waits for the clock."""

SETTLED_S = 5.0
"""So long it must stay good: what fails at the start fails soon."""

LOOK_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether the slot that runs may `stay`; what was `found`; `told` where an update ended."""

    stay: bool
    found: tuple[Finding, ...] = ()
    told: Told | None = None

    def as_json(self) -> dict[str, object]:
        found = [{"what": one.what, "good": one.good, "why": one.why} for one in self.found]
        return {"stay": self.stay, "found": found, "update": self.told.as_json() if self.told else None}

    def as_text(self) -> str:
        head = "this version stays" if self.stay else "this version does not stay"
        return "\n".join([head, *(f"  {one}" for one in self.found)])


def judge(world: World) -> Judgement:
    """Look, mark the slot, and end the update that led here. Raises OSError."""
    if not world.slot:
        raise OSError(None, "RAUC does not say which slot runs", "rauc")
    pending = world.record.pending()
    if pending is None:
        return _as_ever(world)
    if pending.other == world.slot:
        return _new_one(world, pending)
    return _back(world, pending)


def _as_ever(world: World) -> Judgement:
    found = _look(world, None)
    stay = all(one.good for one in found)
    if stay:
        _mark(world, "good", "booted")
    else:
        # Nothing says that the other slot is better. After three such starts it is tried.
        world.say("the telephone does not answer: this start was not a good one")
    return Judgement(stay, found)


def _new_one(world: World, pending: Pending) -> Judgement:
    told = Told(UpdateStage.JUDGING.value, pending.version, pending.runs)
    world.tell(told)
    found = _look(world, pending)
    why = "; ".join(str(one) for one in found if not one.good)
    if not why:
        _mark(world, "good", "booted")
        told = _ended(world, told, UpdateStage.GOOD)
        return Judgement(True, found, told)
    world.record.begin(msgspec.structs.replace(pending, bad=why))
    world.say(f"{pending.version} is left again: {why}")
    # The other one first: if the power goes between, both may start, and the good one does.
    _mark(world, "active", "other")
    _mark(world, "bad", "booted")
    world.until_unused(lambda: world.say("somebody uses the telephone: it goes back afterwards"))
    world.restart()
    return Judgement(False, found)


def _back(world: World, pending: Pending) -> Judgement:
    """The version from before runs: the new one was left, or does not start, or was never written."""
    told = Told(UpdateStage.BACK.value, pending.version, pending.runs, why=pending.bad)
    if not pending.written:
        told = msgspec.structs.replace(
            told,
            stage=UpdateStage.FAILED.value,
            why="the power went while it was written",
            cure="What ran before was not touched. Send it once more.",
        )
    elif not pending.bad:
        told = msgspec.structs.replace(told, why=f"{pending.version} did not start")
    found = _look(world, None)
    if all(one.good for one in found):
        _mark(world, "good", "booted")
    if pending.written and not pending.bad:
        _mark(world, "active", "booted")
        _mark(world, "bad", "other")
    return Judgement(True, found, _ended(world, told, UpdateStage(told.stage)))


def _ended(world: World, told: Told, stage: UpdateStage) -> Told:
    told = msgspec.structs.replace(told, stage=stage.value, unix=world.clock.unix())
    world.record.end(told)
    world.tell(told)
    return told


def _look(world: World, pending: Pending | None) -> tuple[Finding, ...]:
    """What was found in the end: as soon as all is good and stays so, or when the time is over."""
    began = world.clock.boottime()
    good_since: float | None = None
    while True:
        found = _found(world, pending)
        instant = world.clock.boottime()
        if not all(one.good for one in found):
            good_since = None
        elif good_since is None:
            good_since = instant
        settled = good_since is not None and instant >= good_since + SETTLED_S
        if settled or instant >= began + WITHIN_S:
            return found
        world.clock.sleep(LOOK_EVERY_S)


def _found(world: World, pending: Pending | None) -> tuple[Finding, ...]:
    try:
        status = world.phone.status()
    except NoDaemon as error:
        return (Finding("the phone", False, str(error)),)
    if pending is None:
        return (Finding("the phone", True),)
    wanted = Demands(pending.generation, pending.before.lines, pending.before.drivers, pending.before.ssh)
    found = findings(wanted, status, ssh=None)
    if not pending.settled:
        found = tuple(one for one in found if one.what != "the configuration")
    found = (Finding("the phone", True), *found)
    # It logs who only wants to be greeted: it is asked last, when all else is well.
    if wanted.ssh and all(one.good for one in found):
        found = (
            *found,
            Finding("SSH", greets := world.greets(), "" if greets else "the server does not greet any more"),
        )
    return found


def _mark(world: World, state: str, slot: str) -> None:
    ran = world.engine.mark(state, slot)
    if not ran.good:
        world.say(f"the {slot} slot could not be marked {state}: {ran.err}")
