# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What `phone.toml` means, and what its owner reads when something in it is wrong."""

import contextlib
import re
from dataclasses import replace
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from omafon.config import Config, ConfigError, LineConfig, load, parse, settings
from omafon.config.zones import zone
from omafon.core.settings import Accept, Contact, DnssecPolicy, Line, Settings, Tree

HOME = """
[[line]]
name = "home"
aor = "sip:100@example.org"
password = "geheim"
"""

WHOLE = """
[phone]
name = "Oma"
number = "+49 30 123456"
country = "DE"
area = "30"
language = "de"

[sip]
port = 5060

[[line]]
name = "home"
aor = "sip:100@example.org"
auth_user = "100"
password = "geheim"
transport = "tls"
registrar = "sip:example.org"
srtp = "mandatory"

[enum]
trees = ["family.example.org", "E164.arpa."]
servers = ["192.0.2.1", "[2001:db8::1]:5353"]
budget_ms = 800
[enum.dnssec]
"family.example.org" = "require"

[incoming]
accept = ["lines", "family", "anyone"]

[audio]
voice = "CARD=Handset"
ringer = "CARD=Speaker"

[[contact]]
name = "Oma"
number = "+49 30 123456"
speed_dial = 1
family = true

[[contact]]
name = "Tür"
uri = "sip:tuer@192.168.0.9:5062"
"""


def refusal(text: str) -> ConfigError:
    with pytest.raises(ConfigError) as refused:
        parse(text)
    return refused.value


def test_an_empty_file_is_a_working_phone():
    assert parse("") == Config()
    made = settings(Config())
    assert made.zone is not None
    assert made == replace(Settings(), zone=zone("Europe/Berlin"), zones=made.zones)


def test_a_whole_file_becomes_what_the_core_decides_with():
    made = settings(parse(WHOLE))
    assert made == Settings(
        name="Oma",
        number="+4930123456",
        country="DE",
        area="30",
        language="de",
        lines=(Line("home", "sip:100@example.org"),),
        contacts=(Contact("Oma", "+4930123456", "", 1, True), Contact("Tür", "", "sip:tuer@192.168.0.9:5062")),
        trees=(Tree("family.example.org", DnssecPolicy.REQUIRE), Tree("e164.arpa", DnssecPolicy.PREFER)),
        enum_budget_s=0.8,
        accept=frozenset(Accept),
        zone=zone("Europe/Berlin"),
        zones=made.zones,
    )


def test_a_mark_of_order_and_windows_line_ends_change_nothing(tmp_path):
    file = tmp_path / "phone.toml"
    file.write_bytes(b"\xef\xbb\xbf" + WHOLE.replace("\n", "\r\n").encode())

    assert load(file) == parse(WHOLE)


def test_windows_line_ends_do_not_move_the_lines_of_errors():
    refused = refusal('[phone]\r\nname = "Oma"\r\nregistar = 1\r\n')

    assert [problem.line for problem in refused.problems] == [3]


def test_an_error_is_printed_with_file_line_and_cure():
    with pytest.raises(ConfigError) as refused:
        parse('[[line]]\nname = "home"\naor = "sip:100@example.org"\nregistar = "sip:x.org"', "/etc/omafon/phone.toml")

    assert str(refused.value) == ('/etc/omafon/phone.toml, line 4: unknown key "registar"\n  Did you mean "registrar"?')
    assert refused.value.problems[0].key == "line.registar"


def test_every_error_is_told_at_once_in_the_order_of_lines():
    refused = refusal("""
[phone]
cuntry = "DE"
area = "030"
[sip]
port = 70000
[[line]]
name = "home"
[[line]]
name = "home"
aor = "sip:100@example.org"
""")

    assert [(problem.line, problem.key) for problem in refused.problems] == [
        (3, "phone.cuntry"),
        (4, "phone.area"),
        (6, "sip.port"),
        (7, "line.aor"),
        (10, "line.name"),
    ]


