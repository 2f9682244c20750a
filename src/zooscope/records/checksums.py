"""Checksums over what a record holds: SQLite notices damage to its own pages' structure, but not to their contents."""

import json
from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

SIZE: Final = 16
NOTHING: Final = bytes(SIZE)
_ENCODER: Final = json.JSONEncoder(separators=(",", ":"))  # one for all: `json.dumps` would make one for each of a million arrays


def compute_checksum(key: Sequence[object], content: bytes = b"") -> bytes:
    """BLAKE2b over a key and what stands under it, so that swapped contents are noticed, too.

    Args:
        key: texts, numbers, None, or lists of them.
        content: any bytes.

    Example:
        >>> compute_checksum(["clean", "a", 0], b"1234") == compute_checksum(["clean", "b", 0], b"1234")
        False
    """
    # ASCII only: what counts as printable differs between versions of Python. A list ends itself, so no separator is needed.
    return blake2b(_ENCODER.encode(key).encode("ascii") + content, digest_size=SIZE).digest()


def combine(first: bytes, second: bytes) -> bytes:
    """Exclusive or: a checksum enters a set, or leaves it.

    Example:
        >>> combine(combine(NOTHING, b"a" * 16), b"a" * 16) == NOTHING
        True
    """
    return (int.from_bytes(first, "big") ^ int.from_bytes(second, "big")).to_bytes(SIZE, "big")
