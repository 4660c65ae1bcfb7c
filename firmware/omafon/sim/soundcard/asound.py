# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Tells ALSA which virtual sound cards there are."""

from collections.abc import Iterable
from pathlib import Path

from omafon.sim.soundcard.card import SoundCard
from omafon.sim.soundcard.plugin import build

CARD = """\
pcm.{pcm} {{
    type plug
    slave.pcm {{ type omafon card "{path}" }}
    hint {{ show on description "{description}" }}
}}
ctl.{pcm} {{ type omafon card "{path}" }}
"""

# Who lists the PCMs asks each card of the machine for its name first, and gives up when it cannot.
NAMES = "ctl.hw { @args [ CARD ] @args.CARD { type integer default 0 } type hw card $CARD }\n"


def write_asound_conf(path: Path, cards: Iterable[SoundCard], *, default: SoundCard | None = None) -> dict[str, str]:
    """Write an ALSA configuration with these cards alone; returns the environment that makes programs read it.

    It does not include the system's: a telephone then sees the same few cards on every machine, and does not spend
    its start probing others. `default` is what programs get that open the PCM "default".

    Raises DriverError when the plugin cannot be compiled.
    """
    library = build()
    parts = [NAMES, *(f'{kind}_type.omafon {{ lib "{library}" }}\n' for kind in ("pcm", "ctl"))]
    parts += [CARD.format(pcm=card.pcm_name, path=card.path, description=f"handset of {card.name}") for card in cards]
    if default:
        parts.append(CARD.format(pcm="!default", path=default.path, description=f"handset of {default.name}"))
    path.write_text("".join(parts), encoding="utf-8")
    return {"ALSA_CONFIG_PATH": str(path)}
