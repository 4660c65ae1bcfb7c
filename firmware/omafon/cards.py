# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Sound cards as an owner names them: by what a card is or where it is plugged in, never by a number.

'CARD=Handset' is the card with this ALSA id. 'USB=1-1.2' is the one in this USB socket: two handsets of a kind have
ids that change places when they are plugged in in another order, the sockets stay. Everything else is an ALSA PCM
of that name. Empty is the first card there is.
"""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/")

USB = "USB="
_CARD = re.compile(r"(?:^|:)CARD=(?P<id>[^,]+)")


@dataclass(frozen=True, slots=True)
class Card:
    """A card of this machine: its ALSA id, and the USB socket it is in ('1-1.2'), if it is."""

    id: str
    socket: str = ""


def cards(root: Path = ROOT) -> tuple[Card, ...]:
    """The cards there are now, in the kernel's order."""
    found: dict[int, Card] = {}
    for entry in (root / "proc/asound").glob("card[0-9]*"):
        try:
            card = entry.joinpath("id").read_text(encoding="ascii").strip()
            # The interface of the USB device the card belongs to: .../1-1/1-1.2/1-1.2:1.0
            device = (root / "sys/class/sound" / entry.name / "device").resolve().name
        except OSError:
            continue  # pulled out while we look
        socket = device.partition(":")[0] if re.fullmatch(r"[0-9]+-[0-9.]+:[0-9.]+", device) else ""
        found[int(entry.name.removeprefix("card"))] = Card(card, socket)
    return tuple(found[number] for number in sorted(found))


def named(wanted: str, root: Path = ROOT) -> str | None:
    """`wanted` without USB sockets and without the empty name: 'CARD=…' or the name of a PCM; None while there is none.

    A bare ALSA id is taken as well.
    """
    if wanted.startswith(USB):
        return next((f"CARD={card.id}" for card in cards(root) if card.socket == wanted.removeprefix(USB)), None)
    if not wanted:
        return next((f"CARD={card.id}" for card in cards(root)), None)
    if any(card.id == wanted for card in cards(root)):
        return f"CARD={wanted}"
    return wanted


def there(card: str, root: Path = ROOT) -> bool:
    """Whether a `named` card is plugged in. A PCM of the owner's own is taken to be."""
    found = _CARD.search(card)
    return found is None or any(known.id == found["id"] for known in cards(root))


def pcm(card: str) -> str:
    """The ALSA PCM to play on a `named` card: the one that takes every rate and every number of channels.

    >>> pcm("CARD=Handset"), pcm("omafon_oma")
    ('plughw:CARD=Handset,DEV=0', 'omafon_oma')
    """
    return f"plughw:{card},DEV=0" if card.startswith("CARD=") else card


def control(card: str) -> str:
    """The ALSA control device of a `named` card.

    >>> control("CARD=Handset"), control("plughw:CARD=Handset,DEV=0"), control("omafon_oma")
    ('hw:CARD=Handset', 'hw:CARD=Handset', 'omafon_oma')
    """
    found = _CARD.search(card)
    return f"hw:CARD={found['id']}" if found else card
