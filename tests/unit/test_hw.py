# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The folder hw/: what is made from the profiles of the boards is up to date, and what is written by hand agrees."""

import csv
import json
import re
import subprocess
from collections import Counter
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omafon.board import BoardProfile, board_names, load_board, parse_board, schema
from omafon.board.boot import config_txt, overlay
from omafon.board.checking import LEGENDS
from omafon.board.claims import CARDS, claims
from omafon.board.diagram import drawing
from omafon.board.header import HEADER, I2C, I2S, SERIAL, SPI, USABLE
from omafon.board.wires import devices, table

HW = Path(__file__).parents[2] / "hw"
DOCS = HW.parent / "docs"
WIRED = [name for name in board_names() if name != "virtual"]
SVG = "{http://www.w3.org/2000/svg}"


# What is made from the profiles.


@pytest.mark.parametrize("board", WIRED)
@pytest.mark.parametrize(
    ("made", "place"),
    [
        (drawing, "wiring/{}.svg"),
        (table, "wiring/{}.txt"),
        (overlay, "overlays/omafon-{}.dts"),
        (config_txt, "boot/{}.txt"),
    ],
)
def test_what_is_made_from_a_board_is_up_to_date(board, made, place, request):
    file = HW / place.format(board)
    if request.config.getoption("--update-golden"):
        file.write_text(made(load_board(board)), encoding="utf-8")

    assert file.read_text(encoding="utf-8") == made(load_board(board))


def test_the_schema_of_a_board_is_up_to_date(request):
    file = HW / "boards" / "schema.json"
    if request.config.getoption("--update-golden"):
        file.write_text(schema(), encoding="utf-8")

    assert file.read_text(encoding="utf-8") == schema()
    assert json.loads(schema())["$defs"]["HookProfile"]["properties"]["pin"]["pattern"].startswith("^gpio")


# The drawing.


def wires_of(svg: str) -> list[tuple[str, list[tuple[float, float]]]]:
    """Colour and corners of every wire that is drawn."""
    found = []
    for path in ElementTree.fromstring(svg).iter(f"{SVG}path"):
        if path.get("stroke-width") == "2.6":
            corners, x, y = [], 0.0, 0.0
            for letter, numbers in re.findall(r"([MHV])([-0-9. ]+)", path.get("d", "")):
                values = [float(number) for number in numbers.split()]
                x, y = (values[0], values[1]) if letter == "M" else (values[0], y) if letter == "H" else (x, values[0])
                corners.append((x, y))
            found.append((path.get("stroke", ""), corners))
    return found


def runs_upon(one: list[tuple[float, float]], other: list[tuple[float, float]]) -> bool:
    """Whether a straight piece of one wire lies on a piece of another."""
    for (x1, y1), (x2, y2) in pairwise(one):
        for (x3, y3), (x4, y4) in pairwise(other):
            level = y1 == y2 and y3 == y4 and abs(y1 - y3) < 4
            if level and min(max(x1, x2), max(x3, x4)) - max(min(x1, x2), min(x3, x4)) > 2:
                return True
            upright = x1 == x2 and x3 == x4 and abs(x1 - x3) < 4
            if upright and min(max(y1, y2), max(y3, y4)) - max(min(y1, y2), min(y3, y4)) > 2:
                return True
    return False


@pytest.mark.parametrize("board", WIRED)
def test_no_wire_of_the_drawing_runs_upon_another(board):
    wires = wires_of(drawing(load_board(board)))

    upon = [
        (a, b) for i, (a, one) in enumerate(wires) for b, other in wires[i + 1 :] if a != b and runs_upon(one, other)
    ]

    assert upon == []


@pytest.mark.parametrize("board", WIRED)
def test_every_wire_is_drawn_and_in_the_table(board):
    profile = load_board(board)
    wires = [wire for part in devices(profile) for wire in part.wires]
    lines = [re.split(r"\s{2,}", line.strip()) for line in table(profile).split("\n\n")[0].splitlines()[1:]]

    assert len(wires_of(drawing(profile))) == len(wires)
    assert Counter((line[0], line[-1]) for line in lines) == Counter((str(w.number), w.terminal) for w in wires)


@pytest.mark.parametrize("board", WIRED)
def test_every_pin_that_the_profile_claims_for_a_part_has_its_wire(board):
    profile = load_board(board)
    parts = {claim.pin for claim in claims(profile) if claim.pin not in (I2C | SPI | I2S | SERIAL)}

    wired = {wire.on for part in devices(profile) for wire in part.wires}

    assert parts - {"gpio0", "gpio1"} <= wired


@st.composite
def boards(draw: st.DrawFn) -> BoardProfile:
    """Any board with a matrix, keys, lamps, a hook switch and a display, on any pins."""
    pins = iter(draw(st.permutations([pin for pin in USABLE if pin not in I2C])))
    legends = iter(draw(st.permutations([legend for legend in LEGENDS if legend not in "0123456789"])))
    rows, columns = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    keys = [[next(legends, "") if draw(st.booleans()) else "" for _ in range(columns)] for _ in range(rows)]
    text = [
        'name = "any"',
        "[keypad]",
        f"rows = {[next(pins) for _ in range(rows)]}",
        f"columns = {[next(pins) for _ in range(columns)]}",
        f"keys = {keys}",
        f'[hook]\npin = "{next(pins)}"',
        '[display]\nwidth = 128\nheight = 64\ndriver = "sh1106"',
        "[keys]",
        *(f'"{legend}" = "{next(pins)}"' for legend in list(legends)[: draw(st.integers(0, 3))]),
        "[lamps]",
        *(f'{lamp} = "{next(pins)}"' for lamp in ("message", "ringer", "line") if draw(st.booleans())),
    ]
    return parse_board("\n".join(text))


