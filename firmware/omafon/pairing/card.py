# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What a telephone tells of itself to one that joins its family, signed with the key of its certificate."""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from omafon.core.memory import MOST_ADDRESSES, Address, Member, Reach
from omafon.identity import fingerprint, named

LONGEST_NAME = 40
_LABEL = b"omafon pairing 1 card"
_NUMBER = re.compile(r"\+[1-9][0-9]{4,14}|", re.ASCII)
_HOST = re.compile(r"(?=.{1,253}$)[0-9a-z]([0-9a-z-]{0,61}[0-9a-z])?(\.[0-9a-z]([0-9a-z-]{0,61}[0-9a-z])?)*", re.ASCII)


class CardError(ValueError):
    """This is nobody's card; the message says why."""


class _Said(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    number: str
    addresses: list[Address]
    certificate: bytes


@dataclass(frozen=True, slots=True)
class Card:
    """A phone of this name and number, listening at `addresses`, with this certificate (DER)."""

    name: str
    number: str
    addresses: tuple[Address, ...]
    certificate: bytes

    def signed(self, key: Path, transcript: bytes) -> bytes:
        """The card as it is sent: with a signature, by the key in the file `key`, that fits this one pairing only."""
        said = msgspec.json.encode(_Said(self.name, self.number, list(self.addresses), self.certificate))
        private = load_pem_private_key(key.read_bytes(), None)
        assert isinstance(private, ec.EllipticCurvePrivateKey)
        signature = private.sign(_LABEL + transcript + said, ec.ECDSA(hashes.SHA256()))
        return len(signature).to_bytes(2) + signature + said


def member(sent: bytes, transcript: bytes) -> Member:
    """Whom a card introduces that came in the pairing with this `transcript`. Raises CardError.

    The signature proves that who sent it has the certificate's key: nobody brings another phone's certificate.
    """
    length = int.from_bytes(sent[:2])
    signature, said = sent[2 : 2 + length], sent[2 + length :]
    try:
        card = msgspec.json.decode(said, type=_Said)
        key = x509.load_der_x509_certificate(card.certificate).public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise CardError("the certificate has no key of this kind")
        key.verify(signature, _LABEL + transcript + said, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise CardError("the signature is not of the certificate's key") from None
    except (ValueError, RecursionError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise CardError(f"it cannot be read: {error}") from None
    id_ = named(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    _check(card)
    return Member(id_, card.name, card.number, fingerprint(card.certificate), tuple(card.addresses))


def _check(card: _Said) -> None:
    if not (0 < len(card.name) <= LONGEST_NAME and card.name.isprintable() and card.name.strip() == card.name):
        raise CardError("the name is none")
    if not _NUMBER.fullmatch(card.number):
        raise CardError("the number is none")
    if len(card.addresses) > MOST_ADDRESSES:
        raise CardError("nobody has so many addresses")
    for address in card.addresses:
        if not 0 < address.port < 65536 or address.last_worked != 0.0 or not _is_host(address):
            raise CardError("an address is none")


def _is_host(address: Address) -> bool:
    if address.kind is Reach.NAME:
        return _HOST.fullmatch(address.host) is not None
    try:
        ip = ip_address(address.host)
    except ValueError:
        return False
    # An address of this very machine, or of everybody's, is nobody's.
    return not (ip.is_multicast or ip.is_unspecified or getattr(ip, "scope_id", None))
