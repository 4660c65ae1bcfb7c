# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The scripts of what is seen, heard and said: display, mixers, ear, bell, microphone, and the card's delay."""

from collections.abc import Generator

from omafon.core.hardware import Finding, Part, Picture, Verdict
from omafon.hwtest.answers import yes
from omafon.hwtest.sequence import (
    Answered,
    Event,
    Finished,
    Heard,
    Measured,
    MeasureDelay,
    Play,
    Record,
    Say,
    Script,
    SetMixers,
    Show,
    Sound,
    Turn,
    Wish,
)

SILENT_DB = -60.0
"""A voice at a handset's microphone is 30 dB above this, and the noise of an open input below it."""
TOO_LOUD_DB = -6.0
DELAY_MAX_MS = 60.0
"""What a card alone may take, out of it and back in, of the 120 ms from mouth to ear that people do not notice: the
other half is for call engine and codec, which this test leaves out and `*#1#` does not (core/selftest.py)."""
BAR = 30

_PICTURES = (
    (Picture.ALL_ON, "Is every dot of the display lit?", "dots stay dark"),
    (Picture.ALL_OFF, "Is the display all dark?", "dots stay lit"),
    (
        Picture.CHESSBOARD,
        "Is it an even chessboard from edge to edge?",
        "the picture is shifted or torn: another driver?",
    ),
    (Picture.TEXT, "Can you read it, upright, in a frame with four sides?", "text is wrong: see rotate and driver"),
)


def display() -> Script:
    """Four pictures, each looked at."""
    seen = []
    for picture, question, wrong in _PICTURES:
        if not (yield from yes(question, Show(picture))):
            seen.append(wrong)
    return Finding(Part.DISPLAY, Verdict.BROKEN if seen else Verdict.WORKS, tuple(seen))


def mixer() -> Script:
    """Set as in a call. That it fails is told as Failed."""
    yield from _until(Finished, SetMixers())
    return Finding(Part.MIXER, Verdict.WORKS)


def ear() -> Script:
    """A tone in the handset."""
    if (yield from yes("Hold the handset to your ear. Do you hear a tone?", Play(Sound.TONE))):
        return Finding(Part.EAR, Verdict.WORKS)
    note = "no tone in the ear: the card's mixer, another card, or the wires of the ear capsule"
    return Finding(Part.EAR, Verdict.BROKEN, (note,))


def bell() -> Script:
    """From low to high, as loud as it rings."""
    if (yield from yes("Does the bell sound from low to high, without a rattle?", Play(Sound.SWEEP))):
        return Finding(Part.BELL, Verdict.WORKS)
    note = "the bell does not sound well: the loudspeaker, its amplifier, or another card"
    return Finding(Part.BELL, Verdict.BROKEN, (note,))


def microphone() -> Script:
    """Speak, see the level, hear yourself."""
    yield from _until(Answered, Say("Press Enter, then say something for two seconds."))
    wishes: tuple[Wish, ...] = (Record(),)
    peak_db = -96.0
    while True:
        event = yield Turn(wishes)
        wishes = ()
        match event:
            case Heard(level_db):
                peak_db = max(peak_db, level_db)
                wishes = (Say(f"  {level_db:4.0f} dB  {meter(level_db)}"),)
            case Finished():
                break
    facts = {"peak_db": round(peak_db, 1)}
    if peak_db < SILENT_DB:
        note = "nothing was heard: the card's mixer, another card, or the wires of the microphone"
        return Finding(Part.MICROPHONE, Verdict.BROKEN, (note,), facts)
    heard = yield from yes("Did you hear yourself, clear and not cut off?", Play(Sound.RECORDING))
    notes = [f"as loud as {peak_db:.0f} dB"]
    if peak_db > TOO_LOUD_DB:
        notes.append("That is too loud for the card: turn microphone_db in phone.toml down.")
    if not heard:
        notes.append("what was recorded is not heard well: the microphone, or the ear")
    return Finding(Part.MICROPHONE, Verdict.WORKS if heard else Verdict.BROKEN, tuple(notes), facts)


def delay() -> Script:
    """A chirp out of the ear and back through the microphone."""
    yield from _until(Answered, Say("Lay the ear of the handset on its microphone, or leave it quiet, then Enter."))
    event = yield from _until(Measured, Say("  three chirps"), MeasureDelay())
    if not isinstance(event, Measured) or event.delay_ms is None:
        note = "the chirps did not come back to the microphone: too quiet, or the room too loud"
        return Finding(Part.DELAY, Verdict.UNTESTED, (note,))
    facts = {"delay_ms": round(event.delay_ms, 1)}
    note = f"{event.delay_ms:.1f} ms from the card to the card, without buffers"
    if event.delay_ms > DELAY_MAX_MS:
        return Finding(Part.DELAY, Verdict.BROKEN, (note, "It makes conversation hard: use another card."), facts)
    return Finding(Part.DELAY, Verdict.WORKS, (note,), facts)


def meter(level_db: float) -> str:
    """A bar of up to BAR characters; full is 0 dB, empty SILENT_DB.

    >>> meter(-30.0)
    '###############'
    """
    return "#" * round(BAR * min(max(1 - level_db / SILENT_DB, 0.0), 1.0))


def _until(kind: type[Event], *wishes: Wish) -> Generator[Turn, Event, Event]:
    """Do `wishes`, then wait for an event of this kind."""
    event = yield Turn(wishes)
    while not isinstance(event, kind):
        event = yield Turn()
    return event
