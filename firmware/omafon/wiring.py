# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Which drivers make a phone. What a board lacks, a virtual part stands for."""

from pathlib import Path

from omafon.config import Config, settings
from omafon.core.dialplan import E164
from omafon.drivers.dns import DnsResolver
from omafon.drivers.sip import SipCalls
from omafon.drivers.store import FileStore
from omafon.interfaces import Post
from omafon.outbox import Drivers
from omafon.sim.virtual import VirtualBell, VirtualDisplay, VirtualSource


def virtual(config: Config, state: Path, post: Post) -> Drivers:
    """A phone without hardware but for its sound card: keys and picture go through the control socket."""
    phone = config.phone
    return Drivers(
        store=FileStore(post, state),
        sound=VirtualBell(),
        calls=SipCalls(post, config.sip, config.line, config.audio, phone.name, phone.number),
        resolver=DnsResolver(post, config.enum, numbers=_looked_up(config)),
        display=VirtualDisplay(),
        source=VirtualSource(),
    )


def _looked_up(config: Config) -> list[E164]:
    """The numbers of the phone book that are called by way of the directory."""
    return [E164(person.number) for person in settings(config).contacts if person.number and not person.uri]
