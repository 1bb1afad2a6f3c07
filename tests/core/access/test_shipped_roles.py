"""An office that an older bo made has today's permissions, where nobody has had a hand in its roles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from bo.core.access import permissions, shipped_roles
from bo.core.access.records import Role
from bo.core.kernel.database import SqliteDatabase
from bo.core.kernel.dispatch import Call
from bo.core.kernel.record import declared_records
from bo.core.kernel.replay import contents, replay
from bo.core.kernel.tx import SYSTEM
from bo.core.kernel.workspace import Workspace, make_office
from bo.core.office import context_for, create, open_database, open_office
from tests.core.money_office import office_in
from tests.sync.stage import Stage

OLDER = {"admin": ("*",), "reviewer": ("leads.read", "leads.review"), "approver": ("settlements.*",)}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An office whose roles are those of an older bo; it had no others."""
    with monkeypatch.context() as then:
        then.setattr(permissions, "STANDARD_ROLES", OLDER)
        create(tmp_path / "office", context_for("CN"), operator="ann").close()
    return tmp_path / "office"


@pytest.fixture
def office(folder: Path) -> Iterator[Workspace]:
    with open_office(folder) as ws:
        yield ws


def role(ws: Workspace, code: str) -> Role:
    return ws.reader().get(Role, code)


def edited_before(folder: Path, monkeypatch: pytest.MonkeyPatch, calls: Sequence[Call]) -> None:
    """What somebody did with the older bo."""
    with monkeypatch.context() as then:
        then.setattr(shipped_roles, "STANDARD_ROLES", OLDER)
        with open_office(folder) as ws:
            ws.run(calls, atomic=True)


def test_what_came_later_is_added_by_the_system(office: Workspace) -> None:
    shipped = permissions.STANDARD_ROLES["reviewer"]
    granted = [item for item in office.operations(limit=100) if item.name == "roles.grant"]

    assert set(role(office, "reviewer").permissions) == set(shipped)
    assert {item.actor for item in granted} == {SYSTEM.id}
    assert set(role(office, "auditor").permissions) == set(permissions.STANDARD_ROLES["auditor"])
    assert office.ask("roles.missing") == []
    assert office.verify() == office.data_version()


def test_what_a_wider_permission_covers_is_not_added(office: Workspace) -> None:
    assert role(office, "admin").permissions == ("*",)
    held = role(office, "approver").permissions
    assert "settlements.*" in held
    assert "settlements.approve" not in held
    assert "payouts.read" in held


def test_the_next_opening_does_nothing(folder: Path, office: Workspace) -> None:
    before = office.data_version()

    with open_office(folder) as again:
        assert again.data_version() == before


def test_a_new_office_lacks_nothing(tmp_path: Path) -> None:
    with create(tmp_path / "new", context_for("CN"), operator="ann") as made:
        before = made.data_version()
        assert made.ask("roles.missing") == []
    with open_office(tmp_path / "new") as again:
        assert again.data_version() == before


def test_a_role_that_somebody_edited_stays_and_what_it_lacks_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    edited_before(folder, monkeypatch, [Call("roles.edit", "reviewer", {"permissions": ["leads.read"]})])

    # when
    with open_office(folder) as ws:
        missing = {item.permission for item in ws.ask("roles.missing")}

        # then
        assert role(ws, "reviewer").permissions == ("leads.read",)
        assert missing == set(permissions.STANDARD_ROLES["reviewer"]) - {"leads.read"}
        assert {item.role for item in ws.ask("roles.missing")} == {"reviewer"}

        # when
        ws.do("roles.grant", "reviewer", permissions=sorted(missing))

        # then
        assert ws.ask("roles.missing") == []


def test_what_the_system_gave_can_be_undone_for_good(folder: Path, office: Workspace) -> None:
    given = next(item for item in office.operations(limit=100) if item.name == "roles.grant")
    office.do("op.undo", operation=given.id)
    held = [item.permissions for item in office.reader().records(Role, "")]

    with open_office(folder) as again:
        assert [item.permissions for item in again.reader().records(Role, "")] == held


def test_an_upgraded_office_replays_to_the_same(office: Workspace, tmp_path: Path) -> None:
    target = SqliteDatabase(tmp_path / "again.db")
    make_office(target, office.context, office.device)

    with Workspace(target, office.registry, permissions.authorise) as again:
        replay(office, again)
        infos = [item for item in declared_records().values() if item.noun in ("roles", "operators")]
        assert contents(again.database.session, infos) == contents(office.database.session, infos)


def test_a_device_waits_for_what_its_central_store_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(tmp_path)
    laptop = stage.device("anna")
    newer = {**permissions.STANDARD_ROLES, "store": (*permissions.STANDARD_ROLES["store"], "x.y")}
    monkeypatch.setattr(shipped_roles, "STANDARD_ROLES", newer)
    laptop.reopen()
    assert laptop.client.pending() == []
    assert "x.y" not in role(laptop.ws, "store").permissions

    stage.restart()
    laptop.sync()

    assert "x.y" in role(laptop.ws, "store").permissions
    stage.close()


def test_books_without_balances_have_them_added_up(tmp_path: Path) -> None:
    # given an office that had entries before there were balances
    money = office_in(SqliteDatabase(tmp_path / "money.db"))
    money.earn()
    money.approved()
    with money.ws.database.writing() as session:
        session.cursor.execute("DELETE FROM ledger_balance")
    money.ws.close()

    # when
    with open_database(SqliteDatabase(tmp_path / "money.db"), operator="boss", clock=money.clock) as ws:
        checked = ws.ask("ledger.check")
        last = ws.operations(limit=1)[0]

    # then
    assert checked.broken == ""
    assert (last.name, last.actor) == ("ledger.rebuild", SYSTEM.id)
