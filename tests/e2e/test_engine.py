# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What must be inside the engine wheel that image-build/engine makes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pjsua2 as pj
import pytest

from omafon.sim.soundcard import SoundCard, write_asound_conf


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """An endpoint that looks at one virtual card, 'omafon_wheel'."""
    with SoundCard("wheel") as card, pytest.MonkeyPatch.context() as patch:
        for name, value in write_asound_conf(tmp_path_factory.mktemp("alsa") / "asound.conf", [card]).items():
            patch.setenv(name, value)
        endpoint = pj.Endpoint()
        endpoint.libCreate()
        config = pj.EpConfig()
        config.logConfig.consoleLevel = 0
        endpoint.libInit(config)
        yield endpoint
        endpoint.libDestroy(pj.PJSUA_DESTROY_NO_NETWORK)


def test_it_is_the_release_the_recipe_names(endpoint: Any) -> None:
    version = endpoint.libVersion()

    assert (version.major, version.minor) >= (2, 17)


def test_it_knows_the_telephones_codecs(endpoint: Any) -> None:
    codecs = {codec.codecId.partition("/")[0] for codec in endpoint.codecEnum2()}

    assert {"opus", "G722", "PCMU", "PCMA", "GSM", "speex"} <= codecs


def test_it_has_no_video(endpoint: Any) -> None:
    assert list(endpoint.videoCodecEnum2()) == []


def test_it_sees_alsa_cards(endpoint: Any) -> None:
    devices = {(device.driver, device.name) for device in endpoint.audDevManager().enumDev2()}

    assert ("ALSA", "omafon_wheel") in devices


def test_it_encrypts_voice(endpoint: Any) -> None:
    assert {"AES_CM_128_HMAC_SHA1_80", "AES_256_CM_HMAC_SHA1_80"} <= set(endpoint.srtpCryptoEnum())


def test_it_encrypts_signalling(endpoint: Any) -> None:
    # TLS_AES_256_GCM_SHA384 is a suite of TLS 1.3 alone (RFC 8446 appendix B.4).
    assert 0x1302 in set(endpoint.utilSslGetAvailableCiphers())


def test_tls_is_for_calling_out_and_opens_no_port(endpoint: Any) -> None:
    before = _listening()

    transport = endpoint.transportCreate(pj.PJSIP_TRANSPORT_TLS, pj.TransportConfig())

    assert _listening() == before
    endpoint.transportClose(transport)


def test_it_speaks_ipv6(endpoint: Any) -> None:
    config = pj.TransportConfig()
    config.boundAddress = "::1"

    transport = endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP6, config)

    assert endpoint.transportGetInfo(transport).localAddress.startswith("[::1]:")
    endpoint.transportClose(transport)


def test_it_has_room_for_more_than_four_calls() -> None:
    # What it comes with is what it was compiled for.
    assert pj.EpConfig().uaConfig.maxCalls == 16


def _listening() -> set[str]:
    """The local addresses on which anybody of this process's network namespace listens by TCP."""
    tables = [Path("/proc/self/net/tcp"), Path("/proc/self/net/tcp6")]
    rows = [line.split() for table in tables if table.exists() for line in table.read_text().splitlines()[1:]]
    inodes = {link.readlink().name for link in Path("/proc/self/fd").iterdir() if link.is_symlink()}
    return {row[1] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in inodes}
