"""A copy of an office beside it, for trying something long in: who writes meanwhile does not wait for it.

A dry run holds the right to write for as long as it takes, for it does all that a real one does before it takes it
back. SQLite lets one write at a time, so a long one is tried in a copy; copying reads, and reading holds nobody up.
PostgreSQL has no such copy: there the dry run is in the office itself, and others wait.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bo.core.kernel.database import DATABASE_NAME, SqliteDatabase, told
from bo.core.kernel.workspace import Workspace


@contextmanager
def aside(workspace: Workspace, *, wanted: bool = True) -> Iterator[Workspace]:
    """The same office, for a dry run that is long where `wanted`: a copy that is gone with the block, as readable to
    others as the folder that the office lies in. Raises StorageFull."""
    database = workspace.database
    if not wanted or not isinstance(database, SqliteDatabase):
        yield workspace
        return
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(prefix=".try-", dir=database.path.parent, ignore_cleanup_errors=True) as folder:
        copy = SqliteDatabase(Path(folder) / DATABASE_NAME, database.key)
        copy_whole(database, copy)
        made = Workspace(
            copy, workspace.registry, workspace.authorise, actor=workspace.actor, clock=workspace.clock,
            new_id=workspace.new_id, factors=workspace.factors,
        )  # fmt: skip
        with made:
            yield made


def copy_whole(database: SqliteDatabase, copy: SqliteDatabase) -> None:
    """Copy a file as it is now into an empty one with the same key, while others write."""
    source, target = database.open(), copy.open()
    try:
        with told("sqlite"):
            target.execute("PRAGMA synchronous=OFF")
            target.execute("PRAGMA journal_mode=OFF").fetchall()  # each page is written once
            source.execute("BEGIN")
            source.execute("SELECT seq FROM head").fetchall()  # all of it as it is now
            source.backup(target)
    finally:
        source.close()
        target.close()
