# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What systemd hears of the phone."""

import os
import socket

import pytest

from omafon.drivers import systemd


@pytest.mark.parametrize("kind", ["a path", "an abstract name"])
def test_systemd_hears_that_the_phone_is_ready(tmp_path, monkeypatch, kind):
    name = str(tmp_path / "notify") if kind == "a path" else f"@omafon-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(name.replace("@", "\0"))
        listener.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", name)

        systemd.notify("READY=1")

        assert listener.recv(100) == b"READY=1"


@pytest.mark.parametrize("name", ["", "relative", "/nobody/there"])
def test_without_systemd_nothing_happens(monkeypatch, name):
    monkeypatch.setenv("NOTIFY_SOCKET", name)

    systemd.notify("READY=1")


@pytest.mark.parametrize(
    ("usec", "pid", "interval_s"),
    [
        ("10000000", str(os.getpid()), 10.0),
        ("10000000", None, 10.0),
        ("10000000", "1", None),
        ("0", None, None),
        ("soon", None, None),
        (None, None, None),
    ],
)
def test_the_watchdog_is_fed_only_where_systemd_watches_this_process(monkeypatch, usec, pid, interval_s):
    for name, value in (("WATCHDOG_USEC", usec), ("WATCHDOG_PID", pid)):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)

    assert systemd.watchdog_interval_s() == interval_s
