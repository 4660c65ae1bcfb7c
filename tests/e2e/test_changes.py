# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The owner changes phone.toml while the telephone is used: real registrar, real calls, real processes."""

import signal
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from tests.lab.addresses import Addresses
from tests.lab.capture import Capture
from tests.lab.kamailio import Kamailio
from tests.lab.manager import ServiceManager
from tests.lab.phone import Line, Phone, Setup
from tests.lab.town import Town
from tests.lab.voice import Saying


def line(exchange: Kamailio, user: str, name: str = "home", **more: str) -> Line:
    return Line(exchange.address, user, more.pop("password", exchange.users[user]), name=name)


def test_a_call_on_one_line_goes_on_while_contacts_trees_and_another_line_come_and_go(
    town: Town, tmp_path: Path, addresses: Addresses, exchange: Kamailio, wire: Capture
) -> None:
    home = line(exchange, "oma")
    setup = Setup(lines=[home])
    opa = town.phone("opa", line="udp")
    with Phone(tmp_path, addresses.fresh(), "oma", setup) as oma:
        oma.is_registered()
        oma.dials(exchange.aor("opa"))
        opa.is_called()
        opa.lifts()
        call = oma.is_in_a_call()
        opa.is_in_a_call()
        assert oma.card
        assert opa.card
        wire.messages.forget()

        saying = Saying(oma.card, 1000)
        contact = {"name": "Opa", "number": "+4930123456", "uri": exchange.aor("opa")}
        more = Setup(lines=[home, line(exchange, "carol", "work")], contacts=[contact])
        oma.is_written(replace(more, more={"enum": {"trees": ["family.example"], "servers": ["127.0.0.1:9"]}}))
        assert oma.reloads() == "now"
        oma.is_registered()

        measured = saying.heard_by(opa.card)
        assert measured.gaps_ms <= 80
        assert len(exchange.contacts("carol")) == 1
        assert [entry["name"] for entry in oma.status["lines"]] == ["home", "work"]

        oma.is_written(setup)
        assert oma.reloads() == "now"

        wire.messages.until(
            lambda m: m.status == 200 and exchange.aor("carol") in m.header("to") and not m.header("contact"),
            "the exchange's answer that carol is nowhere now",
        )
        oma.until(lambda status: len(status["lines"]) == 1, "has one line")
        assert exchange.contacts("carol") == []
        assert oma.is_in_a_call()["id"] == call["id"]
        seen = [message for message in wire.messages.all() if message.source.startswith(oma.address)]
        registered = [m for m in seen if m.method == "REGISTER" and exchange.aor("oma") in m.header("to")]
        assert registered == []
        assert [m for m in seen if m.method in ("INVITE", "BYE", "CANCEL", "UPDATE")] == []
        assert len(exchange.contacts("oma")) == 1


def test_a_change_of_the_line_in_use_waits_for_the_end_of_its_call(
    town: Town, tmp_path: Path, addresses: Addresses, exchange: Kamailio
) -> None:
    opa = town.phone("opa", line="udp")
    with Phone(tmp_path, addresses.fresh(), "oma", Setup(lines=[line(exchange, "oma")])) as oma:
        oma.is_registered()
        oma.dials(exchange.aor("opa"))
        opa.is_called()
        opa.lifts()
        oma.is_in_a_call()
        before = oma.status["config"]["sha256"]

        oma.is_written(Setup(lines=[line(exchange, "carol")]))
        assert oma.reloads() == "when the call has ended"

        assert oma.status["config"]["sha256"] == before
        assert exchange.contacts("carol") == []

        oma.hangs_up()

        oma.until(lambda status: status["config"]["sha256"] != before, "takes the change")
        oma.is_registered()
        assert len(exchange.contacts("carol")) == 1
        oma.until(lambda _: exchange.contacts("oma") == [], "leaves its old address")


def test_a_wrong_password_is_seen_by_the_reload_and_the_right_one_registers_again(
    tmp_path: Path, addresses: Addresses, exchange: Kamailio
) -> None:
    right = Setup(lines=[line(exchange, "oma")])
    with Phone(tmp_path, addresses.fresh(), "oma", right) as oma:
        oma.is_registered()

        oma.is_written(Setup(lines=[line(exchange, "oma", password="no")]))
        oma.reloads()

        assert oma.ask("status")["lines"][0]["registered"] is False
        oma.until(lambda status: status["lines"][0]["status"] in (401, 403), "is refused")

        oma.is_written(right)
        oma.reloads()

        oma.is_registered()
        assert len(exchange.contacts("oma")) == 1


@pytest.mark.parametrize("at_once", [False, True])
def test_another_port_begins_the_same_process_anew_when_the_call_has_ended_or_at_once(
    town: Town, tmp_path: Path, addresses: Addresses, wire: Capture, at_once: bool
) -> None:
    opa = town.phone("opa")
    with ServiceManager(tmp_path) as manager, ExitStack() as stack:
        setup = Setup(env=manager.env)
        oma = stack.enter_context(Phone(tmp_path, addresses.fresh(), "oma", setup))
        manager.hears("READY=1")
        oma.dials(opa.uri)
        opa.is_called()
        opa.lifts()
        oma.is_in_a_call()
        assert oma.program
        pid = oma.program.pid

        oma.is_written(replace(setup, more={"sip": {"port": 5070}}))
        taken = oma.reloads(now=at_once)

        if not at_once:
            assert taken == "when the call has ended"
            assert oma.ask("status")["config"]["pending_restart"] is True
            oma.hangs_up()
        wire.request("BYE", source=oma.address)
        oma.begins_anew()

        assert oma.program.pid == pid
        assert oma.status["restarts"] == 1
        assert oma.status["config"]["pending_restart"] is False
        manager.hears("RELOADING=1")
        manager.hears("READY=1")
        opa.replaces()
        opa.dials(f"sip:oma@{oma.address}:5070")
        oma.is_called()
        assert oma.stops() == 0
        manager.hears("STOPPING=1")


def test_a_signal_reloads_and_a_file_that_is_wrong_stops_nobody(
    tmp_path: Path, addresses: Addresses, exchange: Kamailio
) -> None:
    good = Setup(lines=[line(exchange, "oma")])
    with Phone(tmp_path, addresses.fresh(), "oma", good) as oma:
        oma.is_registered()
        assert oma.program

        oma.is_written('[phone]\nnaem = "Oma"\n')
        oma.program.hears_signal(signal.SIGHUP)

        oma.until(lambda status: status["config"]["refused"], "refuses")
        assert "Change was refused" in oma.screen()
        assert oma.status["lines"][0]["registered"]

        oma.is_written(replace(good, contacts=[{"name": "Opa", "number": "+4930123456"}]))
        oma.program.hears_signal(signal.SIGHUP)

        oma.until(lambda status: not status["config"]["refused"], "takes it")
        oma.program.until_says("configuration read anew: now")


def test_a_recording_goes_on_in_the_phone_that_begins_anew(tmp_path: Path, addresses: Addresses) -> None:
    recording = tmp_path / "recording"
    setup = Setup()
    with Phone(tmp_path, addresses.fresh(), "oma", setup, record=recording) as oma:
        oma.lifts()
        oma.replaces()
        oma.is_written(replace(setup, more={"audio": {"sidetone_db": -30}}))

        assert oma.reloads() == "restarting"
        oma.begins_anew()

        oma.lifts()
        lines = recording.read_text().splitlines()
        assert sum("HookLifted" in line for line in lines) == 2
        assert sum('"memory"' in line for line in lines) == 2
