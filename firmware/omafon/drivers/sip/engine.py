# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The one pjsua2 endpoint of the process: how it is set up, where it listens, what it may log."""

import ctypes
import errno
import ipaddress
import logging
import re
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import _pjsua2
import pjsua2 as pj

from omafon.config import AudioConfig, SipConfig
from omafon.drivers.sip.callback import describe, guarded
from omafon.interfaces import DriverError

log = logging.getLogger("omafon.sip")

_C = ctypes.CDLL(_pjsua2.__file__)
_C.pjsip_tsx_get_dlg.restype = ctypes.c_void_p

# What the engine calls the codecs, and their place among all it has compiled in.
CODECS = {"opus": "opus/48000", "g722": "G722/16000", "pcma": "PCMA/8000", "pcmu": "PCMU/8000"}
FIRST_PRIORITY = 250

MAX_CALLS = 16
RATE_HZ = 16_000

# 10 ms through bridge and card, 20 ms in RTP: 40 ms less from mouth to ear than with 20 ms everywhere, for a quarter
# more of the processor's time. Three periods of card buffer outlive a busy moment of a small computer.
FRAME_MS = 10
PTIME_MS = 20
CARD_BUFFER_MS = 3 * FRAME_MS

# The engine's shorter resampling filters: 15 ms less delay each way with G.711, and no difference on a telephone.
RESAMPLING_QUALITY = 4

# Milliseconds of a room's echo, and what is done about it: WebRTC's canceller, which knows a room within a second.
# Where people stand about a loudspeaker, their room is made quiet too, and those far away are made louder.
ECHO = {
    "off": (0, 0),
    "handset": (64, pj.PJMEDIA_ECHO_WEBRTC_AEC3),
    "speaker": (
        200,
        pj.PJMEDIA_ECHO_WEBRTC_AEC3 | pj.PJMEDIA_ECHO_USE_NOISE_SUPPRESSOR | pj.PJMEDIA_ECHO_USE_GAIN_CONTROLLER,
    ),
}

# pjsip prints DTMF digits and whole messages at level 4 and above. Errors and warnings reach us.
LOG_LEVEL = 3
WRITTEN_LEVEL = 2

SYSTEM_CA = Path("/etc/ssl/certs/ca-certificates.crt")
# PJ_ERRNO_START_SYS (pj/errno.h) is where the engine keeps the operating system's errors.
EADDRINUSE = 120_000 + errno.EADDRINUSE
PORTS_TRIED = 10


_THIS_TRANSPORT = 1  # PJSIP_TPSELECTOR_TRANSPORT


_BAD_PACKET = re.compile(r"Error processing packet from |Dropping \d+ bytes packet from ")


class _Selector(ctypes.Structure):
    """pjsip_tpselector (pjsip/sip_transport.h)."""

    _fields_ = (("kind", ctypes.c_int), ("no_reuse", ctypes.c_int), ("chosen", ctypes.c_void_p))


class EngineLog(pj.LogWriter):  # type: ignore[misc]
    """The engine's own words, for developers only: they name numbers and addresses.

    And the only place where it tells of `bad_packets`: how many were no SIP, or wrong SIP.
    """

    bad_packets = 0

    @guarded
    def write(self, entry: Any) -> None:
        if _BAD_PACKET.search(entry.msg):
            # Not written down: the packet is quoted whole.
            self.bad_packets += 1
            return
        if "digit" not in entry.msg.lower() and "dtmf" not in entry.msg.lower():
            log.debug("%s", entry.msg.strip())


