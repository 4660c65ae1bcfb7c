# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What a SIP status means to the person who dialled."""

import pytest

from omafon.core.causes import CAUSE_TONES, SIP_CAUSES, Cause, sip_cause


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (200, Cause.NORMAL),
        (202, Cause.NORMAL),
        (401, Cause.WRONG_PASSWORD),
        (403, Cause.FORBIDDEN),
        (404, Cause.NOT_FOUND),
        (407, Cause.WRONG_PASSWORD),
        (408, Cause.UNREACHABLE),
        (410, Cause.NOT_FOUND),
        (480, Cause.OFFLINE),
        (484, Cause.NUMBER_INCOMPLETE),
        (486, Cause.BUSY),
        (487, Cause.CANCELLED),
        (488, Cause.NO_COMMON_CODEC),
        (500, Cause.SERVER_ERROR),
        (503, Cause.SERVER_OVERLOADED),
        (600, Cause.BUSY),
        (603, Cause.DECLINED),
        (604, Cause.NOT_FOUND),
        (606, Cause.NO_COMMON_CODEC),
    ],
)
def test_a_status_has_its_cause(status: int, cause: Cause) -> None:
    assert sip_cause(status) is cause


@pytest.mark.parametrize(
    ("status", "reason", "cause"),
    [
        (502, "gethostbyname() has returned error (PJ_ERESOLVE)", Cause.HOST_NOT_FOUND),
        (503, "SSL certificate verification error (PJSIP_TLS_ECERTVERIF)", Cause.TLS_UNTRUSTED),
        (503, "Connection refused", Cause.UNREACHABLE),
        (503, "No route to host", Cause.UNREACHABLE),
        (503, "Network is unreachable", Cause.NO_NETWORK),
        (503, "Connection timed out", Cause.UNREACHABLE),
        (503, "Service Unavailable", Cause.SERVER_OVERLOADED),
        (0, "gethostbyname() has returned error (PJ_ERESOLVE)", Cause.HOST_NOT_FOUND),
        (0, "", Cause.FAILED),
    ],
)
def test_the_engines_own_words_tell_a_transport_error_from_a_server_that_spoke(
    status: int, reason: str, cause: Cause
) -> None:
    assert sip_cause(status, reason) is cause


def test_a_server_cannot_pass_its_refusal_off_as_a_transport_error() -> None:
    assert sip_cause(403, "Connection refused") is Cause.FORBIDDEN


@pytest.mark.parametrize(("status", "cause"), [(599, Cause.SERVER_ERROR), (499, Cause.FAILED), (302, Cause.FAILED)])
def test_an_unknown_status_is_taken_by_its_class(status: int, cause: Cause) -> None:
    assert sip_cause(status) is cause


def test_every_cause_has_a_tone() -> None:
    assert set(CAUSE_TONES) == set(Cause)
    assert {CAUSE_TONES[cause] for cause in SIP_CAUSES.values()} <= set(CAUSE_TONES.values())
