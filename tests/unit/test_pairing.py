# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Two telephones become a family, as the person before one of them sees it."""

from dataclasses import replace

import pytest

from omafon.core import pairing
from omafon.core.causes import Tone
from omafon.core.events import (
    ConfigApplied,
    Key,
    KeyHeld,
    KeyPressed,
    KeyReleased,
    MemberRemoved,
    NetworkChanged,
    PairingAnswered,
    PairingAsked,
    PairingDigits,
    PairingDone,
    PairingFailed,
    PairingFailure,
    PairingId,
)
from omafon.core.memory import MOST_MEMBERS, Address, Member, Memory, Reach
from omafon.core.present import present
from omafon.core.screen import PairingWish
from omafon.core.state import Idle, Pairing, PairingStage
from tests.unit.world import SETTINGS, World

OMAS_PHONE = Member(
    "omafon-00112233aabbccdd", "Oma", "+4930123456", "ab" * 32, (Address("192.168.0.7", 5061, Reach.LAN),)
)


class Two(World):
    """A phone, and what its driver of pairing is told and tells."""

    @property
    def wish(self) -> PairingWish | None:
        return present(self.phone, self.now).pairing

    @property
    def stage(self) -> PairingStage | None:
        return self.phone.doing.stage if isinstance(self.phone.doing, Pairing) else None

    @property
    def failure(self) -> PairingFailure | None:
        return self.phone.doing.failure if isinstance(self.phone.doing, Pairing) else None

    @property
    def family(self) -> tuple[Member, ...]:
        return self.phone.memory.family

    @property
    def id(self) -> PairingId:
        assert self.wish is not None
        return self.wish.id

    def is_asked(self) -> "Two":
        self.happens(PairingAsked())
        return self

    def finds_another(self) -> "Two":
        self.is_asked()
        self.happens(PairingDigits(self.id, "123456"))
        return self

    def says_yes(self) -> "Two":
        self.finds_another()
        self.presses("#")
        return self


def test_a_key_held_for_three_seconds_with_the_handset_down_begins_it():
    phone = Two()
    phone.happens(KeyPressed(Key.DIGIT_0))
    phone.passes(0.8)
    phone.happens(KeyHeld(Key.DIGIT_0))
    assert (phone.stage, phone.wish) == (PairingStage.HOLDING, None)

    phone.passes(2.1)
    assert phone.wish is None
    phone.passes(0.2)

    assert phone.stage is PairingStage.SEARCHING
    assert phone.wish == PairingWish(phone.id, "Flur", "")


def test_a_key_let_go_before_begins_nothing():
    phone = Two()
    phone.happens(KeyPressed(Key.DIGIT_0), KeyHeld(Key.DIGIT_0))
    phone.passes(2.0)

    phone.happens(KeyReleased(Key.DIGIT_0))
    phone.passes(10.0)

    assert phone.phone.doing == Idle()


def test_letting_go_after_it_has_begun_ends_nothing():
    phone = Two()
    phone.happens(KeyPressed(Key.DIGIT_0), KeyHeld(Key.DIGIT_0))
    phone.passes(2.3)

    phone.happens(KeyReleased(Key.DIGIT_0))

    assert phone.stage is PairingStage.SEARCHING


def test_an_old_telephone_with_a_dial_has_its_flash_key_to_hold():
    phone = Two()

    phone.happens(KeyPressed(Key.FLASH), KeyHeld(Key.FLASH))
    phone.passes(2.3)

    assert phone.stage is PairingStage.SEARCHING


def test_from_afar_it_begins_by_a_code_or_by_being_asked():
    dialled, asked = Two(), Two()

    dialled.dials("*#3#")
    asked.happens(PairingAsked())

    assert dialled.stage is asked.stage is PairingStage.SEARCHING


@pytest.mark.parametrize("typed", ["1", "112", "00"])
def test_a_0_held_within_a_number_is_a_0(typed: str):
    phone = Two()
    phone.dials(typed)

    phone.happens(KeyPressed(Key.DIGIT_0), KeyHeld(Key.DIGIT_0))
    phone.passes(4.0)

    assert phone.stage is None


def test_a_0_held_with_the_handset_up_dials():
    phone = Two()
    phone.lifts()

    phone.happens(KeyPressed(Key.DIGIT_0), KeyHeld(Key.DIGIT_0))

    assert phone.stage is None


def test_the_digits_are_shown_until_somebody_says_whether_they_are_the_same():
    phone = Two().finds_another()

    assert "123 456" in phone.rows
    assert phone.wish is not None
    assert not phone.wish.same


@pytest.mark.parametrize("key", sorted(pairing.YES))
def test_yes_is_told_to_the_driver_and_nothing_is_kept_yet(key: Key):
    phone = Two().finds_another()

    phone.presses(key)

    assert phone.stage is PairingStage.WAITING
    assert phone.wish is not None
    assert phone.wish.same
    assert phone.family == ()


@pytest.mark.parametrize("key", sorted(pairing.NO))
def test_no_ends_it_and_nothing_is_kept(key: Key):
    phone = Two().finds_another()
    id_ = phone.id

    phone.presses(key)
    phone.happens(PairingDone(id_, OMAS_PHONE))

    assert phone.failure is PairingFailure.DIFFERENT
    assert phone.wish is None
    assert phone.family == ()


