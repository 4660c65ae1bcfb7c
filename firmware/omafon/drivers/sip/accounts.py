# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Who we are to others: one account for direct calls, which holds no secret, and one for each line."""

import ipaddress
import logging
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pjsua2 as pj

from omafon.clock import WallClock, system_clock
from omafon.config import LineConfig, SipConfig
from omafon.core.causes import Cause, sip_cause
from omafon.core.events import MessagesWaiting, RegistrationChanged
from omafon.drivers.sip.callback import describe, guarded
from omafon.drivers.sip.engine import Engine
from omafon.interfaces import DriverError, Post
from omafon.pages import Page

log = logging.getLogger("omafon.sip")

Ring = Callable[[pj.Account, Any], None]
"""Takes an INVITE: the account it came to, and pjsua2's OnIncomingCallParam."""

SRTP = {
    "off": pj.PJMEDIA_SRTP_DISABLED,
    "optional": pj.PJMEDIA_SRTP_OPTIONAL,
    "mandatory": pj.PJMEDIA_SRTP_MANDATORY,
}

EXPIRES_S = 300
FIRST_RETRY_S = 1
RETRY_S = 5
# A registrar that answers no (wrong password, unknown user) will say so again; the engine never asks it twice.
# The engine has one request under way for each line; what it cannot send yet it is asked for again.
GOODBYE_RETRY_S = 0.1
REFUSED_RETRY_S = (15.0, 30.0, 60.0)
# How often a line that waits for the clock looks at it; a clock that moves by more than JUMP_S was set.
CLOCK_LOOK_S = 1.0
JUMP_S = 2.0
RETRIED_BY_ENGINE = frozenset({408, 480, 500, 502, 503, 504})

# What no request is for: with it the engine prefers any line to the direct account. Who we are is said per call.
NOBODY = "sip:direct@omafon.invalid"

