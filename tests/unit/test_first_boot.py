# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What an owner puts on the card, and what becomes of it: real files and generations, a phone and a time of our own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from omafon.client import NoDaemon
from omafon.config import Config, ConfigError, load
from omafon.machine.card import Card
from omafon.machine.first_boot import Following, Result, Surroundings, take
from omafon.machine.network_settle import settle_file
from omafon.provision.generations import Generations
from omafon.provision.session import Session
from omafon.provision.transaction import Transaction
from omafon.provision.world import World

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl oma@laptop"
FIRST = """
[phone]
name = "Oma"
language = "de"
[[wifi]]
ssid = "Zuhause"
password = "wlan-geheim"
[[line]]
name = "home"
aor = "sip:100@example.org"
password = "sip-geheim"
"""


class Time:
    """Seconds that pass when somebody waits."""

    def __init__(self) -> None:
        self.now = 100.0
        self.waited: list[Callable[[], None]] = []

    def boottime(self) -> float:
        return self.now

    def unix(self) -> float:
        return 1_800_000_000.0 + self.now

    def boot_id(self) -> str:
        return "this boot"

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        for act in self.waited:
            act()


class Telephone:
    """A phone that takes what it is given, and registers each line as `answers` says it."""

    def __init__(self, config: Path) -> None:
        self._config = config
        self._runs = Config()
        self._generation: int | None = None
        self.is_there = True
        self.answers: dict[str, tuple[int, str]] = {}
        self.notices: list[list[str]] = []

    def status(self) -> dict[str, Any]:
        self._answer()
        return {
            "config": {
                "generation": self._generation, "refused": None, "safe_mode": False, "pending_restart": False
            },
            "lines": [self._line(line.name) for line in self._runs.line],
            "drivers": {"voice": "ok", "ringer": "ok", "display": "ok", "keypad": "ok"},
            "calls": [],
            "hook": "on",
        }  # fmt: skip

    def reload(self, *, now: bool) -> dict[str, Any]:
        self._answer()
        self._runs = load(self._config) if self._config.exists() else Config()
        self._generation = Generations(self._config).current()
        return {"taken": "now", "generation": self._generation}

    def notice(self, rows: list[str]) -> None:
        self._answer()
        self.notices.append(rows)

    def _answer(self) -> None:
        if not self.is_there:
            raise NoDaemon("no phone answers")

    def _line(self, name: str) -> dict[str, Any]:
        status, reason = self.answers.get(name, (200, "OK"))
        return {"name": name, "registered": status == 200, "status": status, "reason": reason}


class House:
    """A machine with a card in it."""

    def __init__(self, place: Path) -> None:
        self.boot, self.etc = place / "boot", place / "etc/omafon"
        for folder in (self.boot, self.etc, place / "etc/ssh"):
            folder.mkdir(parents=True)
        self.root = place
        self.config = self.etc / "phone.toml"
        self.time = Time()
        self.phone = Telephone(self.config)
        self.addresses: tuple[str, ...] = ("192.0.2.7",)
        self.said: list[str] = []

    def puts(self, name: str, text: str | bytes) -> None:
        (self.boot / name).write_bytes(text if isinstance(text, bytes) else text.encode())

    def boots(self) -> Result | None:
        def settle() -> None:
            settle_file(self.config, self.root)

        follows = Following(self.phone, settle, lambda: self.addresses, self.time)
        world = World(follows, self.time, Session("the card"), lambda: True, lambda: None, self.said.append)
        return take(
            Surroundings(
                card=Card(self.boot),
                config=self.config,
                host_keys=self.root / "etc/ssh",
                phone=self.phone,
                transaction=Transaction(Generations(self.config), world),
                settle=settle,
                addresses=lambda: self.addresses,
                host=lambda: "omafon-1a2b",
                clock=self.time,
                say=self.said.append,
            )
        )

    @property
    def on_the_card(self) -> list[str]:
        return sorted(file.name for file in self.boot.iterdir())

    @property
    def told(self) -> str:
        content = (self.boot / "omafon-result.txt").read_bytes()
        assert content.startswith(b"\xef\xbb\xbf")
        assert content.count(b"\n") == content.count(b"\r\n")
        return content.decode("utf-8-sig").replace("\r\n", "\n")

    @property
    def networks(self) -> int:
        return len(list((self.root / "etc/NetworkManager/system-connections").glob("omafon-*")))


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_an_empty_card_is_nothing_to_speak_of(house: House):
    assert house.boots() is None
    assert house.on_the_card == []


def test_a_fresh_phone_takes_its_configuration_its_networks_and_its_keys(house: House):
    house.puts("omafon.toml", FIRST)
    house.puts("authorized_keys", KEY)

    result = house.boots()

    assert result is not None
    assert result.good
    assert load(house.config).line[0].password == "sip-geheim"
    assert house.networks == 1
    assert (house.etc / "authorized_keys").read_text() == f"{KEY}\n"
    assert "omafon.toml: taken over, generation 1 is in force" in house.told
    assert "home: registered" in house.told
    assert "ssh phone@192.0.2.7" in house.told
    assert house.phone.notices == [["Eingerichtet", "192.0.2.7", "omafon-1a2b", "Angemeldet"]]


