"""Migrations: forward only, by Alembic, on SQLite and PostgreSQL alike. An existing file is backed up before it is
touched."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from bo.core.kernel.database import Database, SqliteDatabase, told

SCRIPTS: Final = Path(__file__).parent


def upgrade(database: Database) -> None:
    """Bring the schema of a database to the present one, wholly or not at all. Raises Busy, StorageFull."""
    import sqlalchemy as sa
    from alembic import command
    from alembic.config import Config

    if isinstance(database, SqliteDatabase) and database.path.exists() and database.path.stat().st_size:
        _back_up(database)
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


def _back_up(database: SqliteDatabase) -> None:
    """A copy beside the file, so that a failed upgrade loses nothing."""
    session = database.connect()
    try:
        session.cursor.execute("SELECT name FROM sqlite_master WHERE name = 'alembic_version'")
        if session.cursor.fetchall():
            target = database.path.with_suffix(".before-upgrade.db")
            target.unlink(missing_ok=True)
            session.cursor.execute("VACUUM INTO ?", [str(target)])
    finally:
        session.connection.close()
