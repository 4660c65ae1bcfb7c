# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""ALSA's library says on stderr what went wrong, in words for developers, before its caller can say it in others."""

from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import CDLL, CFUNCTYPE, c_char_p, c_int

# File, line, function, error number, format; what follows for the format is left alone.
_ErrorHandler = CFUNCTYPE(None, c_char_p, c_int, c_char_p, c_int, c_char_p)


@contextmanager
def alsa_hushed() -> Iterator[None]:
    """Keep the library's own words back, in the whole process, while this lasts."""
    alsa = CDLL("libasound.so.2")
    handler = _ErrorHandler(_says_nothing)
    alsa.snd_lib_error_set_handler(handler)
    try:
        yield
    finally:
        alsa.snd_lib_error_set_handler(None)


def _says_nothing(file: bytes, line: int, function: bytes, error: int, words: bytes) -> None: ...
