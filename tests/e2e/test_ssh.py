# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The owner's account over SSH, with the real sshd and the real telephone: what it does, and what it never does."""

import json
import os
import pty
import re
import select
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

import pytest

from tests.lab.nspawn import Machine
from tests.lab.owner import ADDRESS, Owner, ended, key

PHONE = """\
[phone]
name = "Flur"
board = "virtual"
language = "en"
country = "DE"
area = "30"
[sip]
port = 5060
address = "127.0.0.1"
[enum]
trees = []
[audio]
voice = "null"
"""


@pytest.fixture(scope="module")
def owner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Owner]:
    folder = tmp_path_factory.mktemp("ssh")
    with Machine(folder, {"/etc/omafon/phone.toml": (PHONE, 0o644)}) as machine:
        yield Owner(machine, folder)


@pytest.fixture
def phone(owner: Owner) -> Iterator[Owner]:
    """The owner, whose phone is idle."""
    owner.learns("press on-hook")
    yield owner
    owner.learns("press on-hook")


class Terminal:
    """A terminal of the owner's, with `ssh -t` and a request in it."""

    def __init__(self, owner: Owner, request: str) -> None:
        self.shown = ""
        self._screen, keyboard = pty.openpty()
        command = [*owner.ssh("-tt"), f"phone@{ADDRESS}", request]
        environment = {**os.environ, "TERM": "xterm-256color"}
        self._ssh = subprocess.Popen(command, stdin=keyboard, stdout=keyboard, stderr=keyboard, env=environment)
        os.close(keyboard)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ssh.kill()
        self._ssh.wait()
        os.close(self._screen)

    def types(self, keys: str) -> None:
        os.write(self._screen, keys.encode())

    def shows(self, text: str) -> None:
        until(lambda: self._reads() and text in self.shown, f"the terminal shows {text!r}")

    def ends(self) -> int:
        until(lambda: self._reads() and self._ssh.poll() is not None, "the session ends")
        return self._ssh.wait()

    def _reads(self) -> bool:
        while select.select([self._screen], [], [], 0.05)[0]:
            try:
                self.shown += os.read(self._screen, 65536).decode(errors="replace")
            except OSError:  # its other end is closed
                break
        return True


def until(holds: Callable[[], object], what: str, *, within_s: float = 10.0) -> None:
    """Look again and again until `holds`."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, f"{what}: not within {within_s:g} s"
        time.sleep(0.05)


def processes(owner: Owner) -> list[str]:
    """The ids of what runs for the owner's logins."""
    return owner.machine.tries("pgrep", "-u", "phone", "-f", "omafon.cli ssh").stdout.split()


def lines_until(stream: TextIO, pattern: str) -> list[str]:
    """The lines a program says, to the one in which `pattern` is found."""
    lines: list[str] = []
    for line in stream:
        lines.append(line)
        if re.search(pattern, line):
            return lines
    raise AssertionError(f"{pattern!r} was not said:\n{''.join(lines)}")


# What it does.


def test_a_login_without_a_command_is_told_what_there_is(owner: Owner):
    told = owner.is_told("")

    assert "\n  apply " in told
    assert "\n  status\n" in told


def test_the_owner_sees_what_the_phone_does(owner: Owner):
    assert owner.learns("status")["name"] == "Flur"
    assert "│" in owner.is_told("status")
    assert owner.learns("screen")["width"] == 128
    assert owner.is_told("omafon version").startswith("omafon ")


def test_the_owner_uses_the_phone(phone: Owner):
    assert phone.learns("press off-hook 1 2")["mode"] == "dialing"
    assert phone.learns("hangup")["mode"] == "idle"
    assert phone.learns("dial sip:nobody@127.0.0.1:5099")["hook"] == "off"


def test_the_owner_asks_enum(owner: Owner):
    assert owner.asks("enum 12").returncode in (1, 2)


def test_the_owner_reads_the_log(owner: Owner):
    assert "is ready" in owner.is_told("log --lines 1000")


def test_a_checked_file_comes_by_standard_input(owner: Owner):
    wrong = owner.asks("check -", typed="[phone]\nnmae = 'x'\n")

    assert wrong.returncode == 78
    assert "line 2" in wrong.stderr
    assert owner.is_told("check", typed=PHONE)


def test_the_handset_is_in_the_owners_terminal(phone: Owner):
    with Terminal(phone, "panel") as terminal:
        terminal.shows("handset down")
        terminal.types(" ")
        terminal.shows("handset lifted")

        assert phone.learns("status")["hook"] == "off"

        terminal.types(" q")
        assert terminal.ends() == 0


def test_a_panel_without_a_terminal_says_how_to_get_one(owner: Owner):
    refused = owner.asks("panel")

    assert refused.returncode == 1
    assert "over SSH add -t" in refused.stderr


