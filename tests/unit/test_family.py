# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Who the family is to the phone: how members are called, let in, greeted, and missed."""

from dataclasses import replace

import pytest

from omafon.core.actions import (
    AskMember,
    CallMember,
    GreetMember,
    HangUp,
    LookAround,
    MoveCalls,
    PlaceCall,
    RejectCall,
    RingCall,
)
from omafon.core.causes import Cause
from omafon.core.events import (
    CallAnswered,
    CallId,
    CallTrying,
    Event,
    IncomingCall,
    MemberParted,
    MemberReached,
    MemberRemoved,
    MemberSeen,
    MemberSilent,
    MemberSpoke,
    NetworkChanged,
    NumberDialled,
)
from omafon.core.family import best_first, learned, worked
from omafon.core.kinship import HEARTBEAT_S, JITTER_S, own_addresses
from omafon.core.memory import MOST_ADDRESSES, Address, Member, Memory, Reach
from omafon.core.present import present
from omafon.core.settings import Accept, Route
from omafon.drivers.sip.family import read_news
from omafon.status import status
from tests.unit.world import HOME, SETTINGS, World

PIN = "ab" * 32
LAN = Address("192.168.0.7", 5061, Reach.LAN)
NEARBY = Address("192.168.0.70", 5061, Reach.LAN)
FAR = Address("2001:4860::7", 5061, Reach.IPV6)
BEN = Member("omafon-0123456789abcdef", "Ben", "+4930777777", PIN, (LAN, FAR), tells_state=True, told_state=True)
ALONE = replace(SETTINGS, trees=(), accept=frozenset({Accept.FAMILY}))


def at_home(*members: Member, registered: bool | None = None, **settings: object) -> World:
    """A phone with a network, and with Ben in its family."""
    world = World(replace(ALONE, **settings), registered=registered)  # type: ignore[arg-type]
    world.phone = replace(world.phone, memory=Memory(family=members or (BEN,)))
    world.happens(NetworkChanged(("192.168.0.2",)))
    return world


def calls_ben(world: World) -> CallId:
    world.happens(NumberDialled("030777777"))
    return next(action.call for action in reversed(world.actions) if isinstance(action, CallMember))


def from_ben(certificate: str = PIN) -> IncomingCall:
    return IncomingCall(CallId("in-1"), "sip:omafon-1@192.168.0.7", "Whoever", "192.168.0.7", None, certificate)


# Calling.


def test_a_member_is_called_at_its_addresses_and_never_asked_for_in_a_directory():
    world = at_home()

    actions = world.happens(NumberDialled("030777777"))

    assert actions == (CallMember(CallId("out-1"), PIN, (LAN, FAR)), LookAround())
    assert world.phone.calls[0].route is Route.FAMILY


def test_a_member_who_answers_nowhere_is_called_by_the_line_and_that_is_shown():
    world = at_home(registered=True)
    call = calls_ben(world)

    actions = world.ends(call, Cause.UNREACHABLE)

    assert [(a.uri, a.line, a.route) for a in actions if isinstance(a, PlaceCall)] == [
        ("sip:+4930777777@example.org", HOME.name, Route.PROVIDER)
    ]
    assert "Anbieter" in world.rows[2]


def test_a_line_that_costs_is_asked_about_first():
    world = at_home(registered=True, confirm_paid=True)

    actions = world.ends(calls_ben(world), Cause.UNREACHABLE)

    assert actions == ()
    assert "Kostet" in world.rows[3]


def test_four_seconds_of_silence_are_enough_where_there_is_a_line():
    world = at_home(registered=True)
    call = calls_ben(world)

    world.passes(4.1)

    assert HangUp(call) in world.actions
    assert world.placed().line == HOME.name


def test_a_member_who_was_found_is_given_time_to_answer():
    world = at_home(registered=True)
    world.happens(CallTrying(calls_ben(world)))

    world.passes(30.0)

    assert not any(isinstance(action, PlaceCall) for action in world.actions)


def test_a_member_without_a_number_is_called_by_its_own_name():
    world = at_home(replace(BEN, number=""))

    actions = world.happens(NumberDialled(f"sip:{BEN.id}@anywhere.example"))

    assert [type(action) for action in actions] == [CallMember, LookAround]


def test_a_member_without_a_known_address_may_be_found_nearby():
    world = at_home(replace(BEN, addresses=()))

    actions = world.happens(NumberDialled("030777777"))

    assert actions == (CallMember(CallId("out-1"), PIN, ()), LookAround())


# Being called.


def test_a_member_rings_with_the_name_of_the_pairing_whatever_it_says():
    world = at_home()

    actions = world.happens(from_ben())

    assert actions == (RingCall(CallId("in-1")),)
    assert world.phone.ringing is not None
    assert (world.phone.ringing.peer.name, world.phone.ringing.peer.number) == ("Ben", "+4930777777")
    assert world.phone.ringing.route is Route.FAMILY


