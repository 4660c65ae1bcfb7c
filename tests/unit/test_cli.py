# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The `omafon` command, as a shell sees it: words in, words and an exit code out."""

import asyncio
import base64
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from omafon import __version__
from omafon.cli import main
from omafon.core.events import Event, HookLifted, KeyPressed, NumberDialled
from omafon.core.screen import Screen
from omafon.drivers.control import ControlSocket, RequestError
from omafon.render import render

IN_CALL = {
    "version": "0.1.0",
    "name": "Zuhause",
    "hook": "off",
    "mode": "in_call",
    "lines": [
        {
            "name": "home",
            "aor": "sip:100@example.org",
            "registered": True,
            "status": 200,
            "reason": "OK",
            "expires_s": 9,
        },
        {"name": "work", "aor": "sip:7@pbx", "registered": False, "status": 403, "reason": "Forbidden", "expires_s": 0},
    ],
    "calls": [
        {
            "id": "out-3",
            "direction": "out",
            "state": "in_call",
            "number": "+4930123456",
            "uri": "sip:oma@example.net",
            "name": "Oma",
            "route": "enum",
            "codec": "opus/48000",
            "srtp": True,
            "tls": True,
            "secure_dns": True,
            "duration_s": 72.4,
            "held": False,
            "muted": False,
        }
    ],
    "focus": "out-3",
    "tone": "off",
    "ringing": False,
    "volume": {"handset": 70, "ringer": 80},
    "screen": ["Oma             01:12", "+49 30 123456", "free / ENUM", ""],
    "missed": 1,
    "messages": 0,
    "drivers": {"sip": "ok", "voice": "no sound card"},
}
IDLE = {**IN_CALL, "hook": "on", "mode": "idle", "calls": [], "focus": None}
PICTURE = render(Screen(main="Oma"))


