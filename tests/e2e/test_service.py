# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The telephone as a service of a real systemd: started, watched, started anew, ended in order, and locked in."""

import ctypes
import json
import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from omafon.client import Client, NoDaemon
from omafon.pages import Page
from tests.lab.addresses import Addresses
from tests.lab.baresip import Baresip
from tests.lab.capture import Capture
from tests.lab.certificates import Authority
from tests.lab.kamailio import Kamailio
from tests.lab.nspawn import Machine
from tests.lab.phone import Line, Setup

PROBE = Path(__file__).parents[1] / "lab" / "sandbox_probe.py"
UNIT = "omafon.service"
UNITS = Path(__file__).parents[2] / "systemd" / "system"
# A test does not wait as long as an owner may: all else is as it is installed.
IMPATIENT = "[Service]\nWatchdogSec=2s\nTimeoutAbortSec=1s\n"
CALLS = 100


@dataclass
class Desk:
    """A telephone that runs as a service, the registrar it knows, and somebody to call."""

    machine: Machine
    address: str
    exchange: Kamailio
    friend: Baresip
    wire: Capture

    def ask(self, method: str, **params: object) -> dict[str, Any]:
        with Client(self.machine.root / "run/omafon/control") as client:
            return client.ask(method, **params)

    def status(self) -> dict[str, Any]:
        try:
            return self.ask("status")
        except NoDaemon:
            return {}

    def is_registered(self) -> None:
        self.machine.until(
            lambda: any(line["registered"] for line in self.status().get("lines", ())),
            "the phone is registered",
            within_s=20.0,
        )

    def is_(self, mode: str) -> None:
        self.machine.until(lambda: self.status().get("mode") == mode, f"the phone is {mode}")

    def restarts(self) -> int:
        return int(self.machine.property(UNIT, "NRestarts"))

    @contextmanager
    def is_started_anew(self, *, within_s: float) -> Iterator[None]:
        """What is done inside ends the telephone; afterwards another one is ready in time."""
        # In life there are more than ten seconds between: three ends in a row are another story, that of safe mode.
        (self.machine.root / "run/omafon/control.starts").unlink(missing_ok=True)
        before, begin = self.restarts(), time.monotonic()
        yield
        self.machine.until(lambda: self.restarts() > before, "the service is started anew", within_s=within_s)
        left = within_s - (time.monotonic() - begin)
        self.machine.until(
            lambda: self.machine.property(UNIT, "ActiveState") == "active", "the service is ready", within_s=left
        )

    @contextmanager
    def configured(self, old: str, new: str) -> Iterator[None]:
        """The owner's file says `new` in the place of `old`; afterwards as before, and the telephone is well again."""
        file = self.machine.root / "etc/omafon/phone.toml"
        good = file.read_text()
        assert old in good
        file.write_text(good.replace(old, new))
        try:
            yield
        finally:
            file.write_text(good)
            self.machine.run("systemctl", "restart", UNIT)
        self.is_registered()

    def starts(self) -> None:
        self.machine.run("systemctl", "start", UNIT)
        self.is_registered()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Desk]:
    addresses = Addresses()
    registrar, own = addresses.fresh(), addresses.fresh()
    setup = Setup(
        [Line(registrar, "oma", "omapw")],
        codecs=("pcma",),
        more={"phone": {"board": "virtual"}, "sip": {"address": own}},
    )
    files = {
        "/etc/omafon/phone.toml": (setup.toml("oma", own, "null"), 0o644),
        "/etc/systemd/system/omafon.service.d/impatient.conf": (IMPATIENT, 0o644),
        "/usr/lib/omafon-test/probe.py": (PROBE.read_text(), 0o644),
    }
    folder = tmp_path_factory.mktemp("desk")
    with Machine(folder, files) as machine, machine.network(), ExitStack() as people:
        users = {"oma": "omapw", "opa": "opapw"}
        exchange = people.enter_context(Kamailio(_made(folder / "kamailio"), registrar, users, authority))
        friend = people.enter_context(
            Baresip(
                folder,
                addresses.fresh(),
                "opa",
                registrar=registrar,
                password="opapw",
                answers="auto",
                codecs=("pcma",),
            )
        )
        desk = Desk(machine, own, exchange, friend, people.enter_context(Capture("127.")))
        # The telephone was there before its registrar.
        machine.run("systemctl", "restart", UNIT)
        desk.is_registered()
        yield desk


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_the_service_is_ready_and_registered(desk: Desk):
    shown = desk.machine.run("systemctl", "show", UNIT, "--property=ActiveState,SubState,StatusText,User")

    assert "ActiveState=active" in shown
    assert "User=omafon" in shown
    assert desk.exchange.contacts("oma")


