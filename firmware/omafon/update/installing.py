# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Root's part of an update: takes the bundle from the owner's account, waits, writes it, and starts it.

The slot that runs is not touched. RAUC takes the other one off the list of those that may start before it writes the
first block, and puts it in front when the last one is there: the power may go at any time.
"""

import errno
import os
from contextlib import suppress

import msgspec

from omafon.client import Json, NoDaemon
from omafon.core.events import UpdateStage
from omafon.provision.health import Good, good
from omafon.update.bundle import BundleRefused, examine
from omafon.update.record import Pending, Record, Told
from omafon.update.version import Version
from omafon.update.world import World

STEP_PERCENT = 5
EXAMINING = "examining"


def install(world: World, runs: Version, *, now: bool) -> Told:
    """Install what was put into the folder; what was told last. The machine starts anew soon if that is RESTARTING.

    `now` does not wait until nobody uses the telephone, and ends a call. Raises OSError.
    """
    told = Told(UpdateStage.WAITING.value, "", str(runs))
    try:
        if not world.slot:
            raise BundleRefused("RAUC does not say which slot runs", "Look with: rauc status")
        _nothing_under_way(world)
        take(world.record)
        # To look at it takes a while, and somebody waits for a word; the display has no part in it yet.
        world.record.tell(msgspec.structs.replace(told, stage=EXAMINING))
        version = examine(world.record.bundle, runs, world.engine.examine())
        told = replace_stage(told, UpdateStage.WAITING, version=str(version))
        return _write(world, told, now=now)
    except BundleRefused as error:
        told = replace_stage(told, UpdateStage.FAILED, why=error.what, cure=error.cure)
        world.tell(told)
        return told
    finally:
        world.record.bundle.unlink(missing_ok=True)


def take(record: Record) -> None:
    """Make what the owner's account put there root's alone. Raises BundleRefused, and OSError."""
    try:
        opened = os.open(record.incoming, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ELOOP):
            raise
        raise BundleRefused("there is no bundle to install", "Send one: omafon update FILE") from None
    try:
        record.incoming.rename(record.bundle)
        # RAUC looks itself that nobody still writes to it.
        os.fchown(opened, os.geteuid(), os.getegid())
        os.fchmod(opened, 0o600)
    finally:
        os.close(opened)


def replace_stage(told: Told, stage: UpdateStage, **changes: object) -> Told:
    """`told`, at another `stage`."""
    return msgspec.structs.replace(told, stage=stage.value, **changes)


def _nothing_under_way(world: World) -> None:
    pending = world.record.pending()
    if pending is not None and (pending.written or pending.other == world.slot):
        raise BundleRefused(
            f"the update to {pending.version} is not through yet", "Wait some minutes: omafon update tells."
        )


def _write(world: World, told: Told, *, now: bool) -> Told:
    waiting = told
    if not now:
        world.until_unused(lambda: world.tell(waiting))
    status = _status(world)
    pending = Pending(
        version=told.version,
        runs=told.runs,
        slot=world.slot,
        other={"A": "B", "B": "A"}[world.slot],
        before=good(status, world.greets()) if status else Good(),
        generation=status.get("config", {}).get("generation"),
        settled=_settled(status),
    )
    world.record.begin(pending)
    told = replace_stage(told, UpdateStage.INSTALLING)
    world.tell(told)
    last = 0

    def far(percent: int) -> None:
        nonlocal last
        # Each step is a line in the journal as well.
        if percent >= last + STEP_PERCENT or percent == 100 > last:
            last = percent
            world.tell(replace_stage(told, UpdateStage.INSTALLING, percent=percent))

    ran = world.engine.install(world.record.bundle, far)
    if not ran.good:
        why = f"it could not be written: {ran.err[:200] or 'RAUC does not say why'}"
        cure = "What runs was not touched. Is the memory card all right? omafon doctor"
        told = replace_stage(told, UpdateStage.FAILED, why=why, cure=cure, unix=world.clock.unix())
        world.record.end(told)
        world.tell(told)
        return told
    world.record.begin(msgspec.structs.replace(pending, written=True))
    # Half an hour of writing is no reason to end a call.
    if not now:
        world.until_unused(lambda: world.tell(replace_stage(told, UpdateStage.WAITING, percent=100)))
    told = replace_stage(told, UpdateStage.RESTARTING, percent=100)
    world.tell(told)
    world.restart()
    return told


def _settled(status: Json) -> bool:
    """Whether it ran with what its owner wrote: if not, nobody asks the next version to."""
    config = status.get("config", {})
    return bool(status) and not config.get("refused") and not config.get("safe_mode")


def _status(world: World) -> Json:
    with suppress(NoDaemon):
        return world.phone.status()
    return {}
