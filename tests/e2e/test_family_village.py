# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Five telephones in houses of one street, made a family by their keys: nothing else is in that network."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations, permutations
from pathlib import Path
from statistics import median

import pytest

from omafon.core.memory import Address, Reach
from tests.lab.heard import LabError
from tests.lab.kin import Kin
from tests.lab.phone import Phone
from tests.lab.street import Street
from tests.lab.village import PORT, Village, begins_pairing, family_of, pairs
from tests.lab.voice import Saying
from tests.lab.wiretap import Wiretap, in_the_clear, share_of_tone

# Two of them have the same name.
NAMES = ("Oma", "Ben", "Eva", "Oma", "Opa")
TONES = (1000, 440)
PCMA = 8
# The first words of who calls to be paired: 33 octets, and of that kind.
COMMIT = b"\x00\x21\x01"


@dataclass
class Family:
    """`phones` know each other; `took_s` is how long it took each two of them. `wiretap` has heard it all."""

    village: Village
    street: Street
    wiretap: Wiretap
    phones: list[Phone]
    took_s: list[float]


@pytest.fixture(scope="module")
def family(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Family]:
    with Street() as street, Wiretap(street) as wiretap, Village(tmp_path_factory.mktemp("village")) as village:
        phones = [
            village.phone(street.house(f"10.9.0.{at}/24"), name, number(at)) for at, name in enumerate(NAMES, start=1)
        ]
        village.starts(*phones)
        yield Family(village, street, wiretap, phones, [pairs(*two) for two in combinations(phones, 2)])


def number(at: int) -> str:
    return f"+493012345{at:02d}"


def test_no_two_of_them_took_a_minute(family: Family, record_property: Callable[[str, object], None]) -> None:
    record_property("pairings, s", [round(took_s, 2) for took_s in family.took_s])

    assert len(family.took_s) == 10
    assert max(family.took_s) < 60
    assert all(len(family_of(phone)) == 4 for phone in family.phones)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_each_calls_each_and_is_called_by_name(
    family: Family, count: int, record_property: Callable[[str, object], None]
) -> None:
    phones, took_s = family.phones[:count], []
    for (caller, at), (called, to) in permutations(zip(phones, range(1, 6), strict=False), 2):
        began = time.monotonic()
        caller.dials(number(to))
        called.is_called()
        took_s.append(time.monotonic() - began)
        call = called.status["calls"][0]
        assert (call["name"], call["number"], call["route"]) == (NAMES[at - 1], number(at), "family")

        caller.replaces()
        caller.is_idle()
        called.is_idle()

    record_property("from the number to the bell, ms", [round(taken * 1000) for taken in took_s])
    # Their name server is dead: who asked it would wait for seconds.
    assert median(took_s) < 0.5


def test_they_hear_each_other_and_an_eavesdropper_hears_noise(family: Family) -> None:
    ben, eva = family.phones[1:3]
    assert ben.card
    assert eva.card
    began = family.wiretap.now()

    ben.dials(number(3))
    eva.is_called()
    eva.lifts()
    for phone in (ben, eva):
        call = phone.is_in_a_call()
        assert (call["codec"], call["tls"], call["srtp"]) == ("pcma/8000", True, True)
    there, back = Saying(ben.card, TONES[0]), Saying(eva.card, TONES[1])
    heard = there.heard_by(eva.card), back.heard_by(ben.card)
    ben.replaces()
    eva.replaces()
    for phone in (ben, eva):
        phone.is_idle()

    assert [measured.frequency_hz for measured in heard] == pytest.approx(TONES, abs=2)
    # 20 ms of G.711 are 12 + 160 octets; the ten behind them prove that nobody changed them (RFC 3711).
    voice = [octets for octets in family.wiretap.datagrams(began) if octets[1] & 0x7F == PCMA]
    assert len(voice) > 200
    assert {len(octets) for octets in voice} == {12 + 160 + 10}
    for tone in TONES:
        assert share_of_tone(in_the_clear(tone, 2.0), tone) > 0.9
        assert share_of_tone(voice, tone) < 0.02


def test_nothing_they_say_can_be_read(family: Family) -> None:
    said = family.wiretap.said()

    assert len(said) > 10_000
    assert [word for word in (b"INVITE", b"SIP/2.0", b"a=crypto", b"+4930", b"Ben", b"10.9.0.") if word in said] == []


# Those who were not asked.


def test_a_call_that_is_played_again_rings_nobody(family: Family, tmp_path: Path) -> None:
    eva = family.phones[2]
    house = family.street.house("10.9.0.66/24")
    rung = rings(eva)
    overheard = family.wiretap.streams("10.9.0.3", PORT)
    assert rung > 0
    assert overheard

    for at, said in enumerate(overheard):
        (tmp_path / f"said{at}").write_bytes(said)
        family.village.attacker("call", "10.9.0.3", tmp_path / f"said{at}", house=house).until_says("heard")

    assert rings(eva) == rung


def test_a_pairing_that_is_played_again_comes_to_nothing(family: Family, tmp_path: Path) -> None:
    eva = family.phones[2]
    house = family.street.house("10.9.0.67/24")
    commits = [said for said in family.wiretap.streams() if said.startswith(COMMIT)]
    assert len(commits) == 10
    (tmp_path / "said").write_bytes(commits[-1])
    before = family_of(eva)

    begins_pairing(eva)
    family.village.attacker("pairing", "10.9.0.67", tmp_path / "said", house=house)
    failed = eva.until(lambda status: (status["pairing"] or {}).get("failure"), "is not paired", within_s=15)

    assert failed["pairing"]["failure"] == "disturbed"
    assert family_of(eva) == before


def test_a_stolen_name_and_number_with_another_certificate_ring_nobody(family: Family) -> None:
    eva = family.phones[2]
    thief = Kin(family.village.phone(family.street.house("10.9.0.68/24"), "Ben", number(2), has_card=False), number(2))
    thief.knows(Kin(eva, number(3)).as_member(at=[Address("10.9.0.3", PORT, Reach.LAN)]))
    rung = rings(eva)
    family.village.starts(thief.phone)

    thief.phone.dials(number(3))

    thief.phone.is_("failed", within_s=15)
    assert rings(eva) == rung
    assert thief.identity.fingerprint not in [member["certificate"] for member in family_of(eva)]


# Changes of the family.


def test_of_two_with_one_name_the_one_that_is_meant_is_removed_and_can_come_back(family: Family) -> None:
    oma, ben, other = family.phones[0], family.phones[1], family.phones[3]
    with pytest.raises(LabError, match="2 in the family are called"):
        ben.ask("family", remove="Oma")

    removed = next(member for member in family_of(ben) if member["number"] == number(4))
    ben.ask("family", remove=removed["id"])
    rung = rings(ben)
    other.dials(number(2))
    other.is_("failed", within_s=15)
    other.replaces()

    assert rings(ben) == rung
    oma.dials(number(2))
    ben.is_called()
    oma.replaces()
    for phone in (oma, ben, other):
        phone.is_idle()
    pairs(ben, other)
    other.dials(number(2))
    ben.is_called()
    other.replaces()
    ben.is_idle()


def rings(phone: Phone) -> int:
    return sum("ring call" in action for errand in phone.errands.all() for action in errand["actions"])
