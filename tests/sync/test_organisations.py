"""Where organisations lie: folders or schemas, made whole or not at all, each apart from the others."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Final

import pytest

from bo.core.access.records import Operator
from bo.core.kernel.database import Database, PostgresDatabase
from bo.core.kernel.errors import BadValue, BoError, Configuration, NotFound, UsageError
from bo.core.kernel.migrations import upgrade
from bo.core.kernel.workspace import SCHEMA_VERSION, database_at
from bo.core.office import context_for, create, open_office
from bo.sync import accounts
from bo.sync.client import join_central
from bo.sync.organisations import IsDevice, Organisations, Taken
from bo.sync.oversight import declare_stable
from bo.sync.protocol import Ticket
from tests.sync.stage import MONDAY, rows_of

CN: Final = context_for("CN")
SOURCE: Final = Path(__file__).parents[2] / "src"
_numbers = count(1)
Make = Callable[[], Organisations]


@pytest.fixture
def server_url(postgres_url: str) -> Iterator[str]:
    """A PostgreSQL database with nothing in it: here every organisation of a database is seen."""
    import psycopg

    name = f"bo_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(postgres_url, autocommit=True) as door:
        door.execute(f'CREATE DATABASE "{name}"')
        base, mark, rest = postgres_url.partition("?")
        yield f"{base.rpartition('/')[0]}/{name}{mark}{rest}".replace("postgresql://", "postgresql+psycopg://", 1)
        door.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(params=["sqlite", "postgresql"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Opens the same place, empty at first, as another process would."""
    url = request.getfixturevalue("server_url") if request.param == "postgresql" else ""
    made: list[Organisations] = []

    def open_again() -> Organisations:
        made.append(Organisations(None if url else tmp_path / "data", url))
        return made[-1]

    yield open_again
    for item in made:
        item.close()


@pytest.fixture
def organisations(make: Make) -> Organisations:
    return make()


def left_over(organisations: Organisations) -> list[str]:
    """What is in the place and is no organisation."""
    if organisations.data is not None:
        found = [path.name for path in organisations.data.glob("*")] if organisations.data.exists() else []
    else:
        with organisations._door() as cursor:
            cursor.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'bo%'")
            found = [row[0].removeprefix("bo_") for row in cursor.fetchall()]
    return sorted(set(found) - set(organisations.names()))


def test_an_organisation_is_made_and_found_again(organisations: Organisations, make: Make) -> None:
    assert organisations.names() == []

    organisations.create("north-2", CN, operator="ann", person="Ann")
    organisations.create("acme", context_for("US"), operator="bob")

    again = make()
    assert again.names() == ["acme", "north-2"]
    assert left_over(again) == []
    with again.central("acme").workspace() as ws:
        assert (ws.context.region, ws.context.currency, ws.authority) == ("US", "USD", True)
        assert [item.login for item in ws.reader().records(Operator)] == ["bob"]
    with again.central("north-2").workspace() as ws:
        assert [(item.login, item.name) for item in ws.reader().records(Operator)] == [("ann", "Ann")]


def test_one_organisation_is_opened_once_and_knows_nothing_of_another(organisations: Organisations) -> None:
    first, second = (organisations.create(name, CN, operator="ann") for name in ("acme", "bolt"))

    with first.writing("system") as ws:
        ws.do("stores.add", code="S1", name="浦东店")

    assert organisations.central("acme") is first
    with first.workspace() as ws:
        assert ws.reader().count("stores") == 1
    with second.workspace() as ws:
        assert ws.reader().count("stores") == 0


def test_a_token_of_one_organisation_is_none_in_another(organisations: Organisations) -> None:
    first, second = (organisations.create(name, CN, operator="ann") for name in ("acme", "bolt"))
    with first.workspace() as ws:
        token = accounts.issue_token(ws, ws.reader().get(Operator, "ann").id, "till")

    assert accounts.caller_of(first, token).device == ""
    with pytest.raises(BoError) as refusal:
        accounts.caller_of(second, token)
    assert refusal.value.code == "logged_out"


@pytest.mark.parametrize(
    "name", ["a", "x" * 41, "Acme", "ac me", "ac_me", "../up", "acme/..", "", ".", "äcme", "acme\n", 'a"b', "１２"]
)
def test_a_name_that_could_mean_something_else_is_refused(organisations: Organisations, name: str) -> None:
    with pytest.raises(BadValue):
        organisations.create(name, CN, operator="ann")
    with pytest.raises(NotFound):
        organisations.central(name)

    assert organisations.names() == []
    assert left_over(organisations) == []


def test_what_is_not_there_is_not_made_by_asking_for_it(organisations: Organisations) -> None:
    with pytest.raises(NotFound) as refusal:
        organisations.central("nobody")

    assert refusal.value.facts == {"name": "nobody"}
    assert organisations.names() == []


