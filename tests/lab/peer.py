# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A SIP end that says exactly what a test lets it say: strangers, liars, and registrars with strange habits."""

import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from tests.lab.capture import SipMessage, parse_message
from tests.lab.heard import LabError

SDP = (
    "v=0\r\no=- 1 {version} IN {kind} {address}\r\ns=-\r\nc=IN {kind} {address}\r\nt=0 0\r\n"
    "m=audio 40000 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n{more}"
)
DIGEST = 'Digest realm="{realm}", nonce="4711", algorithm=MD5, qop="auth"'


class Peer:
    """Speaks SIP over UDP from `address`; each message is heard once, retransmissions never."""

    def __init__(self, address: str, port: int = 5060) -> None:
        self.address = address
        self.last_answer: SipMessage | None = None
        self._socket = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, port))
        host = f"[{address}]" if ":" in address else address
        self._local = f"{host}:{self._socket.getsockname()[1]}"
        self.uri = f"sip:peer@{host if port == 5060 else self._local}"
        self._invited: tuple[str, str, str, tuple[str, int]] | None = None
        self._kept: list[SipMessage] = []
        self._seen: set[tuple[str, str]] = set()
        self._count = itertools.count(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._socket.close()

    def sdp(self, more: str = "", *, version: int = 1) -> str:
        """A session description that offers PCMU; `more` lines at its end, as 'a=sendonly'."""
        kind = "IP6" if ":" in self.address else "IP4"
        return SDP.format(address=self.address, kind=kind, version=version, more=more and f"{more}\r\n")

    def asks(
        self, method: str, uri: str, at: tuple[str, int], *, headers: str = "", body: str = "", kind: str = ""
    ) -> None:
        """Send a request outside of dialogs. `headers` are whole lines, `kind` the body's type if it is not SDP."""
        via, call_id = self._via(), f"{next(self._count)}-{self._local}"
        if method == "INVITE":
            self._invited = uri, via, call_id, at
        self._sends(
            *self._request(method, uri, via, f"<{self.uri}>;tag=peer", f"<{uri}>", call_id, 1, headers),
            f"Content-Type: {kind or 'application/sdp'}" if body else "",
            body=body,
            at=at,
        )

    def cancels(self, *, headers: str = "") -> None:
        """Take back the last INVITE."""
        assert self._invited
        uri, via, call_id, at = self._invited
        self._sends(
            *self._request("CANCEL", uri, via, f"<{self.uri}>;tag=peer", f"<{uri}>", call_id, 1, headers), at=at
        )

    def confirms(self, answer: SipMessage) -> None:
        """Send the ACK for the 2xx `answer` to our INVITE (RFC 3261 section 13.2.2.4)."""
        self.last_answer = answer
        self.asks_within(answer, "ACK", cseq=1)

    def asks_within(self, answer: SipMessage, method: str, *, headers: str = "", body: str = "", cseq: int = 2) -> None:
        """Send a request in the dialog that `answer` to our INVITE has made."""
        uri = answer.header("contact").partition("<")[2].partition(">")[0]
        self._sends(
            *self._request(
                method,
                uri,
                self._via(),
                *(answer.header(name) for name in ("From", "To", "Call-ID")),
                cseq,
                headers,
            ),
            "Content-Type: application/sdp" if body else "",
            body=body,
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

    @contextmanager
    def answering(self, *methods: str) -> Iterator[None]:
        """Answer requests of these methods with 200 OK, on a thread of its own, until the end of the `with`."""
        done = threading.Event()

        def answer() -> None:
            while not done.is_set():
                request = self._until(lambda m: m.method in methods, time.monotonic() + 0.1)
                if request and request.method == "REGISTER":
                    self.accepts(request)
                elif request:
                    self.answers(request, "200 OK")

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

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
        for index, message in enumerate(self._kept):
            if wanted(message):
                return self._kept.pop(index)
        while (left := deadline - time.monotonic()) > 0:
            self._socket.settimeout(left)
            try:
                data, (host, port, *_) = self._socket.recvfrom(65535)
            except TimeoutError:
                return None
            source = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            message = parse_message(data, time.time(), source, self._local, "udp")
            if message is None:
                continue
            key = (message.header("via"), f"{message.method}{message.status}")
            if key not in self._seen:
                self._seen.add(key)
                if wanted(message):
                    return message
                self._kept.append(message)
        return None

    def _via(self) -> str:
        return f"SIP/2.0/UDP {self._local};rport;branch=z9hG4bK{next(self._count)}-{self.address}"

    def _request(
        self, method: str, uri: str, via: str, sender: str, receiver: str, call_id: str, cseq: int, headers: str
    ) -> tuple[str, ...]:
        return (
            f"{method} {uri} SIP/2.0",
            f"Via: {via}",
            "Max-Forwards: 70",
            f"From: {sender}",
            f"To: {receiver}",
            f"Call-ID: {call_id}",
            f"CSeq: {cseq} {method}",
            f"Contact: <{self.uri}>",
            headers.strip("\r\n"),
        )

    def _sends(self, *lines: str, at: tuple[str, int], body: str = "") -> None:
        head = "\r\n".join(line for line in lines if line)
        self._socket.sendto(f"{head}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode(), at)


def _pair(source: str) -> tuple[str, int]:
    host, _, port = source.rpartition(":")
    return host.strip("[]"), int(port)
