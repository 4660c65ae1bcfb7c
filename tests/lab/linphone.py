# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Linphone as the far end of a call: linphone-daemon, commanded through its UNIX socket, followed by its log."""

import os
import socket
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from omafon.sim.soundcard import SoundCard, write_asound_conf
from tests.lab.heard import LabError
from tests.lab.program import Program, needs

CODECS = {"opus": "opus/48000/2", "g722": "G722/8000/1", "pcma": "PCMA/8000/1", "pcmu": "PCMU/8000/1"}

CONFIG = """\
[sip]
sip_port=5060
sip_tcp_port=5060
sip_tls_port=5061
bind_address={address}
default_proxy={default_proxy}
guess_hostname=0
contact=<sip:{user}@{address}>
inc_timeout=60
use_ipv6=0
root_ca={ca}
verify_server_certs=1
verify_server_cn=0
keepalive_period=0
media_encryption={encryption}
media_encryption_mandatory={mandatory}
use_info=0
use_rfc2833=1
[net]
mtu=1500
[rtp]
audio_rtp_port={rtp_port}
audio_jitt_comp=60
nortp_timeout=30
[sound]
playback_dev_id=ALSA Unknown: default
capture_dev_id=ALSA Unknown: default
ringer_dev_id=ALSA Unknown: default
echocancellation=0
agc=0
remote_ring=
[video]
enabled=0
capture=0
display=0
"""
LINE = """[proxy_0]
reg_proxy=<sip:{registrar};transport={transport}>
reg_identity=sip:{user}@{registrar}
reg_expires=60
reg_sendregister=1
publish=0
dial_escape_plus=0
[auth_info_0]
username={user}
passwd={password}
realm={realm}
domain={realm}
"""


class Linphone:
    """A telephone at `address`, called `user`; registered with `registrar` (host or None) by digest.

    It speaks and hears through a virtual sound card of its own, `card`.
    """

    def __init__(
        self,
        folder: Path,
        address: str,
        user: str,
        *,
        registrar: str | None = None,
        password: str = "",
        transport: Literal["udp", "tcp", "tls"] = "udp",
        ca: Path | None = None,
        answers: Literal["auto", "manual"] = "manual",
        codecs: Sequence[str] = ("opus", "pcma", "pcmu"),
        srtp: Literal["off", "optional", "mandatory"] = "off",
    ) -> None:
        needs("linphone-daemon", "linphone-cli")
        self.address = address
        self.user = user
        self.uri = f"sip:{user}@{address}"
        self.registered = registrar is not None
        self._codecs = codecs
        home = folder / f"linphone-{user}"
        # It does not make the folder of its database itself, and quits without a word.
        (home / ".local" / "share" / "linphone").mkdir(parents=True)
        self.card = SoundCard(user)
        env = write_asound_conf(home / "asound.conf", [self.card], default=self.card)
        text = CONFIG.format(
            address=address,
            user=user,
            default_proxy=0 if registrar else -1,
            ca=ca or "/etc/ssl/certs/ca-certificates.crt",
            encryption="none" if srtp == "off" else "srtp",
            mandatory=int(srtp == "mandatory"),
            # Its RTP socket is bound to every address: the port must be no other phone's.
            rtp_port=20_000 + 4 * (hash((address, os.getpid())) % 5_000),
        )
        if registrar:
            text += LINE.format(
                registrar=registrar,
                realm=registrar.partition(":")[0],
                user=user,
                password=password,
                transport=transport,
            )
        (home / "linphonerc").write_text(text)
        self._call = 0  # the daemon numbers its calls from 1
        self._control: socket.socket | None = None
        # Its socket is made in /tmp under this name.
        self._socket = Path("/tmp") / f"omafon-lab-{os.getpid()}-{user}"
        self.program = Program(
            [
                *(
                    "linphone-daemon",
                    "--config",
                    home / "linphonerc",
                    "--log",
                    "/dev/stdout",
                    "--pipe",
                    self._socket.name,
                ),
                *(["--auto-answer"] if answers == "auto" else []),
                "--disable-stats-events",
            ],
            package="linphone-cli",
            folder=folder,
            name=f"linphone-{user}",
            env={**env, "HOME": str(home), "PULSE_SERVER": "unix:/nonexistent"},
        )

    def __enter__(self) -> Self:
        try:
            self.program.until_says(r"Media network reachability state is now \[UP\]")
            self._control = _connected(self._socket)
            self.commands("audio-codec-disable ALL")
            for codec in self._codecs:
                self.commands(f"audio-codec-enable {CODECS[codec]}")
            if self.registered:
                self.program.until_says(r"to \[LinphoneRegistrationOk\]")
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        if self._control:
            if self.program.runs:
                # SIGTERM would leave its registration behind.
                self._control.sendall(b"quit\n")
                self.program.ends()
            self._control.close()
        self.program.close()
        self._socket.unlink(missing_ok=True)
        self.card.close()

    def calls(self, uri: str) -> None:
        """Send an INVITE; returns when it is on its way (about a quarter of a second later)."""
        self.commands(f"call {uri}")
        self._call += 1

    def is_called(self, *, within_s: float = 5.0) -> None:
        self._call_state("IncomingReceived", within_s)
        self._call += 1

    def answers(self) -> None:
        self.commands(f"answer {self._call}")
        self.is_in_a_call()

    def is_in_a_call(self, *, within_s: float = 5.0) -> None:
        self._call_state("StreamsRunning", within_s)

    def hears_ringing(self, *, within_s: float = 5.0) -> None:
        self._call_state("OutgoingRinging", within_s)

    def hangs_up(self) -> None:
        """End the call; one that rings here is declined with 603."""
        self.commands("terminate")
        self.is_left()

    declines = hangs_up

    def is_left(self, *, within_s: float = 5.0) -> None:
        self._call_state("(End|Error)", within_s)

    def holds(self) -> None:
        self.commands("call-pause")
        self._call_state("Paused", 5.0)

    def resumes(self) -> None:
        self.commands(f"call-resume {self._call}")
        self._call_state("StreamsRunning", 5.0)

    def is_held(self, *, within_s: float = 5.0) -> None:
        self._call_state("PausedByRemote", within_s)

    def sends_dtmf(self, digit: str) -> None:
        """One digit. Another before the far end has heard this one takes its place."""
        self.commands(f"dtmf {digit}")

    def commands(self, command: str) -> str:
        """One command of the daemon; returns its answer's lines after the status."""
        assert self._control, "linphone is used outside its with"
        self._control.sendall(command.encode() + b"\n")
        # Each answer is one write; only some end with an empty line.
        answer = self._control.recv(65536).decode()
        status, _, rest = answer.partition("\n")
        if status != "Status: Ok":
            raise LabError(f"linphone refuses {command}: {answer.strip()}")
        return rest.strip()

    def _call_state(self, state: str, within_s: float) -> None:
        self.program.until_says(rf"moving from state \S+ to (LinphoneCall)?{state}\b", within_s=within_s)


def _connected(path: Path) -> socket.socket:
    """The daemon says nothing when its socket is there: knock for two seconds."""
    deadline = time.monotonic() + 2
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(5)
    while True:
        try:
            client.connect(str(path))
            return client
        except (FileNotFoundError, ConnectionRefusedError):
            if time.monotonic() > deadline:
                client.close()
                raise LabError(f"linphone-daemon does not open {path}") from None
            threading.Event().wait(0.02)
