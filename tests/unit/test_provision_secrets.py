# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Secrets leave the owner's text, and everything else in it stays as it was written; and whose login is which."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omafon.config import load
from omafon.provision.difference import difference
from omafon.provision.secrets import Parted, part, redacted
from omafon.provision.session import Session, here

LINE = '[[line]]\nname = "home"\naor = "sip:1@x.org"\n'
PUBLISH = '[phone]\nnumber = "+4930123456"\n[enum]\ntrees = ["x.org"]\n[enum.publish]\nzone = "x.org"\n' + (
    'server = "192.0.2.1"\nkey_name = "k"\nuri = "sip:1@x.org"\n'
)
HOME = 'password_credential = "line-home"'
CASES = {
    "as most write it": (LINE + 'password = "a b"\n', LINE + HOME + "\n", {"line-home": "a b"}),
    "with a comment": (LINE + "password='x'  # of 2024", LINE + HOME + "  # of 2024", {"line-home": "x"}),
    "in a row of tables": (
        'line = [{password = "x", name = "Büro 2", aor = "sip:1@x.org"}]',
        'line = [{password_credential = "line-b-ro-2", name = "Büro 2", aor = "sip:1@x.org"}]',
        {"line-b-ro-2": "x"},
    ),
    "over many lines": (
        LINE + 'password = """\nx"""\nsrtp = "off"',
        LINE + HOME + '\nsrtp = "off"',
        {"line-home": "x"},
    ),
    "a quoted key": (LINE + '"password" = "x"', LINE + HOME, {"line-home": "x"}),
    "an escape": (LINE + 'password = "\\u0022"', LINE + HOME, {"line-home": '"'}),
    "of a network": (
        '[[wifi]]\nssid = "Café"\npassword = "12345678"\n',
        '[[wifi]]\nssid = "Café"\npassword_credential = "wifi-caf"\n',
        {"wifi-caf": "12345678"},
    ),
    "of a zone": (
        PUBLISH + 'key_secret = "c2VjcmV0"',
        PUBLISH + 'key_credential = "enum-publish"',
        {"enum-publish": "c2VjcmV0"},
    ),
    "of the family's name": (
        '[family]\nupdate = {key_secret = "c2VjcmV0"}',
        '[family]\nupdate = {key_credential = "family-update"}',
        {"family-update": "c2VjcmV0"},
    ),
    "with dots": (
        '[enum]\npublish.key_secret = "x"',
        '[enum]\npublish.key_credential = "enum-publish"',
        {"enum-publish": "x"},
    ),
    "an empty one": (LINE + 'password = ""', LINE + 'password = ""', {}),
    "one that was left out": (LINE + '# password = "old"\n', LINE + "# password = …\n", {}),
    "one in a remark": (LINE + 'srtp = "off" # password: old one', LINE + 'srtp = "off" # password: …', {}),
    "none": (LINE, LINE, {}),
}


@pytest.mark.parametrize(("text", "without", "secrets"), CASES.values(), ids=CASES)
def test_a_secret_leaves_the_text_for_a_credential(text, without, secrets):
    parted = part(text)

    assert (parted.text, parted.secrets) == (without, secrets)


def test_two_lines_never_share_a_credential():
    text = LINE.replace("home", "a b") + 'password = "1"\n' + LINE.replace("home", "a-b") + 'password = "2"\n'

    assert part(text).secrets == {"line-a-b": "1", "line-a-b-2": "2"}


def test_a_name_that_the_owner_uses_stays_the_owners():
    text = LINE + 'password = "1"\n' + LINE.replace("home", "b") + 'password_credential = "line-home"\n'

    parted = part(text)

    assert parted.secrets == {"line-home-2": "1"}
    assert parted.named == {"line-home": 8}


def test_a_secret_is_in_no_repr():
    assert "geheim" not in repr(part(LINE + 'password = "geheim"'))


PASSWORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1).filter(
    lambda word: word == word.rstrip("\r\n")
)


@given(st.lists(PASSWORDS, min_size=1, max_size=4))
def test_what_was_parted_and_put_together_is_what_it_was(tmp_path_factory, passwords):
    def spelt(word: str) -> str:
        return '"' + "".join(sign if sign not in '"\\' else f"\\{sign}" for sign in word) + '"'

    folder = tmp_path_factory.mktemp("parted")
    whole, parted_file = folder / "whole.toml", folder / "phone.toml"
    tables = [f'[[line]]\nname = "n{i}"\naor = "sip:1@x.org"\npassword = {spelt(p)}\n' for i, p in enumerate(passwords)]
    whole.write_text("".join(tables), encoding="utf-8")

    parted = part(whole.read_text(encoding="utf-8"))
    (folder / "credentials").mkdir()
    for name, secret in parted.secrets.items():
        (folder / "credentials" / name).write_text(secret, encoding="utf-8")
    parted_file.write_text(parted.text, encoding="utf-8")

    assert [line.password for line in load(parted_file).line] == [line.password for line in load(whole).line]


@pytest.mark.parametrize(
    "text",
    [
        'password = "geheim',
        "password='geheim'x",
        'x = { password = "geheim", y = 1 }',
        "#key_secret: geheim",
        '"password" = "geheim"',
    ],
)
def test_of_a_text_that_is_no_toml_nothing_is_told_behind_a_secrets_name(text):
    assert "geheim" not in redacted(text)


def test_a_difference_tells_which_secrets_and_not_what():
    old, new = (
        Parted("a", {"gone": "1", "same": "2", "changed": "3"}),
        Parted("a", {"same": "2", "changed": "4", "new": "5"}),
    )

    found = difference(old, new, ("old", "new"))

    assert (found.text, found.secrets) == ("", {"gone": "gone", "changed": "changed", "new": "new"})
    assert found.as_text() == "credential changed: changed\ncredential gone: gone\ncredential new: new\n"
    assert not difference(old, old, ("old", "new"))


# Logins.

SSH = Session(by="phone", ssh="192.0.2.7 50000 192.0.2.1 22", sshd="12:999", login="3", leader="20:1000")
LOCAL = Session(by="phone", login="", leader="20:1000")


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (Session("phone", SSH.ssh, "13:1", "4", "21:1"), True),
        (Session("phone", "192.0.2.7 50001 192.0.2.1 22", "12:999", "3", "20:1000"), True),
        (Session("phone", "192.0.2.7 50001 192.0.2.1 22", "14:999", "3", "20:1000"), False),
        (LOCAL, False),
    ],
)
def test_a_login_by_ssh_is_its_connection_and_the_process_that_serves_it(other, same):
    assert SSH.same(other) is same
    assert other.same(SSH) is same


def test_a_login_at_the_machine_is_its_session():
    assert LOCAL.same(LOCAL)
    assert not LOCAL.same(Session("phone", leader="30:1"))
    assert Session("phone", login="7", leader="1:1").same(Session("phone", login="7", leader="2:2"))


def test_who_logs_in_is_known_by_the_key(tmp_path):
    key = base64.b64encode(b"an ed25519 key").decode()
    (tmp_path / "auth").write_text(f"publickey ssh-ed25519 {key}\n")

    session = here({"SSH_CONNECTION": "192.0.2.7 50000 192.0.2.1 22", "SSH_USER_AUTH": str(tmp_path / "auth")})

    fingerprint = base64.b64encode(hashlib.sha256(b"an ed25519 key").digest()).decode().rstrip("=")
    assert session.by.endswith(f"@192.0.2.7 SHA256:{fingerprint}")
    assert session.same(here({"SSH_CONNECTION": "192.0.2.7 50000 192.0.2.1 22"}))
