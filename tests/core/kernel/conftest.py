"""The small office on every database: SQLite in a file, PostgreSQL from a wheel or where `BO_TEST_POSTGRES` says."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from bo.core.kernel.database import Database, PostgresDatabase, SqliteDatabase
from bo.core.kernel.workspace import Workspace
from tests.conftest import GIVEN_SERVER
from tests.core.kernel.making import DIALECTS, NewOffice, make_schema, make_workspace

NewDatabase = Callable[[str], Database]
_numbers = count(1)


@pytest.fixture
def new_database(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[NewDatabase]:
    """Makes empty databases of a dialect, and takes them away at the end."""
    made: list[Database] = []

    def make(dialect: str) -> Database:
        number = next(_numbers)
        if dialect == "sqlite":
            made.append(SqliteDatabase(tmp_path / f"office{number}.db"))
        else:
            database = PostgresDatabase(request.getfixturevalue("postgres_url"), f"office_{os.getpid()}_{number}")
            database.session.script([f'CREATE SCHEMA "{database.schema}"'])
            made.append(database)
        return made[-1]

    yield make
    for database in made:
        if GIVEN_SERVER and isinstance(database, PostgresDatabase):  # a server of our own goes as a whole
            database.session.script([f'DROP SCHEMA IF EXISTS "{database.schema}" CASCADE'])
        database.close()


@pytest.fixture
def new_office(new_database: NewDatabase) -> NewOffice:
    """Makes small offices of a dialect, empty and open."""

    def make(dialect: str) -> Workspace:
        database = new_database(dialect)
        make_schema(database)
        return make_workspace(database)

    return make


@pytest.fixture(params=DIALECTS)
def office(request: pytest.FixtureRequest, new_office: NewOffice) -> Workspace:
    """An empty small office, once on each database."""
    return new_office(request.param)


@pytest.fixture
def sqlite_office(new_office: NewOffice) -> Workspace:
    """An empty small office for what concerns SQLite alone."""
    return new_office("sqlite")
