# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What the simulator takes of the machine: a port and a folder that nobody else has."""

import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from omafon.sim import exchange


def test_two_simulators_keep_what_is_heard_apart_and_the_next_takes_the_first_place_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with ExitStack() as one, ExitStack() as other:
        assert exchange._ear_folder(one) == tmp_path / "omafon/sim"
        assert exchange._ear_folder(other) == tmp_path / "omafon/sim-2"

    with ExitStack() as third:
        assert exchange._ear_folder(third) == tmp_path / "omafon/sim"


def test_a_free_port_is_free_for_datagrams_and_for_streams() -> None:
    port = exchange._free_port()

    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(type=kind) as probe:
            probe.bind(("127.0.0.1", port))
