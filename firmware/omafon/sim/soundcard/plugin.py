# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Compiles the ALSA plugin of the virtual sound card, once a machine."""

import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

from omafon.interfaces import DriverError

SOURCES = ("card.h", "pcm.c", "ctl.c")
COMPILE = ("cc", "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-shared", "-fPIC", "-DPIC")
LIBRARY = "libasound_module_omafon.so"


def build() -> Path:
    """The plugin's shared library, compiled now when this source was not compiled on this machine before.

    Several processes may ask at once: each compiles for itself and one result is kept.

    Raises DriverError when there is no C compiler or no ALSA header, or when the compiler fails.
    """
    source = Path(__file__).parent
    recipe = hashlib.sha256("\0".join((*COMPILE, platform.machine())).encode())
    for name in SOURCES:
        recipe.update((source / name).read_bytes())
    library = _cache() / "soundcard" / recipe.hexdigest()[:12] / LIBRARY
    if not library.exists():
        _compile(source, library)
    return library


def _cache() -> Path:
    if chosen := os.environ.get("OMAFON_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "omafon"


def _compile(source: Path, library: Path) -> None:
    if shutil.which(COMPILE[0]) is None:
        raise DriverError("the virtual sound card needs a C compiler", "apt install gcc libc6-dev libasound2-dev")
    library.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=library.parent) as work:
        fresh = Path(work) / LIBRARY
        inputs = [str(source / name) for name in SOURCES if name.endswith(".c")]
        done = subprocess.run([*COMPILE, "-o", str(fresh), *inputs, "-lasound"], capture_output=True, text=True)
        if done.returncode == 0:
            fresh.rename(library)
            return
    if "alsa/asoundlib.h" in done.stderr or "-lasound" in done.stderr:
        raise DriverError("the virtual sound card needs the ALSA headers", "apt install libasound2-dev")
    raise DriverError(f"the virtual sound card does not compile:\n{done.stderr}", "report this with the text above")
