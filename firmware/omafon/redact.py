# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Takes out of any text what others must not read: secrets in every form they are written in, and whole numbers.

The last step before text leaves the phone: the log, a recording, a bundle for a bug report. What knows a secret does
not print it; this is for what does not know that it holds one.
"""

import base64
import binascii
import hashlib
import json
import os
import re
import resource
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, quote_plus

import msgspec

from omafon.config import Config
from omafon.core.memory import Memory
from omafon.story import shortened

MARK = "•••"
SHORTEST = 4
"""A secret of fewer characters is taken out only where it stands alone, or nothing readable would be left."""

# The keys of files, environments and protocols behind which a secret stands, whosever it is.
_KEY = r"(?:\w+[_-])?(?:password|passwd|passphrase|secret|psk|wep-key\d)"
_NAMED = re.compile(
    rf"(?i)(\b{_KEY}['\"]?\s*[=:]\s*)"
    r"(\"\"\".*?\"\"\"|'''.*?'''|\"(?:\\.|[^\"\\\n])*\"?|'[^'\n]*'?|[^\s,;}\]]+)",
    re.DOTALL,
)
_HEADER = re.compile(r"(?im)((?:Proxy-)?Authorization\s*:\s*)[^\r\n]+")
_DIGEST = re.compile(r"(?i)\b((?:response|cnonce)\s*=\s*)\"?[0-9a-z+/=]+\"?")
_SECRET_FIELD = re.compile(rf"(?i){_KEY}|pin")
# A number as ENUM spells it: its digits from the last to the first, a label each.
_ENUM_NAME = re.compile(r"(?:\d\.){5,14}\d(?=\.)")
# What may be a number, however it is written; and so may a date.
_DIGITS = re.compile(r"[+(]?\d(?:[ ()/.\-]{0,3}\d){5,24}")
_TELLING = 7
"""So many last digits of a number say whose it is."""


class Redactor:
    """Knows `secrets`, and how the owner writes the `numbers` of the phone book. Any thread may use it."""

    def __init__(self, secrets: Iterable[str] = (), numbers: Iterable[str] = ()) -> None:
        self._secrets: frozenset[str] = frozenset()
        self._forms: tuple[str, ...] = ()
        self._known: re.Pattern[str] | None = None
        self._tails: frozenset[str] = frozenset()
        self.learn(secrets, numbers)

    def __repr__(self) -> str:
        return f"Redactor({len(self._secrets)} secrets)"

    def learn(self, secrets: Iterable[str] = (), numbers: Iterable[str] = ()) -> None:
        """Take these out too from now on; none is ever forgotten."""
        self._secrets |= frozenset(secret for secret in secrets if secret.strip())
        self._tails |= {tail for number in numbers if len(tail := _digits(number)[-_TELLING:]) >= 6}
        forms = {form for secret in self._secrets if len(secret) >= SHORTEST for form in _forms(secret)}
        # The longest first: the password that begins with another one goes whole.
        self._forms = tuple(sorted(forms, key=lambda form: (-len(form), form)))
        alone = [rf"(?<![^\W_]){re.escape(secret)}(?![^\W_])" for secret in self._secrets if len(secret) < SHORTEST]
        known = [*map(re.escape, self._forms), *sorted(alone)]
        self._known = re.compile("|".join(known)) if known else None

    def __call__(self, text: str) -> str:
        """`text` without any secret.

        >>> Redactor(["s3cret!"])("password: s3cret! or s3cret%21")
        'password: ••• or •••'
        """
        text = _NAMED.sub(_value_marked, text)
        text = _DIGEST.sub(rf'\1"{MARK}"', _HEADER.sub(rf"\1{MARK}", text))
        return self._last(self._known.sub(MARK, text) if self._known is not None else text)

    def for_strangers(self, text: str) -> str:
        """`text` without any secret, and with every telephone number cut to its beginning and end.

        >>> Redactor(numbers=["030/23 12-50"]).for_strangers("0.5.2.1.3.2.0.3.9.4.e164.arpa, (030) 231250, +4930231250")
        '0.5…9.4.e164.arpa, (0…50, +4…50'
        """
        text = _DIGITS.sub(self._cut, self(text))
        text = _ENUM_NAME.sub(lambda found: f"{found[0][:3]}…{found[0][-3:]}", shortened(text))
        return self._last(text)

    def _cut(self, found: re.Match[str]) -> str:
        digits = _digits(found[0])
        windows = (digits[at : at + length] for length in (6, _TELLING) for at in range(len(digits)))
        return f"{found[0][:2]}…{found[0][-2:]}" if any(window in self._tails for window in windows) else found[0]

    def _last(self, text: str) -> str:
        """What was put in place of secrets may, beside what stood there, spell one again."""
        while found := next((form for form in self._forms if form in text), None):
            text = text.replace(found, "")
        return text


def keep_out_of_core_files() -> None:
    """A crash of this process leaves no memory behind: no core file, and an empty one for whoever takes cores by pipe.

    The kernel does not ask for the limit where cores go into a pipe (core(5)), but for what belongs into one.
    """
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, most))
    with suppress(OSError):
        Path("/proc/self/coredump_filter").write_text("0", encoding="ascii")


def of(config: Config | None, file: Path, memory: Memory | None = None) -> Redactor:
    """Knows all that the phone with the configuration `file` could tell: also of older ones, and of one that is wrong.

    `config` is what `file` says, its credentials read in; None when that cannot be understood.
    """
    secrets = {*secrets_beside(file), *_credentials()}
    numbers = {entry.number for entry in memory.history} if memory is not None else set()
    if config is not None:
        secrets |= secrets_of(config) | set(_derived(config))
        numbers |= {config.phone.number, *(person.number for person in config.contact)}
    return Redactor(secrets, numbers)


def secrets_of(part: object) -> set[str]:
    """The values of every key that names a secret, in a table of the configuration and those in it."""
    found: set[str] = set()
    match part:
        case msgspec.Struct():
            for name in part.__struct_fields__:
                value = getattr(part, name)
                if isinstance(value, str) and _SECRET_FIELD.fullmatch(name):
                    found.add(value)
                elif not isinstance(value, str):
                    found |= secrets_of(value)
        case dict():
            for name, value in part.items():
                if isinstance(value, str) and _SECRET_FIELD.fullmatch(str(name)):
                    found.add(value)
                elif not isinstance(value, str):
                    found |= secrets_of(value)
        case tuple() | list():
            for value in part:
                found |= secrets_of(value)
    return found


def _derived(config: Config) -> Iterator[str]:
    """What opens the same doors as the secrets: SIP's A1 (RFC 8760), the key of a Wi-Fi (IEEE 802.11 annex J.4)."""
    for line in config.line:
        if line.password:
            user, _, domain = line.aor.partition(":")[2].partition("@")
            registrar = re.sub(r"(?i)^sips?:|[;:].*$", "", line.registrar)
            for realm in {domain, domain.partition(":")[0], registrar} - {""}:
                for name in {user, line.auth_user} - {""}:
                    whole = f"{name}:{realm}:{line.password}".encode()
                    yield hashlib.md5(whole, usedforsecurity=False).hexdigest()
                    yield hashlib.sha256(whole).hexdigest()
    for wifi in getattr(config, "wifi", ()):
        if wifi.password:
            yield hashlib.pbkdf2_hmac("sha1", wifi.password.encode(), wifi.ssid.encode(), 4096, 32).hex()