FORBIDDEN = 403


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the phone is to others: its lines, and for direct calls a name to show and a number to be called back at."""

    lines: tuple[LineConfig, ...]
    name: str = ""
    number: str = ""


class Account(pj.Account):  # type: ignore[misc]
    """What every account does: calls are passed on, anything else a stranger may ask for is refused."""

    line: str | None = None
    tls = False
    family = False

    def __init__(self, ring: Ring) -> None:
        super().__init__()
        self._ring = ring

    @guarded
    def onIncomingCall(self, prm: Any) -> None:  # noqa: N802
        self._ring(self, prm)

    @guarded
    def onIncomingSubscribe(self, prm: Any) -> None:  # noqa: N802
        prm.code = FORBIDDEN

    @guarded
    def onInstantMessage(self, prm: Any) -> None:  # noqa: N802
        answer = pj.SendResponseParam()
        answer.deferredResponse = pj.DeferredResponse(prm)
        answer.code = FORBIDDEN
        answer.reason = "Forbidden"
        self.sendResponse(answer)


class LineAccount(Account):
    """One registration.

    `flow` is the address the registrar last said yes from: what comes from elsewhere did not come by this line, and
    nobody elsewhere gets to see a digest (RFC 3261 section 22).
    """

    def __init__(self, ring: Ring, post: Post, config: LineConfig, wall_clock: WallClock) -> None:
        super().__init__(ring)
        self.line = config.name
        self.config = config
        self.tls = config.transport == "tls"
        self.flow = ""
        self.registered = False
        self.leaving = False
        self.given_up = False
        self.retry_at: float | None = None
        self.tls_cause = Cause.TLS_UNTRUSTED
        self._post = post
        self._wall_clock = wall_clock
        self._waits_for_clock = False
        self._refusals = 0
        self._armed = False
        self._asking = False
        self._goodbye_at: float | None = None
        self._seen_as = ""
        self._credentials = pj.AuthCredInfoVector()
        self._credentials.append(
            pj.AuthCredInfo("digest", "*", config.auth_user or _user(config.aor), 0, config.password)
        )

    def settle(self, now: float) -> None:
        """Register when it is time to: at the start, and some time after a refusal."""
        if self.retry_at is not None and now >= self.retry_at and not self.leaving:
            if self.tls and not self._wall_clock().is_set:
                self._wait_for_clock(now)
                return
            self._waits_for_clock = False
            self.retry_at = None
            try:
                self.setRegistration(True)
                self._asking = True
            except pj.Error as error:
                self._changed(False, 0, error.reason, 0)
                self.retry_at = now + RETRY_S

    def clock_was_set(self, now: float) -> None:
        """What was refused may have been the clock's fault: a certificate that was not valid yet, say."""
        if self.tls and not self.registered and not self.leaving:
            self.retry_at = now

    def _wait_for_clock(self, now: float) -> None:
        """No certificate can be judged before the clock is set, and none is taken unjudged."""
        self.retry_at = now + CLOCK_LOOK_S
        if not self._waits_for_clock:
            self._waits_for_clock = True
            reason = "waits until the clock is set"
            self._post(RegistrationChanged(str(self.line), False, 0, reason, 0, Cause.CLOCK_NOT_SET))

    def leave(self) -> None:
        """Begin to un-REGISTER; `leaving` while the registrar has not answered."""
        self.retry_at = None
        if self.registered or self._asking:
            self.leaving = True
            self._say_goodbye(0.0)

    def give_up(self) -> None:
        """`leave`, and post nothing any more: what a line of this name is, another account tells."""
        self.given_up = True
        self.leave()

    def see_off(self, now: float) -> None:
        """Un-REGISTER once the registrar has answered what it was asked before: one request at a time."""
        if self.leaving and self._goodbye_at is not None and now >= self._goodbye_at:
            self._say_goodbye(now)

    def _say_goodbye(self, now: float) -> None:
        self._goodbye_at = None
        try:
            self.setRegistration(False)
        except pj.Error as error:
            if self._asking:
                self._goodbye_at = now + GOODBYE_RETRY_S
            else:
                log.info("line %s: cannot un-register: %s", self.line, describe(error))
                self.leaving = False

    @guarded
    def onRegState(self, prm: Any) -> None:  # noqa: N802
        self.registered = 200 <= prm.code < 300 and prm.expiration > 0
        self._asking = False
        self._seen_as = _seen_as(prm.rdata.wholeMsg)
        if self.registered:
            self.flow = prm.rdata.srcAddress
            self._refusals = 0
            if self.leaving:
                self._goodbye_at = 0.0
        elif self.leaving:
            self.leaving = False
        elif prm.code not in RETRIED_BY_ENGINE and prm.code < 600:
            self.retry_at = time.monotonic() + REFUSED_RETRY_S[min(self._refusals, len(REFUSED_RETRY_S) - 1)]
            self._refusals += 1
        # The engine's own reason would speak of a challenge it gave up on.
        reason = "Unauthorized" if prm.code in (401, 407) else prm.reason
        self._changed(self.registered, prm.code, reason, prm.expiration if self.registered else 0)

    @guarded
    def onMwiInfo(self, prm: Any) -> None:  # noqa: N802
        """RFC 3842: 'Voice-Message: new/old', believed only from the line's own registrar."""
        new = re.search(r"(?mi)^Voice-Message:\s*(\d{1,6})\s*/", prm.rdata.wholeMsg)
        if new and self.flow and prm.rdata.srcAddress == self.flow:
            self._post(MessagesWaiting(str(self.line), int(new[1])))

    def onAuthChallenge(self, prm: Any) -> None:  # noqa: N802
        """Answer the registrar's challenge; never anybody else's.

        The account itself holds no credentials, so that whatever goes wrong here, nothing is sent.
        """
        try:
            if not self._is_registrars(prm.rdata):
                log.warning("line %s: a stranger asked for the password; refused", self.line, extra=Page.STRANGER.mark)
                prm.challenge.abandon()
            elif self._armed:
                prm.challenge.respond()
            else:
                # Kept by the engine's account from now on: handing them over every time would fill its memory.
                self._armed = True
                prm.challenge.respond(self._credentials)
        except Exception as error:  # noqa: BLE001  # the edge of a thread
            log.error("line %s: challenge: %s", self.line, describe(error))
            prm.challenge.abandon()

    def _is_registrars(self, response: Any) -> bool:
        # A REGISTER goes to nobody but the registrar, and its answer is matched by a random branch.
        method = re.search(r"(?mi)^CSeq\s*:\s*\d+\s+(\w+)", response.wholeMsg)
        asked = method is not None and method[1] == "REGISTER"
        return asked or (self.flow != "" and response.srcAddress == self.flow)

    def _changed(self, registered: bool, status: int, reason: str, expires_s: int) -> None:
        cause = None if registered else sip_cause(status, reason)
        if cause is Cause.NORMAL:
            cause = Cause.NOT_REGISTERED
        elif cause is Cause.TLS_UNTRUSTED:
            cause = self.tls_cause
        elif cause is Cause.NOT_FOUND:
            cause = Cause.FORBIDDEN
        if self.given_up:
            return
        self._post(RegistrationChanged(str(self.line), registered, status, reason, expires_s, cause, self._seen_as))


