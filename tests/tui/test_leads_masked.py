"""Personal data on the screen of who may not see it: masked, shown once at a key, and that is written down."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bo.core.kernel.dispatch import Call
from bo.core.kernel.workspace import Workspace
from bo.core.office import context_for, create, open_office
from bo.tui.office import OfficeDesk, OfficeLibrary
from tests.tui.stage import LARGE, Stage, Story, perform

PHONE, EMAIL, STREET = "13812341111", "wei@example.com", "建国路88号1201"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An office with one lead, whose phone has been changed, a dispatcher and an auditor."""
    folder = tmp_path / "office"
    workspace = create(folder, context_for("CN"), operator="ann", name="Ann Chen")
    lead = {"number": "L1", "name": "王伟", "phone": "13900002222", "email": EMAIL, "address": STREET, "city": "北京"}
    (made,) = workspace.run([Call("leads.report", None, lead)], atomic=True)
    calls = [Call("leads.edit", made.returned, {"phone": PHONE})]
    for login, role in (("dan", "dispatcher"), ("una", "auditor")):
        calls.append(Call("operators.add", None, {"login": login, "name": login, "roles": [role]}))
    workspace.run(calls, atomic=True)
    workspace.close()
    return folder


@pytest.fixture
def workspace(folder: Path) -> Iterator[Workspace]:
    workspace = open_office(folder)
    yield workspace
    workspace.close()


def play(folder: Path, operator: str, story: Story) -> None:
    def open_library() -> OfficeLibrary:
        return OfficeLibrary(open_office(folder, operator=operator))

    def open_desk() -> OfficeDesk:
        return OfficeDesk(open_office(folder, operator=operator), "Office")

    perform(open_library, open_desk, story, size=LARGE)


def reveals(workspace: Workspace) -> list[tuple[object, ...]]:
    return [tuple(row) for row in workspace.reader().page("reveals", fields=("of", "subject", "fields")).rows]


def test_list_preview_and_history_show_masks(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.until_said("History")
        await stage.until_said("w***@example.com")
        text = stage.text()
        assert "+86138****1111" in text
        assert "建国****" in text
        assert (
            "phone: +86139****2222 > +86138****1111" in text.replace("\n", " ").replace("  ", " ") or "2222 >" in text
        )
        for plain in ("12341111", "00002222", "wei@", "88号"):
            assert plain not in text

    play(folder, "dan", story)


def test_one_key_shows_what_is_masked_and_that_is_written_down_first(folder: Path, workspace: Workspace) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("z")
        await stage.until_said("This is in the journal.")
        text = stage.text()
        assert f"+86{PHONE}" in text
        assert EMAIL in text
        assert STREET in text
        await stage.press("q")
        await stage.until(lambda: f"+86{PHONE}" not in stage.text())

    play(folder, "dan", story)

    lead = workspace.reader().page("leads", fields=("id",)).rows[0][0]
    assert reveals(workspace) == [("leads", lead, '["address","email","phone"]')]
    assert workspace.operations(limit=1)[0].name == "reveals.note"


def test_who_may_not_reveal_sees_masks_and_nothing_is_written(folder: Path, workspace: Workspace) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("z")
        await stage.until_said("may not")
        assert PHONE not in stage.text()

    play(folder, "una", story)

    assert reveals(workspace) == []


def test_who_sees_everything_has_nothing_to_reveal(folder: Path, workspace: Workspace) -> None:
    async def story(stage: Stage) -> None:
        assert f"+86{PHONE}" in stage.text()
        await stage.press("z")
        await stage.until_said("nothing of this record is masked")

    play(folder, "ann", story)

    assert reveals(workspace) == []
