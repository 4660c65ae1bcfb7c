# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A card for a real telephone: it registers with what stands on it, says so on its display, and the card is clean."""

import subprocess
import sys
from pathlib import Path

from tests.lab.addresses import Addresses
from tests.lab.kamailio import Kamailio
from tests.lab.phone import Line, Phone, Setup


def boots(phone: Phone, card: Path, root: Path) -> int:
    """What `omafon first-boot` ends with."""
    words = ["--boot", card, "--config", phone.folder / "phone.toml", "--control", phone.folder / "control"]
    done = subprocess.run(
        [sys.executable, "-m", "omafon.cli", "first-boot", *map(str, words), "--root", str(root)],
        capture_output=True,
        timeout=60.0,
    )
    assert b"omapw" not in done.stdout + done.stderr
    return done.returncode


def put(card: Path, phone: Phone, setup: Setup) -> None:
    text = setup.toml(phone.name, phone.address, phone.card.pcm_name if phone.card else "null")
    (card / "omafon.toml").write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())


def test_the_first_card_makes_a_phone_and_a_second_one_that_does_harm_is_refused(
    tmp_path: Path, addresses: Addresses, exchange: Kamailio
) -> None:
    card, root = tmp_path / "boot", tmp_path / "root"
    (root / "etc/ssh").mkdir(parents=True)
    card.mkdir()
    good = Setup(lines=[Line(exchange.address, "oma", exchange.users["oma"])])
    with Phone(tmp_path, addresses.fresh(), "oma", Setup()) as oma:
        put(card, oma, good)

        first = boots(oma, card, root)

        assert first == 0
        oma.is_registered()
        assert oma.status["screen"][0] == "Set up"
        assert [file.name for file in card.iterdir()] == ["omafon-result.txt"]
        assert "home: registered" in (card / "omafon-result.txt").read_text()
        oma.presses("end")
        oma.until(lambda status: status["screen"][0] != "Set up", "shows the time again")

        put(card, oma, Setup(lines=[Line(exchange.address, "oma", "not the password")]))
        second = boots(oma, card, root)

        assert second == 1
        oma.is_registered()
        assert oma.status["screen"][0] == "Card refused"
        told = (card / "omafon-result.txt").read_text()
        assert "refused: generation" in told
        assert "not the password" not in told
        assert (card / "omafon.toml").exists()
