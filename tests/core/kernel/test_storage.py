"""No room to write: a clear error, nothing changed, reading goes on, and writing works again when there is room."""

from __future__ import annotations

import pytest

from bo.core.kernel.database import told
from bo.core.kernel.dispatch import Call
from bo.core.kernel.errors import BoError, Busy, Configuration, Damaged, StorageFull
from bo.core.kernel.workspace import Workspace
from tests.core.kernel.making import everything_in
from tests.core.kernel.stock import stock

NOTES = [Call("tickets.open", None, {"note": f"{place} " * 500}) for place in range(300)]


def pragma(office: Workspace, text: str) -> int:
    office.database.session.cursor.execute(f"PRAGMA {text}")
    return int(office.database.session.cursor.fetchall()[0][0])


def test_a_full_database_refuses_a_batch_and_goes_on_when_there_is_room(sqlite_office: Workspace) -> None:
    office = stock(sqlite_office)
    before = everything_in(office)
    most = pragma(office, "max_page_count")
    pragma(office, f"max_page_count = {pragma(office, 'page_count') + 10}")

    for _ in range(2):
        with pytest.raises(StorageFull, match="nothing was changed"):
            office.run(NOTES)
        assert everything_in(office) == before
        assert office.reader().count("tickets", "kitchen") == 1
    pragma(office, f"max_page_count = {most}")

    assert {outcome.status for outcome in office.run(NOTES)} == {"applied"}
    assert office.verify() == 315


def test_room_that_ends_in_the_middle_of_a_batch_leaves_no_half(sqlite_office: Workspace) -> None:
    office = stock(sqlite_office)
    before = everything_in(office)
    pragma(office, f"max_page_count = {pragma(office, 'page_count') + 10}")
    # a later call that selects has the earlier ones written first; the database may roll all back by itself
    calls = [*NOTES, Call("shops.tally", "west"), Call("shops.count_up", "west")]

    with pytest.raises(StorageFull):
        office.run(calls)

    assert everything_in(office) == before
    assert office.verify() == 15


class SqliteError(Exception):
    def __init__(self, words: str, code: int) -> None:
        super().__init__(words)
        self.sqlite_errorcode = code


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (5, Busy),
        (5 | 2 << 8, Busy),
        (6, Busy),
        (13, StorageFull),
        (10 | 3 << 8, StorageFull),
        (11, Damaged),
        (26, Damaged),
        (26 | 1 << 8, Damaged),
        (14, Configuration),
        (8, Configuration),
    ],
)
def test_an_error_of_sqlite_is_told_by_its_code(code: int, kind: type[BoError]) -> None:
    with pytest.raises(kind) as refusal, told("sqlite"):
        raise SqliteError("whatever", code)
    assert refusal.value.hint


def test_text_that_is_no_text_any_more_is_damage(sqlite_office: Workspace) -> None:
    office = stock(sqlite_office)
    office.database.session.script(["UPDATE ticket SET note = CAST(x'ff00ff' AS TEXT)"])

    with pytest.raises(Damaged):
        office.reader().page("tickets", fields=("note",))


def test_an_error_that_only_names_a_full_field_stays_what_it_is() -> None:
    with pytest.raises(SqliteError), told("sqlite"):
        raise SqliteError("UNIQUE constraint failed: shop.full_name_locked", 19)


def test_an_error_of_postgresql_is_told_by_its_sort() -> None:
    from psycopg import errors

    for error, kind in (
        (errors.LockNotAvailable, Busy),
        (errors.DeadlockDetected, Busy),
        (errors.DiskFull, StorageFull),
        (errors.AdminShutdown, Configuration),
        (errors.OperationalError, Configuration),
    ):
        with pytest.raises(kind) as refusal, told("postgresql"):
            raise error("whatever")
        assert refusal.value.hint
    with pytest.raises(errors.UniqueViolation), told("postgresql"):
        raise errors.UniqueViolation("whatever")
