"""A long dry run is tried in a copy, so that nobody waits for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bo.core.kernel.aside import aside, copy_whole
from bo.core.kernel.database import SqliteDatabase
from bo.core.kernel.dispatch import Call
from bo.core.office import context_for, found, open_database

CALL = Call("stores.add", None, {"code": "S1", "name": "one"})


def test_others_write_while_something_is_tried(tmp_path: Path) -> None:
    # given
    def database() -> SqliteDatabase:
        return SqliteDatabase(tmp_path / "office.db")

    with found(database(), context_for("CN"), operator="ann") as office:
        before = office.data_version()

        # when
        with aside(office) as copy, copy.transaction(dry_run=True) as perform:
            (tried,) = perform([CALL])
            beside = database()
            beside.busy_ms = 0
            with open_database(beside, operator="ann") as other:
                other.do("stores.add", code="S2", name="two")

        # then
        assert (tried.status, copy.actor) == ("applied", office.actor)
        assert office.data_version() == before + 1
        assert [row[0] for row in office.reader().page("stores", fields=("code",)).rows] == ["S2"]
    assert not list(tmp_path.glob(".try-*"))


def test_the_copy_of_an_encrypted_office_is_encrypted(tmp_path: Path) -> None:
    office, copy = (SqliteDatabase(tmp_path / name, bytes(range(32))) for name in ("office.db", "copy.db"))
    with office.writing() as session:
        session.script(
            ["CREATE TABLE head (seq)", "INSERT INTO head VALUES (7)", "CREATE TABLE secret AS SELECT 'two herons'"]
        )

    copy_whole(office, copy)

    opened = copy.open()
    assert opened.execute("SELECT seq FROM head").fetchall() == [(7,)]
    opened.close()
    office.close()
    copy.close()
    assert b"herons" not in (tmp_path / "copy.db").read_bytes()


def test_what_is_short_is_tried_in_its_place(tmp_path: Path) -> None:
    office = found(SqliteDatabase(tmp_path / "office.db"), context_for("CN"), operator="ann")
    with office, aside(office, wanted=False) as place:
        assert place is office


def test_nothing_is_left_where_the_trying_fails(tmp_path: Path) -> None:
    with found(SqliteDatabase(tmp_path / "office.db"), context_for("CN"), operator="ann") as office:
        with pytest.raises(ZeroDivisionError), aside(office):
            _ = 1 / 0
        assert not list(tmp_path.glob(".try-*"))
