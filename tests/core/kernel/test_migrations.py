"""Migrations: a fresh office has the schema of its records; an upgrade is whole or not at all, and never goes back."""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bo.core.kernel import migrations, workspace
from bo.core.kernel.database import Database, SqliteDatabase
from bo.core.kernel.errors import BoError, Configuration
from bo.core.kernel.migrations import upgrade
from bo.core.kernel.record import declared_records
from bo.core.kernel.tables import schema_ddl
from bo.core.kernel.workspace import SCHEMA_VERSION
from bo.core.office import MODULES, context_for, found, open_database, registry
from bo.sync import tables as central_tables
from tests import made_once
from tests.core.kernel.making import DIALECTS

NewDatabase = Callable[[str], Database]
NEXT = f"{int(SCHEMA_VERSION) + 1:04d}"
SECOND = '''"""One more migration, for the tests."""

from alembic import op

revision = "{revision}"
down_revision = "{before}"


def upgrade() -> None:
    """Add a table, and fail where the test wants it."""
    op.execute("CREATE TABLE added (n INTEGER)")
    op.execute("{last}")
'''


@pytest.fixture(autouse=True)
def no_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here every schema is made by what it is about."""
    monkeypatch.setattr(migrations, "_upgrade", made_once.by_alembic)


def office_ddl(dialect: str) -> list[str]:
    """What the records of the office and the tables of a central store ask for, without those of tests."""
    assert central_tables.answer.metadata.tables  # loaded for what it declares
    registry().load_all()
    own = [info for info in declared_records().values() if info.cls.__module__.startswith(MODULES)]
    foreign = [info.name for info in declared_records().values() if info not in own]
    return [sql for sql in schema_ddl(own, dialect) if not any(f" {name} (" in sql for name in foreign)]


def schema_of(database: Database) -> list[tuple[object, ...]]:
    """The schema as the database itself describes it."""
    cursor = database.session.cursor
    if database.dialect == "sqlite":
        cursor.execute("SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'alembic%'")
        rows = [(*row[:3], " ".join(str(row[3]).split())) for row in cursor.fetchall()]
        return sorted(row for row in rows if row[2] != "alembic_version")
    cursor.execute(
        "SELECT table_name, column_name, ordinal_position, data_type, is_nullable, collation_name, datetime_precision"
        " FROM information_schema.columns WHERE table_schema = current_schema() AND table_name <> 'alembic_version'"
    )
    columns = cursor.fetchall()
    cursor.execute(
        "SELECT tablename, indexname, replace(indexdef, current_schema(), '') FROM pg_indexes"
        " WHERE schemaname = current_schema() AND tablename <> 'alembic_version'"
    )
    return sorted(map(str, [*columns, *cursor.fetchall()]))  # type: ignore[arg-type]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_fresh_office_has_the_schema_of_its_records(new_database: NewDatabase, dialect: str) -> None:
    migrated, declared = new_database(dialect), new_database(dialect)
    upgrade(migrated)
    declared.session.script(office_ddl(dialect))

    assert schema_of(migrated) == schema_of(declared)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_text_is_ordered_by_its_bytes_whatever_the_locale(new_database: NewDatabase, dialect: str) -> None:
    texts = [sql for sql in office_ddl(dialect) if sql.startswith("CREATE TABLE") and " TEXT" in sql]

    assert texts
    for sql in texts:
        assert sql.count(" TEXT") == (sql.count(' TEXT COLLATE "C"') if dialect == "postgresql" else sql.count(" TEXT"))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_schema_that_is_up_to_date_is_left_alone(new_database: NewDatabase, dialect: str) -> None:
    database = new_database(dialect)
    upgrade(database)
    before = schema_of(database)

    upgrade(database)

    assert schema_of(database) == before


@pytest.fixture
def second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Adds a second migration, whose last statement is given."""

    def add(last: str) -> None:
        scripts = tmp_path / "scripts"
        shutil.copytree(Path(migrations.__file__).parent, scripts, ignore=shutil.ignore_patterns("__pycache__"))
        text = SECOND.format(revision=NEXT, before=SCHEMA_VERSION, last=last)
        (scripts / f"versions/{NEXT}_second.py").write_text(text, "utf-8")
        monkeypatch.setattr(migrations, "SCRIPTS", scripts)
        monkeypatch.setattr(workspace, "SCHEMA_VERSION", NEXT)

    return add


