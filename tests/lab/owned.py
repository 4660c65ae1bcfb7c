# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A machine that somebody has used for years, as far as its files tell; no word in them may be found later."""

import json
import subprocess
from pathlib import Path

from omafon.machine.network_settle import settle_file

SECRETS = ("sip-canary-7391", "wifi-canary-7392", "Y2FuYXJ5LTczOTM=", "old-canary-7394")
NUMBERS = ("+4930739500", "+4989739600")
WORDS = (*SECRETS, *NUMBERS, "Canary-Street-Net")

PHONE = f"""
[phone]
name = "Owner Canary"
number = "{NUMBERS[0]}"
[[wifi]]
ssid = "Canary-Street-Net"
password = "{SECRETS[1]}"
[[line]]
name = "home"
aor = "sip:owner-canary@example.org"
password_credential = "line-home"
[[contact]]
name = "Friend"
number = "{NUMBERS[1]}"
"""
PUBLISH = f"""
[enum.publish]
zone = "9.4.e164.arpa"
server = "127.0.0.253:9"
key_name = "phone"
uri = "sip:owner-canary@example.org"
key_secret = "{SECRETS[2]}"
"""


def furnish(root: Path, *, publishes: bool = False) -> None:
    """Fill the file system below `root` as years of use do, also with what was replaced since."""
    etc, state = root / "etc/omafon", root / "var/lib/omafon"
    for number, password in ((1, SECRETS[3]), (2, SECRETS[0])):
        place = etc / f"generations/{number}"
        (place / "credentials").mkdir(parents=True)
        (place / "credentials/line-home").write_text(password)
        (place / "phone.toml").write_text(PHONE + (PUBLISH if publishes else ""))
    (etc / "phone.toml").symlink_to("generations/2/phone.toml")
    (etc / "authorized_keys").write_text("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIcanary owner@laptop\n")
    (state / "last-good/credentials").mkdir(parents=True)
    (state / "last-good/phone.toml").write_text(PHONE)
    (state / "last-good/credentials/line-home").write_text(SECRETS[0])
    for file in ("memory.json.old", "memory.json"):
        remember(state / file, "Friend Canary")
    for folder in ("etc/ssh", "boot/firmware", "var/log/journal/0123", "run/omafon-requests", "var/lib/NetworkManager"):
        (root / folder).mkdir(parents=True)
    (root / "etc/machine-id").write_text("0123456789abcdef0123456789abcdef\n")
    (root / "etc/hostname").write_text("owners-canary\n")
    (root / "etc/ssh/sshd_config").write_text("Port 22\n")
    key = str(root / "etc/ssh/ssh_host_ed25519_key")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    (root / "boot/firmware/config.txt").write_text("dtparam=audio=on\n")
    (root / "boot/firmware/omafon.toml").write_text(f'[[line]]\npassword = "{SECRETS[0]}"\nname = "broken')
    (root / "boot/firmware/omafon-result.txt").write_text("Omafon: refused\r\n")
    (root / "var/log/journal/0123/system.journal").write_bytes(b"LPKSHHRH" + NUMBERS[1].encode() + bytes(5000))
    (root / "var/lib/NetworkManager/seen-bssids").write_text("02:00:00:00:00:01\n")
    (root / "run/omafon-requests/factory-reset").write_text("")
    settle_file(etc / "phone.toml", root)


def remember(file: Path, name: str) -> None:
    """One past call, in a memory of the phone."""
    file.write_text(json.dumps({"history": [{"number": NUMBERS[1], "uri": "", "name": name}]}))


def found(content: bytes) -> list[str]:
    """The words that still stand in `content`."""
    return [word for word in WORDS if word.encode() in content]