def test_a_name_is_given_once(organisations: Organisations, make: Make) -> None:
    organisations.create("acme", CN, operator="ann")

    with pytest.raises(Taken):
        make().create("acme", CN, operator="bob")

    with make().central("acme").workspace() as ws:
        assert [item.login for item in ws.reader().records(Operator)] == ["ann"]
    assert left_over(organisations) == []


def test_of_several_who_make_the_same_organisation_one_does(make: Make) -> None:
    places = [make() for _ in range(3)]
    start = threading.Barrier(3)

    def one(number: int) -> str:
        start.wait()
        try:
            places[number].create("acme", CN, operator=f"op{number}")
        except Taken:
            return "taken"
        return f"op{number}"

    with ThreadPoolExecutor(3) as pool:
        came = list(pool.map(one, range(3)))

    (winner,) = set(came) - {"taken"}
    assert came.count("taken") == 2
    with make().central("acme").workspace() as ws:
        assert [item.login for item in ws.reader().records(Operator)] == [winner]
    assert left_over(places[0]) == []


def test_a_creation_that_fails_leaves_nothing(organisations: Organisations) -> None:
    with pytest.raises(BoError):
        organisations.create("acme", CN, operator="\n")
    with pytest.raises(UsageError):
        organisations.create("acme", CN)

    assert organisations.names() == []
    assert left_over(organisations) == []


# -- files -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def on_disk(tmp_path: Path) -> Iterator[Organisations]:
    made = Organisations(tmp_path / "data")
    yield made
    made.close()


def test_an_organisation_on_disk_is_an_ordinary_workspace(on_disk: Organisations) -> None:
    on_disk.create("acme", CN, operator="ann")
    assert on_disk.data is not None

    with open_office(on_disk.data / "acme") as ws:
        assert ws.who().name == "ann"
    if os.name == "posix":
        assert (on_disk.data / "acme").stat().st_mode & 0o077 == 0


def test_an_office_is_copied_while_it_stays_as_it_is(on_disk: Organisations, tmp_path: Path) -> None:
    source = create(tmp_path / "old", CN, operator="ann")
    source.do("stores.add", code="S1", name="浦东店")
    accounts.issue_token(source, source.actor, "till")
    before, rows = source.data_version(), rows_of(source)

    made = on_disk.create("acme", source=tmp_path / "old")

    with made.workspace() as ws:
        assert (ws.data_version(), rows_of(ws)) == (before, rows)
        assert ws.verify() == before
        assert _count(ws.database, "token") == 0
        ws.do("stores.add", code="S2", name="静安店")
    assert (source.data_version(), _count(source.database, "token")) == (before, 1)
    source.close()


def test_a_devices_folder_is_neither_copied_nor_opened(on_disk: Organisations, tmp_path: Path) -> None:
    laptop = tmp_path / "laptop"
    laptop.mkdir()
    join_central(laptop, Ticket("", "oper_x", "dev_x", 0, "CN", "CNY", "Asia/Shanghai", MONDAY), "https://x.example/a")
    assert on_disk.data is not None

    with pytest.raises(IsDevice):
        on_disk.create("acme", source=laptop)
    assert on_disk.names() == []
    shutil.copytree(laptop, on_disk.data / "bolt")
    with pytest.raises(IsDevice):
        on_disk.central("bolt")


def test_what_is_no_office_is_not_copied(on_disk: Organisations, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "office.db").write_bytes(b"not a database" * 100)
    for folder, kind in (("nowhere", Configuration), ("empty", Configuration), ("odd", BoError)):
        with pytest.raises(kind):
            on_disk.create("acme", source=tmp_path / folder)

    assert on_disk.names() == []
    assert left_over(on_disk) == []


def test_a_damaged_office_is_not_copied(on_disk: Organisations, tmp_path: Path) -> None:
    source = create(tmp_path / "old", CN, operator="ann")
    source.database.session.script(["UPDATE operation SET args = '{}' WHERE seq = 3"])
    source.close()

    with pytest.raises(BoError) as refusal:
        on_disk.create("acme", source=tmp_path / "old")

    assert refusal.value.code == "damaged"
    assert on_disk.names() == []


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", "utf-8")
    with pytest.raises(Configuration):
        Organisations(tmp_path / "file" / "data").create("acme", CN, operator="ann")


# -- PostgreSQL --------------------------------------------------------------------------------------------------------