def test_secrets_leave_the_card_and_stand_in_no_result(house: House):
    house.puts("omafon.toml", FIRST)

    house.boots()

    assert house.on_the_card == ["omafon-result.txt"]
    assert "geheim" not in house.told


@pytest.mark.parametrize(
    "content",
    [
        FIRST.replace("\n", "\r\n").encode(),
        b"\xef\xbb\xbf" + FIRST.encode(),
        b"\xef\xbb\xbf" + FIRST.replace("\n", "\r\n").encode(),
        FIRST.rstrip("\n").encode(),
        b"",
        b"# nothing yet\r\n",
        '[phone]\nname = "Großmutter Ürsel"\n'.encode(),
    ],
)
@pytest.mark.parametrize("name", ["omafon.toml", "OMAFON.TOML", "omafon.toml.txt", "Omafon.toml.TXT"])
def test_what_any_editor_makes_of_a_good_file_is_good(house: House, name: str, content: bytes):
    house.puts(name, content)

    result = house.boots()

    assert result is not None
    assert result.good, house.told
    assert house.on_the_card == ["omafon-result.txt"]


@pytest.mark.parametrize(
    ("content", "line", "what"),
    [
        (b'[phone]\nnmae = "Oma"\n', 2, 'unknown key "nmae". Did you mean "name"?'),
        (b'[phone\nname = "Oma"\n', 1, ""),
        (b'[phone]\r\n\r\nname = "Oma\r\n', 3, "a text is not closed"),
        ('[phone]\nname = “Oma”\n'.encode(), 2, "these are curly quotes"),
        (b'[phone]\nname = "Gro\xdfmutter"\n', 2, "the text is not UTF-8"),
        ("[phone]\n".encode("utf-16"), 1, "the text is not UTF-8"),
        (b'[phone]\nboard = "no-such-board"\n', None, ""),
        (b'[[line]]\nname = "home"\naor = "100@example.org"\n', 3, "is not a SIP address"),
        (b'[[line]]\nname = "home"\naor = "sip:1@x.org"\npassword = "geheim\n', 4, "a text is not closed"),
        (b'[[wifi]]\nssid = "x"\npassword = "kurz"\n', 3, "is no WPA password"),
        (b'[[line]]\nname = "home"\naor = "sip:1@x.org"\npassword_credential = "no"\n', 4, ""),
        (b"\x00" * 100, 1, ""),
        (b"{\\rtf1\\ansi omafon}", 1, ""),
        (b"x = " + b"[" * 5000, None, "nested too deeply"),
        (b"#" * 300_000, None, "is larger than 256 KiB"),
    ],
)  # fmt: skip
def test_a_broken_file_is_refused_with_its_line_and_stays(house: House, content: bytes, line: int | None, what: str):
    house.puts("omafon.toml", content)

    result = house.boots()

    assert result is not None
    assert not result.good
    assert what in house.told
    assert result.files[0].line == line
    assert "geheim" not in house.told
    assert house.on_the_card == ["omafon-result.txt", "omafon.toml"]
    assert not house.config.exists()
    assert house.phone.notices[0][0] == "Karte abgelehnt"


@pytest.mark.parametrize(
    ("content", "heading"),
    [
        ('[phone]\nlanguage = "en"\nnmae = "Gran"\n', "Card refused"),
        ('[phone\nlanguage = "en"\n', "Card refused"),
        ("[phone]\nlanguage = “en”\n", "Karte abgelehnt"),
    ],
)
def test_a_fresh_phone_refuses_a_card_in_the_language_of_its_file(house: House, content: str, heading: str):
    house.puts("omafon.toml", content)

    house.boots()

    assert house.phone.notices[0][0] == heading


def test_a_phone_that_was_set_up_keeps_its_own_language(house: House):
    house.puts("omafon.toml", FIRST)
    house.boots()
    house.puts("omafon.toml", '[phone\nlanguage = "en"\n')

    house.boots()

    assert house.phone.notices[-1][0] == "Karte abgelehnt"


def test_with_a_broken_file_the_keys_are_taken_all_the_same(house: House):
    house.puts("omafon.toml", "[phone")
    house.puts("authorized_keys.txt", KEY)

    house.boots()

    assert (house.etc / "authorized_keys").exists()
    assert house.on_the_card == ["omafon-result.txt", "omafon.toml"]


def test_broken_keys_change_nothing(house: House):
    (house.etc / "authorized_keys").write_text("as before")
    house.puts("authorized_keys", f"{KEY}\nssh-ed25519 AAAA\n")

    house.boots()

    assert (house.etc / "authorized_keys").read_text() == "as before"
    assert "line 2: is no whole key" in house.told


