"""What thousands of offices in one process have in common is made once: the schema, the text of statements, and what
commands look like. That takes half of the time from tests that open many.

A schema is copied, of SQLite page by page, of PostgreSQL as a database from a template. Tests of migrations ask
`by_alembic` again. A statement's key says everything its text depends on, so offices can share it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import pytest

from bo.core.kernel import command, migrations
from bo.core.kernel.database import Database, PostgresDatabase, SqliteDatabase
from bo.core.kernel.statements import Prepared, Statements, compile_statement
from bo.core.kernel.workspace import SCHEMA_VERSION

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement

SCHEMA: Final = "office"
by_alembic: Final = migrations._upgrade
_scripts: Final = migrations.SCRIPTS
_templates: Final[dict[str, Any]] = {}
_numbers: Final = count(1)
_known: Final[dict[tuple[str, str], Prepared]] = {}


def share(patch: pytest.MonkeyPatch) -> None:
    """From now on."""
    patch.setattr(migrations, "_upgrade", upgrade)
    patch.setattr(Statements, "get", _get)
    patch.setattr(command, "_signature", cache(command._signature))


def _get(self: Statements, key: str, build: Callable[[], ClauseElement]) -> Prepared:
    if key not in self.kept:
        if (self.dialect, key) not in _known:
            _known[self.dialect, key] = compile_statement(build(), self.dialect)
        self.kept[key] = self.fresh[key] = _known[self.dialect, key]
    return self.kept[key]


# -- schemas -----------------------------------------------------------------------------------------------------------


def upgrade(database: Database) -> None:
    """As `migrations._upgrade`, for a database of which there is no doubt; any other is left to Alembic."""
    if _scripts != migrations.SCRIPTS or getattr(database, "key", None) is not None:
        by_alembic(database)
    elif isinstance(database, SqliteDatabase):
        _copied(database)
    elif not _is_present(database):
        by_alembic(database)


def _copied(database: SqliteDatabase) -> None:
    session = database.connect()
    try:
        session.cursor.execute("SELECT 1 FROM sqlite_master LIMIT 1")
        if session.cursor.fetchall():
            by_alembic(database)
        elif "sqlite" in _templates:
            _templates["sqlite"].backup(session.connection)
        else:
            by_alembic(database)
            _templates["sqlite"] = type(session.connection)(":memory:", check_same_thread=False)
            session.connection.backup(_templates["sqlite"])
    finally:
        session.connection.close()


def _is_present(database: Database) -> bool:
    cursor = database.session.cursor
    cursor.execute("SELECT 1 WHERE to_regclass('alembic_version') IS NOT NULL")
    if not cursor.fetchall():
        return False
    cursor.execute("SELECT version_num FROM alembic_version")
    return cursor.fetchall() == [(SCHEMA_VERSION,)]


@contextmanager
def postgres_copy(server: str) -> Iterator[str]:
    """The address of a database whose schema `office` is an office's, with no row in it."""
    door = PostgresDatabase(server)
    try:
        if server not in _templates:
            _templates[server] = _template(door)
        name = f"copy_{os.getpid()}_{next(_numbers)}"
        door.session.script([f'CREATE DATABASE "{name}" TEMPLATE "{_templates[server]}"'])
        yield _within(server, name)
        door.session.script([f'DROP DATABASE "{name}" WITH (FORCE)'])
    finally:
        door.close()


def _template(door: PostgresDatabase) -> str:
    name = f"template_{os.getpid()}"
    door.session.script([f'CREATE DATABASE "{name}"'])
    made = PostgresDatabase(_within(door.url, name), SCHEMA)
    made.session.script([f'CREATE SCHEMA "{SCHEMA}"'])
    by_alembic(made)
    made.close()
    return name


def _within(server: str, name: str) -> str:
    return server.replace("/postgres?", f"/{name}?", 1)
