# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The owner of a telephone, who is far away and has a key, and the real sshd of a machine to log in to."""

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.lab.nspawn import Machine
from tests.lab.program import needs

SERVER = "openssh-server"
ADDRESS = "127.0.0.1"
KEYS = "/etc/omafon/authorized_keys"


def key(folder: Path, name: str) -> Path:
    """A new private key; its public half lies beside it, with .pub."""
    path = folder / name
    command = [needs("ssh-keygen", "openssh-client"), "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", path]
    subprocess.run(command, check=True)
    return path


class Owner:
    """Has the only key to the account of `machine`, which runs; its sshd is started."""

    def __init__(self, machine: Machine, folder: Path) -> None:
        needs("sshd", SERVER)
        self.machine = machine
        self.folder = folder
        self.key = key(folder, "owner")
        machine.run("tee", KEYS, typed=self.key.with_suffix(".pub").read_text())
        machine.run("chown", "phone:omafon", KEYS)
        machine.run("chmod", "600", KEYS)
        machine.run("systemctl", "start", "ssh.service")
        hosts = machine.run("sh", "-c", "cat /etc/ssh/ssh_host_ed25519_key.pub")
        self.known_hosts = folder / "known_hosts"
        self.known_hosts.write_text(f"{ADDRESS} {hosts}")

    def ssh(self, *options: str, program: str = "ssh") -> list[str]:
        """The command line of an SSH program on the machine's network, up to where it says what to do."""
        settings = (
            f"UserKnownHostsFile={self.known_hosts}",
            "StrictHostKeyChecking=yes",
            "BatchMode=yes",
            "IdentitiesOnly=yes",
            "LogLevel=ERROR",
        )
        return [
            *self.machine.networked(),
            *(needs(program, "openssh-client"), "-F", "none", "-i", str(self.key)),
            *(word for setting in settings for word in ("-o", setting)),
            *options,
        ]

    def asks(
        self, request: str, *options: str, typed: str = "", user: str = "phone"
    ) -> subprocess.CompletedProcess[str]:
        """What `ssh phone@… request` does, whatever that is."""
        command = [*self.ssh(*options), f"{user}@{ADDRESS}", *([request] if request else [])]
        return ended(command, typed)

    def is_told(self, request: str, typed: str = "") -> str:
        """What the phone answers. Fails with what it says when it refuses."""
        done = self.asks(request, typed=typed)
        assert done.returncode == 0, f"{request}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def learns(self, request: str, typed: str = "") -> Any:
        """The JSON value the phone answers."""
        return json.loads(self.is_told(f"{request} --json", typed))


def ended(command: list[str], typed: str = "", within_s: float = 20.0) -> subprocess.CompletedProcess[str]:
    """The end of a program, with all it said."""
    return subprocess.run(
        command, input=typed, capture_output=True, text=True, errors="replace", timeout=within_s, check=False
    )
