# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What is different between two configurations: their texts, and which secrets, but none of these."""

import difflib
from dataclasses import dataclass

from omafon.provision.secrets import Parted, redacted


@dataclass(frozen=True, slots=True)
class Difference:
    """A unified diff, empty where the texts are the same; and of each credential "new", "gone" or "changed"."""

    text: str
    secrets: dict[str, str]

    def __bool__(self) -> bool:
        return bool(self.text or self.secrets)

    def as_text(self) -> str:
        told = [f"credential {name}: {how}\n" for name, how in self.secrets.items()]
        return self.text + "".join(told)


def difference(old: Parted, new: Parted, called: tuple[str, str]) -> Difference:
    """What there is in `new` and not in `old`, which are `called` so."""
    before, after = (redacted(each.text).splitlines() for each in (old, new))
    rows = difflib.unified_diff(before, after, *called, lineterm="")
    secrets = {}
    for name in sorted(old.secrets.keys() | new.secrets.keys()):
        if name not in old.secrets:
            secrets[name] = "new"
        elif name not in new.secrets:
            secrets[name] = "gone"
        elif old.secrets[name] != new.secrets[name]:
            secrets[name] = "changed"
    return Difference("".join(f"{row}\n" for row in rows), secrets)