def made(new_database: NewDatabase, dialect: str) -> Database:
    database = new_database(dialect)
    found(database, context_for("CN"), operator="ann").close()
    return database


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_older_office_is_upgraded_when_it_is_opened(
    new_database: NewDatabase, second: Callable[[str], None], dialect: str
) -> None:
    database = made(new_database, dialect)
    second("INSERT INTO added VALUES (7)")

    office = open_database(database, operator="ann")

    office.database.session.cursor.execute("SELECT n, version_num FROM added, alembic_version")
    assert office.database.session.cursor.fetchall() == [(7, NEXT)]
    assert office.verify() > 0
    office.close()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_upgrade_that_fails_leaves_everything_as_it_was(
    new_database: NewDatabase, second: Callable[[str], None], dialect: str
) -> None:
    database = made(new_database, dialect)
    before = schema_of(database)
    second("INSERT INTO nowhere VALUES (7)")

    with pytest.raises(Exception, match="nowhere"):
        open_database(database, operator="ann")

    assert schema_of(database) == before
    database.session.cursor.execute("SELECT version_num FROM alembic_version")
    assert database.session.cursor.fetchall() == [(SCHEMA_VERSION,)]


def test_a_file_is_backed_up_before_it_is_upgraded(new_database: NewDatabase, second: Callable[[str], None]) -> None:
    database = made(new_database, "sqlite")
    assert isinstance(database, SqliteDatabase)
    before = schema_of(database)
    second("INSERT INTO nowhere VALUES (7)")
    with pytest.raises(Exception, match="nowhere"):
        open_database(database, operator="ann")

    backup = SqliteDatabase(database.path.with_suffix(".before-upgrade.db"))

    assert schema_of(backup) == before
    backup.session.cursor.execute("SELECT seq FROM head")
    assert backup.session.cursor.fetchall()[0][0] > 0
    backup.close()


def test_a_new_file_needs_no_backup(new_database: NewDatabase) -> None:
    database = made(new_database, "sqlite")
    assert isinstance(database, SqliteDatabase)

    assert not database.path.with_suffix(".before-upgrade.db").exists()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_office_of_a_newer_bo_is_refused_and_left_alone(new_database: NewDatabase, dialect: str) -> None:
    database = made(new_database, dialect)
    database.session.script(["UPDATE alembic_version SET version_num = '9999'"])

    with pytest.raises(Configuration, match="newer bo") as refusal:
        open_database(database, operator="ann")

    assert refusal.value.facts["version"] == "9999"
    database.session.cursor.execute("SELECT version_num FROM alembic_version")
    assert database.session.cursor.fetchall() == [("9999",)]


def test_migrations_go_forward_only() -> None:
    for path in sorted((Path(migrations.__file__).parent / "versions").glob("[0-9]*.py")):
        module = importlib.import_module(f"bo.core.kernel.migrations.versions.{path.stem}")
        assert hasattr(module, "upgrade")
        assert not hasattr(module, "downgrade")


def test_the_newest_migration_is_the_version_that_is_asked_for() -> None:
    newest = max((Path(migrations.__file__).parent / "versions").glob("[0-9]*.py"))

    assert newest.stem.startswith(workspace.SCHEMA_VERSION)


def test_an_upgrade_waits_for_a_writer_no_longer_than_told(
    new_database: NewDatabase, second: Callable[[str], None]
) -> None:
    database = made(new_database, "sqlite")
    assert isinstance(database, SqliteDatabase)
    second("INSERT INTO added VALUES (7)")
    other = SqliteDatabase(database.path)
    database.busy_ms = 50
    with other.writing(), pytest.raises(BoError) as refusal:
        open_database(database, operator="ann")
    other.close()

    assert refusal.value.code == "busy"