BROKEN = {
    "a misspelt key": ('[phone]\nnme = "x"', 2, 'unknown key "nme"', 'Did you mean "name"?'),
    "a misspelt table": ("[audoi]", 1, 'unknown key "audoi"', 'Did you mean "audio"?'),
    "a key outside its table": ("port = 5060", 1, 'unknown key "port"', "It belongs to [sip]."),
    "a key of another table": ("[sip]\nbudget_ms = 9", 2, 'unknown key "budget_ms"', "It belongs to [enum]."),
    "an unknown key with an escape": ('"a\\u001bb" = 1', 1, 'unknown key "a�b"', "Choose from: phone, sip"),
    "text instead of a number": ('[sip]\nport = "5060"', 2, "sip.port must be a whole number, not a text", "without"),
    "a fraction": ("[sip]\nport = 50.6", 2, "sip.port must be a whole number, not a number with a point", "digits"),
    "true as a number": ("[sip]\nport = true", 2, "sip.port must be a whole number, not true or false", "digits"),
    "a number instead of text": ("[phone]\nname = 7", 2, "phone.name must be a text, not a number", "quotes"),
    "a date instead of text": ("[phone]\nname = 1979-05-27", 2, "phone.name must be a text, not a date", "quotes"),
    "a text for yes": ('[[contact]]\nname = "x"\nuri = "sip:x"\nfamily = "yes"', 4, "must be true or false", "true"),
    "text instead of a list": ('[enum]\ntrees = "e164.arpa"', 2, "enum.trees must be a list", "brackets"),
    "a number in a list": ("[enum]\ntrees = [\n1]", 3, "enum.trees must be a text, not a number", "quotes"),
    "a table in one bracket": ('[line]\nname = "x"', 1, "line may be there several times", "[[line]]"),
    "a table in two brackets": ("[[phone]]", 1, "phone must be a table", "Write [phone] with one bracket"),
    "a table that is a value": ("phone = 1", 1, "phone must be a table", "Write [phone] on a line of its own"),
    "policies that are no table": ('[enum]\ndnssec = "off"', 2, "enum.dnssec must be a table", "[enum.dnssec]"),
    "a port too high": ("[sip]\nport = 65536", 2, "sip.port is out of range", "Choose from 0 to 65535."),
    "a port below nothing": ("[sip]\nport = -1", 2, "sip.port is out of range", "0 to 65535"),
    "a huge number": (f"[sip]\nport = {'9' * 60}", 2, "sip.port is out of range", "0 to 65535"),
    "no budget": ("[enum]\nbudget_ms = 0", 2, "enum.budget_ms is out of range", "from 50 to 10000 milliseconds."),
    "an unknown country": ('[phone]\ncountry = "XX"', 2, 'phone.country "XX" is not a country', 'as in "DE"'),
    "a country in small letters": ('[phone]\ncountry = "de"', 2, '"de" is not a country', 'Did you mean "DE"?'),
    "the United Kingdom": ('[phone]\ncountry = "UK"', 2, '"UK" is not a country', 'Did you mean "GB"?'),
    "an area with trunk prefix": ('[phone]\narea = "030"', 2, '"030" begins with the trunk prefix', '"30"'),
    "an area of letters": ('[phone]\narea = "x"', 2, '"x" is not an area code', '"30"'),
    "an unknown language": ('[phone]\nlanguage = "fr"', 2, 'phone.language "fr" is not known', "Choose from: de, en."),
    "a national number": ('[phone]\nnumber = "030 1"', 2, "is not an international number", '"+4930123456"'),
    "a bracketed zero": ('[phone]\nnumber = "+49 (0)30 123456"', 2, "international number", 'Leave out "(0)"'),
    "a name with a line break": ('[phone]\nname = "a\\nb"', 2, "phone.name holds a control character", "one line"),
    "a listening address": ('[sip]\naddress = "eth0"', 2, '"eth0" is not an IP address', "empty"),
    "a line without name": ('[[line]]\naor = "sip:1@x.org"', 1, "line.name is missing", 'name = "…"'),
    "a line without address": ('[[line]]\nname = "x"', 1, "line.aor is missing", 'aor = "…"'),
    "an empty name": ('[[line]]\nname = " "\naor = "sip:1@x.org"', 2, "line.name is empty", "screen"),
    "a bare address": ('[[line]]\nname = "x"\naor = "100@x.org"', 3, "line.aor is not a SIP address", '"sip:"'),
    "an address without user": ('[[line]]\nname = "x"\naor = "sip:x.org"', 3, "names nobody", "sip:100@"),
    "an address with a space": ('[[line]]\nname = "x"\naor = "sip:1@x org"', 3, "not a SIP address", "no spaces"),
    "an address with parameters": (
        '[[line]]\nname = "x"\naor = "sip:1@x.org;transport=tcp"',
        3,
        "line.aor is not a SIP address",
        "no parameters",
    ),
    "an address with a bad port": ('[[line]]\nname = "x"\naor = "sip:1@x.org:0"', 3, "is not a SIP address", "as in"),
    "an address of a half IPv4": ('[[line]]\nname = "x"\naor = "sip:1@10.0.0"', 3, "is not a SIP address", "as in"),
    "a registrar with user": (HOME + 'registrar = "sip:a@x.org"', 6, "names a person", "sip:example.org"),
    "an unknown transport": (HOME + 'transport = "sctp"', 6, 'line.transport "sctp" is not known', "tcp"),
    "an unknown protection": (HOME + 'srtp = "mandatry"', 6, "line.srtp", 'Did you mean "mandatory"?'),
    "two passwords": (HOME + 'password_credential = "x"', 6, "stands beside `password`", "Keep one"),
    "a credential's path": (
        HOME.replace("password =", "password_credential =").replace("geheim", "../x"),
        5,
        "is not the name of a credential",
        "file name",
    ),
    "two lines of one name": (HOME + HOME, 8, 'line.name "home" is the name of the line in line 3 too', "once"),
    "a bad tree": ('[enum]\ntrees = ["a..b"]', 2, 'enum.trees "a..b" is not a DNS name', "e164.arpa"),
    "a tree twice": ('[enum]\ntrees = ["a.b", "A.b."]', 2, '"a.b" is the tree in line 2 too', "once"),
    "a policy for no tree": ('[enum.dnssec]\n"e164.apra" = "off"', 2, "is none of the trees", "e164.arpa"),
    "an unknown policy": ('[enum.dnssec]\n"e164.arpa" = "on"', 2, '"on" is not known', "require, prefer, off"),
    "a name server's name": ('[enum]\nservers = ["dns.x"]', 2, "is not an address of a name server", "192.0.2.1:53"),
    "a name server's port": ('[enum]\nservers = ["1.2.3.4:0"]', 2, "is not an address of a name server", ":53"),
    "an unknown codec": ('[audio]\ncodecs = ["opsu"]', 2, 'audio.codecs "opsu" is not known', 'Did you mean "opus"?'),
    "a codec twice": ('[audio]\ncodecs = ["pcma",\n"pcma"]', 3, '"pcma" is the codec in line 2 too', "once"),
    "no codec": ("[audio]\ncodecs = []", 2, "audio.codecs is empty", "Leave the key out"),
    "a card in no socket": ('[audio]\nvoice = "USB=left"', 2, "is no USB socket", "USB=1-1.2"),
    "a side tone that howls": ("[audio]\nsidetone_db = 6", 2, "is out of range", "-60 to 0 decibels"),
    "a microphone's gain": ("[audio]\nmicrophone_db = 90", 2, "is out of range", "-30 to 30 decibels"),
    "an unknown echo": ('[audio]\necho = "handest"', 2, '"handest"', 'Did you mean "handset"?'),
    "a card by number": ('[audio]\nvoice = "hw:1,0"', 2, "counts sound cards", "CARD=Handset"),
    "a caller nobody knows": ('[incoming]\naccept = ["line"]', 2, '"line" is not known', 'Did you mean "lines"?'),
    "a contact without number": ('[[contact]]\nname = "x"', 1, "contact has neither number nor uri", "number ="),
    "a contact's wrong address": ('[[contact]]\nname = "x"\nuri = "tel:1"', 3, "is not a SIP address", "sip:"),
    "a speed dial too high": (
        '[[contact]]\nname = "x"\nuri = "sip:x"\nspeed_dial = 100',
        4,
        "contact.speed_dial is out of range",
        "Choose from 1 to 99.",
    ),
    "a speed dial twice": (
        2 * '[[contact]]\nname = "a"\nuri = "sip:a"\nspeed_dial = 1\n',
        8,
        "contact.speed_dial 1 is the speed dial in line 4 too",
        "once",
    ),
    "a value without quotes": ("[phone]\nname = Oma", 2, "the value is not understood", "quotes"),
    "curly quotes": ("[phone]\nname = “Oma”", 2, "these are curly quotes", "straight ones"),
    "German quotes in a list": ('[enum]\ntrees = ["a.b", „c.d“]', 2, "these are curly quotes", "straight ones"),
    "a curly end": ('[phone]\nname = "Oma”  # ours', 2, "these are curly quotes", "straight ones"),
    "curly quotes within straight ones": ('[phone]\nname = "Oma „Else“ B.', 2, "a text is not closed", "End it"),
    "a key without a value": ("[phone]\nname", 2, "a key without a value", "key = value"),
    "a key twice": ('[phone]\nname = "a"\nname = "b"', 3, "the key is there twice", "Keep one"),
    "a table twice": ("[phone]\n[phone]", 2, "the table is there twice", "one [table]"),
    "an open quote": ('[phone]\nname = "Oma\n', 2, "a text is not closed", "same line"),
    "an open list": ('[enum]\ntrees = ["a.b"\n[phone]', 3, "a list is not closed", "]"),
    "an end in the middle": ("[enum]\ntrees = [", 2, "the file ends within a value", "Write its end."),
    "two values on a line": ('[phone]\nname = "a" "b"', 2, "more on the line than one value", "quotes"),
    "a backslash": ('[phone]\nname = "C:\\p"', 2, "a backslash", "twice"),
    "an inner depth": ("a = " + "[" * 9000, None, "lists are nested too deeply", "inner"),
    "nonsense": ("?", 1, "this is neither a key nor a [table]", "key = value"),
}


