# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The keys of `phone.toml`: every table is a Struct, its fields are the keys, its defaults an empty file's phone."""

from typing import Literal

from msgspec import Struct, field


class Part(Struct, frozen=True, forbid_unknown_fields=True):
    """A table of the file."""


class PhoneConfig(Part, frozen=True):
    name: str = ""
    number: str = ""
    country: str = "DE"
    area: str = ""
    board: str = "virtual"
    language: Literal["de", "en"] = "de"
    digit_map: str = ""
    confirm_paid: bool = False


class SipConfig(Part, frozen=True):
    """`address` is where to listen (empty: everywhere); `ca` a file of certificates trusted beside the system's."""

    port: int = 5060
    address: str = ""
    ca: str = ""
    srtp: Literal["mandatory", "optional", "off"] = "optional"  # for direct calls


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
    accept: tuple[Literal["lines", "family", "anyone"], ...] = ("lines", "family")


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
    """The display of a phone that nobody uses: 0 is never. `night` is when it is dimmer still; empty: at no time."""

    dim_after_s: int = 60
    off_after_min: int = 0
    night: str = "22:00-07:00"


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
    """`tune` is a WAV file that rings in the place of the bell when they call."""

    name: str
    number: str = ""
    uri: str = ""
    speed_dial: int | None = None
    family: bool = False
    tune: str = ""


class Config(Part, frozen=True):
    phone: PhoneConfig = PhoneConfig()
    sip: SipConfig = SipConfig()
    line: tuple[LineConfig, ...] = ()
    enum: EnumConfig = EnumConfig()
    incoming: IncomingConfig = IncomingConfig()
    audio: AudioConfig = AudioConfig()
    display: DisplayConfig = DisplayConfig()
    wifi: tuple[WifiConfig, ...] = ()
    contact: tuple[ContactConfig, ...] = ()
