# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The smallest thing that has the form of a bundle: one block, the tree over it, and a signature that nobody reads."""

import hashlib

SALT = "00" * 32
_BLOCK = b"omafon".ljust(4096, b"\0")


def _digest(block: bytes) -> bytes:
    return hashlib.sha256(bytes(32) + block).digest()


_TREE = _digest(_BLOCK).ljust(4096, b"\0")
ROOT = _digest(_TREE).hex()
BUNDLE = _BLOCK + _TREE + b"signature" + (9).to_bytes(8, "big")
