# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What `omafon doctor` finds, and the cures it knows."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from omafon import doctor
from omafon.cli import main
from omafon.doctor import Machine, Verdict, examine

CARDS = """\
 0 [Handset        ]: USB-Audio - USB Handset
                      A handset at usb-1, full speed
 1 [Speaker        ]: simple-card - Speaker
"""


@contextmanager
def a_name_server(answer: bytes) -> Iterator[int]:
    """Answers one question with its id and `answer`, at the port given."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)

        def serve() -> None:
            question, who = server.recvfrom(512)
            server.sendto(question[:2] + answer, who)

        serving = threading.Thread(target=serve)
        serving.start()
        yield server.getsockname()[1]
        serving.join()


def test_a_phone_that_is_off_is_found_first(tmp_path):
    finding = next(iter(examine(tmp_path / "control")))

    assert (finding.part, finding.verdict) == ("phone", Verdict.WRONG)
    assert "omafon run" in finding.cure


def test_the_sound_cards_are_named_as_the_configuration_wants_them(tmp_path):
    (tmp_path / "cards").write_text(CARDS)

    assert doctor._sound(tmp_path / "cards", asked=True).what == "CARD=Handset, CARD=Speaker"


def test_a_machine_without_cards_is_wrong_unless_the_phone_itself_tells_of_its_voice(tmp_path):
    assert doctor._sound(tmp_path / "nothing", asked=False).verdict is Verdict.WRONG
    assert doctor._sound(tmp_path / "nothing", asked=True).verdict is Verdict.NOTE


def test_a_part_that_the_board_has_not_does_not_work_either():
    status = {"board": "virtual", "drivers": {"sip": "ok", "display": "ok", "keypad": "ok", "ringer": "ok"}}

    findings = {finding.part: finding.what for finding in doctor._drivers(status)}

    assert findings == {
        "sip": "works",
        "display": "works",
        "keypad": "none on this board",
        "ringer": "none on this board",
    }


def test_the_configuration_is_looked_at_too(tmp_path):
    file = tmp_path / "phone.toml"
    file.write_text('[[line]]\nname = "home"\naor = "sip:1@example.org"\npassword = "secret"\n')

    file.chmod(0o600)
    good = doctor._configuration(file)
    file.chmod(0o604)
    exposed = doctor._configuration(file)
    file.write_text("port = 1\n")
    broken = doctor._configuration(file)

    assert [good.verdict, exposed.verdict, broken.verdict] == [Verdict.OK, Verdict.NOTE, Verdict.WRONG]
    assert exposed.cure == f"Forbid it: chmod o= {file}"


def test_a_name_server_that_answers_is_well():
    with a_name_server(bytes(10)) as port:
        finding = doctor._name_server("127.0.0.1", port, "cure")

    assert finding.verdict is Verdict.OK
    assert finding.what.startswith("127.0.0.1 answers in ")


def test_a_name_server_that_talks_nonsense_is_wrong():
    with a_name_server(b"") as port:
        finding = doctor._name_server("127.0.0.1", port, "cure")

    assert (finding.verdict, finding.what) == (Verdict.WRONG, "127.0.0.1 answers, but not with DNS")


def test_a_name_server_that_is_not_there_is_wrong():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]

    assert doctor._name_server("127.0.0.1", port, "cure").verdict is Verdict.WRONG


def test_a_machine_without_name_servers_is_told(tmp_path):
    (tmp_path / "resolv.conf").write_text("search example.org\n")

    (finding,) = doctor._name_servers(tmp_path / "resolv.conf")

    assert finding.what == "no name server is known"


@pytest.mark.parametrize(
    ("unix", "synchronized", "verdict"),
    [(0.0, True, Verdict.WRONG), (1.8e9, False, Verdict.NOTE), (1.8e9, True, Verdict.OK)],
)
def test_a_clock_is_set_and_kept(unix, synchronized, verdict):
    assert doctor._clock(unix, synchronized=synchronized).verdict is verdict


def test_what_the_phone_suffers_from_is_told_with_a_cure():
    status = {
        "drivers": {"sip": "ok", "voice": "no sound card"},
        "lines": [
            {"name": "home", "aor": "sip:1@x.org", "registered": True, "status": 200, "reason": "OK"},
            {"name": "work", "aor": "sip:2@x.org", "registered": False, "status": 403, "reason": "Forbidden"},
            {"name": "club", "aor": "sip:3@x.org", "registered": False, "status": 0, "reason": ""},
        ],
    }

    findings = [*doctor._drivers(status), *doctor._lines(status)]

    assert [(finding.part, finding.verdict) for finding in findings] == [
        ("sip", Verdict.OK),
        ("voice", Verdict.WRONG),
        ("line home", Verdict.OK),
        ("line work", Verdict.WRONG),
        ("line club", Verdict.WRONG),
    ]
    assert all(finding.cure for finding in findings if finding.verdict is Verdict.WRONG)
    assert "password" in findings[3].cure


def test_a_machine_is_examined_whole(tmp_path):
    machine = Machine(tmp_path / "phone.toml", tmp_path / "cards", tmp_path / "resolv.conf", tmp_path)

    parts = [finding.part for finding in examine(tmp_path / "control", machine)]

    assert parts == ["phone", "cards", "resolver", "clock", "disk", "version", "engine"]


def test_a_sick_phone_is_a_failure_for_the_shell(tmp_path: Path, capsys):
    assert main(["doctor", "--json", "--control", str(tmp_path / "control")]) == 1

    findings = json.loads(capsys.readouterr().out)["findings"]
    assert {"part", "verdict", "what", "cure"} == set(findings[0])
