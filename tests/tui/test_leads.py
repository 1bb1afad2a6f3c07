"""Lead triage on a real office: who may be the same, which store takes it, what happened, and what waits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bo.core.kernel.dispatch import Call
from bo.core.kernel.workspace import Workspace
from bo.core.office import context_for, create, open_office
from bo.tui.office import OfficeDesk, OfficeLibrary
from bo.tui.source import ScreenOptions
from tests.tui.stage import LARGE, SMALL, Stage, Story, perform

HOME = {"name": "王伟", "district": "朝阳", "community": "阳光小区", "city": "北京"}
LEADS = (
    {"number": "L1", **HOME, "room": "101", "phone": "13800000001", "source": "form"},
    {"number": "L2", **HOME, "room": "102", "phone": "13800000002", "source": "shop"},
    {"number": "L3", "name": "Bob Moss", "phone": "13800000003", "city": "Oslo"},
    {"number": "L4", "name": "李丽", "phone": "13800000001", "city": "上海"},
)
STORES = (("S1", "朝阳店", 20), ("S2", "West", 1), ("S3", "East", 0))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three leads in review, two of them alike, a fourth that is a duplicate of the first, and three stores."""
    folder = tmp_path / "office"
    workspace = create(folder, context_for("CN"), operator="ann", name="Ann Chen")
    workspace.run([Call("stores.add", None, {"code": c, "name": n, "capacity": most}) for c, n, most in STORES])
    workspace.run([Call("leads.report", None, dict(lead)) for lead in LEADS], atomic=True)
    workspace.close()
    return folder


@pytest.fixture
def workspace(folder: Path) -> Iterator[Workspace]:
    workspace = open_office(folder)
    yield workspace
    workspace.close()


def play(folder: Path, story: Story, *, filter_text: str = "", size: tuple[int, int] = LARGE) -> None:
    def open_library() -> OfficeLibrary:
        return OfficeLibrary(open_office(folder))

    def open_desk() -> OfficeDesk:
        return OfficeDesk(open_office(folder), "Office")

    perform(open_library, open_desk, story, size=size, options=ScreenOptions(filter_text=filter_text))


def lead(workspace: Workspace, number: str, *fields: str) -> tuple[object, ...]:
    """What the database has about a lead now."""
    return tuple(workspace.reader().page("leads", f"number:{number}", fields=fields).rows[0])


def lead_id(workspace: Workspace, number: str) -> str:
    return str(lead(workspace, number, "id")[0])


# -- duplicates --------------------------------------------------------------------------------------------------------


