# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""baresip as the far end of a call, driven through its ctrl_tcp module (JSON in netstrings)."""

import json
import re
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from omafon.sim.soundcard import SoundCard, write_asound_conf
from tests.lab.certificates import Certificate
from tests.lab.heard import Heard, LabError
from tests.lab.program import Program, needs

PACKAGES = "baresip baresip-core"
CONTROL_PORT = 4444
CODECS = {"opus": "opus/48000/1", "g722": "G722/16000/1", "pcma": "PCMA/8000/1", "pcmu": "PCMU/8000/1"}
Event = dict[str, Any]

CONFIG = """\
poll_method epoll
sip_listen {address}:5060
{certificate}sip_cafile {ca}
call_local_timeout 120
call_max_calls {max_calls}
audio_path {home}
audio_player alsa,{pcm}
audio_source alsa,{pcm}
audio_alert alsa,{pcm}
ausrc_srate 48000
auplay_srate 48000
ausrc_channels 1
auplay_channels 1
audio_level no
rtp_ports 10000-20000
jitter_buffer_type fixed
jitter_buffer_delay 2-10
net_interface {address}
module_path /usr/lib/baresip/modules
module ctrl_tcp.so
module opus.so
module g722.so
module g711.so
module alsa.so
module srtp.so
module uuid.so
module_app account.so
module_app menu.so
ctrl_tcp_listen {address}:{port}
opus_bitrate 28000
opus_stereo no
opus_sprop_stereo no
statmode_default off
"""


