"""Backups: a whole copy of the office in one file, verified by opening it, and put back only when it has been.

A copy is made by `VACUUM INTO`, beside writers and without stopping them. Restoring writes into the present file in
one transaction, so that a screen or a job that has it open sees either the old office or the new one; what was there
before is kept as a backup of its own.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from bo.core.kernel import journal
from bo.core.kernel.database import Session, SqliteDatabase, told
from bo.core.kernel.errors import BadFile, BoError, Busy, Damaged, UsageError
from bo.core.kernel.statements import Statements
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


def free_name(path: Path) -> Path:
    """The path, or the first of `name-2`, `name-3` … that is not taken."""
    made, number = path, 2
    while made.exists():
        made, number = path.with_name(f"{path.stem}-{number}{path.suffix}"), number + 1
    return made


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
    """Open a backup, check every page and index, the journal's chain and its head, and count the rows. Changes nothing.

    Raises:
        BadFile: it is no backup. Damaged: it fails a check.
    """
    _require_file(path, key)
    session = None
    try:
        session = _open_to_read(path, key)
        return _checked(session, path)
    except (BadFile, Damaged, Busy):
        raise
    except BoError as error:
        raise Damaged(
            "{path} fails its checks: {reason}", hint="Use another backup.", path=str(path), reason=str(error)
        ) from error
    finally:
        if session is not None:
            session.connection.close()


def restore(database: SqliteDatabase, backup: Path, *, kept: Path) -> Report:
    """Verify a backup and put it in the place of the office. What was there is kept in `kept`, itself a backup.

    Raises:
        UsageError: `kept` is there already.
        BadFile, Damaged: the backup is not sound; nothing was changed.
        Busy: somebody is writing; nothing was changed.
    """
    report = verify(backup, database.key)
    if kept.exists():
        raise UsageError("{path} is there already", hint="Move it away first.", path=str(kept))
    _make_folder(kept.parent)
    source = _open_to_read(backup, database.key)
    target = database.connect()
    try:
        with told("sqlite"):
            target.cursor.execute("BEGIN IMMEDIATE")  # waits for a writer, and says so when it takes too long
            target.cursor.execute("ROLLBACK")
            target.cursor.execute("VACUUM INTO ?", [str(kept)])
            source.connection.backup(
                target.connection, pages=PAGES_AT_ONCE, progress=_Patience(database.busy_ms / 1000), sleep=0.05
            )
            target.cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            target.cursor.fetchall()
    finally:
        source.connection.close()
        target.connection.close()
    return report


class _Patience:
    """SQLite tries again for ever while somebody writes; this stops it when nothing has moved for a while."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.remaining = -1
        self.moved_at = time.monotonic()

    def __call__(self, _status: int, remaining: int, _total: int) -> None:
        now = time.monotonic()
        if remaining != self.remaining:
            self.remaining, self.moved_at = remaining, now
        elif now - self.moved_at > self.seconds:
            raise Busy("another program is writing to this workspace", hint="Try again in a moment.")


def _checked(session: Session, path: Path) -> Report:
    """Every check of an open copy. Raises BadFile or Damaged."""
    schema = _schema(session, path)
    with told("sqlite"):
        session.cursor.execute("PRAGMA integrity_check")
        found = [str(row[0]) for row in session.cursor.fetchall()]
    if found != ["ok"]:
        raise Damaged("{path} fails its checks: {reason}", hint="Use another backup.", path=str(path), reason=found[0])
    operations = journal.verify_chain(session)
    head = str(session.rows("kernel:head", journal.head_statement)[0][2])
    return Report(str(path), path.stat().st_size, schema, operations, head, _counts(session))


def _schema(session: Session, path: Path) -> str:
    try:
        with told("sqlite"):
            session.cursor.execute("SELECT version_num FROM alembic_version")
            rows = session.cursor.fetchall()
    except BoError:
        raise
    except Exception:  # a database, but not of an office
        rows = []
    if not rows:
        raise BadFile("{path} holds no office", hint="Name a file that bo backup create has written.", path=str(path))
    if str(rows[0][0]) > SCHEMA_VERSION:
        raise BadFile(
            "{path} was written by a newer bo (schema {version})",
            hint="Install that version.",
            path=str(path),
            version=rows[0][0],
        )
    return str(rows[0][0])


def _counts(session: Session) -> dict[str, int]:
    """The rows of every table that holds records or the journal."""
    session.cursor.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%STRICT%' AND name <> 'statement'"
        " ORDER BY name"
    )
    names = [str(row[0]) for row in session.cursor.fetchall()]
    counts = {}
    for name in names:
        session.cursor.execute(f'SELECT count(*) FROM "{name}"')
        counts[name] = int(session.cursor.fetchall()[0][0])
    return counts


def _open_to_read(path: Path, key: bytes | None) -> Session:
    """A connection that cannot write, not even the mode of the file's journal."""
    from sqlcipher3 import dbapi2

    with told("sqlite"):
        connection = dbapi2.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
        if key is not None:
            connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
        connection.execute("PRAGMA query_only=ON")
    return Session(connection, "sqlite", Statements("sqlite"))


def _require_file(path: Path, key: bytes | None) -> None:
    try:
        with path.open("rb") as file:
            start = file.read(len(HEADER))
    except OSError as error:
        raise BadFile(
            "{path} cannot be read: {reason}",
            hint="Check the name.",
            path=str(path),
            reason=error.strerror or str(error),
        ) from None
    if key is None and start != HEADER:
        raise BadFile("{path} is no backup", hint="Name a file that bo backup create has written.", path=str(path))


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadFile(
            "{path} cannot be made: {reason}",
            hint="Choose another folder.",
            path=str(folder),
            reason=error.strerror or str(error),
        ) from None


def _sync(path: Path) -> None:
    """Wait until the file is on the disk: a backup that a power cut takes away is none."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _beside(path: Path) -> list[Path]:
    return [path.with_name(path.name + ending) for ending in ("-journal", "-wal", "-shm")]
