# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A SIP end that says exactly what a test lets it say: strangers, liars, and registrars with strange habits."""

import itertools
import socket
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from tests.lab.capture import SipMessage, parse_message
from tests.lab.heard import LabError

SDP = (
    "v=0\r\no=- 1 1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n"
    "m=audio 40000 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n{more}"
)
DIGEST = 'Digest realm="{realm}", nonce="4711", algorithm=MD5, qop="auth"'


class Peer:
    """Speaks SIP over UDP from `address`, port 5060; retransmissions of what it has heard are not heard again."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.uri = f"sip:peer@{address}"
        self.last_answer: SipMessage | None = None
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, 5060))
        self._seen: set[tuple[str, str]] = set()
        self._count = itertools.count(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._socket.close()

    def sdp(self, more: str = "") -> str:
        """A session description that offers PCMU; `more` lines at its end, as 'a=sendonly'."""
        return SDP.format(address=self.address, more=more and f"{more}\r\n")

    def asks(
        self, method: str, uri: str, at: tuple[str, int], *, headers: str = "", body: str = "", kind: str = ""
    ) -> str:
        """Send a request outside of dialogs; returns its Call-ID. `headers` are whole lines."""
        number = next(self._count)
        call_id = f"{number}-{self.address}"
        kind = kind or "application/sdp"
        self._sends(
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.address}:5060;rport;branch=z9hG4bK{number}-{self.address}",
            "Max-Forwards: 70",
            f"From: <{self.uri}>;tag=peer",
            f"To: <{uri}>",
            f"Call-ID: {call_id}",
            f"CSeq: 1 {method}",
            f"Contact: <{self.uri}>",
            headers.strip("\r\n"),
            f"Content-Type: {kind}" if body else "",
            body=body,
            at=at,
        )
        return call_id

    def confirms(self, answer: SipMessage) -> None:
        """Send the ACK for the 2xx `answer` to our INVITE (RFC 3261 section 13.2.2.4)."""
        self.last_answer = answer
        self.asks_within(answer, "ACK", cseq=1)

    def asks_within(self, answer: SipMessage, method: str, *, headers: str = "", cseq: int = 2) -> None:
        """Send a request in the dialog that `answer` to our INVITE has made."""
        number = next(self._count)
        self._sends(
            f"{method} {answer.header('contact').partition('<')[2].partition('>')[0]} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.address}:5060;rport;branch=z9hG4bK{number}-{self.address}",
            "Max-Forwards: 70",
            *(f"{name}: {answer.header(name)}" for name in ("From", "To", "Call-ID")),
            f"CSeq: {cseq} {method}",
            f"Contact: <{self.uri}>",
            headers.strip("\r\n"),
            at=_pair(answer.source),
        )

    def answers(self, request: SipMessage, status: str, *, headers: str = "", body: str = "") -> None:
        """Answer `request` with '200 OK' or the like."""
        tagged = request.header("to") if ";tag=" in request.header("to") else f"{request.header('to')};tag=peer"
        self._sends(
            f"SIP/2.0 {status}",
            *(f"Via: {via}" for via in request.headers["via"]),
            f"From: {request.header('from')}",
            f"To: {tagged}",
            f"Call-ID: {request.header('call-id')}",
            f"CSeq: {request.header('cseq')}",
            f"Contact: <{self.uri}>" if "contact:" not in headers.lower() else "",
            headers.strip("\r\n"),
            "Content-Type: application/sdp" if body else "",
            body=body,
            at=_pair(request.source),
        )

    def challenges(
        self, request: SipMessage, *, realm: str = "lab", status: str = "407 Proxy Authentication Required"
    ) -> None:
        """Ask for the password: a digest challenge as answer to `request`."""
        name = "WWW-Authenticate" if status.startswith("401") else "Proxy-Authenticate"
        self.answers(request, status, headers=f"{name}: {DIGEST.format(realm=realm)}")

    def registers(self, *, within_s: float = 5.0) -> SipMessage:
        """Be a registrar: challenge the REGISTER and accept what comes back; returns that, with its digest."""
        request = self.hears("REGISTER", within_s=within_s)
        self.challenges(request, status="401 Unauthorized")
        proven = self.hears("REGISTER", within_s=within_s)
        self.accepts(proven)
        return proven

    def accepts(self, register: SipMessage) -> None:
        contact = register.header("contact")
        expires = "0" if register.header("expires") == "0" else "300"
        self.answers(register, "200 OK", headers=f"Contact: {contact};expires={expires}\r\nExpires: {expires}")

    def hears(self, wanted: str | int, *, cseq: str = "", within_s: float = 5.0) -> SipMessage:
        """The next request of method `wanted`, or response of status `wanted` (to a request of method `cseq`)."""
        found = self._until(
            lambda m: m.method == wanted or (m.status == wanted and cseq in ("", m.cseq)), time.monotonic() + within_s
        )
        if found is None:
            raise LabError(f"{self.address} did not hear {wanted} {cseq} within {within_s:g} s")
        return found

    def never_hears(self, wanted: str, *, for_s: float) -> None:
        """Listen for `for_s`, and fail when a request of method `wanted` comes."""
        if heard := self._until(lambda m: m.method == wanted, time.monotonic() + for_s):
            raise LabError(f"{self.address} heard {heard} {heard.headers}")

    def _until(self, wanted: Callable[[SipMessage], bool], deadline: float) -> SipMessage | None:
        while (left := deadline - time.monotonic()) > 0:
            self._socket.settimeout(left)
            try:
                data, (host, port) = self._socket.recvfrom(65535)
            except TimeoutError:
                return None
            source = f"{host}:{port}"
            message = parse_message(data, time.time(), source, f"{self.address}:5060", "udp")
            if message is None:
                continue
            key = (message.header("via"), f"{message.method}{message.status}")
            if key not in self._seen:
                self._seen.add(key)
                if wanted(message):
                    return message
        return None

    def _sends(self, *lines: str, at: tuple[str, int], body: str = "") -> None:
        head = "\r\n".join(line for line in lines if line)
        self._socket.sendto(f"{head}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode(), at)


def _pair(source: str) -> tuple[str, int]:
    host, _, port = source.rpartition(":")
    return host, int(port)