def test_what_was_refused_is_not_tried_again_until_it_changes(house: House):
    house.puts("omafon.toml", "[phone")
    house.boots()

    again = house.boots()
    house.puts("omafon.toml", FIRST)
    corrected = house.boots()

    assert again is None
    assert corrected is not None
    assert corrected.good


def test_who_deletes_the_result_has_it_tried_again(house: House):
    house.puts("omafon.toml", "[phone")
    house.boots()
    (house.boot / "omafon-result.txt").unlink()

    assert house.boots() is not None


def test_the_first_configuration_is_kept_though_its_line_is_refused(house: House):
    house.phone.answers["home"] = (403, "Forbidden")
    house.puts("omafon.toml", FIRST)

    result = house.boots()

    assert result is not None
    assert result.good
    assert load(house.config).phone.name == "Oma"
    assert "home: not registered (403 Forbidden)" in house.told
    assert house.phone.notices[0][3] == "Nicht angemeldet"


def test_a_later_configuration_whose_line_is_refused_goes_back_and_stays_on_the_card(house: House):
    house.puts("omafon.toml", FIRST)
    house.boots()
    house.phone.answers["work"] = (403, "Forbidden")
    house.puts("omafon.toml", FIRST.replace('"home"', '"work"').replace("Zuhause", "Anderswo"))

    result = house.boots()

    assert result is not None
    assert not result.good
    assert load(house.config).line[0].name == "home"
    assert load(house.config).wifi[0].ssid == "Zuhause"
    assert "not registered (403 Forbidden)" in house.told
    assert "omafon.toml" in house.on_the_card


def test_a_later_configuration_that_is_as_good_is_taken_with_its_networks(house: House):
    house.puts("omafon.toml", FIRST)
    house.boots()
    house.puts("omafon.toml", FIRST + '[[wifi]]\nssid = "Garten"\n')

    result = house.boots()

    assert result is not None
    assert result.good
    assert house.networks == 2


def test_the_same_configuration_again_changes_nothing(house: House):
    house.puts("omafon.toml", FIRST)
    house.boots()
    house.puts("omafon.toml", FIRST)

    house.boots()

    assert "unchanged, generation 1 is in force" in house.told


def test_a_power_cut_before_the_file_left_the_card_does_no_harm(house: House):
    house.puts("omafon.toml", FIRST)
    house.boots()
    # The result is on the card, the configuration in force, and the file was renamed and half erased.
    house.puts("omafon.toml.erasing", bytes(40) + FIRST.encode()[40:])

    assert house.boots() is None
    assert house.on_the_card == ["omafon-result.txt"]


def test_the_network_may_take_its_time(house: House):
    house.addresses = ()

    def the_network_comes() -> None:
        if house.time.now > 150.0:
            house.addresses = ("192.0.2.9",)

    house.time.waited.append(the_network_comes)
    house.puts("omafon.toml", FIRST)

    house.boots()

    assert "ssh phone" not in house.told
    assert "Address    192.0.2.9" in house.told
    assert house.time.now < 170.0


def test_without_a_network_the_result_says_so(house: House):
    house.addresses = ()
    house.puts("omafon.toml", FIRST)

    house.boots()

    assert "Address    none: there is no network" in house.told
    assert house.time.now < 300.0


def test_a_phone_that_does_not_run_gets_its_configuration_all_the_same(house: House):
    house.phone.is_there = False
    house.puts("omafon.toml", FIRST)

    result = house.boots()

    assert result is not None
    assert result.good
    assert load(house.config).phone.name == "Oma"
    assert "The phone does not answer" in house.told


def test_while_somebody_else_is_changing_it_the_file_waits_for_the_next_start(house: House):
    house.puts("omafon.toml", FIRST)

    with Generations(house.config).locked():
        result = house.boots()

    assert result is not None
    assert result.put_off
    assert house.on_the_card == ["omafon-result.txt", "omafon.toml"]
    assert house.boots() is not None
    assert house.on_the_card == ["omafon-result.txt"]


def test_two_files_that_could_be_meant_are_both_left_alone(house: House):
    house.puts("omafon.toml", FIRST)
    house.puts("omafon.toml.txt", FIRST)

    house.boots()

    assert "are both there. Delete one of the two." in house.told
    assert len(house.on_the_card) == 3


def test_the_generation_says_that_it_came_from_the_card(house: House):
    house.puts("omafon.toml", FIRST)

    house.boots()

    assert Generations(house.config).meta(1).by == "the card"


def test_a_card_that_cannot_be_read_is_an_error(house: House):
    house.boot.rmdir()

    with pytest.raises(OSError, match="boot"):
        house.boots()


def test_the_errors_of_a_file_are_all_told(house: House):
    house.puts("omafon.toml", '[phone]\nnmae = "x"\n[[line]]\nname = "y"\n')

    house.boots()

    with pytest.raises(ConfigError):
        load(house.boot / "omafon.toml")
    assert house.told.count("line ") >= 2
