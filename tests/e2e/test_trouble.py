# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What goes wrong around a telephone: it says so in plain words, and stays a telephone where it can."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.addresses import Addresses
from tests.lab.town import Town

OMAFON = Path(sys.executable).with_name("omafon")


def run(folder: Path, config: str, *, prefix: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Start a telephone that is expected to end by itself."""
    (folder / "phone.toml").write_text(config, encoding="utf-8")
    words = [*prefix, OMAFON, "run", "--board", "virtual", "--config", folder / "phone.toml"]
    words += ["--state", folder / "state", "--control", folder / "control"]
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=20, check=False)


def test_a_sound_card_that_is_not_there_is_said_and_calls_go_on(town: Town):
    called = town.phone("opa")
    phone = town.phone("oma", more={"audio": {"voice": "CARD=Handset"}})

    phone.until(lambda s: "Handset" in s["drivers"]["voice"], "says which card is missing")
    idle = phone.screen()
    phone.dials(called.uri)
    called.is_called()
    called.answers()

    assert "No sound device" in idle
    assert phone.is_in_a_call()["codec"]
    assert "No sound" in phone.screen()


def test_an_occupied_port_ends_the_start_with_a_cure(tmp_path: Path, addresses: Addresses):
    address = addresses.fresh()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((address, 5060))

        ended = run(tmp_path, f'[sip]\naddress = "{address}"\n[audio]\nvoice = "null"\n')

    assert ended.returncode == 1
    assert "port 5060 is taken by another program" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_wrong_configuration_ends_with_every_error_and_78(tmp_path: Path):
    ended = run(tmp_path, '[sip]\nport = 70000\n[audio]\ncodecs = ["opsu"]\n[[line]]\nname = "a"\naor = "nobody"\n')

    assert ended.returncode == 78
    for said in ("line 2: sip.port", "line 4: audio.codecs", '"opus"', "line 7: line.aor"):
        assert said in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_second_telephone_on_the_same_control_socket_is_refused(town: Town):
    phone = town.phone("oma")
    control, state = phone.folder / "control", phone.folder / "other"
    config = phone.folder / "other.toml"
    config.write_text('[sip]\nport = 0\naddress = "127.0.0.1"\n[audio]\nvoice = "null"\n')

    words = [OMAFON, "run", "--board", "virtual", "--config", config, "--state", state, "--control", control]
    ended = subprocess.run(list(map(str, words)), capture_output=True, text=True, timeout=20, check=False)

    assert ended.returncode == 1
    assert "already running" in ended.stderr
    assert phone.ask("status")["mode"] == "idle"


def test_a_call_without_any_network_is_not_blamed_on_the_far_end(tmp_path: Path):
    """In a network namespace of its own, where not even the loopback network is up."""
    if os.geteuid() != 0:
        pytest.fail("needs root, for a network namespace: CI has it")
    (tmp_path / "phone.toml").write_text('[phone]\nlanguage = "en"\n[sip]\nport = 0\n[audio]\nvoice = "null"\n')
    daemon = f"{OMAFON} run --board virtual --config phone.toml --state state --control control"
    ask = f"{OMAFON} events --control control --json"
    script = f"""
        {daemon} 2> log & daemon=$!
        until grep -q "is ready" log; do kill -0 $daemon || exit 3; read -t 0.05 _ <> <(:) || :; done
        coproc {ask}
        {OMAFON} press off-hook --control control
        {OMAFON} dial sip:opa@192.0.2.7 --control control || :
        while read -t 10 -r errand <&"${{COPROC[0]}}"; do case $errand in *"call ended"*) break ;; esac; done
        {OMAFON} status --control control
        kill $daemon; wait $daemon
    """

    ended = subprocess.run(
        ["unshare", "--net", "bash", "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr + (tmp_path / "log").read_text()
    assert "No network" in ended.stdout
    assert "Check cable or Wi-Fi" in ended.stdout


def test_a_telephone_that_is_refused_leaves_the_recording_of_the_running_one_alone(town: Town):
    control = town.phone("oma").folder / "control"
    recording = control.with_name("recording")
    recording.write_text("what the running one has written")
    config = control.with_name("other.toml")
    config.write_text('[sip]\nport = 0\naddress = "127.0.0.1"\n[audio]\nvoice = "null"\n')

    words = [OMAFON, "run", "--board", "virtual", "--config", config, "--state", control.with_name("other")]
    words += ["--control", control, "--record", recording]
    ended = subprocess.run(list(map(str, words)), capture_output=True, text=True, timeout=20, check=False)

    assert ended.returncode == 1
    assert recording.read_text() == "what the running one has written"


def test_a_recording_that_cannot_be_written_ends_the_start_with_a_cure(tmp_path: Path):
    (tmp_path / "phone.toml").write_text('[sip]\nport = 0\naddress = "127.0.0.1"\n[audio]\nvoice = "null"\n')

    words = [OMAFON, "run", "--board", "virtual", "--config", "phone.toml", "--state", "state"]
    words += ["--control", "control", "--record", "nowhere/recording"]
    ended = subprocess.run(list(map(str, words)), cwd=tmp_path, capture_output=True, text=True, timeout=20, check=False)

    assert ended.returncode == 1
    assert ended.stderr.endswith(
        "omafon: the recording nowhere/recording cannot be written: No such file or directory\n"
        "  Name another file with --record.\n"
    )
    assert not (tmp_path / "control").exists()


def test_nothing_but_the_phones_own_story_is_written_at_the_start(tmp_path: Path):
    """Also where ALSA lists plugins whose libraries have words of their own, as JACK's has."""
    (tmp_path / "phone.toml").write_text('[sip]\nport = 0\naddress = "127.0.0.1"\n[enum]\ntrees = []\n')
    words = [OMAFON, "run", "--board", "virtual", "--config", "phone.toml", "--state", "state", "--control", "control"]
    environment = {
        name: value for name, value in os.environ.items() if name not in ("ALSA_CONFIG_PATH", "JOURNAL_STREAM")
    }

    with subprocess.Popen(words, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True) as phone:
        assert phone.stderr is not None
        said = []
        for line in phone.stderr:
            said.append(line)
            if "is ready" in line:
                phone.terminate()

    assert "is ready" in "".join(said)
    assert [line for line in said if not re.match(r"\d\d:\d\d:\d\d [A-Z]+ ", line)] == []