@pytest.mark.parametrize("accept", [{Accept.FAMILY}, {Accept.ANYONE, Accept.FAMILY, Accept.LINES}])
def test_a_certificate_that_is_no_member_s_never_rings(accept: set[Accept]):
    world = at_home(accept=frozenset(accept))

    assert world.happens(from_ben("cd" * 32)) == (RejectCall(CallId("in-1"), 403),)


def test_a_member_does_not_ring_where_the_owner_accepts_no_family():
    world = at_home(accept=frozenset({Accept.LINES}))

    assert world.happens(from_ben()) == (RejectCall(CallId("in-1"), 403),)


def test_where_anyone_may_ring_the_family_may_too():
    world = at_home(accept=frozenset({Accept.ANYONE}))

    assert world.happens(from_ben()) == (RingCall(CallId("in-1")),)


def test_a_removed_member_is_let_in_no_more():
    world = at_home()
    assert present(world.phone, world.now).family.certificates == (PIN,)

    world.happens(MemberRemoved(BEN.id))

    assert present(world.phone, world.now).family.certificates == ()
    assert world.happens(from_ben()) == (RejectCall(CallId("in-1"), 403),)


# Where everybody is.


def test_members_are_told_the_own_addresses_how_others_see_them_and_the_owner_s_name():
    world = at_home(family_name="flur.example.org")

    assert own_addresses(world.phone) == (
        Address("192.168.0.2", 5061, Reach.LAN),
        Address("flur.example.org", 5061, Reach.NAME),
    )


def test_a_member_is_greeted_soon_after_the_start_and_after_every_change_of_address():
    world = at_home()
    world.passes(3.0)
    assert greetings(world) == 1
    world.happens(MemberReached(PIN, LAN))

    world.happens(NetworkChanged(("192.168.0.3",)))
    world.passes(3.0)

    assert greetings(world) == 2


def test_a_member_that_answers_is_asked_again_after_a_quarter_of_an_hour():
    world = at_home()
    world.passes(3.0)
    world.happens(MemberReached(PIN, LAN))

    world.passes(HEARTBEAT_S - JITTER_S - 1)
    assert greetings(world) == 1
    world.passes(2 * JITTER_S + 2)

    assert greetings(world) == 2


def test_a_member_that_speaks_by_itself_need_not_be_asked():
    world = at_home()
    for _ in range(4):
        world.happens(MemberSpoke(PIN, (LAN,), LAN.host))
        world.passes(HEARTBEAT_S - JITTER_S - 1)

    assert greetings(world) == 0


def test_nobody_is_greeted_without_a_network():
    world = at_home()
    world.happens(NetworkChanged(()))

    world.passes(2000.0)

    assert greetings(world) == 0


@pytest.mark.parametrize("event", [MemberReached(PIN, LAN), MemberSpoke(PIN, (LAN,), LAN.host)])
def test_who_was_silent_twice_is_out_of_reach_until_heard_of_again(event: Event):
    world = missed()
    assert world.rows[2:] == ("Nicht erreichbar:", f"Ben seit {clock(world)}")
    assert status(world.phone, world.now)["family"][0]["reachable"] is False  # type: ignore[index]

    world.happens(event)

    assert "Ben" not in world.rows[3]
    assert status(world.phone, world.now)["family"][0]["reachable"] is True  # type: ignore[index]


@pytest.mark.parametrize("consent", [{"tells_state": False}, {"told_state": False}])
def test_it_is_not_shown_unless_both_agreed(consent: dict[str, bool]):
    world = missed(replace(BEN, **consent))  # type: ignore[arg-type]

    assert "Ben" not in world.rows[3]


def test_who_has_no_network_says_nothing_about_others():
    world = missed()

    world.happens(NetworkChanged(()))

    assert "Ben" not in world.rows[3]


def test_members_in_a_conversation_are_told_at_once_when_we_move():
    world = at_home()
    world.happens(CallAnswered(calls_ben(world)))

    assert world.happens(NetworkChanged(("192.168.0.9",))) == (MoveCalls(),)


# Nearby.


def test_who_is_seen_nearby_is_asked_there_and_not_believed():
    world = at_home()

    actions = world.happens(MemberSeen(PIN, (NEARBY,)))

    assert actions == (AskMember(PIN, (NEARBY,)),)
    assert world.phone.memory.family == (BEN,)


def test_a_call_tries_where_the_member_was_just_seen_before_all_else():
    world = at_home()
    world.happens(MemberSeen(PIN, (NEARBY, FAR)))

    world.happens(NumberDialled("030777777"))

    assert world.actions[-2] == CallMember(CallId("out-1"), PIN, (NEARBY, FAR, LAN))