def test_nothing_listens_but_sip(desk: Desk):
    listening = desk.machine.run("ss", "--no-header", "--listening", "--tcp", "--udp", "--numeric", "--processes")

    # The registrar and the friend are no processes of the machine: ss knows their sockets, and not whose they are.
    ours = [line.split() for line in listening.splitlines() if "users:" in line]
    assert sorted((words[0], words[4]) for words in ours) == [
        ("tcp", f"{desk.address}:5060"),
        ("udp", f"{desk.address}:5060"),
    ]


def test_a_killed_telephone_is_ready_again_within_3_s(desk: Desk):
    with desk.is_started_anew(within_s=3.0):
        os.kill(desk.machine.pid(), signal.SIGKILL)

    desk.is_registered()


def test_a_telephone_that_stands_still_is_started_anew(desk: Desk):
    with desk.is_started_anew(within_s=20.0):
        os.kill(desk.machine.pid(), signal.SIGSTOP)

    desk.is_registered()


def test_a_hanging_engine_is_noticed_although_the_loop_goes_on(desk: Desk):
    with desk.is_started_anew(within_s=20.0), stopped_engine(desk):
        # The loop still answers, and feeds no watchdog any more.
        assert desk.ask("status")
        desk.machine.until(
            lambda: desk.machine.property(UNIT, "ActiveState") != "active", "the watchdog bites", within_s=20.0
        )

    stacks = "\n".join(str(entry["MESSAGE"]) for entry in desk.machine.journal(f"--unit={UNIT}", "--boot"))
    assert "Fatal Python error: Aborted" in stacks, "the stack of every thread is in the journal"
    desk.is_registered()


@pytest.mark.parametrize("state", ["idle", "ringing", "in_call"])
def test_a_stop_ends_in_order_whatever_the_telephone_does(desk: Desk, state: str):
    if state == "ringing":
        desk.friend.calls(desk.exchange.aor("oma"))
        desk.is_("ringing")
    elif state == "in_call":
        desk.ask("press", keys=["off-hook"])
        desk.ask("dial", number=desk.friend.uri)
        desk.is_("in_call")
    desk.wire.messages.forget()

    desk.machine.run("systemctl", "stop", UNIT)

    shown = desk.machine.run("systemctl", "show", UNIT, "--property=Result,ExecMainStatus,ExecMainCode")
    assert "Result=success" in shown
    assert "ExecMainStatus=0" in shown
    assert desk.exchange.contacts("oma") == [], "un-REGISTER was answered"
    if state == "ringing":
        desk.wire.response(480, "INVITE", source=desk.address)
        desk.friend.is_left()
    if state == "in_call":
        desk.wire.request("BYE", source=desk.address)
        desk.friend.is_left()
    desk.starts()


def test_the_journal_explains_what_the_owner_is_to_do(desk: Desk):
    def told() -> bool:
        return bool(desk.machine.journal(f"MESSAGE_ID={Page.LINE_REFUSED}"))

    with desk.configured('"omapw"', '"opapw"'):
        desk.machine.run("systemctl", "restart", UNIT)

        desk.machine.until(told, "the journal holds the page of a line that is refused")

    explained = desk.machine.run("journalctl", "--catalog", "--no-pager", f"MESSAGE_ID={Page.LINE_REFUSED}")

    assert "Subject: The provider refuses a line" in explained
    assert "omafon apply phone.toml" in explained


