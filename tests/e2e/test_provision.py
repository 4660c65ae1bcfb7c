# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The owner changes the configuration from far away: the real command, a real telephone, a real registrar."""

import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from omafon.config import load
from omafon.provision.generations import Generations
from tests.lab.addresses import Addresses
from tests.lab.kamailio import Kamailio
from tests.lab.phone import Line, Phone, Setup
from tests.lab.program import needs
from tests.lab.town import Town

OMAFON = str(Path(sys.executable).with_name("omafon"))
CANARY = "kanarienvogel-9173"
# Nobody greets there, so nobody is asked to.
OWNER = {"SSH_CONNECTION": "127.0.0.1 50000 127.0.0.1 9"}
SECOND_LOGIN = {"SSH_CONNECTION": "127.0.0.1 50001 127.0.0.1 9"}


class Owner:
    """Who has the command line of the phone `oma`, and nothing else."""

    def __init__(self, oma: Phone, exchange: Kamailio) -> None:
        self.oma = oma
        self.file = oma.folder / "phone.toml"
        self.control = oma.folder / "control"
        self.generations = Generations(self.file)
        self._exchange = exchange

    def text(self, password: str = "", **more: Any) -> str:
        line = Line(self._exchange.address, "oma", password or self._exchange.users["oma"])
        return Setup(lines=[line], more=more).toml("oma", self.oma.address, "null")

    def words(self, verb: str, *words: str) -> list[str]:
        places = ["--config", str(self.file), "--control", str(self.control)]
        return [OMAFON, verb, *words, *(places if verb not in ("history", "diff") else places[:2])]

    def says(
        self, verb: str, *words: str, sends: str = "", login: dict[str, str] = OWNER, through: tuple[str, ...] = ()
    ) -> subprocess.CompletedProcess[str]:
        command = [*through, *self.words(verb, *words)]
        env = {**os.environ, **login}
        return subprocess.run(command, input=sends, env=env, capture_output=True, text=True, check=False, timeout=90)

    def applies(self, text: str, *words: str) -> dict[str, Any]:
        told = json.loads(self.says("apply", "--json", *words, sends=text).stdout)
        assert isinstance(told, dict)
        return told


@pytest.fixture
def owner(tmp_path: Path, addresses: Addresses, exchange: Kamailio) -> Iterator[Owner]:
    line = Line(exchange.address, "oma", exchange.users["oma"])
    with Phone(tmp_path, addresses.fresh(), "oma", Setup(lines=[line], has_card=False)) as oma:
        oma.is_registered()
        yield Owner(oma, exchange)


def test_a_wrong_password_is_noticed_and_the_line_comes_back(owner):
    told = owner.applies(owner.text("wrong"))

    assert told["outcome"] == "failed"
    assert "generation 2 is gone (line home: not registered (40" in told["what"]
    assert {check["what"]: check["good"] for check in told["checks"]}["line home"]
    assert owner.oma.ask("status")["config"]["generation"] == 1
    assert owner.oma.is_registered()


def test_a_good_change_is_taken_at_once_and_again_is_none(owner):
    new = owner.text(phone={"name": "Oma Erna"})

    told = owner.applies(new)

    assert (told["outcome"], told["generation"], told["previous"]) == ("applied", 2, 1)
    assert all(check["good"] for check in told["checks"])
    assert owner.oma.ask("status")["name"] == "Oma Erna"
    assert owner.applies(new)["outcome"] == "unchanged"


def test_a_change_that_asks_for_a_new_start_is_waited_for(owner):
    before = owner.oma.ask("status")["restarts"]

    told = owner.applies(owner.text(audio={"sidetone_db": -20}))

    assert told["outcome"] == "applied"
    owner.oma.begins_anew()
    status = owner.oma.ask("status")
    assert (status["config"]["generation"], status["restarts"]) == (2, before + 1)
    assert status["counters"]["restarts"] == before + 1