@pytest.mark.parametrize(("text", "line", "what", "cure"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_refused_with_its_line_and_a_cure(text, line, what, cure):
    (problem,) = refusal(text).problems

    assert problem.line == line
    assert what in problem.what
    assert cure in problem.cure


@pytest.mark.parametrize(
    "text",
    [
        HOME + "port = 1",
        HOME.replace('"geheim"', '"geheim'),
        HOME.replace('"geheim"', 'geheim"'),
        HOME.replace('"geheim"', '"geheim" x'),
        HOME.replace('"geheim"', '["geheim"]'),
        HOME.replace("100@", "100:geheim@"),
        HOME.replace("100@", "100:geheim@ "),
        HOME.replace('password = "geheim"', 'passwort = "geheim"'),
        HOME + 'password = "geheim"',
        HOME + 'password_credential = "geheim/"',
    ],
)
def test_no_error_repeats_a_password(text):
    refused = refusal(text)

    assert "geheim" not in str(refused) + repr(refused) + repr(refused.problems)


def test_no_repr_shows_a_password():
    assert "geheim" not in repr(parse(HOME))
    assert "home" in repr(parse(HOME))


def test_a_password_is_read_from_the_credentials_of_the_service(tmp_path, monkeypatch):
    (tmp_path / "sip-home").write_text("geheim\n")
    file = tmp_path / "phone.toml"
    file.write_text(HOME.replace('password = "geheim"', 'password_credential = "sip-home"'))
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))

    assert load(file).line[0].password == "geheim"