class Accounts:
    """All accounts of the phone, and the rule by which of them an INVITE came."""

    def __init__(
        self,
        engine: Engine,
        post: Post,
        ring: Ring,
        sip: SipConfig,
        identity: Identity,
        wall_clock: WallClock = system_clock,
    ) -> None:
        self._engine = engine
        self._post = post
        self._ring = ring
        self._sip = sip
        self._wall_clock = wall_clock
        self._clock_offset_s: float | None = None
        self._be_called(identity)
        self.in_use: Callable[[int], bool] = lambda _: False
        self.family_account: Callable[[int, str], int | None] = lambda _, __: None
        self._direct: Account | None = None
        self._lines: dict[str, LineAccount] = {}
        self._given_up: list[LineAccount] = []

    def open(self, lines: Iterable[LineConfig], now: float) -> None:
        """Create all; the lines register at the first `settle`. Raises DriverError for a line with a bad address."""
        self._direct = Account(self._ring)
        self._direct.create(self._configuration(NOBODY, self._sip.srtp), True)
        for line in lines:
            self._add(line, now)
        self._engine.select_account = self._select
        self._engine.tls_failed = self._tls_failed

    def change(self, identity: Identity, now: float) -> list[int]:
        """Become `identity`; returns the engine's ids of the accounts that are given up, whose calls must end.

        They are kept until these have ended and the registrar has answered. Lines that stay as they are, stay.
        """
        self._be_called(identity)
        wanted = {line.name: line for line in identity.lines}
        given_up = [line for name, line in self._lines.items() if wanted.get(name) != line.config]
        for account in given_up:
            del self._lines[str(account.line)]
            account.give_up()
            self._given_up.append(account)
        for line in identity.lines:
            if line.name not in self._lines:
                try:
                    self._add(line, now)
                except DriverError as error:
                    log.error("%s", error.what)
                    self._post(RegistrationChanged(line.name, False, 0, error.what, 0, Cause.FAILED))
        return [account.getId() for account in given_up]

    def _add(self, line: LineConfig, now: float) -> None:
        account = LineAccount(self._ring, self._post, line, self._wall_clock)
        try:
            account.create(self._line_configuration(line))
        except pj.Error as error:
            cure = "Correct its aor and registrar."
            raise DriverError(f"the line {line.name} cannot be set up: {error.reason}", cure) from None
        account.retry_at = now
        self._lines[line.name] = account

    def _be_called(self, identity: Identity) -> None:
        self._name = _display_name(identity.name)
        self._user = re.sub(r"[^0-9A-Za-z+]", "", identity.number or identity.name).lower() or "omafon"

    def by_line(self, line: str | None) -> Account | None:
        """The account of `line`, or the direct one; None for a line that there is not."""
        return self._direct if line is None else self._lines.get(line)

    def own_uri(self, line: str | None, target: str) -> str:
        """From whom a call to the URI `target` comes: the AOR of `line`, or us at the address its host sees."""
        if line is not None:
            account = self._lines.get(line)
            return f"{self._name}<{account.config.aor}>" if account is not None else ""
        host = re.search(r"(?i)^sips?:(?:[^@]*@)?(\[[^\]]*\]|[^:;?>]*)", target)
        address = self._engine.own_address(host[1] if host else "")
        return f"{self._name}<sip:{self._user}@{address}:{self._engine.port}>"

    def settle(self, now: float) -> None:
        offset_s = self._wall_clock().unix - now
        jumped = self._clock_offset_s is not None and abs(offset_s - self._clock_offset_s) > JUMP_S
        self._clock_offset_s = offset_s
        for line in self._lines.values():
            if jumped:
                line.clock_was_set(now)
            # Both have the same binding there: the goodbye of the old one must not undo the new one's.
            if not any(old.leaving and old.config.aor == line.config.aor for old in self._given_up):
                line.settle(now)
        self.see_off(now)

    def see_off(self, now: float) -> None:
        """Delete what was given up, once nobody needs it."""
        for line in (*self._lines.values(), *self._given_up):
            line.see_off(now)
        for line in tuple(self._given_up):
            if not line.leaving and not self.in_use(line.getId()):
                self._given_up.remove(line)
                line.shutdown()

    def leave(self) -> None:
        for line in self._lines.values():
            line.leave()

    @property
    def leaving(self) -> bool:
        return any(line.leaving for line in (*self._lines.values(), *self._given_up))

    def close(self) -> None:
        """Delete all. Their calls must be over."""
        for account in (*self._lines.values(), *self._given_up, self._direct):
            if account is not None:
                account.shutdown()
        self._lines.clear()
        self._given_up.clear()
        self._direct = None

    def _select(self, account: int, source: str) -> int:
        """The account for a request from `source`, where the engine would take `account`.

        The engine prefers a line whose transport and user match. The line it is only when its registrar sent it.
        """
        assert self._direct is not None
        family = self.family_account(account, source)
        if family is not None:
            return family
        for line in self._lines.values():
            if line.getId() == account and line.flow and line.flow == source:
                return account
        direct: int = self._direct.getId()
        return direct

    def _tls_failed(self, certificate: Any) -> None:
        """Tell a certificate that is not valid yet from a bad one: a phone that was off has the wrong time."""
        not_yet = certificate.validityStart.sec > self._wall_clock().unix
        for line in self._lines.values():
            line.tls_cause = Cause.CLOCK_NOT_SET if not_yet else Cause.TLS_UNTRUSTED

    def _line_configuration(self, line: LineConfig) -> Any:
        registrar = line.registrar or f"sip:{line.aor.partition('@')[2] or line.aor.partition(':')[2]}"
        if "transport=" not in registrar:
            registrar += f";transport={line.transport}"
        config = self._configuration(f"{self._name}<{line.aor}>", line.srtp)
        config.regConfig.registrarUri = registrar
        config.regConfig.registerOnAdd = False
        config.regConfig.timeoutSec = EXPIRES_S
        config.regConfig.retryIntervalSec = RETRY_S
        config.regConfig.firstRetryIntervalSec = FIRST_RETRY_S
        config.regConfig.randomRetryIntervalSec = 1
        config.regConfig.proxyUse = 0
        # Every call through the line goes to its registrar, whatever the called URI says.
        config.sipConfig.proxies.append(f"<{registrar};lr;hide>")
        # Bound, so that the engine's choice of account proves the transport that a request came by.
        version = 6 if _is_ipv6(registrar) or _is_ipv6(self._sip.address) else 4
        config.sipConfig.transportId = self._engine.transports[line.transport, version]
        return config

    def family_configuration(self, uri: str, version: int) -> Any:
        """An account for members of the family, by that version of IP."""
        config = self._configuration(uri, "mandatory")
        if version == 6:
            config.mediaConfig.ipv6Use = pj.PJSUA_IPV6_ENABLED_USE_IPV6_ONLY
        # Where we listen, not where this connection happens to come from: members call back there.
        config.natConfig.contactUseSrcPort = 0
        config.natConfig.contactRewriteUse = 0
        if self._sip.stun:
            config.natConfig.iceEnabled = True
            config.natConfig.mediaStunUse = pj.PJSUA_STUN_RETRY_ON_FAILURE
        return config

    def _configuration(self, uri: str, srtp: str) -> Any:
        config = pj.AccountConfig()
        config.idUri = uri
        config.sipConfig.autoRespondSipMessage = False
        config.natConfig.sipStunUse = config.natConfig.mediaStunUse = pj.PJSUA_STUN_USE_DISABLED
        media = config.mediaConfig
        # The engine would re-INVITE to agree on one codec after an answer with several; both ends can switch.
        media.lockCodecEnabled = False
        media.srtpUse = SRTP[srtp]
        media.srtpSecureSignaling = 0
        media.srtpOpt.keyings.append(pj.PJMEDIA_SRTP_KEYING_SDES)
        media.transportConfig.port = 0
        media.transportConfig.boundAddress = self._sip.address
        if _is_ipv6(self._sip.address):
            media.ipv6Use = pj.PJSUA_IPV6_ENABLED_USE_IPV6_ONLY
        return config


