# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The owner's account over SSH: what sshd runs instead of a shell, whatever it is asked for.

A request becomes words, and the words a command of `omafon` that stands in VERBS with each of its options, or nothing.
No shell sees them, and no word names a file: files come by standard input.
"""

import os
import re
import select
import shlex
import signal
import sys
import syslog
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

USAGE = 2

# A command of a person, or of a program; who sends more wants something else.
LONGEST_REQUEST = 4096

JOURNALCTL = "/usr/bin/journalctl"
UNIT = "omafon.service"

# What a command may know of the connection, and what that looks like. Nothing else of the environment is handed on.
ENVIRONMENT = {
    # Two addresses and two ports: who confirms a configuration must have come by another connection.
    "SSH_CONNECTION": r"[\w.:%-]+ \d+ [\w.:%-]+ \d+",
    # A file of sshd's that names the key that was used.
    "SSH_USER_AUTH": r"/[\w./-]+",
    "XDG_SESSION_ID": r"[\w-]+",
    "TERM": r"[\w.+-]{1,64}",
}

Flag = None
NUMBER = r"\d{1,9}"
SECONDS = r"\d{1,5}"
NAME = r"[0-9A-Za-z_][0-9A-Za-z_.-]{0,252}"

MEMBER = r"[0-9A-Za-z][0-9A-Za-z .'-]{0,39}"
"""A name of a person, or an id: who has other letters in the name is called by the id."""


class NotAllowed(Exception):
    """The account does not do that: `what` was asked, and the `cure`, each one sentence."""

    def __init__(self, what: str, cure: str) -> None:
        super().__init__(what)
        self.what = what
        self.cure = cure


@dataclass(frozen=True, slots=True)
class Verb:
    """One thing the owner may ask for, and all ways to ask for it.

    `options` are its options with the pattern of their value, or Flag; between `least` and `most` further words look
    like `word`, and where there are none, `unsaid` are meant.
    """

    about: str
    form: str = ""
    options: Mapping[str, str | None] = field(default_factory=dict)
    word: str = ""
    least: int = 0
    most: int = 0
    unsaid: tuple[str, ...] = ()
    # It goes on until the other end is gone.
    endless: bool = False


JSON: dict[str, str | None] = {"--json": Flag}

VERBS: dict[str, Verb] = {
    "status": Verb("what the phone is doing", options=JSON),
    "screen": Verb("the display, as text", options=JSON),
    "panel": Verb("the handset in your terminal; log in with `ssh -t`"),
    "check": Verb("find every error in the configuration you send", "< phone.toml", JSON, "-", 0, 1, ("-",)),
    "diff": Verb("what the configuration you send would change", "- < phone.toml", JSON, rf"-|{NUMBER}", 0, 2),
    "apply": Verb(
        "take the configuration you send; go back by itself when it does not work",
        "[--confirm-within SECONDS] [--now] [--offline] < phone.toml",
        {"--confirm-within": SECONDS, "--now": Flag, "--offline": Flag, **JSON},
        "-",
        0,
        1,
        ("-",),
    ),
    "confirm": Verb("keep what was applied with --confirm-within: from a new login", options=JSON),
    "rollback": Verb("go back to the configuration before, or to number N", "[N]", JSON, NUMBER, 0, 1),
    "history": Verb("which configurations there were, and what became of them", options=JSON),
    "doctor": Verb(
        "what is wrong here, and what to do about it; a file to report it",
        "[--bundle - > report.tar.gz]",
        {"--bundle": "-", **JSON},
    ),
    "log": Verb(
        "the phone's diary; --explain says what to do about each trouble",
        "[--lines N] [--follow] [--explain]",
        {"--lines": r"[1-9]\d{0,4}", "--follow": Flag, "--explain": Flag, **JSON},
    ),
    "events": Verb("what happens in the phone, as it happens", options=JSON, endless=True),
    "enum": Verb(
        "what ENUM says about a number; publish or unpublish the own one",
        "NUMBER|publish|unpublish",
        {"--tree": NAME, "--server": r"[0-9A-Za-z\[][0-9A-Za-z.:/#\[\]-]{0,252}", "--dry-run": Flag, **JSON},
        r"\+?[0-9][0-9 ()/.-]{0,40}|publish|unpublish",
        1,
        1,
    ),
    "press": Verb("press keys as a person does: off-hook 1 # call end …", "KEY…", JSON, r"[a-z0-9*#][a-z+-]*", 1, 64),
    "dial": Verb("lift, and call a number or a SIP address", "NUMBER", JSON, r"[0-9A-Za-z+*#][!-~]{0,254}", 1, 1),
    "answer": Verb("take the call that rings", options=JSON),
    "hangup": Verb("end the call, or refuse the one that rings", options=JSON),
    "pair": Verb(
        "make a family with another phone here, if both show the same digits",
        "[--yes]",
        {"--yes": Flag, **JSON},
    ),
    "family": Verb("who is in the family; take one out of it", "[remove NAME]", JSON, MEMBER, 0, 2),
    "update": Verb(
        "take the version you send or name; without one: how the last update went",
        "[--now] [- < omafon.raucb|URL]",
        {"--now": Flag, **JSON},
        r"-|https?://[0-9A-Za-z\[][!-~]{0,500}",
        0,
        1,
    ),
    "factory-reset": Verb("erase everything you have set up, and your key", "[--yes]", {"--yes": Flag, **JSON}),
    "version": Verb("which firmware this is"),
    "help": Verb("this page"),
}


def serve(environment: Mapping[str, str], command_line: Callable[[Sequence[str]], int]) -> int:
    """Do what the login with this environment asks for, by `command_line`: the exit code."""
    try:
        words = understood(environment.get("SSH_ORIGINAL_COMMAND", ""))
    except NotAllowed as refusal:
        # Only the first word: what follows may be a number, or worse.
        first = environment["SSH_ORIGINAL_COMMAND"][:40].split()[:1]
        syslog.openlog("omafon-ssh", syslog.LOG_PID, syslog.LOG_AUTHPRIV)
        syslog.syslog(syslog.LOG_NOTICE, f"refused to the owner's account: {first!a}")
        print(f"omafon: {refusal.what}\n  {refusal.cure}", file=sys.stderr)
        return USAGE
    kept = handed_on(environment)
    os.environ.clear()
    os.environ.update(kept)
    match words:
        case ["help"]:
            print(page())
            return 0
        case ["log", *options]:
            return _journal(options)
        case ["version"]:
            words = ["--version"]
        case [verb, *_] if VERBS[verb].endless:
            threading.Thread(target=_end_with_the_connection, name="connection", daemon=True).start()
    return command_line(words)


def understood(request: str) -> list[str]:
    """The words for the command line of `omafon` (first of all one of VERBS) that an SSH request means.

    None at all mean `help`. An option's value is joined to it by "=". Raises NotAllowed for everything that does
    not stand in VERBS, and nothing else.

    >>> understood("apply --confirm-within 120 - ")
    ['apply', '--confirm-within=120', '-']
    >>> understood("status; id")
    Traceback (most recent call last):
        ...
    omafon.login.NotAllowed: this account has no "status;"
    """
    if len(request) > LONGEST_REQUEST:
        raise NotAllowed("that is too long for a command", "Files go by standard input: ssh … apply < phone.toml")
    try:
        words = shlex.split(request)
    except ValueError:
        raise NotAllowed("a quote is not closed", "Close it, or leave it out.") from None
    if words[:1] == ["omafon"]:
        del words[0]
    name, *rest = words or ["help"]
    if name not in VERBS:
        near = get_close_matches(name, VERBS, n=1)
        cure = f"Did you mean {near[0]}?" if near else "It is no shell; `help` lists what it does."
        raise NotAllowed(f'this account has no "{_shown(name)}"', cure)
    return [name, *_arguments(name, VERBS[name], rest)]


def _arguments(name: str, verb: Verb, words: Sequence[str]) -> list[str]:
    options: list[str] = []
    others: list[str] = []
    queue = list(words)
    while queue:
        word = queue.pop(0)
        if not word.startswith("-") or word == "-":
            others.append(word)
            continue
        option, joined, value = word.partition("=")
        pattern = verb.options.get(option, "")
        if option not in verb.options or (pattern is Flag and joined):
            raise _unfit(name, verb, word)
        if pattern is Flag:
            options.append(option)
            continue
        value = value if joined else queue.pop(0) if queue else ""
        if not re.fullmatch(pattern or "", value, re.ASCII):
            raise _unfit(name, verb, value or option)
        options.append(f"{option}={value}")
    for word in others:
        if not re.fullmatch(verb.word, word, re.ASCII):
            raise _unfit(name, verb, word)
    if not verb.least <= len(others) <= verb.most:
        raise _unfit(name, verb, others[-1] if others else "nothing more")
    return [*options, *(others or verb.unsaid)]


def _unfit(name: str, verb: Verb, word: str) -> NotAllowed:
    json = " [--json]" if "--json" in verb.options else ""
    return NotAllowed(f'{name} does not take "{_shown(word)}"', f"It is: {name}{json} {verb.form}".rstrip())


def _shown(word: str) -> str:
    """For a terminal: short, and without what a terminal obeys."""
    return ascii(word)[1:-1][:40]


def handed_on(environment: Mapping[str, str]) -> dict[str, str]:
    """What a command gets of the login's environment: what ENVIRONMENT allows, and where programs are."""
    kept = {
        name: environment[name]
        for name, pattern in ENVIRONMENT.items()
        if re.fullmatch(pattern, environment.get(name, ""), re.ASCII)
    }
    return {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", **kept}


def page() -> str:
    """What the account can do, for a person who logs in to look."""
    lines = ["The telephone does what you say after its address: `ssh phone@HOST status`.", ""]
    for name, verb in VERBS.items():
        lines.append(f"  {name} {verb.form}".rstrip())
        lines.append(f"      {verb.about}")
    lines += ["", "Those that tell facts take --json."]
    return "\n".join(lines)


def _journal(options: Sequence[str]) -> int:
    words = [JOURNALCTL, f"--unit={UNIT}", "--no-pager", "--quiet"]
    own = {"--follow": "--follow", "--explain": "--catalog", "--json": "--output=json"}
    words += [own.get(option, option) for option in options]
    if not any(option.startswith("--lines") for option in options):
        words.append("--lines=200")
    sys.stdout.flush()
    try:
        os.execve(JOURNALCTL, words, dict(os.environ))
    except OSError as error:
        print(f"omafon: the journal cannot be read: {error.strerror}\n  This system keeps none.", file=sys.stderr)
        return 1


def _end_with_the_connection() -> None:
    """A command that waits for the next event writes nothing, and would not notice that nobody listens any more."""
    watched = select.poll()
    watched.register(sys.stdout.fileno(), 0)
    watched.poll()
    os.kill(os.getpid(), signal.SIGTERM)
