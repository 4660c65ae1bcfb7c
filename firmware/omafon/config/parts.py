# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The keys of `phone.toml`: every table is a Struct, its fields are the keys, its defaults an empty file's phone."""

from typing import Literal

from msgspec import Struct, field


class Part(Struct, frozen=True, forbid_unknown_fields=True):
    """A table of the file."""


class PhoneConfig(Part, frozen=True):
    """`zone` is the time zone of the phone (empty: that of the country, where it has one, else the system's).

    `any_key` and `hotline` are names of contacts: whom any key calls, and who is called `hotline_after_s` seconds after
    the handset was lifted and nothing dialled.
    """

    name: str = ""
    number: str = ""
    country: str = "DE"
    area: str = ""
    board: str = "virtual"
    language: Literal["de", "en"] = "de"
    digit_map: str = ""
    zone: str = ""
    any_key: str = ""
    hotline: str = ""
    hotline_after_s: int = 8
    confirm_paid: bool = False


class SipConfig(Part, frozen=True):
    """`address` is where to listen (empty: everywhere); `ca` a file of certificates trusted beside the system's.

    `stun` is a server, host[:port], that tells family calls how a router shows this phone (RFC 8489, ICE by RFC 8445).
    """

    port: int = 5060
    address: str = ""
    ca: str = ""
    srtp: Literal["mandatory", "optional", "off"] = "optional"  # for direct calls
    stun: str = ""


class LineConfig(Part, frozen=True):
    """A registration. After `load`, `password` holds what `password_credential` named."""

    name: str
    aor: str
    auth_user: str = ""
    password: str = ""
    password_credential: str = ""
    transport: Literal["udp", "tcp", "tls"] = "tls"
    registrar: str = ""
    srtp: Literal["mandatory", "optional", "off"] = "mandatory"

    def __repr__(self) -> str:
        """Name and address: a repr ends in logs and tracebacks, and the password must not."""
        return f"LineConfig(name={self.name!r}, aor={self.aor!r})"