@settings(max_examples=25, deadline=None)
@given(boards())
def test_any_board_can_be_drawn_within_its_sheet(board):
    svg = drawing(board)
    root = ElementTree.fromstring(svg)
    width, height = float(root.get("width", "")), float(root.get("height", ""))

    assert len(wires_of(svg)) == sum(len(part.wires) for part in devices(board))
    for shape in root.iter(f"{SVG}rect"):
        x, y = float(shape.get("x", "0")), float(shape.get("y", "0"))
        assert 0 <= x <= x + float(shape.get("width", "")) <= width
        assert 0 <= y <= y + float(shape.get("height", "")) <= height


def test_the_header_is_that_of_the_raspberry_pi():
    assert len(HEADER) == 40
    assert [number for number, name in HEADER.items() if name == "GND"] == [6, 9, 14, 20, 25, 30, 34, 39]
    assert sorted(name for name in HEADER.values() if name in USABLE) == sorted(USABLE)


# What is written by hand.


@pytest.mark.parametrize(("pcm", "loud", "silent"), [("handset", 0, 1), ("bell", 1, 0)])
def test_what_is_played_to_one_place_of_the_codec_is_not_heard_at_the_other(pcm, loud, silent, tmp_path):
    played, heard, conf = tmp_path / "played.raw", tmp_path / "heard.raw", tmp_path / "asound.conf"
    (np.sin(np.arange(16000) / 5) * 20000).astype("<i2").tofile(played)
    card = f'{{ type file slave.pcm null file "{heard}" format raw }}'
    text = (HW / "alsa" / "mk1.conf").read_text(encoding="utf-8")
    conf.write_text("</usr/share/alsa/alsa.conf>\n" + text.replace('pcm "hw:CARD=Handset"', f"pcm {card}"))

    # From the mono of a conversation to the two channels of the codec.
    subprocess.run(
        ["aplay", "-q", "-D", pcm, "-t", "raw", "-f", "S16_LE", "-c", "1", "-r", "16000", played],
        env={"ALSA_CONFIG_PATH": str(conf), "PATH": "/usr/bin:/bin"},
        check=True,
        timeout=20,
    )

    channels = np.fromfile(heard, dtype="<i2").reshape(-1, 2)
    assert np.abs(channels[:, loud]).max() > 19000
    assert np.abs(channels[:, silent]).max() == 0


def cards_of(board: str) -> set[str]:
    sound = load_board(board).sound
    assert sound is not None
    return {sound.voice, sound.ringer}


@pytest.mark.parametrize("board", WIRED)
def test_the_pcms_of_a_board_and_their_controls_are_in_its_alsa_configuration(board):
    for pcm in cards_of(board):
        if not pcm.startswith("CARD="):
            text = (HW / "alsa" / f"{board}.conf").read_text(encoding="utf-8")
            assert f"pcm.{pcm} {{" in text
            assert f"ctl.{pcm} {{" in text
            assert f"CARD={CARDS['wm8960']}" in text


def test_the_rules_of_udev_are_whole():
    lines = (HW / "udev" / "90-omafon.rules").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    word = r'(ACTION|SUBSYSTEMS?|KERNEL|ENV\{\w+\}|ATTR\{[\w/.]+\}|TEST|GOTO|LABEL|GROUP|MODE)(==|!=|=)"[^"]*"'

    assert [rule for rule in rules if not re.fullmatch(rf"{word}(, {word})*", rule)] == []
    assert set(re.findall('GOTO="(.*?)"', "\n".join(rules))) <= set(re.findall('LABEL="(.*?)"', "\n".join(rules)))


def test_every_card_of_a_board_is_named_by_udev_or_by_its_overlay():
    rules = (HW / "udev" / "90-omafon.rules").read_text(encoding="utf-8")
    named = {f"CARD={card}" for card in {*re.findall(r'ATTR\{id\}="(\w+)"', rules), *CARDS.values()}}

    assert {card for board in WIRED for card in cards_of(board) if card.startswith("CARD=")} <= named


def bill() -> list[dict[str, str]]:
    with (HW / "bom.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_board_has_its_bill_of_materials():
    assert sorted({row["board"] for row in bill()}) == WIRED
    assert all(int(row["quantity"]) > 0 and float(row["price_eur"]) > 0 and row["part"] for row in bill())


@pytest.mark.parametrize("board", WIRED)
def test_the_page_tells_what_a_board_costs(board):
    total = sum(int(row["quantity"]) * float(row["price_eur"]) for row in bill() if row["board"] == board)

    page = (DOCS / "hardware.md").read_text(encoding="utf-8")

    assert re.search(rf"^\| `{board}` .*\| {total:.0f} € \|$", page, re.M), f"{board} costs {total:.0f} €"


@pytest.mark.parametrize("board", WIRED)
def test_a_resistor_is_bought_for_every_lamp_and_a_button_for_every_key(board):
    profile = load_board(board)
    lamps = profile.lamps and [profile.lamps.message, profile.lamps.ringer, profile.lamps.line]
    bought = {row["part"]: int(row["quantity"]) for row in bill() if row["board"] == board}

    assert bought.get("Resistor 330 Ω", 0) == sum(map(bool, lamps or []))
    assert bought.get("Push button", 0) == len(profile.keys)
