"""Opening: what is no office, damaged, too new or not to be written is told in words that help, and left as it was."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bo.core.kernel.database import DATABASE_NAME, Database, SqliteDatabase
from bo.core.kernel.errors import BoError, Busy, Configuration, Damaged
from bo.core.kernel.workspace import Workspace, database_at, make_office, opened
from bo.core.office import context_for, create, open_office
from tests.core.kernel.making import CONTEXT, make_schema, make_workspace, reopened, sqlite_office
from tests.core.kernel.stock import stock

NewDatabase = Callable[[str], Database]


def refuses(folder: Path, kind: type[BoError], words: str) -> None:
    files = {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}
    with pytest.raises(kind, match=words) as refusal:
        open_office(folder, operator="ann")
    assert type(refusal.value) is kind
    assert refusal.value.hint
    after = {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}
    assert {name: after.get(name) for name in files} == files


def test_a_folder_that_is_not_there_has_no_office(tmp_path: Path) -> None:
    refuses(tmp_path / "nowhere", Configuration, "there is no office in")
    assert not (tmp_path / "nowhere").exists()


def test_an_empty_folder_has_no_office(tmp_path: Path) -> None:
    refuses(tmp_path, Configuration, "there is no office in")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_place_of_the_file_is_no_office(tmp_path: Path) -> None:
    (tmp_path / DATABASE_NAME).mkdir()
    with pytest.raises(Configuration):
        database_at(tmp_path)


def test_an_empty_file_is_no_office(tmp_path: Path) -> None:
    (tmp_path / DATABASE_NAME).touch()
    refuses(tmp_path, Configuration, "there is no office in")


@pytest.mark.parametrize(
    "content", [b"hello, this is a text", b"PK\x03\x04" * 2000, b"SQLite format 3\0" + b"\xff" * 8000]
)
def test_a_file_that_is_no_database_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / DATABASE_NAME).write_bytes(content)
    refuses(tmp_path, Damaged, "damaged or encrypted")


def test_a_database_of_something_else_is_no_office(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path / DATABASE_NAME)
    database.session.script(["CREATE TABLE lead (n INTEGER)"])
    database.close()
    refuses(tmp_path, Configuration, "there is no office in this workspace")


def test_an_office_that_was_never_finished_is_told(tmp_path: Path) -> None:
    from bo.core.kernel.migrations import upgrade

    upgrade(SqliteDatabase(tmp_path / DATABASE_NAME))
    refuses(tmp_path, Configuration, "never finished")


def test_a_damaged_page_is_told_whenever_it_is_met(tmp_path: Path) -> None:
    with sqlite_office(tmp_path) as office:
        stock(office)
        office.database.session.cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    file = tmp_path / DATABASE_NAME
    content = file.read_bytes()
    found = 0
    for place in range(4096, len(content), 4096):
        file.write_bytes(content[:place] + b"\xff" * 4096 + content[place + 4096 :])
        try:
            with reopened(file) as office:
                office.verify()
                office.reader().count("tickets", "kitchen")
        except Damaged:
            found += 1
    assert found >= 8


def test_a_file_with_another_key_is_not_opened(tmp_path: Path) -> None:
    file = tmp_path / DATABASE_NAME
    database = SqliteDatabase(file, key=b"k" * 32)
    make_schema(database)
    with make_workspace(database) as office:
        office.do("shops.add", code="seeded-name")
    assert b"seeded-name" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())

    for key in (None, b"x" * 32):
        with pytest.raises(Damaged):
            make_workspace(SqliteDatabase(file, key=key))
    with make_workspace(SqliteDatabase(file, key=b"k" * 32)) as office:
        assert office.reader().count("shops") == 1


def test_an_older_sqlite_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sqlcipher3 import dbapi2

    sqlite_office(tmp_path).close()
    monkeypatch.setattr(dbapi2, "sqlite_version_info", (3, 51, 2))
    monkeypatch.setattr(dbapi2, "sqlite_version", "3.51.2")

    refuses(tmp_path, Configuration, r"SQLite 3\.51\.2 can lose data; 3\.51\.3 is needed")


def test_the_pragmas_are_those_that_lose_nothing(sqlite_office: Workspace) -> None:
    cursor = sqlite_office.database.session.cursor
    found = {}
    for name in ("journal_mode", "synchronous", "foreign_keys", "recursive_triggers", "trusted_schema", "busy_timeout"):
        cursor.execute(f"PRAGMA {name}")
        found[name] = cursor.fetchall()[0][0]

    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "recursive_triggers": 1,
        "trusted_schema": 0,
        "busy_timeout": 10_000,
    }


def test_tables_keep_their_types(sqlite_office: Workspace) -> None:
    with pytest.raises(Exception, match="cannot store TEXT value in INTEGER column"):
        sqlite_office.database.session.script(["UPDATE head SET seq = 'many'"])


def test_a_writer_that_does_not_come_to_an_end_is_told_as_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BO_BUSY_MS", "30")
    first = sqlite_office(tmp_path)
    second = reopened(tmp_path / DATABASE_NAME)
    with first.database.writing(), pytest.raises(Busy) as refusal:
        second.do("shops.add", code="west")

    assert refusal.value.retryable
    assert second.do("shops.add", code="west").status == "applied"
    first.close()
    second.close()


def test_an_unknown_operator_is_not_let_in(tmp_path: Path) -> None:
    create(tmp_path / "office", context_for("CN"), operator="ann").close()

    with pytest.raises(Configuration, match="there is no operator bob"):
        open_office(tmp_path / "office", operator="bob")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="nothing is read-only to an administrator")
def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    sqlite_office(tmp_path).close()
    (tmp_path / DATABASE_NAME).chmod(0o400)
    tmp_path.chmod(0o500)
    try:
        refuses(tmp_path, Configuration, "cannot be opened for writing")
    finally:
        tmp_path.chmod(0o700)


def test_making_an_office_over_another_one_is_refused(tmp_path: Path) -> None:
    create(tmp_path, context_for("CN"), operator="ann").close()

    with pytest.raises(Configuration, match="there already is an office"):
        create(tmp_path, context_for("CN"), operator="bob")


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_region_currency_and_zone_are_kept(new_database: NewDatabase, dialect: str) -> None:
    database = new_database(dialect)
    make_office(database, context_for("DE"), "dev_1")

    with opened(make_workspace(database)) as office:
        assert (office.context.region, office.context.currency, office.context.zone) == ("DE", "EUR", "Europe/Berlin")
        assert (office.device, office.data_version()) == ("dev_1", 0)
    assert CONTEXT.region == "CN"


def test_a_workspace_that_lost_its_server_comes_back(new_database: NewDatabase) -> None:
    database = new_database("postgresql")
    make_schema(database)
    office = make_workspace(database)
    office.do("shops.add", code="west")
    office.database.session.cursor.execute("SELECT pg_backend_pid()")
    ((lost,),) = office.database.session.cursor.fetchall()
    other = database.connect()
    other.cursor.execute("SELECT pg_terminate_backend(%s)", [lost])
    other.connection.close()

    with pytest.raises(Configuration, match="cannot be reached"):
        office.do("shops.add", code="east")
    assert office.do("shops.add", code="east").status == "applied"
    assert office.verify() == 2
