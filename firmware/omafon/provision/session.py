# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Who is changing the phone, and from which login: a confirmation counts only from another one."""

import base64
import hashlib
import os
import pwd
from collections.abc import Mapping
from pathlib import Path

import msgspec

_NO_LOGIN = str(2**32 - 1)  # what /proc/self/sessionid holds where nobody has logged in


class Session(msgspec.Struct, frozen=True):
    """A login: the SSH connection, the sshd process that serves it, the audit session; `by` is for people.

    `sshd` and `leader` are process ids with the time of their start, so that none is taken for another that has its id.
    """

    by: str
    ssh: str = ""
    sshd: str = ""
    login: str = ""
    leader: str = ""

    def same(self, other: "Session") -> bool:
        """Whether both are one login, so that the one shows nothing that the other had not shown."""
        if self.ssh or other.ssh:
            # Channels of one connection share both; a second window over a shared connection is no new login either.
            return self.ssh == other.ssh or (bool(self.sshd) and self.sshd == other.sshd)
        return self.leader == other.leader or (bool(self.login) and self.login == other.login)


def here(environ: Mapping[str, str] = os.environ) -> Session:
    """The session this process belongs to."""
    ssh = environ.get("SSH_CONNECTION", "")
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        user = str(os.getuid())
    words = [f"{user}@{ssh.split()[0]}" if ssh else user, _fingerprint(environ.get("SSH_USER_AUTH", ""))]
    login = _read(Path("/proc/self/sessionid")).strip()
    return Session(
        by=" ".join(filter(None, words)),
        ssh=ssh,
        sshd=_sshd(os.getppid()) if ssh else "",
        login="" if login == _NO_LOGIN else login,
        leader=_born(os.getsid(0)),
    )


def _fingerprint(file: str) -> str:
    """That of the key somebody logged in with, as ssh-keygen prints it; `file` is sshd_config(5)'s ExposeAuthInfo."""
    for line in _read(Path(file)).splitlines() if file else ():
        match line.split():
            case ["publickey", _, key, *_]:
                try:
                    digest = hashlib.sha256(base64.b64decode(key)).digest()
                except ValueError:
                    return ""
                return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"
    return ""


def _sshd(process: int) -> str:
    """The sshd that `process` was started by, over any number of others."""
    while process > 1:
        name, parent = _stat(process)
        if name.startswith("sshd"):
            return _born(process)
        process = parent
    return ""


def _stat(process: int) -> tuple[str, int]:
    """The name and the parent of a process; proc(5). A name may hold anything, so its last bracket counts."""
    name, _, rest = _read(Path(f"/proc/{process}/stat")).partition("(")[2].rpartition(")")
    return (name, int(rest.split()[1])) if rest else ("", 0)


def _born(process: int) -> str:
    fields = _read(Path(f"/proc/{process}/stat")).rpartition(")")[2].split()
    return f"{process}:{fields[19]}" if len(fields) > 19 else f"{process}"


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
