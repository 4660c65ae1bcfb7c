# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""How the phone's story reaches the journal, and which page of its catalog a line has."""

import logging
import os
import re
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from pathlib import Path

import pytest

from omafon import journal, pages
from omafon.core.causes import Cause
from omafon.core.events import ConfigRefused, Driver, DriverFailed, RegistrationChanged, RunsWith
from omafon.pages import Page

CATALOG = Path(__file__).parents[2] / "systemd" / "catalog" / "omafon.catalog"


class Journal:
    """Takes datagrams where journald would."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "socket"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self.path))
        self._socket.settimeout(5)

    def close(self) -> None:
        self._socket.close()

    def entry(self) -> dict[str, str]:
        """The next one's fields."""
        datagram, fields = self._socket.recv(65536), {}
        while datagram:
            name, _, rest = datagram.partition(b"\n")
            (length,) = struct.unpack_from("<Q", rest)
            fields[name.decode()] = rest[8 : 8 + length].decode()
            datagram = rest[9 + length :]
        return fields

    @contextmanager
    def logs(self) -> Iterator[logging.Logger]:
        """The phone's log while stderr leads to this journal, as in a service."""
        with (self.path.parent / "stderr").open("w") as stderr, pytest.MonkeyPatch.context() as environment:
            stream = os.fstat(stderr.fileno())
            environment.setenv("JOURNAL_STREAM", f"{stream.st_dev}:{stream.st_ino}")
            with redirect_stderr(stderr), journal.to_stderr(journal=self.path):
                yield logging.getLogger("omafon")


@pytest.fixture
def journald(tmp_path: Path) -> Iterator[Journal]:
    here = Journal(tmp_path)
    yield here
    here.close()


def test_a_line_for_the_journal_is_one_entry_with_its_priority(journald):
    with journald.logs() as log:
        log.getChild("sip").info("line %s is lost\nagain", "home")

    entry = journald.entry()
    assert (entry["MESSAGE"], entry["PRIORITY"]) == ("line home is lost\nagain", "6")
    assert "MESSAGE_ID" not in entry


def test_a_warning_has_the_page_of_its_room(journald):
    with journald.logs() as log:
        log.getChild("oled").warning("the display does not answer")

    entry = journald.entry()
    assert (entry["PRIORITY"], entry["MESSAGE_ID"]) == ("4", Page.DISPLAY)


def test_a_record_may_name_its_page(journald):
    with journald.logs() as log:
        log.getChild("sip").warning("a stranger", extra=Page.STRANGER.mark)

    assert journald.entry()["MESSAGE_ID"] == Page.STRANGER


def test_without_the_journal_s_socket_the_line_is_told_on_stderr(journald, tmp_path):
    journald.path.unlink()

    with journald.logs() as log:
        log.info("ready")

    assert (tmp_path / "stderr").read_text().endswith(" INFO    ready\n")


def test_a_line_that_the_journal_does_not_take_is_told_on_stderr(journald, tmp_path):
    with journald.logs() as log:
        journald.close()
        log.info("ready")

    assert (tmp_path / "stderr").read_text().startswith("ready\n")


def test_a_terminal_is_told_even_where_the_environment_is_a_service_s(monkeypatch, capsys):
    monkeypatch.setenv("JOURNAL_STREAM", "8:1")

    with journal.to_stderr():
        logging.getLogger("omafon").info("ready")

    assert capsys.readouterr().err.endswith(" INFO    ready\n")


def test_what_only_a_developer_wants_is_told_when_asked(capsys):
    for verbose in (False, True):
        with journal.to_stderr(verbose=verbose):
            logging.getLogger("omafon").debug("a detail")

        assert ("a detail" in capsys.readouterr().err) is verbose


def test_nothing_is_left_behind():
    before = logging.getLogger("omafon").level, logging.getLogger().handlers[:]

    with journal.to_stderr():
        logging.getLogger("omafon").info("ready")

    assert (logging.getLogger("omafon").level, logging.getLogger().handlers) == before


@pytest.mark.parametrize("driver", Driver)
def test_every_driver_that_fails_has_a_page(driver):
    assert pages.of_event(DriverFailed(driver, "gone")) in Page


@pytest.mark.parametrize(
    ("cause", "page"),
    [
        (Cause.WRONG_PASSWORD, Page.LINE_REFUSED),
        (Cause.TLS_UNTRUSTED, Page.LINE_UNTRUSTED),
        (Cause.CLOCK_NOT_SET, Page.CLOCK),
        (Cause.UNREACHABLE, Page.LINE_UNREACHED),
    ],
)
def test_a_line_that_is_lost_has_the_page_of_the_cause(cause, page):
    lost = RegistrationChanged("home", registered=False, status=0, reason="", expires_s=0, cause=cause)

    assert pages.of_event(lost) is page


def test_a_line_that_registers_asks_nothing_of_its_owner():
    home = RegistrationChanged("home", registered=True, status=200, reason="OK", expires_s=300, cause=None)

    assert pages.of_event(home) is None


def test_safe_mode_has_a_page_of_its_own():
    assert pages.of_event(ConfigRefused(RunsWith.NOTHING)) is Page.SAFE_MODE
    assert pages.of_event(ConfigRefused(RunsWith.LAST_GOOD, 3)) is Page.CONFIGURATION


def test_a_room_without_a_page_has_the_page_of_defects():
    assert pages.of_room("omafon.sip") is Page.DEFECT
    assert pages.of_room("omafon.upkeep.starts") is Page.CONFIGURATION


def test_the_catalog_has_a_page_for_every_id_and_no_other():
    text = CATALOG.read_text(encoding="utf-8")

    ids = re.findall(r"^-- ([0-9a-f]{32})$", text, re.MULTILINE)

    assert sorted(ids) == sorted(page.value for page in Page)


def test_every_page_says_what_it_is_and_what_to_do():
    for page in re.split(r"^-- [0-9a-f]{32}\n", CATALOG.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        head, _, body = page.partition("\n\n")

        assert re.match(r"Subject: .+\nDefined-By: Omafon\Z", head), head
        assert "\n\n" in body.strip(), body
        assert all(len(line) <= 82 for line in page.splitlines())
