"""The stage, and a server in this process, with their central store on either database."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from bo.core.kernel.database import Database, PostgresDatabase, SqliteDatabase
from bo.sync.organisations import Organisations
from bo.sync.protocol import Ticket
from tests.made_once import SCHEMA, postgres_copy
from tests.sync.house import House, cheap_passwords, furnish, opened
from tests.sync.stage import Stage

_numbers = count(1)


@pytest.fixture(params=["sqlite", "postgresql"])
def central_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Database]]:
    """Opens the central store's database, without a row at first, as often as it is asked."""
    if request.param == "sqlite":
        yield lambda: SqliteDatabase(tmp_path / "central.db")
        return
    with postgres_copy(request.getfixturevalue("postgres_url")) as url:
        yield lambda: PostgresDatabase(url, SCHEMA)


@pytest.fixture
def stage(central_database: Callable[[], Database], tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path, central_database)
    yield made
    made.close()


# -- a server in this process, on either database ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def cheap() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        cheap_passwords(patch)
        yield


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, cheap: None
) -> Iterator[tuple[Path | None, str]]:
    """Where organisations may be made."""
    if request.param == "sqlite":
        yield tmp_path_factory.mktemp("central"), ""
        return
    server, name = str(request.getfixturevalue("postgres_url")), f"house_{os.getpid()}_{next(_numbers)}"
    door = PostgresDatabase(server)
    door.session.script([f'CREATE DATABASE "{name}"'])
    yield None, server.replace("/postgres?", f"/{name}?", 1)
    door.session.script([f'DROP DATABASE "{name}" WITH (FORCE)'])
    door.close()


@pytest.fixture(scope="module")
def furnished(place: tuple[Path | None, str]) -> tuple[Path | None, str]:
    organisations = Organisations(*place)
    furnish(organisations)
    furnish(organisations, "other")
    organisations.close()
    return place


@pytest.fixture
def house(furnished: tuple[Path | None, str]) -> Iterator[House]:
    made = opened(furnished)
    yield made
    made.close()


@pytest.fixture
def anna(house: House) -> Ticket:
    return house.login("anna")


@pytest.fixture
def hugo(house: House) -> Ticket:
    return house.login("hugo")