def test_events_come_as_they_happen_and_end_with_the_connection(phone: Owner):
    command = [*phone.ssh(), f"phone@{ADDRESS}", "events"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None

        def told() -> bool:
            # Until it has subscribed nothing is told.
            phone.learns("press 1")
            return bool(select.select([watching.stdout], [], [], 0)[0])

        try:
            until(told, "an event is told")
        finally:
            watching.kill()

    until(lambda: not processes(phone), "nothing of the session is left")


def test_a_configuration_is_applied_and_confirmed_by_another_login(owner: Owner, tmp_path: Path):
    """A second command over the same connection is no other login."""
    shared = ("-o", "ControlMaster=auto", "-o", f"ControlPath={tmp_path}/shared", "-o", "ControlPersist=30")

    applied = owner.asks("apply --confirm-within 60 --json -", *shared, typed=PHONE.replace("Flur", "Küche"))
    same_login = owner.asks("confirm", *shared)
    owner.asks("", *shared, "-O", "exit")
    other_login = owner.asks("confirm")

    assert json.loads(applied.stdout)["outcome"] == "unconfirmed"
    assert same_login.returncode == 1
    assert "Log in again" in same_login.stderr
    assert other_login.returncode == 0, other_login.stderr
    assert owner.learns("status")["name"] == "Küche"
    meta = owner.learns("history")["generations"][-1]
    assert meta["outcome"] == "confirmed"
    # Whose key it was.
    assert re.fullmatch(r"phone@127\.0\.0\.1 SHA256:[\w+/]{43}", meta["by"])


def test_a_configuration_is_compared_and_taken_back(owner: Owner):
    owner.is_told("apply", typed=PHONE.replace("Flur", "Keller"))

    assert '+name = "Flur"' in owner.is_told("diff -", PHONE)
    owner.is_told("rollback")
    assert owner.learns("status")["name"] != "Keller"
    assert owner.asks("confirm").returncode == 1


def test_the_doctor_comes_to_the_owner(owner: Owner):
    assert owner.asks("doctor --json").returncode in (0, 1)


# What it never does: first everything that a command or a subsystem could be.


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        ("bash -i", 'no "bash"'),
        ("status; id", 'no "status;"'),
        ("status && id", 'status does not take "&&"'),
        ("status $(id)", 'status does not take "$(id)"'),
        ("status `id`", 'status does not take "`id`"'),
        ("dial '$(id)'", 'dial does not take "$(id)"'),
        ("run --config /dev/stdin", 'no "run"'),
        ("apply --config /etc/passwd -", 'apply does not take "--config"'),
        ("check /etc/shadow", 'check does not take "/etc/shadow"'),
        ("status --control /tmp/x", 'status does not take "--control"'),
        ("screen --png /etc/omafon/authorized_keys", 'screen does not take "--png"'),
        ("log --file=/etc/shadow", 'log does not take "--file=/etc/shadow"'),
        ("status 'unclosed", "a quote is not closed"),
    ],
)
def test_there_is_no_shell_and_no_file_behind_a_command(owner: Owner, request_: str, reason: str):
    refused = owner.asks(request_)

    assert refused.returncode == 2
    assert reason in refused.stderr
    assert "uid=" not in refused.stdout + refused.stderr


@pytest.mark.parametrize(
    ("program", "arguments"),
    [
        ("sftp", ("-b", "-", f"phone@{ADDRESS}")),
        ("scp", (f"phone@{ADDRESS}:/etc/passwd", "stolen")),
        ("scp", ("-O", f"phone@{ADDRESS}:/etc/passwd", "stolen")),
    ],
)
def test_no_file_is_copied(owner: Owner, tmp_path: Path, program: str, arguments: tuple[str, ...]):
    arguments = tuple(str(tmp_path / "stolen") if word == "stolen" else word for word in arguments)
    refused = ended([*owner.ssh(program=program), *arguments], f"get /etc/passwd {tmp_path}/stolen\n")

    assert refused.returncode != 0
    assert not (tmp_path / "stolen").exists()
    assert any("refused to the owner's account" in entry["MESSAGE"] for entry in owner.machine.journal())


def test_another_subsystem_is_not_there(owner: Owner):
    refused = owner.asks("netconf", "-s")

    assert refused.returncode != 0
    assert "subsystem request failed" in refused.stderr


# Then who may log in.


def test_nobody_logs_in_by_password(owner: Owner):
    refused = owner.asks("status", "-o", "PreferredAuthentications=password,keyboard-interactive")

    assert refused.returncode == 255
    assert "Permission denied (publickey)" in refused.stderr


def failed_logins(owner: Owner) -> int:
    count = owner.learns("status")["counters"]["failed_logins"]
    assert isinstance(count, int)
    return count


