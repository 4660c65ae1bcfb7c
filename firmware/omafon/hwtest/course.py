# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Which parts a board has, in the order they are tested; and the test from its first word to its report."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from omafon import cards
from omafon.board import BoardProfile
from omafon.config import AudioConfig
from omafon.core.hardware import Part, Verdict
from omafon.hwtest import report, senses, touch
from omafon.hwtest.apparatus import Apparatus
from omafon.hwtest.sequence import Script, Session, Step
from omafon.hwtest.terminal import Terminal, wrapped

NO_CARD = "null"


def steps(board: BoardProfile, audio: AudioConfig) -> tuple[Step, ...]:
    """Every part, those that the board lacks without a script. Sound is there when a card is named, or expected."""
    sound = board.sound
    voice = audio.voice or (sound.voice if sound else NO_CARD)
    ringer = audio.ringer or (sound.ringer if sound else "") or voice
    elements = sound is not None and any((sound.playback, sound.capture, sound.sidetone, sound.bell, sound.mixer))
    scripts: dict[Part, Callable[[], Script] | None] = {
        Part.KEYS: partial(touch.keys, board) if board.keypad or board.keys else None,
        Part.HOOK: partial(touch.hook, board.hook) if board.hook else None,
        Part.DIAL: partial(touch.dial, board.rotary) if board.rotary else None,
        Part.LAMPS: partial(touch.lamps, board.lamps) if board.lamps else None,
        Part.DISPLAY: senses.display if board.display and board.display.driver else None,
        Part.MIXER: senses.mixer if elements else None,
        Part.EAR: senses.ear if voice != NO_CARD else None,
        Part.BELL: senses.bell if ringer != NO_CARD else None,
        Part.MICROPHONE: senses.microphone if voice != NO_CARD else None,
        Part.DELAY: senses.delay if voice != NO_CARD else None,
    }
    return tuple(Step(part, script) for part, script in scripts.items())


def _show(line: str) -> None:
    print(line, flush=True)


def run(
    board: BoardProfile,
    audio: AudioConfig,
    file: Path,
    *,
    apparatus: Apparatus | None = None,
    keyboard: int = 0,
    say: Callable[[str], None] = _show,
    root: Path = cards.ROOT,
) -> bool:
    """Test `board` with a person, and write the report to `file`; whether nothing was found that does not work.

    Raises OSError when the file cannot be written.
    """
    session = Session(steps(board, audio))
    apparatus = apparatus or Apparatus(board, audio, root=root)
    try:
        say(f"Omafon hardware test, board {board.name}. Nothing here calls anybody.")
        Terminal(session, apparatus, keyboard, say).run()
    finally:
        apparatus.close()
    findings = session.findings.values()
    say("")
    for line in report.table(findings):
        say(wrapped(line))
    report.write(file, report.facts(board, findings, root))
    say("")
    say(wrapped(f"For a bug report: {file} tells of the hardware only."))
    return not any(finding.verdict is Verdict.BROKEN for finding in findings)
