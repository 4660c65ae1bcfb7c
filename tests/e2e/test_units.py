# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What `systemd/install` puts into an image: these files and no others, whole, and every service locked in."""

import os
import re
import stat
import subprocess
from pathlib import Path

import pytest

SYSTEMD = Path(__file__).parents[2] / "systemd"
UNITS = SYSTEMD / "system"
SERVICES = sorted(file.name for file in UNITS.glob("*.service"))


def installed(root: Path, *options: str) -> Path:
    subprocess.run([SYSTEMD / "install", *options], env={**os.environ, "DESTDIR": str(root)}, check=True)
    return root


def settings(unit: str, key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", (UNITS / unit).read_text(encoding="utf-8"), re.MULTILINE)


def listed(root: Path) -> list[str]:
    """Every file below `root` as MANIFEST has it: its mode and path, and where a link leads."""
    lines = []
    for file in sorted(root.rglob("*")):
        path = f"/{file.relative_to(root)}"
        if file.is_symlink():
            lines.append(f"link {path} -> {file.readlink()}")
        elif file.is_file():
            lines.append(f"{stat.S_IMODE(file.stat().st_mode):04o} {path}")
    return lines


def test_an_image_holds_what_the_manifest_lists(tmp_path: Path):
    text = (SYSTEMD / "MANIFEST").read_text(encoding="utf-8")

    assert listed(installed(tmp_path)) == [line for line in text.splitlines() if line and not line.startswith("#")]


def test_to_install_twice_is_to_install_once(tmp_path: Path):
    once = listed(installed(tmp_path))

    assert listed(installed(tmp_path)) == once


def test_the_prefix_moves_all_but_what_is_the_machine_s(tmp_path: Path):
    moved = listed(installed(tmp_path, "--prefix=/opt/phone"))

    assert [line for line in moved if " /usr/" in line] == []
    assert any(line.endswith(" /opt/phone/lib/systemd/system/omafon.service") for line in moved)


def test_every_file_of_systemd_is_installed(tmp_path: Path):
    names = {path.rpartition("/")[2] for path in listed(installed(tmp_path))}
    sources = {
        file.name for file in SYSTEMD.rglob("*") if file.is_file() and file.relative_to(SYSTEMD).parts[0] != "ansible"
    }

    assert sources - names == {"install", "MANIFEST"}


def test_what_is_enabled_is_what_the_preset_says(tmp_path: Path):
    links = {line.rpartition("/")[2] for line in listed(installed(tmp_path)) if ".wants/" in line}
    wanted = {file.name for file in UNITS.glob("*.*") if file.is_file() and settings(file.name, "WantedBy")}

    assert links == wanted


def test_every_path_has_its_service():
    for path in UNITS.glob("*.path"):
        assert path.with_suffix(".service").name in SERVICES


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_exposes_at_most_2_of_10(service: str, tmp_path: Path):
    units = installed(tmp_path) / "usr/lib/systemd/system"

    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20", units / service],
        capture_output=True,
        text=True,
        check=False,
    )

    assert judged.returncode == 0, judged.stdout


@pytest.mark.parametrize("service", SERVICES)
def test_a_sandbox_of_its_own_is_not_taken_away_by_the_common_one(service: str):
    """A drop-in is read after the unit, and what it says wins: no key is in both but lists that grow."""
    common = re.findall(r"^(\w+)=", (UNITS / "omafon-.service.d/sandbox.conf").read_text(), re.MULTILINE)
    own = re.findall(r"^(\w+)=", (UNITS / service).read_text(), re.MULTILINE)

    assert service == "omafon.service" or set(common) & set(own) <= {"RestrictAddressFamilies"}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_runs_the_command(service: str):
    # What starts the machine anew when the command itself is broken runs nothing.
    count = {"omafon.service": 2, "omafon-judge-failed.service": 0}.get(service, 1)
    assert [line.partition(" ")[0] for line in settings(service, "Exec(?:Start|Reload)")] == ["/usr/bin/omafon"] * count


def test_accounts_and_directories_are_made(tmp_path: Path):
    root = installed(tmp_path)

    subprocess.run(["systemd-sysusers", f"--root={root}"], check=True, capture_output=True)
    accounts = (root / "etc/passwd").read_text()
    groups = (root / "etc/group").read_text()

    assert re.search(r"^omafon:.*:/var/lib/omafon:/usr/sbin/nologin$", accounts, re.MULTILINE)
    assert re.search(r"^phone:.*:/etc/omafon:/bin/sh$", accounts, re.MULTILINE)
    assert re.search(r"^omafon:.*:phone$", groups, re.MULTILINE)
    assert {"gpio", "i2c", "spi"} <= {line.partition(":")[0] for line in groups.splitlines()}
    assert re.search(r"^phone:!", (root / "etc/shadow").read_text(), re.MULTILINE), "nobody logs in with a password"


def test_the_catalog_compiles(tmp_path: Path):
    root = installed(tmp_path)
    (root / "var/lib/systemd/catalog").mkdir(parents=True)

    done = subprocess.run(
        ["journalctl", f"--root={root}", "--update-catalog"], check=True, capture_output=True, text=True
    )

    assert done.stderr == ""
    assert (root / "var/lib/systemd/catalog/database").stat().st_size > 1000


def test_the_card_s_wear_is_bounded():
    journal = (SYSTEMD / "journald.conf.d/50-omafon.conf").read_text()

    assert "SystemMaxUse=48M" in journal
    assert settings("omafon.service", "LogRateLimitBurst") == ["1000"]
    assert "SaveIntervalSec=1h" in (SYSTEMD / "timesyncd.conf.d/50-omafon.conf").read_text()


def test_the_watchdog_of_the_hardware_is_one_that_a_pi_takes():
    seconds = re.search(r"^RuntimeWatchdogSec=(\d+)$", (SYSTEMD / "system.conf.d/50-omafon.conf").read_text(), re.M)

    assert seconds
    assert int(seconds[1]) < 15
