# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What `omafon doctor` finds, and the cures it knows: a table of sick machines, each with its sentence."""

import io
import json
import socket
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from omafon.cli import main
from omafon.clock import Clock
from omafon.config import Config, parse
from omafon.doctor import (
    Finding,
    Machine,
    Verdict,
    examine,
    names,
    network,
    phone,
    power,
    service,
    sound,
    storage,
    times,
)
from tests.lab.addresses import Addresses

GOOD = Clock(1.8e9)


def machine(root: Path, files: dict[str, str] | None = None, programs: dict[str, str] | None = None) -> Machine:
    """One that has these `files` and whose `programs` print this; `fails` as a program's words fails."""
    for path, text in (files or {}).items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    tools = root / "tools"
    tools.mkdir()
    for name, words in (programs or {}).items():
        (tools / f"{name}.txt").write_text(words)
        end = "exit 1" if words == "fails" else f"exec cat {tools}/{name}.txt"
        (tools / name).write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{end}\n")
        (tools / name).chmod(0o755)
    return Machine(root / "etc/phone.toml", root, root, str(tools), lambda: GOOD)


WIRELESS = """\
Inter-| sta-|   Quality        |   Discarded packets               | Missed | WE
 face | tus | link level noise |  nwid  crypt   frag  retry   misc | beacon | 22
 wlan0: 0000   54.  {dbm}.  -256        0      0      0      0      0        0
"""
WLAN = {"sys/class/net/wlan0/phy80211": "", "sys/class/net/wlan0/operstate": "up"}
VOLT = "sys/class/hwmon/hwmon1/name"
ALARM = "sys/class/hwmon/hwmon1/in0_lcrit_alarm"
FIRMWARE = "sys/devices/platform/soc/soc:firmware/get_throttled"
ZONE = "sys/class/thermal/thermal_zone0/temp"
DOG = "sys/class/watchdog/watchdog0"
EXT4 = "sys/fs/ext4/mmcblk0p2"
LIFE = "sys/block/mmcblk0/device/life_time"
TCP_HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
ROUTE = "Iface Destination Gateway Flags\n{lines}"

Files = dict[str, str]
Family = Callable[[Machine], Iterator[Finding]]


def _listeners(machine: Machine) -> Iterator[Finding]:
    return network.listeners(machine, Config(), machine.root / "control")


def _tcp(port: int, address: str = "00000000", state: str = "0A") -> str:
    return TCP_HEAD + f"   0: {address}:{port:04X} 00000000:0000 {state} 0:0 00:0 0     0        0 4711 1 0 100 0\n"