def secrets_beside(file: Path) -> Iterator[str]:
    """The secrets in `file`, and in the credentials and generations beside it; what cannot be read holds none."""
    home = file.parent
    places = {home, file.resolve().parent}
    for place in places:
        yield from _contents(place.glob("credentials/*"))
        yield from _contents(place.glob("generations/*/credentials/*"))
    for text in _contents({file, *home.glob("generations/*/phone.toml")}):
        try:
            yield from secrets_of(tomllib.loads(text))
        except (ValueError, RecursionError):
            yield from (found[2].strip("\"'") for found in _NAMED.finditer(text))


def _credentials() -> Iterator[str]:
    if directory := os.environ.get("CREDENTIALS_DIRECTORY"):
        yield from _contents(Path(directory).glob("*"))


def _contents(files: Iterable[Path]) -> Iterator[str]:
    for file in files:
        try:
            yield file.read_text(encoding="utf-8-sig").rstrip("\r\n")
        except (OSError, UnicodeDecodeError):
            continue


def _forms(secret: str) -> Iterator[str]:
    """How `secret` may be written: as it is, escaped, encoded, hashed."""
    for spelt in {secret, *(unicodedata.normalize(form, secret) for form in ("NFC", "NFD"))}:
        octets = spelt.encode("utf-8", "surrogatepass")
        yield spelt
        for safe in ("", "/"):
            percent = quote(octets, safe=safe)
            yield percent
            yield re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), percent)
        yield quote_plus(octets)
        yield json.dumps(spelt)[1:-1]
        yield json.dumps(spelt, ensure_ascii=False)[1:-1]
        yield repr(spelt)[1:-1]
        yield repr(octets)[2:-1]
        yield octets.hex()
        yield octets.hex().upper()
        yield from _base64(octets)
        for algorithm in ("md5", "sha1", "sha256"):
            yield hashlib.new(algorithm, octets, usedforsecurity=False).hexdigest()
    try:
        # A TSIG key is written in base64 and is the octets behind it.
        key = base64.b64decode(secret, validate=True)
    except (binascii.Error, ValueError):
        return
    if len(key) >= SHORTEST:
        yield key.hex()
        yield from _base64(key)


def _base64(octets: bytes) -> Iterator[str]:
    """The characters that only `octets` decide, wherever they begin within a longer text: "user:password", say."""
    for before in range(3):
        bits = 8 * (before + len(octets))
        whole = base64.b64encode(bytes(before) + octets).decode()[-(-8 * before // 6) : bits // 6]
        if len(whole) >= SHORTEST:
            yield whole
            yield whole.replace("+", "-").replace("/", "_")


def _value_marked(found: re.Match[str]) -> str:
    """The value of a key gone, its quotes kept."""
    sign = found[2][0] if found[2][0] in "\"'" else ""
    return f"{found[1]}{sign}{MARK}{sign}"


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdigit())
