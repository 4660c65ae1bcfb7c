# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What the owner's account over SSH does with a request: the splitting, before any command runs."""

import os
import re
import shlex
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from omafon.cli.words import parser
from omafon.login import VERBS, NotAllowed, handed_on, page, serve, understood

LOGIN = {"SSH_CONNECTION": "192.0.2.1 50022 192.0.2.7 22", "SSH_USER_AUTH": "/tmp/sshauth.Ab3dEf"}


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ("", ["help"]),
        ("status", ["status"]),
        ("omafon status --json", ["status", "--json"]),
        ("apply", ["apply", "-"]),
        ("apply --confirm-within 120 -", ["apply", "--confirm-within=120", "-"]),
        ("apply - --now --confirm-within=60", ["apply", "--now", "--confirm-within=60", "-"]),
        ("check -", ["check", "-"]),
        ("rollback 3", ["rollback", "3"]),
        ("press off-hook 1 '#' vol- vol+", ["press", "off-hook", "1", "#", "vol-", "vol+"]),
        ("dial 'sip:oma@example.org;transport=tls'", ["dial", "sip:oma@example.org;transport=tls"]),
        ("enum '+49 30 123' --tree e164.arpa", ["enum", "--tree=e164.arpa", "+49 30 123"]),
        ("log --lines 20 --follow", ["log", "--lines=20", "--follow"]),
    ],
)
def test_a_request_becomes_the_words_of_a_command(request_: str, words: list[str]):
    assert understood(request_) == words


@pytest.mark.parametrize(
    "request_",
    [
        "bash -i",
        "/bin/sh",
        "status; id",
        "status && id",
        "status | sh",
        "status $(id)",
        "status `id`",
        "status\nid",
        "$(id)",
        "run",
        "ssh",
        "sim",
        "hwtest",
        "first-boot",
        "scp -t /etc/passwd",
        "internal-sftp",
        "/usr/lib/openssh/sftp-server",
        "apply --config /etc/passwd -",
        "apply /etc/shadow",
        "apply -- -",
        "apply - -",
        "apply --confirm-within",
        "apply --confirm-within -1 -",
        "apply --confirm-within=5x -",
        "apply --confirm 5 -",
        "check /etc/shadow",
        "diff /etc/shadow",
        "doctor --config /etc/shadow",
        "status --control /tmp/other",
        "status --json=yes",
        "screen --png /etc/omafon/authorized_keys",
        "rollback --unconfirmed",
        "rollback ../../etc",
        "log --file=/etc/shadow",
        "log --lines=-1",
        "log _TRANSPORT=audit",
        "enum +49301 --server /etc/passwd",
        "enum --config=/etc/shadow +49301",
        "press --control=/x 1",
        "dial --help",
        "dial 'sip:a b'",
        "dial",
        "panel --control /x",
        "help me",
        "status 'unclosed",
        "status " + "x" * 5000,
    ],
)
def test_what_is_not_in_the_list_is_refused(request_: str):
    with pytest.raises(NotAllowed):
        understood(request_)


SHELL = (";", "&&", "|", "$(id)", "`id`", "'", '"', "\\", "\n", "#", "~")
PATHS = ("--config", "--control", "--config=/etc/passwd", "--png", "/etc/passwd", "../x", "--", "-")
OPTIONS = [option for verb in VERBS.values() for option in verb.options]
words_of_attackers = st.sampled_from([*VERBS, *OPTIONS, *SHELL, *PATHS, "5", "+49301"])


@given(st.one_of(st.text(), st.lists(st.one_of(words_of_attackers, st.text(max_size=6)), max_size=8).map(" ".join)))
@example("\udcff\udc80")
@example("apply '' ")
def test_no_request_gets_more_than_the_list_says_or_raises_anything_else(request_: str):
    refused = ""
    name, words = "help", []
    try:
        name, *words = understood(request_)
    except NotAllowed as refusal:
        refused = refusal.what

    # It goes to a terminal.
    assert refused.isascii()
    assert refused.isprintable()
    verb = VERBS[name]
    others = [word for word in words if word == "-" or not word.startswith("-")]
    assert all(re.fullmatch(verb.word, word, re.ASCII) for word in others)
    assert all(word.isascii() and word.isprintable() and not word.startswith((".", "/")) for word in others)
    for option in set(words) - set(others):
        option, joined, value = option.partition("=")
        pattern = verb.options[option]
        assert re.fullmatch(pattern, value, re.ASCII) if pattern is not None else not joined


SAMPLES = {
    "-": "-",
    "--bundle": "-",
    "--confirm-within": "60",
    "--lines": "5",
    "--tree": "e164.arpa",
    "--server": "192.0.2.53:5353",
}
WORDS = {"press": ["1"], "dial": ["123"], "enum": ["+493012345"], "apply": ["-"], "check": ["-"], "rollback": ["2"]}


@pytest.mark.parametrize("name", [name for name in VERBS if name not in ("help", "log", "version")])
def test_every_verb_of_the_account_is_one_of_the_command_line_with_all_its_options(name: str):
    options = [word for option in VERBS[name].options for word in (option, SAMPLES.get(option)) if word]
    request = shlex.join([name, *options, *WORDS.get(name, [])])

    assert parser().parse_args(understood(request)).command


def test_a_login_without_a_command_is_told_what_there_is(capsys: pytest.CaptureFixture[str]):
    ran: list[Sequence[str]] = []

    code = serve(LOGIN, lambda words: ran.append(words) or 0)

    told = capsys.readouterr().out
    assert code == 0
    assert ran == []
    assert all(f"\n  {name}" in told for name in VERBS)


def test_a_refusal_says_what_and_what_else_and_runs_nothing(capsys: pytest.CaptureFixture[str]):
    ran: list[Sequence[str]] = []

    code = serve({**LOGIN, "SSH_ORIGINAL_COMMAND": "statsu\x1b[2J"}, lambda words: ran.append(words) or 0)

    assert code == 2
    assert ran == []
    assert capsys.readouterr().err == 'omafon: this account has no "statsu\\x1b[2J"\n  Did you mean status?\n'


def test_a_command_sees_of_its_surroundings_what_tells_who_asks_and_nothing_else():
    seen: dict[str, str] = {}
    os.environ.clear()
    os.environ |= {
        **LOGIN,
        "SSH_ORIGINAL_COMMAND": "confirm",
        "TERM": "xterm\n; id",
        "XDG_SESSION_ID": "7",
        "LD_PRELOAD": "/tmp/evil.so",
        "PYTHONINSPECT": "1",
        "CREDENTIALS_DIRECTORY": "/tmp",
        "PAGER": "sh",
    }

    serve(os.environ, lambda words: seen.update(os.environ) or 0)

    system = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
    assert seen == {**system, **LOGIN, "XDG_SESSION_ID": "7"}


def test_the_exit_code_is_that_of_the_command():
    assert serve({**LOGIN, "SSH_ORIGINAL_COMMAND": "status"}, lambda words: 69) == 69


def test_the_page_fits_a_terminal():
    assert [line for line in page().splitlines() if len(line) > 80] == []


def test_terminals_keep_their_names():
    assert handed_on({"TERM": "xterm-256color"})["TERM"] == "xterm-256color"
