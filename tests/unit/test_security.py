# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What the project and the image promise to those who find a vulnerability."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
SECURITY_TXT = REPOSITORY / "image-build/root/usr/share/doc/omafon/security.txt"


def field(name: str) -> list[str]:
    """The values of a field of security.txt (RFC 9116 section 2)."""
    return re.findall(rf"(?mi)^{name}: (\S.*)$", SECURITY_TXT.read_text(encoding="utf-8"))


def test_the_images_security_txt_has_not_expired_and_does_within_a_year():
    (expires,) = field("Expires")

    left = datetime.fromisoformat(expires) - datetime.now(UTC)

    assert timedelta(0) < left <= timedelta(days=365)


def test_the_images_security_txt_names_a_contact_or_says_that_there_is_none():
    contacts = field("Contact")

    assert all(re.match("(https|mailto|tel):", contact) for contact in contacts)
    assert contacts or '"Contact:"' in SECURITY_TXT.read_text(encoding="utf-8")


def test_who_reports_knows_when_to_hear_of_it_and_how_long_a_version_is_supported():
    promises = (REPOSITORY / "SECURITY.md").read_text(encoding="utf-8")

    for promise in ("three working days", "every 30 days", "Support period"):
        assert promise in promises
