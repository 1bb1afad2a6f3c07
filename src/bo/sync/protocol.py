"""What devices and central say to each other: JSON bodies, version 1. docs/sync.md explains them.

A cursor is the number and the hash of the last operation that was read. The hash stands for all history before it, so
that a central store that was restored from a backup and went on otherwise is noticed by the cursor alone.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from bo.core.kernel.journal import GENESIS

PROTOCOL: Final = 1
OPERATIONS_MOST: Final = 500  # in one push
BYTES_MOST: Final = 1_000_000  # of one push, decompressed
PAGE_BYTES: Final = 4_000_000  # about, of one page that is sent to a device
WAIT_MOST: Final = 25.0  # seconds that a pull may wait for news


class Cursor(msgspec.Struct, frozen=True):
    """How far a journal has been read."""

    seq: int = 0
    hash: str = GENESIS


class Hello(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A device says what it is."""

    protocols: tuple[int, ...]
    app: str
    schema: str
    next_device_seq: int
    cursor: Cursor
    now: datetime


class Welcome(msgspec.Struct, frozen=True):
    """What central makes of it. `device`: ok, forked. `cursor`: ok, gone, diverged. `view` stands for what the operator
    may see: where it is another than last time, a snapshot is due."""

    protocol: int
    schema: tuple[str, str]
    device: str
    device_seq: int
    cursor: str
    head: Cursor
    stable: int
    view: str
    now: datetime
    operations_most: int = OPERATIONS_MOST
    bytes_most: int = BYTES_MOST


class Sent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One pending operation."""

    id: str
    device_seq: int
    name: str
    version: int
    subject: str
    args: msgspec.Raw
    batch: str
    at: datetime


class Push(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Pending operations in the order they were done. `n` is how many; `now` the device's clock; `code` one of the
    operator's second factor, for those that want it."""

    schema: str
    n: int
    now: datetime
    ops: tuple[Sent, ...]
    code: str = ""

    def __repr__(self) -> str:
        return f"Push({self.n})"  # without what must be in no log


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one operation: `applied` (as number `seq`), `unchanged` (there was nothing to do), `refused`,
    `quarantined` (a fault of central's; kept whole there), `retry` (later), `not_run` (something before it waits)."""

    id: str
    status: str
    seq: int = 0
    code: str = ""
    message: str = ""
    hint: str = ""
    facts: dict[str, str] = {}
    caused_by: str = ""


class Pushed(msgspec.Struct, frozen=True):
    """`device` is `forked` where two machines count as one: nothing was run, and numbers begin again at
    `device_seq`."""

    results: tuple[Answer, ...]
    device: str = "ok"
    device_seq: int = 0


class Pull(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    cursor: Cursor
    schema: str
    view: str
    bytes_most: int = PAGE_BYTES
    wait: float = 0.0


class Done(msgspec.Struct, frozen=True, array_like=True):
    """An operation as central carried it out. `args` is empty where not all that it did may be seen."""

    seq: int
    hash: str
    id: str
    batch: str
    name: str
    version: int
    subject: str
    args: str
    actor: str
    device: str
    at: datetime
    cause: str = ""


class Row(msgspec.Struct, frozen=True, array_like=True):
    """A row as it is after an operation, as JSON; `null` where it is gone, or out of sight."""

    noun: str
    id: str
    json: msgspec.Raw = msgspec.Raw(b"null")

    @property
    def image(self) -> bytes | None:
        held = bytes(self.json)
        return None if held == b"null" else held


class Commit(msgspec.Struct, frozen=True, array_like=True):
    """One operation with the rows that may be seen."""

    op: Done
    rows: tuple[Row, ...]


class Page(msgspec.Struct, frozen=True):
    """Commits after a cursor, in order and without a gap. `more`: ask again at once."""

    commits: tuple[Commit, ...]
    to: Cursor
    more: bool
    stable: int
    status: str = "ok"  # or gone, diverged, view: a snapshot is due


class SnapshotPage(msgspec.Struct, frozen=True):
    """A part of all rows that may be seen. `at` is where the journal stood when it was read; `next` is what to ask
    for next, blank at the end. `rows` of all pages are in the order in which they were made."""

    at: Cursor
    view: str
    total: int
    rows: tuple[Row, ...]
    next: str
    stable: int
    sha256: str = ""


class Sum(msgspec.Struct, frozen=True):
    """Rows of one noun, and the sum of their hashes modulo 2**64."""

    rows: int
    sum: int


class Digest(msgspec.Struct, frozen=True):
    at: Cursor
    sums: dict[str, Sum]


class Login(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`device` is the id of one that logs in again, blank for a new one."""

    user: str
    password: str
    otp: str = ""
    name: str = ""
    device: str = ""

    def __repr__(self) -> str:
        return f"Login({self.user!r})"  # without what must be in no log


class Ticket(msgspec.Struct, frozen=True):
    """What a login gives: the token, and what the device needs to begin."""

    token: str
    operator: str
    device: str
    device_seq: int
    region: str
    currency: str
    zone: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"Ticket({self.device!r})"


class Problem(msgspec.Struct, omit_defaults=True):
    """An error, as RFC 9457 writes it, with our code and hint."""

    type: str
    title: str
    status: int
    code: str
    hint: str = ""
    facts: dict[str, object] = {}
    retryable: bool = False


encode: Final = msgspec.json.Encoder().encode
