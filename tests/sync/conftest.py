"""The stage, with its central store on either database."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from bo.core.kernel.database import Database, PostgresDatabase, SqliteDatabase
from tests.sync.stage import Stage

_numbers = count(1)


@pytest.fixture(params=["sqlite", "postgresql"])
def central_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Database]]:
    """Opens the central store's database, empty at first, as often as it is asked."""
    if request.param == "sqlite":
        yield lambda: SqliteDatabase(tmp_path / "central.db")
        return
    url, schema = request.getfixturevalue("postgres_url"), f"central_{os.getpid()}_{next(_numbers)}"
    made = PostgresDatabase(url, schema)
    made.session.script([f'CREATE SCHEMA "{schema}"'])
    yield lambda: PostgresDatabase(url, schema)
    made.session.script([f'DROP SCHEMA "{schema}" CASCADE'])
    made.close()


@pytest.fixture
def stage(central_database: Callable[[], Database], tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path, central_database)
    yield made
    made.close()
