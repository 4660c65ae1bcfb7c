# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The results as a person reads them, and as the next run compares them with."""

import json
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.figures import FIGURES, Figure, Values

OURS = "omafon"


def verdict(figure: Figure, row: dict[str, float]) -> str:
    """'met', 'missed' or nothing, where there is no aim or nothing to hold it against."""
    limit = figure.aim.limit(row) if figure.aim else None
    if limit is None or OURS not in row:
        return ""
    return "met" if row[OURS] <= limit else "missed"


def text(values: Values, agents: list[str], figures: Sequence[Figure] = FIGURES) -> str:
    """One line a figure, one column an agent; each peer's value with its ratio to ours behind it."""
    lines = [f"{'':<24}" + "".join(f"{agent:>18}" for agent in agents) + "  aim"]
    for figure in figures:
        row = values.get(figure.key, {})
        cells = (f"{_cell(row, agent, figure.unit):>18}" for agent in agents)
        aim = f"  {figure.aim.words}  {verdict(figure, row)}" if figure.aim else ""
        lines.append(f"{figure.words:<24}{''.join(cells)}{aim}".rstrip())
    return "\n".join(lines)


def keep(values: Values, folder: Path, figures: Sequence[Figure] = FIGURES) -> Path:
    """Write the values with the machine and the day they belong to."""
    now = datetime.now(UTC)
    folder.mkdir(exist_ok=True)
    path = folder / f"{now:%Y-%m-%dT%H%M%S}.json"
    machine = {"system": platform.platform(), "python": platform.python_version(), "processors": os.cpu_count()}
    missed = [figure.key for figure in figures if verdict(figure, values.get(figure.key, {})) == "missed"]
    kept = {"at": now.isoformat(timespec="seconds"), "machine": machine, "missed": missed, "values": values}
    path.write_text(json.dumps(kept, indent=2) + "\n")
    return path


def _cell(row: dict[str, float], agent: str, unit: str) -> str:
    if agent not in row:
        return "-"
    value = f"{row[agent]:.1f} {unit}"
    if agent == OURS or OURS not in row or not row[OURS]:
        return value
    return f"{value} ({row[agent] / row[OURS]:.2f})"
