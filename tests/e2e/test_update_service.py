# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The units of an update in a real systemd, with the real RAUC: the owner sends, root looks, the judge marks.

This kernel has no dm-verity, so RAUC refuses to open a bundle in the end: that is what the last step shows here. On a
telephone's kernel the same is done in QEMU, by tests/image.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from omafon.client import Client
from omafon.pages import Page
from tests.lab.nspawn import Machine
from tests.lab.program import needs
from tests.lab.slots import BACKEND, IMAGE_BUILD, Maker

RUNS, NEW = "0.2.0+20261101.0900.aaaaaaa", "0.2.0+20261122.1845.bbbbbbb"
FOLDER = "var/lib/omafon-update"

_POLICY = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <policy user="root"><allow own="de.pengutronix.rauc"/></policy>
  <policy context="default"><allow send_destination="de.pengutronix.rauc"/></policy>
</busconfig>
"""
_ACTIVATION = "[D-BUS Service]\nName=de.pengutronix.rauc\nExec=/bin/false\nUser=root\nSystemdService=rauc.service\n"
_SERVICE = """[Service]
Type=dbus
BusName=de.pengutronix.rauc
ExecStart=/usr/bin/rauc --mount=/run/rauc/mnt --override-boot-slot=A service
RuntimeDirectory=rauc/mnt
"""


@dataclass
class Desk:
    machine: Machine
    maker: Maker

    def ask(self, method: str, **params: object) -> dict[str, Any]:
        with Client(self.machine.root / "run/omafon/control") as client:
            return client.ask(method, **params)

    @property
    def counters(self) -> str:
        return (self.machine.root / "boot/firmware/slots.txt").read_text()

    def told(self, *words: str) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.machine.run("omafon", "update", "--json", *words))
        return told

    def pages(self) -> list[str]:
        return [str(entry["MESSAGE"]) for entry in self.machine.journal(f"MESSAGE_ID={Page.UPDATE}")]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    needs("rauc", "rauc")
    folder = tmp_path_factory.mktemp("desk")
    maker = Maker(tmp_path_factory.mktemp("maker"))
    conf = (IMAGE_BUILD / "root/etc/rauc/system.conf").read_text()
    for number in ("02", "03"):
        conf = conf.replace(f"/dev/disk/by-partuuid/6f6d6166-{number}", f"/slot-{number}")
    files = {
        "/etc/omafon/phone.toml": ('[phone]\nboard = "virtual"\n[audio]\nvoice = "null"\n', 0o644),
        "/usr/lib/os-release": (f"ID=debian\nIMAGE_ID=omafon\nIMAGE_VERSION={RUNS}\n", 0o644),
        "/etc/rauc/system.conf": (conf, 0o644),
        "/etc/rauc/keyring.pem": (maker.certificate.read_text(), 0o644),
        "/usr/lib/tmpfiles.d/omafon-image.conf": (
            (IMAGE_BUILD / "root/usr/lib/tmpfiles.d/omafon-image.conf").read_text(),
            0o644,
        ),
        "/usr/lib/omafon/slots": (BACKEND.read_text(), 0o755),
        "/usr/lib/systemd/system/rauc.service": (_SERVICE, 0o644),
        "/usr/share/dbus-1/system-services/de.pengutronix.rauc.service": (_ACTIVATION, 0o644),
        "/usr/share/dbus-1/system.d/de.pengutronix.rauc.conf": (_POLICY, 0o644),
        "/boot/firmware/slots.txt": ("BOOT_A_LEFT=2\nBOOT_B_LEFT=0\nBOOT_ORDER=A B\n", 0o644),
        "/slot-02": ("", 0o644),
        "/slot-03": ("", 0o644),
    }
    with Machine(folder, files) as machine:
        yield Desk(machine, maker)


def judged(desk: Desk) -> str:
    """What the judge's unit says of this start."""
    desk.machine.run("systemctl", "restart", "--wait", "omafon-judge.service", within_s=60.0)
    return desk.machine.property("omafon-judge.service", "Result")


def test_a_start_after_which_the_telephone_answers_is_a_good_one(desk: Desk):
    assert judged(desk) == "success"
    assert desk.counters == "BOOT_A_LEFT=3\nBOOT_B_LEFT=0\nBOOT_ORDER=A B\n"


def test_the_owner_sends_a_bundle_and_hears_what_becomes_of_it(desk: Desk):
    bundle = desk.maker.makes(NEW)
    (desk.machine.root / "tmp/new.raucb").write_bytes(bundle.read_bytes())
    as_owner = ["setpriv", "--reuid=phone", "--regid=phone", "--init-groups", "sh", "-c"]

    sent = desk.machine.tries(*as_owner, "exec omafon update - < /tmp/new.raucb", within_s=60.0)

    assert sent.returncode == 1
    assert "receiving" in sent.stderr
    assert f"{NEW} follows {RUNS}" in sent.stderr
    assert "omafon: it could not be written: " in sent.stderr
    assert desk.told()["last"]["stage"] == "failed"
    assert desk.ask("status")["update"] == {"stage": "failed", "version": NEW, "percent": 0}
    assert desk.ask("screen")["rows"][:3] == ["Neue Version", "0.2.0", "Nicht übernommen"]
    assert any("0.2.0" in message for message in desk.pages())
    assert desk.counters.startswith("BOOT_A_LEFT=3\n")
    assert list((desk.machine.root / FOLDER).rglob("*.raucb")) == []


def test_what_is_refused_is_refused_before_root_is_asked(desk: Desk, tmp_path: Path):
    stranger = Maker(tmp_path)
    (desk.machine.root / "tmp/foreign.raucb").write_bytes(stranger.makes("0.9.0").read_bytes())

    sent = desk.machine.tries("omafon", "update", "/tmp/foreign.raucb")

    assert sent.returncode == 1
    assert "signed by somebody this telephone does not know" in sent.stderr


def test_a_version_that_went_back_is_told_where_the_owner_looks(desk: Desk):
    pending = {"version": NEW, "runs": RUNS, "slot": "A", "other": "B", "written": True, "bad": "line home: gone"}
    (desk.machine.root / FOLDER / "pending.json").write_text(json.dumps(pending))

    assert judged(desk) == "success"

    last = desk.told()["last"]
    assert (last["stage"], last["version"], last["why"]) == ("back", NEW, "line home: gone")
    assert desk.ask("screen")["rows"][2:] == ["Lief nicht gut", "Alles wie vorher"]
    assert "line home: gone" in desk.machine.run("omafon", "update")
    assert not (desk.machine.root / FOLDER / "pending.json").exists()
