# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What `omafon enum publish` and `unpublish` do: the own number's records into the owner's zone, and out of it."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from omafon.clock import WallClock, system_clock
from omafon.config import Config, PublishConfig, rules
from omafon.core import publication
from omafon.core.dialplan import E164, to_e164
from omafon.core.naptr import NaptrRecord, enum_domain
from omafon.drivers.zone import Key, Records, WrongTime, Zone
from omafon.interfaces import DriverError

CLOCK_WAIT_S = 60.0
"""How long a time server may take to set the clock of a phone that has just been switched on."""

_LOOK_EVERY_S = 0.5


Say = Callable[[str], None]


def _nobody_listens(words: str) -> None:
    """Take what is said while somebody waits."""


class NotConfigured(DriverError):
    """The configuration names no zone."""


@dataclass(frozen=True, slots=True)
class Published:
    """What was done, or in a dry run would be, at `name`: `new` in the place of `old`.

    `update` is the change as nsupdate(1) would be told it, empty when there is nothing to change. `services` are what
    the phone itself reads there now.
    """

    number: E164
    name: str
    zone: str
    server: str
    old: Records
    new: Records
    update: tuple[str, ...]
    services: dict[str, str]
    dry_run: bool = False

    @property
    def changes(self) -> bool:
        return bool(self.update)

    def as_json(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "name": self.name,
            "zone": self.zone,
            "server": self.server,
            "dry_run": self.dry_run,
            "changed": self.changes and not self.dry_run,
            "ttl_s": self.new.ttl_s or None,
            "records": [_plain(record) for record in _in_order(self.new)],
            "replaced": [_plain(record) for record in _in_order(self.old)] if self.changes else [],
            "services": self.services,
            "update": list(self.update),
        }

    def as_text(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"{self.number}  {self.name}  zone {self.zone} at {self.server}"
        yield ""
        if self.dry_run and self.changes:
            yield "This update would be sent, signed:"
            yield ""
            yield from (f"  {line}" for line in self.update)
        elif not self.changes:
            yield "Nothing to change: it is published already." if self.new.records else "Nothing is published there."
            yield from self._services()
        elif self.new.records:
            yield "Published, and read back from the server:"
            yield from self._services()
            yield ""
            yield "Who asked for the number before may need the zone's negative TTL to see it."
        else:
            count = len(self.old.records)
            yield f"Removed {count} record{'s' * (count != 1)}: the server has none now."
            yield ""
            yield f"Who knows them already may call by them for another {self.old.ttl_s} seconds."

    def _services(self) -> Iterator[str]:
        width = max(map(len, self.services), default=0)
        yield from (f"  {service:{width}}  {uri}" for service, uri in self.services.items())


def publish(
    config: Config, say: Say = _nobody_listens, *, dry_run: bool = False, wall_clock: WallClock = system_clock
) -> Published:
    """Let the zone hold exactly the records that the configuration asks for, and read them back.

    Blocks; waits up to CLOCK_WAIT_S for a clock that is not set yet, and says so. Changes nothing when the zone
    holds them already. Raises DriverError when it cannot be, NotConfigured without [enum.publish].
    """
    part = _part(config)
    wanted = publication.records({"sip": part.uri, **part.services})
    return _change(config, part, Records(frozenset(wanted), part.ttl_s), say, dry_run, wall_clock)


def unpublish(
    config: Config, say: Say = _nobody_listens, *, dry_run: bool = False, wall_clock: WallClock = system_clock
) -> Published:
    """Remove every NAPTR record of the own number; otherwise as `publish`."""
    return _change(config, _part(config), Records(), say, dry_run, wall_clock)


def _part(config: Config) -> PublishConfig:
    if config.enum.publish is None:
        raise NotConfigured("no zone is configured to publish in", "Add [enum.publish] to phone.toml: see its example.")
    return config.enum.publish


def _change(
    config: Config, part: PublishConfig, new: Records, say: Say, dry_run: bool, wall_clock: WallClock
) -> Published:
    number = to_e164(rules.e164(config.phone.number))
    name = enum_domain(number, rules.domain(part.tree or part.zone))
    key = Key(rules.domain(part.key_name), part.key_algorithm, part.key_secret)
    zone = Zone(rules.domain(part.zone), rules.endpoint(part.server), key)
    old = zone.read(name)
    update: list[str] = []
    there = old
    if old != new:
        update = zone.in_words(name, new, old=old)
        if not dry_run:
            _in_time(lambda: zone.replace(name, new, old=old), say, wall_clock)
            there = zone.read(name)
            if there != new:
                raise DriverError(
                    f"the server took the update, but {name} holds something else",
                    "Is there a CNAME at the name, or another primary server? Its log says more.",
                )
    services = publication.reads_as(number, _in_order(there))
    return Published(number, name, rules.domain(part.zone), part.server, old, new, tuple(update), services, dry_run)


def _in_time(act: Callable[[], None], say: Say, wall_clock: WallClock) -> None:
    """`act`, which the server refuses while the clock is more than 300 seconds off (RFC 8945 section 10)."""
    if not wall_clock().is_set and not _comes_right(say, wall_clock):
        raise DriverError("the clock was never set", "Let the phone reach a time server: timedatectl set-ntp true.")
    try:
        act()
    except WrongTime:
        # No clock says of itself that it is right: a Pi goes on where it was switched off. The server knows.
        if wall_clock().is_kept or not _comes_right(say, wall_clock):
            raise
        act()


def _comes_right(say: Say, wall_clock: WallClock) -> bool:
    """Wait for a time server to set the clock; whether one did."""
    say("waiting for a time server to set the clock")
    end = time.monotonic() + CLOCK_WAIT_S
    while not wall_clock().is_kept:
        if time.monotonic() > end:
            return False
        time.sleep(_LOOK_EVERY_S)
    return True


def _in_order(records: Records) -> tuple[NaptrRecord, ...]:
    return tuple(sorted(records.records, key=lambda record: (record.order, record.preference)))


def _plain(record: NaptrRecord) -> dict[str, Any]:
    return {
        "order": record.order,
        "preference": record.preference,
        "flags": record.flags,
        "services": record.services,
        "regexp": record.regexp,
    }
