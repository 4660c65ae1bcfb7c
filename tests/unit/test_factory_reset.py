# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The factory reset of a machine below a folder: what goes, what stays, and how it proves it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from omafon.machine.erasing import files
from omafon.machine.factory_reset import MARK, reset
from tests.lab import owned

WORDS = [sys.executable, "-m", "omafon.cli", "factory-reset"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    owned.furnish(tmp_path)
    return tmp_path


def everything(root: Path) -> bytes:
    return b"\n".join(file.read_bytes() for file in files(root))


def test_nothing_of_the_owner_is_found_afterwards(root: Path):
    before = owned.found(everything(root))

    forgotten = reset(root, print)

    assert before == [word for word in owned.WORDS if word not in owned.SECRETS[2:3]]
    assert owned.found(everything(root)) == []
    assert forgotten.good
    assert forgotten.canaries >= len(before)


def test_what_is_not_the_owners_stays(root: Path):
    reset(root, print)

    assert (root / "etc/machine-id").read_text() == "0123456789abcdef0123456789abcdef\n"
    assert (root / "boot/firmware/config.txt").exists()
    assert (root / "etc/ssh/sshd_config").exists()
    assert [file.name for file in (root / "etc/omafon").iterdir()] == ["phone.toml"]
    assert (root / "etc/omafon/phone.toml").read_text() == ""
    assert [file.name for file in (root / "boot/firmware").iterdir()] == ["config.txt"]


def test_host_keys_and_host_name_are_new(root: Path):
    before = (root / "etc/ssh/ssh_host_ed25519_key.pub").read_text()

    reset(root, print)

    assert (root / "etc/ssh/ssh_host_ed25519_key.pub").read_text() != before
    assert (root / "etc/hostname").read_text().startswith("omafon-")


def test_the_next_owner_finds_the_same_hardware(root: Path):
    file = root / "etc/omafon/generations/2/phone.toml"
    file.write_text(file.read_text().replace("[phone]", '[phone]\nboard = "mk1"'))

    reset(root, print)

    assert (root / "etc/omafon/phone.toml").read_text() == '[phone]\nboard = "mk1"\n'


def test_request_and_mark_are_gone_when_it_is_done(root: Path):
    reset(root, print)

    assert not (root / "run/omafon-requests/factory-reset").exists()
    assert not (root / MARK).exists()


def test_a_second_reset_finds_nothing_to_do(root: Path):
    reset(root, print)

    assert reset(root, print).good


def test_a_secret_that_stands_where_nobody_expected_it_is_found_and_the_mark_stays(root: Path):
    (root / "boot/firmware/backup.toml").write_text(f'password = "{owned.SECRETS[0]}"')

    forgotten = reset(root, print)

    assert [Path(file).name for file in forgotten.hold] == ["backup.toml"]
    assert (root / MARK).exists()


def test_a_configuration_that_nobody_can_read_is_erased_as_well(root: Path):
    (root / "etc/omafon/phone.toml").unlink()
    (root / "etc/omafon/phone.toml").write_bytes(b"\xff[" + owned.SECRETS[0].encode())
    (root / "var/lib/omafon/memory.json").write_text("[]")

    reset(root, print)

    assert owned.found(everything(root)) == []


def test_a_zone_that_does_not_answer_holds_nothing_up(tmp_path: Path):
    owned.furnish(tmp_path, publishes=True)

    forgotten = reset(tmp_path, print)

    assert forgotten.troubles == ("the number may still be published in its zone: take it out there",)
    assert owned.found(everything(tmp_path)) == []


# The command


def test_without_a_terminal_it_must_be_meant(tmp_path: Path):
    done = subprocess.run([*WORDS, "--requests", str(tmp_path)], capture_output=True, stdin=subprocess.DEVNULL)

    assert done.returncode == 2
    assert b"say --yes" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_yes_leaves_the_request(tmp_path: Path):
    done = subprocess.run([*WORDS, "--yes", "--json", "--requests", str(tmp_path)], capture_output=True)

    assert (done.returncode, json.loads(done.stdout)) == (0, {"requested": True})
    assert [file.name for file in tmp_path.iterdir()] == ["factory-reset"]


@pytest.mark.parametrize(("answer", "code"), [(b"RESET\n", 0), (b"yes\n", 1), (b"\n", 1)])
def test_on_a_terminal_it_asks_and_wants_the_word(tmp_path: Path, answer: bytes, code: int):
    ours, theirs = os.openpty()
    try:
        os.write(ours, answer)
        done = subprocess.run([*WORDS, "--requests", str(tmp_path)], stdin=theirs, capture_output=True)
    finally:
        os.close(ours)
        os.close(theirs)

    assert done.returncode == code
    assert b"Type RESET to go on" in done.stdout
    assert len(list(tmp_path.iterdir())) == (code == 0)


def test_where_no_unit_listens_it_says_so(tmp_path: Path):
    done = subprocess.run([*WORDS, "--yes", "--requests", str(tmp_path / "nowhere")], capture_output=True)

    assert done.returncode == 1
    assert b"where the system takes requests" in done.stderr


def test_no_secret_is_told(root: Path):
    words = [*WORDS, "--now", "--root", str(root)]

    done = subprocess.run(words, capture_output=True)

    assert done.returncode == 0
    assert owned.found(done.stdout + done.stderr) == []
