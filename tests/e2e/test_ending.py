# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""How a telephone ends, and how it starts when it should not be able to."""

from pathlib import Path

import pytest

from tests.lab.addresses import Addresses
from tests.lab.capture import Capture
from tests.lab.kamailio import Kamailio
from tests.lab.manager import ServiceManager
from tests.lab.phone import Line, Phone, Setup
from tests.lab.town import Town

BROKEN = '[phone]\nlanguage = "en"\nnaem = "Oma"\n'


@pytest.mark.parametrize("at", ["idle", "dialling", "calling", "ringing", "in a call", "held"])
def test_a_phone_that_is_told_to_end_says_goodbye_to_everybody(
    town: Town, exchange: Kamailio, wire: Capture, at: str
) -> None:
    oma, bob = town.phone("oma", line="udp"), town.baresip("bob", line="udp")
    goodbye = {"calling": "CANCEL", "in a call": "BYE", "held": "BYE"}.get(at)
    match at:
        case "dialling":
            oma.lifts()
            oma.presses("0", "3")
        case "ringing":
            bob.calls(exchange.aor("oma"))
            oma.is_called()
        case "calling" | "in a call" | "held":
            oma.dials(exchange.aor("bob"))
            bob.is_called()
            if at != "calling":
                bob.answers()
                oma.is_in_a_call()
            if at == "held":
                oma.presses("hold")
                oma.until(lambda status: status["calls"][0]["held"], "holds")

    assert oma.stops() == 0

    assert exchange.contacts("oma") == []
    if goodbye:
        wire.request(goodbye, source=oma.address)
    if at == "ringing":
        wire.response(480, "INVITE", source=oma.address)


def test_a_service_whose_file_is_wrong_is_in_safe_mode_and_starts_by_itself_when_it_is_right(
    tmp_path: Path, addresses: Addresses, exchange: Kamailio
) -> None:
    with ServiceManager(tmp_path) as manager:
        setup = Setup(lines=[Line(exchange.address, "oma", "omapw")], env=manager.env)
        oma = Phone(tmp_path, addresses.fresh(), "oma", setup)
        oma.is_written(BROKEN)
        with oma:
            manager.hears("READY=1")
            manager.hears(f"WATCHDOG_USEC={manager.env['WATCHDOG_USEC']}")
            manager.hears("WATCHDOG=1")
            assert oma.status["config"]["safe_mode"] is True
            assert "naem" in oma.status["config"]["refused"]
            assert oma.status["screen"][:3] == ["Safe mode", "Settings are wrong", "phone.toml line 3"]

            oma.is_written(setup)
            assert oma.reloads() == "restarting"
            oma.begins_anew()

            # The watchdog waits for a start, and afterwards no longer than before.
            manager.hears("WATCHDOG_USEC=180000000")
            manager.hears(f"WATCHDOG_USEC={manager.env['WATCHDOG_USEC']}")
            oma.is_registered()
            assert oma.status["config"]["safe_mode"] is False
            assert oma.stops() == 0


def test_a_phone_in_safe_mode_ends_when_it_is_told_to(tmp_path: Path, addresses: Addresses) -> None:
    with ServiceManager(tmp_path) as manager:
        oma = Phone(tmp_path, addresses.fresh(), "oma", Setup(env=manager.env))
        oma.is_written(BROKEN)
        with oma:
            assert oma.status["config"]["safe_mode"] is True

            assert oma.stops() == 0
            manager.hears("STOPPING=1")


def test_a_service_that_fails_to_start_ends_in_safe_mode_that_says_why(
    town: Town, tmp_path: Path, addresses: Addresses
) -> None:
    there = town.phone("opa")
    with ServiceManager(tmp_path) as manager:
        setup = Setup(env=manager.env, has_card=False)
        oma = Phone(tmp_path, there.address, "oma", setup)
        for _ in range(6):
            assert oma.fails_to_start() == 1

        with oma:
            assert oma.status["config"]["safe_mode"] is True
            assert "port 5060 is taken" in oma.status["config"]["refused"]
            assert oma.status["screen"][:3] == ["Safe mode", "Does not start", "No calls possible"]


def test_a_service_whose_file_is_wrong_runs_with_the_last_good_one(
    tmp_path: Path, addresses: Addresses, exchange: Kamailio
) -> None:
    with ServiceManager(tmp_path) as manager:
        setup = Setup(lines=[Line(exchange.address, "oma", "omapw")], env=manager.env)
        oma = Phone(tmp_path, addresses.fresh(), "oma", setup)
        oma.came_up_with(setup)
        oma.is_written(BROKEN)
        with oma:
            oma.is_registered()

            assert oma.status["config"]["safe_mode"] is False
            assert "naem" in oma.status["config"]["refused"]
            assert "Old settings in use" in oma.screen()
