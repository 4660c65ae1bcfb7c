# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The overlays of the boards, compiled by dtc and laid over a tree with the labels of the Raspberry Pi's."""

import subprocess
from pathlib import Path

import pytest

from omafon.board import board_names, load_board
from omafon.board.claims import CARDS, needs_i2c, needs_i2s, needs_spi

OVERLAYS = Path(__file__).parents[2] / "hw" / "overlays"
WIRED = [name for name in board_names() if name != "virtual"]
# Off until an overlay turns it on, as on a Pi. The Pi 5 has two nodes for I²S, the others one under both labels.
PI = """\
/dts-v1/;
/ {
    compatible = "brcm,bcm2835";
    #address-cells = <1>;
    #size-cells = <1>;
    i2c1: i2c@1000 { reg = <0x1000 0x10>; status = "disabled"; };
    spi0: spi@2000 { reg = <0x2000 0x10>; status = "disabled"; };
    i2s_clk_producer: i2s@3000 { reg = <0x3000 0x10>; #sound-dai-cells = <0>; status = "disabled"; };
    i2s_clk_consumer: i2s@4000 { reg = <0x4000 0x10>; #sound-dai-cells = <0>; status = "disabled"; };
};
"""


def compiled(source: str, folder: Path, name: str, *more: str) -> Path:
    made = folder / name
    done = subprocess.run(
        ["dtc", "-@", "-I", "dts", "-O", "dtb", *more, "-o", made, "-"], input=source, text=True, capture_output=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    return made


@pytest.fixture(params=WIRED)
def board(request):
    return load_board(request.param)


@pytest.fixture
def tree(board, tmp_path):
    """The tree of a Pi with the overlay of `board` on it; `tree(node, key)` reads a value, None where there is none."""
    base = compiled(PI, tmp_path, "pi.dtb", "-Wno-simple_bus_reg")
    source = (OVERLAYS / f"omafon-{board.name}.dts").read_text(encoding="utf-8")
    over = compiled(source, tmp_path, "over.dtbo")
    merged = tmp_path / "merged.dtb"
    subprocess.run(["fdtoverlay", "-i", base, "-o", merged, over], check=True)

    def read(node: str, key: str) -> str | None:
        kind = ["-t", "u"] if key == "clock-frequency" else []
        done = subprocess.run(["fdtget", *kind, merged, node, key], text=True, capture_output=True)
        return done.stdout.strip() if done.returncode == 0 else None

    return read


def test_an_overlay_turns_on_the_buses_that_its_board_claims_pins_of_and_no_others(board, tree):
    def on(*nodes):
        return "okay" in [tree(node, "status") for node in nodes]

    assert on("/i2c@1000") == needs_i2c(board)
    assert on("/spi@2000") == needs_spi(board)
    assert on("/i2s@3000", "/i2s@4000") == needs_i2s(board)


def test_the_bus_of_the_display_is_as_fast_as_the_display_allows(board, tree):
    assert tree("/i2c@1000", "clock-frequency") == "400000"


def test_the_codec_becomes_a_card_whose_name_never_changes(board, tree):
    assert tree("/omafon-sound", "simple-audio-card,name") == CARDS.get(board.sound.codec)


def test_an_overlay_takes_no_pin_away_from_the_telephone(board):
    source = (OVERLAYS / f"omafon-{board.name}.dts").read_text(encoding="utf-8")

    assert "brcm,pins" not in source
    assert "gpios" not in source
