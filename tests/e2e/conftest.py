# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The laboratory of the end-to-end tests: one exchange for all, loopback addresses for each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from omafon.sim.soundcard import SoundCard
from tests.lab.addresses import Addresses
from tests.lab.capture import Capture
from tests.lab.certificates import Authority
from tests.lab.engine import EngineAlone
from tests.lab.kamailio import Kamailio
from tests.lab.sockets import handset
from tests.lab.town import Town

USERS = {name: f"{name}pw" for name in ("oma", "opa", "bob", "carol", "dave")}


@pytest.fixture(scope="session")
def addresses() -> Addresses:
    return Addresses()


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def shared_exchange(
    tmp_path_factory: pytest.TempPathFactory, addresses: Addresses, authority: Authority
) -> Iterator[Kamailio]:
    with Kamailio(tmp_path_factory.mktemp("kamailio"), addresses.fresh(), USERS, authority) as kamailio:
        yield kamailio


@pytest.fixture
def exchange(shared_exchange: Kamailio) -> Iterator[Kamailio]:
    """The registrar and proxy of the domain; nobody is registered at the start of a test."""
    yield shared_exchange
    for user in USERS:
        shared_exchange.forgets(user)


@pytest.fixture
def town(tmp_path: Path, addresses: Addresses, exchange: Kamailio) -> Iterator[Town]:
    with Town(tmp_path, addresses, exchange) as town:
        yield town


@pytest.fixture
def wire(addresses: Addresses) -> Iterator[Capture]:
    """The SIP messages of this run."""
    with Capture(addresses.network) as capture:
        yield capture


@pytest.fixture
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SoundCard]:
    """The card of `engine`."""
    with handset(tmp_path, monkeypatch) as card:
        yield card


@pytest.fixture
def engine(addresses: Addresses, card: SoundCard) -> Iterator[EngineAlone]:
    """A call engine without a telephone around it, which has a handset."""
    with EngineAlone(addresses.fresh(), voice=card.pcm_name) as engine:
        yield engine