def test_a_lead_stands_beside_its_candidate_with_marks_for_what_differs(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("D")
        await stage.until_said("Who may be the same")
        lines = stage.lines()
        assert any(line.startswith(" 60 points: name") for line in lines)
        assert any("room" in line and "102" in line and " !  101" in line for line in lines)
        assert any("community" in line and " =  阳光小区" in line for line in lines)

    play(folder, story, filter_text="number:L2", size=SMALL)


def test_one_key_marks_the_lead_as_a_duplicate_of_the_candidate_and_u_takes_it_back(
    folder: Path, workspace: Workspace
) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("D")
        await stage.until_said("Who may be the same")
        await stage.press("D")
        await stage.until_said("王伟 marked as a duplicate, u undoes")
        assert lead(workspace, "L2", "state", "duplicate_of") == ("duplicate", lead_id(workspace, "L1"))
        await stage.press("u")
        await stage.until_said("Undone: 1 lead")
        assert lead(workspace, "L2", "state", "duplicate_of") == ("pending_review", None)

    play(folder, story, filter_text="number:L2")


def test_one_key_says_that_a_duplicate_is_not_the_same(folder: Path, workspace: Workspace) -> None:
    assert lead(workspace, "L4", "state") == ("duplicate",)

    async def story(stage: Stage) -> None:
        await stage.press("D")
        await stage.until_said("100 points: phone")
        await stage.press("n")
        await stage.until_said("found to be no duplicate")
        assert lead(workspace, "L4", "state", "duplicate_of") == ("pending_review", None)

    play(folder, story, filter_text="number:L4")


def test_looking_at_candidates_decides_nothing(folder: Path, workspace: Workspace) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("D")
        await stage.until_said("Who may be the same")
        # What its state does not allow means nothing there.
        await stage.press("n", "j", "k", "q")
        await stage.until(lambda: "Who may be the same" not in stage.lines()[0])
        assert lead(workspace, "L2", "state") == ("pending_review",)

    play(folder, story, filter_text="number:L2")


def test_a_lead_like_no_other_says_so(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("D")
        await stage.until_said("Bob Moss is like no other lead")

    play(folder, story, filter_text="number:L3")


# -- assignment --------------------------------------------------------------------------------------------------------


def test_stores_stand_with_their_load_and_the_rules_pick_is_under_the_cursor(
    folder: Path, workspace: Workspace
) -> None:
    workspace.do("leads.accept", lead_id(workspace, "L3"))
    workspace.do("leads.accept", lead_id(workspace, "L1"))
    workspace.do("leads.assign", lead_id(workspace, "L3"), store="S2")

    async def story(stage: Stage) -> None:
        await stage.press("a")
        await stage.until_said("the rule picks it:")
        lines = stage.lines()
        first = next(line for line in lines if "the rule picks it:" in line)
        assert " > 1 朝阳店 S1" in first or " > 1 East S3" in first
        assert any("West S2" in line and "1/1" in line and "✗" in line for line in lines)
        await stage.press("3")
        await stage.until_said("West S2 cannot take it:")
        await stage.press("g", "enter")
        await stage.until_said("王伟 assigned, u undoes")
        state, store, why = lead(workspace, "L1", "state", "store", "assigned_reason")
        assert state == "assigned"
        assert store
        assert why != "Chosen by hand"

    play(folder, story, filter_text="number:L1")


def test_a_digit_gives_the_lead_to_that_store(folder: Path, workspace: Workspace) -> None:
    workspace.do("leads.accept", lead_id(workspace, "L1"))

    async def story(stage: Stage) -> None:
        await stage.press("a")
        await stage.until_said("the rule picks it:")
        await stage.press("2")
        await stage.until_said("王伟 assigned, u undoes")
        assert lead(workspace, "L1", "state", "assigned_reason") == ("assigned", "Chosen by hand")

    play(folder, story, filter_text="number:L1")


# -- what happened, and what waits -------------------------------------------------------------------------------------


def test_the_words_of_a_contact_stand_in_the_history(folder: Path, workspace: Workspace) -> None:
    workspace.do(
        "leads.follow_up", lead_id(workspace, "L3"), kind="message", outcome="no_answer", note="asked by WeChat"
    )

    async def story(stage: Stage) -> None:
        await stage.press("g", "h")
        await stage.until_said("History")
        assert "follow up  message; no answer; note: asked by WeChat" in stage.text()

    play(folder, story, filter_text="number:L3")


def test_n_goes_to_the_next_row_that_waits_and_passes_over_what_is_done(folder: Path, workspace: Workspace) -> None:
    for number in ("L2", "L3"):
        workspace.do("leads.reject", lead_id(workspace, number), reason="no_intent")

    async def story(stage: Stage) -> None:
        table = stage.app.table
        states = [stage.row(at).state for at in range(table.count)]
        assert sorted(states) == ["duplicate", "invalid", "invalid", "pending_review"]
        table.move_to(0)
        seen = []
        for _ in range(2):
            await stage.press("n")
            await stage.settled()
            seen.append(stage.current().state)
        assert set(seen) <= {"duplicate", "pending_review"}
        await stage.press("G", "n")
        await stage.until_said("Nothing else in this view waits for you")
        await stage.press("N")
        await stage.settled()
        assert stage.current().state in ("duplicate", "pending_review")

    play(folder, story, filter_text="number:L1,L2,L3,L4")
