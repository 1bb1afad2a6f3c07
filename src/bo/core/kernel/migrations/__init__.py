"""Migrations: forward only, by Alembic, on SQLite and PostgreSQL alike. An existing file is backed up before it is
touched. Of several programs that find an old schema one upgrades it; the others wait and find it done."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any, Final

from bo.core.kernel.database import Database, PostgresDatabase, Session, SqliteDatabase, told

SCRIPTS: Final = Path(__file__).parent
_one_at_a_time: Final = threading.Lock()  # what Alembic works on are variables of its modules


def upgrade(database: Database) -> None:
    """Bring the schema of a database to the present one, wholly or not at all. Raises Busy, StorageFull."""
    with _one_at_a_time:
        if isinstance(database, SqliteDatabase) and database.path.exists() and database.path.stat().st_size:
            _back_up(database)
        _upgrade(database)


def _upgrade(database: Database) -> None:
    import sqlalchemy as sa
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    url = "sqlite://" if database.dialect == "sqlite" else "postgresql+psycopg://"
    engine = sa.create_engine(
        url, creator=lambda: _connection(database), poolclass=sa.pool.NullPool, module=_module(database)
    )
    if database.dialect == "sqlite":
        sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    try:
        with told(database.dialect), engine.begin() as connection:
            if isinstance(database, PostgresDatabase):
                _wait_for_others(connection, database.schema)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()


def _connection(database: Database) -> Any:
    """A connection whose transactions are real ones: our drivers' own would commit every statement by itself."""
    made = database.connect().connection
    if database.dialect == "postgresql":
        made.autocommit = False
    return made


def _module(database: Database) -> object:
    if database.dialect == "sqlite":
        from sqlcipher3 import dbapi2

        return dbapi2
    import psycopg

    return psycopg


def _wait_for_others(connection: Any, schema: str) -> None:
    """One upgrade of a schema at a time, to the end of the transaction. SQLite's write lock does that by itself; here
    two would both read the old version and both make the same tables. Alembic reads the version after this."""
    connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"bo upgrade {schema}",))


def _back_up(database: SqliteDatabase) -> None:
    """A copy beside the file, so that a failed upgrade loses nothing. It takes the place of an older one only where it
    still has the old schema: another program may have been faster, and its copy is the one to keep."""
    from bo.core.kernel.workspace import SCHEMA_VERSION

    session = database.connect()
    part = database.path.with_suffix(f".before-upgrade.{os.getpid()}.part")
    try:
        if _version(session) in (None, SCHEMA_VERSION):
            return
        part.unlink(missing_ok=True)
        with told("sqlite"):
            session.cursor.execute("VACUUM INTO ?", [str(part)])
        if _version_in(part, database.key) != SCHEMA_VERSION:
            part.replace(database.path.with_suffix(".before-upgrade.db"))
    finally:
        session.connection.close()
        part.unlink(missing_ok=True)


def _version(session: Session) -> str | None:
    """The schema's version; None in a file that has none yet."""
    session.cursor.execute("SELECT name FROM sqlite_master WHERE name = 'alembic_version'")
    if not session.cursor.fetchall():
        return None
    session.cursor.execute("SELECT version_num FROM alembic_version")
    rows = session.cursor.fetchall()
    return str(rows[0][0]) if rows else None


def _version_in(path: Path, key: bytes | None) -> str | None:
    copy = SqliteDatabase(path, key)
    try:
        return _version(copy.session)
    finally:
        copy.close()
