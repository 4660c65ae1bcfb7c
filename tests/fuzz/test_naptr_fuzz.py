# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""100,000 record sets of malice and accident: none raises, none is dear, none gets a URI past the policy."""

import re
import time
from collections import Counter

import pytest

from omafon.core import enumservice
from omafon.core.dialplan import E164
from omafon.core.naptr import MOST_NAMES, Evaluation, Reason, dialable, evaluate, fallback
from tests.fuzz.mutation import Case, Mutator

CASES = 100_000
SEED = 6116
NUMBER = E164("+493012345678901")
NAME = "3.8.example."
DEAREST_S = 0.03

# The policy, said again in the plainest way there is: what a URI may be made of, and what may be dialled.
LISTED = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9._~:/?\[\]@!$&'()*+,;=%-]*")
DIALLED = re.compile(
    r"sips?:([A-Za-z0-9_.!~*'()&=+$,;?/%:-]+@)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(:[0-9]{1,5})?(;[A-Za-z0-9_.!~*'()%\[\]/:&+$=-]+)*"
)


def judge(case: Case, found: Evaluation) -> None:
    """Fail when `found` is more than the policy allows, or does not account for every record."""
    for service in found.services:
        assert LISTED.fullmatch(service.uri), service
        assert len(service.uri) <= 2048
        assert enumservice.fits(service.service, service.uri.partition(":")[0].lower()), service
        assert not service.service.startswith("p-")
        assert "%" not in re.sub("%[0-9A-Fa-f]{2}", "", service.uri)
    if (uri := dialable(found.services)) is not None:
        assert DIALLED.fullmatch(uri), uri
        assert not re.search(r";method(=|;|$)", uri.lower().rpartition("@")[2]), uri
        assert any(service.service in ("sip", "pstn:sip") for service in found.services)
    tel = fallback(NUMBER, found.services, looked_up=True)
    assert tel.startswith("tel:+")
    assert "enumdi" in tel.lower()
    assert not {"a.example.", "b.example.", NAME} & set(found.follow)
    assert len(found.follow) <= MOST_NAMES
    own = [discard.index for discard in found.discards if not discard.name]
    assert len(own) == len(set(own))
    assert all(0 <= index < len(case.records) for index in own)
    kept = {(r.order, r.preference) for i, r in enumerate(case.records) if i not in own and r.flags}
    assert kept <= {(service.order, service.preference) for service in found.services}


def cost_s(case: Case) -> float:
    """Processor time of one evaluation, the best of three: the machine has other work too."""
    times = []
    for _ in range(3):
        began = time.thread_time()
        evaluate(NUMBER, case.records, name=NAME, followed=case.followed)
        times.append(time.thread_time() - began)
    return min(times)


@pytest.mark.timeout(900)
def test_no_record_set_whatever_raises_is_dear_or_gets_past_the_policy():
    mutator = Mutator(SEED)
    reasons: Counter[Reason] = Counter()
    dear: list[Case] = []
    callable_sets = 0

    for _ in range(CASES):
        case = mutator.case()
        began = time.thread_time()
        found = evaluate(NUMBER, case.records, name=NAME, followed=case.followed)
        if time.thread_time() - began > DEAREST_S:
            dear.append(case)
        judge(case, found)
        mutator.did(case, (frozenset(discard.reason for discard in found.discards), len(found.services)))
        reasons.update(discard.reason for discard in found.discards)
        callable_sets += dialable(found.services) is not None

    assert [case for case in dear if cost_s(case) > DEAREST_S] == []
    # It went everywhere, and not only where nothing happens: but 255 octets of rule make no long URI of 16 characters.
    assert set(Reason) - set(reasons) == {Reason.URI_TOO_LONG}
    assert callable_sets > CASES // 10
    assert mutator.behaviours > CASES // 20