def _seen_as(response: str) -> str:
    """The address that a response says its request came from (RFC 3261 section 18.2.1, RFC 3581 section 4).

    >>> _seen_as("SIP/2.0 200 OK\\r\\nVia: SIP/2.0/UDP 10.0.0.7:5060;rport=1024;received=192.0.2.9;branch=z9\\r\\n")
    '192.0.2.9'
    """
    via = re.search(r"(?mi)^(?:Via|v)\s*:\s*SIP/2\.0/\w+\s+(\[[^\]\s]*\]|[^\s:;,]+)([^,\r\n]*)", response)
    if via is None:
        return ""
    received = re.search(r"(?i);\s*received\s*=\s*([^;\s]+)", via[2])
    return (received or via)[1].strip("[]")


def _user(aor: str) -> str:
    return aor.partition(":")[2].partition("@")[0]


def _display_name(name: str) -> str:
    quoted = re.sub(r'[\x00-\x1f\x7f"\\]', "", name)
    return f'"{quoted}" ' if quoted else ""


def _is_ipv6(text: str) -> bool:
    """Whether an address, or the host of a URI, is an IPv6 literal."""
    host = re.search(r"\[([0-9A-Fa-f:.]+)\]", text)
    try:
        return ipaddress.ip_address(host[1] if host else text).version == 6
    except ValueError:
        return False
