# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Virtual sound cards as a machine has them: known to ALSA, in sockets, and under the ids the kernel gave them."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from omafon.cards import Card
from omafon.sim.soundcard import SoundCard, write_asound_conf
from omafon.sim.soundcard.asound import CARD


@contextmanager
def handset(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str = "handset") -> Iterator[SoundCard]:
    """A card that this process has alone, by its PCM's name."""
    with SoundCard(name) as card:
        for variable, value in write_asound_conf(folder / "asound.conf", [card]).items():
            monkeypatch.setenv(variable, value)
        yield card


def machine(root: Path, *plugged: Card) -> Path:
    """A machine with these cards, in the order the kernel found them."""
    for number, card in enumerate(plugged):
        entry = root / f"proc/asound/card{number}"
        entry.mkdir(parents=True)
        (entry / "id").write_text(f"{card.id}\n")
        (root / "proc/asound" / card.id).symlink_to(entry.name)
        device = root / "sys/devices/platform/soc/sound"
        if card.socket:
            device = root / f"sys/devices/platform/usb1/{card.socket}/{card.socket}:1.0"
        device.mkdir(parents=True, exist_ok=True)
        node = root / f"sys/class/sound/card{number}"
        node.mkdir(parents=True)
        (node / "device").symlink_to(device)
    return root


class Sockets:
    """A machine with empty USB sockets, and handsets by their ALSA ids to be plugged in."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, handsets: dict[str, SoundCard]) -> None:
        self.root = folder / "machine"
        self.handsets = handsets
        conf = folder / "asound.conf"
        for variable, value in write_asound_conf(conf, ()).items():
            monkeypatch.setenv(variable, value)
        known = (
            CARD.format(pcm=f'"CARD={id}"', path=card.path, description=f"handset {id}")
            for id, card in handsets.items()
        )
        conf.write_text(conf.read_text() + "".join(known))
        self.empty()

    def empty(self) -> None:
        """Pull everything out."""
        shutil.rmtree(self.root, ignore_errors=True)
        for card in self.handsets.values():
            card.unplug()

    def plug(self, id: str, socket: str) -> SoundCard:
        """Put the handset that the kernel calls `id` into `socket`, alone."""
        self.empty()
        self.handsets[id].plug()
        machine(self.root, Card(id, socket))
        return self.handsets[id]