def test_a_credential_that_is_not_there_is_an_error_with_its_line(tmp_path, monkeypatch):
    file = tmp_path / "phone.toml"
    file.write_text(HOME.replace('password = "geheim"', 'password_credential = "sip-home"'))
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))

    with pytest.raises(ConfigError, match=r'line 5: line\.password_credential "sip-home" is not among the credentials'):
        load(file)

    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    with pytest.raises(ConfigError, match="is not among the credentials"):
        load(file)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("[phone]\nname = 'Müller'".encode("latin-1"), "line 2: the text is not UTF-8"),
        (b"\xff\xfe[\x00p\x00", "line 1: the text is not UTF-8"),
        (b"#" * 300_000, "is larger than 256 KiB"),
    ],
)
def test_a_file_that_is_no_text_is_refused_with_a_sentence(tmp_path, content, sentence):
    file = tmp_path / "phone.toml"
    file.write_bytes(content)

    with pytest.raises(ConfigError, match=sentence):
        load(file)


def test_a_missing_file_is_an_error_with_a_cure(tmp_path):
    with pytest.raises(ConfigError, match="there is no such file\n  Create it"):
        load(tmp_path / "phone.toml")
    with pytest.raises(ConfigError, match="is a folder"):
        load(tmp_path)
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / ("x" * 300))