SICK: list[tuple[str, Family, Files, Files, list[str]]] = [
    ("the power supply of a pi is too weak now", power.power, {FIRMWARE: "50005\n"}, {}, [
        "wrong: the voltage is too low now",
        "wrong: the processor is slowed down now: voices may stutter",
    ]),
    ("the power supply of a pi was too weak", power.power, {FIRMWARE: "50000\n"}, {}, [
        "wrong: the voltage was too low since the phone was switched on",
        "note: the processor was slowed down since the phone was switched on",
    ]),
    ("the firmware's own program tells it too", power.power, {}, {"vcgencmd": "throttled=0x1\n"}, [
        "wrong: the voltage is too low now",
    ]),
    ("a pi that was too warm slowed down", power.power, {FIRMWARE: "80000\n"}, {}, [
        "ok: the voltage was always high enough",
        "note: the processor was slowed down since the phone was switched on",
    ]),
    ("a good supply", power.power, {FIRMWARE: "0\n"}, {}, ["ok: the voltage was always high enough"]),
    ("a debian kernel tells of its voltage by an alarm", power.power, {VOLT: "rpi_volt\n", ALARM: "1\n"}, {}, [
        "wrong: the voltage is too low, or was",
    ]),
    ("a debian kernel without an alarm", power.power, {VOLT: "rpi_volt\n", ALARM: "0\n"}, {}, [
        "ok: the voltage is high enough",
    ]),
    ("a machine that tells nothing of its voltage", power.power, {VOLT: "nvme\n"}, {"vcgencmd": "fails"}, []),
    ("a hot pi", power.temperature, {ZONE: "81200\n"}, {}, ["wrong: 81 °C: the processor slows down"]),
    ("a warm pi", power.temperature, {ZONE: "72000\n"}, {}, ["note: 72 °C: it is warm in there"]),
    ("a cool pi", power.temperature, {ZONE: "48312\n"}, {}, ["ok: 48 °C"]),
    ("a watchdog that systemd feeds", power.watchdog, {f"{DOG}/state": "active\n", f"{DOG}/timeout": "14\n"}, {}, [
        "ok: a machine that hangs starts anew after 14 s by itself",
    ]),
    ("a watchdog that nobody feeds", power.watchdog, {f"{DOG}/state": "inactive\n"}, {}, [
        "note: there is one, and nobody feeds it: a machine that hangs stays so",
    ]),
    ("a pi without a watchdog", power.watchdog, {"proc/device-tree/model": "Raspberry Pi 4\0"}, {}, [
        "note: this machine has none: one that hangs stays so",
    ]),
    ("a pc without a watchdog", power.watchdog, {}, {}, []),
    ("a memory card that fails", storage.disk, {"proc/mounts": "/dev/mmcblk0p2 / ext4 ro,noatime 0 0\n"}, {}, [
        "wrong: /, where the phone keeps its memory, cannot be written to",
    ]),
    ("a file system with errors", storage.errors, {
        f"{EXT4}/errors_count": "3\n", f"{EXT4}/last_error_time": "1767225600\n",
    }, {}, ["wrong: the file system on mmcblk0p2 counts 3 errors, the last on 2026-01-01"]),
    ("a file system without errors", storage.errors, {f"{EXT4}/errors_count": "0\n"}, {}, []),
    ("a card at the end of its life", storage.wear, {LIFE: "0x0b 0x01\n"}, {}, ["wrong: mmcblk0 is worn out"]),
    ("a card near the end of its life", storage.wear, {LIFE: "0x02 0x09\n"}, {}, [
        "note: mmcblk0 has used 90 % of its life",
    ]),
    ("a young card", storage.wear, {LIFE: "0x01 0x01\n"}, {}, ["ok: mmcblk0 has used 10 % of its life at most"]),
    ("a card that tells nothing of its life", storage.wear, {LIFE: "0x00 0x00\n"}, {}, []),
    ("little memory", storage.memory, {"proc/meminfo": "MemAvailable:   20480 kB\n"}, {}, ["wrong: 20 MB are left"]),
    ("programs that were ended for want of memory", storage.memory, {
        "proc/meminfo": "MemAvailable:  204800 kB\n", "proc/vmstat": "pgfault 1\noom_kill 2\n",
    }, {}, ["note: 200 MB are left, but the kernel has ended 2 programs for want of it since the start"]),
    ("memory enough", storage.memory, {"proc/meminfo": "MemAvailable: 204800 kB\n"}, {}, ["ok: 200 MB are left"]),
    ("no network", network.route, {"proc/net/route": ROUTE.format(lines="eth0 0001A8C0 00000000 0001\n")}, {}, [
        "wrong: there is no way out: no router has given an address",
    ]),
    ("a network", network.route, {"proc/net/route": ROUTE.format(lines="eth0 00000000 0101A8C0 0003\n")}, {}, [
        "ok: the way out is by eth0",
    ]),
    ("a wi-fi of ipv6 alone", network.route, {
        "proc/net/ipv6_route": f"{'0' * 32} 00 {'0' * 32} 00 fe8{'0' * 28}1 00000400 1 0 00450003    wlan0\n",
    }, {}, ["ok: the way out is by wlan0"]),
    ("a good wi-fi", network.wifi, {**WLAN, "proc/net/wireless": WIRELESS.format(dbm=-56)}, {"iw": "Power save: off"}, [
        "ok: wlan0 hears its access point at -56 dBm",
        "ok: wlan0 is always awake",
    ]),
    ("a weak wi-fi", network.wifi, {**WLAN, "proc/net/wireless": WIRELESS.format(dbm=-75)}, {}, [
        "note: wlan0 hears its access point at -75 dBm: a conversation may break up",
    ]),
    ("a wi-fi too weak to talk", network.wifi, {**WLAN, "proc/net/wireless": WIRELESS.format(dbm=-88)}, {}, [
        "wrong: wlan0 hears its access point at -88 dBm: too little for a conversation",
    ]),
    ("a wi-fi that sleeps", network.wifi, {**WLAN, "proc/net/wireless": WIRELESS.format(dbm=-50)}, {
        "iw": "Power save: on",
    }, [
        "ok: wlan0 hears its access point at -50 dBm",
        "wrong: wlan0 sleeps to save power: calls ring late, and voices stutter",
    ]),
    ("a wi-fi of a kernel without wireless extensions", network.wifi, WLAN, {"iw": "\tsignal: -60 dBm\n"}, [
        "ok: wlan0 hears its access point at -60 dBm",
    ]),
    ("a wi-fi with a wrong password", network.wifi, WLAN, {"iw": "Not connected."}, [
        "note: wlan0 hears no access point",
    ]),
    ("a wi-fi that is switched off", network.wifi, {**WLAN, "sys/class/net/wlan0/operstate": "down"}, {}, []),
    ("a cable", network.wifi, {"sys/class/net/eth0/operstate": "up"}, {}, []),
    ("a web server beside the telephone", _listeners, {"proc/net/tcp": _tcp(80)}, {}, [
        "note: other programs listen to the network: 80/tcp",
    ]),
    ("ssh and sip", _listeners, {"proc/net/tcp": _tcp(22), "proc/net/tcp6": _tcp(5060, "0" * 32)}, {}, [
        "ok: nothing listens to the network but the telephone and SSH",
    ]),
    ("a web page for this machine alone", _listeners, {"proc/net/tcp": _tcp(8080, "0100007F")}, {}, [
        "ok: nothing listens to the network but the telephone and SSH",
    ]),
    ("a connection is no listener", _listeners, {"proc/net/tcp": _tcp(80, state="01")}, {}, [
        "ok: nothing listens to the network but the telephone and SSH",
    ]),
    ("a service that runs", service.unit, {}, {
        "systemctl": "LoadState=loaded\nActiveState=active\nNRestarts=0\nUnitFileState=enabled\n",
    }, ["ok: runs, and never had to be started anew"]),
    ("a service that was started anew", service.unit, {}, {
        "systemctl": "LoadState=loaded\nActiveState=active\nNRestarts=3\nUnitFileState=enabled\n",
    }, ["note: had to be started anew 3 times"]),
    ("a service that failed", service.unit, {}, {
        "systemctl": "LoadState=loaded\nActiveState=failed\nResult=exit-code\nNRestarts=1\n",
    }, ["wrong: does not run: failed (exit-code)", "note: had to be started anew once"]),
    ("a service that is not enabled", service.unit, {}, {
        "systemctl": "LoadState=loaded\nActiveState=active\nNRestarts=0\nUnitFileState=disabled\n",
    }, ["note: runs, but not after the next start of the machine"]),
    ("a phone that is no service", service.unit, {}, {"systemctl": "LoadState=not-found\nActiveState=inactive\n"}, []),
    ("a machine with a battery", times.clock, {"sys/class/rtc/rtc0/date": "2026-01-01\n"}, {}, [
        "ok: set, and kept by a time server",
        "ok: a battery keeps the time when the phone is off",
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("look", "files", "programs", "said"), [row[1:] for row in SICK], ids=[row[0] for row in SICK])
def test_each_sickness_has_its_sentence(tmp_path, look, files, programs, said):
    findings = list(look(machine(tmp_path, files, programs)))

    assert [f"{finding.verdict}: {finding.what}" for finding in findings] == said


@pytest.mark.parametrize("row", SICK, ids=[row[0] for row in SICK])
def test_what_is_wrong_has_a_cure(tmp_path, row):
    _, look, files, programs, _ = row

    findings = list(look(machine(tmp_path, files, programs)))

    assert all(finding.cure for finding in findings if finding.verdict is not Verdict.OK)


@pytest.mark.parametrize(
    ("clock", "said"),
    [
        (Clock(0.0, is_set=False), "wrong: the clock says 1970: it was never set, and no certificate can be judged"),
        (Clock(1.8e9, is_kept=False), "note: no time server keeps the clock"),
        (Clock(1.8e9), "ok: set, and kept by a time server"),
    ],
)
def test_a_clock_is_set_and_kept(tmp_path, clock, said):
    finding, battery = times.clock(replace(machine(tmp_path), clock=lambda: clock))

    assert f"{finding.verdict}: {finding.what}" == said
    assert battery.what == "none: after a power cut the clock is wrong until a time server has set it"


# The phone.


def test_a_phone_that_is_off_is_found_first(tmp_path):
    finding = next(iter(examine(tmp_path / "control", machine(tmp_path))))

    assert (finding.part, finding.verdict) == ("phone", Verdict.WRONG)
    assert "omafon run" in finding.cure


def test_a_part_that_the_board_has_not_does_not_work_either():
    status = {"board": "virtual", "drivers": {"sip": "ok", "display": "ok", "keypad": "ok", "ringer": "ok"}}

    findings = {finding.part: finding.what for finding in phone.drivers(status)}

    assert findings == {
        "sip": "works",
        "display": "works",
        "keypad": "none on this board",
        "ringer": "none on this board",
    }


def line(**facts: object) -> dict[str, Any]:
    return {
        "name": "home",
        "aor": "sip:1@x.org",
        "registered": False,
        "status": 0,
        "reason": "",
        "seen_as": "",
        **facts,
    }


def test_what_the_phone_suffers_from_is_told_with_a_cure():
    status = {
        "drivers": {"sip": "ok", "voice": "no sound card"},
        "lines": [
            line(registered=True, status=200, reason="OK"),
            line(name="work", status=403, reason="Forbidden"),
            line(name="club"),
        ],
    }

    findings = [*phone.drivers(status), *phone.lines(status)]

    assert [(finding.part, finding.verdict) for finding in findings] == [
        ("sip", Verdict.OK),
        ("voice", Verdict.WRONG),
        ("line home", Verdict.OK),
        ("line work", Verdict.WRONG),
        ("line club", Verdict.WRONG),
    ]
    assert all(finding.cure for finding in findings if finding.verdict is Verdict.WRONG)
    assert "password" in findings[3].cure


@pytest.mark.parametrize(
    ("facts", "said", "cure"),
    [
        ({"status": 401, "reason": "Unauthorized"}, "not registered: Unauthorized", "auth_user and password"),
        ({"status": 404, "reason": "Not Found"}, "not registered: Not Found", "Compare aor"),
        ({"status": 503, "reason": "(PJSIP_TLS_ECERTVERIF)"}, "not registered: (PJSIP_TLS_ECERTVERIF)", "certificate"),
        ({"status": 408, "reason": "Request Timeout"}, "not registered: Request Timeout", "registrar and transport"),
        ({"status": 489, "reason": "Bad Event"}, "not registered: Bad Event", "Ask the provider"),
        ({}, "not registered: no answer yet", "Check the network"),
    ],
)
def test_a_line_that_is_not_registered_says_why(facts, said, cure):
    (finding,) = phone.lines({"lines": [line(**facts)]})

    assert finding.what == said
    assert cure in finding.cure


def test_a_line_that_waits_for_the_clock_needs_nobody():
    waiting = line(reason="waits until the clock is set")

    (finding,) = phone.lines({"lines": [waiting], "clock": {"set": False}})

    assert finding.what == "not registered: waits until the clock is set"
    assert "by itself" in finding.cure


@pytest.mark.parametrize(
    ("seen_as", "said"),
    [
        ("192.168.1.20", "line home sees this phone at its own address: nothing translates on the way"),
        ("8.8.4.4", "line home sees this phone as 8.8.4.4: a router translates on the way"),
        (
            "100.64.3.4",
            "line home sees this phone as 100.64.3.4: a router translates on the way, "
            "and it is not the last one that does",
        ),
    ],
)
def test_a_router_that_translates_is_known_by_what_the_registrar_sees(seen_as, said):
    status = {"lines": [line(registered=True, seen_as=seen_as)], "addresses": ["192.168.1.20"]}

    _, finding = phone.lines(status)

    assert finding.what == said


def test_a_registrar_that_says_nothing_of_addresses_says_nothing_of_routers():
    status = {"lines": [line(registered=True, seen_as="pbx.example.org")], "addresses": ["192.168.1.20"]}

    assert len(list(phone.lines(status))) == 1


def test_the_configuration_is_looked_at_too(tmp_path):
    file = tmp_path / "phone.toml"
    file.write_text('[[line]]\nname = "home"\naor = "sip:1@example.org"\npassword = "secret"\n')

    file.chmod(0o600)
    good = phone._file(file)
    file.chmod(0o604)
    exposed = phone._file(file)
    file.write_text("port = 1\n")
    broken = phone._file(file)

    assert [good.verdict, exposed.verdict, broken.verdict] == [Verdict.OK, Verdict.NOTE, Verdict.WRONG]
    assert exposed.cure == f"Forbid it: chmod o= {file}"


@pytest.mark.parametrize(
    ("runs_with", "said"),
    [
        ({"safe_mode": True, "refused": "line 3: x"}, "wrong: the phone does not telephone: line 3: x"),
        ({"refused": "line 3: x"}, "wrong: the phone runs with the last good configuration: line 3: x"),
        ({"pending_restart": True}, "note: what was changed is taken when the call has ended"),
    ],
)
def test_what_the_phone_runs_with_is_told(tmp_path, runs_with, said):
    (finding,) = phone.configuration({"config": runs_with}, machine(tmp_path))

    assert f"{finding.verdict}: {finding.what}" == said


def test_a_generation_that_waits_for_its_confirmation_is_told(tmp_path):
    waiting = {"generation": 7, "deadline_unix": time.time() + 90.0}

    (finding,) = phone.configuration(None, machine(tmp_path, {"etc/unconfirmed.json": json.dumps(waiting)}))

    assert finding.what.startswith("generation 7 goes back in ")
    assert finding.cure == "From a new session: omafon confirm."


# Sound.

CARDS = """\
 0 [Handset        ]: USB-Audio - USB Handset
                      A handset at usb-1, full speed
 1 [Speaker        ]: simple-card - Speaker
"""


def test_the_sound_cards_are_named_as_the_configuration_wants_them(tmp_path):
    (finding,) = sound.sound(machine(tmp_path, {"proc/asound/cards": CARDS}), Config(), asked=True)

    assert finding.what == "CARD=Handset, CARD=Speaker"


def test_a_machine_without_cards_is_wrong_unless_the_phone_itself_tells_of_its_voice(tmp_path):
    mute = machine(tmp_path)

    assert [f.verdict for f in sound.sound(mute, Config(), asked=False)] == [Verdict.WRONG]
    assert [f.verdict for f in sound.sound(mute, Config(), asked=True)] == [Verdict.NOTE]


def test_a_card_that_the_owner_names_and_linux_does_not_know_is_told(tmp_path):
    config = parse('[audio]\nvoice = "CARD=Handset"\nringer = "USB=1-1.2"\n')
    mute = machine(tmp_path, {"proc/asound/cards": " 0 [Speaker        ]: simple-card - Speaker\n"})

    _, voice, ringer = sound.sound(mute, config, asked=True)

    assert voice.what == "CARD=Handset, which [audio] voice names, is not there"
    assert ringer.what == "nothing that sounds is in the socket that [audio] ringer names: USB=1-1.2"


# Name servers.


@contextmanager
def a_name_server(answer: bytes | None) -> Iterator[str]:
    """Answers every question with its id and `answer`, or is silent; its address and port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((Addresses().fresh(), 0))
        server.settimeout(0.05)
        ended = threading.Event()

        def serve() -> None:
            while not ended.is_set():
                try:
                    question, who = server.recvfrom(4096)
                except TimeoutError:
                    continue
                if answer is not None:
                    server.sendto(question[:2] + answer + question[12 : question.index(b"\0", 12) + 5], who)

        serving = threading.Thread(target=serve)
        serving.start()
        yield "{}:{}".format(*server.getsockname())
        ended.set()
        serving.join()


def asks(server: str, trees: str = "[]") -> Config:
    return parse(f'[enum]\nservers = ["{server}"]\ntrees = {trees}\n')


REFUSED = bytes.fromhex("8105 0001 0000 0000 0000")
EMPTY = bytes.fromhex("8180 0001 0000 0000 0000")


def test_a_name_server_that_answers_is_well(tmp_path):
    with a_name_server(EMPTY) as server:
        (finding,) = names.name_servers(asks(server), machine(tmp_path))

    assert finding.verdict is Verdict.OK
    assert " answers in " in finding.what


def test_a_name_server_that_strips_signatures_is_told_of(tmp_path):
    with a_name_server(EMPTY) as server:
        resolver, dnssec = names.name_servers(asks(server, '["e164.arpa"]'), machine(tmp_path))

    assert resolver.what.endswith(", and strips the signatures of DNSSEC")
    assert dnssec.what == "e164.arpa cannot be proven: the name server gives no signed keys of ."
    assert "Its numbers are dialled all the same." in dnssec.cure


def test_a_name_server_that_refuses_is_told_of(tmp_path):
    with a_name_server(REFUSED) as server:
        (finding,) = names.name_servers(asks(server), machine(tmp_path))

    assert finding.verdict is Verdict.WRONG
    assert finding.what.endswith("answers, but not this phone's questions: REFUSED")


def test_a_name_server_that_is_not_there_is_wrong(tmp_path):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((Addresses().fresh(), 0))
        server = "{}:{}".format(*taken.getsockname())

    (finding,) = names.name_servers(asks(server), machine(tmp_path))

    assert finding.what.endswith("cannot be reached: Connection refused")


def test_a_machine_without_name_servers_is_told(tmp_path):
    (finding,) = names.name_servers(Config(), machine(tmp_path, {"etc/resolv.conf": "search example.org\n"}))

    assert finding.what == "no name server is known"


# All of it.


def test_a_machine_is_examined_whole(tmp_path):
    healthy = machine(tmp_path, {"etc/phone.toml": ""})

    parts = [finding.part for finding in examine(tmp_path / "control", healthy)]

    assert parts == [
        "phone",
        "config",
        "cards",
        "network",
        "resolver",
        "clock",
        "rtc",
        "disk",
        "ports",
        "version",
        "engine",
    ]


def test_servers_that_are_silent_hold_nobody_up(tmp_path):
    with a_name_server(None) as server, socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "control"))
        silent.listen()
        toml = f'[enum]\nservers = ["{server}"]\ntrees = ["e164.arpa", "family.example.org"]\n'
        sick = machine(tmp_path, {"etc/phone.toml": toml})
        (tmp_path / "tools/systemctl").write_text("#!/bin/sh\nexec /bin/sleep 30\n")
        (tmp_path / "tools/systemctl").chmod(0o755)
        began = time.monotonic()

        findings = {finding.part: finding.what for finding in examine(tmp_path / "control", sick)}

    assert time.monotonic() - began < 5.0
    assert findings["phone"].endswith("does not answer")
    assert findings["resolver"].endswith("does not answer")


def test_a_look_that_fails_spoils_no_other(tmp_path):
    strange = machine(tmp_path, {"proc/vmstat": "oom_kill many\n", "proc/meminfo": "MemAvailable: 204800 kB\n"})

    findings = {finding.part: finding for finding in examine(tmp_path / "control", strange)}

    assert findings["memory"].what.startswith("could not be looked at: ValueError")
    assert findings["disk"].verdict is Verdict.OK


def test_a_sick_phone_is_a_failure_for_the_shell(tmp_path: Path, capsys):
    config = tmp_path / "phone.toml"
    config.write_text("[enum]\ntrees = []\n")
    words = ["--control", str(tmp_path / "control"), "--config", str(config), "--state", str(tmp_path)]

    assert main(["doctor", "--json", *words]) == 1

    findings = json.loads(capsys.readouterr().out)["findings"]
    assert {"part", "verdict", "what", "cure"} == set(findings[0])


def test_a_bundle_is_a_file_for_its_owner_alone(tmp_path: Path, capsys):
    config, bundle = tmp_path / "phone.toml", tmp_path / "report.tar.gz"
    config.write_text("[enum]\ntrees = []\n")
    words = ["--control", str(tmp_path / "control"), "--config", str(config), "--state", str(tmp_path)]

    assert main(["doctor", "--bundle", str(bundle), *words]) == 0

    assert bundle.stat().st_mode & 0o777 == 0o600
    assert str(bundle) in capsys.readouterr().out
    with tarfile.open(fileobj=io.BytesIO(bundle.read_bytes())) as archive:
        assert {"README", "findings.txt", "status.json", "phone.toml", "history.json", "log.txt", "kernel.txt"} <= {
            name.partition("/")[2] for name in archive.getnames()
        }


# The family.


def kin(**member: object) -> dict[str, object]:
    return {"name": "Oma", "reachable": True, "away_since": 0.0} | member


def test_a_phone_without_a_family_hears_nothing_about_one():
    assert list(phone.family({"family": [], "addresses": ["192.168.0.2"]})) == []


def test_a_member_that_answers_is_well_and_one_not_asked_yet_is_not_mentioned():
    members = [kin(), kin(name="Ben", reachable=None)]

    found = list(phone.family({"family": members, "addresses": ["2001:4860::7"]}))

    assert [(finding.verdict, finding.what) for finding in found] == [(Verdict.OK, "Oma answers")]


def test_a_member_out_of_reach_is_told_with_the_time_and_what_to_look_at():
    since = time.mktime((2026, 3, 1, 14, 5, 0, 0, 0, -1))

    (found,) = phone.family({"family": [kin(reachable=False, away_since=since)], "addresses": ["2001:4860::7"]})

    assert (found.verdict, found.what) == (Verdict.WRONG, "Oma is out of reach since 14:05")
    assert "Is that phone on" in found.cure


def test_a_phone_with_private_addresses_only_is_told_how_others_get_in():
    *_, found = phone.family({"family": [kin()], "addresses": ["192.168.0.2", "fd00::2"]})

    assert "private addresses only" in found.what
    assert "IPv6" in found.cure
    assert "[family]" in found.cure
