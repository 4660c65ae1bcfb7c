# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Compares the data of a TOML file with the Structs of `parts` and collects everything that is wrong."""

import datetime
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Literal, get_args, get_origin

from msgspec import structs

from omafon.config import rules
from omafon.config.lines import Path
from omafon.config.parts import EnumConfig, Part
from omafon.config.rules import Fault, Rule, did_you_mean, quoted
from omafon.core.dialplan import E164
from omafon.core.naptr import enum_domain
from omafon.core.publication import PublicationError, check_offer

# What a value must be beyond its type, by its key without the indices of lists.
_RULES: dict[tuple[str, ...], Rule] = {
    ("phone", "name"): rules.text,
    ("phone", "number"): rules.number,
    ("phone", "country"): rules.country,
    ("phone", "area"): rules.area,
    ("phone", "board"): rules.name,
    ("phone", "digit_map"): rules.digit_map,
    ("phone", "zone"): rules.zone,
    ("sip", "address"): rules.address,
    ("sip", "ca"): rules.text,
    ("line", "name"): rules.name,
    ("line", "aor"): rules.aor,
    ("line", "auth_user"): rules.text,
    ("line", "password_credential"): rules.credential,
    ("line", "registrar"): rules.registrar,
    ("enum", "trees"): rules.tree,
    ("enum", "servers"): rules.name_server,
    ("enum", "ca"): rules.text,
    ("enum", "publish", "zone"): rules.tree,
    ("enum", "publish", "tree"): rules.optional_tree,
    ("enum", "publish", "server"): rules.server,
    ("enum", "publish", "key_name"): rules.key_name,
    ("enum", "publish", "key_secret"): rules.secret,
    ("enum", "publish", "key_credential"): rules.credential,
    ("sip", "stun"): rules.stun,
    ("family", "name"): rules.optional_tree,
    ("family", "update", "zone"): rules.tree,
    ("family", "update", "server"): rules.server,
    ("family", "update", "key_name"): rules.key_name,
    ("family", "update", "key_secret"): rules.secret,
    ("family", "update", "key_credential"): rules.credential,
    ("audio", "voice"): rules.card,
    ("audio", "ringer"): rules.card,
    ("display", "night"): rules.night,
    **{("quiet", day): rules.spans for day in ("hours", *rules.DAYS)},
    ("quiet", "there"): rules.night,
    ("wifi", "ssid"): rules.ssid,
    ("wifi", "password"): rules.passphrase,
    ("wifi", "password_credential"): rules.credential,
    ("wifi", "country"): rules.optional_country,
    ("contact", "name"): rules.name,
    ("contact", "number"): rules.number,
    ("contact", "uri"): rules.uri,
    ("contact", "tune"): rules.tune,
    ("contact", "zone"): rules.zone,
}
_RANGES: dict[tuple[str, ...], range] = {
    ("sip", "port"): rules.PORTS,
    ("phone", "hotline_after_s"): rules.HOTLINE_AFTER_S,
    ("incoming", "strangers_per_hour"): rules.STRANGERS_PER_HOUR,
    ("family", "port"): rules.FAMILY_PORTS,
    ("family", "update", "ttl_s"): rules.TTL_S,
    ("enum", "budget_ms"): rules.BUDGET_MS,
    ("enum", "publish", "ttl_s"): rules.TTL_S,
    ("audio", "sidetone_db"): rules.SIDETONE_DB,
    ("audio", "microphone_db"): rules.MICROPHONE_DB,
    ("display", "dim_after_s"): rules.DIM_AFTER_S,
    ("display", "off_after_min"): rules.OFF_AFTER_MIN,
    ("contact", "speed_dial"): rules.SPEED_DIALS,
}
_UNITS = {
    "budget_ms": " milliseconds",
    "ttl_s": " seconds",
    "sidetone_db": " decibels",
    "microphone_db": " decibels",
    "dim_after_s": " seconds",
    "hotline_after_s": " seconds",
    "off_after_min": " minutes",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in `file`, at `line` (None: the file as a whole) and `key` ("line.aor"), and its cure."""

    what: str
    cure: str
    file: str
    line: int | None = None
    key: str = ""

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}, line {self.line}"
        return f"{place}: {self.what}\n  {self.cure}"


class ConfigError(Exception):
    """The configuration is refused; `problems` are all of them, in the order of their lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.line or 0, problem.what)))
        super().__init__("\n".join(map(str, self.problems)))


