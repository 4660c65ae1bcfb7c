# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The mixer of a sound card, in decibels: ALSA's simple elements, by way of the C library.

pyalsaaudio has a Mixer too. It drops every error of setting a value, holds the interpreter's lock while a card is
asked, keeps the memory of each that it could not open, and where a card has no decibels, its ranges are whatever was
in memory before.
"""

import ctypes
import math
import os
from collections.abc import Callable
from ctypes import CDLL, POINTER, byref, c_char_p, c_int, c_long, c_void_p
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from types import TracebackType
from typing import Self

from omafon.core.loudness import factor


class MixerError(Exception):
    """A mixer that cannot be used, in words for the owner."""


class ElementError(MixerError):
    """An element that is not there or cannot be set."""


class Way(StrEnum):
    """Into the ear or out of the mouth; the word is the one in the names of the C library's functions."""

    PLAYBACK = "playback"
    CAPTURE = "capture"


@dataclass(frozen=True, slots=True)
class Setting:
    """What an element shall be: its volume in `db` (-inf: as quiet as it gets) or in `percent` of its range, and
    whether it is `on`. None leaves it as it is; what an element has not is not set.

    `below_top` says that `db` counts from the loudest the element can be, not from what it calls 0 dB.
    """

    element: str
    way: Way
    db: float | None = None
    percent: int | None = None
    on: bool | None = None
    below_top: bool = False


class Mixer:
    """The mixer of an ALSA control device, as it is now; open only inside its `with`. Raises MixerError."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._alsa = _alsa()
        self._handle = c_void_p()

    def __enter__(self) -> Self:
        self._check(self._alsa.snd_mixer_open(byref(self._handle), 0))
        try:
            self._check(self._alsa.snd_mixer_attach(self._handle, self._device.encode()))
            self._check(self._alsa.snd_mixer_selem_register(self._handle, None, None))
            self._check(self._alsa.snd_mixer_load(self._handle))
        except MixerError:
            self._alsa.snd_mixer_close(self._handle)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._alsa.snd_mixer_close(self._handle)

    def apply(self, setting: Setting) -> bool:
        """Bring the element to `setting`, as near as it gets; returns whether it was another before.

        Raises ElementError, and MixerError when the card is gone.
        """
        element = self._find(setting.element)
        changed = False
        for what, wanted in (("volume", self._volume(element, setting)), ("switch", setting.on)):
            if wanted is None or not self._has(element, setting.way, what):
                continue
            if self._get(element, setting.way, what) != wanted:
                self._set(element, setting.way, what, wanted)
                changed = True
        return changed

    def _find(self, name: str) -> c_void_p:
        ident = ctypes.create_string_buffer(self._alsa.snd_mixer_selem_id_sizeof())
        self._alsa.snd_mixer_selem_id_set_name(ident, name.encode())
        element = self._alsa.snd_mixer_find_selem(self._handle, ident)
        if not element:
            raise ElementError(f"the mixer of {self._device} has no element {name!r}")
        return c_void_p(element)

    def _volume(self, element: c_void_p, setting: Setting) -> int | None:
        """The element's own number for the setting's volume."""
        if setting.db is None and setting.percent is None:
            return None
        low, high = c_long(), c_long()
        self._call(setting.way, "get_{}_volume_range", element, byref(low), byref(high))
        if setting.db is None or setting.percent is not None:
            return low.value + round((high.value - low.value) * (setting.percent or 0) / 100)
        least, most = c_long(), c_long()
        scaled = self._function(setting.way, "get_{}_dB_range")(element, byref(least), byref(most)) == 0
        top_db = most.value / 100 if scaled else 0.0
        wanted_db = min(setting.db + (top_db if setting.below_top else 0.0), top_db)
        if wanted_db == -math.inf:
            return low.value
        if not scaled:
            # A card without decibels counts amplitude, as far as anybody knows.
            return low.value + round((high.value - low.value) * factor(wanted_db))
        found = c_long()
        # In hundredths of a decibel; rounded up, so that what shall be heard is not below the lowest step.
        self._call(setting.way, "ask_{}_dB_vol", element, round(wanted_db * 100), 1, byref(found))
        return found.value

    def _has(self, element: c_void_p, way: Way, what: str) -> bool:
        return bool(self._function(way, f"has_{{}}_{what}")(element))

    def _get(self, element: c_void_p, way: Way, what: str) -> int:
        # The C type of a switch is int, of a volume long.
        value = c_long()
        value_of = c_int() if what == "switch" else value
        self._call(way, f"get_{{}}_{what}", element, 0, byref(value_of))
        return value_of.value

    def _set(self, element: c_void_p, way: Way, what: str, value: int) -> None:
        self._call(way, f"set_{{}}_{what}_all", element, c_int(value) if what == "switch" else c_long(value))

    def _call(self, way: Way, name: str, *arguments: object) -> None:
        self._check(self._function(way, name)(*arguments))

    def _function(self, way: Way, name: str) -> Callable[..., int]:
        function: Callable[..., int] = getattr(self._alsa, "snd_mixer_selem_" + name.format(way))
        return function

    def _check(self, result: int) -> None:
        if result < 0:
            raise MixerError(f"the mixer of {self._device}: {os.strerror(-result)}")


@cache
def _alsa() -> CDLL:
    """The C library of ALSA, which is on every machine that has a sound card."""
    alsa = CDLL("libasound.so.2")
    alsa.snd_mixer_find_selem.restype = c_void_p
    alsa.snd_mixer_find_selem.argtypes = (c_void_p, c_char_p)
    alsa.snd_mixer_selem_id_sizeof.restype = ctypes.c_size_t
    alsa.snd_mixer_selem_id_set_name.argtypes = (c_char_p, c_char_p)
    alsa.snd_mixer_selem_id_set_name.restype = None
    alsa.snd_mixer_open.argtypes = (POINTER(c_void_p), c_int)
    alsa.snd_mixer_attach.argtypes = (c_void_p, c_char_p)
    alsa.snd_mixer_selem_register.argtypes = (c_void_p, c_void_p, c_void_p)
    for name in ("snd_mixer_load", "snd_mixer_close"):
        getattr(alsa, name).argtypes = (c_void_p,)
    for way in Way:
        of = f"snd_mixer_selem_{{}}_{way}_{{}}".format
        for what, kind in (("volume", c_long), ("switch", c_int)):
            getattr(alsa, of("has", what)).argtypes = (c_void_p,)
            getattr(alsa, of("get", what)).argtypes = (c_void_p, c_int, POINTER(kind))
            getattr(alsa, of("set", f"{what}_all")).argtypes = (c_void_p, kind)
        for scale in ("volume_range", "dB_range"):
            getattr(alsa, of("get", scale)).argtypes = (c_void_p, POINTER(c_long), POINTER(c_long))
        getattr(alsa, of("ask", "dB_vol")).argtypes = (c_void_p, c_long, c_int, POINTER(c_long))
    return alsa
