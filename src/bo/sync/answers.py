"""What the server reads off the answers that it passes on: how many rows, what became of operations, whether there is
news. It looks at no value of a record.
"""

from __future__ import annotations

from typing import Final

import msgspec

from bo.sync.protocol import Cursor

NEWS_BYTES: Final = 1024  # a page without a commit is never larger


class _Result(msgspec.Struct):
    status: str


class _Results(msgspec.Struct):
    results: list[_Result]


class _Rows(msgspec.Struct):
    rows: list[msgspec.Raw]


class _Commit(msgspec.Struct, array_like=True):
    op: msgspec.Raw
    rows: list[msgspec.Raw]


class _Commits(msgspec.Struct):
    commits: list[_Commit]


class Short(msgspec.Struct):
    """A page of a pull, as far as it matters to whoever waits."""

    commits: list[msgspec.Raw]
    to: Cursor
    more: bool
    status: str = "ok"


def statuses(pushed: bytes) -> list[str]:
    """What became of each operation."""
    return [result.status for result in msgspec.json.decode(pushed, type=_Results).results]


def rows_in(kind: str, page: bytes) -> int:
    """How many rows there are in a page of a snapshot or a pull."""
    if kind == "snapshot":
        return len(msgspec.json.decode(page, type=_Rows).rows)
    return sum(len(made.rows) for made in msgspec.json.decode(page, type=_Commits).commits)


def without_news(page: bytes) -> Short | None:
    """A page that says nothing but how far the journal has been read; None for any other."""
    if len(page) > NEWS_BYTES:
        return None
    found = msgspec.json.decode(page, type=Short)
    return found if not found.commits and not found.more and found.status == "ok" else None
