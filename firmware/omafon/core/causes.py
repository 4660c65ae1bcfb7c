# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Why something did not work: one vocabulary for SIP, DNS, TLS and sound, with the tone that belongs to each."""

from enum import StrEnum


class Tone(StrEnum):
    """What the ear hears from the phone itself, as `omafon status` names it."""

    OFF = "off"
    DIAL = "dial"
    RINGBACK = "ringback"
    BUSY = "busy"
    CONGESTION = "congestion"
    WAITING = "waiting"
    ERROR = "error"
    INTERCOM = "intercom"  # the phone has answered by itself


class Cause(StrEnum):
    """A cause the person or the owner can do something about; SIP's codes are mapped onto it by `sip_cause`."""

    NORMAL = "normal"  # hung up after a conversation, or by ourselves
    CANCELLED = "cancelled"  # the caller gave up before we answered
    ANSWERED_ELSEWHERE = "answered_elsewhere"
    BUSY = "busy"
    DECLINED = "declined"
    NO_ANSWER = "no_answer"
    NOT_FOUND = "not_found"
    NUMBER_INCOMPLETE = "number_incomplete"
    NUMBER_INVALID = "number_invalid"
    OWN_NUMBER = "own_number"
    TOO_MANY_CALLS = "too_many_calls"
    UNPROVEN = "unproven"  # the owner wants DNSSEC's proof, and there is none
    FORGED = "forged"  # DNSSEC proves that the directory's answer is not its own
    BARRED = "barred"  # the owner's digit map or allow list forbids it
    QUIET_HOURS = "quiet_hours"  # the owner wants peace
    NO_ROUTE = "no_route"  # not in ENUM, and no line that could carry it
    NO_DIRECTORY = "no_directory"  # no ENUM tree answered, and no line that could carry the call
    NO_EMERGENCY_ROUTE = "no_emergency_route"
    OFFLINE = "offline"  # the called phone is not registered or not reachable just now (480)
    UNREACHABLE = "unreachable"  # no packet reached the host, or none came back
    NO_NETWORK = "no_network"
    WRONG_PASSWORD = "wrong_password"
    FORBIDDEN = "forbidden"
    NOT_REGISTERED = "not_registered"
    TLS_UNTRUSTED = "tls_untrusted"
    CLOCK_NOT_SET = "clock_not_set"  # so no certificate and no signature can be judged
    SRTP_REFUSED = "srtp_refused"
    NO_COMMON_CODEC = "no_common_codec"
    SERVER_ERROR = "server_error"
    SERVER_OVERLOADED = "server_overloaded"
    HOST_NOT_FOUND = "host_not_found"
    MEDIA_LOST = "media_lost"
    DIAL_TIMEOUT = "dial_timeout"  # lifted and nothing dialled
    FAILED = "failed"  # none of the above


# What the ear hears of it. Busy says "they are there, later"; congestion "it is the way, not the person"; error
# "dial something else".
CAUSE_TONES: dict[Cause, Tone] = dict.fromkeys(Cause, Tone.CONGESTION) | {
    Cause.NORMAL: Tone.BUSY,
    Cause.CANCELLED: Tone.BUSY,
    Cause.ANSWERED_ELSEWHERE: Tone.BUSY,
    Cause.BUSY: Tone.BUSY,
    Cause.DECLINED: Tone.BUSY,
    Cause.NO_ANSWER: Tone.BUSY,
    Cause.DIAL_TIMEOUT: Tone.BUSY,
    Cause.NOT_FOUND: Tone.ERROR,
    Cause.NUMBER_INCOMPLETE: Tone.ERROR,
    Cause.NUMBER_INVALID: Tone.ERROR,
    Cause.OWN_NUMBER: Tone.ERROR,
    Cause.BARRED: Tone.ERROR,
    Cause.QUIET_HOURS: Tone.BUSY,
    Cause.NO_ROUTE: Tone.ERROR,
    Cause.NO_EMERGENCY_ROUTE: Tone.ERROR,
}

# What a final status says about the call or the registration it answered (RFC 3261 section 21 and later RFCs).
SIP_CAUSES: dict[int, Cause] = {
    401: Cause.WRONG_PASSWORD,
    403: Cause.FORBIDDEN,
    404: Cause.NOT_FOUND,
    406: Cause.NO_COMMON_CODEC,
    407: Cause.WRONG_PASSWORD,
    408: Cause.UNREACHABLE,  # also what a silent host comes to after timer B or F
    410: Cause.NOT_FOUND,
    414: Cause.NUMBER_INVALID,
    415: Cause.NO_COMMON_CODEC,
    416: Cause.NUMBER_INVALID,
    430: Cause.OFFLINE,
    433: Cause.DECLINED,
    480: Cause.OFFLINE,
    481: Cause.MEDIA_LOST,  # the far end does not know the dialog any more
    484: Cause.NUMBER_INCOMPLETE,
    485: Cause.NUMBER_INCOMPLETE,
    486: Cause.BUSY,
    487: Cause.CANCELLED,
    488: Cause.NO_COMMON_CODEC,
    500: Cause.SERVER_ERROR,
    501: Cause.SERVER_ERROR,
    502: Cause.SERVER_ERROR,
    503: Cause.SERVER_OVERLOADED,
    504: Cause.SERVER_ERROR,
    505: Cause.SERVER_ERROR,
    513: Cause.SERVER_ERROR,
    580: Cause.SERVER_ERROR,
    600: Cause.BUSY,
    603: Cause.DECLINED,
    604: Cause.NOT_FOUND,
    606: Cause.NO_COMMON_CODEC,
    607: Cause.DECLINED,
    608: Cause.DECLINED,
}

# An engine that got no answer at all makes up a 502 or 503 itself and gives its own error as the reason.
TRANSPORT_CAUSES: tuple[tuple[str, Cause], ...] = (
    ("ECERTVERIF", Cause.TLS_UNTRUSTED),
    ("certificate", Cause.TLS_UNTRUSTED),
    ("SSL", Cause.TLS_UNTRUSTED),
    ("TLS", Cause.TLS_UNTRUSTED),
    ("ERESOLVE", Cause.HOST_NOT_FOUND),
    ("gethostbyname", Cause.HOST_NOT_FOUND),
    ("DNS", Cause.HOST_NOT_FOUND),
    ("Network is unreachable", Cause.NO_NETWORK),
    ("No route to host", Cause.UNREACHABLE),
    ("refused", Cause.UNREACHABLE),
    ("reset", Cause.UNREACHABLE),
    ("timed out", Cause.UNREACHABLE),
    ("ETIMEDOUT", Cause.UNREACHABLE),
    ("Unsupported transport", Cause.UNREACHABLE),
)


def sip_cause(status: int, reason: str = "") -> Cause:
    """Why a call or a registration ended, from its last SIP status; NORMAL for any success.

    `reason` is the reason phrase, or the engine's own words where it answered in the place of a host it could not
    reach.
    """
    if 200 <= status < 300:
        return Cause.NORMAL
    if status in (0, 502, 503):
        for words, cause in TRANSPORT_CAUSES:
            if words in reason:
                return cause
    return SIP_CAUSES.get(status, Cause.SERVER_ERROR if 500 <= status < 600 else Cause.FAILED)