def test_when_both_have_said_yes_the_other_one_is_of_the_family():
    phone = Two().says_yes()

    phone.happens(PairingDone(phone.id, OMAS_PHONE))

    assert phone.family == (replace(OMAS_PHONE, since=1_700_001_000.0),)
    assert phone.wish is None
    assert phone.rows[:3] == ("Gekoppelt mit", "Oma", "030 123456")
    phone.passes(21.0)
    assert phone.phone.doing == Idle()


def test_nothing_is_kept_before_the_person_here_has_said_yes():
    phone = Two().finds_another()

    phone.happens(PairingDone(phone.id, OMAS_PHONE))

    assert phone.family == ()
    assert phone.stage is PairingStage.COMPARING


def test_what_comes_of_an_earlier_pairing_is_not_of_this_one():
    phone = Two().says_yes()
    old = phone.id
    phone.presses("end")
    phone.says_yes()

    phone.happens(PairingDone(old, OMAS_PHONE))
    phone.happens(PairingFailed(old, PairingFailure.LOST))

    assert phone.family == ()
    assert phone.stage is PairingStage.WAITING


def test_nobody_found_within_a_minute_ends_it():
    phone = Two().is_asked()

    phone.passes(59.0)
    assert phone.wish is not None
    phone.passes(2.0)

    assert phone.failure is PairingFailure.NOBODY
    assert phone.wish is None


@pytest.mark.parametrize("answered", [False, True])
def test_digits_nobody_speaks_of_within_a_minute_are_gone(answered: bool):
    phone = Two().says_yes() if answered else Two().finds_another()
    id_ = phone.id

    phone.passes(61.0)
    phone.happens(PairingDone(id_, OMAS_PHONE))

    assert phone.failure is PairingFailure.LATE
    assert phone.family == ()


@pytest.mark.parametrize("failure", PairingFailure)
def test_every_failure_is_told_and_nothing_is_kept(failure: PairingFailure):
    phone = Two().says_yes()

    phone.happens(PairingFailed(phone.id, failure))

    assert phone.rows[0] == "Nicht gekoppelt"
    assert phone.family == ()
    assert phone.wish is None


@pytest.mark.parametrize("how", ["a call", "the handset", "a key"])
def test_whatever_else_happens_closes_it(how: str):
    phone = Two().finds_another()
    id_ = phone.id

    match how:
        case "a call":
            phone.is_called()
        case "the handset":
            phone.lifts()
        case "a key":
            phone.presses("end")
    phone.happens(PairingAnswered(True), PairingDone(id_, OMAS_PHONE))

    assert phone.wish is None
    assert phone.family == ()


def test_it_never_begins_beside_a_call():
    phone = Two()
    phone.talks_to_oma()
    phone.happens(PairingAsked())
    assert phone.wish is None

    ringing = Two()
    ringing.is_called()
    ringing.happens(PairingAsked())
    assert ringing.wish is None


def test_the_ear_hears_nothing_of_it():
    phone = Two()
    phone.lifts()
    phone.dials("*#3#")

    assert phone.stage is PairingStage.SEARCHING
    assert phone.tone is Tone.OFF


def test_the_other_phone_is_told_where_this_one_can_be_called():
    phone = Two(replace(SETTINGS, number="+4930654321"))
    phone.happens(NetworkChanged(("192.168.0.9", "2001:db8::9")))

    phone.is_asked()

    assert phone.wish is not None
    assert phone.wish.number == "+4930654321"
    assert [address.host for address in phone.wish.addresses] == ["192.168.0.9", "2001:db8::9"]


def test_a_change_of_the_configuration_does_not_end_it():
    phone = Two().says_yes()

    phone.happens(ConfigApplied(replace(SETTINGS, name="Diele")))
    phone.happens(PairingDone(phone.id, OMAS_PHONE))

    assert len(phone.family) == 1


# The family.


def member(number: int) -> Member:
    return replace(OMAS_PHONE, id=f"omafon-{number:016x}", certificate=f"{number:064x}")


def with_family(count: int) -> Two:
    phone = Two()
    phone.phone = replace(phone.phone, memory=Memory(family=tuple(member(n) for n in range(count))))
    return phone


def test_a_phone_paired_anew_takes_its_own_place():
    phone = with_family(3)
    phone.says_yes()

    phone.happens(PairingDone(phone.id, replace(member(1), name="Oma neu")))

    assert [m.name for m in phone.family] == ["Oma", "Oma neu", "Oma"]


def test_two_may_have_one_name():
    phone = with_family(1)
    phone.says_yes()

    phone.happens(PairingDone(phone.id, member(7)))

    assert [m.name for m in phone.family] == ["Oma", "Oma"]


def test_a_full_family_says_so_and_forgets_nobody():
    phone = with_family(MOST_MEMBERS)

    phone.is_asked()

    assert phone.failure is PairingFailure.FULL
    assert phone.wish is None
    assert len(phone.family) == MOST_MEMBERS


def test_a_member_removed_is_gone_and_no_other():
    phone = with_family(3)

    phone.happens(MemberRemoved(member(1).id))
    phone.happens(MemberRemoved("omafon-ffffffffffffffff"))

    assert phone.family == (member(0), member(2))
