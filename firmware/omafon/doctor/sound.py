# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The sound cards that Linux knows, and whether those the owner names are among them."""

import re
from collections.abc import Iterator

from omafon import cards
from omafon.config import Config
from omafon.doctor.finding import Finding, note, ok, wrong
from omafon.doctor.machine import Machine

_CURE = "Plug it in; `aplay -l` lists it when Linux knows it. A card on the header needs its line in config.txt."


def sound(machine: Machine, config: Config, *, asked: bool) -> Iterator[Finding]:
    """A phone that was `asked` has said itself whether it suffers without a card."""
    found = _cards(machine)
    if not found and asked:
        yield note("cards", "this machine has no sound card")
    elif not found:
        yield wrong("cards", "this machine has no sound card", _CURE)
    else:
        yield ok("cards", ", ".join(f"CARD={card}" for card in found))
    for key, wanted in (("voice", config.audio.voice), ("ringer", config.audio.ringer)):
        named = re.search(r"CARD=([^,\s]+)", wanted)
        if named and named[1] not in found:
            yield wrong("cards", f"CARD={named[1]}, which [audio] {key} names, is not there", _CURE)
        elif wanted.startswith(cards.USB) and not any(card.socket == wanted[4:] for card in cards.cards(machine.root)):
            yield wrong("cards", f"nothing that sounds is in the socket that [audio] {key} names: {wanted}", _CURE)


def _cards(machine: Machine) -> list[str]:
    return re.findall(r"^\s*\d+ \[(\S+)", machine.text("proc/asound/cards") or "", re.MULTILINE)
