# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""SSH keys that somebody wrote down: public, whole, strong enough, one a line; ssh-keygen(1) is the judge of each."""

import re
from dataclasses import dataclass
from pathlib import Path

from omafon import durable
from omafon.config import ConfigError, Problem
from omafon.programs import run

LARGEST_FILE = 65_536
MOST_KEYS = 50
SHORTEST_RSA_BITS = 2048

_TYPES = ("ssh-ed25519", "ssh-rsa", "ecdsa-sha2-", "sk-ssh-ed25519@", "sk-ecdsa-sha2-")
_FINGERPRINT = re.compile(r"(\d+) (SHA256:[A-Za-z0-9+/]+) (.*) \((.+)\)")


@dataclass(frozen=True, slots=True)
class Keys:
    """`lines` as authorized_keys(5) has them, and the `fingerprints` by which their owners know them."""

    lines: tuple[str, ...]
    fingerprints: tuple[str, ...]

    @property
    def text(self) -> str:
        return "".join(f"{line}\n" for line in self.lines)


def read(content: bytes, file: str) -> Keys:
    """The keys in `content`, which errors call `file`. Raises ConfigError with everything that is wrong."""
    if len(content) > LARGEST_FILE:
        raise ConfigError([Problem("is no list of keys: it is too large", "One key is one line of text.", file)])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError([Problem("the text is not UTF-8", 'Save it as "UTF-8".', file)]) from None
    if "PRIVATE KEY" in text or text.startswith("PuTTY-User-Key-File"):
        cure = (
            "Delete it from the card now, and use it nowhere any more: who has had the card can log in wherever "
            "you can with it. Make a new pair (ssh-keygen -t ed25519), and copy the file that ends in .pub."
        )
        raise ConfigError([Problem("this is a private key, and it still lies on the card", cure, file)])
    if "BEGIN SSH2 PUBLIC KEY" in text:
        cure = "Copy the line that PuTTYgen shows for OpenSSH, or convert it: ssh-keygen -i -f FILE"
        raise ConfigError([Problem("this is a key in PuTTY's format", cure, file)])
    problems: list[Problem] = []
    lines: list[str] = []
    fingerprints: list[str] = []
    for number, line in enumerate(text.replace("\r", "\n" if "\n" not in text else "").split("\n"), 1):
        line = line.strip()
        if not line or line.startswith("#") or line in lines:
            continue
        found = _looked_at(line)
        if isinstance(found, tuple):
            problems.append(Problem(*found, file, number))
        else:
            lines.append(line)
            fingerprints.append(found)
    if not problems and not 0 < len(lines) <= MOST_KEYS:
        cure = "Write at least one: the content of id_ed25519.pub." if not lines else f"Leave {MOST_KEYS} of them."
        problems.append(Problem("holds no key" if not lines else "holds too many keys", cure, file))
    if problems:
        raise ConfigError(problems)
    return Keys(tuple(lines), tuple(fingerprints))


def install(keys: Keys, file: Path) -> None:
    """Make `file` hold exactly these keys; it belongs to whom its directory does. Raises OSError."""
    durable.replace(file, keys.text.encode(), 0o640)


def host_fingerprints(folder: Path) -> tuple[str, ...]:
    """What a client shows of the machine at its first login: those of the host keys in `folder`."""
    told = [run(["ssh-keygen", "-l", "-f", str(file)]) for file in sorted(folder.glob("ssh_host_*_key.pub"))]
    found = [_FINGERPRINT.fullmatch(ran.out.strip()) for ran in told if ran is not None and ran.good]
    return tuple(f"{match[2]} ({match[4]})" for match in found if match)


def _looked_at(line: str) -> str | tuple[str, str]:
    """The fingerprint of the key in `line`, or what is wrong with it and the cure."""
    kind, *rest = line.split(None, 2)
    cure = "Copy the whole line of the file that ends in .pub."
    if not kind.startswith(_TYPES):
        if kind in ("ssh-dss", "ssh-dsa"):
            return "is a DSA key, which OpenSSH takes no more", "Make a new one: ssh-keygen -t ed25519"
        if any(word.startswith(_TYPES) for word in line.split()):
            return "has options in front of the key", "Leave the key alone: what it may do the phone decides."
        return "is no SSH key", cure
    if not rest or not line.isprintable():
        return "is no whole key", cure
    told = run(["ssh-keygen", "-l", "-f", "-"], given=f"{line}\n")
    if told is None:
        return "cannot be looked at: ssh-keygen is missing", "Install it: apt install openssh-client"
    match = _FINGERPRINT.fullmatch(told.out.strip()) if told.good else None
    if match is None:
        return "is no whole key", cure
    if match[4] == "RSA" and int(match[1]) < SHORTEST_RSA_BITS:
        return f"is an RSA key of {match[1]} bits, which is too weak", "Make a new one: ssh-keygen -t ed25519"
    return f"{match[2]} ({match[4]})"
