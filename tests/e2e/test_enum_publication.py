# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The own number in a zone of the owner: put there and taken out, at Knot DNS and at BIND."""

import base64
import json
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from omafon.cli import main
from omafon.config import EnumConfig, parse
from omafon.core.dialplan import E164
from omafon.core.naptr import NaptrRecord, enum_domain
from omafon.drivers.dns import Clock
from omafon.drivers.zone import Key, Records, WrongTime, Zone
from omafon.enum_publication import publish, unpublish
from omafon.enum_report import look_up
from omafon.interfaces import DriverError
from tests.lab.addresses import Addresses
from tests.lab.bind import Bind
from tests.lab.knot import Signing, naptr_line
from tests.lab.primary import KnotPrimary, Writer

ZONE = "family.test"
NUMBER = E164("+4930123456")
NAME = enum_domain(NUMBER, ZONE)
OTHER = enum_domain(E164("+4930999999"), ZONE)
KEY = Key("oma-phone", "hmac-sha256", base64.b64encode(secrets.token_bytes(32)).decode())
SOMEBODY = NaptrRecord(10, 10, "u", "E2U+sip", "!^.*$!sip:somebody@example.net!", ".")


@pytest.fixture(scope="module", params=["knot", "bind"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, addresses: Addresses
) -> Iterator[str]:
    """A primary whose zone holds one number of somebody else; the phone's key may write its own."""
    folder, writer, lines = tmp_path_factory.mktemp("primary"), Writer(KEY, (NAME,)), [naptr_line(OTHER, SOMEBODY)]
    if request.param == "knot":
        with KnotPrimary(folder, addresses.fresh(), {ZONE: lines}, writer=writer) as knot:
            yield knot.server
    else:
        with Bind(folder, ZONE, lines, writer=writer) as bind:
            yield bind.server


def configuration(
    server: str, number: str = NUMBER, uri: str = "sip:oma@example.net", services: str = "", **keys: str | int
) -> str:
    """A phone.toml that publishes in the zone."""
    part: dict[str, str | int] = {"zone": ZONE, "server": server, "uri": uri, "ttl_s": 300}
    part |= {"key_name": KEY.name, "key_secret": KEY.secret} | keys
    lines = [f"{key} = {json.dumps(value)}" for key, value in part.items()]
    text = [f'[phone]\nnumber = "{number}"\n[enum.publish]', *lines, "[enum.publish.services]", services]
    return "\n".join(text) + "\n"


@pytest.fixture
def written(server: str, tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Writes a phone.toml; what it published is taken out at the end."""

    def write(*arguments: str, **keys: str) -> Path:
        path = tmp_path / "phone.toml"
        path.write_text(configuration(server, *arguments, **keys))
        return path

    yield write
    unpublish(parse(configuration(server)))


def test_a_published_number_is_found_by_enum(server: str, written: Callable[..., Path]):
    config = parse(written(services='"email:mailto" = "mailto:oma@example.net"').read_text())

    done = publish(config)

    found = look_up(NUMBER, EnumConfig(trees=(ZONE,), servers=(server,)))
    assert done.changes
    assert found.best.dial == "sip:oma@example.net"
    assert [(s.service, s.uri) for s in found.best.found.services] == list(done.services.items())
    assert [tree["services"] for tree in found.as_json()["trees"]] == [
        [
            {"service": "sip", "uri": "sip:oma@example.net", "order": 100, "preference": 10},
            {"service": "email:mailto", "uri": "mailto:oma@example.net", "order": 100, "preference": 20},
        ]
    ]


def test_publishing_twice_changes_nothing_the_second_time(written: Callable[..., Path]):
    config = parse(written().read_text())

    assert publish(config).changes
    assert not publish(config).changes


def test_what_was_published_before_is_replaced(written: Callable[..., Path]):
    publish(parse(written(services='"web:https" = "https://example.net/oma"').read_text()))

    done = publish(parse(written(uri="sip:oma@new.example.net").read_text()))

    assert done.services == {"sip": "sip:oma@new.example.net"}
    assert len(done.old.records) == 2


def test_unpublishing_leaves_nothing_of_ours_and_all_of_others(server: str, written: Callable[..., Path]):
    config = parse(written().read_text())
    publish(config)

    done = unpublish(config)

    there = Zone(ZONE, tuple_of(server), KEY)
    assert done.changes
    assert there.read(NAME) == Records()
    assert there.read(OTHER).records == {SOMEBODY}
    assert not unpublish(config).changes


def tuple_of(server: str) -> tuple[str, int]:
    address, _, port = server.rpartition(":")
    return address, int(port)


def test_a_dry_run_shows_the_update_and_sends_none(
    server: str, written: Callable[..., Path], capsys: pytest.CaptureFixture[str]
):
    assert main(["enum", "publish", "--dry-run", "--config", str(written())]) == 0

    told = capsys.readouterr().out
    assert f'update add {NAME} 300 NAPTR 100 10 "u" "E2U+sip" "!^.*$!sip:oma@example.net!" .' in told
    assert KEY.secret not in told
    assert Zone(ZONE, tuple_of(server), KEY).read(NAME) == Records()


def test_the_command_says_what_it_did(written: Callable[..., Path], capsys: pytest.CaptureFixture[str]):
    path = str(written())

    assert [main(["enum", act, "--config", path]) for act in ("publish", "publish", "unpublish", "unpublish")] == [
        0
    ] * 4

    told = capsys.readouterr().out
    assert "Published, and read back" in told
    assert "published already" in told
    assert "Removed 1 record:" in told
    assert "Nothing is published there." in told


def test_programs_are_told_in_json(written: Callable[..., Path], capsys: pytest.CaptureFixture[str]):
    assert main(["enum", "publish", "--json", "--config", str(written())]) == 0

    told = json.loads(capsys.readouterr().out)
    assert told["changed"]
    assert told["name"] == NAME
    assert told["services"] == {"sip": "sip:oma@example.net"}


WRONG_SECRET = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    ("number", "keys", "sentence"),
    [
        ("+4930999999", {}, f"does not let the key oma-phone change {OTHER}"),
        (NUMBER, {"key_name": "stranger"}, "does not let the key stranger change"),
        (NUMBER, {"key_secret": WRONG_SECRET}, "the server's key oma-phone is another one"),
        (NUMBER, {"key_algorithm": "hmac-sha512"}, "oma-phone"),
        (NUMBER, {"zone": "example.net"}, "the server does not keep the zone example.net"),
        (NUMBER, {"zone": "test", "tree": ZONE}, "the server does not keep the zone test"),
    ],
)
def test_every_refusal_is_a_sentence_with_a_cure(
    number: str, keys: dict[str, str], sentence: str, written: Callable[..., Path], capsys: pytest.CaptureFixture[str]
):
    code = main(["enum", "publish", "--config", str(written(number, **keys))])

    said = capsys.readouterr()
    assert code == 1
    assert sentence in said.err
    assert said.err.count("\n") == 2
    assert KEY.secret not in said.err + said.out


def test_what_somebody_else_changed_meanwhile_is_not_overwritten(server: str, written: Callable[..., Path]):
    zone = Zone(ZONE, tuple_of(server), KEY)
    new = Records(frozenset({SOMEBODY}), 300)
    publish(parse(written().read_text()))

    with pytest.raises(DriverError, match="at the same moment"):
        zone.replace(NAME, new, old=Records())

    with pytest.raises(DriverError, match="at the same moment"):
        zone.replace(NAME, Records(), old=new)


class Switched:
    """The clock of a phone that was just switched on: `off_s` wrong, until it was looked at `looks` times."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, off_s: float, looks: int) -> None:
        true = time.time
        self._left = looks
        monkeypatch.setattr(time, "time", lambda: true() + (off_s if self._left else 0))

    def __call__(self) -> Clock:
        self._left = max(0, self._left - 1)
        return Clock(time.time(), is_set=time.time() > 1_700_000_000, is_kept=not self._left)


@pytest.mark.parametrize("off_s", [-4000, 4000, -1.7e9])
def test_a_clock_that_is_not_set_yet_is_waited_for(
    off_s: float, written: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
):
    said: list[str] = []

    done = publish(parse(written().read_text()), said.append, wall_clock=Switched(monkeypatch, off_s, looks=3))

    assert done.services
    assert said == ["waiting for a time server to set the clock"]


@pytest.mark.parametrize(("off_s", "sentence"), [(-4000, "67 minutes behind"), (100_000, "28 hours ahead")])
def test_a_clock_that_a_time_server_keeps_and_the_zone_does_not_believe_is_told_by_how_much(
    off_s: float, sentence: str, written: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as wrong:
        Switched(wrong, off_s, looks=1)
        with pytest.raises(WrongTime, match=sentence):
            publish(parse(written().read_text()), wall_clock=lambda: Clock(time.time()))


def test_a_number_published_in_a_signed_zone_is_proven_by_dnssec(tmp_path: Path, addresses: Addresses):
    writer = Writer(KEY, (NAME,))
    with KnotPrimary(tmp_path, addresses.fresh(), {ZONE: []}, writer=writer, signed={ZONE: Signing()}) as knot:
        publish(parse(configuration(knot.server)))
        enum = EnumConfig(
            trees=(ZONE,), servers=(knot.server,), dnssec={ZONE: "require"}, anchors={ZONE: knot.anchor(ZONE)}
        )

        found = look_up(NUMBER, enum).best

    assert found.dial == "sip:oma@example.net"
    assert found.secure
