# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""How the phone's story reaches the journal."""

import logging

from omafon import journal


def test_a_line_for_the_journal_carries_its_priority(monkeypatch, capsys):
    monkeypatch.setenv("JOURNAL_STREAM", "8:1")

    with journal.to_stderr():
        logging.getLogger("omafon.sip").warning("line %s is lost\nagain", "home")

    assert capsys.readouterr().err == "<4>line home is lost\n<4>again\n"


def test_a_line_for_a_person_carries_the_time(monkeypatch, capsys):
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)

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
