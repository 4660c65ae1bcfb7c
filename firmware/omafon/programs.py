# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The system's own programs, where they are installed: a phone need not have all of them."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Ran:
    """How a program ended: `out` on standard output, `err` the last line of its complaints."""

    good: bool
    out: str = ""
    err: str = ""


def run(words: Sequence[str], *, given: str = "", timeout_s: float = TIMEOUT_S, path: str | None = None) -> Ran | None:
    """Run a program by its name; None when there is none. Never raises, and a program that hangs is ended.

    It speaks English, whatever the machine does, and is looked for in the directories of `path` instead of $PATH.
    """
    program = shutil.which(words[0], path=path)
    if program is None:
        return None
    try:
        done = subprocess.run(
            [program, *words[1:]],
            input=given.encode(),
            capture_output=True,
            timeout=timeout_s,
            check=False,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
        )
    except subprocess.TimeoutExpired:
        return Ran(False, err=f"{words[0]} did not end within {timeout_s:.0f} s")
    except OSError as error:
        return Ran(False, err=f"{words[0]}: {error.strerror}")
    complaints = done.stderr.decode(errors="replace").strip().splitlines()
    return Ran(done.returncode == 0, done.stdout.decode(errors="replace"), complaints[-1] if complaints else "")