def test_nobody_logs_in_with_another_key_and_who_tries_is_counted(owner: Owner, tmp_path: Path):
    before = failed_logins(owner)
    command = [*owner.machine.networked(), "ssh", "-F", "none", "-i", str(key(tmp_path, "stranger"))]
    settings = [f"-oUserKnownHostsFile={owner.known_hosts}", "-oIdentitiesOnly=yes", "-oBatchMode=yes"]
    refused = ended([*command, *settings, f"phone@{ADDRESS}", "status"])

    assert refused.returncode == 255
    assert "Permission denied (publickey)" in refused.stderr
    until(lambda: failed_logins(owner) == before + 1, "it is counted")


def test_root_does_not_log_in_even_with_a_key_of_its_own(owner: Owner):
    owner.machine.run("install", "-D", "-m", "600", "/etc/omafon/authorized_keys", "/root/.ssh/authorized_keys")
    owner.machine.run("chown", "-R", "root:root", "/root/.ssh")

    refused = owner.asks("id", user="root")

    assert refused.returncode == 255
    assert "Permission denied (publickey)" in refused.stderr


def test_who_only_knocks_takes_five_places_and_no_more(owner: Owner):
    with owner.machine.network():
        knocking = [socket.create_connection((ADDRESS, 22), timeout=5) for _ in range(9)]
    try:
        greeted = [connection.recv(64).startswith(b"SSH-2.0") for connection in knocking]
    finally:
        for connection in knocking:
            connection.close()

    assert 1 <= sum(greeted) <= 5


# And nothing else goes through the connection.


# RFC 1928: version 5, one method, no authentication; connect to 127.0.0.1 port 22.
SOCKS = (b"\5\1\0", b"\5\1\0\1\x7f\0\0\1\0\x16")


@pytest.mark.parametrize(("option", "asks"), [("-L127.0.0.9:4000:127.0.0.1:22", ()), ("-D127.0.0.9:4000", SOCKS)])
def test_nothing_is_forwarded_into_the_phones_network(owner: Owner, option: str, asks: tuple[bytes, ...]):
    heard = b""
    command = [*owner.ssh(option, "-v", "-N"), f"phone@{ADDRESS}"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as tunnel:
        try:
            assert tunnel.stderr is not None
            lines_until(tunnel.stderr, "Entering interactive session")
            with owner.machine.network():
                through = socket.create_connection(("127.0.0.9", 4000), timeout=5)
            with through, suppress(ConnectionResetError):
                for words in asks:
                    through.sendall(words)
                    heard += through.recv(64)
                heard += through.recv(64)
        finally:
            tunnel.kill()
        said = tunnel.stderr.read()

    assert b"SSH" not in heard
    assert "open failed: administratively prohibited" in said


def test_nothing_is_forwarded_out_of_it(owner: Owner):
    refused = owner.asks("", "-o", "ExitOnForwardFailure=yes", "-N", "-R", "127.0.0.9:4001:127.0.0.1:22")

    assert refused.returncode == 255
    assert "remote port forwarding failed" in refused.stderr


def test_no_window_is_forwarded(owner: Owner):
    command = ["env", "DISPLAY=:9", *owner.ssh("-Y", "-o", "LogLevel=INFO"), f"phone@{ADDRESS}", "version"]
    done = ended(command)

    assert "X11 forwarding request failed" in done.stderr
    assert done.stdout.startswith("omafon ")


def test_no_agent_and_no_variable_of_the_client_reaches_the_phone(owner: Owner, tmp_path: Path):
    variables = "SetEnv=LD_PRELOAD=/tmp/evil.so PYTHONINSPECT=1 PYTHONPATH=/tmp BASH_ENV=/tmp/x ENV=/tmp/x PATH=/tmp"
    agent = tmp_path / "agent"
    with subprocess.Popen(["ssh-agent", "-D", "-a", agent], stdout=subprocess.DEVNULL) as agent_program:
        until(agent.exists, "the agent listens")
        command = ["env", f"SSH_AUTH_SOCK={agent}", *owner.ssh("-A", "-o", variables), f"phone@{ADDRESS}", "events"]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as session:
            until(lambda: processes(owner), "the session runs")
            process = processes(owner)[0]
            surroundings = owner.machine.run("cat", f"/proc/{process}/environ").split("\0")
            session.kill()
        agent_program.terminate()

    names = {variable.partition("=")[0] for variable in surroundings if variable}
    assert "SSH_CONNECTION" in names
    assert not names & {"SSH_AUTH_SOCK", "LD_PRELOAD", "PYTHONINSPECT", "BASH_ENV", "ENV"}
    assert "PATH=/tmp" not in surroundings


def test_there_is_no_way_out_of_the_panel(phone: Owner):
    with Terminal(phone, "panel") as terminal:
        terminal.shows("handset down")
        # A shell escape, a command line, suspend, quit, a terminal's answerback, what vi and less and more know.
        terminal.types("!id\r:!id\r\x1a\x1c\x05|id\rv\x1b!id\r")
        terminal.types("q")
        terminal.ends()

        assert "uid=" not in terminal.shown
    until(lambda: not processes(phone), "nothing of the session is left")
