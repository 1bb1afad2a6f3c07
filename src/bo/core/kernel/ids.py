"""Ids: a record's prefix and 26 base32 characters of a time-ordered UUIDv7 (TypeID,
https://github.com/jetify-com/typeid).

An operation's id is made once, outside the command; every id made inside a command derives from it, so that a replay
makes the same ids.
"""

from __future__ import annotations

import os
import time
from functools import lru_cache
from typing import Final

ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's, lower case, as TypeID asks
TAIL_LENGTH: Final = 26
SHORT_LENGTH: Final = 6
_VERSION_BITS: Final = 0x7 << 76 | 0b10 << 62
_RANDOM_BITS: Final = (1 << 80) - 1 & ~(0xF << 76 | 0b11 << 62)
_SHIFTS: Final = range(70, -1, -10)  # of 80 bits: sixteen characters
_PAIRS: Final = [first + second for first in ALPHABET for second in ALPHABET]


def encode(number: int) -> str:
    """128 bits as 26 base32 characters."""
    pairs = _PAIRS
    return "".join([pairs[(number >> shift) & 1023] for shift in range(120, -1, -10)])


def new_operation_id() -> str:
    """A fresh operation id: 48 bits of milliseconds, which are the first ten characters, and 74 random bits."""
    pairs = _PAIRS
    rest = (int.from_bytes(os.urandom(10), "big") & _RANDOM_BITS) | _VERSION_BITS
    return (
        "op_"
        + _moment_part(time.time_ns() // 1_000_000)
        + "".join([pairs[(rest >> shift) & 1023] for shift in _SHIFTS])
    )


def operation_id_for_key(key: str) -> str:
    """The operation id that an idempotency key stands for: the same key is the same operation."""
    from hashlib import blake2b  # loads OpenSSL, which reads do without

    return "op_" + encode(int.from_bytes(blake2b(key.encode(), digest_size=16, person=b"bo-key").digest(), "big"))


def derived_tail(operation_id: str, count: int) -> str:
    """The tail of the `count`-th id made by an operation: its own for the first, then hashes that keep its time."""
    tail = operation_id[-TAIL_LENGTH:]
    if count == 0:
        return tail
    from hashlib import blake2b

    rest, pairs = int.from_bytes(blake2b(f"{tail}{count}".encode(), digest_size=10).digest(), "big"), _PAIRS
    return tail[:10] + "".join([pairs[(rest >> shift) & 1023] for shift in _SHIFTS])


def caused_operation_id(operation_id: str, rule: str, record: str) -> str:
    """The id of what an operation causes by a rule with a record: always the same, and of the operation's time."""
    from hashlib import blake2b

    tail = operation_id[-TAIL_LENGTH:]
    digest = blake2b(f"{tail}/{rule}/{record}".encode(), digest_size=10, person=b"bo-caused").digest()
    return "op_" + tail[:10] + encode(int.from_bytes(digest, "big"))[-16:]


@lru_cache(maxsize=8)
def _moment_part(moment_ms: int) -> str:
    return encode(moment_ms << 80)[:10]


def short(record_id: str) -> str:
    """The end of an id, as people type it."""
    return record_id[-SHORT_LENGTH:]
