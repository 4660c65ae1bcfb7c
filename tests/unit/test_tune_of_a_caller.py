# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A caller of the phone book may ring with a tune of their own."""

from dataclasses import replace

import pytest

from omafon.config import ConfigError, parse, settings
from omafon.core.events import CallId, IncomingCall
from omafon.core.present import sound
from omafon.core.ringing import FAMILY
from omafon.core.settings import Accept
from tests.unit.world import OMA, OPA, SETTINGS, World

OPAS = "/etc/omafon/tunes/opa.wav"


def rung_by(uri: str) -> World:
    contacts = (OMA, replace(OPA, tune=OPAS))
    phone = World(replace(SETTINGS, contacts=contacts, accept=frozenset(Accept)))
    phone.happens(IncomingCall(CallId("in-1"), uri, "", "127.0.0.7", None))
    return phone


@pytest.mark.parametrize(("uri", "tune"), [(OPA.uri, OPAS), ("sip:+4930123456@127.0.0.9", FAMILY), ("sip:x@y", FAMILY)])
def test_the_caller_decides_what_rings(uri: str, tune: str):
    phone = rung_by(uri)

    assert phone.rings
    assert sound(phone.phone, phone.now).tune == tune


def test_what_rang_for_one_does_not_ring_for_the_next():
    phone = rung_by(OPA.uri)
    phone.ends("in-1")

    assert sound(phone.phone, phone.now).tune == ""


def test_the_tune_is_in_the_phone_book():
    config = parse(f'[[contact]]\nname = "Opa"\nuri = "{OPA.uri}"\ntune = "{OPAS}"\n')

    assert settings(config).contacts[0].tune == OPAS


@pytest.mark.parametrize("tune", ["opa.wav", "/etc/omafon/opa.mp3", "/etc/omafon/tunes/"])
def test_what_is_not_the_path_of_a_wav_file_is_refused_with_its_line(tune: str):
    with pytest.raises(ConfigError) as caught:
        parse(f'[[contact]]\nname = "Opa"\nuri = "{OPA.uri}"\ntune = "{tune}"\n')

    (problem,) = caught.value.problems
    assert problem.line == 4
    assert "is not the path of a WAV file" in problem.what
