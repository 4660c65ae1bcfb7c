# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The table of the benchmarks: what misses its aim is said."""

import pytest

from bench.__main__ import PARTS, chosen
from bench.agents import AGENTS
from bench.figures import FIGURES
from bench.table import text, verdict

START, CPU = FIGURES[0], next(figure for figure in FIGURES if figure.key == "opus_cpu_s")


def test_an_aim_in_numbers_is_met_or_missed() -> None:
    assert verdict(START, {"omafon": 1000.0}) == "met"
    assert verdict(START, {"omafon": 1000.1}) == "missed"


def test_an_aim_beside_a_peer_depends_on_the_peer() -> None:
    assert verdict(CPU, {"omafon": 1.1, "pjsua": 1.0}) == "met"
    assert verdict(CPU, {"omafon": 1.2, "pjsua": 1.0}) == "missed"


def test_an_aim_beside_a_peer_that_was_not_measured_is_neither() -> None:
    assert verdict(CPU, {"omafon": 1.1}) == ""
    assert verdict(START, {"baresip": 100.0}) == ""


def test_the_table_has_a_line_a_figure_and_ratios_to_ours() -> None:
    lines = text({"start_ms": {"omafon": 200.0, "baresip": 300.0}}, ["omafon", "baresip"]).splitlines()

    assert len(lines) == 1 + len(FIGURES)
    assert " ".join(lines[1].split()) == "exec to registered 200.0 ms 300.0 ms (1.50) ≤ 1000 ms met"
    assert "-" in lines[2]


def test_a_part_is_measured_alone_and_without_one_all_are() -> None:
    assert chosen(["enum"])[0] == ["enum"]
    assert chosen([])[0] == list(PARTS)
    assert chosen(["--quick", "keypad", "oled"]) == (["oled", "keypad"], list(AGENTS), True)


def test_every_part_has_figures_of_its_own() -> None:
    keys = [figure.key for part in PARTS.values() for figure in part.figures]

    assert len(set(keys)) == len(keys)


def test_a_part_that_is_not_there_is_refused_with_those_that_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        chosen(["enumm"])

    assert "there are calls, enum, ringing" in capsys.readouterr().err


def test_an_agent_is_no_part(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        chosen(["baresip"])

    assert "write --agents baresip" in capsys.readouterr().err