class Engine(pj.Endpoint):  # type: ignore[misc]
    """The endpoint. Created, used and destroyed on one thread; there can be only one in a process.

    `port` is where it listens, by UDP and TCP. `transports` are the engine's ids by kind ('udp', 'tcp', 'tls') and
    IP version.
    """

    def __init__(self, sip: SipConfig, audio: AudioConfig) -> None:
        super().__init__()
        self.port = sip.port
        self.transports: dict[tuple[str, int], int] = {}
        self.select_account: Callable[[int, str], int] = lambda account, _: account
        self.card_failed: Callable[[], None] = lambda: None
        self.tls_failed: Callable[[Any], None] = lambda _: None
        self.connected: Callable[[Any, Any], bool] = lambda _, __: True
        self.disconnected: Callable[[Any], None] = lambda _: None
        self._sip = sip
        self._audio = audio
        self._log = EngineLog()

    def start(self) -> None:
        """Make it ready for calls. Raises DriverError, and pj.Error when it is broken."""
        self.libCreate()
        self.libInit(self._configuration())
        self._open_transports()
        self._order_codecs()
        self.audDevManager().setNoDev()
        self.libStart()

    @property
    def bad_packets(self) -> int:
        return self._log.bad_packets

    def cancel_echo(self, wanted: bool) -> None:
        """Whether the far end is kept from hearing itself, as the owner wants it for calls."""
        tail_ms, options = ECHO[self._audio.echo]
        if tail_ms:
            self.audDevManager().setEcOptions(tail_ms if wanted else 0, options if wanted else 0)

    def own_address(self, target: str) -> str:
        """Our address as `target`, a host of a URI, sees it; IPv6 in brackets."""
        if self._sip.address:
            return bracketed(self._sip.address)
        try:
            numeric = ipaddress.ip_address(target.strip("[]"))
        except ValueError:
            # A name: looking it up here would keep the engine waiting. The main address will do for a From.
            address: str = self.transportGetInfo(self.transports["udp", 4]).localName
            return address.rpartition(":")[0]
        family = socket.AF_INET6 if numeric.version == 6 else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as towards:
            try:
                towards.connect((str(numeric), self.port))
            except OSError:
                return socket.gethostname()
            return bracketed(towards.getsockname()[0])

    def shut(self, connection: int) -> None:
        """Close a connection once nobody needs it, and let nobody begin to; `connection` is a transport's handle.

        By the C function itself: the binding gives handles away as numbers, and takes none back.
        """
        if _C.pjsip_transport_shutdown(ctypes.c_void_p(connection)):
            log.error("a connection cannot be closed")

    def keep(self, connection: int) -> None:
        """Let a connection live on while nothing is sent by it; until `release`."""
        _C.pjsip_transport_add_ref(ctypes.c_void_p(connection))

    def release(self, connection: int) -> None:
        _C.pjsip_transport_dec_ref(ctypes.c_void_p(connection))

    def dialog(self, transaction: Any) -> int:
        """The dialog that a transaction of a call belongs to, good until the call has ended; 0 for none."""
        return _C.pjsip_tsx_get_dlg(ctypes.c_void_p(int(transaction.pjTransaction))) or 0

    def send_by(self, dialog: int, account: int, connection: int | None) -> None:
        """Send all there is to be sent in `dialog` by this connection, whatever address the far end says it has.

        None: by one to that address again, as `account` makes it.
        """
        by = _Selector(_THIS_TRANSPORT, 0, connection)
        if connection is None:
            _C.pjsua_init_tpselector(account, ctypes.byref(by))
        _C.pjsip_dlg_set_transport(ctypes.c_void_p(dialog), ctypes.byref(by))

    def destroy(self) -> None:
        """End it, sending nothing any more."""
        self.libDestroy(pj.PJSUA_DESTROY_NO_NETWORK)

    def _configuration(self) -> Any:
        config = pj.EpConfig()
        agent, media, logs = config.uaConfig, config.medConfig, config.logConfig
        agent.maxCalls = MAX_CALLS
        agent.threadCnt = 0
        agent.mainThreadOnly = True
        agent.userAgent = "Omafon"  # without a version: strangers may ask too
        agent.mwiUnsolicitedEnabled = True
        agent.natTypeInSdp = 0
        if self._sip.stun:
            agent.stunServer.append(self._sip.stun)
            agent.stunIgnoreFailure = True
        media.clockRate = RATE_HZ
        media.audioFramePtime = FRAME_MS
        media.ptime = PTIME_MS
        media.quality = RESAMPLING_QUALITY
        media.threadCnt = 1
        media.noVad = True
        media.ecTailLen, media.ecOptions = ECHO[self._audio.echo]
        media.sndAutoCloseTime = -1  # Voice opens and closes the card
        media.sndUseSwClock = False  # the card's own clock: the other one costs two more buffers
        media.sndRecLatency = CARD_BUFFER_MS
        media.sndPlayLatency = CARD_BUFFER_MS
        logs.level = LOG_LEVEL
        logs.consoleLevel = WRITTEN_LEVEL  # of the writer too: above it the engine asks nobody
        logs.msgLogging = 0
        logs.writer = self._log
        self._log.__disown__()  # the engine deletes it
        return config

    def _open_transports(self) -> None:
        for _ in range(PORTS_TRIED):
            try:
                return self._listen()
            except pj.Error as error:
                if error.status != EADDRINUSE:
                    raise DriverError(
                        f"cannot listen for calls on {self._sip.address or 'any address'} port {self._sip.port}: "
                        f"{error.reason}",
                        "Correct [sip] address and port.",
                    ) from None
                for transport in self.transports.values():
                    self.transportClose(transport)
                self.transports.clear()
                if self._sip.port:
                    break
        raise DriverError(
            f"port {self._sip.port} is taken by another program",
            "Stop the other program, or set another [sip] port.",
        )

    def _listen(self) -> None:
        address = self._sip.address
        versions = [ipaddress.ip_address(address).version] if address else [4, 6]
        self.port = self._sip.port
        for version in versions:
            suffix = "6" if version == 6 else ""
            for kind in ("udp", "tcp", "tls"):
                config = pj.TransportConfig()
                config.boundAddress = address
                config.port = 0 if kind == "tls" else self.port
                if kind == "tls":
                    self._trust(config.tlsConfig)
                try:
                    transport = self.transportCreate(getattr(pj, f"PJSIP_TRANSPORT_{kind.upper()}{suffix}"), config)
                except pj.Error as error:
                    if version == 6 and not address and error.status != EADDRINUSE:
                        log.info("no IPv6 here: %s", describe(error))
                        return
                    raise
                self.transports[kind, version] = transport
                if not self.port:
                    self.port = int(self.transportGetInfo(transport).localAddress.rpartition(":")[2])

    def _trust(self, tls: Any) -> None:
        """Verify servers against the system's certificates and the owner's own; never less than TLS 1.2."""
        tls.verifyServer = True
        tls.proto = pj.PJ_SSL_SOCK_PROTO_TLS1_2 | pj.PJ_SSL_SOCK_PROTO_TLS1_3
        tls.msecTimeout = 8000
        if not self._sip.ca:
            tls.CaListFile = str(SYSTEM_CA) if SYSTEM_CA.exists() else ""
            return
        system = SYSTEM_CA.read_text(encoding="ascii") if SYSTEM_CA.exists() else ""
        tls.CaBuf = _certificates(self._sip.ca) + system

    def _order_codecs(self) -> None:
        for codec in self.codecEnum2():
            self.codecSetPriority(codec.codecId, 0)
        opus = self.getCodecOpusConfig()
        opus.sample_rate = RATE_HZ  # the bridge's: anything more would only be resampled twice
        self.setCodecOpusConfig(opus)
        for place, name in enumerate(self._audio.codecs):
            self.codecSetPriority(CODECS[name], FIRST_PRIORITY - place)

    # The engine's questions and news.

    @guarded
    def onSelectAccount(self, prm: Any) -> None:  # noqa: N802
        prm.accountIndex = self.select_account(prm.accountIndex, prm.rdata.srcAddress)

    @guarded
    def onMediaEvent(self, prm: Any) -> None:  # noqa: N802
        if prm.ev.type == pj.PJMEDIA_EVENT_AUD_DEV_ERROR:
            self.card_failed()

    @guarded
    def onTransportState(self, prm: Any) -> None:  # noqa: N802
        if not prm.type.startswith("TLS"):
            return
        if prm.lastError and not prm.tlsInfo.isEmpty() and prm.tlsInfo.verifyStatus:
            self.tls_failed(prm.tlsInfo.remoteCertInfo)
        if prm.state != pj.PJSIP_TP_STATE_CONNECTED:
            self.disconnected(prm.hnd)
        elif not self._may_be_used(prm):
            # Before the first byte: what waits to be sent stays here, and what comes is not read.
            self.shut(prm.hnd)

    def _may_be_used(self, prm: Any) -> bool:
        try:
            return self.connected(prm.hnd, prm.tlsInfo)
        except Exception as error:  # noqa: BLE001  # the edge of a thread; whatever is wrong, nobody gets in by it
            log.error("a connection could not be examined: %s", describe(error))
            return False


