# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Who this telephone is to its family: a key of its own, and the certificate by which the others know it.

Nobody signs that certificate and nobody asks who did: each member keeps the SHA-256 of the others' and wants to see
that very one. So it needs no name that is true and no date that matters.
"""

import hashlib
import re
import ssl
from dataclasses import dataclass
from pathlib import Path

from omafon import durable

FOLDER = "identity"
FILE = "phone.pem"

ID = re.compile(r"omafon-[0-9a-f]{16}")


class IdentityBroken(ValueError):
    """The file holds no identity: somebody or something has changed it."""


@dataclass(frozen=True, slots=True)
class Identity:
    """`file` holds key and certificate (PEM); `certificate` is the latter as DER, `id` the name it gives this phone."""

    id: str
    file: Path
    certificate: bytes

    @property
    def fingerprint(self) -> str:
        """What the others know the phone by: the SHA-256 of its certificate, in hex."""
        return fingerprint(self.certificate)


def fingerprint(certificate: bytes) -> str:
    """The SHA-256 of a certificate (DER), in hex."""
    return hashlib.sha256(certificate).hexdigest()


def identity(state: Path) -> Identity:
    """The identity kept in the directory `state`; made and kept there if there is none.

    Takes a second on a small Pi the first time, and no library later. Raises IdentityBroken and OSError.
    """
    file = state / FOLDER / FILE
    try:
        return _read(file)
    except FileNotFoundError:
        folder = file.parent
        if not folder.is_dir():
            durable.directory(folder, 0o700)
            durable.sync(state)
        durable.replace(file, _made())
        return _read(file)


def named(public_key: bytes) -> str:
    """The id of the phone whose certificate has this key (DER, SubjectPublicKeyInfo): nobody else can take it."""
    return f"omafon-{hashlib.sha256(public_key).hexdigest()[:16]}"


def _read(file: Path) -> Identity:
    try:
        text = file.read_text(encoding="ascii")
        # Stands before the first block, where readers of PEM see nothing (RFC 7468 section 5.2).
        id_ = text.partition("\n")[0]
        if not ID.fullmatch(id_) or "-----BEGIN PRIVATE KEY-----" not in text:
            raise ValueError
        begin = text.index("-----BEGIN CERTIFICATE-----")
        certificate = ssl.PEM_cert_to_DER_cert(text[begin:])
    except ValueError:
        raise IdentityBroken(f"{file} holds no identity") from None
    return Identity(id_, file, certificate)


def _made() -> bytes:
    """A new key (P-256), its certificate, and the id before both, as text."""
    from datetime import UTC, datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

    key = ec.generate_private_key(ec.SECP256R1())
    id_ = named(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, id_)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # Not today: a phone that is switched on for the first time does not know what day it is.
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2120, 1, 1, tzinfo=UTC))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return id_.encode() + b"\n" + private + certificate.public_bytes(Encoding.PEM)