def test_what_nobody_confirms_goes_back_and_what_another_login_confirms_stays(owner):
    assert owner.applies(owner.text(phone={"name": "Opa"}), "--confirm-within", "2")["outcome"] == "unconfirmed"
    owner.oma.until(lambda status: status["name"] == "Opa", "is Opa")
    owner.oma.until(lambda status: status["name"] == "oma", "is Oma again", within_s=15)
    # Who takes it back has this lock until it has seen that all is well.
    with owner.generations.locked(wait=True):
        assert load(owner.file).phone.name == "oma"

    assert owner.applies(owner.text(phone={"name": "Opa"}), "--confirm-within", "60")["outcome"] == "unconfirmed"
    assert owner.says("confirm").returncode == 1
    assert owner.says("confirm", login=SECOND_LOGIN).stdout == "generation 3 is confirmed\n"
    with owner.generations.claimed("watch", fcntl.LOCK_EX):
        assert load(owner.file).phone.name == "Opa"


def test_who_ends_the_change_gets_the_old_one_back_and_who_hangs_up_does_not(owner, town: Town):
    opa = town.phone("opa", line="udp")
    owner.oma.dials(opa.uri)
    opa.is_called()
    opa.lifts()
    owner.oma.is_in_a_call()
    with subprocess.Popen(
        owner.words("apply"),
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **OWNER},
    ) as applying:
        assert applying.stdin is not None
        assert applying.stderr is not None
        applying.stdin.write(owner.text(audio={"sidetone_db": -20}))
        applying.stdin.close()
        assert "a call goes on; the phone takes it when that has ended" in applying.stderr.readline()
        applying.send_signal(signal.SIGHUP)
        applying.send_signal(signal.SIGTERM)
        told = applying.stderr.read()

    assert "omafon: generation 2 is gone (it was interrupted); generation 1 is in force again\n" in told
    assert owner.oma.is_in_a_call()


def test_no_secret_is_told_to_anybody(owner, tmp_path):
    """Everything that the processes say or are called with, seen from outside; and all that is left."""
    sent = owner.text(CANARY) + f'# password = "{CANARY}-too"\n'
    trace = tmp_path / "trace"
    calls = "trace=execve,write,writev,sendto,sendmsg"
    strace = (needs("strace", "strace"), "-f", "-s", "4096", "-e", calls, "-o", str(trace))
    for words in (["apply"], ["apply", "--json", "--offline"], ["diff", "-"], ["diff"], ["history", "--json"]):
        done = owner.says(*words, sends=sent, through=strace)
        assert CANARY not in done.stdout + done.stderr
        for line in trace.read_text().splitlines():
            # Into a file of its own, and nowhere else: not to a person, not to the phone, not as a word of a command.
            assert CANARY not in line or ("write(" in line and f'"{CANARY}", {len(CANARY)}' in line), line
    holders = [path for path in tmp_path.rglob("*") if path.is_file() and CANARY in path.read_text(errors="replace")]
    assert {path.parent.name for path in holders if path != trace} == {"credentials"}


@pytest.mark.parametrize(
    ("options", "what", "cure"),
    [
        ("size=12k", "No space left on device", "Nothing more fits on the disk: make room"),
        ("size=1m,ro", "Read-only file system", "Linux writes no more to this disk"),
    ],
)
def test_a_disk_that_takes_nothing_has_its_cure_and_keeps_what_it_has(options: str, what: str, cure: str):
    # In a mount namespace of its own: the file system goes with its last process.
    script = """
        mount -t tmpfs -o size=1m disk /mnt && echo '[phone]' > /mnt/phone.toml && mount -o remount,"$1" /mnt
        printf '[phone]\nname = "Oma"\n' | "$2" apply --offline --config /mnt/phone.toml -
        echo "ends with $?" && cat /mnt/phone.toml
    """

    done = subprocess.run(
        [*("unshare", "--mount", "--propagation", "private"), "sh", "-c", script, "sh", options, OMAFON],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )

    assert done.stdout == "ends with 1\n[phone]\n"
    assert what in done.stderr
    assert cure in done.stderr