class Check:
    """Walks the data beside the Structs of `whole` and collects what is wrong with it."""

    def __init__(self, whole: type[Part], file: str, lines: dict[Path, int]) -> None:
        self.problems: list[Problem] = []
        self._homes = _tables(whole)
        self._file = file
        self._lines = lines

    def table(self, part: type[Part], value: object, path: Path) -> None:
        if not isinstance(value, dict):
            cure = f"Write [{_dotted(path)}] on a line of its own, and its keys below."
            if isinstance(value, list):
                cure = f"Write [{_dotted(path)}] with one bracket, once."
            self.wrong(path, "must be a table", cure)
            return
        fields = {known.name: known for known in structs.fields(part)}
        for key, content in value.items():
            if key in fields:
                self._value(fields[key].type, content, (*path, key))
            else:
                self._unknown(path, key, list(fields))
        for known in fields.values():
            if known.required and known.name not in value:
                blank = "…" if known.type in (int, float) else '"…"'
                self.wrong((*path, known.name), "is missing", f"Add it: {known.name} = {blank}")

    def together(self, data: dict[str, Any]) -> None:
        """What no key shows alone. Values of a wrong type are passed over: they were reported already."""
        enum, audio = _table(data, "enum"), _table(data, "audio")
        lines, contacts = _rows(data, "line"), _rows(data, "contact")
        trees = [(("enum", "trees", i), rules.domain(tree)) for i, tree in _texts(enum, "trees")]
        self._unique([(("line", i, "name"), line.get("name")) for i, line in lines], "the name of the line")
        self._unique([(("contact", i, "speed_dial"), row.get("speed_dial")) for i, row in contacts], "the speed dial")
        self._unique(trees, "the tree")
        self._unique([(("audio", "codecs", i), codec) for i, codec in _texts(audio, "codecs")], "the codec")
        networks = _rows(data, "wifi")
        self._unique([(("wifi", i, "ssid"), network.get("ssid")) for i, network in networks], "the ssid")
        for table, rows in (("line", lines), ("wifi", networks)):
            for i, row in rows:
                if row.get("password") and row.get("password_credential"):
                    self.wrong((table, i, "password_credential"), "stands beside `password`", "Keep one of the two.")
        countries = [(i, network["country"]) for i, network in networks if network.get("country")]
        for i, country in countries[1:]:
            if country != countries[0][1]:
                self.wrong(("wifi", i, "country"), "is another than above", "The phone stands in one country.")
        for i, contact in contacts:
            if not (contact.get("number") or contact.get("uri")):
                self.wrong(("contact", i), "has neither number nor uri", 'Add one: number = "+4930123456".')
        self._named(data, [name for _, row in contacts if isinstance(name := row.get("name"), str)])
        if audio.get("codecs") == []:
            self.wrong(("audio", "codecs"), "is empty, and no voice could travel", "Leave the key out for all codecs.")
        asked = [tree for _, tree in trees] if "trees" in enum else list(EnumConfig().trees)
        for suffix in _table(enum, "dnssec"):
            if rules.domain(suffix) not in asked:
                cure = did_you_mean(suffix, asked) if asked else "Add the tree to `trees`."
                self.wrong(("enum", "dnssec", suffix), "is none of the trees", cure)
        self._anchored(enum, asked)
        with_tls = [server.startswith(rules.TLS) for _, server in _texts(enum, "servers")]
        if any(with_tls) and not all(with_tls):
            self.wrong(("enum", "servers"), "mixes servers with and without TLS", "Keep one kind.")
        self._own_name(_table(data, "family"))
        if isinstance(enum.get("publish"), dict):
            self._published(enum["publish"], _table(data, "phone").get("number"))

    def _named(self, data: dict[str, Any], contacts: list[str]) -> None:
        """Whether those who are named elsewhere are in the phone book."""
        for key in ("any_key", "hotline"):
            name = _table(data, "phone").get(key)
            if isinstance(name, str) and name and name not in contacts:
                cure = did_you_mean(name, contacts) if contacts else "Add a [[contact]] of that name."
                self.wrong(("phone", key), f"{quoted(name)} is no contact", cure)
        for table, key in (("quiet", "may_ring"), ("allow", "callers"), ("allow", "called")):
            for i, entry in _texts(_table(data, table), key):
                if fault := rules.listed(entry, contacts):
                    self.wrong((table, key, i), *fault)

    def _anchored(self, enum: dict[str, Any], trees: Sequence[str]) -> None:
        """Whether [enum.anchors] holds keys of the trees, or of zones above them."""
        for zone, anchor in _table(enum, "anchors").items():
            above = "." + rules.domain(zone) if rules.domain(zone) else ""
            if not any(f".{tree}".endswith(above) for tree in trees):
                cure = did_you_mean(zone, list(trees)) if trees else "Add the tree to `trees`."
                self.wrong(("enum", "anchors", zone), "is no zone of the trees", cure)
            elif isinstance(anchor, str) and (fault := rules.anchor(anchor)):
                self.wrong(("enum", "anchors", zone), *fault)

    def _own_name(self, family: dict[str, Any]) -> None:
        """Whether [family] names what [family.update] shall update, and one secret to do so."""
        whole, update = ("family", "update"), _table(family, "update")
        if not update:
            return
        if update.get("key_secret") and update.get("key_credential"):
            self.wrong((*whole, "key_credential"), "stands beside `key_secret`", "Keep one of the two.")
        elif not (update.get("key_secret") or update.get("key_credential")):
            self.wrong(whole, "has no key", 'Add the secret: key_secret = "…", or key_credential.')
        name, zone = family.get("name"), update.get("zone")
        if not name:
            self.wrong(whole, "has no name to update", 'Add it to [family]: name = "oma.example.org".')
        elif isinstance(name, str) and isinstance(zone, str) and not _within(name, zone):
            self.wrong((*whole, "zone"), f"does not hold {rules.domain(name)}", "Name the zone that does.")

    def _published(self, publish: dict[str, Any], number: object) -> None:
        """Whether the own number can be published as [enum.publish] says."""
        whole = ("enum", "publish")
        if publish.get("key_secret") and publish.get("key_credential"):
            self.wrong((*whole, "key_credential"), "stands beside `key_secret`", "Keep one of the two.")
        elif not (publish.get("key_secret") or publish.get("key_credential")):
            self.wrong(whole, "has no key", 'Add the secret: key_secret = "…", or key_credential.')
        if not number:
            self.wrong(whole, "has no number to publish", 'Add it to [phone]: number = "+4930123456".')
        zone, tree = publish.get("zone"), publish.get("tree") or publish.get("zone")
        if isinstance(number, str) and isinstance(zone, str) and isinstance(tree, str) and not rules.number(number):
            name = enum_domain(E164(rules.e164(number)), rules.domain(tree)).removesuffix(".")
            if not f".{name}".endswith(f".{rules.domain(zone)}"):
                self.wrong((*whole, "zone"), f"does not hold {name}", "Name the zone, and in `tree` its ENUM apex.")
        offers: list[tuple[Path, str, object]] = [(("uri",), "sip", publish.get("uri"))]
        offers += [(("services", service), service, uri) for service, uri in _table(publish, "services").items()]
        for path, service, uri in offers:
            if isinstance(uri, str):
                try:
                    check_offer(service, uri)
                except PublicationError as error:
                    self.wrong((*whole, *path), error.what, error.cure)
        if "sip" in _table(publish, "services"):
            self.wrong((*whole, "services", "sip"), "is told by `uri` already", "Keep one of the two.")

    def _value(self, kind: Any, value: object, path: Path) -> None:
        if get_origin(kind) is UnionType:  # X | None: a key that is there has the type X
            kind = get_args(kind)[0]
        if get_origin(kind) is Annotated:
            kind = get_args(kind)[0]
        origin = get_origin(kind)
        if isinstance(kind, type) and issubclass(kind, Part):
            self.table(kind, value, path)
        elif origin is tuple:
            self._list(get_args(kind)[0], value, path)
        elif origin is dict:
            self._dictionary(get_args(kind)[1], value, path)
        elif origin is Literal:
            self._choice(list(get_args(kind)), value, path)
        else:
            self._plain(kind, value, path)

    def _list(self, kind: Any, value: object, path: Path) -> None:
        if isinstance(value, list):
            for index, content in enumerate(value):
                self._value(kind, content, (*path, index))
        elif isinstance(kind, type) and issubclass(kind, Part):
            self.wrong(path, "may be there several times", f"Write [[{path[-1]}]] with two brackets.")
        else:
            self.wrong(path, "must be a list", 'Put it into brackets, as in ["opus", "pcma"].')

    def _dictionary(self, kind: Any, value: object, path: Path) -> None:
        if not isinstance(value, dict):
            self.wrong(path, "must be a table", f"Write [{'.'.join(map(str, path))}] on a line of its own.")
            return
        for key, content in value.items():
            self._value(kind, content, (*path, key))

    def _choice(self, choices: list[str] | list[int], value: object, path: Path) -> None:
        kind, words = type(choices[0]), [str(choice) for choice in choices]
        if type(value) is not kind:
            what = f"must be {_KINDS[kind]}, not {_described(value)}"
            self.wrong(path, what, f"Choose from: {', '.join(words)}.")
        elif value not in choices:
            word = quoted(value) if isinstance(value, str) else str(value)
            self.wrong(path, f"{word} is not known", did_you_mean(str(value), words))

    def _plain(self, kind: type, value: object, path: Path) -> None:
        keys = tuple(key for key in path if isinstance(key, str))
        fault: Fault | None = None
        if type(value) is not kind:
            fault = (f"must be {_KINDS[kind]}, not {_described(value)}", _CURES[kind])
        elif isinstance(value, str) and keys in _RULES:
            fault = _RULES[keys](value)
        elif isinstance(value, int) and keys in _RANGES and value not in _RANGES[keys]:
            allowed, unit = _RANGES[keys], _UNITS.get(keys[-1], "")
            fault = ("is out of range", f"Choose from {allowed[0]} to {allowed[-1]}{unit}.")
        if fault:
            self.wrong(path, *fault)

    def _unknown(self, path: Path, key: str, known: list[str]) -> None:
        where = (*path, key)
        cure = did_you_mean(key, known)
        home = next((table for table, keys in self._homes.items() if key in keys), None)
        if home and not cure.startswith("Did you mean"):
            cure = f"It belongs to [{home}]."
        what = f"unknown key {quoted(key)}"
        self.problems.append(Problem(what, cure, self._file, self.line(where), _dotted(where)))

    def wrong(self, path: Path, what: str, cure: str) -> None:
        key = _dotted(path)
        self.problems.append(Problem(f"{key} {what}" if key else what, cure, self._file, self.line(path), key))

    def _unique(self, values: Sequence[tuple[Path, object]], what: str) -> None:
        seen: dict[object, Path] = {}
        for path, value in values:
            if not isinstance(value, str | int):
                continue
            if value in seen:
                shown = quoted(value) if isinstance(value, str) else str(value)
                first = self.line(seen[value])
                self.wrong(path, f"{shown} is {what} in line {first} too", "Each may be there once.")
            seen.setdefault(value, path)

    def line(self, path: Path) -> int | None:
        """The line of `path`, or of the innermost table around it that is written down."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path)


_KINDS = {str: "a text", int: "a whole number", bool: "true or false"}
_CURES = {
    str: "Put it into quotes.",
    int: "Write digits, without quotes.",
    bool: "Write true or false, without quotes.",
}


def _tables(whole: type[Part]) -> dict[str, tuple[str, ...]]:
    """The keys of each table of a file, by the table as it is written between brackets."""
    found = {}
    for known in structs.fields(whole):
        kind, name = known.type, known.name
        if get_origin(kind) is tuple:
            kind, name = get_args(kind)[0], f"[{name}]"
        elif get_origin(kind) is UnionType:
            kind = get_args(kind)[0]
        if isinstance(kind, type) and issubclass(kind, Part):
            found[name] = kind.__struct_fields__
            found.update({f"{name}.{inner}": keys for inner, keys in _tables(kind).items()})
    return found


def _within(name: str, zone: str) -> bool:
    return f".{rules.domain(name)}".endswith(f".{rules.domain(zone)}")


def _table(data: dict[str, Any], key: str) -> dict[str, Any]:
    found = data.get(key)
    return found if isinstance(found, dict) else {}


def _rows(data: dict[str, Any], key: str) -> list[tuple[int, dict[str, Any]]]:
    """The tables of an array of tables, with their indices."""
    found = data.get(key)
    return [(i, row) for i, row in enumerate(found) if isinstance(row, dict)] if isinstance(found, list) else []


def _texts(data: dict[str, Any], key: str) -> list[tuple[int, str]]:
    """The texts of a list, with their indices."""
    found = data.get(key)
    return [(i, text) for i, text in enumerate(found) if isinstance(text, str)] if isinstance(found, list) else []


def _described(value: object) -> str:
    match value:
        case bool():
            return "true or false"
        case int():
            return "a number"
        case float():
            return "a number with a point"
        case str():
            return "a text"
        case list():
            return "a list"
        case dict():
            return "a table"
        case datetime.date() | datetime.time():
            return "a date or time"
        case _:
            return "this"


def _dotted(path: Path) -> str:
    """A path as the owner knows it: keys alone, "contact.speed_dial"; quoted where a key is not a plain word."""
    return ".".join(
        key if re.fullmatch("[A-Za-z0-9_-]{1,40}", key) else quoted(key) for key in path if isinstance(key, str)
    )
