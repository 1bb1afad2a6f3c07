"""How many keys the common jobs take. The figures in docs/benchmarks.md are these."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bo.core.kernel.dispatch import Call
from bo.core.kernel.workspace import Workspace
from bo.core.office import context_for, create, open_office
from bo.tui.office import OfficeDesk, OfficeLibrary
from bo.tui.source import ScreenOptions
from tests.tui.stage import LARGE, Stage, perform

# Job -> keys, and how many there may be.
JOBS: dict[str, tuple[str, int]] = {
    "accept a lead and have the rule assign it": ("d k d", 3),
    "assign a lead to the store that the rule picks": ("a enter", 3),
    "reject a lead with its reason": ("b 4", 3),
    "a follow-up with its outcome and the next date": ("t 4 w", 6),
    "mark a lead as a duplicate of the likeliest": ("D D", 3),
    "release a held order": ("W", 2),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three leads in review, two of them alike, a store, and an order that is held."""
    folder = tmp_path / "office"
    workspace = create(folder, context_for("CN"), operator="ann", name="Ann Chen")
    same = {"name": "王伟", "district": "朝阳", "community": "阳光小区", "city": "北京"}
    workspace.run([Call("stores.add", None, {"code": "S1", "name": "朝阳店"})])
    leads = [{"number": "L1", **same}, {"number": "L2", **same, "room": "2"}, {"number": "L3", "name": "Bob"}]
    workspace.run([Call("leads.report", None, {**each, "phone": f"1380000000{at}"}) for at, each in enumerate(leads)])
    order = {
        "number": "A1",
        "currency": "CNY",
        "lines": [{"sku": "LAMP", "quantity": 1, "price": "10.00"}],
    }
    (made,) = workspace.run([Call("orders.record", None, order)], atomic=True)
    workspace.run([Call("orders.hold", made.returned, {"reason": "address?"})], atomic=True)
    workspace.close()
    return folder


@pytest.fixture
def workspace(folder: Path) -> Iterator[Workspace]:
    workspace = open_office(folder)
    yield workspace
    workspace.close()


def play(folder: Path, job: str, said: str, *, noun: str = "leads", where: str = "") -> None:
    """Do a job by its keys on the first row, and wait for what the screen says then."""
    keys, most = JOBS[job]
    assert len(keys.split()) <= most

    async def story(stage: Stage) -> None:
        for key in keys.split():
            await stage.press(key)
            await stage.settled()
        await stage.until_said(said)

    def open_library() -> OfficeLibrary:
        return OfficeLibrary(open_office(folder))

    def open_desk() -> OfficeDesk:
        return OfficeDesk(open_office(folder), "Office")

    perform(open_library, open_desk, story, size=LARGE, options=ScreenOptions(noun=noun, filter_text=where))


def value(workspace: Workspace, noun: str, number: str, *fields: str) -> tuple[object, ...]:
    return tuple(workspace.reader().page(noun, f"number:{number}", fields=fields).rows[0])


def test_a_lead_is_accepted_and_assigned_in_three_keys(folder: Path, workspace: Workspace) -> None:
    play(
        folder,
        "accept a lead and have the rule assign it",
        "assigned by rule, u undoes",
        where="number:L1,L3 sort:number",
    )

    assert value(workspace, "leads", "L1", "state") == ("assigned",)


def test_a_lead_goes_to_the_store_that_the_rule_picks_in_two_keys(folder: Path, workspace: Workspace) -> None:
    workspace.do("leads.accept", str(value(workspace, "leads", "L3", "id")[0]))

    play(folder, "assign a lead to the store that the rule picks", "Bob assigned, u undoes", where="number:L3")

    assert value(workspace, "leads", "L3", "state") == ("assigned",)


def test_a_lead_is_rejected_with_its_reason_in_two_keys(folder: Path, workspace: Workspace) -> None:
    play(folder, "reject a lead with its reason", "Bob rejected, u undoes", where="number:L3")

    assert value(workspace, "leads", "L3", "state", "invalid_reason") == ("invalid", "no_intent")


def test_a_follow_up_with_its_next_date_takes_three_keys(folder: Path, workspace: Workspace) -> None:
    play(folder, "a follow-up with its outcome and the next date", "Bob followed up, u undoes", where="number:L3")

    assert value(workspace, "leads", "L3", "follow_ups") == (1,)
    (kind, outcome, next_at), *_others = (
        workspace.reader().page("follow_ups", fields=("kind", "outcome", "next_at")).rows
    )
    assert (kind, outcome) == ("call", "interested")
    assert next_at


def test_a_lead_is_marked_as_a_duplicate_in_two_keys(folder: Path, workspace: Workspace) -> None:
    play(folder, "mark a lead as a duplicate of the likeliest", "marked as a duplicate, u undoes", where="number:L2")

    assert value(workspace, "leads", "L2", "state") == ("duplicate",)


def test_a_held_order_is_released_in_one_key(folder: Path, workspace: Workspace) -> None:
    assert value(workspace, "orders", "A1", "hold_reason") == ("address?",)

    play(folder, "release a held order", "released, u undoes", noun="orders", where="number:A1")

    assert value(workspace, "orders", "A1", "hold_reason") in ((None,), ("",))
