"""Backups: a whole copy of the office in one file, verified by opening it, and put back only when it has been.

A copy is made by `VACUUM INTO`, beside writers and without stopping them. Restoring writes into the present file in one transaction, so that a screen or
a job that has it open sees either the old office or the new one; what was there before is kept as a backup of its own.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from bo.core.kernel import journal
from bo.core.kernel.database import SqliteDatabase, told
from bo.core.kernel.errors import BadFile, BoError, Busy, Damaged, UsageError
from bo.core.kernel.workspace import SCHEMA_VERSION

FOLDER: Final = "backups"
HEADER: Final = b"SQLite format 3\0"
PAGES_AT_ONCE: Final = 2000


@dataclass(frozen=True, slots=True)
class Report:
    """What is in a verified backup. `rows` counts every table."""

    path: str
    size: int
    schema: str
    operations: int
    head: str
    rows: dict[str, int] = field(default_factory=dict)


def default_name(now: datetime) -> str:
    """`office-20261102T010000Z.db`."""
    return f"office-{now:%Y%m%dT%H%M%SZ}.db"


def create(database: SqliteDatabase, target: Path) -> Report:
    """Copy the office to a new file and verify the copy; it appears under its name only then.

    Raises:
        UsageError: there already is a file of that name.
        StorageFull: no room. Damaged: the office itself fails its checks.
    """
    if target.exists():
        raise UsageError("{path} is there already", hint="Choose another name.", path=str(target))
    _make_folder(target.parent)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)
    try:
        session = database.connect()
        try:
            with told("sqlite"):
                session.cursor.execute("VACUUM INTO ?", [str(part)])
        finally:
            session.connection.close()
        report = verify(part, database.key)
        _sync(part)
        part.replace(target)
    finally:
        for leftover in (part, *_beside(part)):
            leftover.unlink(missing_ok=True)
    return Report(str(target), report.size, report.schema, report.operations, report.head, report.rows)


def verify(path: Path, key: bytes | None = None) -> Report:
    """Open a backup, check every page, index, the journal's chain and its head, and count the rows. Changes nothing.

    Raises:
        BadFile: it is no backup. Damaged: it fails a check.
    """
    _require_file(path, key)
    copy = SqliteDatabase(path, key)
    try:
        return _checked(copy, path)
    except (BadFile, Damaged, Busy):
        raise
    except BoError as error:
        raise Damaged("{path} fails its checks: {reason}", hint="Use another backup.", path=str(path), reason=str(error)) from error
    finally:
        copy.close()


def restore(database: SqliteDatabase, backup: Path, *, kept: Path, progress: Callable[[int, int], None] | None = None) -> Report:
    """Verify a backup and put it in the place of the office. What was there is kept in `kept`, itself a backup.

    Raises:
        BadFile, Damaged: the backup is not sound; nothing was changed.
        Busy: somebody is writing; nothing was changed.
    """
    report = verify(backup, database.key)
    if kept.exists():
        raise UsageError("{path} is there already", hint="Move it away first.", path=str(kept))
    _make_folder(kept.parent)
    session = database.connect()
    source = SqliteDatabase(backup, database.key)
    try:
        with told("sqlite"):
            session.cursor.execute("VACUUM INTO ?", [str(kept)])
            source.connect_read_only().backup(session.connection, pages=PAGES_AT_ONCE, progress=_told_progress(progress))
            session.cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        source.close()
        session.connection.close()
    return report
