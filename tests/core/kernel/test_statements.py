"""Statements outlive the process: what was run once is run again without the library that wrote it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bo.core.kernel.dispatch import Call
from bo.core.kernel.statements import Prepared, Statements
from bo.core.kernel.workspace import Workspace
from tests.core.kernel.making import reopened, sqlite_office
from tests.core.kernel.stock import stock
from tests.tidy.code import PROJECT

AGAIN = """
import sys
from pathlib import Path
from tests.core.kernel.making import reopened

with reopened(Path(sys.argv[1])) as office:
    {work}
print([name for name in ("sqlalchemy", "alembic", "phonenumbers") if name in sys.modules])
"""
LISTS = """
    reader = office.reader()
    page = reader.page("tickets", "state:new kit sort:-created", limit=1)
    reader.page("tickets", "state:new kit sort:-created", limit=1, after=page.after)
    reader.count("tickets", "name:x")
"""
WRITES = """
    office.do("tickets.open", number="T-77", name="Ann", phone="+8613800138000")
    office.do("tickets.edit", "T-77", name="Bea")
    office.undo(office.do("tickets.give", "T-77", shop="west").operation)
    office.history(office.do("tickets.drop", "T-77").subject)
"""


def run_again(folder: Path, work: str) -> str:
    """Do some work in a process of its own; which heavy libraries it loaded."""
    program = AGAIN.format(work=work.strip())
    path = os.pathsep.join((str(PROJECT / "src"), str(PROJECT)))
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder / "office.db")],
        capture_output=True,
        check=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": path},
    )
    return done.stdout.strip()


@pytest.mark.parametrize("work", [LISTS, WRITES])
def test_the_second_process_that_does_the_same_loads_no_sqlalchemy(tmp_path: Path, work: str) -> None:
    with sqlite_office(tmp_path) as office:
        stock(office)

    first = run_again(tmp_path, work)
    second = run_again(tmp_path, work)

    assert "sqlalchemy" in first
    assert second == "[]"


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """The folder of an office that has kept the statements of a list."""
    with sqlite_office(tmp_path) as office:
        office.do("shops.add", code="west")
        office.reader().page("shops", "code:west")
    return tmp_path


def stored(office: Workspace) -> dict[str, str]:
    office.database.session.cursor.execute("SELECT key, sql FROM statement")
    return dict(office.database.session.cursor.fetchall())


def test_statements_are_kept_when_a_workspace_is_closed(kept: Path) -> None:
    with reopened(kept / "office.db") as office:
        keys = set(office.database.statements.kept)
        office.reader().page("shops", "code:west")

        assert office.database.statements.fresh == {}
        assert any(":page:code.eq" in key for key in keys)
        assert keys == set(stored(office)) - {"version"}


def test_statements_of_another_version_are_neither_run_nor_kept(kept: Path) -> None:
    with reopened(kept / "office.db") as office:
        office.database.session.script(
            [
                "UPDATE statement SET sql = 'SELECT broken', names = 'no json'",
                "UPDATE statement SET sql = '0.0' WHERE key = 'version'",
            ]
        )

    with reopened(kept / "office.db") as office:
        assert office.reader().count("shops", "code:west") == 1
        office.do("shops.add", code="east")
        assert "SELECT broken" not in stored(office).values()
    with reopened(kept / "office.db") as office:
        assert office.database.statements.fresh == {}
        assert office.reader().count("shops", "code:west") == 1


def test_a_record_of_another_shape_has_statements_of_its_own(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with reopened(kept / "office.db") as office:
        info = office.reader().info("shops")
        keys = {key for key in stored(office) if key.startswith("shop@")}
        assert keys
        assert all(key.startswith(f"{info.fingerprint}:") for key in keys)
        monkeypatch.setattr(info, "fingerprint", "shop@00000000")
        office.reader().page("shops", "code:west")
        assert all(
            key.startswith("shop@00000000:") for key in office.database.statements.fresh if key.startswith("shop")
        )


def test_a_dry_run_keeps_its_statements_for_the_next_process(kept: Path) -> None:
    with reopened(kept / "office.db") as office:
        office.run([Call("shops.count_up", "west")], dry_run=True)

    with reopened(kept / "office.db") as office:
        assert any(":update:" in key for key in office.database.statements.kept)


def test_no_more_statements_are_kept_than_a_start_can_read(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bo.core.kernel.workspace.STATEMENTS_MOST", 12)
    for field in ("code", "name", "tickets", "created", "updated", "id"):
        with reopened(kept / "office.db") as office:
            office.reader().page("shops", f"{field}:any")
            office.reader().count("shops", f"{field}:any")
            assert 2 < len(stored(office)) <= 16


def test_keeping_statements_can_be_switched_off(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BO_KEEP_STATEMENTS", "0")

    with reopened(kept / "office.db") as office:
        assert not any("page" in key for key in office.database.statements.kept)


def test_a_busy_file_is_no_reason_to_fail_at_closing(kept: Path) -> None:
    reading, writing = reopened(kept / "office.db"), reopened(kept / "office.db")
    reading.reader().page("shops", "name:new")
    with writing.database.writing():
        reading.close()
    writing.close()

    with reopened(kept / "office.db") as office:
        assert not any("name.eq" in key for key in office.database.statements.kept)


def test_a_statement_is_built_once_for_its_key() -> None:
    import sqlalchemy as sa

    built = []

    def build() -> sa.Select[tuple[int]]:
        built.append(1)
        return sa.select(sa.bindparam("b", 7).label("x")).where(sa.bindparam("a") == sa.literal("k"))

    statements = Statements("sqlite")
    first = statements.get("key", build)

    assert statements.get("key", build) is first
    assert built == [1]
    assert first == Prepared("SELECT ? AS x \nWHERE ? = ?", ("b", "a", "param_1"), {"b": 7, "param_1": "k"})
    assert statements.fresh == {"key": first}