class Baresip:
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
        certificate: Certificate | None = None,
        answers: Literal["auto", "manual"] = "manual",
        codecs: Sequence[str] = ("opus", "pcma", "pcmu"),
        srtp: Literal["off", "optional", "mandatory"] = "off",
        max_calls: int = 4,
    ) -> None:
        needs("baresip", PACKAGES)
        self.address = address
        self.user = user
        self.uri = f"sip:{user}@{address}"
        self.registered = registrar is not None
        self.events: Heard[Event] = Heard()
        self._responses: Heard[Event] = Heard()
        home = folder / f"baresip-{user}"
        home.mkdir(parents=True)
        self.card = SoundCard(user)
        own = ""
        if certificate:
            pem = home / "own.pem"
            own = f"sip_certificate {pem}\n"
            pem.write_text(certificate.certificate.read_text() + certificate.key.read_text())
        (home / "config").write_text(
            CONFIG.format(
                # No sounds are there: its own ringing would hold the card when the voice needs it.
                home=home,
                address=address,
                certificate=own,
                ca=ca or "/etc/ssl/certs/ca-certificates.crt",
                max_calls=max_calls,
                pcm=self.card.pcm_name,
                port=CONTROL_PORT,
            )
        )
        account = [
            f"<sip:{user}@{registrar or address};transport={transport}>",
            *([f"auth_user={user}", f"auth_pass={password}", "regint=60"] if registrar else ["regint=0"]),
            f"answermode={answers}",
            f"audio_codecs={','.join(CODECS[codec] for codec in codecs)}",
            *({"off": [], "optional": ["mediaenc=srtp"], "mandatory": ["mediaenc=srtp-mand"]}[srtp]),
        ]
        (home / "accounts").write_text(";".join(account) + "\n")
        (home / "contacts").write_text("")
        env = write_asound_conf(home / "asound.conf", [self.card])
        self._control: socket.socket | None = None
        self.program = Program(
            ["baresip", "-f", home], package=PACKAGES, folder=folder, name=f"baresip-{user}", env=env
        )

    def __enter__(self) -> Self:
        try:
            self._connect()
            if self.registered:
                self.program.until_says("200 OK .*\\[[0-9]+ bindings?\\]")
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        if self._control:
            self._control.shutdown(socket.SHUT_RDWR)
            self._reader.join()
            self._control.close()
            self._control = None
        self.program.close()
        self.card.close()

    # Verbs. Each returns once it has happened.

    def calls(self, uri: str) -> None:
        """Send an INVITE. Returns at once: what comes of it is for `hears_ringing` and the others to say."""
        self.commands("dial", uri)

    def is_called(self, *, within_s: float = 5.0) -> str:
        """The caller's URI, once a call rings here."""
        event = self.event("CALL_INCOMING", within_s=within_s)
        return str(event["peeruri"])

    def answers(self) -> None:
        self.commands("accept")
        self.is_in_a_call()

    def is_in_a_call(self, *, within_s: float = 5.0) -> None:
        self.event("CALL_ESTABLISHED", within_s=within_s)

    def hears_ringing(self, *, within_s: float = 5.0) -> None:
        self.event("CALL_RINGING", within_s=within_s)

    def hangs_up(self) -> None:
        self.commands("hangup")
        self.event("CALL_CLOSED")

    def is_busy(self) -> None:
        """Refuse the call that rings here with 486."""
        self.commands("hangup")
        self.event("CALL_CLOSED")

    def is_left(self, *, within_s: float = 5.0) -> str:
        """What baresip says of the end, once the other side has ended the call, as '486 Busy Here' for one it made."""
        return str(self.event("CALL_CLOSED", within_s=within_s).get("param", ""))

    def sends_dtmf(self, digits: str) -> None:
        for digit in digits:
            self.commands("sndcode", digit)

    def hears_dtmf(self, *, within_s: float = 5.0) -> str:
        """The next digit pressed at the other end, once its tone is over."""
        digit = str(self.event("CALL_DTMF_START", within_s=within_s)["param"])
        self.event("CALL_DTMF_END", within_s=within_s)
        return digit

    def holds(self) -> None:
        """Returns once the far end has agreed."""
        self._offers("hold")

    def resumes(self) -> None:
        """Returns once the far end has agreed."""
        self._offers("resume")

    def transfers(self, uri: str) -> None:
        self.commands("transfer", uri)

    def renegotiates(self, *, within_s: float = 5.0) -> None:
        """Returns once the other end has sent a new offer, as it does to hold and to resume."""
        self.events.until(_is_sdp("offer"), f"{self.user} gets a new offer", within_s=within_s)

    def media(self) -> tuple[str, bool]:
        """The codec of the current call as 'opus/48000', and whether its voice is encrypted."""
        status = self.commands("callstat")
        codec = re.search(r"audio\s+(RTP\S+).*?remote formats:\s*\d+ (\w+)/(\d+)", status, re.DOTALL)
        if not codec:
            raise LabError(f"{self.user} has no call with voice:\n{status}")
        return f"{codec[2].lower()}/{codec[3]}", "SAVP" in codec[1]

    # The wire.

    def _offers(self, command: str) -> None:
        # A request sent before the answer is there would cross it (RFC 3261 section 14.1).
        self.events.forget(_is_sdp("answer"))
        self.commands(command)
        self.events.until(_is_sdp("answer"), f"{self.user} gets an answer to {command}")

    def event(self, kind: str, *, within_s: float = 5.0) -> Event:
        return self.events.until(lambda event: event["type"] == kind, f"{self.user}: {kind}", within_s=within_s)

    def commands(self, command: str, parameters: str = "") -> str:
        """Run one of baresip's commands; returns what it prints."""
        assert self._control, "baresip is used outside its with"
        message = json.dumps({"command": command, "params": parameters, "token": command}).encode()
        self._control.sendall(b"%d:%s," % (len(message), message))
        answer = self._responses.until(lambda response: response["token"] == command, f"baresip does {command}")
        if not answer["ok"]:
            raise LabError(f"baresip refuses {command} {parameters}: {answer['data']}")
        return str(answer["data"])

    def _connect(self) -> None:
        self.program.until_says("baresip is ready")
        self._control = socket.create_connection((self.address, CONTROL_PORT), 5)
        self._control.settimeout(None)
        self._reader = threading.Thread(target=self._read, args=(self._control,), daemon=True)
        self._reader.start()

    def _read(self, control: socket.socket) -> None:
        # What baresip has still to say when we hang up resets the connection.
        with control.makefile("rb") as stream, suppress(ConnectionResetError):
            while length := _length(stream.read):
                message = json.loads(stream.read(length))
                stream.read(1)  # the comma
                (self.events if message.get("event") else self._responses).add(message)
        for heard in (self.events, self._responses):
            heard.end(f"baresip has closed its control connection:\n{self.program.tail()}")


def _is_sdp(kind: str) -> Callable[[Event], bool]:
    return lambda event: event["type"] == "CALL_REMOTE_SDP" and event["param"] == kind


def _length(read: Any) -> int:
    """The number before the colon of a netstring; 0 at the end of the stream."""
    digits = b""
    while (byte := read(1)) not in (b":", b""):
        digits += byte
    return int(digits or b"0")