def test_an_office_is_not_copied_into_postgresql(server_url: str, tmp_path: Path) -> None:
    create(tmp_path / "old", CN, operator="ann").close()
    organisations = Organisations(None, server_url)

    with pytest.raises(UsageError):
        organisations.create("acme", source=tmp_path / "old")

    assert organisations.names() == []


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:kingfisher@localhost/x",
        "postgresql+psycopg://u:king fisher@localhost/x",
        "postgresql+psycopg://u:kingfisher@localhost:port/x",
        "postgresql://u:kingfisher@localhost:1/x",
        "postgresql://u:kingfisher@[/x",
        "kingfisher",
    ],
)
def test_an_address_that_is_no_good_is_told_without_its_password(url: str) -> None:
    with pytest.raises(Configuration) as refusal:
        Organisations(None, url).names()

    error = refusal.value
    assert "fisher" not in f"{error} {error!r} {error.hint} {error.facts} {error.__cause__!r}"


def test_a_place_is_a_folder_or_a_database_and_not_both(tmp_path: Path) -> None:
    for data, database in ((None, ""), (tmp_path, "postgresql://x/y")):
        with pytest.raises(Configuration):
            Organisations(data, database)


def test_a_user_who_may_not_make_schemas_is_told(server_url: str) -> None:
    import psycopg

    role, plain = f"bo_reader_{os.getpid()}", server_url.replace("postgresql+psycopg://", "postgresql://", 1)
    with psycopg.connect(plain, autocommit=True) as door:
        door.execute(f"CREATE ROLE {role}")
        try:
            mark = "&" if "?" in server_url else "?"
            organisations = Organisations(None, f"{server_url}{mark}options=-crole%3D{role}")
            with pytest.raises(BoError) as refusal:
                organisations.create("acme", CN, operator="ann")
        finally:
            door.execute(f"DROP ROLE {role}")

    assert refusal.value.code == "not_allowed"
    assert Organisations(None, server_url).names() == []


UPGRADE: Final = """
import sys
import alembic.command, alembic.config, psycopg, sqlalchemy.dialects.postgresql.psycopg
from bo.core.kernel.database import PostgresDatabase
from bo.core.kernel.migrations import upgrade
database = PostgresDatabase(sys.argv[1], "office")
database.session
print("ready", flush=True)
sys.stdin.readline()
upgrade(database)
database.close()
print("done")
"""


def test_two_processes_upgrade_a_schema_once(server_url: str) -> None:
    database = PostgresDatabase(server_url, "office")
    database.session.script(["CREATE SCHEMA office"])
    running = [
        subprocess.Popen(
            [sys.executable, "-c", UPGRADE, server_url], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(SOURCE)},
        )
        for _ in range(2)
    ]  # fmt: skip
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    came = [process.communicate(timeout=240) for process in running]

    assert [(out, error) for out, error in came] == [("done\n", "")] * 2
    database.session.cursor.execute("SELECT version_num FROM alembic_version")
    assert database.session.cursor.fetchall() == [(SCHEMA_VERSION,)]
    database.close()


def test_an_upgrade_waits_for_another_no_longer_than_told(server_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bo.core.kernel.database.BUSY_MS", 100)
    first, second = (PostgresDatabase(server_url, "office") for _ in range(2))
    first.session.script(["CREATE SCHEMA office"])
    with first.writing() as session:
        session.script(["SELECT pg_advisory_xact_lock(hashtextextended('bo upgrade office', 0))"])
        with pytest.raises(BoError) as refusal:
            upgrade(second)

    assert refusal.value.code == "busy"
    upgrade(second)
    for database in (first, second):
        database.close()


def test_the_copy_before_an_upgrade_is_of_the_old_schema(tmp_path: Path) -> None:
    create(tmp_path / "office", CN, operator="ann").close()
    database = database_at(tmp_path / "office")
    kept = database.path.with_suffix(".before-upgrade.db")
    kept.write_bytes(b"of the old schema")

    upgrade(database)  # another program was faster: there is nothing to copy

    assert kept.read_bytes() == b"of the old schema"
    assert sorted(path.name for path in database.path.parent.glob("*.part")) == []
    database.close()


# -- what is in a backup -----------------------------------------------------------------------------------------------


def test_what_is_in_a_backup_never_gets_less(organisations: Organisations) -> None:
    central = organisations.create("acme", CN, operator="ann")
    with central.workspace() as ws:
        last = ws.data_version()
        assert declare_stable(ws, 3) == 3
        assert declare_stable(ws, last) == last
        assert declare_stable(ws, 2) == last
        for seq in (0, -1, last + 1):
            with pytest.raises(UsageError):
                declare_stable(ws, seq)
        assert _count(ws.database, "stable") == 1


def _count(database: Database, table: str) -> int:
    database.session.cursor.execute(f"SELECT count(*) FROM {table}")
    return int(database.session.cursor.fetchall()[0][0])
