# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The agreement of two telephones: numeric comparison with a commitment, as in Bluetooth's Secure Connections.

The caller, who connected, commits to a key and a number used once, before it sees those of the listener; then it
reveals them. Nobody in between can therefore choose keys so that both phones show the same six digits: of what each
side shows, the last part is unknown when the choice must be made (Vaudenay, CRYPTO 2005; RFC 6189 section 4.4).

    caller -> listener   COMMIT   SHA-256 of the caller's key and nonce
    listener -> caller   SHARE    the listener's key and nonce
    caller -> listener   REVEAL   the caller's key and nonce
    both, sealed         YES      the person at my end has seen the same digits
    both, sealed         CARD     who I am, once both have said yes
    both, sealed         KEPT     I hold your card

A message is its length in two octets, one octet for its kind, and its content.
"""

import hashlib
import hmac
import os
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, IntEnum, auto

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

LABEL = b"omafon pairing 1"
KEY = 32
NONCE = 32
TAG = 16
DIGITS = 6
LONGEST = 8192
"""No message is longer."""


class Role(Enum):
    CALLER = b"caller"
    LISTENER = b"listener"


class Kind(IntEnum):
    COMMIT = 1
    SHARE = 2
    REVEAL = 3
    YES = 4
    NO = 5
    CARD = 6
    KEPT = 7


class ProtocolError(Exception):
    """The other side does not keep to the protocol, or somebody stands in between; nothing more may be said to it."""


@dataclass(frozen=True, slots=True)
class Spent:
    """The one attempt of this pairing is taken: from now on there is this other side, or none.

    Whoever learns our share can compute the digits; were there a second attempt, digits could be tried until they fit.
    """


@dataclass(frozen=True, slots=True)
class Digits:
    """What people compare."""

    digits: str


@dataclass(frozen=True, slots=True)
class Agreed:
    """The people at both ends have said yes: a card is wanted, see `Agreement.introduce`."""

    transcript: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """The person at the other end has said no, or has given up."""


@dataclass(frozen=True, slots=True)
class Introduced:
    """The other side's card has come: it is to be looked at, and kept, see `Agreement.keep`."""

    card: bytes


@dataclass(frozen=True, slots=True)
class Done:
    """Each side holds the other's card."""


Outcome = Spent | Digits | Agreed | Refused | Introduced | Done


class _Stage(Enum):
    COMMITTED = auto()  # the caller, who waits for the share
    LISTENING = auto()  # the listener, who waits for the commitment
    SHARED = auto()  # the listener, who waits for what was committed to
    COMPARING = auto()
    OVER = auto()


