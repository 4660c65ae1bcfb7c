# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Whether every block of a bundle is the one that was signed, before anything is written.

The kernel would find out as well (dm-verity), but only while the other slot is being written over.
"""

import hashlib
from pathlib import Path

BLOCK = 4096


def intact(bundle: Path, salt: bytes, root: bytes, tree_size: int, signature_size: int) -> bool:
    """Whether the blocks of `bundle` lead to the digest `root`, which stands in its signature. Raises OSError.

    A bundle is a file system, a tree of digests of `tree_size` bytes, the signature, and eight bytes with its size. The
    tree is a level of digests over the blocks, one over the blocks of that, and so on to one block.
    """
    data_size = bundle.stat().st_size - 8 - signature_size - tree_size
    if data_size <= 0 or data_size % BLOCK:
        return False
    salted = hashlib.sha256(salt)
    with bundle.open("rb") as opened:
        levels = [_padded(b"".join(_digest(opened.read(BLOCK), salted) for _ in range(data_size // BLOCK)))]
        stored = opened.read(tree_size)
    while len(levels[-1]) > BLOCK:
        levels.append(_padded(_level(levels[-1], salted)))
    # The kernel reads the tree as it is stored: the level nearest to the root comes first.
    return _digest(levels[-1], salted) == root and b"".join(reversed(levels)) == stored


def _level(below: bytes, salted: "hashlib._Hash") -> bytes:
    return b"".join(_digest(below[begin : begin + BLOCK], salted) for begin in range(0, len(below), BLOCK))


def _digest(block: bytes, salted: "hashlib._Hash") -> bytes:
    digest = salted.copy()
    digest.update(block)
    return digest.digest()


def _padded(level: bytes) -> bytes:
    return level + b"\0" * (-len(level) % BLOCK)
