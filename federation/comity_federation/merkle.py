"""Merkle tree hash over a list of byte strings, and the proof that one of them is in it.

Source: RFC 9162 §2.1.1 (the same tree as RFC 6962) and §2.1.3 for the proof of inclusion.
"""

import hashlib
from collections.abc import Sequence


def tree_root(leaves: Sequence[bytes]) -> bytes:
    """Return the 32-byte root; of no leaves, the hash of the empty string."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = _split(len(leaves))
    return _inner(tree_root(leaves[:split]), tree_root(leaves[split:]))


def inclusion_path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return the hashes beside a leaf's way to the root, from the leaf up.

    Raises:
        IndexError: there is no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise IndexError(f"there are {len(leaves)} leaves, from 0")
    if len(leaves) == 1:
        return []
    split = _split(len(leaves))
    if index < split:
        return [*inclusion_path(leaves[:split], index), tree_root(leaves[split:])]
    return [*inclusion_path(leaves[split:], index - split), tree_root(leaves[:split])]


def root_of_path(leaf: bytes, index: int, count: int, path: Sequence[bytes]) -> bytes | None:
    """Return the root that a leaf has with these hashes beside its way; None where the path cannot belong there."""
    if not 0 <= index < count:
        return None
    if count == 1:
        return tree_root([leaf]) if not path else None
    if not path:
        return None
    split = _split(count)
    *lower, beside = path
    if index < split:
        left = root_of_path(leaf, index, split, lower)
        return None if left is None else _inner(left, beside)
    right = root_of_path(leaf, index - split, count - split, lower)
    return None if right is None else _inner(beside, right)


def _split(count: int) -> int:
    return 1 << ((count - 1).bit_length() - 1)


def _inner(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