class Agreement:
    """One pairing of two. What is to be sent gathers in `to_send`; a ProtocolError or a refusal ends it for good."""

    def __init__(self, role: Role, random: Callable[[int], bytes] = os.urandom) -> None:
        self._role = role
        self._private = X25519PrivateKey.from_private_bytes(random(KEY))
        public = self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self._share = public + random(NONCE)
        self._heard = b""
        self._out = b""
        self._commitment = b""
        self._transcript = hashlib.sha256(LABEL)
        self._seal: _Seal | None = None
        self._unseal: _Seal | None = None
        self._yes = self._their_yes = self._introduced = self._met = self._keeps = self._kept = False
        self._stage = _Stage.LISTENING
        if role is Role.CALLER:
            self._stage = _Stage.COMMITTED
            self._say(Kind.COMMIT, _commitment(self._share))

    def to_send(self) -> bytes:
        """What is to be sent now; once."""
        out, self._out = self._out, b""
        return out

    def receive(self, octets: bytes) -> tuple[Outcome, ...]:
        """Take what has come, in whatever pieces. Raises ProtocolError."""
        if self._stage is _Stage.OVER:
            raise ProtocolError("the pairing is over")
        self._heard += octets
        outcomes: list[Outcome] = []
        try:
            while (message := self._next()) is not None:
                outcomes.extend(self._take(*message))
        except ProtocolError:
            self._stage = _Stage.OVER
            raise
        return tuple(outcomes)

    def agree(self) -> tuple[Outcome, ...]:
        """The person here has seen the same digits at both ends."""
        if self._stage is not _Stage.COMPARING or self._yes:
            raise ProtocolError("there is nothing to agree to")
        self._yes = True
        self._say_sealed(Kind.YES)
        return self._both_agreed()

    def introduce(self, card: bytes) -> None:
        """Tell who we are, after Agreed."""
        if self._stage is not _Stage.COMPARING or not (self._yes and self._their_yes) or self._introduced:
            raise ProtocolError("nobody wants to know")
        self._introduced = True
        self._say_sealed(Kind.CARD, card)

    def keep(self) -> tuple[Outcome, ...]:
        """Tell that the other side's card is one that we hold, after Introduced."""
        if self._stage is not _Stage.COMPARING or not self._met or self._keeps:
            raise ProtocolError("there is nothing to keep")
        self._keeps = True
        self._say_sealed(Kind.KEPT)
        return self._both_kept()

    def refuse(self) -> None:
        """The person here has said no, or has given up. Nothing is left but to send that."""
        if self._stage is _Stage.COMPARING:
            self._say_sealed(Kind.NO)
        self._stage = _Stage.OVER

    def _next(self) -> tuple[Kind, bytes] | None:
        """The next whole message, if there is one."""
        if len(self._heard) < 2:
            return None
        length = int.from_bytes(self._heard[:2])
        if not 1 <= length <= LONGEST:
            raise ProtocolError("no message is so long")
        if len(self._heard) < 2 + length:
            return None
        message, self._heard = self._heard[2 : 2 + length], self._heard[2 + length :]
        try:
            return Kind(message[0]), message[1:]
        except ValueError:
            raise ProtocolError("there is no such message") from None

    def _take(self, kind: Kind, content: bytes) -> tuple[Outcome, ...]:
        match self._stage, kind:
            case _Stage.LISTENING, Kind.COMMIT if len(content) == hashlib.sha256().digest_size:
                self._note(Kind.COMMIT, content)
                self._commitment = content
                self._stage = _Stage.SHARED
                self._say(Kind.SHARE, self._share)
                return (Spent(),)
            case _Stage.COMMITTED, Kind.SHARE if len(content) == KEY + NONCE:
                self._note(Kind.SHARE, content)
                self._say(Kind.REVEAL, self._share)
                return (Spent(), self._compared(content))
            case _Stage.SHARED, Kind.REVEAL if len(content) == KEY + NONCE:
                if not hmac.compare_digest(_commitment(content), self._commitment):
                    raise ProtocolError("that is not what was committed to")
                self._note(Kind.REVEAL, content)
                return (self._compared(content),)
            case _Stage.COMPARING, Kind.YES | Kind.NO | Kind.CARD | Kind.KEPT:
                return self._unsealed(kind, content)
            case _:
                raise ProtocolError(f"{kind.name} has no place here")

    def _compared(self, share: bytes) -> Digits:
        """Both keys are there: the secret, and all that follows from it."""
        if hmac.compare_digest(share[:KEY], self._share[:KEY]):
            raise ProtocolError("that is our own key")
        try:
            secret = self._private.exchange(X25519PublicKey.from_public_bytes(share[:KEY]))
        except ValueError:
            # A point of small order: the secret would be known to everybody (RFC 7748 section 6.1).
            raise ProtocolError("that key makes no secret") from None
        transcript = self._transcript.digest()

        def derived(purpose: bytes, length: int = KEY) -> bytes:
            return HKDF(hashes.SHA256(), length, salt=transcript, info=LABEL + b" " + purpose).derive(secret)

        mine, theirs = derived(b"from " + self._role.value), derived(b"from " + _OTHER[self._role].value)
        self._seal, self._unseal = _Seal(mine, transcript), _Seal(theirs, transcript)
        self._stage = _Stage.COMPARING
        # Of 64 bits: the remainder prefers no digits by more than 2**-44.
        number = int.from_bytes(derived(b"digits", 8)) % 10**DIGITS
        return Digits(f"{number:0{DIGITS}d}")

    def _unsealed(self, kind: Kind, content: bytes) -> tuple[Outcome, ...]:
        assert self._unseal is not None
        content = self._unseal.opened(kind, content)
        match kind:
            case Kind.NO if not content:
                self._stage = _Stage.OVER
                return (Refused(),)
            case Kind.YES if not content and not self._their_yes:
                self._their_yes = True
                return self._both_agreed()
            # A card can be here before our own is sent, but never before our yes.
            case Kind.CARD if self._yes and self._their_yes and not self._met:
                self._met = True
                return (Introduced(content),)
            case Kind.KEPT if not content and self._introduced and not self._kept:
                self._kept = True
                return self._both_kept()
            case _:
                raise ProtocolError(f"{kind.name} has no place here")

    def _both_agreed(self) -> tuple[Outcome, ...]:
        return (Agreed(self._transcript.digest()),) if self._yes and self._their_yes else ()

    def _both_kept(self) -> tuple[Outcome, ...]:
        if not (self._keeps and self._kept):
            return ()
        self._stage = _Stage.OVER
        return (Done(),)

    def _say(self, kind: Kind, content: bytes) -> None:
        self._note(kind, content)
        self._out += (1 + len(content)).to_bytes(2) + bytes([kind]) + content

    def _say_sealed(self, kind: Kind, content: bytes = b"") -> None:
        assert self._seal is not None
        sealed = self._seal.closed(kind, content)
        self._out += (1 + len(sealed)).to_bytes(2) + bytes([kind]) + sealed

    def _note(self, kind: Kind, content: bytes) -> None:
        """Both sides note the three open messages, in the one order they can have."""
        self._transcript.update(bytes([kind]) + content)


_OTHER = {Role.CALLER: Role.LISTENER, Role.LISTENER: Role.CALLER}


def _commitment(share: bytes) -> bytes:
    """What the caller says of its key and nonce before it shows them. Only the caller commits: the label says so."""
    return hashlib.sha256(LABEL + b" commitment of the caller " + share).digest()


class _Seal:
    """One direction: each message is encrypted, cannot be changed, and has its place in the order (RFC 8439)."""

    def __init__(self, key: bytes, transcript: bytes) -> None:
        self._cipher = ChaCha20Poly1305(key)
        self._transcript = transcript
        self._count = 0

    def closed(self, kind: Kind, content: bytes) -> bytes:
        return self._cipher.encrypt(self._number(), content, self._transcript + bytes([kind]))

    def opened(self, kind: Kind, sealed: bytes) -> bytes:
        """Raises ProtocolError."""
        try:
            return self._cipher.decrypt(self._number(), sealed, self._transcript + bytes([kind]))
        except InvalidTag:
            raise ProtocolError("somebody has changed a message") from None

    def _number(self) -> bytes:
        self._count += 1
        return self._count.to_bytes(12)