# Bytes that look enough like a configuration to reach every corner, and bytes that look like nothing.
SIGNS = [
    "[",
    "]",
    "[[",
    "{",
    "}",
    "=",
    ",",
    '"',
    "'",
    "'''",
    '"""',
    "\\",
    "\n",
    "\r",
    "#",
    "1",
    "-",
    ".",
    "true",
    "nan",
    "\x00",
]
LINES = ["a = 1979-05-27 07:32:00", "[enum.dnssec]\n", "line = {}\n", "a.b.c = 1\n", *WHOLE.splitlines(keepends=True)]
WORDS = st.sampled_from(SIGNS + LINES)
TOML = st.lists(WORDS, max_size=30).map("".join)


@given(TOML | st.text())
@example("[[line]]\n[line.name]\n[[line]]")
@example('a = """"""\nb = ' + "''''''")
def test_any_text_is_a_configuration_or_a_sentence(text):
    try:
        config = parse(text)
    except ConfigError as refused:
        problems = refused.problems
    else:
        problems = ()
        settings(config)

    assert all(problem.what and problem.cure for problem in problems)


@given(content=st.binary())
def test_any_bytes_are_a_configuration_or_a_sentence(tmp_path_factory, content):
    file = tmp_path_factory.getbasetemp() / "any.toml"
    file.write_bytes(content)

    with contextlib.suppress(ConfigError):
        load(file)


def test_values_cannot_be_changed_after_loading():
    with pytest.raises(AttributeError):
        parse(HOME).line[0].name = "x"
    assert msgspec.structs.replace(LineConfig("a", "sip:a@b"), name="b").name == "b"


EXAMPLE = Path(__file__).parents[2] / "docs" / "phone.example.toml"


def test_the_example_in_the_documentation_is_without_errors():
    assert load(EXAMPLE)


@pytest.mark.parametrize("table", [known.name for known in msgspec.structs.fields(Config)])
def test_the_example_shows_every_key(table):
    kind = next(known.type for known in msgspec.structs.fields(Config) if known.name == table)
    part = get_args(kind)[0] if get_args(kind) else kind
    text = EXAMPLE.read_text(encoding="utf-8")

    assert re.search(rf"^#? ?\[?\[{table}\]", text, re.MULTILINE)
    for key in part.__struct_fields__:
        assert re.search(rf"^#? ?(\[{table}\.)?{key}\b", text, re.MULTILINE), key