def test_systemd_finds_nothing_wrong_with_the_units(desk: Desk):
    units = [f"/usr/lib/systemd/system/{file.name}" for file in UNITS.glob("omafon*.*") if file.is_file()]

    judged = desk.machine.tries("systemd-analyze", "verify", "--man=no", *units)

    complaints = [line for line in judged.stderr.splitlines() if "omafon" in line]
    # Of systemd 254; an older one starts the phone anew in even steps.
    assert [line for line in complaints if "RestartSteps" not in line and "RestartMaxDelaySec" not in line] == []
    assert judged.returncode == 0


def test_a_password_may_be_encrypted_for_this_machine_alone(desk: Desk):
    with desk.configured('password = "omapw"', 'password_credential = "line-home"'):
        target = "/etc/credstore.encrypted/omafon/line-home"
        desk.machine.run("systemd-creds", "encrypt", "--name=omafon_line-home", "-", target, typed="omapw")

        desk.machine.run("systemctl", "restart", UNIT)

        desk.is_registered()
        assert b"omapw" not in (desk.machine.root / target.lstrip("/")).read_bytes()


def test_a_configuration_that_nobody_confirms_goes_back_by_itself(desk: Desk):
    file = desk.machine.root / "etc/omafon/phone.toml"
    before = file.read_text()
    changed = before.replace('name = "oma"', 'name = "Uroma"')

    applied = desk.machine.run(
        *("runuser", "--user=phone", "--", "omafon", "apply", "-", "--confirm-within", "2"), typed=changed
    )

    assert "Uroma" in (desk.machine.root / f"etc/omafon/{file.readlink()}").read_text(), applied
    desk.machine.until(
        lambda: "Uroma" not in (desk.machine.root / f"etc/omafon/{file.readlink()}").read_text(),
        "it goes back",
        within_s=20.0,
    )
    desk.machine.until(
        lambda: desk.machine.property("omafon-rollback.service", "ActiveState") == "inactive",
        "all is as it was",
        within_s=20.0,
    )
    assert desk.machine.property("omafon-rollback.service", "Result") == "success"
    assert not (desk.machine.root / "etc/omafon/unconfirmed.json").exists()
    desk.is_registered()


def test_a_change_that_asks_for_a_new_start_is_a_reload_of_the_same_service(desk: Desk):
    pid, restarts, runs_with = desk.machine.pid(), desk.restarts(), desk.status()["config"]["sha256"]

    with desk.configured('"pcma"', '"pcmu"'):
        desk.machine.run("systemctl", "reload", UNIT)
        desk.machine.until(
            lambda: desk.status().get("config", {}).get("sha256") not in (None, runs_with), "the phone has taken it"
        )

        desk.machine.until(lambda: desk.machine.property(UNIT, "ActiveState") == "active", "the service is ready")
        assert (desk.machine.pid(), desk.restarts()) == (pid, restarts)
        desk.is_registered()


def test_memory_and_descriptors_are_flat_over_a_hundred_calls(desk: Desk):
    pid = desk.machine.pid()

    def calls(phone: Client, count: int) -> None:
        for _ in range(count):
            phone.ask("press", keys=["off-hook"])
            phone.ask("dial", number=desk.friend.uri)
            desk.machine.until(lambda: phone.ask("status")["mode"] == "in_call", "talks", every_s=0.01)
            phone.ask("press", keys=["on-hook"])
            desk.machine.until(lambda: not phone.ask("status")["calls"], "is idle", every_s=0.01)

    # One connection before and after the counting, as what asks is counted too.
    with Client(desk.machine.root / "run/omafon/control") as phone:
        calls(phone, 20)
        before = _size(pid)
        calls(phone, CALLS - 20)
        after = _size(pid)

    assert after["descriptors"] <= before["descriptors"]
    assert after["threads"] <= before["threads"]
    # The engine fills its pools in its first thousand calls, and keeps them then.
    assert after["kb"] - before["kb"] < 2048, (before, after)
    assert desk.machine.pid() == pid


