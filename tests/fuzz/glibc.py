# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""glibc's regexec(3), asked in a process of its own: some patterns it never comes back from.

As a program: takes lines of JSON, [pattern, subject], and answers each with the spans of the match and its groups,
null where there is no match, and "refused" for what it does not compile.
"""

import ctypes
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

Spans = tuple[tuple[int, int] | None, ...]

HANGS = "hangs"
REFUSED = "refused"
_BATCH_S = 5.0
_REG_EXTENDED = 1
_GROUPS = 20


def answers(pairs: Sequence[tuple[str, str]]) -> list[Spans | str | None]:
    """For each (pattern, subject) the spans of the match and its groups, None without a match, REFUSED, or HANGS."""
    found: list[Spans | str | None] = []
    while len(found) < len(pairs):
        left = pairs[len(found) :]
        asked = "".join(json.dumps(pair) + "\n" for pair in left).encode()
        command = [sys.executable, "-I", str(Path(__file__))]
        try:
            told = subprocess.run(command, input=asked, stdout=subprocess.PIPE, timeout=_BATCH_S, check=True).stdout
        except subprocess.TimeoutExpired as late:
            told = late.stdout or b""
        lines = told.split(b"\n")[:-1]
        found += [_read(json.loads(line)) for line in lines]
        if len(lines) < len(left):
            found.append(HANGS)
    return found


def _read(told: list[list[int]] | str | None) -> Spans | str | None:
    if not isinstance(told, list):
        return told
    return tuple((start, end) if start >= 0 else None for start, end in told)


class _Match(ctypes.Structure):
    _fields_ = (("start", ctypes.c_int), ("end", ctypes.c_int))


def _spans(libc: ctypes.CDLL, pattern: str, subject: str) -> list[list[int]] | str | None:
    compiled = ctypes.create_string_buffer(256)  # larger than any regex_t
    if libc.regcomp(compiled, pattern.encode(), _REG_EXTENDED):
        return REFUSED
    matches = (_Match * _GROUPS)()
    failed = libc.regexec(compiled, subject.encode(), _GROUPS, matches, 0)
    libc.regfree(compiled)
    groups = pattern.count("(") + 1
    return None if failed else [[match.start, match.end] for match in matches[:groups]]


def _main() -> None:
    # ctypes frees nothing of glibc's memory: what one pattern eats, the next cannot have.
    libc = ctypes.CDLL(None)
    for line in sys.stdin:
        pattern, subject = json.loads(line)
        print(json.dumps(_spans(libc, pattern, subject)), flush=True)


if __name__ == "__main__":
    _main()
