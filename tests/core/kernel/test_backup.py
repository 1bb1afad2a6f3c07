"""A backup is made beside writers, verified by opening it, and put back whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bo.core.access.permissions import STANDARD_ROLES
from bo.core.kernel import backup
from bo.core.kernel.database import SqliteDatabase
from bo.core.kernel.errors import BadFile, Busy, Damaged, UsageError
from bo.core.kernel.workspace import Workspace
from bo.core.office import context_for, create, open_office

ROLES = len(STANDARD_ROLES)


def an_office(folder: Path) -> Workspace:
    return create(folder, context_for("CN"), operator="ann")


def sqlite_of(workspace: Workspace) -> SqliteDatabase:
    assert isinstance(workspace.database, SqliteDatabase)
    return workspace.database


def test_a_backup_holds_what_there_was(tmp_path: Path) -> None:
    workspace = an_office(tmp_path / "office")

    report = backup.create(sqlite_of(workspace), tmp_path / "copies" / "one.db")

    assert report.operations == workspace.data_version()
    assert report.rows["role"] == ROLES
    assert backup.verify(tmp_path / "copies" / "one.db") == report
    assert sorted(path.name for path in (tmp_path / "copies").iterdir()) == ["one.db"]
    workspace.close()


def test_verifying_changes_nothing(tmp_path: Path) -> None:
    workspace = an_office(tmp_path / "office")
    copy = tmp_path / "copy.db"
    backup.create(sqlite_of(workspace), copy)
    before = copy.read_bytes()

    backup.verify(copy)

    assert copy.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy.db", "office"]
    workspace.close()


def test_a_name_that_is_taken_is_refused_and_kept(tmp_path: Path) -> None:
    workspace = an_office(tmp_path / "office")
    (tmp_path / "copy.db").write_text("mine")

    with pytest.raises(UsageError):
        backup.create(sqlite_of(workspace), tmp_path / "copy.db")

    assert (tmp_path / "copy.db").read_text() == "mine"
    workspace.close()


def test_restoring_shows_to_who_has_it_open(tmp_path: Path) -> None:
    workspace, watcher = an_office(tmp_path / "office"), open_office(tmp_path / "office", operator="ann")
    backup.create(sqlite_of(workspace), tmp_path / "copy.db")
    workspace.do("roles.add", code="later")
    assert watcher.reader().count("roles") == ROLES + 1

    backup.restore(sqlite_of(workspace), tmp_path / "copy.db", kept=tmp_path / "kept.db")

    assert watcher.reader().count("roles") == ROLES
    assert workspace.do("roles.add", code="again").status == "applied"
    assert watcher.verify() == watcher.data_version()
    assert backup.verify(tmp_path / "kept.db").rows["role"] == ROLES + 1
    workspace.close()
    watcher.close()


def test_restoring_waits_for_a_writer_only_so_long_and_changes_nothing(tmp_path: Path) -> None:
    workspace = an_office(tmp_path / "office")
    backup.create(sqlite_of(workspace), tmp_path / "copy.db")
    workspace.do("roles.add", code="later")
    writer = SqliteDatabase(tmp_path / "office" / "office.db")
    impatient = SqliteDatabase(tmp_path / "office" / "office.db")
    impatient.busy_ms = 100

    with writer.writing(), pytest.raises(Busy):
        backup.restore(impatient, tmp_path / "copy.db", kept=tmp_path / "kept.db")

    assert workspace.reader().count("roles") == ROLES + 1
    for database in (writer, impatient, workspace):
        database.close()


def test_what_is_no_backup_is_refused_and_nothing_is_changed(tmp_path: Path) -> None:
    workspace = an_office(tmp_path / "office")
    (tmp_path / "text.db").write_text("hello")
    empty = SqliteDatabase(tmp_path / "empty.db")
    empty.session.cursor.execute("CREATE TABLE t (x)")
    empty.close()

    for name in ("missing.db", "text.db", "empty.db"):
        with pytest.raises(BadFile):
            backup.restore(sqlite_of(workspace), tmp_path / name, kept=tmp_path / "kept.db")

    assert not (tmp_path / "kept.db").exists()
    assert workspace.reader().count("roles") == ROLES
    workspace.close()


def cut_short(content: bytes) -> bytes:
    return content[: len(content) // 2]


def with_a_page_of_zeros(content: bytes) -> bytes:
    place = content.index(b"settlements.approve") // 4096 * 4096
    return content[:place] + bytes(4096) + content[place + 4096 :]


@pytest.mark.parametrize("damage", [cut_short, with_a_page_of_zeros])
def test_a_damaged_backup_is_seen(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    workspace = an_office(tmp_path / "office")
    copy = tmp_path / "copy.db"
    backup.create(sqlite_of(workspace), copy)
    copy.write_bytes(damage(copy.read_bytes()))

    with pytest.raises(Damaged):
        backup.restore(sqlite_of(workspace), copy, kept=tmp_path / "kept.db")

    assert not (tmp_path / "kept.db").exists()
    assert workspace.reader().count("roles") == ROLES
    workspace.close()


def test_a_journal_that_was_edited_is_seen(tmp_path: Path) -> None:
    workspace = an_office(tmp_path / "office")
    copy = tmp_path / "copy.db"
    backup.create(sqlite_of(workspace), copy)
    edited = SqliteDatabase(copy)
    with edited.writing() as session:
        session.cursor.execute("UPDATE operation SET actor = 'somebody' WHERE seq = 2")
    edited.close()

    with pytest.raises(Damaged, match="operation 2"):
        backup.verify(copy)
    workspace.close()


def test_an_encrypted_office_stays_encrypted(tmp_path: Path) -> None:
    from bo.core.office import found

    key = bytes(range(32))
    workspace = found(SqliteDatabase(tmp_path / "office.db", key), context_for("CN"), operator="ann")

    report = backup.create(sqlite_of(workspace), tmp_path / "copy.db")

    assert backup.verify(tmp_path / "copy.db", key) == report
    assert b"auditor" not in (tmp_path / "copy.db").read_bytes()
    with pytest.raises(BadFile):
        backup.verify(tmp_path / "copy.db")
    workspace.close()