class Phone:
    """A control socket on a loop and a thread of its own; the phone behind it remembers what is pressed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.events: list[Event] = []
        self.state = IDLE
        self.rows = ["", "Oma", "", ""]
        self.wrong = False
        self.watched = threading.Event()
        self._up = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._control = ControlSocket(self.events.append, self, path)
        self._thread = threading.Thread(target=self._run)

    def status(self) -> dict:
        return self.state

    def screen(self) -> dict:
        frame = base64.b64encode(PICTURE.tobytes()).decode()
        return {"rows": self.rows, "width": PICTURE.width, "height": PICTURE.height, "frame": frame}

    def lamps(self) -> dict:
        # Only who subscribes is shown the lamps, and is told all that is published from then on.
        self.watched.set()
        return {"message": "off", "ringer": "off", "line": "on"}

    async def reload(self, *, at_once: bool) -> dict:
        if self.wrong:
            problem = {"what": "unknown key", "cure": "", "line": 3, "key": ""}
            what, cure = "phone.toml, line 3: unknown key", "The phone goes on with what it has."
            raise RequestError(what, cure, problems=[problem])
        return {"taken": "now" if at_once else "when the call has ended", "generation": 7}

    def __enter__(self) -> "Phone":
        self._thread.start()
        assert self._up.wait(5)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(self._control.close())
        self._loop.close()

    def tells(self, event: dict) -> None:
        self._loop.call_soon_threadsafe(self._control.publish, event)

    def _run(self) -> None:
        self._control.claim()
        self._loop.run_until_complete(self._control.open())
        self._up.set()
        self._loop.run_forever()


@pytest.fixture
def phone(tmp_path: Path) -> Iterator[Phone]:
    with Phone(tmp_path / "control") as phone:
        yield phone


def omafon(phone: Phone, *words: str) -> int:
    return main([*words, "--control", str(phone.path)])


@pytest.mark.parametrize(
    ("words", "told"), [((), "configuration: when the call has ended\n"), (("--now",), "configuration: now\n")]
)
def test_a_reload_tells_when_the_configuration_is_taken(phone, capsys, words, told):
    assert omafon(phone, "reload", *words) == 0

    assert capsys.readouterr().out == told


def test_a_reload_of_a_wrong_file_fails_and_says_why(phone, capsys):
    phone.wrong = True

    assert omafon(phone, "reload") == 78

    assert "line 3: unknown key" in capsys.readouterr().err


def test_status_tells_what_became_of_the_configuration(phone, capsys):
    config = {"refused": "phone.toml, line 3: unknown key\n  Did you mean?", "safe_mode": True, "pending_restart": True}
    phone.state = {**IDLE, "config": config}

    assert omafon(phone, "status") == 0

    out = capsys.readouterr().out
    assert "safe mode" in out
    assert "  refused   phone.toml, line 3: unknown key\n" in out
    assert "waiting" in out


def test_status_tells_the_state_in_words(phone, capsys):
    phone.state = IN_CALL

    assert omafon(phone, "status") == 0

    said = capsys.readouterr().out
    assert said == (
        "Zuhause: off-hook, in a call\n"
        "\n"
        "  │Oma             01:12│\n"
        "  │+49 30 123456        │\n"
        "  │free / ENUM          │\n"
        "  │                     │\n"
        "\n"
        "  line      home: registered, sip:100@example.org\n"
        "  line      work: not registered (403 Forbidden), sip:7@pbx\n"
        "  call      to Oma (in a call, 1:12, enum, opus/48000, private)\n"
        "  volume    handset 70 %, ringer 80 %\n"
        "  news      1 missed call, no messages\n"
        "  trouble   voice: no sound card\n"
        "  version   omafon 0.1.0\n"
    )


def test_status_for_programs_is_the_phones_own_json(phone, capsys):
    assert omafon(phone, "status", "--json") == 0

    told = json.loads(capsys.readouterr().out)
    assert told.pop("counters").keys() == {"failed_logins"}
    assert told == IDLE


@pytest.mark.parametrize(
    ("journalctl", "count"),
    [
        ("echo 'Connection closed by invalid user x 192.0.2.7 port 5 [preauth]'; echo 'Server listening'", 1),
        ("exit 1", 0),
        ("echo 'No journal files were opened due to insufficient permissions.' >&2; exit 1", None),
    ],
)
def test_logins_that_failed_are_counted_where_they_may_be_seen(phone, capsys, monkeypatch, tmp_path, journalctl, count):
    (tmp_path / "journalctl").write_text(f"#!/bin/sh\n{journalctl}\n")
    (tmp_path / "journalctl").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    omafon(phone, "status", "--json")

    assert json.loads(capsys.readouterr().out)["counters"]["failed_logins"] == count


@pytest.mark.parametrize(
    ("words", "event"),
    [
        (["press", "off-hook"], HookLifted()),
        (["dial", "+4930123456"], NumberDialled("+4930123456")),
        (["press", "vol-"], KeyPressed("vol-")),
    ],
)
def test_what_is_asked_is_done(phone, capsys, words, event):
    assert omafon(phone, *words) == 0

    assert phone.events[0] == event
    assert capsys.readouterr().out == "on-hook, idle\n"


def test_what_the_phone_refuses_is_said_with_the_cure(phone, capsys):
    assert omafon(phone, "press", "x") == 1
    assert capsys.readouterr().err.startswith('omafon: there is no key "x"\n  Choose from: off-hook on-hook 0 1 2')

    assert omafon(phone, "answer") == 1
    assert capsys.readouterr().err == "omafon: no call is ringing\n  Look with: omafon status.\n"


@pytest.mark.parametrize("words", [["status"], ["press", "1"], ["answer"], ["screen"], ["events"]])
def test_without_a_phone_the_exit_code_is_69(tmp_path, capsys, words):
    code = main([*words, "--control", str(tmp_path / "nobody")])

    assert code == 69
    assert f"no phone answers at {tmp_path / 'nobody'}" in capsys.readouterr().err


def test_the_screen_is_text_or_a_picture(phone, capsys, tmp_path):
    assert omafon(phone, "screen") == 0
    drawn = capsys.readouterr().out.splitlines()
    assert (len(drawn), {len(line) for line in drawn}) == (32, {128})

    assert omafon(phone, "screen", "--json") == 0
    assert json.loads(capsys.readouterr().out)["rows"] == ["", "Oma", "", ""]

    assert omafon(phone, "screen", "--png", str(tmp_path / "screen.png")) == 0
    with Image.open(tmp_path / "screen.png") as picture:
        assert picture.width > 128

    assert omafon(phone, "screen", "--png", str(tmp_path / "no" / "screen.png")) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_events_come_one_a_line_until_the_phone_ends(phone):
    words = [sys.executable, "-m", "omafon.cli", "events", "--control", str(phone.path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        assert phone.watched.wait(5)
        phone.tells({"event": "status", "status": IDLE})
        phone.tells({"event": "errand", "at": 1.5, "what": "key pressed: call", "actions": ["place call: out-3"]})
        line = watching.stdout.readline()
        watching.terminate()

    assert line.rstrip().endswith("key pressed: call → place call: out-3")


def test_a_reader_that_has_seen_enough_is_no_error(phone):
    words = f"{sys.executable} -m omafon.cli status --control {phone.path} | head -n 1"

    done = subprocess.run(["sh", "-c", words], capture_output=True, text=True, timeout=20, check=False)

    assert (done.stdout, done.stderr) == ("Zuhause: on-hook, idle\n", "")


def test_check_finds_every_error(tmp_path, capsys):
    file = tmp_path / "phone.toml"
    file.write_text('[phone]\ncountry = "UK"\n[sip]\nport = -1\n')

    assert main(["check", str(file)]) == 78
    assert capsys.readouterr().err == (
        f'{file}, line 2: phone.country "UK" is not a country\n'
        '  Did you mean "GB"?\n'
        f"{file}, line 4: sip.port is out of range\n"
        "  Choose from 0 to 65535.\n"
        "2 errors.\n"
    )

    assert main(["check", "--json", str(file)]) == 78
    told = json.loads(capsys.readouterr().out)
    assert told["good"] is False
    assert [(problem["line"], problem["key"]) for problem in told["problems"]] == [
        (2, "phone.country"),
        (4, "sip.port"),
    ]


def test_check_is_content_with_a_good_file(tmp_path, capsys):
    file = tmp_path / "phone.toml"
    file.write_text("")

    assert main(["check", str(file)]) == 0
    assert capsys.readouterr().out == f"{file}: no errors\n"


def test_a_phone_with_a_wrong_configuration_does_not_start(tmp_path, capsys):
    file = tmp_path / "phone.toml"
    file.write_text("port = 5060\n")

    assert main(["run", "--config", str(file)]) == 78
    assert capsys.readouterr().err == f'{file}, line 1: unknown key "port"\n  It belongs to [sip].\n'

    file.write_text("")
    assert main(["run", "--config", str(file), "--board", "virtaul"]) == 78
    assert 'Did you mean "virtual"?' in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"hello\n", ", line 1: not an event of a recording"),
        (b"\x89PNG\r\n\x1a\n\xff\xfe", ", line 1: not an event of a recording"),
        (b"[" * 100_000, ", line 1: not an event of a recording"),
        (b"", " holds no recording"),
        (None, " cannot be read: No such file or directory"),
    ],
)
def test_a_recording_that_is_none_is_an_error(tmp_path, capsys, content, said):
    file = tmp_path / "recording"
    if content is not None:
        file.write_bytes(content)

    assert main(["replay", str(file)]) == 1
    assert f"{file}{said}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--port", "99999"], "99999 is not a port"),
        (["--port", "-1"], "-1 is not a port"),
        (["--port", "http"], "http is not a port"),
        (["--demo", "--port", "8080"], "--demo goes with neither --card nor --port"),
        (["--demo", "--card", "Handset"], "--demo goes with neither --card nor --port"),
    ],
)
def test_words_the_simulator_does_not_take_are_usage(capsys, words, said):
    try:
        code = main(["sim", *words])
    except SystemExit as ended:
        code = ended.code

    assert code == 2
    assert said in capsys.readouterr().err


def test_a_password_that_everybody_may_read_is_warned_of(tmp_path, capsys):
    file = tmp_path / "phone.toml"
    file.write_text('[[line]]\nname = "home"\naor = "sip:100@example.org"\npassword = "secret"\n')

    file.chmod(0o644)
    assert main(["check", str(file)]) == 0
    said = capsys.readouterr()
    assert said.err.startswith(f"warning: {file}: everybody on this machine may read the password in it\n")
    assert said.out == f"{file}: no errors\n"
    assert main(["check", "--json", str(file)]) == 0
    assert json.loads(capsys.readouterr().out)["warnings"][0]["cure"] == f"Forbid it: chmod o= {file}"

    file.chmod(0o640)
    assert main(["check", str(file)]) == 0
    assert capsys.readouterr().err == ""


def test_a_call_that_fails_at_once_is_a_failure_with_the_words_of_the_screen(phone, capsys):
    phone.state = {**IDLE, "mode": "failed"}
    phone.rows = ["hello", "No such number", "", "Check the number"]

    assert omafon(phone, "dial", "hello") == 1

    said = capsys.readouterr()
    assert said.out == "on-hook, failed\n"
    assert said.err == "omafon: No such number\n  Check the number\n"


def test_a_number_that_is_not_whole_is_not_asked_for_and_guessed(tmp_path, capsys):
    file = tmp_path / "phone.toml"
    file.write_text('[phone]\ncountry = "DE"\narea = "30"\n')

    assert main(["enum", "--config", str(file), "030123456"]) == 1

    said = capsys.readouterr().out
    assert "did you mean +4930123456?" in said
    assert "e164.arpa  not asked\n" in said
    assert "DNSSEC" not in said


def test_a_configuration_that_was_named_must_be_there(tmp_path, capsys):
    missing = tmp_path / "phone.toml"

    assert main(["enum", "--config", str(missing), "+4930123456"]) == 78
    assert "there is no such file" in capsys.readouterr().err


def test_a_tree_must_be_a_name(capsys):
    assert main(["enum", "--tree", "not a name", "+4930123456"]) == 2

    assert 'omafon: --tree "not a name" is not a DNS name\n' in capsys.readouterr().err


def test_the_version_is_told(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])

    assert (ended.value.code, capsys.readouterr().out) == (0, f"omafon {__version__}\n")


@pytest.mark.parametrize("words", [[], ["explode"], ["press"], ["dial"], ["status", "--verbose"]])
def test_wrong_words_are_usage(capsys, words):
    with pytest.raises(SystemExit) as ended:
        main(words)

    assert ended.value.code == 2


COMMANDS = ["run", "sim", "panel", "status", "press", "dial", "answer", "hangup", "screen", "events"]


@pytest.mark.parametrize("command", [*COMMANDS, "enum", "check", "doctor", "replay"])
def test_every_command_has_help(capsys, command):
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])

    assert ended.value.code == 0
    assert f"usage: omafon {command}" in capsys.readouterr().out


def test_asking_loads_nothing_that_a_question_does_not_need(phone):
    program = (
        "import sys; from omafon.cli import main; code = main(sys.argv[1:]);"
        "heavy = {'asyncio', 'msgspec', 'PIL', 'pjsua2', 'dns', 'logging'} & set(sys.modules);"
        "sys.exit(f'loaded: {heavy}' if heavy else code)"
    )
    words = [sys.executable, "-c", program, "status", "--control", str(phone.path)]

    done = subprocess.run(words, capture_output=True, text=True, timeout=20, check=False)

    assert (done.returncode, done.stderr) == (0, "")
