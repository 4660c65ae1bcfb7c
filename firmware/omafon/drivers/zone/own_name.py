# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Keeps the phone's own DNS name pointing to where it is (dynamic DNS), on a thread of its own."""

import logging
import threading
from functools import partial
from ipaddress import ip_address

from omafon.config import FamilyConfig, rules
from omafon.core.family import Family
from omafon.core.memory import Reach
from omafon.drivers.zone import Key, Zone
from omafon.interfaces import DriverError

log = logging.getLogger("omafon.own_name")

RETRY_S = 60.0
LONGEST_RETRY_S = 3600.0


class OwnName:
    """Updates the name of [family] whenever our addresses change; tries again, ever more rarely, until it is done.

    Without a name and a key it does nothing, and starts no thread.
    """

    def __init__(self, config: FamilyConfig, *, retry_s: float = RETRY_S) -> None:
        self._config = config
        self._retry_s = retry_s
        self._change = threading.Condition()
        self._wanted: tuple[str, ...] = ()
        self._closing = False
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        self._start()

    def close(self) -> None:
        """Returns when an update that is under way has been answered, or was not."""
        with self._change:
            self._closing = True
            self._change.notify()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def configure(self, config: FamilyConfig) -> None:
        """Keep this name from now on."""
        with self._change:
            self._config = config
            self._change.notify()
        self._start()

    def family(self, family: Family) -> None:
        """Let the name lead to our addresses: those of the whole world, or of our network while there are no others."""
        hosts = [address.host for address in family.own if address.kind is not Reach.NAME]
        public = tuple(host for host in hosts if ip_address(host).is_global)
        with self._change:
            self._wanted = public or tuple(hosts)
            self._change.notify()

    def _start(self) -> None:
        if self._thread is None and self._config.update is not None:
            self._thread = threading.Thread(target=self._keep, name="own name", daemon=True)
            self._thread.start()

    def _is_news(self, known: tuple[FamilyConfig, tuple[str, ...]] | None) -> bool:
        return self._closing or (self._config, self._wanted) != known

    def _keep(self) -> None:
        done: tuple[FamilyConfig, tuple[str, ...]] | None = None
        wait_s: float | None = None
        while True:
            with self._change:
                failed = (self._config, self._wanted) if wait_s is not None else done
                self._change.wait_for(partial(self._is_news, failed), wait_s)
                if self._closing:
                    return
                config, hosts = self._config, self._wanted
            if (config, hosts) != failed:
                wait_s = None
            if config.update is None or not hosts:
                done, wait_s = (config, hosts), None
                continue
            try:
                _zone(config).point(f"{rules.domain(config.name)}.", hosts, config.update.ttl_s)
            except DriverError as error:
                wait_s = min(2 * wait_s, LONGEST_RETRY_S) if wait_s is not None else self._retry_s
                log.warning("%s is not updated: %s. %s", config.name, error.what, error.cure)
            else:
                log.info("%s leads here now", config.name)
                done, wait_s = (config, hosts), None


def _zone(config: FamilyConfig) -> Zone:
    update = config.update
    assert update is not None
    key = Key(rules.domain(update.key_name), update.key_algorithm, update.key_secret)
    return Zone(rules.domain(update.zone), rules.endpoint(update.server), key)