class PublishConfig(Part, frozen=True):
    """The own number in the owner's zone, put there by dynamic update signed with the key `key_name`.

    `tree` is the apex that the number stands under (empty: `zone`); `services` holds a URI for each Enumservice beside
    `sip`, whose is `uri`. After `load`, `key_secret` holds what `key_credential` named.
    """

    zone: str
    server: str
    key_name: str
    uri: str
    key_algorithm: Literal["hmac-sha256", "hmac-sha384", "hmac-sha512"] = "hmac-sha256"
    key_secret: str = ""
    key_credential: str = ""
    tree: str = ""
    ttl_s: int = 3600
    services: dict[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Zone and server: a repr ends in logs and tracebacks, and the secret must not."""
        return f"PublishConfig(zone={self.zone!r}, server={self.server!r})"


class EnumConfig(Part, frozen=True):
    """`anchors` are the DNSSEC keys of zones, as DS or DNSKEY records or a file of these.

    `ca` is a file of certificates that `servers` reached by TLS are trusted by, beside the system's.
    """

    trees: tuple[str, ...] = ("e164.arpa",)
    servers: tuple[str, ...] = ()
    ca: str = ""
    budget_ms: int = 800
    dnssec: dict[str, Literal["require", "prefer", "off"]] = field(default_factory=dict)
    anchors: dict[str, str] = field(default_factory=dict)
    publish: PublishConfig | None = None


class IncomingConfig(Part, frozen=True):
    """`strangers_per_hour` is how many of those that only "anyone" lets in may ring."""

    accept: tuple[Literal["lines", "family", "anyone"], ...] = ("lines", "family")
    strangers_per_hour: int = 6


class QuietConfig(Part, frozen=True):
    """Hours without ringing, "22:00-07:00, 13:00-15:00": each day's begin on it; a day without any has `hours`.

    `may_ring` are groups, contacts and numbers as in [allow]; `answer` is what others get. `may_dial`: calls from this
    phone go on. `there` is the night elsewhere, of which the person is told before a call.
    """

    hours: str = ""
    monday: str | None = None
    tuesday: str | None = None
    wednesday: str | None = None
    thursday: str | None = None
    friday: str | None = None
    saturday: str | None = None
    sunday: str | None = None
    may_ring: tuple[str, ...] = ("family",)
    answer: Literal["unavailable", "busy"] = "unavailable"
    may_dial: bool = True
    there: str = "22:00-07:00"


class AllowConfig(Part, frozen=True):
    """Who may ring and who may be called: "anyone", "contacts", "family", names of contacts, numbers, "+4930*"."""

    callers: tuple[str, ...] = ("anyone",)
    called: tuple[str, ...] = ("anyone",)


class OwnNameConfig(Part, frozen=True):
    """The zone that holds the own name, and the key under which its primary `server` takes updates (RFC 2136).

    After `load`, `key_secret` holds what `key_credential` named.
    """

    zone: str
    server: str
    key_name: str
    key_algorithm: Literal["hmac-sha256", "hmac-sha384", "hmac-sha512"] = "hmac-sha256"
    key_secret: str = ""
    key_credential: str = ""
    ttl_s: int = 60

    def __repr__(self) -> str:
        """Zone and server: a repr ends in logs and tracebacks, and the secret must not."""
        return f"OwnNameConfig(zone={self.zone!r}, server={self.server!r})"


class FamilyConfig(Part, frozen=True):
    """Calls among phones that know each other: on `port` by TLS, while there is somebody in the family.

    `name` is a DNS name of this phone, which its members are told; the phone keeps it itself where `update` says how.
    """

    port: int = 5061
    name: str = ""
    update: OwnNameConfig | None = None


class AudioConfig(Part, frozen=True):
    """`voice` and `ringer` are ALSA cards by id ('CARD=Handset') or USB socket ('USB=1-1.2'), or names of PCMs.

    'null' is a phone without a card. `echo` says where the far end would hear itself again: it is kept from that.
    """

    voice: str = ""
    ringer: str = ""
    echo: Literal["handset", "speaker", "off"] = "off"
    sidetone_db: int = -18
    microphone_db: int = 0
    codecs: tuple[Literal["opus", "g722", "pcma", "pcmu"], ...] = ("opus", "g722", "pcma", "pcmu")


class DisplayConfig(Part, frozen=True):
    """The display of a phone that nobody uses: 0 is never. `night` is when it is dimmer still; empty: at no time.

    `large`: names and numbers as large as there is room for.
    """

    dim_after_s: int = 60
    off_after_min: int = 0
    night: str = "22:00-07:00"
    large: bool = False


class WifiConfig(Part, frozen=True):
    """A wireless network the phone joins; without a password an open one. `hidden` ones do not tell their name.

    `country` says which channels may be used (empty: that of the phone). After `load`, `password` holds what
    `password_credential` named.
    """

    ssid: str
    password: str = ""
    password_credential: str = ""
    hidden: bool = False
    country: str = ""

    def __repr__(self) -> str:
        """The name: a repr ends in logs and tracebacks, and the password must not."""
        return f"WifiConfig(ssid={self.ssid!r})"


class ContactConfig(Part, frozen=True):
    """`tune` is a WAV file that rings in the place of the bell when they call; `zone` is where they live.

    `auto_answer`: their call is taken at once, with a beep, when the phone is not in use.
    """

    name: str
    number: str = ""
    uri: str = ""
    speed_dial: int | None = None
    family: bool = False
    tune: str = ""
    zone: str = ""
    auto_answer: bool = False


class Config(Part, frozen=True):
    phone: PhoneConfig = PhoneConfig()
    sip: SipConfig = SipConfig()
    line: tuple[LineConfig, ...] = ()
    enum: EnumConfig = EnumConfig()
    incoming: IncomingConfig = IncomingConfig()
    quiet: QuietConfig = QuietConfig()
    allow: AllowConfig = AllowConfig()
    family: FamilyConfig = FamilyConfig()
    audio: AudioConfig = AudioConfig()
    display: DisplayConfig = DisplayConfig()
    wifi: tuple[WifiConfig, ...] = ()
    contact: tuple[ContactConfig, ...] = ()
