"""A frozen list says what others have changed behind it, and nothing of what its own user did."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bo.core.kernel.dispatch import Call
from bo.core.kernel.workspace import Workspace
from bo.core.office import context_for, create, open_office
from bo.tui.elsewhere import MOST, Elsewhere
from bo.tui.office import OfficeDesk, OfficeLibrary
from tests.tui.stage import Stage, perform


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    workspace = create(tmp_path / "office", context_for("CN"), operator="ann")
    workspace.run([Call("leads.report", None, {"number": f"L{at}", "name": f"Lead {at}"}) for at in range(3)])
    workspace.run([Call("stores.add", None, {"code": "S1", "name": "West"})], atomic=True)
    workspace.close()
    return tmp_path / "office"


@pytest.fixture
def here(folder: Path) -> Iterator[Workspace]:
    with open_office(folder) as workspace:
        yield workspace


@pytest.fixture
def there(folder: Path) -> Iterator[Workspace]:
    with open_office(folder) as workspace:
        yield workspace


def report(workspace: Workspace, *numbers: str) -> None:
    workspace.run([Call("leads.report", None, {"number": number, "name": number}) for number in numbers])


def test_what_others_changed_is_counted_once_a_record_and_of_that_sort_alone(here: Workspace, there: Workspace) -> None:
    elsewhere = Elsewhere(here)
    assert elsewhere.count("leads", 1) == 0
    report(there, "A", "B")
    there.do("leads.accept", "A")
    there.do("stores.edit", "S1", name="East")
    assert elsewhere.count("leads", 1) == 2
    there.do("leads.accept", "B")
    assert elsewhere.count("leads", 1) == 2


def test_what_was_done_here_is_no_news(here: Workspace, there: Workspace) -> None:
    elsewhere = Elsewhere(here)
    elsewhere.count("leads", 1)
    report(here, "A")
    report(there, "B")
    report(here, "C")
    assert elsewhere.count("leads", 1) == 1


def test_another_list_begins_at_nothing(here: Workspace, there: Workspace) -> None:
    elsewhere = Elsewhere(here)
    elsewhere.count("leads", 1)
    report(there, "A")
    assert elsewhere.count("leads", 1) == 1
    assert elsewhere.count("leads", 2) == 0
    assert elsewhere.count("stores", 2) == 0


def test_a_large_import_is_told_as_many(here: Workspace, there: Workspace) -> None:
    elsewhere = Elsewhere(here)
    elsewhere.count("leads", 1)
    report(there, *(f"N{at}" for at in range(MOST + 5)))
    assert elsewhere.count("leads", 1) == MOST


def test_a_store_is_told_of_no_other_stores_changes(folder: Path, there: Workspace) -> None:
    there.do("operators.add", login="sue", name="Sue", roles=["store"], store="S1")
    with open_office(folder, operator="sue") as sue:
        elsewhere = Elsewhere(sue)
        elsewhere.count("leads", 1)
        report(there, "A")
        assert elsewhere.count("leads", 1) == 0


def test_the_head_says_so_until_the_list_is_built_again(folder: Path, there: Workspace) -> None:
    async def story(stage: Stage) -> None:
        await stage.settled()
        report(there, "A", "B")
        stage.app.news.look()
        await stage.until_said("2 changed, r shows")
        assert stage.app.table.count == 3
        await stage.press("r")
        await stage.until(lambda: stage.app.table.count == 5)
        await stage.until(lambda: "changed, r shows" not in stage.text())

    perform(lambda: OfficeLibrary(open_office(folder)), lambda: OfficeDesk(open_office(folder), "Office"), story)