def _size(pid: int) -> dict[str, int]:
    process = Path(f"/proc/{pid}")
    kb = re.search(r"^Anonymous:\s+(\d+)", (process / "smaps_rollup").read_text(), re.MULTILINE)
    assert kb
    counted = {"descriptors": "fd", "threads": "task"}
    return {
        "kb": int(kb[1]),
        **{name: len(list((process / entry).iterdir())) for name, entry in counted.items()},
    }


@pytest.fixture(scope="module")
def probed(desk: Desk) -> dict[str, str]:
    """What a program in the telephone's own sandbox was told when it tried: "done", or the error's name."""
    unit = (desk.machine.root / "usr/lib/systemd/system/omafon.service").read_text()
    changed = {
        **{"Type": "oneshot", "Restart": "no", "WatchdogSec": "0", "RuntimeDirectory": "probe"},
        **{"StateDirectory": "probe", "WorkingDirectory": "/run/probe"},
        "ExecStart": "/usr/lib/omafon-test/python /usr/lib/omafon-test/probe.py",
    }
    for key, value in changed.items():
        unit, found = re.subn(rf"^{key}=.*$", f"{key}={value}", unit, flags=re.MULTILINE)
        assert found == 1, key
    wrapper = (desk.machine.root / "usr/bin/omafon").read_text().replace("-m omafon.cli", "")
    python = desk.machine.root / "usr/lib/omafon-test/python"
    python.write_text(wrapper)
    python.chmod(0o755)
    (desk.machine.root / "etc/systemd/system/probe.service").write_text(unit)
    desk.machine.run("systemctl", "daemon-reload")
    desk.machine.run("systemctl", "start", "probe.service")
    said = [str(entry["MESSAGE"]) for entry in desk.machine.journal("--unit=probe.service")]
    answer: dict[str, str] = json.loads(next(line for line in said if line.startswith("{")))
    return answer


@pytest.mark.parametrize(
    "what",
    [
        *("write /etc", "write /usr", "write /etc/omafon", "write /var/log", "read /home", "read /root"),
        *("read /etc/shadow", "raw socket", "packet socket", "writable and executable memory", "set the clock"),
        *("set-user-id bit", "trace another process", "user namespace", "mount", "open a block device", "become root"),
        *("see another process", "kernel log", "load a module", "open /dev/mem", "bind port 80", "set the host name"),
    ],
)
def test_the_sandbox_forbids(probed: dict[str, str], what: str):
    assert probed[what] != "done"


@pytest.mark.parametrize(
    "what",
    [
        *("write state", "write the runtime directory", "ask for a reset", "netlink", "udp", "tcp", "thread"),
        *("sound cards in /proc", "ctypes", "read the configuration"),
    ],
)
def test_the_sandbox_leaves_what_a_telephone_needs(probed: dict[str, str], what: str):
    assert probed[what] == "done"


def test_what_was_not_confirmed_when_the_power_went_goes_back_at_the_next_start(tmp_path: Path):
    text = '[phone]\nname = "oma"\nboard = "virtual"\n[audio]\nvoice = "null"\n'
    with Machine(tmp_path, {"/etc/omafon/phone.toml": (text, 0o644)}) as machine:
        machine.run(
            *("runuser", "--user=phone", "--", "omafon", "apply", "-", "--confirm-within", "600"),
            typed=text.replace("oma", "Uroma"),
        )
        pending = (machine.root / "etc/omafon/phone.toml").read_text()
        machine.is_cut_off()

        machine.boots()

        assert "Uroma" in pending
        assert machine.run("cat", "/etc/omafon/phone.toml") == text
        assert "nobody confirmed" in machine.run("journalctl", "--no-pager", "--unit=omafon-boot.service")


