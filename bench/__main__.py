# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Runs the benchmarks."""

import argparse
import os
import sys
import tempfile
from functools import partial
from pathlib import Path

from bench import echo, enum, oled, ringing, setting_up, starting, table, talking
from bench.agents import AGENTS
from bench.figures import FIGURES, Values
from tests.lab.addresses import Addresses
from tests.lab.certificates import Authority
from tests.lab.heard import LabError
from tests.lab.kamailio import Kamailio
from tests.lab.pjsua import binary

RESULTS = Path(__file__).parent / "results"
CODECS = ("opus", "pcma")
EVERY_FIGURE = (*FIGURES, *enum.FIGURES, *ringing.FIGURES, *echo.FIGURES, *oled.FIGURES)


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev bench", description="The telephone beside other agents.")
    parser.add_argument("agents", nargs="*", metavar="AGENT", help=f"only these of {', '.join(AGENTS)}")
    parser.add_argument("--quick", action="store_true", help="shorter and less exact; nothing is kept")
    arguments = parser.parse_args()
    agents = arguments.agents or list(AGENTS)
    if unknown := set(agents) - set(AGENTS):
        parser.error(f"no agent is called {', '.join(sorted(unknown))}: there are {', '.join(AGENTS)}")
    times, window_s = (2, 5.0) if arguments.quick else (7, 20.0)
    if "pjsua" in agents:
        try:
            binary()
        except LabError as error:
            print(f"bench: without pjsua: {error}", file=sys.stderr)
            agents.remove("pjsua")
    values: Values = {}
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="omafon-bench-") as work:
        measure(agents, Path(work), times, window_s, values)
        measure_enum(Path(work), times, values)
        measure_echo(Path(work), window_s, values)
    print("bench: ringing", file=sys.stderr)
    values.update(ringing.measure(times * 10, window_s))
    print("bench: changing the screen", file=sys.stderr)
    values.update(oled.measure())
    print(table.text(values, agents))
    print(f"\n{table.text(values, enum.AGENTS, enum.FIGURES)}")
    print(f"\n{table.text(values, ringing.AGENTS, ringing.FIGURES)}")
    print(f"\n{table.text(values, echo.AGENTS, echo.FIGURES)}")
    print(f"\n{table.text(values, oled.AGENTS, oled.FIGURES)}")
    if load > 1:
        print(f"The machine was busy: its load was {load:.1f} at the start. The figures are worse than they should be.")
    if not arguments.quick:
        print(f"kept in {table.keep(values, RESULTS, EVERY_FIGURE)}")
    return 0


def measure(agents: list[str], work: Path, times: int, window_s: float, values: Values) -> None:
    """Fill `values`, agent by agent; what an agent fails at is said, and missing from the table."""
    addresses = Addresses()
    words = talking.speech(work)
    (work / "kamailio").mkdir()
    with Kamailio(work / "kamailio", addresses.fresh(), {"oma": "omapw"}, Authority(work / "kamailio")) as exchange:
        for name in agents:
            steps = {
                "starting": partial(starting.measure, exchange=exchange, times=times),
                "setting up calls": partial(setting_up.measure, exchange=exchange, times=times),
                **{
                    f"talking in {codec}": partial(talking.measure, codec=codec, words=words, window_s=window_s)
                    for codec in CODECS
                },
            }
            for what, step in steps.items():
                print(f"bench: {name}: {what}", file=sys.stderr)
                folder = work / f"{name} {what}".replace(" ", "-")
                folder.mkdir()
                exchange.forgets("oma")
                try:
                    measured = step(name, folder, addresses)
                except LabError as error:
                    print(f"bench: {name}: {what} failed: {error}", file=sys.stderr)
                    continue
                for key, value in measured.items():
                    values.setdefault(key, {})[name] = value


def measure_enum(work: Path, times: int, values: Values) -> None:
    """Fill in how a number is looked up."""
    print("bench: looking numbers up", file=sys.stderr)
    folder = work / "enum"
    folder.mkdir()
    try:
        values.update(enum.measure(folder, times))
    except LabError as error:
        print(f"bench: looking numbers up failed: {error}", file=sys.stderr)


def measure_echo(work: Path, window_s: float, values: Values) -> None:
    """Fill in what the far end hears of itself."""
    print("bench: an echo", file=sys.stderr)
    folder = work / "echo"
    folder.mkdir()
    try:
        values.update(echo.measure(folder, window_s))
    except LabError as error:
        print(f"bench: an echo failed: {error}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
