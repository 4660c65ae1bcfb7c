# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What came out: a table for the person, and a file for a bug report that tells nothing about its owner."""

import json
import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import msgspec

from omafon import __version__, cards
from omafon.board import BoardProfile
from omafon.core.hardware import Finding

MODEL = "proc/device-tree/model"
_LIBRARIES = ("gpiozero", "luma.core", "luma.oled", "pyalsaaudio", "rpi-lgpio", "spidev")


def table(findings: Iterable[Finding]) -> list[str]:
    """A line for each part, and its notes beneath."""
    lines = []
    for finding in findings:
        lines.append(f"{finding.part:<12} {finding.verdict}")
        lines += [f"{'':13}{note}" for note in finding.notes]
    return lines


def facts(board: BoardProfile, findings: Iterable[Finding], root: Path = cards.ROOT) -> dict[str, Any]:
    """All that somebody needs who was not there. No name of a person, of the machine, or of a file is in it."""
    return {
        "omafon": __version__,
        "machine": {
            "model": _model(root),
            "kernel": platform.release(),
            "architecture": platform.machine(),
            "python": platform.python_version(),
            **{library: _version(library) for library in _LIBRARIES},
        },
        "cards": [card.id for card in cards.cards(root)],
        "board": msgspec.to_builtins(board),
        "parts": [
            {
                "part": finding.part.value,
                "verdict": finding.verdict.value,
                "notes": list(finding.notes),
                "facts": dict(finding.facts),
            }
            for finding in findings
        ],
    }


def write(path: Path, told: dict[str, Any]) -> None:
    """Raises OSError."""
    path.write_text(json.dumps(told, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _model(root: Path) -> str:
    try:
        return (root / MODEL).read_text(encoding="ascii", errors="replace").rstrip("\0\n")
    except OSError:
        return "no Raspberry Pi"


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "not installed"