@contextmanager
def stopped_engine(desk: Desk) -> Iterator[None]:
    """The engine's thread stands still, as if a library never returned; the others go on."""
    libc = ctypes.CDLL(None, use_errno=True)
    attach, detach, wall = 16, 17, 0x40000000  # ptrace(2), waitpid(2)
    tasks = Path(f"/proc/{desk.machine.pid()}/task")

    def in_select() -> list[int]:
        return [int(task.name) for task in tasks.iterdir() if "poll_schedule" in (task / "wchan").read_text()]

    # It alone waits by select(2), 50 ms a round: there it has not the interpreter's lock.
    desk.machine.until(in_select, "the engine's thread waits", every_s=0.001)
    (thread,) = in_select()
    assert libc.ptrace(attach, ctypes.c_long(thread), None, None) == 0
    try:
        yield
    except BaseException:
        libc.ptrace(detach, ctypes.c_long(thread), None, None)
        raise
    # Who holds a thread still has to bury it, before its process is seen to have ended.
    while not os.WIFSIGNALED(os.waitpid(thread, wall)[1]):
        continue


# A line, and no network by which it could register.
CARD = """[phone]
board = "virtual"
[audio]
voice = "null"
[[line]]
name = "home"
aor = "sip:100@192.0.2.1"
"""


def test_a_card_that_waits_for_a_network_does_not_hold_up_the_start_of_the_system(tmp_path: Path):
    with Machine(tmp_path, {"/boot/firmware/omafon.toml": (CARD, 0o644)}) as machine:
        assert machine.property("omafon-first-boot.service", "ActiveState") == "active"
        assert machine.property("multi-user.target", "ActiveState") == "active"
        assert machine.run("systemctl", "list-jobs").strip() == "No jobs running."


# The first time somebody writes another configuration meanwhile; and it fails twice.
SETTLES = """#!/bin/sh
echo once more >> runs
times=$(wc -l < runs)
cd /etc/omafon
[ "$times" -gt 1 ] || { cp phone.toml new && mv new phone.toml; }
[ "$times" -gt 2 ]
"""
NETWORKS = "omafon-network.service"
SETTLING = """[Service]
ExecStart=
ExecStart=/usr/lib/omafon-test/settles
ReadWritePaths=/etc/omafon
CapabilityBoundingSet=CAP_DAC_OVERRIDE
"""


def test_a_change_during_a_settling_of_the_networks_that_fails_is_settled_too(tmp_path: Path):
    files = {
        "/etc/omafon/phone.toml": ('[phone]\nboard = "virtual"\n', 0o644),
        "/etc/NetworkManager/system-connections/.there": ("", 0o600),
        "/usr/lib/omafon-test/settles": (SETTLES, 0o755),
        "/etc/systemd/system/omafon-network.service.d/settles.conf": (SETTLING, 0o644),
    }
    with Machine(tmp_path, files) as machine:
        runs = machine.root / "run/omafon-network/runs"

        machine.until(lambda: runs.read_text().count("\n") == 2, "it is settled a second time")
        machine.until(lambda: machine.property(NETWORKS, "ActiveState") == "failed", "the second time has ended")

        for _ in range(2):
            machine.run("systemctl", "start", NETWORKS)

        assert runs.read_text().count("\n") == 3, "what failed is done again, and what succeeded is not"


def test_a_login_of_the_owner_starts_no_manager_of_services(desk: Desk):
    owner, root = (f"user@{desk.machine.run('id', '--user', name).strip()}.service" for name in ("phone", "root"))

    desk.machine.run("systemctl", "start", owner, root)

    assert desk.machine.property(owner, "ActiveState") == "inactive"
    assert desk.machine.property(root, "ActiveState") == "active"
    desk.machine.run("systemctl", "stop", root)
