# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Runs the benchmarks: all of them, or those that are named."""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench import echo, enum, family, keypad, oled, ringing, setting_up, starting, table, talking
from bench.agents import AGENTS
from bench.figures import FIGURES, Figure, Values
from tests.lab.addresses import Addresses
from tests.lab.certificates import Authority
from tests.lab.heard import LabError
from tests.lab.kamailio import Kamailio
from tests.lab.pjsua import binary

RESULTS = Path(__file__).parent / "results"
CODECS = ("opus", "pcma")


@dataclass(frozen=True, slots=True)
class Run:
    """How thoroughly is measured: `times` over, for `window_s` seconds, in the folder `work`; calls by `agents`."""

    work: Path
    times: int
    window_s: float
    agents: Sequence[str]

    def folder(self, name: str) -> Path:
        made = self.work / name
        made.mkdir()
        return made


@dataclass(frozen=True, slots=True)
class Part:
    """What can be measured for itself: beside which agents, and how; `measure` raises LabError."""

    words: str
    figures: Sequence[Figure]
    agents: Sequence[str]
    measure: Callable[[Run], Values]


def calls(run: Run) -> Values:
    """Agent by agent; what an agent fails at is said, and missing from the table."""
    values: Values = {}
    addresses = Addresses()
    work = run.folder("calls")
    words = talking.speech(work)
    (work / "kamailio").mkdir()
    with Kamailio(work / "kamailio", addresses.fresh(), {"oma": "omapw"}, Authority(work / "kamailio")) as exchange:
        for name in run.agents:
            steps = {
                "starting": partial(starting.measure, exchange=exchange, times=run.times),
                "setting up calls": partial(setting_up.measure, exchange=exchange, times=run.times),
                **{
                    f"talking in {codec}": partial(talking.measure, codec=codec, words=words, window_s=run.window_s)
                    for codec in CODECS
                },
            }
            for what, step in steps.items():
                say(f"{name}: {what}")
                folder = work / f"{name} {what}".replace(" ", "-")
                folder.mkdir()
                exchange.forgets("oma")
                try:
                    measured = step(name, folder, addresses)
                except LabError as error:
                    say(f"{name}: {what} failed: {error}")
                    continue
                for key, value in measured.items():
                    values.setdefault(key, {})[name] = value
    return values


PARTS: dict[str, Part] = {
    "calls": Part("start, calls, memory, CPU and delay, beside other agents", FIGURES, list(AGENTS), calls),
    "enum": Part(
        *("numbers looked up", enum.FIGURES, enum.AGENTS),
        lambda run: enum.measure(run.folder("enum"), run.times),
    ),
    "ringing": Part(
        *("how soon the bell rings and is silent", ringing.FIGURES, ringing.AGENTS),
        lambda run: ringing.measure(run.times * 10, run.window_s),
    ),
    "echo": Part(
        *("what the far end hears of itself", echo.FIGURES, echo.AGENTS),
        lambda run: echo.measure(run.folder("echo"), run.window_s),
    ),
    "family": Part(
        *("how soon two phones are paired, and how soon the other one rings", family.FIGURES, family.AGENTS),
        lambda run: family.measure(run.folder("family"), run.times),
    ),
    "oled": Part(
        *("what a change of the screen costs on its bus", oled.FIGURES, oled.AGENTS),
        lambda _: oled.measure(),
    ),
    "keypad": Part(
        *("how soon a key is told, and what waiting for one costs", keypad.FIGURES, keypad.AGENTS),
        lambda run: keypad.measure(run.times, run.window_s),
    ),
}


def parser() -> argparse.ArgumentParser:
    """The command line of `./dev bench`."""
    listed = "\n".join(f"  {name:<9}{part.words}" for name, part in PARTS.items())
    made = argparse.ArgumentParser(
        prog="./dev bench",
        description="The telephone measured, beside others in the same run.",
        epilog=f"parts:\n{listed}\n\nWithout a part all are measured, and the result is kept in bench/results/.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("parts", nargs="*", metavar="PART", help=f"only these: {', '.join(PARTS)}")
    made.add_argument("--agents", metavar="NAMES", help=f"for calls, only these of {','.join(AGENTS)}")
    made.add_argument("--quick", action="store_true", help="shorter and less exact; nothing is kept")
    return made


def chosen(arguments: Sequence[str]) -> tuple[list[str], list[str], bool]:
    """The parts and agents to measure, and whether quickly. Ends the program when it is asked for anything else."""
    said = parser().parse_args(arguments)
    if unknown := [name for name in said.parts if name not in PARTS]:
        hint = f"; write --agents {','.join(unknown)}" if set(unknown) <= set(AGENTS) else ""
        parser().error(f"no part is called {', '.join(unknown)}: there are {', '.join(PARTS)}{hint}")
    agents = said.agents.split(",") if said.agents else list(AGENTS)
    if unknown := [name for name in agents if name not in AGENTS]:
        parser().error(f"no agent is called {', '.join(unknown)}: there are {', '.join(AGENTS)}")
    return [name for name in PARTS if name in said.parts or not said.parts], agents, said.quick


def main() -> int:
    names, agents, quick = chosen(sys.argv[1:])
    times, window_s = (2, 5.0) if quick else (7, 20.0)
    if "calls" in names and "pjsua" in agents:
        try:
            binary()
        except LabError as error:
            say(f"without pjsua: {error}")
            agents.remove("pjsua")
    values: Values = {}
    load = os.getloadavg()[0]
    failed = False
    with tempfile.TemporaryDirectory(prefix="omafon-bench-") as work:
        run = Run(Path(work), times, window_s, agents)
        for name in names:
            say(PARTS[name].words)
            try:
                values.update(PARTS[name].measure(run))
            except LabError as error:
                say(f"{name} failed: {error}")
                failed = True
    for name in names:
        part = PARTS[name]
        columns = [agent for agent in part.agents if name != "calls" or agent in agents]
        print(f"{table.text(values, columns, part.figures)}\n")
    if load > 1:
        print(f"The machine was busy: its load was {load:.1f} at the start. The figures are worse than they should be.")
    if not quick:
        print(f"kept in {table.keep(values, RESULTS, [figure for name in names for figure in PARTS[name].figures])}")
    return 1 if failed else 0


def say(what: str) -> None:
    """To the person who waits."""
    print(f"bench: {what}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