def test_what_was_seen_nearby_counts_no_more_in_another_network():
    world = at_home()
    world.happens(MemberSeen(PIN, (NEARBY,)))
    world.happens(NetworkChanged(("10.0.0.2",)))

    world.happens(NumberDialled("030777777"))

    assert world.actions[-2] == CallMember(CallId("out-1"), PIN, (LAN, FAR))


def test_whoever_says_to_be_a_member_at_a_thousand_places_is_asked_at_four():
    world = at_home()

    actions = world.happens(MemberSeen(PIN, tuple(replace(NEARBY, port=port) for port in range(1, 1000))))

    assert [len(action.addresses) for action in actions if isinstance(action, AskMember)] == [4]


def test_a_stranger_nearby_is_nobody():
    assert at_home().happens(MemberSeen("cd" * 32, (NEARBY,))) == ()


def test_who_was_silent_is_looked_for_nearby_and_greeted_when_seen():
    world = at_home()
    world.passes(3.0)
    world.happens(MemberSilent(PIN))
    world.passes(21.0)
    assert world.actions[-2] == LookAround()
    world.happens(MemberSilent(PIN))
    before = greetings(world)

    world.happens(MemberSeen(PIN, (NEARBY,)))
    world.passes(3.0)

    assert greetings(world) == before + 1
    assert world.actions[-1] == GreetMember(PIN, (NEARBY, LAN, FAR))


def test_who_is_seen_where_it_answered_before_is_left_in_peace():
    world = at_home(replace(BEN, addresses=(replace(LAN, last_worked=5.0),)))
    world.passes(3.0)
    world.happens(MemberReached(PIN, LAN))

    world.happens(MemberSeen(PIN, (LAN,)))
    world.passes(30.0)

    assert greetings(world) == 1


# The connection that is kept.


def test_a_member_whose_connection_ends_is_greeted_soon_and_once():
    world = at_home()
    world.passes(3.0)
    world.happens(MemberReached(PIN, LAN))

    world.happens(MemberParted(PIN))
    world.passes(3.0)
    assert greetings(world) == 2
    world.happens(MemberSilent(PIN))
    world.happens(MemberParted(PIN))
    world.passes(10.0)

    assert greetings(world) == 2


def test_who_answers_by_its_own_connection_is_there_but_nothing_is_learned_about_where():
    world = missed()

    world.happens(MemberReached(PIN, None))

    assert status(world.phone, world.now)["family"][0]["reachable"] is True  # type: ignore[index]
    assert world.phone.memory.family == (BEN,)


# What is learned.


def test_the_address_that_worked_last_comes_first_and_then_the_nearest():
    name = Address("oma.example.org", 5061, Reach.NAME)
    proven = replace(FAR, last_worked=5.0)

    assert best_first((name, LAN, proven)) == (proven, LAN, name)


def test_what_a_member_says_replaces_what_never_worked():
    known = replace(BEN, addresses=(replace(FAR, last_worked=9.0), Address("192.168.0.8", 5061, Reach.LAN)))

    assert learned(known, (LAN,), LAN.host).addresses == (replace(FAR, last_worked=9.0), LAN)


def test_an_address_that_only_the_connection_shows_is_tried_too():
    assert learned(BEN, (LAN,), "93.184.216.34").addresses == (LAN, Address("93.184.216.34", 5061, Reach.IPV4))


def test_a_member_cannot_fill_the_memory():
    told = tuple(Address(f"192.168.1.{last}", 5061, Reach.LAN) for last in range(1, 40))

    assert len(learned(BEN, told, "192.168.2.1").addresses) == MOST_ADDRESSES


def test_an_address_that_goes_on_working_is_not_written_down_again_and_again():
    once = worked(BEN, FAR, 1_700_000_000.0)

    assert worked(once, FAR, 1_700_000_900.0) == once
    assert worked(once, FAR, 1_700_090_000.0) != once


@pytest.mark.parametrize(
    "news",
    [
        "",
        "[]",
        "{}",
        '{"addresses":[["192.168.0.7",0,"lan"]]}',
        '{"addresses":[["192.168.0.7",true,"lan"]]}',
        '{"addresses":[["oma.example.org",5061,"lan"]]}',
        '{"addresses":[["oma.example.org:1;x",5061,"name"]]}',
        '{"addresses":[["192.168.0.7",5061,"moon"]]}',
        '{"addresses":' + "[" * 5000,
    ],
)
def test_news_that_are_none_are_refused(news: str):
    assert read_news(news) is None


def missed(member: Member = BEN) -> World:
    world = at_home(member)
    world.passes(3.0)
    world.happens(MemberSilent(PIN))
    world.passes(90.0)
    world.happens(MemberSilent(PIN))
    return world


def clock(world: World) -> str:
    bond = world.phone.bonds[0]
    minutes = world.phone.local(bond.since)[1]
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def greetings(world: World) -> int:
    return sum(isinstance(action, GreetMember) for action in world.actions)
