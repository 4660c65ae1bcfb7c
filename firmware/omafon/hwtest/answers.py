# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A question that is answered with yes or no."""

from collections.abc import Generator

from omafon.hwtest.sequence import Answered, Event, Say, Turn, Wish

# German and English, as the telephone itself.
_YES = {"y", "yes", "j", "ja"}
_NO = {"n", "no", "nein"}


def yes(question: str, *before: Wish) -> Generator[Turn, Event, bool]:
    """Do what is to be done `before`, then ask until there is an answer."""
    wishes: tuple[Wish, ...] = (*before, Say(f"{question} [y/n]"))
    while True:
        event = yield Turn(wishes)
        wishes = ()
        if isinstance(event, Answered):
            if event.words in _YES | _NO:
                return event.words in _YES
            wishes = (Say("y or n, then Enter; s skips, r does it again"),)