class Doorbell:
    """Wakes the engine's thread out of its wait for packets; may be rung from any thread.

    Four bytes to the engine's own port, which SIP takes for a keep-alive (RFC 5626 section 3.5.1) and drops.
    """

    def __init__(self, address: str, port: int) -> None:
        own = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)
        self._socket = socket.socket(socket.AF_INET6 if ":" in own else socket.AF_INET, socket.SOCK_DGRAM)
        # Bound and connected, so that nobody but the engine can send to it.
        with suppress(OSError):
            self._socket.bind((own, 0))
            self._socket.connect((own, port))

    def ring(self) -> None:
        # Where nothing gets through (a firewall, an address that is gone), the thread comes round by itself, later.
        with suppress(OSError):
            self._socket.send(b"\r\n\r\n")

    def close(self) -> None:
        self._socket.close()


def check_sip(sip: SipConfig) -> None:
    """Raises DriverError when there is no engine with `sip`, as far as can be known before it is started."""
    if sip.ca:
        _certificates(sip.ca)


def _certificates(file: str) -> str:
    try:
        return Path(file).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise DriverError(f"cannot read the certificates in {file}: {error}", "Correct [sip] ca.") from None


def bracketed(address: str) -> str:
    """An IP address as a URI spells it."""
    return f"[{address}]" if ":" in address else address
