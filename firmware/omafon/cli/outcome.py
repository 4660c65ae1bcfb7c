# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""How a command ends: what the shell is told, and what the person."""

import json
import sys
from enum import IntEnum


class Exit(IntEnum):
    """What the shell is told; 69, 75 and 78 are those of sysexits.h."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NO_DAEMON = 69
    BUSY = 75
    CONFIG = 78


def counted(count: int, thing: str) -> str:
    """
    >>> counted(1, "message"), counted(0, "message"), counted(2, "message")
    ('1 message', 'no messages', '2 messages')
    """
    return f"{count or 'no'} {thing}{'' if count == 1 else 's'}"


def print_json(value: object) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2 if sys.stdout.isatty() else None))


def complain(what: str, cure: str, code: Exit) -> int:
    print(f"omafon: {what}" + (f"\n  {cure}" if cure else ""), file=sys.stderr)
    return code
